package carpool

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// AheadMost is how many days ahead lifts are listed.
const AheadMost = 60

// Lift is a ride that is offered, as the union lists it: without its driver,
// a private end by its comune alone.
type Lift struct {
	Ride   RideID    `json:"ride"`
	Offer  OfferID   `json:"offer"`
	From   LiftEnd   `json:"from"`
	To     LiftEnd   `json:"to"`
	Depart time.Time `json:"depart"` // UTC
	Arrive time.Time `json:"arrive"`
	Seats  int       `json:"seats"`
	Taken  int       `json:"taken"`
}

// LiftEnd is where a lift begins or ends.
type LiftEnd struct {
	Place  PlaceID `json:"place"` // "": a door
	Name   string  `json:"name"`  // of the meeting point
	Comune string  `json:"comune"`
}

// Ahead lists the lifts that can be asked for in the days from one on, by
// their time of departure.
func (p *Portal) Ahead(ctx context.Context, by By, from Date, days int) ([]Lift, error) {
	if err := mayOffice(by); err != nil {
		return nil, err
	}
	if days < 1 || days > AheadMost {
		return nil, fault.New(fault.Invalid, "days: %d is out of range; 1 to %d", days, AheadMost)
	}
	all, err := p.Published(ctx, from, days)
	if err != nil {
		return nil, fmt.Errorf("lifts ahead: %w", err)
	}
	out := []Lift{}
	for _, r := range all.Rides {
		first, last := r.Stops[0], r.Stops[len(r.Stops)-1]
		out = append(out, Lift{Ride: r.ID, Offer: r.Offer, From: liftEnd(all.Places, first.Spot), To: liftEnd(all.Places, last.Spot),
			Depart: first.At, Arrive: last.At, Seats: r.Seats, Taken: r.Taken})
	}
	slices.SortFunc(out, func(a, b Lift) int { return a.Depart.Compare(b.Depart) })
	return out, nil
}

func liftEnd(places []Place, s Spot) LiftEnd {
	e := LiftEnd{Place: s.Place, Comune: comuneOf(places, s)}
	if i := slices.IndexFunc(places, func(p Place) bool { return p.ID == s.Place }); i >= 0 {
		e.Name = places[i].Name
	}
	return e
}
