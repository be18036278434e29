package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// TestTwoOnOneSeat: one gets out where the other gets in, so one seat is
// enough; a third finds it full.
func TestTwoOnOneSeat(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		o := once(car, wednesday, "07:10")
		o.Seats = 1
		_, ride := w.offer(driver, o)
		short := need(wednesday, "07:00", "08:00")
		short.From, short.To = carpool.Spot{Place: "bergolo"}, carpool.Spot{Place: "niella"}
		a, b, c := w.resident(), w.resident(), w.resident()
		w.accepted(driver, a, w.request(a, short, nil))
		bk := w.accepted(driver, b, w.request(b, need(wednesday, "07:00", "08:00"), nil))
		now, err := w.Offers.Ride(t.Context(), ride.ID)
		if err != nil || now.Taken != 1 || len(now.Stops) != 6 {
			t.Fatalf("%+v, %v", now, err)
		}
		if m := w.matches(w.request(c, need(wednesday, "07:00", "08:00"), nil)); len(m) != 0 {
			t.Errorf("a full car is found: %v", m)
		}
		if _, err := w.Bookings.Cancel(t.Context(), b, bk.ID, ""); err != nil {
			t.Fatal(err)
		}
		w.round()
		if w.told(c.Member, carpool.NoticeOfferFound) != 1 {
			t.Error("the seat that came free was not told")
		}
		if m := w.matches(w.request(c, need(wednesday, "07:00", "08:00"), nil)); len(m) != 1 {
			t.Errorf("the seat that came free: %v", m)
		}
	})
}

// TestChangeKeepsWhatIsBooked: a lift each Wednesday is moved; the one that is
// booked stays as agreed, the others move.
func TestChangeKeepsWhatIsBooked(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		rider := w.resident()
		o := once(car, "", "07:10")
		o.When = carpool.Schedule{Time: "07:10", Rule: "FREQ=WEEKLY;BYDAY=WE", First: "2026-11-01"}
		o, ride := w.offer(driver, o)
		count := func() int { return w.count(`SELECT count(*) FROM carpool_rides WHERE offer = $1`, string(o.ID)) }
		if count() != 4 {
			t.Fatalf("%d rides in four weeks", count())
		}
		w.round()
		w.round()
		if count() != 4 {
			t.Fatalf("%d rides after two rounds", count())
		}
		w.accepted(driver, rider, w.request(rider, need(wednesday, "07:00", "08:00"), nil))
		o.When.Time = "09:00"
		changed, err := w.Offers.Change(t.Context(), driver, o)
		if err != nil || changed.When.Time != "09:00" || count() != 4 {
			t.Fatalf("%+v, %v, %d rides", changed, err, count())
		}
		now, err := w.Offers.Ride(t.Context(), ride.ID)
		if err != nil || !now.Depart.Equal(local(wednesday, "07:10")) || w.told(rider.Member, carpool.NoticeMoved) != 1 {
			t.Errorf("the booked ride: %+v, %v", now, err)
		}
		rides, err := w.Offers.Rides(t.Context(), driver.Member, local("2026-11-26", "00:00"), local("2027-01-01", "00:00"))
		if err != nil || len(rides) != 3 || !rides[0].Depart.Equal(local("2026-12-02", "09:00")) {
			t.Errorf("the others: %+v, %v", rides, err)
		}
		if err := w.Offers.Pause(t.Context(), driver, o.ID); err != nil || count() != 1 {
			t.Errorf("paused: %v, %d rides", err, count())
		}
		w.round()
		w.refused(w.Offers.Pause(t.Context(), driver, o.ID), fault.Conflict, "pause twice")
		if err := w.Offers.Resume(t.Context(), driver, o.ID); err != nil || count() != 4 {
			t.Errorf("resumed: %v, %d rides", err, count())
		}
		w.later(7 * 24 * time.Hour)
		w.round()
		if count() != 5 {
			t.Errorf("%d rides a week later, want one more", count())
		}
		w.refused(w.Offers.End(t.Context(), rider, o.ID, ""), fault.Denied, "another's offer")
		if err := w.Offers.End(t.Context(), driver, o.ID, "ho cambiato lavoro"); err != nil {
			t.Fatal(err)
		}
		if n := w.count(`SELECT count(*) FROM carpool_rides WHERE offer = $1 AND state = 'open'`, string(o.ID)); n != 0 {
			t.Errorf("%d rides after the end", n)
		}
	})
}

