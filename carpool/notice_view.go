package carpool

import (
	"context"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// NoticeView is a notice with what its reader may see at this moment. It is
// made anew each time the notice is sent, so that nobody reads what they may
// not see any more.
type NoticeView struct {
	Notice  Notice
	To      Member      // who is told
	Reach   Member      // whose ways to be reached are used: To, or the guardian of a minor who has none
	Trusted bool        // it goes to the trusted contact of To
	For     string      // first name of whom it is about, when a guardian or a trusted contact reads it
	Nobody  bool        // the member has left: nothing is sent
	Stale   bool        // settled meanwhile, or read on the page: nothing is sent
	Trip    *NoticeTrip // of a booking, a request or a ride
	Listed  *Listed     // whom to call
	Bus     *Bus        // the way is a bus: its line, stop and time, as far as they are known
	Car     string      // of a check: "Panda rossa"
	Until   Date        // of a check that runs out
	IO      bool        // App IO may be given the fiscal code
}

// NoticeTrip is a journey as the reader may see it.
type NoticeTrip struct {
	Booking BookingID
	Driver  bool   // the reader drives
	Other   string // the first name; the whole name after acceptance; "" when it may not be seen
	Phone   string // of the other, after acceptance
	Car     string // of the driver, to the rider, after acceptance
	From    string // meeting point; "" at a door, which FromDoor says
	To      string
	// A door: for the rider their own; the driver learns the address on the
	// page or by voice only, since mails and short messages are not erased.
	FromDoor, ToDoor       bool
	FromAddress, ToAddress string // for a driver who accepted; read out by the desk, never sent
	Leave, Arrive          time.Time
	Window                 bool // Leave and Arrive are a wish's, not a ride's
	Seats                  int
	Cents                  int
	State                  BookingState
	Deadline               time.Time // of the driver's answer
	Changed                time.Time
}

// NoticeView reads a notice for whoever is told. A member who has left is
// Nobody; what is missing otherwise is left out, never an error, so that people
// hear that something changed even when its details are gone.
func (p *Portal) NoticeView(ctx context.Context, id string) (NoticeView, error) {
	var out NoticeView
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) { out, err = p.noticeView(ctx, tx, id); return err })
	return out, err
}

func (b base) noticeView(ctx context.Context, tx *store.Tx, id string) (NoticeView, error) {
	var v NoticeView
	n, err := noticeIn(ctx, tx, id)
	if err != nil {
		return v, err
	}
	v.Notice, v.Stale = n, n.Shown != nil
	v.To, err = memberIn(ctx, tx, n.Member)
	if fault.Of(err) == fault.NotFound && err != nil || err == nil && v.To.State == Gone {
		v.To, v.Nobody = Member{ID: n.Member, State: Gone}, true
		return v, nil
	}
	if err != nil {
		return v, err
	}
	if v.Trusted = n.With[WithTo] == "trusted"; v.Trusted && v.To.Trusted.Phone == "" {
		v.Nobody = true
		return v, nil
	}
	v.Reach = v.To
	if v.Trusted {
		v.For = v.To.First
	}
	if v.To.Minor && v.To.Guardian != "" && len(v.To.Channels) == 0 && !v.Trusted {
		if guarded(n.Kind) { // the guardian is told on their own
			v.Nobody = true
			return v, nil
		}
		g, err := memberIn(ctx, tx, v.To.Guardian)
		if err != nil && fault.Of(err) != fault.NotFound {
			return v, err
		}
		if err == nil && g.State != Gone {
			v.Reach, v.For = g, v.To.First
		}
	}
	if _, v.IO, err = consentIn(ctx, tx, v.Reach.ID, ConsentIO); err != nil {
		return v, err
	}
	return v, v.fill(ctx, tx, b.cfg)
}

// guarded says whether the guardian of a minor gets a notice of their own
// where the minor gets one of this kind.
func guarded(kind NoticeKind) bool {
	return slices.Contains([]NoticeKind{NoticeAccepted, NoticeCancelled, NoticeBoarded, NoticeCompleted, NoticeNoShow}, kind)
}

// fill reads what the notice is about.
func (v *NoticeView) fill(ctx context.Context, tx *store.Tx, cfg Config) error {
	with := v.Notice.With
	booking := func(ctx context.Context, tx *store.Tx, id string) error {
		return v.booking(ctx, tx, id, cfg.AddressKept)
	}
	steps := []struct {
		id   string
		read func(context.Context, *store.Tx, string) error
	}{
		{with[WithBooking], booking}, {with[WithRequest], v.request}, {with[WithRide], v.ride},
		{with[WithListed], v.listed}, {with[WithVehicle], v.vehicle},
	}
	for _, s := range steps {
		if s.id == "" {
			continue
		}
		if err := s.read(ctx, tx, s.id); err != nil && fault.Of(err) != fault.NotFound {
			return err
		}
	}
	if line := with[WithBus]; line != "" {
		v.Bus = &Bus{Line: line, From: with[WithStop]}
		if at, err := time.Parse(time.RFC3339, with[WithDepart]); err == nil {
			v.Bus.Depart = at
		}
	}
	if d := Date(with[WithUntil]); d.Check() == nil {
		v.Until = d
	}
	if v.Trip == nil && (v.Notice.Kind == NoticeAsked || v.Notice.Kind == NoticeReminder) {
		v.Stale = true // the booking is gone, and with it the question
	}
	return nil
}

// over says that a booking in this state makes a notice of this kind
// pointless.
func over(kind NoticeKind, s BookingState) bool {
	switch kind {
	case NoticeAsked:
		return s != Asked
	case NoticeReminder:
		return s != Accepted
	case NoticeAtRisk, NoticeSafe:
		return s.ended()
	case NoticeAccepted, NoticeMoved:
		return !s.Holds()
	}
	return false
}

// past says that a request in this state makes a notice of this kind
// pointless.
func past(kind NoticeKind, s RequestState) bool {
	switch kind {
	case NoticeSearching, NoticeOfferFound, NoticeRoadAsked:
		return slices.Contains([]RequestState{RequestBooked, RequestDone, RequestWithdrawn}, s)
	case NoticeListed:
		return s != RequestListed
	case NoticeDesk:
		return s != RequestDesk
	}
	return false
}

func (v *NoticeView) listed(ctx context.Context, tx *store.Tx, id string) error {
	l, err := scanListed(tx.QueryRow(ctx, `SELECT `+listedColumns+` FROM carpool_listed WHERE id = $1`, sentence(id)))
	if err != nil {
		return none(err)
	}
	v.Listed = &l
	return nil
}

func (v *NoticeView) vehicle(ctx context.Context, tx *store.Tx, id string) error {
	c, err := vehicleIn(ctx, tx, VehicleID(id))
	if err == nil && c.Driver == v.To.ID {
		v.Car = c.Label
	}
	return err
}
