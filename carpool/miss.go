package carpool

import (
	"cmp"
	"slices"
	"time"
)

// Why a ride, or a bus, only nearly fits. Exactly one thing stands in its way.
const (
	MissLater   = "later"   // By after the window
	MissEarlier = "earlier" // By before the window
	MissFull    = "full"    // too few seats
	MissDetour  = "detour"  // By more than the driver is ready for
	MissWalk    = "walk"    // By more on foot, at one end, than the rider is ready for
	MissNeeds   = "needs"   // the car cannot carry what the rider needs
	MissBus     = "bus"     // a bus, By before or after the window
)

// MissKeys are all that Miss.Why can be.
var MissKeys = []string{MissLater, MissEarlier, MissFull, MissDetour, MissWalk, MissNeeds, MissBus}

// How near a miss must be to be named. The first is for what Places.Near is
// asked beyond MaxWalk.
const (
	NearWalk   = 10 * time.Minute
	NearDetour = 10 * time.Minute
	NearTime   = 2 * time.Hour
	MostMisses = 5 // rides; buses stand beside them
)

// missKind is what stands in the way, the one that is mended most easily first.
type missKind uint8

const (
	noMiss missKind = iota
	tooLate
	tooEarly
	tooFarOnFoot
	tooFarAround
	tooFull
	cannotCarry
)

var missWhy = [...]string{noMiss: "", tooLate: MissLater, tooEarly: MissEarlier, tooFarOnFoot: MissWalk,
	tooFarAround: MissDetour, tooFull: MissFull, cannotCarry: MissNeeds}

// faults counts what stands in the way of one combination.
type faults struct {
	n    int
	kind missKind
	by   time.Duration
}

// add counts what is wrong by nothing that can be measured.
func (f *faults) add(kind missKind) { f.n, f.kind, f.by = f.n+1, kind, 0 }

// over counts what is too much by some time, if it is.
func (f *faults) over(kind missKind, by time.Duration) {
	if by > 0 {
		f.n, f.kind, f.by = f.n+1, kind, by
	}
}

// far is how far a miss is from a match, to rank misses: time on foot counts
// double, a full car or one that cannot carry a wheelchair as much as a long
// wait.
func (f faults) far() time.Duration {
	switch f.kind {
	case tooFarOnFoot:
		return 2 * f.by
	case tooFull, cannotCarry:
		return 30 * time.Minute
	default:
		return f.by
	}
}

// near says whether a miss is worth naming.
func (f faults) near() bool {
	switch f.kind {
	case tooLate, tooEarly:
		return f.by <= NearTime
	case tooFarOnFoot:
		return f.by <= NearWalk
	case tooFarAround:
		return f.by <= NearDetour
	default:
		return true
	}
}

// compare ranks misses of one ride.
func (f faults) compare(g faults) int {
	return cmp.Or(cmp.Compare(f.far(), g.far()), cmp.Compare(f.kind, g.kind))
}

// rideMiss is a ride that nearly fits.
type rideMiss struct {
	ride RideID
	faults
}

// nearest are the rides that come nearest to a match, the nearest first, at
// most MostMisses of them.
type nearest []rideMiss

// add puts a ride in its place, and says how far a ride may be from now on to
// have one.
func (n *nearest) add(m rideMiss) (reach time.Duration) {
	at, _ := slices.BinarySearchFunc(*n, m, func(x, y rideMiss) int {
		return cmp.Or(x.compare(y.faults), cmp.Compare(x.ride, y.ride))
	})
	if at < MostMisses {
		*n = slices.Insert(*n, at, m)
		*n = (*n)[:min(len(*n), MostMisses)]
	}
	if len(*n) < MostMisses {
		return NearTime
	}
	return min((*n)[MostMisses-1].far(), NearTime)
}

// missesOf are the nearest rides that do not fit, then the nearest bus before and
// the nearest after the window.
func missesOf(a *Ask, rides nearest, buses []Bus) []Miss {
	var out []Miss
	for _, r := range rides {
		out = append(out, Miss{Ride: r.ride, Why: missWhy[r.kind], By: r.by})
	}
	return append(out, busMisses(a, buses)...)
}

// busMisses are the last bus before and the first after the window.
func busMisses(a *Ask, buses []Bus) []Miss {
	var before, after *Miss
	for i := range buses {
		early, late := a.offWindow(&buses[i])
		switch {
		case early > 0 && early <= NearTime && (before == nil || early < before.By):
			before = &Miss{Bus: &buses[i], Why: MissBus, By: early}
		case late > 0 && late <= NearTime && (after == nil || late < after.By):
			after = &Miss{Bus: &buses[i], Why: MissBus, By: late}
		}
	}
	var out []Miss
	if before != nil {
		out = append(out, *before)
	}
	if after != nil {
		out = append(out, *after)
	}
	return out
}

// offWindow is by how much a bus is before or after the window of a search.
func (a *Ask) offWindow(b *Bus) (early, late time.Duration) {
	at := b.Depart
	if a.When.Arrive {
		at = b.Arrive
	}
	return max(a.When.From.Sub(at), 0), max(at.Sub(a.When.To), 0)
}

// FittingBuses are the journeys by bus that fit the window of a search, of all
// that leave around it.
func (a Ask) FittingBuses(all []Bus) []Bus {
	var out []Bus
	for i := range all {
		if early, late := a.offWindow(&all[i]); early == 0 && late == 0 {
			out = append(out, all[i])
		}
	}
	return out
}
