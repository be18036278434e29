package carpool_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// TestLimits keep it a neighbours' service.
func TestLimits(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	driver, car := w.driver("2027-12-31")
	for i := range 4 {
		w.offer(driver, once(car, wednesday, carpool.Clock(fmt.Sprintf("%02d:00", 6+2*i))))
	}
	_, err := w.Offers.Add(t.Context(), driver, once(car, wednesday, "20:00"), "")
	w.refused(err, fault.Conflict, "a fifth ride on one day")
	_, err = w.Offers.Add(t.Context(), driver, once(car, "2026-11-26", "20:00"), "")
	if err != nil {
		t.Error(err)
	}
	_, err = w.Offers.Add(t.Context(), driver, once(car, "2026-11-26", "20:15"), "")
	w.refused(err, fault.Conflict, "two rides at one time")

	rider := w.resident()
	r := w.request(rider, need(wednesday, "06:00", "07:00"), nil)
	for range 3 {
		bk := w.book(rider, r)
		if _, err := w.Bookings.Cancel(t.Context(), rider, bk.ID, "ho cambiato idea"); err != nil {
			t.Fatal(err)
		}
	}
	m := w.matches(r)
	_, err = w.Bookings.Book(t.Context(), rider, r.ID, m[0], "")
	w.refused(err, fault.Denied, "the same driver booked and cancelled again and again")
	for range 5 {
		w.request(rider, need(wednesday, "10:00", "11:00"), nil)
	}
	_, err = w.Bookings.Request(t.Context(), rider, need(wednesday, "10:00", "11:00"), nil, "")
	w.refused(err, fault.Conflict, "a seventh journey on one day")
}

// TestWhatIsCalledOffCounts: nobody sends the union's messages to and fro by
// asking and calling off.
func TestWhatIsCalledOffCounts(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		rider := w.resident()
		asked := 0
		ask := func(r carpool.Request) error {
			m := w.matches(r)
			bk, err := w.Bookings.Book(t.Context(), rider, r.ID, m[0], "")
			if err != nil {
				return err
			}
			asked++
			_, err = w.Bookings.Cancel(t.Context(), rider, bk.ID, "ho cambiato idea")
			return err
		}
		var err error
		for d := 0; err == nil && d < 9; d++ { // another driver each time, since one is not asked thrice
			driver, car := w.driver("2027-12-31")
			w.offer(driver, once(car, carpool.Date(wednesday).Plus(d), "07:10"))
			r := w.request(rider, need(carpool.Date(wednesday).Plus(d), "07:00", "08:00"), nil)
			for i := 0; err == nil && i < 2; i++ {
				err = ask(r)
			}
		}
		w.refused(err, fault.Conflict, "more lifts asked for since yesterday")
		if asked != 15 {
			t.Errorf("%d lifts were asked for", asked)
		}

		other := w.resident()
		asked = 0
		for err = nil; err == nil && asked < 20; asked++ {
			var r carpool.Request
			if r, err = w.Bookings.Request(t.Context(), other, need(wednesday, "10:00", "11:00"), nil, ""); err == nil {
				err = w.Bookings.WithdrawRequest(t.Context(), other, r.ID, "")
			}
		}
		w.refused(err, fault.Conflict, "journeys asked for and withdrawn")
		if asked != 13 {
			t.Errorf("%d journeys were tried", asked)
		}
	})
}

// TestTheDeskActs by a consent that is written down, and the guardian of a
// minor hears of each step.
func TestTheDeskActs(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		w.offer(driver, once(car, wednesday, "07:10"))
		desk := carpool.By{Account: "desk-1", Desk: true}
		join := func(m carpool.Member, consents ...carpool.ConsentTo) carpool.By {
			m.Last, m.Comune = "Cognome", "004000"
			got, err := w.Members.Register(t.Context(), desk, carpool.Registration{Member: m, How: "voice", Consents: append(consents, carpool.ConsentTerms, carpool.ConsentDesk)})
			if err != nil {
				t.Fatal(err)
			}
			return carpool.By{Account: "desk-1", Member: got.ID, Desk: true}
		}
		guardian := join(carpool.Member{First: "Nonna", Phone: "+390173000111"})
		child := join(carpool.Member{First: "Nipote", Minor: true, Guardian: guardian.Member}, carpool.ConsentMinor)
		wish := need(wednesday, "07:00", "08:00")
		r := w.request(child, wish, nil)
		if r.Consent == "" || r.By != "desk-1" {
			t.Errorf("the consent of a request by the desk: %+v", r)
		}
		bk := w.book(child, r)
		got, err := w.Bookings.Accept(t.Context(), driver, bk.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		if w.told(guardian.Member, carpool.NoticeGuardian) != 1 {
			t.Error("the guardian was not told of the acceptance")
		}
		w.at(got.Pickup.At)
		if _, err := w.Bookings.Board(t.Context(), driver, bk.ID, ""); err != nil {
			t.Fatal(err)
		}
		if w.told(guardian.Member, carpool.NoticeGuardian) != 2 {
			t.Error("the guardian was not told that the child is in the car")
		}
		js, err := w.Bookings.Mine(t.Context(), child.Member, monday, monday.AddDate(0, 0, 7))
		if err != nil || len(js) != 1 || js[0].As != carpool.AsRider || len(js[0].Bookings) != 1 || len(js[0].Ride.Stops) != 4 {
			t.Errorf("the child's journeys: %+v, %v", js, err)
		}
		if js, err = w.Bookings.Mine(t.Context(), driver.Member, monday, monday.AddDate(0, 0, 7)); err != nil || len(js) != 1 || js[0].As != carpool.AsDriver || js[0].Bookings[0].ID != bk.ID {
			t.Errorf("the driver's journeys: %+v, %v", js, err)
		}
	})
}

