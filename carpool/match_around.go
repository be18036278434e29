package carpool

import (
	"cmp"
	"slices"

	"github.com/crinale/crinale/internal/geo"
)

// MostPlaces are the meeting points that are tried near each end.
const MostPlaces = 5

// End is one place where a rider may get in or out.
type End struct {
	Place PlaceID // "" at a door
	Name  string
	At    geo.LonLat // coarse
	Walk  Leg        // between it and the middle of the rider's cell
	Door  bool       // only with a driver who goes to doors
}

// Around is where a search may begin and end, and how the two are joined.
type Around struct {
	Pickups []End
	Drops   []End
	Legs    [][]Leg // by car, from each pick-up to each drop
	Buses   []Bus   // that leave around the time, those outside the window too
}

// AroundOf gives the ends of a search: the meeting points near both ends, the
// nearest first and at most MostPlaces of them, and the doors if the rider asks
// for them. It knows an end only as others may know it, so that it is the same
// for every point of a cell. Closed points are left out, and for a wheelchair
// those with steps. Ask
// Places.Near for walks up to MaxWalk+NearWalk, so that a point a little
// further away is named as a near miss. Legs and Buses are the caller's to add.
func AroundOf(a Ask, from, to []NearPlace) Around {
	return Around{Pickups: endsNear(a, a.From, from), Drops: endsNear(a, a.To, to)}
}

// Points of a search in the order in which a StopIndex must be asked: the
// pick-ups, then the drops. They are those of AroundOf.
func Points(a Ask, from, to []NearPlace) []geo.LonLat { return AroundOf(a, from, to).Points() }

// Points are the pick-ups, then the drops.
func (r Around) Points() []geo.LonLat {
	out := make([]geo.LonLat, 0, len(r.Pickups)+len(r.Drops))
	for _, e := range r.Pickups {
		out = append(out, e.At)
	}
	for _, e := range r.Drops {
		out = append(out, e.At)
	}
	return out
}

// Points are the stops of a ride as a StopIndex may hold them: coarse, so that
// no series of searches can tell where somebody gets in.
func (r Ride) Points() []geo.LonLat {
	out := make([]geo.LonLat, len(r.Stops))
	for i, s := range r.Stops {
		out[i] = s.Spot.Coarse()
	}
	return out
}

// endsNear gives the ends near one spot.
func endsNear(a Ask, spot Spot, near []NearPlace) []End {
	out := make([]End, 0, len(near)+1)
	chosen := false
	for _, n := range near {
		e := End{Place: n.ID, Name: n.Name, At: n.At, Walk: n.Walk}
		if !spot.Private() && n.ID == spot.Place {
			e.Walk, chosen = Leg{OK: true}, true
			out = append(out, e)
			continue
		}
		if n.Closed || !n.Walk.OK || n.Walk.Time > a.MaxWalk+NearWalk || a.Needs.Wheelchair && !n.StepFree {
			continue
		}
		out = append(out, e)
	}
	if !spot.Private() && !chosen {
		out = append(out, End{Place: spot.Place, At: spot.At, Walk: Leg{OK: true}})
	}
	slices.SortFunc(out, func(x, y End) int {
		return cmp.Or(cmp.Compare(x.Walk.Time, y.Walk.Time), cmp.Compare(x.Place, y.Place))
	})
	out = out[:min(len(out), MostPlaces)]
	if spot.Private() && a.DoorToDoor {
		out = append(out, End{At: spot.Coarse(), Walk: Leg{OK: true}, Door: true})
	}
	return out
}
