package interop

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// postEvent takes what an operator tells of a booking that it made here, and with
// ScopeOwn of one that it made elsewhere. Nobody of the portal has linked an
// account with another operator, so an idToken names nobody and is not looked at.
func (s *Server) postEvent(r *http.Request, op Operator) (int, any, error) {
	raw, err := body(r)
	if err != nil {
		return 0, nil, err
	}
	ev, err := s.readEvent(raw)
	if err != nil {
		return 0, nil, err
	}
	words := digest(string(raw))
	if again, err := s.heard(r.Context(), op.ID, ev.ID, words); err != nil || again {
		return http.StatusOK, nil, err
	}
	err = s.hear(r.Context(), op, ev)
	var c coded
	if errors.As(err, &c) { // the standard knows only 400 here
		err = fault.New(fault.Invalid, "%s", c.code)
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, nil, s.keepEvent(r.Context(), op.ID, ev.ID, words)
}

func (s *Server) readEvent(raw json.RawMessage) (Event, error) {
	var ev Event
	if err := required(raw, "event", "id", "idToken", "data"); err != nil {
		return ev, err
	}
	var parts struct{ Data json.RawMessage }
	if err := json.Unmarshal(raw, &parts); err != nil {
		return ev, fault.New(fault.Invalid, "event: %w", err)
	}
	if err := required(parts.Data, "data", "id", "passengerPickupDate", "passengerPickupLat", "passengerPickupLng",
		"passengerDropLat", "passengerDropLng", "status", "webUrl"); err != nil {
		return ev, err
	}
	if err := json.Unmarshal(raw, &ev); err != nil {
		return ev, fault.New(fault.Invalid, "event: %w", err)
	}
	if driver := ev.Data.Driver != nil && ev.Data.Price != nil; driver == (ev.Data.Passenger != nil) {
		return ev, fault.New(fault.Invalid, "data: it must have a driver and a price, or a passenger, and not both")
	}
	var err1, err2 error
	ev.ID, err1 = uuid(ev.ID)
	ev.Data.ID, err2 = uuid(ev.Data.ID)
	if err := errors.Join(err1, err2); err != nil {
		return ev, err
	}
	return ev, ev.booking().check()
}

// booking that an event tells of.
func (ev Event) booking() Booking {
	d := ev.Data
	b := Booking{ID: d.ID, PickupDate: d.PickupDate, PickupLat: d.PickupLat, PickupLng: d.PickupLng, DropLat: d.DropLat, DropLng: d.DropLng,
		PickupAddress: d.PickupAddress, DropAddress: d.DropAddress, Status: d.Status}
	if d.Driver != nil {
		b.Driver = d.Driver.bare()
	}
	if d.Passenger != nil {
		b.Passenger = d.Passenger.bare()
	}
	if d.Price != nil {
		b.Price = *d.Price
	}
	return b
}

// hear does what an event says.
func (s *Server) hear(ctx context.Context, op Operator, ev Event) error {
	e, err := s.find(ctx, op.ID, ev.Data.ID)
	switch {
	case err == nil:
		return s.learn(ctx, e, ev.Data.Status)
	case !errors.Is(err, missingBooking):
		return err
	case s.free():
		_, err := s.book(ctx, op, digest(ev.ID), ev.booking())
		return err
	case slices.Contains(op.Scopes, ScopeOwn):
		return s.keepTold(ctx, op, ev.booking())
	}
	return fault.New(fault.Invalid, "data: id: you have no such booking here, and your key may not keep bookings of your own")
}

// learn takes what an operator says of its booking. What is so here already, as
// when the driver has said yes and our own event of it is still on its way, both
// know from then on.
func (s *Server) learn(ctx context.Context, e entry, to Status) error {
	is, err := s.now(ctx, e.operator, e.ID)
	if err != nil {
		return err
	}
	if is.Status == to && e.Status != to {
		return s.note(ctx, e.ID, to)
	}
	return s.move(ctx, e.operator, e.ID, to, "")
}

// heard says whether an event came before. The same name with other words is
// refused.
func (s *Server) heard(ctx context.Context, operator, id, words string) (bool, error) {
	var before string
	err := s.deps.Store.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT digest FROM interop_events WHERE operator = $1 AND id = $2`, operator, id).Scan(&before)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err == nil && before != words:
		return false, fault.New(fault.Invalid, "id: another event of that id came before")
	}
	return err == nil, err
}

func (s *Server) keepEvent(ctx context.Context, operator, id, words string) error {
	return s.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.outside.event", Object: id, Detail: map[string]string{"operator": operator}}, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO interop_events (operator, id, digest, at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (operator, id) DO NOTHING`,
			operator, id, words, store.Millis(tx.Now))
		return err
	})
}

// postMessage brings a passenger's words to a user of the portal.
func (s *Server) postMessage(r *http.Request, op Operator) (int, any, error) {
	raw, err := body(r)
	if err != nil {
		return 0, nil, err
	}
	var m Message
	if err := required(raw, "message", "from", "to", "message", "recipientCarpoolerType"); err != nil {
		return 0, nil, err
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return 0, nil, fault.New(fault.Invalid, "message: %w", err)
	}
	if err := s.checkMessage(m, op); errors.Is(err, missingUser) {
		return http.StatusNotFound, nil, nil
	} else if err != nil {
		return 0, nil, err
	}
	ref := ""
	if m.Booking != "" {
		id, err := uuid(m.Booking)
		if err != nil {
			return 0, nil, err
		}
		e, err := s.find(r.Context(), op.ID, id)
		if errors.Is(err, missingBooking) {
			return http.StatusNotFound, nil, nil
		}
		if err != nil {
			return 0, nil, err
		}
		if !s.free() && e.Passenger.ID != m.From.ID {
			return 0, nil, fault.New(fault.Denied, "from: id: not the passenger of that booking")
		}
		ref = e.ref
	}
	err = s.deps.Portal.Message(r.Context(), op.ID, ref, m)
	var c coded
	if errors.As(err, &c) { // the standard gives it no body here
		return c.status, nil, nil
	}
	return http.StatusCreated, nil, err
}

func (s *Server) checkMessage(m Message, op Operator) error {
	if err := bounded("message", m.Message, maxMessage); err != nil {
		return err
	}
	if err := errors.Join(m.From.check(), m.To.check()); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(m.Message) == "":
		return fault.New(fault.Invalid, "message: it is empty")
	case m.Recipient != "DRIVER" && m.Recipient != "PASSENGER":
		return fault.New(fault.Invalid, "recipientCarpoolerType: DRIVER or PASSENGER")
	case s.free():
		return nil
	case m.From.Operator != op.ID:
		return fault.New(fault.Denied, "from: operator: yours is %s", op.ID)
	case m.To.Operator != s.cfg.Operator:
		return missingUser
	}
	return nil
}
