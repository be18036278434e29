package controller

import (
	"container/heap"
	"math"
	"slices"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// WayState is the one word for the way from a place to the outside.
type WayState string

const (
	WayUp      WayState = "up"
	WayNarrow  WayState = "narrow"  // a link on the best way carries less than it should, or costs by the byte
	WayDown    WayState = "down"    // on every way a link is known to be down
	WayUnknown WayState = "unknown" // nothing is known of a link without which there is none
)

// Way is the best way from a place to the outside.
type Way struct {
	State   WayState
	Mbps    unit.Opt[unit.Mbps] // the least that a radio link on it carries; unknown when one does not say
	Links   []network.LinkID    // on it, from the place on; none of a way that is down
	Unknown []network.LinkID    // those of Links of which nothing is known
}

// Ways knows the best way of every place of a network at one moment. Devices at
// the same site or seat are joined by cable.
type Ways struct {
	rules  Rules
	net    *network.Network
	places map[place]int // 0 is the outside
	roads  [][]road      // by place
	usable []step        // by place: towards the outside, by links that are up
	some   []step        // the same, by those of which nothing is known too
	any    []step        // the same, whatever is known
}

type place struct {
	site network.SiteID
	seat network.SeatID
}

// road is a link as one of its ends sees it.
type road struct {
	to    int
	link  network.Link
	state network.LinkState
	width float64
}

// step is how a place is left on its best way.
type step struct {
	by      *road
	to      int
	reached bool
	bottle  float64 // the least width on the whole way
	hops    int
}

// NewWays finds the ways over links as they are now.
func NewWays(r Rules, n *network.Network, states []network.LinkState) *Ways {
	w := &Ways{rules: r, net: n, places: map[place]int{}, roads: make([][]road, 1)}
	now := map[network.LinkID]network.LinkState{}
	for _, s := range states {
		now[s.Link] = s
	}
	outside := false
	for _, l := range n.Links {
		a, b := w.place(l.A), 0
		if l.B != "" {
			b = w.place(l.B)
		}
		outside = outside || b == 0
		w.join(a, b, l, now[l.ID])
	}
	if !outside {
		for _, d := range gateways(n) {
			w.join(w.place(d), 0, network.Link{Medium: network.Fibre}, network.LinkState{Status: network.StatusUp})
		}
	}
	good := func(s network.LinkStatus) bool { return s == network.StatusUp || s == network.StatusDegraded }
	w.usable = w.widest(good)
	w.some = w.widest(func(s network.LinkStatus) bool { return s != network.StatusDown })
	w.any = w.widest(func(network.LinkStatus) bool { return true })
	return w
}

// place is the number of where a device stands; -1 for none.
func (w *Ways) place(id network.DeviceID) int {
	d, ok := w.net.Device(id)
	if !ok {
		return -1
	}
	p := place{d.Site, d.Seat}
	if _, ok := w.places[p]; !ok {
		w.places[p] = len(w.roads)
		w.roads = append(w.roads, nil)
	}
	return w.places[p]
}

func (w *Ways) join(a, b int, l network.Link, s network.LinkState) {
	if a < 0 || b < 0 || a == b {
		return
	}
	if s.Status == "" {
		s.Status = network.StatusUnknown
	}
	r := road{link: l, state: s, width: width(l, s)}
	r.to = b
	w.roads[a] = append(w.roads[a], r)
	r.to = a
	w.roads[b] = append(w.roads[b], r)
}

// width is what a link counts for when ways are compared: a fibre hinders
// nothing, a radio that does not say what it carries is worse than any that
// does, and what costs by the byte comes last.
func width(l network.Link, s network.LinkState) float64 {
	if c, ok := s.Capacity.Get(); ok {
		return float64(c)
	}
	switch l.Medium {
	case network.Fibre:
		return math.Inf(1)
	case network.Radio:
		return 0
	}
	return -1
}

// widest finds for each place the way to the outside whose narrowest link is the
// widest, and of these the one with the fewest links.
func (w *Ways) widest(good func(network.LinkStatus) bool) []step {
	best := make([]step, len(w.roads))
	best[0] = step{reached: true, bottle: math.Inf(1)}
	front := frontier{{0, best[0]}}
	for len(front) > 0 {
		from := heap.Pop(&front).(arrival)
		if wider(best[from.at], from.step) {
			continue // it was reached better meanwhile
		}
		for i := range w.roads[from.at] {
			r := &w.roads[from.at][i]
			s := step{by: r, to: from.at, reached: true, bottle: min(from.bottle, r.width), hops: from.hops + 1}
			if old := best[r.to]; good(r.state.Status) && (!old.reached || wider(s, old)) {
				best[r.to] = s
				heap.Push(&front, arrival{r.to, s})
			}
		}
	}
	return best
}

// frontier are places that were reached, the widest first.
type frontier []arrival

type arrival struct {
	at int
	step
}

func (f frontier) Len() int           { return len(f) }
func (f frontier) Less(i, j int) bool { return wider(f[i].step, f[j].step) }
func (f frontier) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *frontier) Push(x any)        { *f = append(*f, x.(arrival)) }
func (f *frontier) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}

func wider(a, b step) bool {
	return a.bottle > b.bottle || a.bottle == b.bottle && a.hops < b.hops
}

// Of is the best way from where a device stands. was is the word before, so that
// a link at the limit does not change it with every reading.
func (w *Ways) Of(id network.DeviceID, was WayState) Way {
	d, ok := w.net.Device(id)
	at, placed := w.places[place{d.Site, d.Seat}]
	switch {
	case !ok || !placed || !w.any[at].reached:
		return Way{State: WayUnknown} // the files show no way
	case w.usable[at].reached:
		return w.along(at, was)
	case !w.some[at].reached:
		return Way{State: WayDown}
	}
	out := Way{State: WayUnknown}
	for ; at != 0; at = w.some[at].to {
		s := w.some[at]
		out.Links = append(out.Links, s.by.link.ID)
		if s.by.state.Status == network.StatusUnknown {
			out.Unknown = append(out.Unknown, s.by.link.ID)
		}
	}
	return out
}

// along is the way over links that are all up.
func (w *Ways) along(at int, was WayState) Way {
	out := Way{State: WayUp}
	known := true
	for ; at != 0; at = w.usable[at].to {
		s := w.usable[at]
		if s.by.link.ID != "" {
			out.Links = append(out.Links, s.by.link.ID)
		}
		c, says := s.by.state.Capacity.Get()
		switch {
		case says:
			out.Mbps = unit.Some(min(c, out.Mbps.Or(c)))
			if c < w.needed(s.by.link, was) {
				out.State = WayNarrow
			}
		case s.by.link.Medium == network.Radio:
			known = false
		case s.by.link.Medium != network.Fibre:
			known, out.State = false, WayNarrow
		}
	}
	if !known {
		out.Mbps = unit.Opt[unit.Mbps]{}
	}
	return out
}

// needed is what a link must carry for a town hall: what it promises, and no more
// than what every link promises that names nothing.
func (w *Ways) needed(l network.Link, was WayState) unit.Mbps {
	v := w.rules.MinMbps
	if l.MinMbps > 0 {
		v = min(v, l.MinMbps)
	}
	if was == WayNarrow {
		v *= unit.Mbps(1 + w.rules.CapacityGap)
	}
	return v
}

// Same says that two ways are told alike but for what they carry.
func (w Way) Same(o Way) bool { return w.State == o.State && slices.Equal(w.Unknown, o.Unknown) }
