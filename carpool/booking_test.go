package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// TestALift is the plain story: asked, accepted, boarded, completed.
func TestALift(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		rider := w.resident()
		_, ride := w.offer(driver, once(car, "2026-11-25", "07:10"))
		r := w.request(rider, need("2026-11-25", "07:00", "08:00"), nil)
		if r.State != carpool.RequestOpen || r.Way.Kind != carpool.WaySearch || !r.Way.Until.Equal(local("2026-11-24", "07:00")) {
			t.Fatalf("a fresh request has way %+v in state %s", r.Way, r.State)
		}
		bk := w.book(rider, r)
		if bk.State != carpool.Asked || bk.Ride != ride.ID || bk.Cents == 0 || bk.Metres < 30000 {
			t.Fatalf("asked: %+v", bk)
		}
		if want := w.clock().Add(12 * time.Hour); !bk.Deadline.Equal(want) {
			t.Errorf("deadline %v, want %v", bk.Deadline, want)
		}
		if got := w.requestOf(rider, r.ID); got.Way.Kind != carpool.WayAsked || got.Way.Booking != bk.ID {
			t.Errorf("way %+v", got.Way)
		}
		v, err := w.Bookings.Get(t.Context(), driver, bk.ID)
		if err != nil || v.RiderIs.Last != "" || v.RiderIs.Phone != "" || v.RiderIs.First == "" {
			t.Errorf("before acceptance the driver sees %+v, %v", v.RiderIs, err)
		}
		if v, err = w.Bookings.Get(t.Context(), rider, bk.ID); err != nil || v.DriverIs.Phone != "" || v.Plate != "" {
			t.Errorf("before acceptance the rider sees %+v, %v", v, err)
		}
		got, err := w.Bookings.Accept(t.Context(), driver, bk.ID, "")
		if err != nil || got.State != carpool.Accepted {
			t.Fatalf("accept: %+v, %v", got, err)
		}
		if v, err = w.Bookings.Get(t.Context(), rider, bk.ID); err != nil || v.DriverIs.Phone == "" || v.Plate == "" {
			t.Errorf("after acceptance the rider sees %+v, %v", v, err)
		}
		now, err := w.Offers.Ride(t.Context(), ride.ID)
		if err != nil || len(now.Stops) != 4 || now.Taken != 1 || now.Stops[1].Booking != bk.ID {
			t.Errorf("the ride: %+v, %v", now, err)
		}
		for _, m := range []carpool.MemberID{rider.Member, driver.Member} {
			if w.told(m, carpool.NoticeAccepted) != 1 {
				t.Errorf("%s was not told", m)
			}
		}
		stranger := w.resident()
		_, err = w.Bookings.Get(t.Context(), stranger, bk.ID)
		w.refused(err, fault.Denied, "a stranger looks")
		_, err = w.Bookings.Accept(t.Context(), driver, bk.ID, "")
		w.refused(err, fault.Conflict, "accept twice")

		w.at(got.Pickup.At.Add(time.Minute))
		w.round()
		if got, err = w.Bookings.Board(t.Context(), driver, bk.ID, ""); err != nil || got.State != carpool.Boarded {
			t.Fatalf("board: %+v, %v", got, err)
		}
		w.at(got.Drop.At.Add(carpool.ArrivedAfter))
		w.round()
		if got := w.requestOf(rider, r.ID); got.State != carpool.RequestDone {
			t.Errorf("after the lift the request is %s", got.State)
		}
		if now, err = w.Offers.Ride(t.Context(), ride.ID); err != nil || now.State != carpool.RideDone {
			t.Errorf("after the lift the ride is %+v, %v", now, err)
		}
		if w.told(rider.Member, carpool.NoticeCompleted) != 1 || w.told(driver.Member, carpool.NoticeBoarded)+w.told(rider.Member, carpool.NoticeBoarded) != 1 {
			t.Error("completion or boarding was not told")
		}
		w.later(25 * time.Hour)
		if v, err = w.Bookings.Get(t.Context(), rider, bk.ID); err != nil || v.DriverIs.Phone != "" || v.DriverIs.Last != "" {
			t.Errorf("a day later the rider still sees %+v, %v", v.DriverIs, err)
		}
	})
}
