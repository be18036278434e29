package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// TestRoundsOfABooking: no answer in time, the reminder of the evening, a lift
// that nobody said anything about.
func TestRoundsOfABooking(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		rider := w.resident()
		w.offer(driver, once(car, wednesday, "07:10"))
		r := w.request(rider, need(wednesday, "07:00", "08:00"), nil)
		bk := w.book(rider, r)
		w.at(bk.Deadline)
		_, err := w.Bookings.Accept(t.Context(), driver, bk.ID, "")
		w.refused(err, fault.Conflict, "accept at the deadline")
		w.round()
		v, err := w.Bookings.Get(t.Context(), rider, bk.ID)
		if err != nil || v.State != carpool.Declined || v.Reason != carpool.ReasonNoAnswer || w.told(rider.Member, carpool.NoticeDeclined) != 1 {
			t.Fatalf("%+v, %v", v.Booking, err)
		}
		bk = w.accepted(driver, rider, w.requestOf(rider, r.ID))
		w.at(local("2026-11-24", "17:59"))
		w.round()
		if w.told(rider.Member, carpool.NoticeReminder) != 0 {
			t.Error("reminded before the evening")
		}
		w.at(local("2026-11-24", "18:00"))
		w.round()
		w.later(time.Hour)
		w.round()
		for _, m := range []carpool.MemberID{rider.Member, driver.Member} {
			if n := w.told(m, carpool.NoticeReminder); n != 1 {
				t.Errorf("%s was reminded %d times", m, n)
			}
		}
		w.at(bk.Drop.At.Add(12*time.Hour - time.Minute))
		w.round()
		if v, err = w.Bookings.Get(t.Context(), rider, bk.ID); err != nil || v.State != carpool.Accepted {
			t.Errorf("while the two may still say: %+v, %v", v.State, err)
		}
		w.later(time.Minute)
		w.round()
		if v, err = w.Bookings.Get(t.Context(), rider, bk.ID); err != nil || v.State != carpool.Completed || w.requestOf(rider, r.ID).State != carpool.RequestDone {
			t.Errorf("after that: %+v, %v", v.State, err)
		}
	})
}

// TestNoShows: the rider waits fifteen minutes and says so; another driver is
// asked. A rider who was not there may choose another lift.
func TestNoShows(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		first, car1 := w.driver("2027-12-31")
		second, car2 := w.driver("2027-12-31")
		rider := w.resident()
		w.offer(first, once(car1, wednesday, "07:10"))
		_, later := w.offer(second, once(car2, wednesday, "08:15"))
		r := w.request(rider, need(wednesday, "07:00", "07:40"), nil)
		bk := w.accepted(first, rider, r)
		w.at(bk.Pickup.At.Add(10 * time.Minute))
		_, err := w.Bookings.NoShow(t.Context(), rider, bk.ID, "")
		w.refused(err, fault.Invalid, "after ten minutes")
		w.at(bk.Pickup.At.Add(15 * time.Minute))
		if _, err := w.Bookings.NoShow(t.Context(), rider, bk.ID, "non è arrivato"); err != nil {
			t.Fatal(err)
		}
		got := w.requestOf(rider, r.ID)
		v, err := w.Bookings.Get(t.Context(), rider, got.Way.Booking)
		if err != nil || got.Way.Kind != carpool.WayAsked || v.Ride != later.ID {
			t.Fatalf("%+v, %+v, %v", got.Way, v.Booking, err)
		}
		bk, err = w.Bookings.Accept(t.Context(), second, v.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		w.at(bk.Pickup.At.Add(15 * time.Minute))
		if _, err := w.Bookings.NoShow(t.Context(), second, bk.ID, ""); err != nil {
			t.Fatal(err)
		}
		if got = w.requestOf(rider, r.ID); got.Way.Kind != carpool.WaySearch || got.Way.Text != carpool.WayTextSearch {
			t.Errorf("the rider was not there: %+v", got.Way)
		}
		w.round()
	})
}

// TestWithdraw: the way back goes with the way out; nothing personal is kept.
func TestWithdraw(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		rider := w.resident()
		w.offer(driver, once(car, wednesday, "07:10"))
		wish := need(wednesday, "07:00", "08:00")
		wish.Return = carpool.ReturnAt
		back := carpool.Window{From: local(wednesday, "12:00"), To: local(wednesday, "13:00")}
		_, err := w.Bookings.Request(t.Context(), rider, wish, &carpool.Window{From: back.To, To: back.From}, "")
		w.refused(err, fault.Invalid, "a way back in reverse")
		_, err = w.Bookings.Request(t.Context(), rider, wish, &carpool.Window{From: local("2026-11-24", "12:00"), To: local("2026-11-24", "13:00")}, "")
		w.refused(err, fault.Invalid, "back before one has left")
		r := w.request(rider, wish, &back)
		home := w.back(rider, r.ID)
		if home.From.Place != "alba" || home.To.Place != "niella" || !home.When.From.Equal(back.From) || home.State != carpool.RequestOpen {
			t.Fatalf("the way back: %+v", home)
		}
		bk := w.accepted(driver, rider, r)
		if err := w.Bookings.WithdrawRequest(t.Context(), rider, r.ID, "visita spostata"); err != nil {
			t.Fatal(err)
		}
		v, err := w.Bookings.Get(t.Context(), driver, bk.ID)
		if err != nil || v.State != carpool.Cancelled || w.told(driver.Member, carpool.NoticeCancelled) != 1 || w.requestOf(rider, home.ID).State != carpool.RequestWithdrawn {
			t.Errorf("%+v, %v", v.Booking, err)
		}
		if w.told(rider.Member, carpool.NoticeSearching) != 2 { // of the two requests when they were made
			t.Errorf("told %d times of a search", w.told(rider.Member, carpool.NoticeSearching))
		}
		w.refused(w.Bookings.WithdrawRequest(t.Context(), rider, r.ID, ""), fault.Conflict, "withdraw twice")
		w.round()
	})
}

// TestRoundIsTheSameTwice: a round that is run again at the same moment, or by
// a new process, changes nothing.
func TestRoundIsTheSameTwice(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		o := once(car, "", "07:10")
		o.When = carpool.Schedule{Time: "07:10", Rule: "FREQ=DAILY", First: "2026-11-24"}
		w.offer(driver, o)
		a, b := w.resident(), w.resident()
		ra := w.request(a, need(wednesday, "07:00", "08:00"), nil)
		w.request(b, need(wednesday, "10:00", "11:00"), nil)
		w.accepted(driver, a, ra)
		sum := func() [5]int {
			return [5]int{w.count(`SELECT count(*) FROM carpool_rides`), w.count(`SELECT count(*) FROM carpool_notices`),
				w.count(`SELECT count(*) FROM outbox_messages`), w.count(`SELECT count(*) FROM carpool_calls`), w.count(`SELECT COALESCE(SUM(step), 0) FROM carpool_requests`)}
		}
		for range 40 {
			w.round()
			before := sum()
			w.round()
			if got := sum(); got != before {
				t.Fatalf("at %v: %v, then %v", w.clock(), before, got)
			}
			w.start()
			w.round()
			if got := sum(); got != before {
				t.Fatalf("at %v: %v, in a new process %v", w.clock(), before, got)
			}
			w.later(2 * time.Hour)
		}
		for _, r := range []carpool.By{a, b} {
			list, err := w.Bookings.Requests(t.Context(), r.Member)
			if err != nil || len(list) != 1 || list[0].State != carpool.RequestDone {
				t.Errorf("in the end: %+v, %v", list, err)
			}
		}
	})
}