// TestDriversWhoKnowTheRoad see where and when, and not whose it is.
func TestDriversWhoKnowTheRoad(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	driver, car := w.driver("2027-12-31")
	away, car2 := w.driver("2027-12-31")
	o := once(car, "", "12:00")
	o.When = carpool.Schedule{Time: "12:00", Rule: "FREQ=WEEKLY;BYDAY=FR", First: "2026-11-01"}
	w.offer(driver, o)
	o.Vehicle, o.From, o.To = car2, o.To, o.From
	w.offer(away, o) // the other way round: that is not their road
	rider, stranger := w.resident(), w.resident()
	wish := need(wednesday, "07:00", "08:00")
	home := geo.LonLat{Lon: 8.1029, Lat: 44.5561}
	wish.From, wish.Note = carpool.Spot{Address: "Cascina Alta 1", At: home}, "con il bastone"
	r := w.request(rider, wish, nil)
	w.at(local("2026-11-24", "07:00"))
	for range 3 {
		w.round()
		w.later(time.Minute)
	}
	if a, b := w.told(driver.Member, carpool.NoticeRoadAsked), w.told(away.Member, carpool.NoticeRoadAsked); a != 1 || b != 0 {
		t.Fatalf("asked %d times, and %d times who goes the other way", a, b)
	}
	got := w.requestOf(driver, r.ID)
	if got.Rider != "" || got.Note != "" || got.From.Address != "" || got.From.At == home || got.To.Place != "alba" || !got.When.From.Equal(wish.When.From) {
		t.Errorf("the driver sees %+v", got)
	}
	for _, by := range []carpool.By{away, stranger} {
		_, err := w.Bookings.RequestOf(t.Context(), by, r.ID)
		w.refused(err, fault.Denied, "who was not asked")
	}
	w.offer(driver, once(car, wednesday, "07:10"))
	w.later(time.Minute)
	w.round()
	if w.told(rider.Member, carpool.NoticeOfferFound) != 1 {
		t.Error("the rider was not told of the lift that was offered for them")
	}
}

// buses is a timetable of one journey a day.
type buses struct{ depart time.Time }

func (b buses) Next(_ context.Context, _, _ geo.LonLat, w carpool.Window, _ time.Duration, _ int) ([]carpool.Bus, error) {
	if b.depart.Before(w.From) || b.depart.After(w.To) {
		return nil, nil
	}
	return []carpool.Bus{{Line: "23", From: "Niella", To: "Alba", Depart: b.depart, Arrive: b.depart.Add(40 * time.Minute), Last: true}}, nil
}

// TestTheBus is named when nobody drives, and after it the request is over.
func TestTheBus(t *testing.T) {
	w := newTown(t, storetest.SQLite(t), func(_ *carpool.Config, d *carpool.Deps) { d.Buses = buses{local(wednesday, "07:20")} })
	rider := w.resident()
	r := w.request(rider, need(wednesday, "07:00", "08:00"), nil)
	w.at(local("2026-11-24", "07:00"))
	w.round()
	w.at(local("2026-11-24", "19:00"))
	w.round()
	got := w.requestOf(rider, r.ID)
	if got.State != carpool.RequestListed || got.Way.Kind != carpool.WayBus || got.Way.Bus == nil || got.Way.Bus.Line != "23" || w.told(rider.Member, carpool.NoticeListed) != 1 {
		t.Fatalf("%+v", got.Way)
	}
	if due := w.notice(rider.Member, carpool.NoticeListed).Due; !due.Before(got.Way.Bus.Depart) {
		t.Errorf("to be heard by %v, and the bus leaves at %v", due, got.Way.Bus.Depart)
	}
	w.at(got.Way.Until)
	w.round()
	if got = w.requestOf(rider, r.ID); got.State != carpool.RequestDone {
		t.Errorf("after the bus: %+v", got)
	}
}
