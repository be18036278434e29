package carpool

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Slip is one journey on paper, in large type, for whoever has no screen.
type Slip struct {
	Booking     BookingID    `json:"booking"`
	State       BookingState `json:"state"`
	At          time.Time    `json:"at"` // be there
	Arrive      time.Time    `json:"arrive"`
	From        string       `json:"from"` // meeting point or own address
	To          string       `json:"to"`
	Rider       string       `json:"rider"`
	RiderPhone  string       `json:"rider_phone,omitempty"`
	Seats       int          `json:"seats"`
	Driver      string       `json:"driver"` // to the other the first name alone until accepted, and a day after the lift
	DriverPhone string       `json:"driver_phone,omitempty"`
	Car         string       `json:"car,omitempty"`
	Plate       string       `json:"plate,omitempty"`
	Cents       int          `json:"cents"`
}

// Sheet is a day of a comune on paper, for the desk: who goes when with whom,
// and who still has no lift.
type Sheet struct {
	On     Date      `json:"on"`
	Comune string    `json:"comune"` // "" all
	Rides  []Slip    `json:"rides"`
	Open   []Pending `json:"open"`
}

// Pending is a request of the day that no driver has accepted, with the way
// that its rider was told.
type Pending struct {
	Request RequestID `json:"request"`
	Rider   string    `json:"rider"`
	Phone   string    `json:"phone"`
	When    Window    `json:"when"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Seats   int       `json:"seats"`
	Way     Way       `json:"way"`
}

// spotName is what a spot is called, exactly.
func spotName(ctx context.Context, tx *store.Tx, s Spot) (string, error) {
	if s.Place == "" {
		s, err := exactSpot(ctx, tx, s)
		return s.Address, err
	}
	p, err := placeIn(ctx, tx, s.Place)
	if err != nil && fault.Of(err) == fault.NotFound {
		return string(s.Place), nil
	}
	return p.Name, err
}

// slipIn is the paper of a booking, with what its side may see now.
func (b base) slipIn(ctx context.Context, tx *store.Tx, k Booking, as Party) (Slip, error) {
	v, err := b.view(ctx, tx, k, as)
	if err != nil {
		return Slip{}, err
	}
	return Slip{Booking: k.ID, State: k.State, At: k.Pickup.At, Arrive: k.Drop.At, Seats: k.Seats, Cents: k.Cents,
		From: cmp.Or(v.PickupName, v.Pickup.Spot.Address), To: cmp.Or(v.DropName, v.Drop.Spot.Address),
		Rider: v.RiderIs.name(), RiderPhone: v.RiderIs.Phone, Driver: v.DriverIs.name(), DriverPhone: v.DriverIs.Phone, Car: v.Car, Plate: v.Plate}, nil
}

func (p Person) name() string { return strings.TrimSpace(p.First + " " + p.Last) }

// Slip is the paper of one booking, for the two of it and for the desk.
func (d *Desk) Slip(ctx context.Context, by By, b BookingID) (Slip, error) {
	var out Slip
	err := d.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.slip", Object: string(b)}, func(tx *store.Tx) error {
		k, as, err := d.party(ctx, tx, by, b)
		if err != nil {
			return err
		}
		if by.Desk {
			if err := lookedAtBoth(ctx, tx, by, k, LookSlip, string(b)); err != nil {
				return err
			}
		}
		out, err = d.slipIn(ctx, tx, k, as)
		return err
	})
	if err != nil {
		return Slip{}, fmt.Errorf("slip: %w", err)
	}
	return out, nil
}

// lookedAtBoth notes a look of the desk at a booking for both who are named on it.
func lookedAtBoth(ctx context.Context, tx *store.Tx, by By, k Booking, what LookAt, thing string) error {
	for _, m := range []MemberID{k.Rider, k.Driver} {
		if m == "" { // of another operator
			continue
		}
		if err := lookOnce(ctx, tx, m, by.Account, what, thing); err != nil {
			return err
		}
	}
	return nil
}

// Sheet of a day: the riders of a comune ("" all) who have agreed that the desk
// acts for them. They and their drivers see that the desk looked.
func (d *Desk) Sheet(ctx context.Context, by By, on Date, comune string) (Sheet, error) {
	if err := mayDesk(by); err != nil {
		return Sheet{}, err
	}
	from, err := Clock("00:00").On(on, d.cfg.Location)
	if err != nil {
		return Sheet{}, err
	}
	to, err := Clock("00:00").On(on.Plus(1), d.cfg.Location)
	if err != nil {
		return Sheet{}, err
	}
	if comune != "" && (len(comune) != 6 || !digits(comune)) {
		return Sheet{}, fault.New(fault.Invalid, "comune: choose one of the list")
	}
	out := Sheet{On: on, Comune: comune}
	err = d.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.sheet", Object: string(on), Detail: map[string]string{"comune": comune}}, func(tx *store.Tx) error {
		out.Rides, out.Open = []Slip{}, []Pending{}
		booked, err := bookingsWhere(ctx, tx, `pickup_ms >= $1 AND pickup_ms < $2 AND state IN ('accepted', 'boarded', 'completed')`, store.Millis(from), store.Millis(to))
		if err != nil {
			return err
		}
		slices.SortStableFunc(booked, func(a, b Booking) int { return a.Pickup.At.Compare(b.Pickup.At) })
		for _, k := range booked {
			if _, ok, err := d.onSheet(ctx, tx, by, k.Rider, comune, on); err != nil || !ok {
				if err != nil {
					return err
				}
				continue
			}
			if err := lookedAtBoth(ctx, tx, by, k, LookSheet, string(on)); err != nil {
				return err
			}
			s, err := d.slipIn(ctx, tx, k, AsRider)
			if err != nil {
				return err
			}
			out.Rides = append(out.Rides, s)
		}
		wanted, err := requestsWhere(ctx, tx, `from_ms >= $1 AND from_ms < $2 AND state IN ('open', 'waiting', 'listed', 'desk')`, store.Millis(from), store.Millis(to))
		if err != nil {
			return err
		}
		for _, r := range wanted {
			m, ok, err := d.onSheet(ctx, tx, by, r.Rider, comune, on)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			p := Pending{Request: r.ID, Rider: m.First + " " + m.Last, Phone: m.Phone, When: r.When, Seats: r.Seats(), Way: r.Way}
			if p.From, err = spotName(ctx, tx, r.From); err != nil {
				return err
			}
			if p.To, err = spotName(ctx, tx, r.To); err != nil {
				return err
			}
			out.Open = append(out.Open, p)
		}
		return nil
	})
	if err != nil {
		return Sheet{}, fmt.Errorf("sheet of %s: %w", on, err)
	}
	return out, nil
}

// onSheet says whether somebody stands on the desk's sheet, and notes the look.
func (d *Desk) onSheet(ctx context.Context, tx *store.Tx, by By, id MemberID, comune string, on Date) (Member, bool, error) {
	m, err := memberIn(ctx, tx, id)
	if err != nil || comune != "" && m.Comune != comune {
		return m, false, err
	}
	_, ok, err := consentIn(ctx, tx, id, ConsentDesk)
	if err != nil || !ok {
		return m, false, err
	}
	return m, true, lookOnce(ctx, tx, id, by.Account, LookSheet, string(on))
}
