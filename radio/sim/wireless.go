package sim

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/crinale/crinale/internal/network"
)

var wirelessMenu = &menu{
	path: "/interface/wireless", noun: "interface", table: interfaceTable, has: ofType("wlan"),
	props: map[string]prop{
		"name": must(text(64)), "comment": text(256), "disabled": yesNo, "mtu": whole(68, 2290), "ssid": text(32), "radio-name": text(64),
		"mode":              oneOf("alignment-only", "ap-bridge", "bridge", "nstreme-dual-slave", "station", "station-bridge", "station-pseudobridge", "station-wds", "wds-slave"),
		"frequency":         frequency("auto"),
		"band":              text(32),
		"channel-width":     oneOf("5mhz", "10mhz", "20mhz", "20/40mhz-Ce", "20/40mhz-eC", "20/40mhz-XX", "20/40/80mhz-Ceee", "20/40/80mhz-eCee", "20/40/80mhz-eeCe", "20/40/80mhz-eeeC", "20/40/80mhz-XXXX", "20/40/80/160mhz-Ceeeeeee"),
		"wireless-protocol": oneOf("802.11", "any", "nstreme", "nv2", "nv2-nstreme", "nv2-nstreme-802.11", "unspecified"),
		"tx-power":          whole(-30, 40), "tx-power-mode": oneOf("default", "all-rates-fixed", "card-rates", "manual-table"),
		"country": text(64), "frequency-mode": oneOf("manual-txpower", "regulatory-domain", "superchannel"), "antenna-gain": whole(0, 255),
		"installation": oneOf("any", "indoor", "outdoor"), "scan-list": text(256), "distance": whole(0, 300, "dynamic", "indoors"),
		"security-profile": text(64), "wds-mode": oneOf("disabled", "dynamic", "dynamic-mesh", "static", "static-mesh"), "wds-default-bridge": text(64),
	},
	rows: func(d *device, now time.Time) []item {
		var out []item
		for _, e := range d.config.table(interfaceTable).Rows {
			if e.get("type") != "wlan" {
				continue
			}
			it := item{{".id", e.id()}}
			for _, k := range []string{"name", "default-name", "mtu"} {
				it.add(k, e.get(k))
			}
			it = append(it, pair{"l2mtu", "1600"}, pair{"mac-address", e.get("mac-address")}, pair{"arp", "enabled"}, pair{"interface-type", "IPQ4019"})
			for _, k := range []string{"mode", "ssid", "frequency", "band", "channel-width", "scan-list", "wireless-protocol", "radio-name", "country",
				"frequency-mode", "antenna-gain", "installation", "distance", "tx-power-mode", "tx-power", "security-profile", "wds-mode", "wds-default-bridge", "comment"} {
				if k == "tx-power" && e.get("tx-power-mode") == "default" {
					continue // kept, and of no effect
				}
				it.add(k, e.get(k))
			}
			out = append(out, append(it, pair{"running", boolean(d.isRunning(e))}, pair{"disabled", boolean(e.disabled())}))
		}
		return out
	},
	monitors: map[string]*monitor{"monitor": {arg: "numbers", of: ofType("wlan"), row: wirelessState}},
}

// peers are the ends of the links of a radio that are up.
func (d *device) peers(e *entry) []*end {
	var out []*end
	for _, x := range d.ends {
		if x.port == e.port() && x.link.up && x.other() != nil {
			out = append(out, x)
		}
	}
	return out
}

// associations are those of all radios of the device.
func (d *device) associations() []*end {
	var out []*end
	for _, e := range d.config.table(interfaceTable).Rows {
		switch e.get("type") {
		case "wlan", "wifi", "w60g":
			out = append(out, d.peers(e)...)
		}
	}
	return out
}

// rowID of an association: a new one for each.
func (e *end) rowID() string { return fmt.Sprintf("*%X", (e.link.index+1)<<8|e.link.joins&0xff) }

func (e *end) peerMAC() string { return e.other().row().get("mac-address") }

// decorated is a rate as the wireless package prints it: "26Mbps-20MHz/2S/SGI".
func (l *link) decorated(from *end, now time.Time) string {
	r, ok := l.best(from, now)
	if !ok {
		return mbps(l.rate(from, now))
	}
	s := mbps(float64(r.PHY)) + "-" + integer(from.radio().width) + "MHz/" + strconv.Itoa(max(r.Streams, 1)) + "S"
	if shortGuard(r) {
		s += "/SGI"
	}
	return s
}

// shortGuard says whether a rate is one of the short guard interval, 10/9 of
// the long one's.
func shortGuard(r network.Rate) bool {
	long := 86.7 // MCS 9
	if r.MCS < len(vht) {
		long = vht[max(r.MCS, 0)].mbps
	}
	return float64(r.PHY) > 1.05*long*float64(max(r.Streams, 1))*dataShare(float64(r.Width))
}

