package gtfs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// Walk is the way on foot between two points.
type Walk func(ctx context.Context, from, to geo.LonLat) (carpool.Leg, error)

// Buses answers from a timetable which bus goes when.
type Buses struct {
	table *Timetable
	walk  Walk
}

var _ carpool.Buses = (*Buses)(nil)

// NewBuses are those of a timetable; walk says which stops are near.
func NewBuses(t *Timetable, walk Walk) (*Buses, error) {
	if t == nil || walk == nil {
		return nil, fault.New(fault.Internal, "buses: timetable and walk must be given")
	}
	return &Buses{t, walk}, nil
}

// About the timetable that answers.
func (b *Buses) About() About { return b.table.About() }

const (
	// fastest on foot, as the crow flies: Tobler's hiking function peaks at
	// 6 km/h, 1.67 m/s (Tobler 1993, NCGIA technical report 93-1).
	fastest = 2.0
	// nearest stops of an end that are asked how long the walk is.
	nearest = 12
	// longestWindow that is looked through.
	longestWindow = 31 * 24 * time.Hour
)

// Next are journeys without a change, as [carpool.Buses] says. A journey is
// the Last when no other leaves a near stop for a near stop later in the same
// service day, be it inside the window or not.
func (b *Buses) Next(ctx context.Context, from, to geo.LonLat, w carpool.Window, walk time.Duration, n int) ([]carpool.Bus, error) {
	switch {
	case !from.Valid() || !to.Valid():
		return nil, fault.New(fault.Invalid, "buses: an end is not a position in degrees")
	case w.To.Sub(w.From) > longestWindow:
		return nil, fault.New(fault.Invalid, "buses: window: ask for %v at most", longestWindow)
	case n <= 0 || walk < 0 || w.To.Before(w.From):
		return nil, nil
	}
	board, err := b.near(ctx, from, walk, func(ctx context.Context, s geo.LonLat) (carpool.Leg, error) { return b.walk(ctx, from, s) })
	if err != nil || len(board) == 0 {
		return nil, err
	}
	exit, err := b.near(ctx, to, walk, func(ctx context.Context, s geo.LonLat) (carpool.Leg, error) { return b.walk(ctx, s, to) })
	if err != nil || len(exit) == 0 {
		return nil, err
	}
	return b.table.between(board, exit, w, n), nil
}

// near are the stops within a walk of a point, with how long it takes.
func (b *Buses) near(ctx context.Context, p geo.LonLat, walk time.Duration, way func(context.Context, geo.LonLat) (carpool.Leg, error)) (map[int32]time.Duration, error) {
	type candidate struct {
		stop int32
		far  unit.Metres
	}
	var all []candidate
	bound := unit.Metres(walk.Seconds() * fastest)
	box := geo.Around(p, bound)
	for i, s := range b.table.stops {
		if len(b.table.visits[i]) == 0 || !box.Contains(s.at) {
			continue
		}
		if d := p.Distance(s.at); d <= bound {
			all = append(all, candidate{int32(i), d})
		}
	}
	slices.SortFunc(all, func(x, y candidate) int { return cmp.Or(cmp.Compare(x.far, y.far), cmp.Compare(x.stop, y.stop)) })
	out := map[int32]time.Duration{}
	for _, c := range all[:min(len(all), nearest)] {
		leg, err := way(ctx, b.table.stops[c.stop].at)
		if err != nil {
			return nil, fmt.Errorf("walk to stop %s: %w", b.table.stops[c.stop].name, err)
		}
		if leg.OK && leg.Time <= walk {
			out[c.stop] = leg.Time
		}
	}
	return out, nil
}

// way is one trip with the stops to get in and out.
type way struct {
	trip        *trip
	board, exit *call
	onFoot      time.Duration
}

func (w way) depart() int32 { return w.board.depart + w.trip.later }
func (w way) arrive() int32 { return w.exit.arrive + w.trip.later }

// ways are the trips that go from one set of stops to the other, each with
// the pair of stops that takes the least walking.
func (t *Timetable) ways(board, exit map[int32]time.Duration) []way {
	best := map[int32]way{}
	for s, walk := range board {
		for _, v := range t.visits[s] {
			tr := &t.trips[v.trip]
			calls := t.calls[tr.first:tr.last]
			in := &calls[v.call]
			if in.noBoard {
				continue
			}
			for i := int(v.call) + 1; i < len(calls); i++ {
				out := &calls[i]
				more, near := exit[out.stop]
				if !near || out.noExit || out.stop == in.stop {
					continue
				}
				w := way{tr, in, out, walk + more}
				if old, ok := best[v.trip]; !ok || w.better(old) {
					best[v.trip] = w
				}
			}
		}
	}
	out := make([]way, 0, len(best))
	for _, w := range best {
		out = append(out, w)
	}
	return out
}

// better says which of two ways with one trip to take; it leaves no choice to
// the order of maps.
func (w way) better(old way) bool {
	return cmp.Or(
		cmp.Compare(w.onFoot, old.onFoot),
		cmp.Compare(w.exit.arrive-w.board.depart, old.exit.arrive-old.board.depart),
		cmp.Compare(w.board.depart, old.board.depart),
		cmp.Compare(w.board.stop, old.board.stop),
		cmp.Compare(w.exit.stop, old.exit.stop)) < 0
}

// between are the journeys within the window, the earliest first.
func (t *Timetable) between(board, exit map[int32]time.Duration, w carpool.Window, n int) []carpool.Bus {
	ways := t.ways(board, exit)
	if len(ways) == 0 {
		return nil
	}
	slices.SortFunc(ways, func(x, y way) int {
		return cmp.Or(cmp.Compare(x.depart(), y.depart()), cmp.Compare(x.arrive(), y.arrive()),
			cmp.Compare(x.trip.line, y.trip.line), cmp.Compare(x.trip.first, y.trip.first))
	})
	var out []carpool.Bus
	day := dayOf(w.From.In(t.Location)).plus(-int(t.longest/86400) - 1)
	for end := dayOf(w.To.In(t.Location)).plus(1); day <= end; day = day.plus(1) {
		last := unknown
		for i := len(ways) - 1; i >= 0 && last == unknown; i-- {
			if t.services[ways[i].trip.service].on(day) {
				last = ways[i].depart()
			}
		}
		for _, x := range ways {
			bus := t.bus(x, day)
			bound := bus.Depart
			if w.Arrive {
				bound = bus.Arrive
			}
			if bound.Before(w.From) || bound.After(w.To) || !t.services[x.trip.service].on(day) {
				continue
			}
			bus.Last = x.depart() == last
			out = append(out, bus)
		}
	}
	slices.SortStableFunc(out, func(x, y carpool.Bus) int { return cmp.Or(x.Depart.Compare(y.Depart), x.Arrive.Compare(y.Arrive)) })
	return out[:min(n, len(out))]
}

func (t *Timetable) bus(w way, day Day) carpool.Bus {
	in, out := t.stops[w.board.stop], t.stops[w.exit.stop]
	return carpool.Bus{Line: w.trip.line, From: in.name, To: out.name, FromAt: in.at, ToAt: out.at,
		Depart: day.at(w.depart(), t.Location).UTC(), Arrive: day.at(w.arrive(), t.Location).UTC()}
}
