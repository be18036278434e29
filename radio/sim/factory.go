package sim

import (
	"fmt"
	"math"
	"net"
	"strconv"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// Names of the configured tables.
const (
	interfaceTable = "interface"
	identityTable  = "identity"
	userTable      = "user"
	addressTable   = "address"
	clockTable     = "clock"
	updateTable    = "update"
	schedulerTable = "scheduler"
	scriptTable    = "script"
	smsTable       = "sms"
)

// passwordProp is kept, and never printed.
const passwordProp = "password"

// Where a network file leaves a setting open, the far end's is taken, else
// these: the middle of the outdoor 5 GHz band, the first 60 GHz channel.
const (
	defaultFreq   = 5600
	default60     = 58320
	defaultWidth  = 20
	width60       = 2160
	passphraseSet = "crinale-simulated"
)

// factory is the configuration a device starts with: what the network files
// say. It also gives each end of a radio link the interface it uses: the first
// one serves all links of which the device is the A end; each link of which it
// is the B end needs a station of its own.
func (f *Fleet) factory(d *device) *config {
	c := newConfig()
	ifs := &table{}
	c.Tables[interfaceTable] = ifs
	n := 0
	eth := func(name string) *entry {
		n++
		return ifs.add(map[string]string{
			"name": name, "default-name": name, "type": "ether", "mtu": "1500", "mac-address": d.macPlus(16 + n), "disabled": "false",
			"auto-negotiation": "true",
		})
	}
	cables := 1
	if d.driver == router {
		cables = 5
	}
	for i := range cables {
		eth("ether" + strconv.Itoa(i+1))
	}
	bridge := ifs.add(map[string]string{"name": "bridge1", "default-name": "", "type": "bridge", "mtu": "auto", "mac-address": d.macPlus(17), "disabled": "false"})

	var ap *entry
	radios, sfps, ltes, sats := 0, 0, 0, 0
	for _, e := range d.ends {
		switch {
		case e.link.net.Medium == network.LTE:
			ltes++
			name := "lte" + strconv.Itoa(ltes)
			e.port = name
			ifs.add(map[string]string{"name": name, "default-name": name, "type": "lte", "mtu": "1500", "mac-address": d.macPlus(48 + ltes), "disabled": "false"})
		case e.link.net.Medium == network.Satellite:
			// Another's terminal hangs on a cable; the port is named after it.
			sats++
			port := eth("ether" + strconv.Itoa(cables+sats))
			port.Props["name"] = "satellite" + strconv.Itoa(sats)
			e.port = port.port()
		case e.link.net.Medium != network.Radio || d.driver == router:
			sfps++
			e.port = eth("sfp" + strconv.Itoa(sfps)).port()
		case e.isA() && ap != nil:
			e.port = ap.port()
		default:
			r := f.radio(d, e, radios)
			radios++
			if e.isA() {
				ap = &entry{Props: r}
			}
			e.port = ifs.add(r).port()
		}
	}
	if radios == 0 && d.driver != router {
		ifs.add(f.radio(d, nil, 0))
	}

	c.Tables[identityTable] = &table{}
	c.Tables[identityTable].add(map[string]string{"name": string(d.id)})
	c.Tables[userTable] = &table{}
	c.Tables[userTable].add(map[string]string{"name": f.cfg.User, "group": "full", "address": "", "disabled": "false", passwordProp: ""})
	c.Tables[addressTable] = &table{}
	c.Tables[addressTable].add(map[string]string{"address": d.planned() + "/16", "interface": bridge.get("name"), "disabled": "false"})
	c.Tables[clockTable] = &table{}
	c.Tables[clockTable].add(map[string]string{"time-zone-name": "Europe/Rome", "time-zone-autodetect": "true"})
	c.Tables[updateTable] = &table{}
	c.Tables[updateTable].add(map[string]string{"channel": "stable"})
	c.Tables[smsTable] = &table{}
	c.Tables[smsTable].add(map[string]string{"receive-enabled": "false", "keep-max-sms": "0"})
	return c
}

// planned is the management address of the network files, or one of the
// fleet's own range.
func (d *device) planned() string {
	host := d.net.Address
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if ip := net.ParseIP(host).To4(); ip != nil {
		return ip.String()
	}
	n := d.index + 1
	return fmt.Sprintf("10.77.%d.%d", n/250%250, 1+n%250)
}

// radio is a radio interface as the network files want it. e is the link it is
// for, nil for a radio without one.
func (f *Fleet) radio(d *device, e *end, n int) map[string]string {
	s, accessPoint, only := d.net.Settings, true, true
	if e != nil {
		accessPoint, only = e.isA(), f.stations(d) <= 1
		anchor := e.link.a.dev
		if ap := f.wanted(anchor); e.isA() {
			s = ap
		} else if n > 0 || f.stations(d) > 0 {
			// A further radio of one device has no settings of its own in the
			// files: it follows its access point.
			s = ap
		} else {
			s = fill(s, ap)
		}
		if s.SSID == "" {
			s.SSID = "crinale-" + string(anchor.id)
		}
	}
	ssid := s.SSID
	base, wide := float64(defaultFreq), float64(defaultWidth)
	if d.driver == w60g {
		base, wide = default60, width60
	}
	freq, width := float64(s.Freq.Or(unit.MHz(base))), float64(s.Width.Or(unit.MHz(wide)))
	tx := ""
	if p, ok := d.net.Settings.TxPower.Get(); ok {
		tx = integer(math.Floor(float64(p))) // a device takes whole dBm; never more than wanted
	}
	name := map[string]string{wireless: "wlan", wifi: "wifi", w60g: "wlan60-"}[d.driver] + strconv.Itoa(n+1)
	p := map[string]string{"name": name, "default-name": name, "mac-address": d.macPlus(n), "disabled": "false", "mtu": "1500"}
	switch d.driver {
	case w60g:
		p["type"], p["ssid"], p["frequency"], p["password"] = "w60g", ssid, integer(freq), passphraseSet
		p["mode"] = "station-bridge"
		if accessPoint {
			p["mode"] = "ap-bridge"
			if only {
				p["mode"] = "bridge"
			}
		}
		p["region"], p["tx-sector"], p["put-stations-in-bridge"] = "eu", "auto", "bridge1"
	case wifi:
		p["type"], p["configuration.ssid"], p["channel.frequency"] = "wifi", ssid, integer(freq)
		p["configuration.mode"] = "station-bridge"
		if accessPoint {
			p["configuration.mode"] = "ap"
		}
		p["channel.width"], p["configuration.country"], p["configuration.tx-power"] = wifiWidth(width), "Italy", tx
		p["security.authentication-types"], p["security.passphrase"] = "wpa2-psk", passphraseSet
	default:
		p["type"], p["ssid"], p["frequency"], p["radio-name"] = "wlan", ssid, integer(freq), string(d.id)
		p["mode"] = "station-bridge"
		if accessPoint {
			p["mode"] = "ap-bridge"
			if only {
				p["mode"] = "bridge"
			}
		}
		p["wireless-protocol"] = "802.11"
		if s.Protocol == "nv2" {
			p["wireless-protocol"] = "nv2"
		}
		p["channel-width"], p["band"], p["country"], p["frequency-mode"] = wirelessWidth(width), "5ghz-n/ac", "italy", "regulatory-domain"
		p["installation"], p["scan-list"], p["distance"], p["security-profile"] = "outdoor", "default", "dynamic", "default"
		if freq < 3000 {
			p["band"] = "2ghz-onlyn"
		}
		p["tx-power-mode"] = "default"
		if tx != "" {
			p["tx-power-mode"], p["tx-power"] = "all-rates-fixed", tx
		}
	}
	for k, v := range p {
		if v == "" {
			delete(p, k)
		}
	}
	return p
}

// wanted is what the files want of an access point; what they leave open is
// taken from the first of its stations that says it.
func (f *Fleet) wanted(d *device) network.Settings {
	s := d.net.Settings
	for _, e := range d.ends {
		if o := e.other(); e.isA() && o != nil && e.link.net.Medium == network.Radio {
			s = fill(s, o.dev.net.Settings)
		}
	}
	return s
}

// fill takes from b what a leaves open.
func fill(a, b network.Settings) network.Settings {
	if a.SSID == "" {
		a.SSID = b.SSID
	}
	if !a.Freq.Known() {
		a.Freq = b.Freq
	}
	if !a.Width.Known() {
		a.Width = b.Width
	}
	if a.Protocol == "" {
		a.Protocol = b.Protocol
	}
	return a
}

// stations counts the links of which a device is the A end.
func (f *Fleet) stations(d *device) int {
	n := 0
	for _, e := range d.ends {
		if e.isA() && e.link.net.Medium == network.Radio {
			n++
		}
	}
	return n
}

func wirelessWidth(mhz float64) string {
	switch {
	case mhz >= 160:
		return "20/40/80/160mhz-Ceeeeeee"
	case mhz >= 80:
		return "20/40/80mhz-Ceee"
	case mhz >= 40:
		return "20/40mhz-Ce"
	}
	return integer(mhz) + "mhz"
}

func wifiWidth(mhz float64) string {
	switch {
	case mhz >= 160:
		return "20/40/80/160mhz"
	case mhz >= 80:
		return "20/40/80mhz-Ceee"
	case mhz >= 40:
		return "20/40mhz-Ce"
	}
	return integer(mhz) + "mhz"
}
