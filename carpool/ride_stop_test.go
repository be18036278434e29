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
			storetest.Story(t, func(t *testing.T, db *store.DB) {
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
	storetest.Story(t, func(t *testing.T, db *store.DB) {
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

// TestACarStopsOnTheWay: who is aboard is nobody knows where, so that no driver
// is asked to fetch them at the start: the desk calls at once, and calls again.
func TestACarStopsOnTheWay(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		driver, car := w.driver("2027-12-31")
		other, car2 := w.driver("2027-12-31")
		w.offer(driver, once(car, wednesday, "07:10"))
		rider := w.resident()
		r := w.request(rider, need(wednesday, "07:00", "08:30"), nil)
		bk := w.accepted(driver, rider, r)
		w.offer(other, once(car2, wednesday, "07:50"))
		l, err := w.Places.PutListed(t.Context(), carpool.By{Account: "x1"}, carpool.Listed{Name: "Taxi", Phone: "+390173000111", Kind: "taxi", Hours: "sempre"})
		must(t, err)
		w.at(bk.Pickup.At)
		_, err = w.Bookings.Board(t.Context(), driver, bk.ID, "")
		must(t, err)
		_, err = w.Bookings.Stopped(t.Context(), driver, bk.ID, "motore")
		must(t, err)
		w.round()
		got := w.requestOf(rider, r.ID)
		if got.State != carpool.RequestDesk || got.Way.Text != carpool.WayTextRoadside || got.Way.Listed != l.ID || w.told(rider.Member, carpool.NoticeDesk) != 1 || w.told(rider.Member, carpool.NoticeCancelled) != 0 || w.told(driver.Member, carpool.NoticeCancelled) != 1 || w.told(other.Member, carpool.NoticeAsked) != 0 {
			t.Fatalf("on the road: %s %+v", got.State, got.Way)
		}
		due := func(kind string) int {
			return w.count(`SELECT count(*) FROM carpool_calls WHERE member = $1 AND kind = $2 AND due_ms <= $3`, string(rider.Member), kind, store.Millis(w.clock()))
		}
		if n := due(carpool.WayTextRoadside); n != 1 {
			t.Errorf("the desk has %d tasks", n)
		}
		_, err = w.Bookings.Ready(t.Context(), rider, r.ID, w.clock())
		w.refused(err, fault.Conflict, "ready on the road")
		third, car3 := w.driver("2027-12-31")
		w.offer(third, once(car3, wednesday, "08:00")) // no lift from where they are not
		for range 3 {                                  // until the desk has called
			w.at(w.requestOf(rider, r.ID).Way.Until)
			w.round()
			if got := w.requestOf(rider, r.ID); got.Way.Text != carpool.WayTextRoadside || got.Way.Listed != l.ID || !got.Way.Until.After(w.clock()) || due(carpool.WayTextRoadside) != 1 {
				t.Fatalf("still on the road: %s %+v", got.State, got.Way)
			}
		}
		if n := w.told(rider.Member, carpool.NoticeOfferFound) + w.told(third.Member, carpool.NoticeAsked); n != 0 {
			t.Errorf("%d words of lifts from the start", n)
		}
		w.at(got.When.To.Add(13 * time.Hour)) // nobody has called for half a day: it goes on
		w.round()
		if got := w.requestOf(rider, r.ID); got.State != carpool.RequestDesk || got.Way.Text != carpool.WayTextRoadside {
			t.Fatalf("half a day later: %s %+v", got.State, got.Way)
		}
		w.heard(rider.Member, carpool.WayTextRoadside)
		w.at(w.requestOf(rider, r.ID).Way.Until)
		w.round()
		if got := w.requestOf(rider, r.ID); got.State != carpool.RequestDone {
			t.Errorf("after the call: %s %+v", got.State, got.Way)
		}
	})
}

// heard has the desk call somebody about something, who answers.
func (w *town) heard(m carpool.MemberID, kind string) {
	w.t.Helper()
	desk := carpool.By{Account: "d1", Desk: true}
	calls, err := w.Desk.Calls(w.t.Context(), desk)
	must(w.t, err)
	for _, c := range calls {
		if c.Member == m && c.Kind == kind {
			_, err := w.Desk.Take(w.t.Context(), desk, c.ID)
			must(w.t, err)
			must(w.t, w.Desk.Outcome(w.t.Context(), desk, c.ID, carpool.CallReached, ""))
			return
		}
	}
	w.t.Fatalf("%s: no call about %s", m, kind)
}

// TestACarStopsForAll: what stops for one aboard stops for all: who else is in
// the car is called, and who waits further on is told and looked after.
func TestACarStopsForAll(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		driver, car := w.driver("2027-12-31")
		_, ride := w.offer(driver, once(car, wednesday, "07:10"))
		near := need(wednesday, "07:00", "08:30")
		near.From = carpool.Spot{Place: "bergolo"}
		one, two, waits := w.resident(), w.resident(), w.resident()
		q1, q2, q3 := w.request(one, near, nil), w.request(two, near, nil), w.request(waits, need(wednesday, "07:00", "08:30"), nil)
		a, b, c := w.accepted(driver, one, q1), w.accepted(driver, two, q2), w.accepted(driver, waits, q3)
		w.at(c.Pickup.At.Add(-2 * time.Minute))
		for _, bk := range []carpool.Booking{a, b} {
			_, err := w.Bookings.Board(t.Context(), driver, bk.ID, "")
			must(t, err)
		}
		_, err := w.Bookings.Stopped(t.Context(), one, a.ID, "") // by one who is in it
		must(t, err)
		w.round()
		for who, q := range map[carpool.MemberID]carpool.Request{one.Member: w.requestOf(one, q1.ID), two.Member: w.requestOf(two, q2.ID)} {
			n := w.count(`SELECT count(*) FROM carpool_calls WHERE member = $1 AND kind = $2 AND due_ms <= $3`, string(who), carpool.WayTextRoadside, store.Millis(w.clock()))
			if q.Way.Text != carpool.WayTextRoadside || n != 1 || w.told(who, carpool.NoticeDesk) != 1 {
				t.Errorf("aboard: %s %+v, %d calls that are due", q.State, q.Way, n)
			}
		}
		if n := w.count(`SELECT count(*) FROM carpool_calls WHERE member = $1 AND kind = $2`, string(driver.Member), carpool.CallStopped); n != 1 {
			t.Errorf("%d calls to the driver", n)
		}
		if got := w.requestOf(waits, q3.ID); got.State == carpool.RequestBooked || w.told(waits.Member, carpool.NoticeCancelled) != 1 {
			t.Errorf("who waits: %s %+v", got.State, got.Way)
		}
		if got, err := w.Offers.Ride(t.Context(), ride.ID); err != nil || got.State != carpool.RideCancelled {
			t.Errorf("the ride is %s, %v", got.State, err)
		}
	})
}

