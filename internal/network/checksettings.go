package network

import (
	"net/netip"
	"strings"

	"github.com/crinale/crinale/internal/strict"
)

// Bounds of what is set as text. RouterOS takes longer comments; nobody reads
// them.
const (
	mostIdentity  = 64
	mostComment   = 128
	mostAddresses = 64
)

// checkNames checks what any device can be set to, and that a router is not
// given what only a radio has.
func (l *loader) checkNames(r deviceRow, router bool) {
	s := r.Settings
	l.line(s.At, "identity", s.Identity, mostIdentity)
	l.line(s.At, "comment", s.Comment, mostComment)
	l.line(s.At, "ssid", s.SSID, 32)
	if router {
		for _, key := range []string{"ssid", "freq_mhz", "width_mhz", "tx_power_dbm", "protocol", "comment"} {
			if s.At.Has(key) {
				l.bad(s.At, key, "%s is a router without a radio: remove the key, or correct the gear", r.Gear)
			}
		}
	}
	if len(s.Addresses) > mostAddresses {
		l.bad(s.At, "addresses", "%d addresses: at most %d for one device", len(s.Addresses), mostAddresses)
		return
	}
	seen := map[netip.Prefix]strict.At{}
	for i, a := range s.Addresses {
		l.line(a.At, "comment", a.Comment, mostComment)
		l.line(a.At, "interface", a.Interface, mostIdentity)
		if a.At.Has("interface") && a.Interface == "" {
			l.bad(a.At, "interface", "empty: name the interface that has the address, such as ether1")
		}
		p, ok := l.prefix(a)
		if !ok {
			continue
		}
		if first, twice := seen[p]; twice {
			l.bad(a.At, "address", "%s is there twice, first at %v: remove one", p, first)
		}
		seen[p] = a.At
		r.Settings.Addresses[i].Address = p.String() // the slice is that of the row
	}
}

// prefix reads an address with its length.
func (l *loader) prefix(a addressRow) (netip.Prefix, bool) {
	if !a.At.Has("address") {
		return netip.Prefix{}, false // told already
	}
	p, err := netip.ParsePrefix(a.Address)
	switch {
	case err != nil:
		l.bad(a.At, "address", "%q is no address with its prefix length: write it as 10.38.0.1/24", a.Address)
	case !p.Addr().Is4():
		l.bad(a.At, "address", "%s: only IPv4 addresses are set by these files", a.Address)
	case p.Addr().IsUnspecified() || p.Addr().IsMulticast() || p.Addr().IsLoopback() || p.Bits() == 0:
		l.bad(a.At, "address", "%s is no address that an interface can have", a.Address)
	default:
		return p, true
	}
	return netip.Prefix{}, false
}

// line checks a text that is set on a device: one line, not too long, and
// nothing around it that cannot be seen.
func (l *loader) line(at strict.At, key, text string, most int) {
	switch {
	case len(text) > most:
		if key != "ssid" { // told with its own words
			l.bad(at, key, "%d bytes: at most %d", len(text), most)
		}
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		l.bad(at, key, "%q holds a line break or another sign that cannot be seen: write one plain line", text)
	case strings.TrimSpace(text) != text:
		l.bad(at, key, "%q begins or ends with a space: remove it", text)
	}
}
