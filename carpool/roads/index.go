package roads

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// stopIndex keeps, at each node of the hierarchy, a bucket of the stops whose
// best ways may have that node as their highest, for the ways from stops and
// for those to stops. One climb from a place then meets every stop at once
// (Geisberger et al., "Fast detour computation for ride sharing", ATMOS 2010).
//
// With each stop in a bucket stands the least detour of any way that leaves the
// ride there by that node: a search looks only at what its budget can pay.
//
// Stops have slots in flat lists, so that a search runs through memory in
// order; the slots of a ride follow each other. The slots of a ride that was
// dropped lie idle until there are many, then all buckets are swept at once.
type stopIndex struct {
	g  *Graph
	mu sync.RWMutex

	from, to []bucket // by node: ways from stops up to it, down from it to stops
	stops    []stop   // by slot
	pairs    []pair   // by slot
	bySeg    map[uint32][]uint32
	rides    []ride
	times    []span // of rides
	byID     map[carpool.RideID]uint32
	order    []uint32 // rides by their ID
	freeRide []uint32
	idle     int       // slots
	spare    sync.Pool // of *nearSpace
}

// stop is where one stop of a ride is.
type stop struct {
	ride uint32 // noNode when the slot is idle
	spot spot
}

// pair is a stop with the next: the ride, and the time between the two in
// milliseconds, shut when there is no next or no way to it.
type pair struct{ ride, between uint32 }

type ride struct {
	id      carpool.RideID
	first   uint32 // slot
	count   int
	between []carpool.Leg
}

// span is when a ride leaves and when it has arrived, as planned, in
// milliseconds.
type span struct{ leave, arrive int64 }

// bounds are those of a window, without end for none.
func bounds(w carpool.Window) (from, to int64) {
	if w == (carpool.Window{}) {
		return math.MinInt64, math.MaxInt64
	}
	return w.From.UnixMilli(), w.To.UnixMilli()
}

// spanOf is that of a ride that leaves at a moment and has some ways to drive.
func spanOf(leave time.Time, ways []carpool.Leg) span {
	s := span{leave.UnixMilli(), leave.UnixMilli()}
	for _, l := range ways {
		s.arrive += l.Time.Milliseconds()
	}
	return s
}

// maxStops of one ride.
const maxStops = 64

func newStopIndex(g *Graph) *stopIndex {
	return &stopIndex{g: g, from: make([]bucket, len(g.car.nodes)), to: make([]bucket, len(g.car.nodes)),
		bySeg: map[uint32][]uint32{}, byID: map[carpool.RideID]uint32{}}
}

// Len is how many rides it holds.
func (x *stopIndex) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.byID)
}

// checkStops says what is wrong with the stops of a ride.
func checkStops(id carpool.RideID, n int) error {
	if n < 2 || n > maxStops {
		return fault.New(fault.Invalid, "ride %s: %d stops: a ride has 2 to %d", id, n, maxStops)
	}
	return nil
}

// Put adds a ride or replaces its stops, of which there are 2 to 64. A stop
// outside the map is Invalid, and the ride stays as it was.
func (x *stopIndex) Put(id carpool.RideID, at []geo.LonLat, leave time.Time) error {
	if err := checkStops(id, len(at)); err != nil {
		return err
	}
	spots, err := x.g.spots(context.Background(), fmt.Sprintf("ride %s: stop", id), at)
	if err != nil {
		return err
	}
	r := ride{id: id, count: len(at)}
	labels := make([][2][]label, len(at)) // of each stop: ways from it, ways to it
	f := x.g.ways.borrow()
	for i := range len(spots) - 1 {
		w := min(x.g.car.along(&spots[i], &spots[i+1]), x.g.ways.between(f, spots[i].out.list(), spots[i+1].in.list()))
		r.between = append(r.between, x.g.car.metric.leg(w))
		if w != never {
			labels[i][0], labels[i+1][1] = x.labels(f, &spots[i], &spots[i+1], w)
		}
	}
	x.g.ways.giveBack(f)

	x.mu.Lock()
	defer x.mu.Unlock()
	x.drop(id)
	number := x.number()
	r.first = uint32(len(x.stops))
	for i := range spots {
		slot := r.first + uint32(i)
		k := pair{number, shut}
		if i < len(r.between) && r.between[i].OK {
			k.between = uint32(r.between[i].Time / time.Millisecond)
		}
		x.stops, x.pairs = append(x.stops, stop{number, spots[i]}), append(x.pairs, k)
		x.bySeg[spots[i].seg] = append(x.bySeg[spots[i].seg], slot)
		for _, l := range labels[i][0] {
			x.from[l.node].put(l.tier, l.entry(slot))
		}
		for _, l := range labels[i][1] {
			x.to[l.node].put(l.tier, l.entry(slot))
		}
	}
	x.rides[number], x.times[number] = r, spanOf(leave, r.between)
	x.byID[id] = number
	place, _ := x.find(id)
	x.order = slices.Insert(x.order, place, number)
	return nil
}

// find is the place of a ride in order.
func (x *stopIndex) find(id carpool.RideID) (int, bool) {
	return slices.BinarySearchFunc(x.order, id, func(n uint32, id carpool.RideID) int {
		return strings.Compare(string(x.rides[n].id), string(id))
	})
}

// number is an unused number of a ride.
func (x *stopIndex) number() uint32 {
	if n := len(x.freeRide); n > 0 {
		number := x.freeRide[n-1]
		x.freeRide = x.freeRide[:n-1]
		return number
	}
	x.rides, x.times = append(x.rides, ride{}), append(x.times, span{})
	return uint32(len(x.rides) - 1)
}

// Drop takes a ride out; there need not be one.
func (x *stopIndex) Drop(id carpool.RideID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.drop(id)
}

func (x *stopIndex) drop(id carpool.RideID) {
	number, ok := x.byID[id]
	if !ok {
		return
	}
	r := &x.rides[number]
	for i := range r.count {
		slot := r.first + uint32(i)
		seg := x.stops[slot].spot.seg
		if x.bySeg[seg] = slices.DeleteFunc(x.bySeg[seg], func(s uint32) bool { return s == slot }); len(x.bySeg[seg]) == 0 {
			delete(x.bySeg, seg)
		}
		x.stops[slot], x.pairs[slot] = stop{ride: noNode}, pair{noNode, shut}
	}
	if place, ok := x.find(id); ok {
		x.order = slices.Delete(x.order, place, place+1)
	}
	delete(x.byID, id)
	x.freeRide = append(x.freeRide, number)
	x.idle += r.count
	*r = ride{}
	if len(x.byID) == 0 || x.idle > 256 && x.idle*4 > len(x.stops) {
		x.sweep()
	}
}

// sweep gives the slots of all rides new numbers without gaps.
func (x *stopIndex) sweep() {
	moved := make([]uint32, len(x.stops))
	kept := x.stops[:0]
	for slot, s := range x.stops {
		moved[slot] = noNode
		if s.ride == noNode {
			continue
		}
		moved[slot] = uint32(len(kept))
		if r := &x.rides[s.ride]; r.first == uint32(slot) {
			r.first = moved[slot]
		}
		x.pairs[len(kept)] = x.pairs[slot]
		kept = append(kept, s)
	}
	clear(x.stops[len(kept):])
	x.stops, x.pairs, x.idle = kept, x.pairs[:len(kept)], 0
	for v := range x.from {
		x.from[v].renumber(moved)
		x.to[v].renumber(moved)
	}
	for _, slots := range x.bySeg {
		for i := range slots {
			slots[i] = moved[slots[i]]
		}
	}
}
