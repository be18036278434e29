package controller

import (
	"fmt"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// look is what devices told when they were asked after a change.
type look struct {
	have map[network.DeviceID]configuration
	seen map[network.DeviceID]observation
}

type observation struct {
	obs network.Observation
	err error
}

// readings are those of a look by link, end A first.
func (l look) readings(n *network.Network) map[network.LinkID][2]*network.Reading {
	out := map[network.LinkID][2]*network.Reading{}
	for _, o := range l.seen {
		if o.err != nil {
			continue
		}
		for _, r := range Pair(n, o.obs) {
			ends := out[r.Link]
			if r.End == network.EndA {
				ends[0] = &r
			} else {
				ends[1] = &r
			}
			out[r.Link] = ends
		}
	}
	return out
}

// unverified says what is not as a change should have made it, a line each; none:
// the change is verified. Every device must answer and have its new values;
// every link that was up at an end must be up there, with its least level. The
// change that takes back a half-confirmed one asks of links nothing, but all
// devices of the other must have their former values. It is pure.
func unverified(n *network.Network, r ChangeRecord, l look) []string {
	var wrong []string
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for _, d := range append(append([]ChangeDevice{}, r.Devices...), r.Others...) {
		c, asked := l.have[d.Device]
		switch {
		case !asked:
			add("%s was not asked", d.Device)
			continue
		case c.err != nil:
			add("%s does not answer: %v", d.Device, c.err)
			continue
		}
		for _, x := range d.Changes {
			if h := value(c.have.Values, x.Key); !same(h, x.To) {
				add("%s: %s is %s, not %s", d.Device, x.Key, shown(h), shown(x.To))
			}
		}
	}
	if r.Repair > 0 {
		return wrong
	}
	reads := l.readings(n)
	for _, b := range r.Links {
		link, ok := n.Link(b.Link)
		if !ok {
			continue
		}
		ends := reads[b.Link]
		for _, e := range []struct {
			device network.DeviceID
			up     bool
			least  unit.Opt[unit.DBm]
			now    *network.Reading
		}{{link.A, b.UpA, b.LeastA, ends[0]}, {link.B, b.UpB, b.LeastB, ends[1]}} {
			if e.up {
				if text := endWrong(l.seen[e.device], e.least, e.now); text != "" {
					add("link %s at %s: %s", b.Link, e.device, text)
				}
			}
		}
	}
	return wrong
}

func endWrong(o observation, least unit.Opt[unit.DBm], now *network.Reading) string {
	switch {
	case o.err != nil:
		return fmt.Sprintf("no answer: %v", o.err)
	case now == nil:
		return "the table of its peers cannot be read"
	case !now.Connected:
		return "down"
	}
	limit, known := least.Get()
	level, heard := now.Signal.Get()
	switch {
	case known && !heard:
		return "up, and its level is not known yet"
	case known && level < limit:
		return fmt.Sprintf("up with %v, at least %v is expected", level, limit)
	}
	return ""
}
