package sim

import (
	"strconv"
	"strings"
	"time"
)

// packetBytes is the mean length of a packet, from which packets are counted.
const packetBytes = 820

// counters of an interface, as seen from the device: bytes, and Mbps now.
type counters struct{ tx, rx, txNow, rxNow float64 }

func (a *counters) add(b counters) {
	a.tx += b.tx
	a.rx += b.rx
	a.txNow += b.txNow
	a.rxNow += b.rxNow
}

// countersOf an interface. What a radio receives leaves by the first cable or
// by the bridge, and the other way round.
func (d *device) countersOf(e *entry, now time.Time) counters {
	var c counters
	for _, x := range d.ends {
		tx, rx := x.flow(now)
		switch {
		case x.port == e.port():
			c.add(counters{x.tx, x.rx, tx, rx})
		case e.get("name") == "ether1" || e.get("type") == "bridge":
			c.add(counters{x.rx, x.tx, rx, tx})
		}
	}
	return c
}

// running says whether an interface carries traffic: a cable that is plugged
// in, a radio with a partner.
func (d *device) isRunning(e *entry) bool {
	if e.disabled() {
		return false
	}
	for _, x := range d.ends {
		if x.port == e.port() && x.link.up {
			return true
		}
	}
	return e.get("type") == "bridge" || e.get("default-name") == "ether1"
}

// history is how often an interface went down, and when last it changed.
func (d *device) history(e *entry) (downs int, up, down time.Time) {
	for _, x := range d.ends {
		if x.port != e.port() {
			continue
		}
		downs += x.downs
		if x.wentUp.After(up) {
			up = x.wentUp
		}
		if x.wentOff.After(down) {
			down = x.wentOff
		}
	}
	if e.get("default-name") == "ether1" {
		up = d.boot.Add(15 * time.Second)
		if !d.cut.IsZero() {
			downs, down, up = downs+1, d.cut, d.cut.Add(3*time.Second)
		}
	}
	return downs, up, down
}

var counterProps = []string{"rx-byte", "tx-byte", "rx-packet", "tx-packet", "fp-rx-byte", "fp-tx-byte", "fp-rx-packet", "fp-tx-packet",
	"last-link-up-time", "last-link-down-time", "link-downs"}

var interfaceMenu = &menu{
	path: "/interface", noun: "interface", table: interfaceTable, has: anyRow,
	props:  map[string]prop{"name": must(text(64)), "comment": text(256), "disabled": yesNo, "mtu": whole(68, 65535, "auto")},
	moving: counterProps,
	rows: func(d *device, now time.Time) []item {
		var out []item
		for _, e := range d.config.table(interfaceTable).Rows {
			out = append(out, d.interfaceRow(e, now))
		}
		return out
	},
	monitors: map[string]*monitor{"monitor-traffic": {arg: "interface", of: anyRow, row: trafficRow}},
}

func (d *device) interfaceRow(e *entry, now time.Time) item {
	it := item{{".id", e.id()}, {"name", e.get("name")}}
	it.add("default-name", e.get("default-name"))
	it.add("type", e.get("type"))
	it.add("mtu", e.get("mtu"))
	it.add("actual-mtu", "1500")
	if t := e.get("type"); t != "lte" {
		it.add("l2mtu", "1598")
		if t == "ether" {
			it.add("max-l2mtu", "2028")
		}
	}
	it.add("mac-address", e.get("mac-address"))
	downs, up, down := d.history(e)
	it.add("last-link-down-time", d.moment(down))
	it.add("last-link-up-time", d.moment(up))
	it.add("link-downs", strconv.Itoa(downs))
	c := d.countersOf(e, now)
	for _, p := range []pair{
		{"rx-byte", counter(c.rx)}, {"tx-byte", counter(c.tx)}, {"rx-packet", counter(c.rx / packetBytes)}, {"tx-packet", counter(c.tx / packetBytes)},
		{"rx-drop", "0"}, {"tx-drop", "0"}, {"tx-queue-drop", "0"}, {"rx-error", "0"}, {"tx-error", "0"},
		{"fp-rx-byte", counter(c.rx)}, {"fp-tx-byte", counter(c.tx)}, {"fp-rx-packet", counter(c.rx / packetBytes)}, {"fp-tx-packet", counter(c.tx / packetBytes)},
		{"running", boolean(d.isRunning(e))},
	} {
		it = append(it, p)
	}
	if e.get("type") != "bridge" {
		it = append(it, pair{"slave", "true"})
	}
	it = append(it, pair{"disabled", boolean(e.disabled())})
	it.add("comment", e.get("comment"))
	return it
}