// TestEndOfAnOffer cancels what is booked and looks for others.
func TestEndOfAnOffer(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	driver, car := w.driver("2027-12-31")
	other, car2 := w.driver("2027-12-31")
	rider := w.resident()
	o, _ := w.offer(driver, once(car, wednesday, "07:10"))
	r := w.request(rider, need(wednesday, "07:00", "08:30"), nil)
	w.accepted(driver, rider, r)
	_, second := w.offer(other, once(car2, wednesday, "07:30"))
	if err := w.Offers.End(t.Context(), driver, o.ID, ""); err != nil {
		t.Fatal(err)
	}
	got := w.requestOf(rider, r.ID)
	if got.Way.Kind != carpool.WayAsked || w.told(rider.Member, carpool.NoticeCancelled) != 1 {
		t.Fatalf("%+v", got.Way)
	}
	if _, err := w.Bookings.Accept(t.Context(), other, got.Way.Booking, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.Offers.CancelRide(t.Context(), other, second.ID, "malato"); err != nil {
		t.Fatal(err)
	}
	if got = w.requestOf(rider, r.ID); got.Way.Kind != carpool.WaySearch || w.told(rider.Member, carpool.NoticeCancelled) != 2 {
		t.Errorf("%+v", got.Way)
	}
	w.refused(w.Offers.CancelRide(t.Context(), other, second.ID, ""), fault.Conflict, "cancel twice")
}

// TestNightAndSummerTime: a ride over midnight belongs to the day it leaves; a
// weekly one keeps its hour of the clock when summer time begins, also at an
// hour that the clocks skip.
func TestNightAndSummerTime(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	w.at(local("2027-03-22", "12:00"))
	driver, car := w.driver("2027-12-31")
	night := once(car, "2027-03-22", "23:50")
	_, ride := w.offer(driver, night)
	end := ride.Stops[1].At
	if !end.After(local("2027-03-23", "00:00")) {
		t.Fatalf("it ends at %v", end)
	}
	rider := w.resident()
	bk := w.accepted(driver, rider, w.request(rider, need("2027-03-22", "23:45", "23:59"), nil))
	if bk.Pickup.At.Before(local("2027-03-22", "23:50")) || !bk.Drop.At.After(local("2027-03-23", "00:00")) {
		t.Errorf("from %v to %v", bk.Pickup.At, bk.Drop.At)
	}
	for _, c := range []struct {
		at     carpool.Clock
		before time.Time
		after  time.Time
	}{
		{"07:10", time.Date(2027, 3, 27, 6, 10, 0, 0, time.UTC), time.Date(2027, 3, 28, 5, 10, 0, 0, time.UTC)},
		{"02:30", time.Date(2027, 3, 27, 1, 30, 0, 0, time.UTC), time.Date(2027, 3, 28, 1, 30, 0, 0, time.UTC)},
	} {
		o := once(car, "", c.at)
		o.When = carpool.Schedule{Time: c.at, Rule: "FREQ=DAILY", First: "2027-03-27", Last: "2027-03-28"}
		o, _ = w.offer(driver, o)
		rides, err := w.Offers.Rides(t.Context(), driver.Member, c.before.Add(-time.Minute), c.after.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		var got []time.Time
		for _, r := range rides {
			if r.Offer == o.ID {
				got = append(got, r.Depart)
			}
		}
		if len(got) != 2 || !got[0].Equal(c.before) || !got[1].Equal(c.after) {
			t.Errorf("%s: %v", c.at, got)
		}
	}
}

// TestDoors: an address is shown to the accepted driver alone, and erased a day
// after the lift.
func TestDoors(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		rider := w.resident()
		o := once(car, wednesday, "07:10")
		o.DoorToDoor, o.MaxDetour = true, 20*time.Minute
		o.From = carpool.Spot{Address: "Via del Pozzo 3", At: geo.LonLat{Lon: 8.0031, Lat: 44.5512}}
		o, ride := w.offer(driver, o)
		if o.From.Address != "Via del Pozzo 3" {
			t.Errorf("the driver's own: %+v", o.From)
		}
		if got, err := w.Offers.Get(t.Context(), o.ID); err != nil || got.From.Address != "" || got.From.At == (geo.LonLat{Lon: 8.0031, Lat: 44.5512}) {
			t.Errorf("the offer to all: %+v, %v", got.From, err)
		}
		if ride.Stops[0].Spot.Address != "" || ride.Stops[0].Spot.At != (carpool.Spot{At: geo.LonLat{Lon: 8.0031, Lat: 44.5512}}).Coarse() {
			t.Errorf("the ride to all: %+v", ride.Stops[0].Spot)
		}
		home := geo.LonLat{Lon: 8.1029, Lat: 44.5561}
		wish := need(wednesday, "07:00", "08:30")
		wish.From, wish.DoorToDoor = carpool.Spot{Address: "Cascina Alta 1", At: home}, true
		r := w.request(rider, wish, nil)
		m := w.matches(r)
		i := 0
		for i < len(m) && m[i].Pickup.Place != "" {
			i++
		}
		if i == len(m) {
			t.Fatalf("no lift from the door in %+v", m)
		}
		bk, err := w.Bookings.Book(t.Context(), rider, r.ID, m[i], "")
		if err != nil {
			t.Fatal(err)
		}
		v, err := w.Bookings.Get(t.Context(), driver, bk.ID)
		if err != nil || v.Pickup.Spot.Address != "" || v.Pickup.Spot.At == home {
			t.Errorf("before acceptance the driver sees %+v, %v", v.Pickup.Spot, err)
		}
		if v, err = w.Bookings.Get(t.Context(), rider, bk.ID); err != nil || v.Pickup.Spot.Address != "Cascina Alta 1" {
			t.Errorf("the rider's own: %+v, %v", v.Pickup.Spot, err)
		}
		if bk, err = w.Bookings.Accept(t.Context(), driver, bk.ID, ""); err != nil {
			t.Fatal(err)
		}
		if v, err = w.Bookings.Get(t.Context(), driver, bk.ID); err != nil || v.Pickup.Spot.Address != "Cascina Alta 1" || v.Pickup.Spot.At != home {
			t.Errorf("after acceptance the driver sees %+v, %v", v.Pickup.Spot, err)
		}
		w.at(bk.Pickup.At)
		if _, err := w.Bookings.Board(t.Context(), rider, bk.ID, ""); err != nil {
			t.Fatal(err)
		}
		w.at(bk.Drop.At.Add(carpool.ArrivedAfter))
		w.round()
		for _, c := range []struct {
			words string
			until time.Time
		}{{"Cascina Alta 1", bk.Drop.At.Add(24 * time.Hour)}, {"Via del Pozzo 3", bk.Drop.At.Add(24 * time.Hour)}} {
			var erase int64
			err := db.View(t.Context(), func(tx *store.Tx) error {
				return tx.QueryRow(t.Context(), `SELECT erase_ms FROM carpool_addresses WHERE words = $1`, c.words).Scan(&erase)
			})
			if at := store.Time(erase); err != nil || erase == 0 || at.After(c.until) || at.Before(c.until.Add(-time.Hour)) {
				t.Errorf("%s goes at %v, want %v; %v", c.words, at, c.until, err)
			}
		}
		w.exec(`DELETE FROM carpool_addresses`)
		if v, err = w.Bookings.Get(t.Context(), rider, bk.ID); err != nil || v.Pickup.Spot.Address != "" || v.Pickup.Spot.At == home {
			t.Errorf("after it was erased: %+v, %v", v.Pickup.Spot, err)
		}
	})
}