func (l *link) rateName(from *end, now time.Time) string {
	r, ok := l.best(from, now)
	if !ok {
		return "6Mbps"
	}
	width := ""
	if w := from.radio().width; w > 20 {
		width = integer(w) + "-"
	}
	return "VHT" + width + strconv.Itoa(r.MCS)
}

// quiet is the time since the last frame, some tens of milliseconds.
func (e *end) quiet(now time.Time) string {
	return duration(time.Duration(e.dev.fleet.draw("last/"+string(e.link.net.ID)+e.letter(), now.UnixMilli()/200)%20) * 10 * time.Millisecond)
}

func both(a, b float64) string { return counter(a) + "," + counter(b) }

// wirelessTable is the registration table of the wireless package, for 802.11
// and for nv2.
var wirelessTable = &menu{
	path: "/interface/wireless/registration-table",
	moving: []string{"rx-rate", "tx-rate", "packets", "bytes", "frames", "frame-bytes", "hw-frames", "hw-frame-bytes", "uptime", "last-activity",
		"signal-strength", "signal-to-noise", "signal-strength-ch0", "signal-strength-ch1", "tx-signal-strength", "tx-signal-strength-ch0", "tx-signal-strength-ch1",
		"strength-at-rates", "tx-ccq", "rx-ccq", "p-throughput", "tdma-timing-offset", "tdma-tx-size", "tdma-rx-size", "tdma-retx", "tx-frames-timed-out"},
	rows: func(d *device, now time.Time) []item {
		var out []item
		for _, e := range d.associations() {
			out = append(out, e.registration(now))
		}
		return out
	},
	kick: kick,
}

// kick ends an association; the stations come back by themselves.
func kick(d *device, ref string, now time.Time) *trap {
	for _, e := range d.associations() {
		if e.rowID() == ref {
			e.link.settle(now)
			e.link.drop(now)
			e.link.matched = now
			return nil
		}
	}
	return trapItem
}

func (e *end) registration(now time.Time) item {
	l, o := e.link, e.other()
	me := e.radio()
	nv2 := me.protocol == "nv2" || o.radio().protocol == "nv2"
	sig, far := l.sampled(e, now), l.sampled(o, now)
	c0, c1 := e.chains(sig)
	f0, f1 := o.chains(far)
	up := duration(now.Sub(l.since))
	it := item{{".id", e.rowID()}, {"interface", e.row().get("name")}}
	it.add("radio-name", o.row().get("radio-name"))
	it = append(it, item{{"mac-address", e.peerMAC()}, {"ap", boolean(!me.ap)}, {"wds", "false"}, {"bridge", "true"},
		{"rx-rate", l.decorated(o, now)}, {"tx-rate", l.decorated(e, now)},
		{"packets", both(e.tx/packetBytes, e.rx/packetBytes)}, {"bytes", both(e.tx, e.rx)},
		{"frames", both(e.tx/packetBytes, e.rx/packetBytes)}, {"frame-bytes", both(e.tx, e.rx)}}...)
	if !nv2 {
		retries := 1 + (100-l.ccq(e, now))/100
		it = append(it, item{{"hw-frames", both(e.tx/packetBytes*retries, e.rx/packetBytes)}, {"hw-frame-bytes", both(e.tx*retries, e.rx)}, {"tx-frames-timed-out", "0"}}...)
	}
	it = append(it, pair{"uptime", up}, pair{"last-activity", e.quiet(now)})
	level := integer(sig)
	if nv2 {
		it = append(it, pair{"signal-strength", level})
	} else {
		// 802.11 names the rate of the frame.
		it = append(it, pair{"signal-strength", level + "@" + l.rateName(o, now)})
	}
	it = append(it, item{{"signal-to-noise", integer(sig - e.noise(now))}, {"signal-strength-ch0", integer(c0)}, {"signal-strength-ch1", integer(c1)}}...)
	if nv2 {
		it = append(it, item{{"tx-signal-strength-ch0", integer(f0)}, {"tx-signal-strength-ch1", integer(f1)}}...)
	}
	it = append(it, pair{"strength-at-rates", integer(sig) + "@6Mbps " + duration(time.Duration(now.Unix()%600)*time.Second) + "," + integer(sig) + "@" + l.rateName(o, now) + " 40ms"})
	if nv2 {
		it = append(it, pair{"tx-signal-strength", integer(far)})
	}
	it = append(it, pair{"tx-ccq", integer(l.ccq(e, now))})
	if nv2 || !me.ap {
		it = append(it, pair{"rx-ccq", integer(l.ccq(o, now))})
	}
	if !nv2 {
		it = append(it, pair{"p-throughput", counter(usable * 1000 * l.rate(e, now) * l.ccq(e, now) / 100)})
	}
	it = append(it, pair{"distance", strconv.Itoa(max(int(math.Round(l.km)), 1))})
	if me.ap {
		it = append(it, pair{"routeros-version", o.dev.number()})
	}
	it.add("last-ip", o.dev.ip())
	if nv2 {
		retx := uint64((100 - l.ccq(e, now)) / 100 * e.tx / packetBytes / 50)
		it = append(it, item{{"tx-rate-set", "BW:1x-2x SGI:2x HT:0-15"}, {"tdma-timing-offset", strconv.Itoa(int(math.Round(l.km * 6.67)))}, {"tdma-tx-size", "1008"},
			{"tdma-rx-size", "496"}, {"tdma-retx", strconv.FormatUint(retx, 10)}, {"tdma-winfull", "0"}}...)
	} else {
		it = append(it, item{{"802.1x-port-enabled", "true"}, {"authentication-type", "wpa2-psk"}, {"encryption", "aes-ccm"}, {"group-encryption", "aes-ccm"},
			{"management-protection", "false"}, {"wmm-enabled", "true"}, {"tx-rate-set", "OFDM:6-54 BW:1x-2x SGI:1x-2x HT:0-15 VHT:0-8"}}...)
	}
	return it
}

