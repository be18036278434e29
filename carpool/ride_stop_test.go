package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// TestADriverGoesMidway: who is aboard goes on; who still waits further on is
// told, and another is looked for.
func TestADriverGoesMidway(t *testing.T) {
	for name, stop := range map[string]func(*town, carpool.By, carpool.Offer) error{
		"suspended": func(w *town, driver carpool.By, _ carpool.Offer) error {
			s, err := w.Trust.Propose(w.t.Context(), carpool.By{Account: "x1"}, driver.Member, "alcol")
			if err == nil {
				_, err = w.Trust.Settle(w.t.Context(), carpool.By{Account: "x2"}, s.ID, true, "")
			}
			return err
		},
		"ended": func(w *town, driver carpool.By, o carpool.Offer) error {
			return w.Offers.End(w.t.Context(), driver, o.ID, "")
		},
		"car taken out": func(w *town, driver carpool.By, o carpool.Offer) error {
			return w.Members.DropVehicle(w.t.Context(), driver, o.Vehicle)
		},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newTown(t, db)
				driver, car := w.driver("2027-12-31")
				o, ride := w.offer(driver, once(car, wednesday, "07:10"))
				aboard, waits := w.resident(), w.resident()
				near := need(wednesday, "07:00", "08:30")
				near.From = carpool.Spot{Place: "bergolo"}
				a := w.accepted(driver, aboard, w.request(aboard, near, nil))
				r := w.request(waits, need(wednesday, "07:00", "08:30"), nil)
				b := w.accepted(driver, waits, r)
				w.at(b.Pickup.At.Add(-3 * time.Minute))
				if _, err := w.Bookings.Board(t.Context(), driver, a.ID, ""); err != nil {
					t.Fatal(err)
				}
				w.round()
				w.refused(w.Privacy.Forget(t.Context(), driver, driver.Member), fault.Conflict, "forgotten midway")
				if err := stop(w, driver, o); err != nil {
					t.Fatal(err)
				}
				w.round()
				for id, want := range map[carpool.BookingID]carpool.BookingState{a.ID: carpool.Boarded, b.ID: carpool.Cancelled} {
					if n := w.count(`SELECT count(*) FROM carpool_bookings WHERE id = $1 AND state = $2`, string(id), string(want)); n != 1 {
						t.Errorf("a booking is not %s", want)
					}
				}
				if got := w.requestOf(waits, r.ID); got.State == carpool.RequestBooked || w.told(waits.Member, carpool.NoticeCancelled) != 1 {
					t.Errorf("who waits: %s %+v", got.State, got.Way)
				}
				if got, err := w.Offers.Ride(t.Context(), ride.ID); err != nil || got.State != carpool.RideUnderWay {
					t.Errorf("%+v, %v", got, err)
				}
			})
		})
	}
}

// TestNobodyLeavesWhileAwaited: a driver whose ride has left is not forgotten
// while somebody waits for it.
func TestNobodyLeavesWhileAwaited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		w.offer(driver, once(car, wednesday, "07:10"))
		rider := w.resident()
		r := w.request(rider, need(wednesday, "07:00", "08:30"), nil)
		bk := w.accepted(driver, rider, r)
		w.at(bk.Pickup.At.Add(-3 * time.Minute))
		w.round()
		w.refused(w.Privacy.Forget(t.Context(), driver, driver.Member), fault.Conflict, "forgotten while awaited")
		w.at(bk.Pickup.At.Add(-time.Hour)) // before the ride has left it may be
		w.exec(`UPDATE carpool_rides SET state = 'open'`)
		if err := w.Privacy.Forget(t.Context(), driver, driver.Member); err != nil {
			t.Fatal(err)
		}
		if got := w.requestOf(rider, r.ID); got.State == carpool.RequestBooked || w.told(rider.Member, carpool.NoticeCancelled) != 1 {
			t.Errorf("who waits: %s %+v", got.State, got.Way)
		}
	})
}
