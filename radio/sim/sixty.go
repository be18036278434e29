package sim

import (
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/network"
)

var w60gMenu = &menu{
	path: "/interface/w60g", noun: "interface", table: interfaceTable, has: ofType("w60g"),
	props: map[string]prop{
		"name": must(text(64)), "comment": text(256), "disabled": yesNo, "mtu": whole(68, 2290), "ssid": text(32), "password": text(64),
		"mode": oneOf("ap-bridge", "bridge", "sniff", "station-bridge"), "frequency": prop{must: true, check: checkChannel60},
		"region": oneOf("asia", "australia", "canada", "china", "eu", "japan", "no-region-set", "usa"), "tx-sector": whole(0, 63, "auto"),
		"put-stations-in-bridge": text(64), "isolate-stations": yesNo, "scan-list": text(128),
	},
	rows: func(d *device, _ time.Time) []item {
		var out []item
		for _, e := range d.config.table(interfaceTable).Rows {
			if e.get("type") != "w60g" {
				continue
			}
			it := item{{".id", e.id()}}
			for _, k := range []string{"name", "mtu", "mac-address", "mode", "ssid", "frequency", "region", "tx-sector", "put-stations-in-bridge", "isolate-stations", "scan-list", "comment"} {
				it.add(k, e.get(k))
			}
			out = append(out, append(it, pair{"l2mtu", "1600"}, pair{"arp", "enabled"}, pair{"running", boolean(d.isRunning(e))}, pair{"disabled", boolean(e.disabled())}))
		}
		return out
	},
	monitors: map[string]*monitor{"monitor": {arg: "numbers", of: ofType("w60g"), row: w60gState}},
}

// checkChannel60 knows the six channels of 60 GHz gear (manual: W60G) and auto.
func checkChannel60(_ *device, _ *config, name, v string) (string, *trap) {
	switch v {
	case "auto", "58320", "60480", "62640", "64800", "66960", "69120":
		return v, nil
	}
	return "", noMatch(name)
}

// w60gState is of /interface/w60g/monitor. An access point with several
// stations answers lists.
func w60gState(d *device, e *entry, now time.Time) item {
	ps := d.peers(e)
	if e.disabled() || len(ps) == 0 {
		return item{{"connected", "false"}}
	}
	r := radioOf(d, e)
	if r.freq == 0 {
		r.freq = ps[0].other().radio().freq
	}
	lists := map[string][]string{}
	put := func(k, v string) { lists[k] = append(lists[k], v) }
	hot := 0.0
	for _, p := range ps {
		l := p.link
		sig := l.sampled(p, now)
		rate := network.Rate{PHY: 27.5}
		if b, ok := l.best(p, now); ok {
			rate = b
		}
		put("remote-address", p.peerMAC())
		put("tx-mcs", strconv.Itoa(rate.MCS))
		put("tx-phy-rate", gigabits(float64(rate.PHY)))
		put("signal", integer(clamp(100+(sig+50)*2, 0, 100)))
		put("rssi", integer(sig))
		slow, _ := l.level(p, now)
		put("10s-average-rssi", formatFixed(slow, 1))
		sector := 20 + d.fleet.draw("sector/"+string(l.net.ID)+p.letter(), 0)%20
		put("tx-sector", strconv.FormatUint(sector, 10))
		put("tx-sector-info", sectorInfo(sector))
		put("distance", formatFixed(l.km*1000, 1)+"m")
		put("tx-packet-error-rate", integer((100-l.ccq(p, now))/4)+"%")
		tx, rx := p.flow(now)
		hot += (tx + rx) / 100
	}
	it := item{{"connected", "true"}, {"frequency", integer(r.freq)}}
	for _, k := range []string{"remote-address", "tx-mcs", "tx-phy-rate", "signal", "rssi", "10s-average-rssi", "tx-sector", "tx-sector-info", "distance", "tx-packet-error-rate"} {
		it.add(k, strings.Join(lists[k], ","))
	}
	it.add("baseband-temperature", integer(48+hot+3*busy(now)))
	it.add("rf-temperature", integer(52+hot+3*busy(now)))
	return it
}

// gigabits prints "2.3Gbps", "770Mbps".
func gigabits(v float64) string {
	if v >= 1000 {
		return strconv.FormatFloat(round(v/1000, 1), 'f', -1, 64) + "Gbps"
	}
	return mbps(v)
}

// sectorInfo says where in an 8 by 8 pattern the beam of a sector points.
func sectorInfo(n uint64) string {
	col, row := int(n%8)-4, int(n/8)-4
	if col == 0 && row == 0 {
		return "center"
	}
	var s []string
	if col != 0 {
		s = append(s, map[bool]string{true: "right ", false: "left "}[col > 0]+formatFixed(abs(col)*4.8, 1)+" degrees")
	}
	if row != 0 {
		s = append(s, map[bool]string{true: "down ", false: "up "}[row > 0]+formatFixed(abs(row)*4.8, 1)+" degrees")
	}
	return strings.Join(s, " ")
}

func abs(n int) float64 {
	if n < 0 {
		n = -n
	}
	return float64(n)
}

// w60gStations are the stations an access point knows.
var w60gStations = &menu{path: "/interface/w60g/station", rows: func(d *device, _ time.Time) []item {
	var out []item
	for _, e := range d.config.table(interfaceTable).Rows {
		if e.get("type") != "w60g" || !radioOf(d, e).ap {
			continue
		}
		for i, p := range d.peers(e) {
			n := strconv.Itoa(i + 1)
			out = append(out, item{{".id", p.rowID()}, {"name", "wlan60-station-" + n}, {"parent", e.get("name")}, {"remote-address", p.peerMAC()},
				{"mac-address", e.get("mac-address")}, {"put-in-bridge", "parent"}, {"running", "true"}, {"disabled", "false"}})
		}
	}
	return out
}}
