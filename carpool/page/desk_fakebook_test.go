package page_test

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

// officeBookings are searches and bookings in memory: what a search finds is
// set by the test, what a request brings about is stated as the portal does.
type officeBookings office

func (o *officeBookings) Search(context.Context, carpool.Ask) (carpool.Answer, error) {
	return carpool.Answer{Matches: o.matches, Misses: o.misses, Buses: o.buses, Roads: carpool.RoadsAbout{Kind: "estimate", Estimate: true}}, nil
}

func (o *officeBookings) agreed(by carpool.By) error {
	for _, c := range o.consents {
		if c.Member == by.Member && c.What == carpool.ConsentDesk && c.Withdrawn == nil {
			return nil
		}
	}
	return fault.New(fault.Denied, "desk: no agreement of this person is written down")
}

func (o *officeBookings) Request(_ context.Context, by carpool.By, r carpool.Request, back *carpool.Window, once string) (carpool.Request, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.agreed(by); err != nil || !by.Desk || by.Member != r.Rider {
		return r, fault.New(fault.Denied, "not for %s: %v", r.Rider, err)
	}
	if id, ok := o.onces[once]; ok {
		return o.find(id)
	}
	o.n++
	r.ID, r.By, r.State, r.Created = carpool.RequestID(fmt.Sprintf("q-%d", o.n)), by.Account, carpool.RequestOpen, staffNow
	r.Way = carpool.Way{Kind: carpool.WaySearch, Until: r.When.From.Add(-12 * time.Hour)}
	o.onces[once] = r.ID
	o.requests = append(o.requests, r)
	(*office)(o).note(by, "chiede %s -> %s, %d posti, %+v, ritorno %q", r.From.Place+carpool.PlaceID(r.From.Address), r.To.Place+carpool.PlaceID(r.To.Address), r.Seats(), r.Needs, r.Return)
	if r.Return != carpool.NoReturn {
		home := carpool.Request{ID: r.ID + "-casa", Rider: r.Rider, From: r.To, To: r.From, Outward: r.ID, Series: r.Series, State: carpool.RequestWaiting, Way: carpool.Way{Kind: carpool.WaySearch}}
		if back != nil {
			home.State, home.When = carpool.RequestOpen, *back
		}
		o.requests = append(o.requests, home)
	}
	return r, nil
}

