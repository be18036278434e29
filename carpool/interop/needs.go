package interop

import (
	"context"
	"slices"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// need is a request from meeting point to meeting point, without a word of who
// asks.
type need struct {
	carpool.Request
	trip  Trip
	leave time.Time
}

// needs are the requests within reach of a search that are open within a span.
func (o *over) needs(ctx context.Context, s Search, first, last time.Time) ([]need, error) {
	list, err := o.p.Bookings.OpenBetween(ctx, first, last)
	if err != nil {
		return nil, err
	}
	places, err := o.p.Places.List(ctx, "")
	if err != nil {
		return nil, err
	}
	reach := s.reach(places)
	var out []need
	for _, r := range list {
		at := func(id carpool.PlaceID) int {
			return slices.IndexFunc(places, func(p carpool.Place) bool { return p.ID == id })
		}
		i, j := at(r.From.Place), at(r.To.Place)
		if i < 0 || j < 0 || !reach(r.From.At, r.To.At) { // no more, or too far
			continue
		}
		from, to := places[i], places[j]
		legs, err := o.deps.Roads.Legs(ctx, []geo.LonLat{r.From.At}, []geo.LonLat{r.To.At})
		if fault.Of(err) == fault.Invalid && err != nil {
			continue // off every road: it hides no other
		}
		if err != nil {
			return nil, err
		}
		if len(legs) == 0 || len(legs[0]) == 0 || !legs[0][0].OK {
			continue
		}
		leave, way := r.When.From, int(legs[0][0].Metres)
		if r.When.Arrive {
			leave = leave.Add(-legs[0][0].Time)
		}
		out = append(out, need{r, Trip{Operator: o.cfg.Operator, PickupLat: from.At.Lat, PickupLng: from.At.Lon, DropLat: to.At.Lat, DropLng: to.At.Lon,
			PickupAddress: from.Name, DropAddress: to.Name, Duration: int(legs[0][0].Time.Seconds()), Distance: &way, WebURL: o.cfg.Web}, leave})
	}
	return out, nil
}

func (o *over) needSchedule(s Search, n need) JourneySchedule {
	return JourneySchedule{ID: o.names.seal(kindNeed, s.Operator, string(n.ID)), PickupDate: Unix(n.leave.Unix()), Type: "PLANNED"}
}

// rider is somebody who asks, under a name of one journey or series only: what
// one person looks for cannot be put together.
func (o *over) rider(s Search, of string) User {
	return User{ID: o.names.seal(kindNeed, s.Operator, of, "rider"), Operator: o.cfg.Operator, Alias: "Passeggero"}
}

// Passengers are requests for a time.
func (o *over) Passengers(ctx context.Context, s Search) ([]PassengerJourney, error) {
	list, err := o.needs(ctx, s, s.At.Add(-s.Delta), s.At.Add(s.Delta))
	if err != nil {
		return nil, err
	}
	var out []PassengerJourney
	for _, n := range list {
		seats := n.Seats()
		out = append(out, PassengerJourney{Trip: n.trip, JourneySchedule: o.needSchedule(s, n), DriverDate: Unix(n.leave.Unix()), Seats: &seats,
			Passenger: o.rider(s, string(n.ID))})
	}
	return out, nil
}

// PassengerTrips are series of requests: those of the next date of each day
// asked for.
func (o *over) PassengerTrips(ctx context.Context, s Search) ([]PassengerTrip, error) {
	type key struct {
		series carpool.SeriesID
		from   carpool.PlaceID // out and home are two
	}
	at := map[key]int{}
	var out []PassengerTrip
	for _, day := range o.days(s) {
		list, err := o.needs(ctx, s, day.Add(-s.Delta), day.Add(s.Delta))
		if err != nil {
			return nil, err
		}
		for _, n := range list {
			local := n.leave.In(o.deps.Location)
			on := weekly(local, o.needSchedule(s, n))
			if n.Series == "" || local.YearDay() != day.In(o.deps.Location).YearDay() || !s.asks(on) {
				continue
			}
			k := key{n.Series, n.From.Place}
			i, there := at[k]
			if !there {
				i = len(out)
				at[k] = i
				out = append(out, PassengerTrip{Trip: n.trip, Passenger: o.rider(s, string(n.Series))})
			}
			out[i].Schedules = append(out[i].Schedules, on)
		}
	}
	return out, nil
}
