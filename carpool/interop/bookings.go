package interop

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/crinale/crinale/internal/fault"
)

// free says whether the portal is that of the standard's tester.
func (s *Server) free() bool {
	_, ok := s.deps.Portal.(free)
	return ok
}

func (s *Server) postBooking(r *http.Request, op Operator) (int, any, error) {
	raw, err := body(r)
	if err != nil {
		return 0, nil, err
	}
	b, err := s.readBooking(raw, op)
	if err != nil {
		return 0, nil, err
	}
	e, err := s.book(r.Context(), op, digest(string(raw)), b)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, e.Booking, nil
}

// readBooking checks what an operator posts: the passenger is its own, the
// driver ours.
func (s *Server) readBooking(raw json.RawMessage, op Operator) (Booking, error) {
	var b Booking
	if err := required(raw, "booking", "id", "driver", "passenger", "status", "price", "passengerPickupDate",
		"passengerPickupLat", "passengerPickupLng", "passengerDropLat", "passengerDropLng"); err != nil {
		return b, err
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		return b, fault.New(fault.Invalid, "booking: %w", err)
	}
	var err error
	if b.ID, err = uuid(b.ID); err != nil {
		return b, err
	}
	if err := b.check(); err != nil {
		return b, err
	}
	b.Passenger, b.Driver, b.Car, b.WebURL = b.Passenger.bare(), b.Driver.bare(), nil, ""
	switch {
	case b.Status != Waiting:
		return b, fault.New(fault.Invalid, "status: a new booking is WAITING_CONFIRMATION")
	case s.free():
		return b, nil
	case b.Passenger.Operator != op.ID:
		return b, fault.New(fault.Denied, "passenger: operator: yours is %s", op.ID)
	case b.Driver.Operator != s.cfg.Operator:
		return b, fault.New(fault.Denied, "driver: operator: only drivers of %s can be booked here, whose papers the local police has seen", s.cfg.Operator)
	case b.DriverJourney == "":
		return b, fault.New(fault.Invalid, "driverJourneyId: name the journey that the search gave")
	case b.Passenger.ID == "":
		return b, fault.New(fault.Invalid, "passenger: id: it is empty")
	}
	return b, nil
}

// book makes a booking, or finds the one that the same words made.
func (s *Server) book(ctx context.Context, op Operator, words string, b Booking) (entry, error) {
	e, err := s.claim(ctx, op.ID, words, b)
	if err != nil {
		return e, err
	}
	if e.ref != "" {
		return e, nil
	}
	ref, made, err := s.deps.Portal.Book(ctx, op.ID, b)
	if err != nil {
		if fault.Of(err) != fault.Internal { // it will never be: the name is free again
			err = errors.Join(err, s.drop(ctx, b.ID))
		}
		return e, err
	}
	e.ref, e.Booking = ref, made
	e.ID = b.ID
	return e, s.made(ctx, e)
}

func (s *Server) getBooking(r *http.Request, op Operator) (int, any, error) {
	id, err := uuid(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	e, err := s.now(r.Context(), op.ID, id)
	if errors.Is(err, missingBooking) {
		e.Booking, err = s.told(r.Context(), op.ID, id)
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, e.Booking, nil
}

// now is a booking with the status it has in the portal.
func (s *Server) now(ctx context.Context, operator, id string) (entry, error) {
	e, err := s.find(ctx, operator, id)
	if err != nil || e.ref == "" {
		return e, err
	}
	st, err := s.deps.Portal.Status(ctx, e.ref)
	if fault.Of(err) == fault.NotFound && err != nil { // anonymised since: what was known last
		return e, nil
	}
	if err != nil {
		return e, err
	}
	e.Status = merge(st, e.Status)
	return e, nil
}

func (s *Server) patchBooking(r *http.Request, op Operator) (int, any, error) {
	id, err := uuid(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	q := &query{values: r.URL.Query()}
	to, _ := q.one("status", true)
	message, _ := q.one("message", false)
	if !utf8.ValidString(message) || utf8.RuneCountInString(message) > maxMessage {
		q.bad("message", "longer than %d characters", maxMessage)
	}
	if q.err != nil {
		return 0, nil, q.err
	}
	return http.StatusOK, nil, s.move(r.Context(), op.ID, id, Status(to), message)
}

// move brings a booking to a status, if that may be.
func (s *Server) move(ctx context.Context, operator, id string, to Status, message string) error {
	e, err := s.now(ctx, operator, id)
	if err == nil && e.ref == "" {
		err = missingBooking // it is still being made, or could not be
	}
	if err != nil {
		return err
	}
	if err := step(e.Status, to, s.free()); err != nil {
		return err
	}
	if to != Validated || s.free() {
		err := s.deps.Portal.Move(ctx, operator, e.ref, to, message)
		if fault.Of(err) == fault.Conflict { // somebody was faster
			if again, aerr := s.now(ctx, operator, id); aerr == nil && again.Status == to {
				return alreadySet
			}
		}
		if err != nil {
			return err
		}
	}
	return s.note(ctx, id, to)
}