func (o *officeBookings) RequestAgain(ctx context.Context, by carpool.By, r carpool.Request, back *carpool.Window, again carpool.Repeat, once string) ([]carpool.Request, error) {
	first := carpool.DateOf(r.When.From, time.UTC)
	days, err := again.On(first, carpool.School{})
	if err != nil {
		return nil, err
	}
	var out []carpool.Request
	for n, day := range days {
		one := r
		one.Series = "s-1"
		for at := first; at < day; at = at.Plus(1) {
			one.When.From, one.When.To = one.When.From.AddDate(0, 0, 1), one.When.To.AddDate(0, 0, 1)
		}
		if one, err = o.Request(ctx, by, one, back, fmt.Sprint(once, n)); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func (o *officeBookings) WithdrawSeries(ctx context.Context, by carpool.By, id carpool.RequestID, reason string) error {
	r, err := o.find(id)
	if err != nil {
		return err
	}
	for _, q := range o.requests {
		if q.Series == r.Series && q.State != carpool.RequestWithdrawn {
			if err := o.WithdrawRequest(ctx, by, q.ID, reason); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *officeBookings) find(id carpool.RequestID) (carpool.Request, error) {
	for _, r := range o.requests {
		if r.ID == id {
			return r, nil
		}
	}
	return carpool.Request{}, fault.New(fault.NotFound, "no request %s", id)
}

func (o *officeBookings) set(r carpool.Request) {
	for i := range o.requests {
		if o.requests[i].ID == r.ID {
			o.requests[i] = r
		}
	}
}

func (o *officeBookings) RequestsFor(_ context.Context, _ carpool.By, rider carpool.MemberID) ([]carpool.Request, error) {
	var out []carpool.Request
	for _, r := range o.requests {
		if r.Rider == rider {
			out = append(out, r)
		}
	}
	return out, nil
}

func (o *officeBookings) RequestOf(_ context.Context, by carpool.By, id carpool.RequestID) (carpool.Request, error) {
	r, err := o.find(id)
	if err == nil && r.Rider != by.Member {
		return carpool.Request{}, fault.New(fault.NotFound, "no request %s", id)
	}
	return r, err
}

func (o *officeBookings) Book(_ context.Context, by carpool.By, id carpool.RequestID, m carpool.Match, once string) (carpool.Booking, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if done, ok := o.onces[once]; ok {
		return o.bookings[carpool.BookingID(done)], nil
	}
	ride, ok := o.rides[m.Ride]
	if !ok || m.Pickup.Time.IsZero() {
		return carpool.Booking{}, fault.New(fault.Conflict, "the ride is gone")
	}
	r, err := o.find(id)
	if err != nil {
		return carpool.Booking{}, err
	}
	o.n++
	b := carpool.Booking{ID: carpool.BookingID(fmt.Sprintf("b-%d", o.n)), Request: id, Ride: m.Ride, Rider: r.Rider, Driver: ride.Driver, Seats: r.Seats(), State: carpool.Asked, Deadline: staffNow.Add(6 * time.Hour), Cents: m.Cents}
	b.Pickup = carpool.Stop{Kind: carpool.StopPickup, Spot: r.From, At: m.Pickup.Time}
	b.Drop = carpool.Stop{Kind: carpool.StopDrop, Spot: r.To, At: m.Drop.Time}
	o.bookings[b.ID], o.onces[once] = b, carpool.RequestID(b.ID)
	r.Way = carpool.Way{Kind: carpool.WayAsked, Booking: b.ID, Until: b.Deadline}
	o.set(r)
	(*office)(o).note(by, "prenota %s", m.Ride)
	return b, nil
}

// move is what becomes of a booking.
func (o *officeBookings) move(by carpool.By, id carpool.BookingID, to carpool.BookingState, driver bool) (carpool.Booking, error) {
	b, ok := o.bookings[id]
	if !ok || driver && by.Member != b.Driver || !driver && by.Member != b.Rider {
		return b, fault.New(fault.NotFound, "no booking %s", id)
	}
	if b.State != carpool.Asked && b.State != carpool.Accepted {
		return b, fault.New(fault.Conflict, "booking %s is %s already", id, b.State)
	}
	b.State = to
	o.bookings[id] = b
	r, err := o.find(b.Request)
	if err != nil {
		return b, err
	}
	switch to {
	case carpool.Accepted:
		r.State, r.Way = carpool.RequestBooked, carpool.Way{Kind: carpool.WayRide, Booking: id}
	default:
		r.State, r.Way = carpool.RequestListed, carpool.Way{Kind: carpool.WayList, Listed: "l-1"}
	}
	o.set(r)
	(*office)(o).note(by, "%s %s", to, id)
	return b, nil
}

func (o *officeBookings) Accept(_ context.Context, by carpool.By, id carpool.BookingID, _ string) (carpool.Booking, error) {
	return o.move(by, id, carpool.Accepted, true)
}

func (o *officeBookings) Decline(_ context.Context, by carpool.By, id carpool.BookingID, _ string) (carpool.Booking, error) {
	return o.move(by, id, carpool.Declined, true)
}

func (o *officeBookings) Cancel(_ context.Context, by carpool.By, id carpool.BookingID, _ string) (carpool.Booking, error) {
	return o.move(by, id, carpool.Cancelled, false)
}

func (o *officeBookings) Stopped(_ context.Context, by carpool.By, id carpool.BookingID, _ string) (carpool.Booking, error) {
	(*office)(o).note(by, "fermata %s", id)
	return o.move(by, id, carpool.Cancelled, false)
}

func (o *officeBookings) WithdrawRequest(_ context.Context, by carpool.By, id carpool.RequestID, _ string) error {
	r, err := o.find(id)
	if err != nil {
		return err
	}
	if r.State == carpool.RequestWithdrawn {
		return fault.New(fault.Conflict, "withdrawn already")
	}
	r.State = carpool.RequestWithdrawn
	o.set(r)
	(*office)(o).note(by, "ritira %s", id)
	return nil
}

func (o *officeBookings) Ready(_ context.Context, by carpool.By, id carpool.RequestID, from time.Time) (carpool.Request, error) {
	r, err := o.find(id)
	if err != nil {
		return r, err
	}
	r.State, r.When = carpool.RequestOpen, carpool.Window{From: from, To: from.Add(2 * time.Hour)}
	o.set(r)
	(*office)(o).note(by, "pronto %s", id)
	return r, nil
}
