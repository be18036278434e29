package roads

import (
	"context"
	"fmt"
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
// Stops have slots in flat lists, so that a search runs through memory in
// order; the slots of a ride follow each other.
type stopIndex struct {
	g  *Graph
	mu sync.RWMutex

	from, to [][]entry // buckets by node: ways from stops up to it, down from it to stops
	stops    []stop    // by slot
	bySeg    map[uint32][]uint32
	rides    []ride
	byID     map[carpool.RideID]uint32
	order    []uint32 // rides by their ID
	free     map[int][]uint32
	freeRide []uint32
	spare    sync.Pool // of *nearSpace
}

// entry is a stop in a bucket, its weight in two halves.
type entry struct{ slot, hi, lo uint32 }

func (e entry) w() weight { return weight(e.hi)<<32 | weight(e.lo) }

// stop is one stop of a ride. between is the time to the next, shut when there
// is no next or no way to it.
type stop struct {
	ride    uint32
	between uint32
	spot    spot
}

type ride struct {
	id      carpool.RideID
	first   uint32 // slot
	count   int
	between []carpool.Leg
	nodes   [][2][]uint32 // of each stop: the nodes in whose buckets it is
}

// maxStops of one ride.
const maxStops = 64

func newStopIndex(g *Graph) *stopIndex {
	return &stopIndex{g: g, from: make([][]entry, len(g.car.nodes)), to: make([][]entry, len(g.car.nodes)),
		bySeg: map[uint32][]uint32{}, byID: map[carpool.RideID]uint32{}, free: map[int][]uint32{}}
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
func (x *stopIndex) Put(id carpool.RideID, at []geo.LonLat) error {
	if err := checkStops(id, len(at)); err != nil {
		return err
	}
	spots, err := x.g.spots(context.Background(), fmt.Sprintf("ride %s: stop", id), at)
	if err != nil {
		return err
	}
	r := ride{id: id, count: len(at), nodes: make([][2][]uint32, len(at))}
	labels := make([][2][]reach, len(at))
	f := x.g.ways.borrow()
	for i := range spots {
		f.fore.climb(&x.g.ways.up, &x.g.ways.down, spots[i].out.list())
		f.back.climb(&x.g.ways.down, &x.g.ways.up, spots[i].in.list())
		labels[i] = [2][]reach{slices.Clone(f.fore.labels), slices.Clone(f.back.labels)}
		if i > 0 {
			w := x.g.car.along(&spots[i-1], &spots[i])
			w = min(w, x.g.ways.between(f, spots[i-1].out.list(), spots[i].in.list()))
			r.between = append(r.between, x.g.car.metric.leg(w))
		}
	}
	x.g.ways.giveBack(f)

	x.mu.Lock()
	defer x.mu.Unlock()
	x.drop(id)
	number := x.number()
	r.first = x.slots(r.count)
	for i := range spots {
		slot := r.first + uint32(i)
		s := stop{ride: number, between: shut, spot: spots[i]}
		if i < len(r.between) && r.between[i].OK {
			s.between = uint32(r.between[i].Time / time.Millisecond)
		}
		x.stops[slot] = s
		x.bySeg[s.spot.seg] = append(x.bySeg[s.spot.seg], slot)
		r.nodes[i][0] = fill(x.from, labels[i][0], slot)
		r.nodes[i][1] = fill(x.to, labels[i][1], slot)
	}
	x.rides[number] = r
	x.byID[id] = number
	place, _ := x.find(id)
	x.order = slices.Insert(x.order, place, number)
	return nil
}

func fill(buckets [][]entry, labels []reach, slot uint32) []uint32 {
	nodes := make([]uint32, len(labels))
	for i, l := range labels {
		buckets[l.node] = append(buckets[l.node], entry{slot, uint32(l.w >> 32), uint32(l.w)})
		nodes[i] = l.node
	}
	return nodes
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
	x.rides = append(x.rides, ride{})
	return uint32(len(x.rides) - 1)
}

// slots is the first of n unused ones in a row.
func (x *stopIndex) slots(n int) uint32 {
	if l := x.free[n]; len(l) > 0 {
		x.free[n] = l[:len(l)-1]
		return l[len(l)-1]
	}
	first := uint32(len(x.stops))
	x.stops = append(x.stops, make([]stop, n)...)
	return first
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
		empty(x.from, r.nodes[i][0], slot)
		empty(x.to, r.nodes[i][1], slot)
		seg := x.stops[slot].spot.seg
		if x.bySeg[seg] = slices.DeleteFunc(x.bySeg[seg], func(s uint32) bool { return s == slot }); len(x.bySeg[seg]) == 0 {
			delete(x.bySeg, seg)
		}
		x.stops[slot] = stop{ride: number, between: shut}
	}
	if place, ok := x.find(id); ok {
		x.order = slices.Delete(x.order, place, place+1)
	}
	delete(x.byID, id)
	x.free[r.count] = append(x.free[r.count], r.first)
	x.freeRide = append(x.freeRide, number)
	*r = ride{}
}

func empty(buckets [][]entry, nodes []uint32, slot uint32) {
	for _, v := range nodes {
		b := buckets[v]
		if i := slices.IndexFunc(b, func(e entry) bool { return e.slot == slot }); i >= 0 {
			b[i] = b[len(b)-1]
			buckets[v] = b[:len(b)-1]
		}
	}
}
