package sim

import (
	"strconv"
	"strings"
	"time"
)

// cutWidth splits "20/40/80mhz-Ceee" into its two parts.
func cutWidth(s string) (width, ext string, ok bool) { return strings.Cut(s, "mhz-") }

// wifiMenus are those of the wifi drivers, under the name they had before 7.13
// where the version is older.
func wifiMenus(d *device) []*menu {
	if d.version.before(7, 13) {
		old := make([]*menu, 0, 2)
		for _, m := range []menu{*wifiMenu, *wifiTable} {
			m.path = strings.Replace(m.path, "/interface/wifi", "/interface/wifiwave2", 1)
			old = append(old, &m)
		}
		return old
	}
	return []*menu{wifiMenu, wifiTable}
}

var wifiMenu = &menu{
	path: "/interface/wifi", noun: "interface", table: interfaceTable, has: ofType("wifi"),
	props: map[string]prop{
		"name": must(text(64)), "comment": text(256), "disabled": yesNo, "mtu": whole(68, 2290),
		"configuration.ssid": text(32), "configuration.mode": oneOf("ap", "station", "station-bridge", "station-pseudobridge"),
		"configuration.country": text(64), "configuration.tx-power": whole(0, 40), "configuration.antenna-gain": whole(0, 30), "configuration.distance": whole(0, 100),
		"channel.frequency": frequency(), "channel.width": oneOf("20mhz", "20/40mhz", "20/40mhz-Ce", "20/40mhz-eC", "20/40/80mhz", "20/40/80mhz-Ceee", "20/40/80+80mhz", "20/40/80/160mhz"),
		"channel.band": text(32), "channel.skip-dfs-channels": oneOf("10min-cac", "all", "disabled"),
		"security.authentication-types": text(128), "security.passphrase": text(64), "datapath.bridge": text(64),
	},
	rows: func(d *device, now time.Time) []item {
		var out []item
		for _, e := range d.config.table(interfaceTable).Rows {
			if e.get("type") != "wifi" {
				continue
			}
			it := item{{".id", e.id()}, {"default-name", e.get("default-name")}, {"name", e.get("name")}, {"l2mtu", "1560"}, {"mac-address", e.get("mac-address")},
				{"arp-timeout", "auto"}, {"radio-mac", e.get("mac-address")}}
			for _, k := range []string{"configuration.mode", "configuration.ssid", "configuration.country", "configuration.tx-power", "configuration.antenna-gain",
				"configuration.distance", "channel.frequency", "channel.width", "channel.band", "channel.skip-dfs-channels", "security.authentication-types", "datapath.bridge", "comment"} {
				it.add(k, e.get(k))
			}
			running := d.isRunning(e)
			out = append(out, append(it, pair{"bound", "true"}, pair{"running", boolean(running)}, pair{"inactive", boolean(!running)}, pair{"master", "true"}, pair{"disabled", boolean(e.disabled())}))
		}
		return out
	},
	moving:   []string{"running", "inactive"},
	monitors: map[string]*monitor{"monitor": {arg: "numbers", of: ofType("wifi"), row: wifiState}},
}

// wifiTable is the registration table of the wifi drivers: no chains, no CCQ,
// no noise; rates in bit/s.
var wifiTable = &menu{
	path:   "/interface/wifi/registration-table",
	moving: []string{"uptime", "last-activity", "signal", "tx-rate", "rx-rate", "packets", "bytes", "tx-bits-per-second", "rx-bits-per-second"},
	rows: func(d *device, now time.Time) []item {
		var out []item
		for _, e := range d.associations() {
			l, o := e.link, e.other()
			tx, rx := e.flow(now)
			it := item{{".id", e.rowID()}, {"interface", e.row().get("name")}, {"ssid", e.radio().ssid}, {"mac-address", e.peerMAC()},
				{"uptime", duration(now.Sub(l.since))}, {"last-activity", e.quiet(now)}, {"signal", integer(l.sampled(e, now))},
				{"auth-type", "wpa2-psk"}, {"band", wifiBand(e.radio().freq)},
				{"tx-rate", bits(l.rate(e, now))}, {"rx-rate", bits(l.rate(o, now))},
				{"packets", both(e.tx/packetBytes, e.rx/packetBytes)}, {"bytes", both(e.tx, e.rx)},
				{"tx-bits-per-second", bits(tx)}, {"rx-bits-per-second", bits(rx)}, {"authorized", "true"}}
			out = append(out, it)
		}
		return out
	},
	kick: kick,
}

func wifiBand(freq float64) string {
	if freq > 0 && freq < 3000 {
		return "2ghz-ax"
	}
	return "5ghz-ax"
}

func bits(mbps float64) string { return strconv.FormatInt(int64(round(mbps*1e6, 0)), 10) }

// wifiState is of /interface/wifi/monitor.
func wifiState(d *device, e *entry, now time.Time) item {
	r := radioOf(d, e)
	ps := d.peers(e)
	n := strconv.Itoa(len(ps))
	channel := integer(r.freq) + "/ax"
	if _, ext, ok := cutWidth(e.get("channel.width")); ok {
		channel += "/" + ext
	} else if r.width > 20 { // the device chooses where the others lie
		channel += "/C" + strings.Repeat("e", int(r.width/20)-1)
	}
	switch {
	case r.disabled:
		return item{{"state", "disabled"}}
	case r.ap:
		return item{{"state", "running"}, {"channel", channel}, {"registered-peers", n}, {"authorized-peers", n}, {"tx-power", integer(r.tx)}}
	case len(ps) == 0:
		return item{{"state", "searching"}, {"registered-peers", "0"}, {"authorized-peers", "0"}}
	}
	return item{{"state", "connected"}, {"channel", channel}, {"registered-peers", n}, {"authorized-peers", n}, {"tx-power", integer(r.tx)}, {"bssid", ps[0].peerMAC()}}
}