// number is the version without its channel: "7.18.2".
func (d *device) number() string {
	v := d.version
	s := strconv.Itoa(v.major) + "." + strconv.Itoa(v.minor)
	if v.patch > 0 {
		s += "." + strconv.Itoa(v.patch)
	}
	return s
}

// wirelessState is of /interface/wireless/monitor.
func wirelessState(d *device, e *entry, now time.Time) item {
	r := radioOf(d, e)
	ps := d.peers(e)
	nv2 := r.protocol == "nv2"
	channel := func(freq float64) string {
		s := integer(freq) + "/" + integer(r.width)
		if _, ext, ok := cutWidth(e.get("channel-width")); ok {
			s += "-" + ext
		}
		return s + "/ac(" + integer(r.tx) + "dBm)"
	}
	switch {
	case r.disabled:
		return item{{"status", "disabled"}}
	case r.ap:
		it := item{{"status", "running-ap"}, {"channel", channel(r.freq)}, {"wireless-protocol", r.protocol}, {"noise-floor", integer(d.noise(r.width, now))}}
		if len(ps) > 0 {
			ccq := 0.0
			for _, p := range ps {
				ccq += p.link.ccq(p, now)
			}
			it.add("overall-tx-ccq", integer(ccq/float64(len(ps))))
		}
		n := strconv.Itoa(len(ps))
		it = append(it, pair{"registered-clients", n}, pair{"authenticated-clients", n}, pair{"wmm-enabled", boolean(!nv2)})
		if nv2 {
			it = append(it, item{{"nv2-sync-state", "disabled"}, {"nv2-sync-distance", "0"}, {"nv2-sync-period-size", "2"}, {"nv2-sync-downlink-ratio", "50"}}...)
		}
		return it
	case len(ps) == 0:
		return item{{"status", "searching-for-network"}}
	}
	p := ps[0]
	l, o := p.link, p.other()
	ap := o.radio()
	freq := ap.freq
	if freq == 0 {
		freq = r.freq
	}
	sig := l.sampled(p, now)
	c0, c1 := p.chains(sig)
	it := item{{"status", "connected-to-ess"}, {"channel", channel(freq)}, {"wireless-protocol", ap.protocol}, {"noise-floor", integer(p.noise(now))},
		{"tx-rate", l.decorated(p, now)}, {"rx-rate", l.decorated(o, now)}, {"ssid", ap.ssid}, {"bssid", p.peerMAC()}}
	it.add("radio-name", o.row().get("radio-name"))
	level := integer(sig)
	if ap.protocol != "nv2" {
		level += "@" + l.rateName(o, now)
	}
	return append(it, item{{"signal-strength", level}, {"signal-strength-ch0", integer(c0)}, {"signal-strength-ch1", integer(c1)},
		{"signal-to-noise", integer(sig - p.noise(now))}, {"tx-ccq", integer(l.ccq(p, now))}, {"rx-ccq", integer(l.ccq(o, now))},
		{"overall-tx-ccq", integer(l.ccq(p, now))}, {"distance", strconv.Itoa(max(int(math.Round(l.km)), 1))}, {"last-ip", o.dev.ip()},
		{"authenticated-clients", "1"}, {"current-distance", strconv.Itoa(max(int(math.Round(l.km)), 1))}, {"wds-link", "false"}, {"bridge", "true"}}...)
}
