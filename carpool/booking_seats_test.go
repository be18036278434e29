package carpool_test

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// takes has n riders ask for the one seat of a ride, and its driver accept all
// of them at the same moment.
func takes(w *town, n int) []carpool.By {
	w.t.Helper()
	driver, car := w.driver("2027-12-31")
	o := once(car, wednesday, "07:10")
	o.Seats = 1
	_, ride := w.offer(driver, o)
	riders, bookings := make([]carpool.By, n), make([]carpool.BookingID, n)
	for i := range n {
		riders[i] = w.resident()
		r := w.request(riders[i], need(wednesday, "07:00", "08:00"), nil)
		m := carpool.Match{Ride: ride.ID, Pickup: carpool.MatchStop{Place: "niella"}, Drop: carpool.MatchStop{Place: "alba"}}
		bk, err := w.Bookings.Book(w.t.Context(), riders[i], r.ID, m, "")
		if err != nil {
			w.t.Fatal(err)
		}
		bookings[i] = bk.ID
	}
	errs := make([]error, n)
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-begin
			_, errs[i] = w.Bookings.Accept(w.t.Context(), driver, bookings[i], "")
		})
	}
	close(begin)
	all.Wait()
	won := 0
	for i, err := range errs {
		if err == nil {
			won++
		} else if fault.Of(err) != fault.Conflict {
			w.t.Errorf("rider %d: %v (%v)", i, err, fault.Of(err))
		}
	}
	if won != 1 {
		w.t.Errorf("%d of %d were told that they have the one seat", won, n)
	}
	if got := w.count(`SELECT count(*) FROM carpool_bookings WHERE state = 'accepted'`); got != 1 {
		w.t.Errorf("%d bookings are accepted", got)
	}
	if got := w.count(`SELECT count(*) FROM carpool_bookings WHERE state = 'declined' AND reason = $1`, carpool.ReasonTaken); got != n-1 {
		w.t.Errorf("%d riders were told that the seat is gone, want %d", got, n-1)
	}
	for kind, want := range map[carpool.NoticeKind]int{carpool.NoticeAccepted: 2, carpool.NoticeDeclined: n - 1} {
		if got := w.count(`SELECT count(*) FROM carpool_notices WHERE kind = $1`, string(kind)); got != want {
			w.t.Errorf("%d notices %s, want %d", got, kind, want)
		}
	}
	now, err := w.Offers.Ride(w.t.Context(), ride.ID)
	if err != nil || now.Taken != 1 || len(now.Stops) != 4 {
		w.t.Errorf("the ride: %+v, %v", now, err)
	}
	return riders
}

// cancels has each rider cancel at the moment at which the driver accepts. It
// gives how often the acceptance came first.
func cancels(w *town, riders []carpool.By) (first int) {
	w.t.Helper()
	driver, car := w.driver("2027-12-31")
	const day = "2026-11-26"
	_, ride := w.offer(driver, once(car, day, "07:10"))
	for i, rider := range riders {
		r := w.request(rider, need(day, "07:00", "08:00"), nil)
		m := carpool.Match{Ride: ride.ID, Pickup: carpool.MatchStop{Place: "niella"}, Drop: carpool.MatchStop{Place: "alba"}}
		bk, err := w.Bookings.Book(w.t.Context(), rider, r.ID, m, "")
		if err != nil {
			w.t.Fatal(err)
		}
		var accepted, cancelled error
		var both sync.WaitGroup
		begin := make(chan struct{})
		both.Go(func() { <-begin; _, accepted = w.Bookings.Accept(w.t.Context(), driver, bk.ID, "") })
		both.Go(func() {
			<-begin
			for range i % 5 { // an acceptance measures roads first: let it win sometimes
				if _, err := w.Bookings.Get(w.t.Context(), rider, bk.ID); err != nil {
					w.t.Error(err)
				}
			}
			_, cancelled = w.Bookings.Cancel(w.t.Context(), rider, bk.ID, "")
		})
		close(begin)
		both.Wait()
		if cancelled != nil || accepted != nil && fault.Of(accepted) != fault.Conflict {
			w.t.Fatalf("rider %d: cancel %v, accept %v", i, cancelled, accepted)
		}
		v, err := w.Bookings.Get(w.t.Context(), rider, bk.ID)
		if err != nil || v.State != carpool.Cancelled {
			w.t.Fatalf("rider %d: %+v, %v", i, v.Booking, err)
		}
		was := 0
		if accepted == nil {
			first++
			was = 1
		}
		for kind, want := range map[carpool.NoticeKind]int{carpool.NoticeAccepted: was, carpool.NoticeCancelled: 1} {
			for _, m := range []carpool.MemberID{rider.Member, driver.Member} {
				if got := w.count(`SELECT count(*) FROM carpool_notices WHERE key = $1`, fmt.Sprintf("%s:%s:%s", kind, bk.ID, m)); got != want {
					w.t.Fatalf("rider %d: %s was told %d times of %s, want %d", i, m, got, kind, want)
				}
			}
		}
		now, err := w.Offers.Ride(w.t.Context(), ride.ID)
		if err != nil || now.Taken != 0 || len(now.Stops) != 2 {
			w.t.Fatalf("rider %d: the ride still has %+v, %v", i, now.Stops, err)
		}
	}
	return first
}

func TestSeats(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		riders := takes(w, 8)
		cancels(w, riders)
		w.round()
	})
}

// TestProveSeats is the same at length: make prove-seats N=1000.
func TestProveSeats(t *testing.T) {
	if os.Getenv("PROVE") != "seats" {
		t.Skip("run by make prove-seats")
	}
	n, err := strconv.Atoi(os.Getenv("N"))
	if err != nil || n < 2 {
		n = 1000
	}
	first := map[string]int{}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		first[string(db.Kind())] = cancels(w, takes(w, n))
		w.round()
	})
	if t.Failed() {
		return
	}
	t.Logf("%d takes of one seat at once: 1 confirmed and %d refused, on SQLite and on PostgreSQL; cancel against accept %d times each: one outcome each, both sides told the same (the acceptance came first %d and %d times)",
		n, n-1, n, first["sqlite"], first["postgres"])
}
