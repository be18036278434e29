package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
)

// candidatesWhere reads rides by a condition on their columns, with all that a
// search needs to know of them but how near they are.
func (b base) candidatesWhere(ctx context.Context, tx *store.Tx, where string, args ...any) ([]Candidate, error) {
	rides, err := ridesWhere(ctx, tx, where, args...)
	if err != nil || len(rides) == 0 {
		return nil, err
	}
	rows, err := tx.Query(ctx, `SELECT `+offerColumns+` FROM carpool_offers WHERE id IN (SELECT offer FROM carpool_rides WHERE `+where+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read offers: %w", err)
	}
	list, err := all(rows, scanOffer)
	if err != nil {
		return nil, fmt.Errorf("read offers: %w", err)
	}
	offers := make(map[OfferID]*Offer, len(list))
	for i := range list {
		offers[list[i].ID] = &list[i]
	}
	classes, err := classesWhere(ctx, tx, where, args...)
	if err != nil {
		return nil, err
	}
	promises, err := promisesWhere(ctx, tx, where, args...)
	if err != nil {
		return nil, err
	}
	out := make([]Candidate, 0, len(rides))
	for i := range rides {
		r := &rides[i]
		o, ok := offers[r.Offer]
		if !ok {
			continue
		}
		out = append(out, Candidate{Ride: r, Offer: o, Rate: b.cfg.Caps.Rate(*o, classes[r.Vehicle]), Direct: r.direct, Riders: promises[r.ID]})
	}
	return out, betweenOthers(ctx, tx, out)
}

func classesWhere(ctx context.Context, tx *store.Tx, where string, args ...any) (map[VehicleID]VehicleClass, error) {
	rows, err := tx.Query(ctx, `SELECT id, class FROM carpool_vehicles WHERE id IN (SELECT vehicle FROM carpool_rides WHERE `+where+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read vehicles: %w", err)
	}
	defer rows.Close()
	out := map[VehicleID]VehicleClass{}
	for rows.Next() {
		var id VehicleID
		var class VehicleClass
		if err := rows.Scan(&id, &class); err != nil {
			return nil, err
		}
		out[id] = class
	}
	return out, rows.Err()
}

func promisesWhere(ctx context.Context, tx *store.Tx, where string, args ...any) (map[RideID][]Promise, error) {
	rows, err := tx.Query(ctx, `SELECT b.ride, b.id, b.walk_to_ms, b.walk_from_ms, b.aboard_ms, q.from_ms, q.to_ms, q.arrive
		FROM carpool_bookings b JOIN carpool_requests q ON q.id = b.request
		WHERE b.state IN ('accepted', 'boarded') AND b.ride IN (SELECT id FROM carpool_rides WHERE `+where+`) ORDER BY b.id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read riders: %w", err)
	}
	defer rows.Close()
	out := map[RideID][]Promise{}
	for rows.Next() {
		var ride RideID
		var p Promise
		var to, from, aboard, first, last, arrive int64
		if err := rows.Scan(&ride, &p.Booking, &to, &from, &aboard, &first, &last, &arrive); err != nil {
			return nil, err
		}
		p.Walk = [2]time.Duration{time.Duration(to) * time.Millisecond, time.Duration(from) * time.Millisecond}
		p.Aboard = time.Duration(aboard) * time.Millisecond
		p.When = Window{From: moment(first), To: moment(last), Arrive: arrive != 0}
		out[ride] = append(out[ride], p)
	}
	return out, rows.Err()
}

// candidateIn is one ride as a candidate; Conflict where it is gone.
func (b base) candidateIn(ctx context.Context, tx *store.Tx, id RideID) (Candidate, error) {
	list, err := b.candidatesWhere(ctx, tx, `id = $1`, sentence(string(id)))
	if err != nil {
		return Candidate{}, err
	}
	if len(list) == 0 {
		return Candidate{}, errGone
	}
	return list[0], nil
}

// errGone is a lift that cannot be had any more.
var errGone = fault.New(fault.Conflict, "this lift is not there any more; look for another")

// measure asks the roads for all ways between the stops of a ride and the ends
// of a search. It must not be called in a transaction.
func (b base) measure(ctx context.Context, c *Candidate, around *Around) error {
	stops, points := c.Ride.Points(), around.Points()
	at := append(append([]geo.LonLat{}, stops...), points...)
	legs, err := b.deps.Roads.Legs(ctx, at, at)
	if err != nil {
		return fmt.Errorf("ways of ride %s: %w", c.Ride.ID, err)
	}
	n := len(stops)
	near := NearRide{Ride: c.Ride.ID}
	for i := range n - 1 {
		near.Between = append(near.Between, legs[i][i+1])
	}
	for p := range points {
		to := make([]Leg, n)
		for s := range n {
			to[s] = legs[s][n+p]
		}
		near.To, near.From = append(near.To, to), append(near.From, legs[n+p][:n:n])
	}
	c.Near = near
	in := len(around.Pickups)
	around.Legs = make([][]Leg, in)
	for p := range in {
		around.Legs[p] = legs[n+p][n+in:]
	}
	return nil
}

// askOf is a request as a search.
func askOf(r Request) Ask {
	return Ask{For: r.Rider, From: r.From, To: r.To, When: r.When, Seats: r.Seats(), Needs: r.Needs, MaxWalk: r.MaxWalk, DoorToDoor: r.DoorToDoor}
}

// endOf is one end of a booking to be: a meeting point that the rider walks to
// or asked for, or the rider's own door.
func (b base) endOf(ctx context.Context, p *Place, own Spot, door bool) (End, Spot, error) {
	if p == nil {
		if !own.Private() || !door {
			return End{}, Spot{}, fault.New(fault.Invalid, "match: this request does not ask for a lift from door to door")
		}
		return End{At: own.Coarse(), Walk: Leg{OK: true}, Door: true}, own, nil
	}
	e := End{Place: p.ID, Name: p.Name, At: p.At, Walk: Leg{OK: true}}
	if own.Place != p.ID {
		var err error
		if e.Walk, err = b.deps.Roads.Walk(ctx, own.Coarse(), p.At); err != nil {
			return e, Spot{}, fmt.Errorf("walk to %s: %w", p.ID, err)
		}
		if !e.Walk.OK {
			return e, Spot{}, fault.New(fault.Conflict, "match: nobody can walk to that meeting point; choose another")
		}
	}
	return e, Spot{Place: p.ID, At: p.At}, nil
}

// placeOf reads a meeting point of a match; nil for a door.
func placeOf(ctx context.Context, tx *store.Tx, id PlaceID) (*Place, error) {
	if id == "" {
		return nil, nil
	}
	p, err := placeIn(ctx, tx, id)
	if err != nil && fault.Of(err) == fault.NotFound || err == nil && p.Closed {
		return nil, fault.New(fault.Conflict, "match: the meeting point is not there any more; choose another")
	}
	return &p, err
}

// widen makes a window that holds the times of a booking, so that what was
// agreed outside the first wish can still be kept.
func widen(w Window, bk Booking) Window {
	at := bk.Pickup.At.Add(-bk.walk[0])
	if w.Arrive {
		at = bk.Drop.At.Add(bk.walk[1])
	}
	if at.Before(w.From) {
		w.From = at
	}
	if at.After(w.To) {
		w.To = at
	}
	return w
}