// TestACancelledRideOfWhichNobodySpoke: a rider of whom nobody said that they
// got in may stand there still, also when the time of their drop has passed;
// who was aboard has arrived.
func TestACancelledRideOfWhichNobodySpoke(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		driver, car := w.driver("2027-12-31")
		_, ride := w.offer(driver, once(car, wednesday, "07:10"))
		aboard, stands, further := w.resident(), w.resident(), w.resident()
		near := need(wednesday, "07:00", "08:30")
		near.To = carpool.Spot{Place: "bossolasco"}
		a := w.accepted(driver, aboard, w.request(aboard, near, nil))
		b := w.accepted(driver, stands, w.request(stands, near, nil))
		c := w.accepted(driver, further, w.request(further, need(wednesday, "07:00", "08:30"), nil))
		w.at(a.Pickup.At)
		_, err := w.Bookings.Board(t.Context(), driver, a.ID, "")
		must(t, err)
		w.at(b.Drop.At.Add(time.Minute))
		if !c.Drop.At.After(w.clock()) {
			t.Fatal("all are over")
		}
		w.round()
		must(t, w.Offers.CancelRide(t.Context(), driver, ride.ID, "motore"))
		for id, want := range map[carpool.BookingID]carpool.BookingState{a.ID: carpool.Boarded, b.ID: carpool.Cancelled, c.ID: carpool.Cancelled} {
			if n := w.count(`SELECT count(*) FROM carpool_bookings WHERE id = $1 AND state = $2`, string(id), string(want)); n != 1 {
				t.Errorf("a booking is not %s", want)
			}
		}
		if w.told(aboard.Member, carpool.NoticeCancelled) != 0 || w.told(stands.Member, carpool.NoticeCancelled) != 1 || w.told(further.Member, carpool.NoticeCancelled) != 1 {
			t.Error("told to the wrong rider")
		}
	})
}
