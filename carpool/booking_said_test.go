package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// calledAboard is a lift whose driver calls the rider aboard before the time
// and does not come; another driver leaves at 08:30.
func calledAboard(w *town) (driver, other, rider carpool.By, r carpool.Request, bk carpool.Booking) {
	w.t.Helper()
	driver, car := w.driver("2027-12-31")
	other, car2 := w.driver("2027-12-31")
	w.offer(driver, once(car, wednesday, "07:10"))
	rider = w.resident()
	r = w.request(rider, need(wednesday, "07:00", "08:30"), nil)
	bk = w.accepted(driver, rider, r)
	w.offer(other, once(car2, wednesday, "08:30"))
	w.at(bk.Pickup.At.Add(-20 * time.Minute))
	if _, err := w.Bookings.Board(w.t.Context(), driver, bk.ID, ""); err != nil {
		w.t.Fatal(err)
	}
	return driver, other, rider, r, bk
}

// TestTheRiderContradicts: what the driver said alone does not leave a rider
// without a way.
func TestTheRiderContradicts(t *testing.T) {
	for name, late := range map[string]func(carpool.Booking) time.Time{
		"aboard":    func(bk carpool.Booking) time.Time { return bk.Pickup.At.Add(15 * time.Minute) },
		"completed": func(bk carpool.Booking) time.Time { return bk.Drop.At.Add(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Story(t, func(t *testing.T, db *store.DB) {
				w := newTown(t, db)
				_, other, rider, r, bk := calledAboard(w)
				w.at(late(bk))
				w.round()
				v, err := w.Bookings.NoShow(t.Context(), rider, bk.ID, "non è arrivato")
				if err != nil || v.State != carpool.NoShow || v.EndedBy != carpool.AsRider {
					t.Fatalf("%+v, %v", v, err)
				}
				got := w.requestOf(rider, r.ID)
				if got.State != carpool.RequestOpen || got.Way.Kind != carpool.WayAsked || w.told(other.Member, carpool.NoticeAsked) != 1 {
					t.Errorf("%s: %+v", got.State, got.Way)
				}
				ride, err := w.Offers.Ride(t.Context(), bk.Ride)
				if err != nil || ride.Taken != 0 {
					t.Errorf("%+v, %v", ride, err)
				}
				w.round()
			})
		})
	}
}

// TestTheDriverCannotSayArrived of somebody who never got in, before the time
// of the drop; afterwards the rider may say that it is not so, for half a day.
func TestTheDriverCannotSayArrived(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		w.offer(driver, once(car, wednesday, "07:10"))
		rider := w.resident()
		r := w.request(rider, need(wednesday, "07:00", "08:30"), nil)
		bk := w.accepted(driver, rider, r)
		w.at(bk.Pickup.At)
		_, err := w.Bookings.Complete(t.Context(), driver, bk.ID, "")
		w.refused(err, fault.Invalid, "arrived at the minute of the pick-up")
		w.at(bk.Drop.At)
		if _, err = w.Bookings.Complete(t.Context(), driver, bk.ID, ""); err != nil {
			t.Fatal(err)
		}
		if got := w.requestOf(rider, r.ID); got.State != carpool.RequestDone {
			t.Fatalf("%s", got.State)
		}
		w.at(bk.Drop.At.Add(carpool.CompletedAfter))
		_, err = w.Bookings.NoShow(t.Context(), rider, bk.ID, "")
		w.refused(err, fault.Conflict, "half a day later")
		w.at(bk.Drop.At.Add(time.Hour))
		if _, err := w.Bookings.NoShow(t.Context(), rider, bk.ID, ""); err != nil {
			t.Fatal(err)
		}
		if got := w.requestOf(rider, r.ID); got.State == carpool.RequestDone || got.Way.Kind == "" {
			t.Errorf("%s: %+v", got.State, got.Way)
		}
		w.round()
	})
}

// TestAFixedReturnNobodySaw: who waits for a way home at a fixed time is looked
// after like one who said that the visit has ended.
func TestAFixedReturnNobodySaw(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		home := once(car, wednesday, "12:00")
		home.From, home.To = home.To, home.From
		w.offer(driver, home)
		rider := w.resident()
		out := need(wednesday, "07:00", "08:30")
		out.Return = carpool.ReturnAt
		r := w.request(rider, out, &carpool.Window{From: local(wednesday, "11:45"), To: local(wednesday, "13:00")})
		back := w.back(rider, r.ID)
		bk := w.accepted(driver, rider, back)
		w.at(bk.Pickup.At.Add(15*time.Minute - time.Second))
		w.round()
		if got := w.back(rider, r.ID); got.Way.Kind != carpool.WayRide {
			t.Fatalf("a little late: %+v", got.Way)
		}
		w.later(time.Second)
		w.round()
		got := w.back(rider, r.ID)
		if v, err := w.Bookings.Get(t.Context(), rider, bk.ID); err != nil || v.State != carpool.NoShow || got.State == carpool.RequestDone {
			t.Fatalf("nobody came: %+v, %v, %s", v.Booking, err, got.State)
		}
		w.at(got.Way.Until)
		w.round()
		if w.count(`SELECT count(*) FROM carpool_calls WHERE kind = $1`, carpool.WayTextDesk) == 0 {
			t.Errorf("the desk was not called: %+v", w.back(rider, r.ID).Way)
		}
	})
}

// TestAfterTheLift nobody cancels it, and the way home of a way out that was
// made stays.
func TestAfterTheLift(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		w.offer(driver, once(car, wednesday, "07:10"))
		rider := w.resident()
		out := need(wednesday, "07:00", "08:30")
		out.Return = carpool.ReturnOpen
		r := w.request(rider, out, nil)
		bk := w.accepted(driver, rider, r)
		w.at(bk.Drop.At)
		for _, by := range []carpool.By{driver, rider} {
			_, err := w.Bookings.Cancel(t.Context(), by, bk.ID, "")
			w.refused(err, fault.Conflict, "cancelled after the lift")
		}
		w.refused(w.Bookings.WithdrawRequest(t.Context(), rider, r.ID, ""), fault.Conflict, "withdrawn after the lift")
		if got := w.back(rider, r.ID); got.State != carpool.RequestWaiting {
			t.Errorf("the way home is %s", got.State)
		}
		w.at(bk.Pickup.At.Add(5 * time.Minute)) // the rider, who waits, goes by other means
		if err := w.Bookings.WithdrawRequest(t.Context(), rider, r.ID, ""); err != nil {
			t.Fatal(err)
		}
		if got := w.back(rider, r.ID); got.State != carpool.RequestWaiting {
			t.Errorf("the way home is %s", got.State)
		}
	})
}
