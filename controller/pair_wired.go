package controller

import (
	"strings"

	"github.com/crinale/crinale/internal/network"
)

// wired fills the reading of a fibre, LTE or satellite link. The interface is
// the one where the other device was discovered, else the only one of the
// medium's kind; then Connected says whether it runs. Without one the device
// itself is the proof: it answered, so the link is there.
func wired(r *network.Reading, n *network.Network, o network.Observation, l network.Link, cable string) {
	name := neighbour(n, o, l)
	if name == "" {
		name = soleOf(o, l.Medium)
	}
	if name == "" {
		r.Connected = true
		return
	}
	for _, i := range o.Interfaces {
		if i.Name != name {
			continue
		}
		r.Connected = i.Running && !i.Disabled
		if r.Connected {
			r.TxRate, r.RxRate = i.Rate, i.Rate
			traffic(r, i)
		}
	}
}

// neighbour is the port where discovery saw the link's other device; "" when
// it did not. A row may name several interfaces, as "ether1,bridge": the first
// that is a port counts.
func neighbour(n *network.Network, o network.Observation, l network.Link) string {
	d, ok := n.Device(other(l, o.Device))
	if !ok {
		return ""
	}
	for _, b := range o.Neighbours {
		if !strings.EqualFold(b.Identity, string(d.ID)) && (d.MAC == "" || !strings.EqualFold(b.MAC, d.MAC)) {
			continue
		}
		for name := range strings.SplitSeq(b.Interface, ",") {
			for _, i := range o.Interfaces {
				if i.Name == name && carries(i, l.Medium) {
					return name
				}
			}
		}
	}
	return ""
}

// soleOf is the only interface of the medium's kind; "" for none or several.
func soleOf(o network.Observation, m network.Medium) string {
	name := ""
	for _, i := range o.Interfaces {
		if !ofKind(i, m) {
			continue
		}
		if name != "" {
			return ""
		}
		name = i.Name
	}
	return name
}

// ofKind says that an interface is plainly of a medium, by its type or the
// vendor's default name. A satellite's terminal hangs on an ordinary port:
// only a name that technicians gave it, as "satellite1" or "sat-modem", tells.
func ofKind(i network.Interface, m network.Medium) bool {
	switch m {
	case network.Fibre:
		return i.Type == "ether" && (strings.HasPrefix(i.Name, "sfp") || strings.HasPrefix(i.Name, "qsfp"))
	case network.LTE:
		return i.Type == "lte" || strings.HasPrefix(i.Name, "lte")
	case network.Satellite:
		return i.Type == "ether" && strings.HasPrefix(strings.ToLower(i.Name), "sat")
	}
	return false
}

// carries says that an interface can carry a medium.
func carries(i network.Interface, m network.Medium) bool {
	return i.Type == "ether" || ofKind(i, m)
}
