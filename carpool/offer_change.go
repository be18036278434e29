package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Reasons that notices carry as keys of words.
const (
	ReasonOfferChanged = "offer-changed" // the lift was changed; the ride that is booked stays as agreed
	ReasonOfferEnded   = "offer-ended"
	ReasonRide         = "ride-cancelled"
	ReasonNoAnswer     = "no-answer"
	ReasonTaken        = "no-seat"
	ReasonLeft         = "left" // a member left or was suspended
	ReasonNotSeen      = "not-seen"
)

// Change changes an offer from now on. Rides that somebody has booked, or asked
// for, stay as they were agreed, and those riders are told; but for the seats
// that nobody has taken, which are the offer's. All others are laid out anew. A
// private end without words keeps the address that it had.
func (p *Offers) Change(ctx context.Context, by By, o Offer) (Offer, error) {
	o, err := p.cfg.checkOffer(o)
	if err != nil {
		return Offer{}, err
	}
	way, err := p.wayOf(ctx, o)
	if err != nil {
		return Offer{}, fmt.Errorf("change offer: %w", err)
	}
	var out Offer
	err = p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		old, err := p.myOffer(ctx, tx, by, o.ID)
		if err != nil {
			return err
		}
		if old.State == OfferEnded {
			return fault.New(fault.Conflict, "this offer has ended; make a new one")
		}
		out = o
		out.Driver, out.State, out.Created = old.Driver, old.State, old.Created
		if err := p.mayOffer(ctx, tx, by, out); err != nil {
			return err
		}
		if out.From, err = p.respot(ctx, tx, "from", old, old.From, o.From); err != nil {
			return err
		}
		if out.To, err = p.respot(ctx, tx, "to", old, old.To, o.To); err != nil {
			return err
		}
		if err := p.notSeen(ctx, tx, old.ID); err != nil {
			return err
		}
		booked, err := p.clear(ctx, tx, old.ID)
		if err != nil {
			return err
		}
		if err := p.tellAll(ctx, tx, booked, NoticeMoved, ReasonOfferChanged); err != nil {
			return err
		}
		if out.State == OfferPaused {
			err = putOffer(ctx, tx, out, "")
		} else {
			err = p.layAnew(ctx, tx, out, way)
		}
		if err != nil {
			return err
		}
		if err := reseat(ctx, tx, out); err != nil {
			return err
		}
		if err := p.noteOffer(ctx, tx, by, "change", out); err != nil {
			return err
		}
		out, err = offerExact(ctx, tx, out.ID)
		return err
	})
	if err != nil {
		return Offer{}, fmt.Errorf("change offer: %w", err)
	}
	return out, nil
}

// respot is the new end of an offer. The address of the old one is kept for as
// long as rides go there.
func (p *Offers) respot(ctx context.Context, tx *store.Tx, field string, o Offer, old, s Spot) (Spot, error) {
	if s.Private() && s.Address == "" && old.Private() && s.Coarse() == old.At {
		return old, nil
	}
	if err := eraseAfterRides(ctx, tx, tx.Now.Add(p.cfg.AddressKept), p.cfg.AddressKept, old); err != nil {
		return s, err
	}
	return keepSpot(ctx, tx, field, o.Driver, s, false)
}

// eraseAfterRides erases addresses some time after the last ride that goes
// there, and not before least.
func eraseAfterRides(ctx context.Context, tx *store.Tx, least time.Time, kept time.Duration, spots ...Spot) error {
	for _, s := range spots {
		if s.kept == "" {
			continue
		}
		var last int64
		err := tx.QueryRow(ctx, `SELECT COALESCE(MAX(r.arrive_ms), 0) FROM carpool_stops s JOIN carpool_rides r ON r.id = s.ride
			WHERE s.address = $1 AND r.state <> 'cancelled'`, s.kept).Scan(&last)
		if err != nil {
			return fmt.Errorf("read the last ride of an address: %w", err)
		}
		at := least
		if last > 0 {
			at = later(at, moment(last).Add(kept))
		}
		if err := eraseSpots(ctx, tx, at, s); err != nil {
			return err
		}
	}
	return nil
}

// myOffer reads an offer for whoever may act for its driver.
func (p *Offers) myOffer(ctx context.Context, tx *store.Tx, by By, id OfferID) (Offer, error) {
	o, err := offerIn(ctx, tx, id)
	if err != nil && fault.Of(err) == fault.NotFound {
		return o, errNotYours
	}
	if err != nil {
		return o, err
	}
	if by.Member != o.Driver {
		return o, errNotYours
	}
	_, err = mayAct(ctx, tx, by, o.Driver)
	return o, err
}

// notSeen says no to the questions of an offer that its driver does not hear of:
// they hold no ride where it was.
func (b base) notSeen(ctx context.Context, tx *store.Tx, id OfferID) error {
	list, err := bookingsWhere(ctx, tx, `state = 'asked' AND unseen = 1 AND ride IN (SELECT id FROM carpool_rides WHERE offer = $1)`, string(id))
	if err != nil {
		return err
	}
	for _, bk := range list {
		if _, err := b.changeIn(ctx, tx, bk, bookingChange{event: EventDecline, as: AsDriver, who: string(AsDriver)}); err != nil {
			return err
		}
	}
	return nil
}

