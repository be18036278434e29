package interop

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

const far = "lontani.colle.example"

// teller is a world with an operator that may keep bookings of its own.
func teller(t *testing.T, db *store.DB) *world {
	w := newWorld(t, db, newVillage(), nil)
	k, err := w.Operators.Add(t.Context(), Operator{ID: far, Name: "Lontani", Scopes: []Scope{ScopeBook, ScopeEvent, ScopeOwn}})
	if err != nil {
		t.Fatal(err)
	}
	w.key[far] = k.Key
	return w
}

func toldEvent(n, booking int, st Status) Event {
	b := posted(booking)
	p := User{ID: "pax", Operator: far, Alias: "Giovanna", FirstName: "Giovanna", LastName: "Ferrero"}
	return Event{ID: fmt.Sprintf("00000000-0000-4000-9000-%012x", n), IDToken: "x", Data: EventBooking{ID: b.ID, PickupDate: b.PickupDate,
		PickupLat: 44.50011, PickupLng: 8.10022, DropLat: 44.60033, DropLng: 8.20044, PickupAddress: "Via Roma 1", Status: st, WebURL: "https://x.example/secret", Passenger: &p}}
}

// TestToldBookings are read back by whoever told of them, and by nobody else; of
// people, places and addresses nothing is kept that the standard does not ask for.
func TestToldBookings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := teller(t, db)
		id := "/bookings/" + posted(1).ID
		w.ask(far, "GET", id, nil).want(t, 404, "")
		w.ask(far, "POST", "/booking_events", toldEvent(1, 1, Waiting)).want(t, 200, "")
		w.ask(far, "POST", "/booking_events", toldEvent(1, 1, Waiting)).want(t, 200, "")
		got := w.ask(far, "GET", id, nil)
		got.want(t, 200, string(Waiting))
		for _, word := range []string{"Giovanna", "Ferrero", "Via Roma", "secret", "44.50011", "8.10022"} {
			if strings.Contains(got.body, word) {
				t.Errorf("%q is kept: %s", word, got.body)
			}
			var n int
			if err := db.View(t.Context(), func(tx *store.Tx) error {
				return tx.QueryRow(t.Context(), `SELECT count(*) FROM interop_told WHERE body LIKE '%' || $1 || '%'`, word).Scan(&n)
			}); err != nil || n != 0 {
				t.Errorf("%q is in %d rows: %v", word, n, err)
			}
		}
		w.ask(others, "GET", id, nil).want(t, 404, "")
		w.ask(friends, "POST", "/booking_events", toldEvent(2, 1, Cancelled)).want(t, 400, "may not keep")
		w.ask(far, "PATCH", id+"?status=CANCELLED", nil).want(t, 404, "")
		w.ask(far, "POST", "/booking_events", toldEvent(3, 1, Confirmed)).want(t, 200, "")
		w.ask(far, "POST", "/booking_events", toldEvent(4, 1, Waiting)).want(t, 400, "status_already_set")
		w.ask(far, "GET", id, nil).want(t, 200, string(Confirmed))

		// A booking that is made here is not hidden by it, whoever told of its id.
		b := posted(2)
		w.ask(far, "POST", "/booking_events", toldEvent(5, 2, Cancelled)).want(t, 200, "")
		w.ask(friends, "POST", "/bookings", b).want(t, 201, "")
		w.ask(friends, "GET", "/bookings/"+b.ID, nil).want(t, 200, string(Waiting))
		w.ask(far, "GET", "/bookings/"+b.ID, nil).want(t, 200, string(Cancelled))
		w.ask(far, "POST", "/booking_events", toldEvent(6, 2, Validated)).want(t, 400, "status_already_set")
		w.ask(friends, "GET", "/bookings/"+b.ID, nil).want(t, 200, string(Waiting))

		// Past and far days are not taken; what is kept goes after a week.
		for _, d := range []time.Duration{-10 * 24 * time.Hour, 400 * 24 * time.Hour} {
			e := toldEvent(7, 3, Waiting)
			e.Data.PickupDate = Unix(w.now.Add(d).Unix())
			w.ask(far, "POST", "/booking_events", e).want(t, 400, "passengerPickupDate")
		}
		if err := w.forget(t.Context(), posted(1).PickupDate.Time().Add(keepTold-time.Hour)); err != nil {
			t.Fatal(err)
		}
		w.ask(far, "GET", id, nil).want(t, 200, "")
		if err := w.forget(t.Context(), posted(1).PickupDate.Time().Add(keepTold+time.Hour)); err != nil {
			t.Fatal(err)
		}
		w.ask(far, "GET", id, nil).want(t, 404, "")
		w.ask(far, "POST", "/booking_events", toldEvent(8, 4, Waiting)).want(t, 200, "")
		if err := w.Operators.Revoke(t.Context(), far); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.View(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT count(*) FROM interop_told`).Scan(&n)
		}); err != nil || n != 0 {
			t.Errorf("%d are kept of an operator that was revoked: %v", n, err)
		}
	})
}

// TestToldBookingsAreBounded: an operator fills no disk, also many at once.
func TestToldBookingsAreBounded(t *testing.T) {
	w := teller(t, storetest.SQLite(t))
	op := Operator{ID: far, Scopes: []Scope{ScopeEvent, ScopeOwn}}
	b := posted(1)
	for n := range mostTold - 5 {
		b.ID = fmt.Sprintf("00000000-0000-4000-a000-%012x", n)
		if err := w.keepTold(t.Context(), op, b); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	took, full := 0, 0
	for n := range 20 {
		wg.Go(func() {
			b := b
			b.ID = fmt.Sprintf("00000000-0000-4000-b000-%012x", n)
			err := w.keepTold(t.Context(), op, b)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				took++
			case fault.Of(err) == fault.Invalid:
				full++
			}
		})
	}
	wg.Wait()
	if took != 5 || full != 15 {
		t.Errorf("%d taken, %d refused", took, full)
	}
}
