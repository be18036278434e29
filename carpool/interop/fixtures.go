package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Fixtures is a portal with the data that the standard's tester
// (fabmob/playground-standard-covoiturage) asks for, in the tester's own file
// format. Its users belong to no operator and its bookings may jump to any
// later status, because the tester's do. It is for tests: no configuration
// leads to it.
type Fixtures struct {
	DriverJourneys    []DriverJourney    `json:"driverJourneys"`
	PassengerJourneys []PassengerJourney `json:"passengerJourneys"`
	RegularDrivers    []DriverTrip       `json:"driverRegularTrips"`
	RegularPassengers []PassengerTrip    `json:"passengerRegularTrips"`
	Bookings          []Booking          `json:"bookings"`
	Users             []User             `json:"users"`

	mu     sync.Mutex
	status map[string]Status
}

var _ Portal = (*Fixtures)(nil)

// ReadFixtures reads the tester's file.
func ReadFixtures(r io.Reader) (*Fixtures, error) {
	f := &Fixtures{status: map[string]Status{}}
	if err := json.NewDecoder(io.LimitReader(r, 16<<20)).Decode(f); err != nil {
		return nil, fault.New(fault.Invalid, "fixtures: %w", err)
	}
	return f, nil
}

func (f *Fixtures) free() {}

// Put gives a server the bookings that are there from the start, as those of
// an operator.
func (f *Fixtures) Put(ctx context.Context, s *Server, operator string) error {
	for _, b := range f.Bookings {
		text, err := json.Marshal(b)
		if err != nil {
			return fmt.Errorf("fixtures: booking %s: %w", b.ID, err)
		}
		err = s.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.outside.fixture", Object: b.ID}, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO interop_bookings (id, operator, digest, ref, body, status, pickup_ms, created_ms, changed_ms)
				VALUES ($1, $2, 'fixture', $1, $3, $4, 0, $5, $5)`, b.ID, operator, string(text), string(b.Status), store.Millis(tx.Now))
			return err
		})
		if err != nil {
			return fmt.Errorf("fixtures: booking %s: %w", b.ID, err)
		}
		f.set(b.ID, b.Status)
	}
	return nil
}

func (f *Fixtures) set(ref string, st Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status[ref] = st
}

// Drivers gives all; the API takes what fits.
func (f *Fixtures) Drivers(context.Context, Search) ([]DriverJourney, error) {
	return f.DriverJourneys, nil
}

// Passengers gives all; the API takes what fits.
func (f *Fixtures) Passengers(context.Context, Search) ([]PassengerJourney, error) {
	return f.PassengerJourneys, nil
}

// DriverTrips gives all; the API takes what fits.
func (f *Fixtures) DriverTrips(context.Context, Search) ([]DriverTrip, error) {
	return f.RegularDrivers, nil
}

// PassengerTrips gives all; the API takes what fits.
func (f *Fixtures) PassengerTrips(context.Context, Search) ([]PassengerTrip, error) {
	return f.RegularPassengers, nil
}

// Book takes every booking as it is.
func (f *Fixtures) Book(_ context.Context, _ string, b Booking) (string, Booking, error) {
	f.set(b.ID, b.Status)
	return b.ID, b, nil
}

// Status of a booking.
func (f *Fixtures) Status(_ context.Context, ref string) (Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	st, ok := f.status[ref]
	if !ok {
		return "", fault.New(fault.NotFound, "no booking %s", ref)
	}
	return st, nil
}

// Move takes every status.
func (f *Fixtures) Move(_ context.Context, _, ref string, to Status, _ string) error {
	f.set(ref, to)
	return nil
}

// Message is taken when its recipient is known.
func (f *Fixtures) Message(_ context.Context, _, _ string, m Message) error {
	for _, u := range f.Users {
		if u.ID == m.To.ID && u.Operator == m.To.Operator {
			return nil
		}
	}
	return missingUser
}

// Abandon has nothing to take back.
func (f *Fixtures) Abandon(context.Context, string, Booking) error { return nil }

// Forget has nothing to drop.
func (f *Fixtures) Forget(context.Context) error { return nil }
