package sim

import (
	"strconv"
	"strings"

	"github.com/crinale/crinale/internal/unit"
)

// radioState is a radio interface's configuration, as numbers.
type radioState struct {
	driver, ssid, protocol, mode string
	ap, disabled                 bool
	freq, width, tx              float64 // freq 0: any
}

// radioOf reads an interface row; nil is a disabled radio.
func radioOf(d *device, e *entry) radioState {
	if e == nil {
		return radioState{disabled: true}
	}
	r := radioState{driver: d.driver, disabled: e.disabled(), protocol: "802.11", width: width60}
	k := [4]string{"mode", "ssid", "frequency", "channel-width"}
	switch d.driver {
	case wifi:
		k = [4]string{"configuration.mode", "configuration.ssid", "channel.frequency", "channel.width"}
	case wireless:
		r.protocol = e.get("wireless-protocol")
	}
	r.mode, r.ssid = e.get(k[0]), e.get(k[1])
	r.freq = leading(e.get(k[2]))
	if d.driver == w60g {
		r.protocol = w60g
	} else {
		r.width = lastWidth(e.get(k[3]))
	}
	r.ap = !strings.HasPrefix(r.mode, "station")
	r.tx = d.defaultTx(r.width)
	key := "tx-power"
	if d.driver == wifi {
		key = "configuration.tx-power"
	}
	if v, err := strconv.ParseFloat(e.get(key), 64); err == nil && e.get("tx-power-mode") != "default" {
		r.tx = v
	}
	return r
}

// defaultTx is the power of a radio that was given none: the most its gear can.
func (d *device) defaultTx(width float64) float64 {
	if d.driver == w60g {
		return float64(d.gear.MaxTx(unit.MHz(width)).Or(5))
	}
	return float64(d.gear.MaxTx(unit.MHz(width)).Or(25))
}

// leading is the number a value begins with: "5500", "5500-5580"; 0 for "auto".
func leading(s string) float64 {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	v, _ := strconv.ParseFloat(s[:i], 64)
	return v
}

// lastWidth is the greatest of "20/40/80mhz-Ceee".
func lastWidth(s string) float64 {
	s, _, _ = strings.Cut(s, "mhz")
	v, err := strconv.ParseFloat(s[strings.LastIndexByte(s, '/')+1:], 64)
	if err != nil || v <= 0 {
		return defaultWidth
	}
	return v
}

func (e *end) radio() radioState {
	return radioOf(e.dev, e.dev.config.port(e.port))
}
