package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// TestOneDriverTwoRides: no rider is taken into a ride whose detour runs into
// the driver's next one.
func TestOneDriverTwoRides(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		_, err := w.Places.Put(t.Context(), carpool.By{Account: "office"}, carpool.Place{ID: "fuori", Comune: "004009", Name: "Fuori",
			At: lonlat(8.15, 44.60), Kind: carpool.Square, Lit: true, StepFree: true})
		if err != nil {
			t.Fatal(err)
		}
		driver, car := w.driver("2027-12-31")
		_, first := w.offer(driver, once(car, wednesday, "07:10"))
		end := first.Stops[1].At
		far := carpool.Request{From: carpool.Spot{Place: "fuori"}, To: carpool.Spot{Place: "alba"}, When: carpool.Window{From: local(wednesday, "07:00"), To: local(wednesday, "08:30")}}
		early, late := w.resident(), w.resident()
		r := w.request(early, far, nil)
		asked := w.book(early, r) // while the driver has no other ride

		back := once(car, wednesday, carpool.Clock(end.Add(2*time.Minute).In(rome).Format("15:04")))
		back.From, back.To = back.To, back.From
		_, second := w.offer(driver, back)
		_, err = w.Bookings.Accept(t.Context(), driver, asked.ID, "")
		w.refused(err, fault.Conflict, "a detour into the next ride")
		if v, err := w.Bookings.Get(t.Context(), early, asked.ID); err != nil || v.State != carpool.Declined {
			t.Errorf("%+v, %v", v.Booking, err)
		}
		if m := w.matches(w.request(late, far, nil)); len(m) != 0 {
			t.Errorf("found: %+v", m)
		}
		near := w.resident()
		w.accepted(driver, near, w.request(near, need(wednesday, "07:00", "08:30"), nil)) // on the way, without a detour
		if first, err = w.Offers.Ride(t.Context(), first.ID); err != nil || first.Taken != 1 || first.Stops[len(first.Stops)-1].At.After(second.Stops[0].At) {
			t.Errorf("%+v, %v", first, err)
		}
	})
}

// TestRidesAcrossMidnight of one driver do not overlap either.
func TestRidesAcrossMidnight(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		w.offer(driver, once(car, wednesday, "23:50"))
		_, err := w.Offers.Add(t.Context(), driver, once(car, "2026-11-26", "00:05"), "")
		w.refused(err, fault.Conflict, "two rides at one time across midnight")
		w.offer(driver, once(car, "2026-11-26", "01:00"))
	})
}
