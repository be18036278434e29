package carpool_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// A minor is in the valley, brought there by a lift that has ended; the way home
// waits. The guardian (or the desk for them) takes back the consent.
func TestAMinorWhoIsAwayIsNotLeftThere(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		ctx := t.Context()
		guardian := w.resident()
		kid, err := w.Members.Register(ctx, guardian, carpool.Registration{Member: carpool.Member{First: "Nino", Last: "Piccolo", Comune: "004000", Minor: true, Guardian: guardian.Member},
			Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentMinor}, How: "page"})
		if err != nil {
			t.Fatal(err)
		}
		driver, car := w.driver("2027-12-31")
		w.offer(driver, once(car, wednesday, "07:10"))
		out := need(wednesday, "07:00", "08:30")
		out.Rider, out.Return = kid.ID, carpool.ReturnAt
		back := &carpool.Window{From: local(wednesday, "12:00"), To: local(wednesday, "14:00")}
		r := w.request(guardian, out, back)
		bk := w.accepted(driver, guardian, r)
		w.at(bk.Pickup.At)
		if _, err := w.Bookings.Board(ctx, driver, bk.ID, ""); err != nil {
			t.Fatal(err)
		}
		w.at(bk.Drop.At.Add(time.Minute))
		if _, err := w.Bookings.Complete(ctx, driver, bk.ID, ""); err != nil {
			t.Fatal(err)
		}
		w.round()
		if err := w.Members.Withdraw(ctx, guardian, kid.ID, carpool.ConsentMinor); err != nil {
			t.Fatal(err)
		}
		list, err := w.Bookings.Requests(ctx, kid.ID)
		if err != nil {
			t.Fatal(err)
		}
		homes := 0
		for _, q := range list {
			if q.Outward == "" {
				continue
			}
			homes++
			if q.State == carpool.RequestWithdrawn || q.Way.Kind != carpool.WayDesk {
				t.Errorf("a child in the valley: the way home is %s, %+v", q.State, q.Way)
			}
		}
		for _, q := range list {
			if q.Outward == "" {
				continue
			}
			if _, err := w.Bookings.Ready(ctx, guardian, q.ID, w.now); fault.Of(err) != fault.Conflict {
				t.Errorf("ready, while the desk has them in hand: %v", err)
			}
		}
		if homes != 1 {
			t.Errorf("%d ways home", homes)
		}
	})
}

// The driver is late; after the planned end of the ride the rider still stands
// there. The driver ends the offer.
func TestALateDriverWhoEndsItTellsTheirRider(t *testing.T) {
	for name, end := range map[string]func(w *town, d carpool.By, o carpool.Offer, bk carpool.Booking) error{
		"ends the offer": func(w *town, d carpool.By, o carpool.Offer, _ carpool.Booking) error {
			return w.Offers.End(w.t.Context(), d, o.ID, "")
		},
		"cancels the ride": func(w *town, d carpool.By, o carpool.Offer, bk carpool.Booking) error {
			return w.Offers.CancelRide(w.t.Context(), d, bk.Ride, "")
		},
		"deletes the account": func(w *town, d carpool.By, o carpool.Offer, _ carpool.Booking) error {
			return w.Privacy.Forget(w.t.Context(), d, d.Member)
		},
		"cancels the booking": func(w *town, d carpool.By, o carpool.Offer, bk carpool.Booking) error {
			_, err := w.Bookings.Cancel(w.t.Context(), d, bk.ID, "")
			return err
		},
		"withdraws the papers": func(w *town, d carpool.By, o carpool.Offer, _ carpool.Booking) error {
			return w.Members.Withdraw(w.t.Context(), d, d.Member, carpool.ConsentCheck)
		},
		"is suspended": func(w *town, d carpool.By, o carpool.Offer, _ carpool.Booking) error {
			s, err := w.Trust.Propose(w.t.Context(), office, d.Member, "x")
			if err == nil {
				_, err = w.Trust.Settle(w.t.Context(), second, s.ID, true, "")
			}
			return err
		},
	} {
		for _, rounded := range []bool{false, true} { // the round has called the ride done
			t.Run(fmt.Sprint(name, " ", rounded), func(t *testing.T) {
				storetest.Story(t, func(t *testing.T, db *store.DB) {
					w := newTown(t, db)
					driver, car := w.driver("2027-12-31")
					o, _ := w.offer(driver, once(car, wednesday, "07:10"))
					rider := w.resident()
					r := w.request(rider, need(wednesday, "07:00", "08:30"), nil)
					bk := w.accepted(driver, rider, r)
					w.at(bk.Drop.At.Add(30 * time.Minute))
					if rounded {
						w.round()
					}
					err := end(w, driver, o, bk)
					w.round()
					got := w.requestOf(rider, r.ID)
					if err == nil && got.Way.Kind == carpool.WayRide {
						t.Errorf("the stated way is a lift of somebody who does not come: %+v", got.Way)
					}
				})
			})
		}
	}
}

// TestTheRoundCancelsNothingThatArrives between two of its steps.
func TestTheRoundCancelsNothingThatArrives(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		ctx := t.Context()
		driver, car := w.driver("2027-12-31")
		w.offer(driver, once(car, wednesday, "07:10"))
		rider := w.resident()
		r := w.request(rider, need(wednesday, "07:00", "08:30"), nil)
		bk := w.accepted(driver, rider, r)
		w.at(bk.Pickup.At.Add(time.Minute))
		w.round()
		ride, err := w.Offers.Ride(ctx, bk.Ride)
		if err != nil {
			t.Fatal(err)
		}
		arrive := ride.Stops[len(ride.Stops)-1].At
		now := arrive.Add(-15 * time.Millisecond) // a round of a fraction of a second, around the arrival
		db.SetClock(func() time.Time { now = now.Add(5 * time.Millisecond); return now })
		if err := w.Bookings.Round(ctx); err != nil {
			t.Fatal(err)
		}
		db.SetClock(w.clock)
		w.at(now)
		got := w.requestOf(rider, r.ID)
		if got.Way.Kind != carpool.WayRide {
			t.Errorf("cancelled by the round itself: %+v", got.Way)
		}
	})
}
