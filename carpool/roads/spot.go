package roads

import (
	"math"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// spot is a place on a road: where along a segment it is, the nodes that can
// be driven to from it and those from which it can be driven to.
type spot struct {
	seg  uint32
	part float64
	off  weight // between the place itself and the road
	out  ends
	in   ends
}

// ends are up to two nodes with what the way between costs.
type ends struct {
	n  int
	at [2]reach
}

func (e *ends) add(node uint32, w weight) {
	e.at[e.n] = reach{node, w}
	e.n++
}

func (e *ends) list() []reach { return e.at[:e.n] }

// snapping says how a place is put on a road.
type snapping struct {
	limit unit.Metres // farther from every road is outside the map
	slack unit.Metres // how much farther a road of the large component may be
	speed float64     // metres a second between the place and the road
	what  string      // of the map, for messages
}

// spot puts a place on the network. Invalid when it is too far from it; the
// message has no position in it, which may be somebody's home.
func (n *network) spot(name string, p geo.LonLat, s snapping) (spot, error) {
	if !p.Valid() {
		return spot{}, fault.New(fault.Invalid, "%s: not a position: latitude is -90 to 90, longitude -180 to 180", name)
	}
	f := n.nearest(p, float64(s.slack))
	if !f.ok {
		return spot{}, fault.New(fault.Invalid, "%s: the map %s has no roads", name, s.what)
	}
	if f.metres > float64(s.limit) {
		return spot{}, fault.New(fault.Invalid, "%s: %.1f km from the nearest road of the map (%s), more than %.1f km: choose a place nearer to it",
			name, f.metres/1000, s.what, float64(s.limit)/1000)
	}
	return n.on(f, s.speed), nil
}

// on is the spot at a found point.
func (n *network) on(f found, speed float64) spot {
	s := &n.segs[f.seg]
	w := n.metric.weight
	k := spot{seg: f.seg, part: f.part}
	if dm := uint32(math.Round(f.metres * 10)); dm > 1 {
		k.off = w(uint32(math.Round(f.metres/speed*1000)), dm)
	}
	dm := share(s.dm, f.part)
	switch {
	case dm == 0:
		k.out.add(s.a, k.off)
		k.in.add(s.a, k.off)
		return k
	case dm == s.dm:
		k.out.add(s.b, k.off)
		k.in.add(s.b, k.off)
		return k
	}
	if s.ab != shut {
		ms := share(s.ab, f.part)
		k.out.add(s.b, k.off+w(s.ab-ms, s.dm-dm))
		k.in.add(s.a, k.off+w(ms, dm))
	}
	if s.ba != shut {
		ms := share(s.ba, f.part)
		k.out.add(s.a, k.off+w(ms, dm))
		k.in.add(s.b, k.off+w(s.ba-ms, s.dm-dm))
	}
	return k
}

func share(whole uint32, part float64) uint32 { return uint32(math.Round(float64(whole) * part)) }

// along is the way between two spots of one segment without leaving it; never
// when there is none.
func (n *network) along(from, to *spot) weight {
	if from.seg != to.seg {
		return never
	}
	s := &n.segs[from.seg]
	way := never
	between := func(ms uint32, a, b float64) {
		if ms != shut && a <= b {
			way = min(way, n.metric.weight(share(ms, b)-share(ms, a), share(s.dm, b)-share(s.dm, a)))
		}
	}
	between(s.ab, from.part, to.part)
	if s.ba != shut && from.part >= to.part {
		way = min(way, n.metric.weight(share(s.ba, from.part)-share(s.ba, to.part), share(s.dm, from.part)-share(s.dm, to.part)))
	}
	return way.plus(from.off).plus(to.off)
}