// trafficRow is of /interface/monitor-traffic.
func trafficRow(d *device, e *entry, now time.Time) item {
	c := d.countersOf(e, now)
	jitter := 1 + 0.05*d.fleet.normal("traffic/"+string(d.id)+e.get("name"), now.UnixMilli()/500)
	rx, tx := max(c.rxNow*jitter, 0)*1e6, max(c.txNow*jitter, 0)*1e6
	return item{
		{"name", e.get("name")},
		{"rx-packets-per-second", integer(rx / 8 / packetBytes)}, {"rx-bits-per-second", integer(rx)},
		{"fp-rx-packets-per-second", integer(rx / 8 / packetBytes)}, {"fp-rx-bits-per-second", integer(rx)},
		{"tx-packets-per-second", integer(tx / 8 / packetBytes)}, {"tx-bits-per-second", integer(tx)},
		{"fp-tx-packets-per-second", integer(tx / 8 / packetBytes)}, {"fp-tx-bits-per-second", integer(tx)},
		{"rx-drops-per-second", "0"}, {"tx-drops-per-second", "0"}, {"tx-queue-drops-per-second", "0"},
		{"rx-errors-per-second", "0"}, {"tx-errors-per-second", "0"},
	}
}

var ethernetMenu = &menu{
	path: "/interface/ethernet", noun: "interface", table: interfaceTable, has: ofType("ether"),
	props:  map[string]prop{"name": must(text(64)), "comment": text(256), "disabled": yesNo, "mtu": whole(68, 65535), "auto-negotiation": yesNo},
	moving: []string{"rx-bytes", "tx-bytes"},
	rows: func(d *device, now time.Time) []item {
		var out []item
		for _, e := range d.config.table(interfaceTable).Rows {
			if e.get("type") != "ether" {
				continue
			}
			c := d.countersOf(e, now)
			it := item{{".id", e.id()}, {"name", e.get("name")}, {"default-name", e.get("default-name")}, {"mtu", e.get("mtu")}, {"l2mtu", "1598"},
				{"mac-address", e.get("mac-address")}, {"orig-mac-address", e.get("mac-address")}, {"arp", "enabled"}, {"auto-negotiation", e.get("auto-negotiation")},
				{"rx-bytes", counter(c.rx)}, {"tx-bytes", counter(c.tx)}, {"running", boolean(d.isRunning(e))}, {"slave", "true"}, {"disabled", boolean(e.disabled())}}
			it.add("comment", e.get("comment"))
			out = append(out, it)
		}
		return out
	},
	monitors: map[string]*monitor{"monitor": {arg: "numbers", of: ofType("ether"), row: cableRow}},
}

// cableRow is of /interface/ethernet/monitor.
func cableRow(d *device, e *entry, _ time.Time) item {
	it := item{{"name", e.get("name")}}
	const own = "10M-baseT-half,10M-baseT-full,100M-baseT-half,100M-baseT-full,1G-baseT-half,1G-baseT-full"
	const old = "10M-half,10M-full,100M-half,100M-full,1000M-half,1000M-full"
	modes := own
	if d.version.major < 7 {
		modes = old
	}
	if !d.isRunning(e) {
		it.add("status", "no-link")
		it.add("auto-negotiation", "done")
		it.add("advertising", modes)
		return it
	}
	rate, partner := "1Gbps", modes
	if e.get("default-name") == "ether1" && d.slowCable() {
		rate = "100Mbps"
		partner = strings.Join(strings.Split(modes, ",")[:4], ",")
	}
	return append(it, item{{"status", "link-ok"}, {"auto-negotiation", "done"}, {"rate", rate}, {"full-duplex", "true"}, {"tx-flow-control", "false"},
		{"rx-flow-control", "false"}, {"advertising", modes}, {"link-partner-advertising", partner}}...)
}

func formatFixed(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
