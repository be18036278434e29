package sim

import (
	"net/netip"
	"strings"
	"time"
)

var identityMenu = &menu{
	path: "/system/identity", singleton: true, table: identityTable, has: anyRow,
	props: map[string]prop{"name": must(text(64))},
	rows:  func(d *device, _ time.Time) []item { return []item{{{"name", d.identity()}}} },
}

var resourceMenu = &menu{path: "/system/resource", singleton: true, rows: func(d *device, now time.Time) []item {
	load := 0.0
	for _, e := range d.ends {
		tx, rx := e.flow(now)
		load += (tx + rx) / 4
	}
	load = clamp(3+load+4*d.fleet.uniform("cpu/"+string(d.id), now.Unix()), 1, 100)
	mem, hdd := 256<<20, 16<<20
	free := float64(mem) * (0.6 + 0.05*d.fleet.smooth("mem/"+string(d.id), now, time.Hour))
	build := "2024-11-22 10:09:40"
	if d.version.before(7, 10) {
		build = "Nov/22/2024 10:09:40"
	}
	it := item{{"uptime", duration(d.uptime(now))}, {"version", d.release}, {"build-time", build}}
	if d.version.major >= 7 {
		it.add("factory-software", "7.1")
	} else {
		it.add("factory-software", "6.44.6")
	}
	it.add("free-memory", integer(free))
	it.add("total-memory", integer(float64(mem)))
	cpu := map[string]string{"arm64": "ARM64", "arm": "ARM"}[d.arch]
	it.add("cpu", cpu)
	it.add("cpu-count", "4")
	it.add("cpu-frequency", "716")
	it.add("cpu-load", integer(load))
	it.add("free-hdd-space", integer(float64(hdd)*0.17))
	it.add("total-hdd-space", integer(float64(hdd)))
	it.add("write-sect-since-reboot", counter(d.uptime(now).Hours()*11))
	it.add("write-sect-total", counter(572180+d.uptime(now).Hours()*11))
	it.add("bad-blocks", "0")
	it.add("architecture-name", d.arch)
	it.add("board-name", d.board)
	it.add("platform", "MikroTik")
	return []item{it}
}}

var routerboardMenu = &menu{path: "/system/routerboard", singleton: true, rows: func(d *device, _ time.Time) []item {
	firmware, _, _ := strings.Cut(d.release, " ")
	it := item{{"routerboard", "true"}, {"board-name", d.board}, {"model", d.board}, {"serial-number", d.serial()},
		{"firmware-type", "ipq4000L"}, {"factory-firmware", "6.44.6"}, {"current-firmware", firmware}, {"upgrade-firmware", firmware}}
	return []item{it}
}}

func (d *device) serial() string {
	const digits = "0123456789ABCDEF"
	h := d.fleet.draw("serial/"+string(d.id), 0)
	b := make([]byte, 12)
	for i := range b {
		b[i] = digits[h>>(4*i)&15]
	}
	return string(b)
}

// healthMenu is one row of properties in version 6, a row for each in 7.
var healthMenu = &menu{path: "/system/health", singleton: true, rows: func(d *device, now time.Time) []item {
	u := now.UTC()
	day := float64(u.Hour()) + float64(u.Minute())/60
	volt := 23.9 + 0.2*d.fleet.smooth("volt/"+string(d.id), now, 20*time.Minute)
	warm := 31 + 7*busy(now) + 0.2*day + 2*d.fleet.smooth("warm/"+string(d.id), now, time.Hour)
	v, t := formatFixed(volt, 1), integer(warm)
	if d.version.major < 7 {
		return []item{{{"voltage", v}, {"temperature", t}}}
	}
	return []item{
		{{".id", "*D"}, {"name", "voltage"}, {"value", v}, {"type", "V"}},
		{{".id", "*E"}, {"name", "temperature"}, {"value", t}, {"type", "C"}},
	}
}}

var clockMenu = &menu{
	path: "/system/clock", singleton: true, table: clockTable, has: anyRow,
	props: map[string]prop{"time-zone-name": must(text(64)), "time-zone-autodetect": yesNo},
	rows: func(d *device, now time.Time) []item {
		e := d.config.table(clockTable).Rows[0]
		// The clocks run on UTC: the hour does not depend on this machine's zone files.
		return []item{{{"time", d.clock(now)}, {"date", d.date(now)}, {"time-zone-autodetect", e.get("time-zone-autodetect")},
			{"time-zone-name", e.get("time-zone-name")}, {"gmt-offset", "+00:00"}, {"dst-active", "false"}}}
	},
}

// systemMenu is there for its verb: /system/reboot.
var systemMenu = &menu{path: "/system"}

