package carpool_test

import (
	"strings"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

func TestNotesTellNoNumberBeforeTheAcceptance(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		o := once(car, wednesday, "07:10")
		o.Note = "Cognome, 333 1234567, cani no"
		o, _ = w.offer(d, o)
		a := w.resident()
		q := need(wednesday, "07:00", "08:30")
		q.Note = "chiamami 333 7654321, Cognome, ho una valigia"
		r := w.request(a, q, nil)
		bk := w.book(a, r)
		if got := w.view(d, bk.ID).Note; got != "chiamami […], […], ho una valigia" {
			t.Errorf("the driver who was asked reads %q", got)
		}
		if got := w.view(a, bk.ID); got.Note != q.Note || got.OfferNote != "[…], […], cani no" {
			t.Errorf("the rider reads %q and %q", got.Note, got.OfferNote)
		}
		if got := w.view(d, bk.ID).OfferNote; got != o.Note {
			t.Errorf("the driver reads their own note as %q", got)
		}
		if got, err := w.Offers.Get(t.Context(), o.ID); err != nil || got.Note != "[…], […], cani no" {
			t.Errorf("anyone reads %q, %v", got.Note, err)
		}
		_, err := w.Bookings.Accept(t.Context(), d, bk.ID, "")
		must(t, err)
		if got := w.view(d, bk.ID).Note; got != q.Note {
			t.Errorf("the driver who accepted reads %q", got)
		}
		b := w.resident()
		bk = w.book(b, w.request(b, need(wednesday, "07:00", "08:30"), nil))
		_, err = w.Bookings.Decline(t.Context(), d, bk.ID, "pieno, 333 1234567")
		must(t, err)
		if got := w.view(b, bk.ID).Reason; got != "pieno, […]" {
			t.Errorf("who was declined reads %q", got)
		}
		if got := w.view(d, bk.ID).Reason; got != "pieno, 333 1234567" {
			t.Errorf("who declined reads %q", got)
		}
	})
}

// TestNotesAreText: what one database takes and the other does not is refused
// by both, in words.
func TestNotesAreText(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		o, ride := w.offer(d, once(car, wednesday, "07:10"))
		a := w.resident()
		r := w.request(a, need(wednesday, "07:00", "08:30"), nil)
		bk := w.book(a, r)
		for _, bad := range []string{"a\x00b", "a\u202eb", "\xff", strings.Repeat("a", w.cfg.Limits.Note+1)} {
			n, q := o, need(wednesday, "07:00", "08:30")
			n.ID, n.Note, q.Note = "", bad, bad
			_, err := w.Offers.Add(t.Context(), d, n, "")
			w.refused(err, fault.Invalid, "note of an offer")
			_, err = w.Bookings.Request(t.Context(), a, q, nil, "")
			w.refused(err, fault.Invalid, "note of a request")
			for _, say := range []func() error{
				func() error { _, err := w.Bookings.Accept(t.Context(), d, bk.ID, bad); return err },
				func() error { _, err := w.Bookings.Decline(t.Context(), d, bk.ID, bad); return err },
				func() error { return w.Bookings.WithdrawRequest(t.Context(), a, r.ID, bad) },
				func() error { return w.Offers.CancelRide(t.Context(), d, ride.ID, bad) },
				func() error { return w.Offers.End(t.Context(), d, o.ID, bad) },
			} {
				w.refused(say(), fault.Invalid, "reason")
			}
		}
		if v := w.view(a, bk.ID); v.State != carpool.Asked {
			t.Errorf("after refused words: %s", v.State)
		}
	})
}