// clear takes the rides to come of an offer away, but for those with a booking
// that is asked, accepted or aboard; it gives those bookings.
func (b base) clear(ctx context.Context, tx *store.Tx, id OfferID) ([]Booking, error) {
	booked, err := bookingsWhere(ctx, tx, `state IN ('asked', 'accepted', 'boarded') AND ride IN (SELECT id FROM carpool_rides WHERE offer = $1 AND leave_ms > $2)`,
		string(id), store.Millis(tx.Now))
	if err != nil {
		return nil, err
	}
	const empty = `offer = $1 AND leave_ms > $2 AND state = 'open'
		AND NOT EXISTS (SELECT 1 FROM carpool_bookings b WHERE b.ride = carpool_rides.id AND b.state IN ('asked', 'accepted', 'boarded'))`
	for _, q := range []string{
		// A ride that bookings of the past name stays, and gives its day back.
		`UPDATE carpool_rides SET state = 'cancelled', slot = id WHERE ` + empty + ` AND EXISTS (SELECT 1 FROM carpool_bookings b WHERE b.ride = carpool_rides.id)`,
		`DELETE FROM carpool_stops WHERE ride IN (SELECT id FROM carpool_rides WHERE ` + empty + `)`,
		`DELETE FROM carpool_rides WHERE ` + empty,
	} {
		if _, err := tx.Exec(ctx, q, string(id), store.Millis(tx.Now)); err != nil {
			return nil, fmt.Errorf("take rides of %s away: %w", id, err)
		}
	}
	return booked, nil
}

// tellAll tells the riders of some bookings one thing, each once.
func (b base) tellAll(ctx context.Context, tx *store.Tx, bookings []Booking, kind NoticeKind, reason string) error {
	for _, bk := range bookings {
		err := Tell(ctx, tx, b.deps.Outbox, Notice{
			Key: fmt.Sprintf("%s:%s:%s:%d", kind, bk.ID, reason, store.Millis(tx.Now)), Member: bk.Rider, Kind: kind,
			With: map[string]string{WithBooking: string(bk.ID), WithReason: reason}, Due: bk.Pickup.At,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Pause lays out no more rides until Resume. Rides that nobody booked go; the
// others stay as agreed and take nobody else in.
func (p *Offers) Pause(ctx context.Context, by By, id OfferID) error {
	return p.turn(ctx, by, id, "pause", OfferOpen, func(tx *store.Tx, o Offer) error {
		if err := p.notSeen(ctx, tx, id); err != nil {
			return err
		}
		if _, err := p.clear(ctx, tx, id); err != nil {
			return err
		}
		o.State = OfferPaused
		if err := putOffer(ctx, tx, o, ""); err != nil {
			return err
		}
		return reseat(ctx, tx, o)
	})
}

// Resume lays rides out again.
func (p *Offers) Resume(ctx context.Context, by By, id OfferID) error {
	var o Offer
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) { o, err = p.myOffer(ctx, tx, by, id); return err })
	if err != nil {
		return fmt.Errorf("resume offer: %w", err)
	}
	way, err := p.wayOf(ctx, o)
	if err != nil {
		return fmt.Errorf("resume offer: %w", err)
	}
	return p.turn(ctx, by, id, "resume", OfferPaused, func(tx *store.Tx, o Offer) error {
		o.State = OfferOpen
		if err := p.mayOffer(ctx, tx, by, o); err != nil {
			return err
		}
		if err := p.layAnew(ctx, tx, o, way); err != nil {
			return err
		}
		return reseat(ctx, tx, o)
	})
}

// End ends an offer with all its rides to come. Whoever had booked is told, and
// another lift is looked for at once.
func (p *Offers) End(ctx context.Context, by By, id OfferID, reason string) error {
	if err := p.cfg.short("reason", &reason); err != nil {
		return err
	}
	err := p.turn(ctx, by, id, "end", "", func(tx *store.Tx, o Offer) error {
		if err := p.noLonger(ctx, tx, o.Driver, o.ID, "driver", reason); err != nil {
			return err
		}
		return p.endIn(ctx, tx, o, "driver", reason)
	})
	if err == nil {
		(&Bookings{p.base}).settleDue(ctx)
	}
	return err
}

// turn changes the state of an offer from one; "" is any that has not ended.
func (p *Offers) turn(ctx context.Context, by By, id OfferID, verb string, from OfferState, do func(*store.Tx, Offer) error) error {
	err := p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		o, err := p.myOffer(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if o.State != from && (from != "" || o.State == OfferEnded) {
			return fault.New(fault.Conflict, "it is %s already", o.State)
		}
		if err := do(tx, o); err != nil {
			return err
		}
		return p.noteOffer(ctx, tx, by, verb, o)
	})
	if err != nil {
		return fmt.Errorf("%s offer: %w", verb, err)
	}
	return nil
}

// endIn ends an offer: its rides are cancelled, but for who is aboard already;
// its addresses are erased after the last ride.
func (b base) endIn(ctx context.Context, tx *store.Tx, o Offer, who, reason string) error {
	if _, err := b.clear(ctx, tx, o.ID); err != nil {
		return err
	}
	rides, err := ridesWhere(ctx, tx, `offer = $1 AND arrive_ms > $2 AND state IN ('open', 'under-way')`, string(o.ID), store.Millis(tx.Now))
	if err != nil {
		return err
	}
	for _, r := range rides {
		if err := b.stopRideIn(ctx, tx, r, who, reason); err != nil {
			return err
		}
	}
	o.State = OfferEnded
	if err := putOffer(ctx, tx, o, ""); err != nil {
		return err
	}
	return eraseAfterRides(ctx, tx, tx.Now, b.cfg.AddressKept, o.From, o.To)
}
