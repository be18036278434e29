package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Bounds of an offer.
const (
	mostDetour = 45 * time.Minute
	mostFlex   = time.Hour
	mostAhead  = 366 // days
)

// checkOffer refuses what is wrong whoever offers it.
func (c Config) checkOffer(o Offer) (Offer, error) {
	if o.MaxDetour == 0 {
		o.MaxDetour = c.MaxDetour
	}
	if err := span("max_detour", o.MaxDetour, mostDetour); err != nil {
		return o, err
	}
	if err := span("flex", o.Flex, mostFlex); err != nil {
		return o, err
	}
	if err := c.short("note", &o.Note); err != nil {
		return o, err
	}
	if err := o.When.Check(); err != nil {
		return o, err
	}
	switch {
	case o.Seats < 1 || o.Seats > c.Limits.Seats:
		return o, fault.New(fault.Invalid, "seats: offer between 1 and %d", c.Limits.Seats)
	case o.Aboard < 0 || o.Aboard > c.Limits.Seats:
		return o, fault.New(fault.Invalid, "aboard: between 0 and %d who are in the car already", c.Limits.Seats)
	case o.Carries.ChildSeats < 0 || o.Carries.ChildSeats > o.Seats:
		return o, fault.New(fault.Invalid, "child seats: between 0 and the %d seats on offer", o.Seats)
	case o.MilliEURKm < 0 || o.MilliEURKm > c.Caps.Most:
		return o, fault.New(fault.Invalid, "contribution: between 0 and %d thousandths of a euro per km; costs are shared, nothing is earned", c.Caps.Most)
	}
	return o, nil
}

// Add offers a lift, once or again and again, and lays out its rides.
func (p *Offers) Add(ctx context.Context, by By, o Offer, mark string) (Offer, error) {
	o, err := p.cfg.checkOffer(o)
	if err != nil {
		return Offer{}, err
	}
	key, err := onceOf("offer", by, mark)
	if err != nil {
		return Offer{}, err
	}
	way, err := p.wayOf(ctx, o)
	if err != nil {
		return Offer{}, fmt.Errorf("offer: %w", err)
	}
	var out Offer
	err = p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		out = o
		if id, ok, err := key.done(ctx, tx); err != nil || ok {
			if err == nil {
				out, err = offerExact(ctx, tx, OfferID(id))
			}
			return err
		}
		out.ID, out.Driver, out.State, out.Created = OfferID(newID("o")), by.Member, OfferOpen, tx.Now
		if err := p.mayOffer(ctx, tx, by, out); err != nil {
			return err
		}
		var err error
		if out.From, err = keepSpot(ctx, tx, "from", out.Driver, o.From, false); err != nil {
			return err
		}
		if out.To, err = keepSpot(ctx, tx, "to", out.Driver, o.To, false); err != nil {
			return err
		}
		if err := p.layAnew(ctx, tx, out, way); err != nil {
			return err
		}
		if err := key.note(ctx, tx, string(out.ID)); err != nil {
			return err
		}
		if err := p.noteOffer(ctx, tx, by, "add", out); err != nil {
			return err
		}
		out, err = offerExact(ctx, tx, out.ID)
		return err
	})
	if err != nil {
		return Offer{}, fmt.Errorf("offer: %w", err)
	}
	return out, nil
}

// mayOffer refuses who may not drive that car, and what the car cannot do.
func (p *Offers) mayOffer(ctx context.Context, tx *store.Tx, by By, o Offer) error {
	m, err := mayAct(ctx, tx, by, o.Driver)
	if err != nil {
		return err
	}
	v, err := vehicleIn(ctx, tx, o.Vehicle)
	if err != nil && fault.Of(err) != fault.NotFound {
		return err
	}
	if err != nil || v.Driver != m.ID || v.Gone {
		return fault.New(fault.Invalid, "vehicle: choose one of your cars")
	}
	if o.Seats+o.Aboard > v.Seats {
		return fault.New(fault.Invalid, "seats: this car has %d beside the driver, and %d are taken already", v.Seats, o.Aboard)
	}
	if !o.Carries.Met(v.Carries) {
		return fault.New(fault.Invalid, "carries: this car cannot carry that; change what is known of the car first")
	}
	if err := p.cfg.Caps.CheckRate(o, v.Class); err != nil {
		return err
	}
	if o.Return != "" {
		if r, err := offerIn(ctx, tx, o.Return); err != nil || r.Driver != o.Driver {
			return fault.New(fault.Invalid, "return: choose one of your own offers")
		}
	}
	return fitIn(ctx, tx, o.Driver, o.Vehicle, p.firstDay(o, tx.Now))
}

// firstDay of an offer from now on, as far as it can be known without the
// calendar.
func (p *Offers) firstDay(o Offer, now time.Time) Date {
	day := DateOf(now, p.cfg.Location)
	if o.When.Date > day {
		return o.When.Date
	}
	return max(day, o.When.First)
}

func (p *Offers) noteOffer(ctx context.Context, tx *store.Tx, by By, verb string, o Offer) error {
	return p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.offer." + verb, Object: string(o.ID), Detail: acting(by, nil)})
}

// acting are the details of a line of the audit log: for whom, and whether by
// the desk.
func acting(by By, more map[string]string) map[string]string {
	d := map[string]string{"member": string(by.Member)}
	if by.Desk {
		d["desk"] = "yes"
	}
	for k, v := range more {
		d[k] = v
	}
	return d
}

// Get gives an offer as anyone may see it: its ends coarse.
func (p *Offers) Get(ctx context.Context, id OfferID) (Offer, error) {
	var o Offer
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		if o, err = offerIn(ctx, tx, id); err == nil {
			o.Note, err = maskFor(ctx, tx, o.Note, o.Driver)
		}
		return err
	})
	return o, err
}

// Mine gives the offers of a driver, the newest first, with their own
// addresses. Who asks must be that driver, or the desk for them.
func (p *Offers) Mine(ctx context.Context, driver MemberID) ([]Offer, error) {
	var out []Offer
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		if out, err = offersOf(ctx, tx, driver); err != nil {
			return err
		}
		for i := range out {
			if err := out[i].exact(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func offersOf(ctx context.Context, tx *store.Tx, driver MemberID) ([]Offer, error) {
	rows, err := tx.Query(ctx, `SELECT `+offerColumns+` FROM carpool_offers WHERE driver = $1 ORDER BY created_ms DESC, id`, sentence(string(driver)))
	if err != nil {
		return nil, fmt.Errorf("read offers: %w", err)
	}
	return all(rows, scanOffer)
}

func (o *Offer) exact(ctx context.Context, tx *store.Tx) (err error) {
	if o.From, err = exactSpot(ctx, tx, o.From); err != nil {
		return err
	}
	o.To, err = exactSpot(ctx, tx, o.To)
	return err
}

func offerExact(ctx context.Context, tx *store.Tx, id OfferID) (Offer, error) {
	o, err := offerIn(ctx, tx, id)
	if err == nil {
		err = o.exact(ctx, tx)
	}
	return o, err
}
