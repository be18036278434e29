package carpool_test

import (
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// carOf is the one car of a driver.
func (w *town) carOf(driver carpool.By) carpool.Vehicle {
	w.t.Helper()
	v, err := w.Members.Vehicles(w.t.Context(), driver.Member)
	if err != nil || len(v) != 1 {
		w.t.Fatalf("%v, %v", v, err)
	}
	return v[0]
}

// TestACarInUse does not become less than what is counted on.
func TestACarInUse(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		o := once(car, wednesday, "07:10")
		o.Carries = carpool.Needs{WalkingFrame: true}
		o, _ = w.offer(driver, o)
		rider := w.resident()
		wish := need(wednesday, "07:00", "08:30")
		wish.Needs.WalkingFrame = true
		w.accepted(driver, rider, w.request(rider, wish, nil))
		put := func(change func(*carpool.Vehicle)) error {
			v := w.carOf(driver)
			change(&v)
			_, err := w.Members.PutVehicle(t.Context(), driver, v)
			return err
		}
		w.refused(put(func(v *carpool.Vehicle) { v.Seats = 2 }), fault.Conflict, "fewer seats than an offer has")
		w.refused(put(func(v *carpool.Vehicle) { v.Carries = carpool.Needs{} }), fault.Conflict, "less than an offer carries")
		if err := put(func(v *carpool.Vehicle) { v.Seats = 3 }); err != nil {
			t.Error(err)
		}
		if err := w.Offers.Pause(t.Context(), driver, o.ID); err != nil {
			t.Fatal(err)
		}
		w.refused(put(func(v *carpool.Vehicle) { v.Carries = carpool.Needs{} }), fault.Conflict, "less than a rider needs")
		if err := put(func(v *carpool.Vehicle) { v.Seats = 1 }); err != nil {
			t.Error(err)
		}
		w.refused(w.Offers.Resume(t.Context(), driver, o.ID), fault.Invalid, "resumed with more seats than the car has")
	})
}

// TestSeatsOfARideThatIsKept follow the offer down to those that are taken.
func TestSeatsOfARideThatIsKept(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		o, ride := w.offer(driver, once(car, wednesday, "07:10"))
		wish := need(wednesday, "07:00", "08:30")
		a, b := w.resident(), w.resident()
		w.accepted(driver, a, w.request(a, wish, nil))
		asked := w.book(b, w.request(b, wish, nil))
		seats := func(want int) {
			t.Helper()
			if r, err := w.Offers.Ride(t.Context(), ride.ID); err != nil || r.Seats != want {
				t.Errorf("%d seats, want %d (%v)", r.Seats, want, err)
			}
		}
		o.Seats, o.Aboard = 1, 3
		o, err := w.Offers.Change(t.Context(), driver, o)
		if err != nil {
			t.Fatal(err)
		}
		seats(1)
		_, err = w.Bookings.Accept(t.Context(), driver, asked.ID, "")
		w.refused(err, fault.Conflict, "a second rider on the one seat")
		if v, err := w.Bookings.Get(t.Context(), b, asked.ID); err != nil || v.State != carpool.Declined || v.Reason != carpool.ReasonTaken {
			t.Errorf("%+v, %v", v.Booking, err)
		}
		if m := w.matches(w.request(b, wish, nil)); len(m) != 0 {
			t.Errorf("a full ride is found: %v", m)
		}
		o.Seats, o.Aboard = 3, 0
		if o, err = w.Offers.Change(t.Context(), driver, o); err != nil {
			t.Fatal(err)
		}
		seats(3)
		c := w.resident()
		w.accepted(driver, c, w.request(c, wish, nil))
		o.Seats, o.Aboard = 1, 3
		_, err = w.Offers.Change(t.Context(), driver, o)
		w.refused(err, fault.Conflict, "more aboard than the riders leave room for")
	})
}

// TestAPausedOffer takes in nobody but who asked before.
func TestAPausedOffer(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		o, ride := w.offer(driver, once(car, wednesday, "07:10"))
		wish := need(wednesday, "07:00", "08:30")
		a, b, c := w.resident(), w.resident(), w.resident()
		w.accepted(driver, a, w.request(a, wish, nil))
		asked := w.book(b, w.request(b, wish, nil))
		if err := w.Offers.Pause(t.Context(), driver, o.ID); err != nil {
			t.Fatal(err)
		}
		r := w.request(c, wish, nil)
		_, err := w.Bookings.Book(t.Context(), c, r.ID, carpool.Match{Ride: ride.ID, Pickup: carpool.MatchStop{Place: "niella"}, Drop: carpool.MatchStop{Place: "alba"}}, "")
		w.refused(err, fault.Conflict, "a new rider of a paused offer")
		if _, err := w.Bookings.Accept(t.Context(), driver, asked.ID, ""); err != nil {
			t.Error(err)
		}
		if m := w.matches(r); len(m) != 0 {
			t.Errorf("a paused offer is found: %v", m)
		}
		if err := w.Offers.Resume(t.Context(), driver, o.ID); err != nil {
			t.Fatal(err)
		}
		w.accepted(driver, c, r)
	})
}
