package routeros

import (
	"strings"

	"github.com/crinale/crinale/internal/unit"
)

// channel is what the monitor commands say of the channel in use.
type channel struct {
	Freq  unit.Opt[unit.MHz] // of the primary channel
	Width unit.Opt[unit.MHz]
	Power unit.Opt[unit.DBm] // the Tx power, where the text ends with it in brackets
}

// parseChannel reads "5220/20/an", "5180/20-Ceee/ac/P(17dBm)" of the wireless
// driver and "5500/ax/Ceee", "5180/ac" of the wifi one. In a pattern such as
// Ceee each letter is 20 MHz, C (or upper-case X for "any") the primary.
func parseChannel(s string) channel {
	var c channel
	s = strings.TrimSpace(s)
	if i := strings.LastIndexByte(s, '('); i >= 0 && strings.HasSuffix(s, ")") {
		c.Power = level(s[i+1 : len(s)-1])
		s = s[:i]
	}
	if len(s) > 64 {
		return channel{}
	}
	parts := strings.Split(s, "/")
	c.Freq = frequency(parts[0])
	if !c.Freq.Known() {
		return channel{}
	}
	for i, p := range parts[1:] {
		if w, ok := pattern(p); ok {
			c.Width = unit.Some(w)
			return c
		}
		if i == 0 {
			base, ext, found := strings.Cut(p, "-")
			if w := megahertz(base); w.Known() {
				c.Width = w
				if pw, ok := pattern(ext); found && ok {
					c.Width = unit.Some(pw)
				}
				return c
			}
		}
	}
	if len(parts) > 1 { // a wifi channel without a pattern is 20 MHz wide
		c.Width = unit.Some(unit.MHz(20))
	}
	return c
}

// pattern reads a pattern of 20 MHz channels, "Ce", "eeCe", "XX": two, four or
// eight letters, at most one of them C.
func pattern(s string) (unit.MHz, bool) {
	if n := len(s); n != 2 && n != 4 && n != 8 && n != 16 {
		return 0, false
	}
	primaries, any := 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case 'C':
			primaries++
		case 'X':
			any++
		case 'e':
		default:
			return 0, false
		}
	}
	if !(primaries == 1 && any == 0) && any != len(s) {
		return 0, false
	}
	return unit.MHz(20 * len(s)), true
}

// megahertz reads the width of a channel, "20", "20mhz"; a choice such as
// "20/40mhz-Ce" is unknown until a monitor tells which it is.
func megahertz(s string) unit.Opt[unit.MHz] {
	if v, ok := scalar(s, "mhz"); ok && v > 0 && v <= 4320 {
		return unit.Some(unit.MHz(v))
	}
	return unit.Opt[unit.MHz]{}
}