var packageMenu = &menu{path: "/system/package", rows: func(d *device, _ time.Time) []item {
	v, _, _ := strings.Cut(d.release, " ")
	names := []string{"routeros"}
	switch {
	case d.driver == wifi && d.arch == "arm":
		names = append(names, "wifi-qcom-ac")
	case d.driver == wifi:
		names = append(names, "wifi-qcom")
	case d.version.major < 7 || !d.version.before(7, 13):
		names = append(names, "wireless")
	}
	var out []item
	for i, n := range names {
		out = append(out, item{{".id", (&entry{ID: i + 1}).id()}, {"name", n}, {"version", v}, {"build-time", "2024-11-22 10:09:40"}, {"scheduled", ""}, {"disabled", "false"}})
	}
	return out
}}

var updateMenu = &menu{
	path: "/system/package/update", singleton: true, table: updateTable, has: anyRow,
	props: map[string]prop{"channel": oneOf("stable", "long-term", "testing", "development", "upgrade")},
	rows: func(d *device, _ time.Time) []item {
		v, _, _ := strings.Cut(d.release, " ")
		return []item{{{"channel", d.config.table(updateTable).Rows[0].get("channel")}, {"installed-version", v}}}
	},
}

var userMenu = &menu{
	path: "/user", noun: "user", table: userTable, has: anyRow, addable: true, required: []string{"name", "group"},
	props: map[string]prop{"name": must(text(64)), "group": oneOf("full", "write", "read"), passwordProp: text(128), "address": text(256),
		"comment": text(256), "disabled": yesNo},
	rows: func(d *device, _ time.Time) []item {
		var out []item
		for _, e := range d.config.table(userTable).Rows {
			it := item{{".id", e.id()}, {"name", e.get("name")}, {"group", e.get("group")}, {"address", e.get("address")}}
			it.add("comment", e.get("comment"))
			out = append(out, append(it, pair{"disabled", boolean(e.disabled())}))
		}
		return out
	},
}

var addressMenu = &menu{
	path: "/ip/address", noun: "address", table: addressTable, has: anyRow, addable: true, required: []string{"address", "interface"}, unique: []string{"address", "interface"},
	props: map[string]prop{"address": prefix, "interface": interfaceRef, "network": text(64), "comment": text(256), "disabled": yesNo},
	rows: func(d *device, _ time.Time) []item {
		var out []item
		for _, e := range d.config.table(addressTable).Rows {
			n := e.get("network")
			if p, err := netip.ParsePrefix(e.get("address")); err == nil && n == "" {
				n = p.Masked().Addr().String()
			}
			it := item{{".id", e.id()}, {"address", e.get("address")}, {"network", n}, {"interface", e.get("interface")}, {"actual-interface", e.get("interface")},
				{"invalid", "false"}, {"dynamic", "false"}, {"disabled", boolean(e.disabled())}}
			it.add("comment", e.get("comment"))
			out = append(out, it)
		}
		return out
	},
}

// neighbourMenu lists the far ends of the links that are up, and the devices
// of the same site by the cable.
var neighbourMenu = &menu{path: "/ip/neighbor", moving: []string{"age", "uptime"}, rows: func(d *device, now time.Time) []item {
	var out []item
	see := func(o *device, local, mac, remote string) {
		if !o.on() {
			return
		}
		age := int64(d.fleet.draw("age/"+string(d.id)+string(o.id), 0)%30) + now.Unix()
		it := item{{".id", (&entry{ID: o.index + 1}).id()}, {"interface", local}, {"address", o.ip()}, {"address4", o.ip()}, {"mac-address", mac},
			{"identity", o.identity()}, {"platform", "MikroTik"}, {"version", o.release}, {"unpack", "none"},
			{"age", duration(time.Duration(age%30) * time.Second)}, {"uptime", duration(o.uptime(now))}, {"software-id", o.serial()[:4] + "-" + o.serial()[4:8]},
			{"board", o.board}, {"interface-name", remote}, {"system-description", "MikroTik RouterOS " + o.release + " " + o.board},
			{"system-caps", "bridge,router"}, {"system-caps-enabled", "bridge,router"}}
		out = append(out, it)
	}
	seen := map[*device]bool{d: true}
	for _, e := range d.ends {
		if o := e.other(); e.link.up && o != nil && !seen[o.dev] {
			seen[o.dev] = true
			here, there := e.row(), o.row()
			see(o.dev, here.get("name"), there.get("mac-address"), there.get("name"))
		}
	}
	for _, o := range d.mates {
		if !seen[o] {
			e := o.config.table(interfaceTable).find("ether1")
			if e != nil {
				see(o, "ether1", e.get("mac-address"), "ether1")
			}
		}
	}
	return out
}}

// row is the interface of an end; never nil while its link is up.
func (e *end) row() *entry {
	if r := e.dev.config.port(e.port); r != nil {
		return r
	}
	return &entry{}
}
