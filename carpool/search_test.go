package carpool_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// TestSearchIsConstantInACell: no two points of a cell get different answers,
// for strangers and members, from door to door or not.
func TestSearchIsConstantInACell(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	driver, car := w.driver("2027-12-31")
	rider := w.resident()
	o := once(car, wednesday, "07:10")
	o.DoorToDoor, o.MaxDetour = true, 30*time.Minute
	w.offer(driver, o)
	cell := carpool.CellOf(geo.LonLat{Lon: 8.1029, Lat: 44.5561})
	mid, rnd := cell.Middle(), rand.New(rand.NewPCG(1, 2))
	for _, who := range []carpool.MemberID{"", rider.Member} {
		for _, door := range []bool{false, true} {
			var first string
			for i := 0; i < 25; {
				at := geo.LonLat{Lon: mid.Lon + (rnd.Float64()-0.5)*0.014, Lat: mid.Lat + (rnd.Float64()-0.5)*0.01}
				if carpool.CellOf(at) != cell {
					continue
				}
				a, err := w.Bookings.Search(t.Context(), carpool.Ask{For: who, From: carpool.Spot{At: at}, To: carpool.Spot{Place: "alba"},
					When: carpool.Window{From: local(wednesday, "07:00"), To: local(wednesday, "08:30")}, MaxWalk: 40 * time.Minute, DoorToDoor: door})
				if err != nil {
					t.Fatal(err)
				}
				text, err := json.Marshal(a)
				if err != nil {
					t.Fatal(err)
				}
				if i++; first == "" {
					first = string(text)
					if len(a.Matches) == 0 {
						t.Fatalf("nothing found: %s", text)
					}
				}
				if string(text) != first {
					t.Fatalf("from %v: %s\nnot %s", at, text, first)
				}
			}
		}
	}
	if n := w.count(`SELECT count(*) FROM audit_line WHERE action LIKE '%search%'`) + w.count(`SELECT count(*) FROM carpool_requests`); n != 0 {
		t.Error("a search wrote something")
	}
}

// TestSearchAfterAKill: the index of a new process finds what the store has, at
// once and after changes that another process made.
func TestSearchAfterAKill(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		rider := w.resident()
		_, ride := w.offer(driver, once(car, wednesday, "07:10"))
		wish := carpool.Request{Rider: rider.Member, From: carpool.Spot{Place: "niella"}, To: carpool.Spot{Place: "alba"},
			When: carpool.Window{From: local(wednesday, "07:00"), To: local(wednesday, "08:00")}}
		old := w.Portal
		w.start()
		if w.roads.Len() != 1 {
			t.Errorf("%d rides in the index of the new process", w.roads.Len())
		}
		if m := w.matches(wish); len(m) != 1 || m[0].Ride != ride.ID {
			t.Fatalf("after the kill: %+v", m)
		}
		fresh := w.Portal
		w.Portal = old // the other process takes a rider along
		w.accepted(driver, rider, w.request(rider, need(wednesday, "07:00", "08:00"), nil))
		w.Portal = fresh
		wish.Rider = w.resident().Member
		m := w.matches(wish)
		if len(m) != 1 || m[0].After[1] < 1 {
			t.Fatalf("after another's change: %+v", m)
		}
		if err := w.Offers.CancelRide(t.Context(), driver, ride.ID, ""); err != nil {
			t.Fatal(err)
		}
		if m := w.matches(wish); len(m) != 0 {
			t.Errorf("a cancelled ride is found: %+v", m)
		}
		w.round()
		if w.roads.Len() != 0 {
			t.Errorf("%d rides in the index after a round", w.roads.Len())
		}
	})
}

// TestAlerts: a search alert and an open request hear of a new offer once.
func TestAlerts(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		watcher, rider := w.resident(), w.resident()
		ask := carpool.Ask{From: carpool.Spot{At: geo.LonLat{Lon: 8.1, Lat: 44.5501}}, To: carpool.Spot{Place: "alba"}, MaxWalk: 30 * time.Minute,
			When: carpool.Window{From: local("2026-11-24", "07:00"), To: local("2026-11-24", "08:00")}}
		alert, err := w.Bookings.Watch(t.Context(), watcher, ask, "2026-12-31")
		if err != nil || alert.Ask.From.At != carpool.CellOf(ask.From.At).Middle() {
			t.Fatalf("%+v, %v", alert, err)
		}
		_, err = w.Bookings.Watch(t.Context(), watcher, ask, "2026-11-23")
		w.refused(err, fault.Invalid, "an alert that ends before it begins")
		r := w.request(rider, need("2026-12-02", "07:00", "08:00"), nil)
		o := once(car, "", "07:10")
		o.When = carpool.Schedule{Time: "07:10", Rule: "FREQ=WEEKLY;BYDAY=WE", First: "2026-11-01"}
		w.later(time.Hour)
		w.offer(driver, o)
		for range 3 {
			w.later(time.Minute)
			w.round()
		}
		if a, b := w.told(watcher.Member, carpool.NoticeOfferFound), w.told(rider.Member, carpool.NoticeOfferFound); a != 1 || b != 1 {
			t.Errorf("the alert was told %d times, the request %d times", a, b)
		}
		w.refused(w.Bookings.Unwatch(t.Context(), rider, alert.ID), fault.NotFound, "another's alert")
		if err := w.Bookings.Unwatch(t.Context(), watcher, alert.ID); err != nil {
			t.Fatal(err)
		}
		if list, err := w.Bookings.Watches(t.Context(), watcher.Member); err != nil || len(list) != 0 {
			t.Errorf("%v, %v", list, err)
		}
		if got := w.requestOf(rider, r.ID); got.State != carpool.RequestOpen {
			t.Errorf("%+v", got)
		}
	})
}

func TestWatchOnEachDay(t *testing.T) {
	w := carpool.Watch{Ask: carpool.Ask{When: carpool.Window{From: local("2027-03-26", "07:00"), To: local("2027-03-26", "08:30")}}, Until: "2027-03-29"}
	for day, ok := range map[carpool.Date]bool{"2027-03-25": false, "2027-03-26": true, "2027-03-29": true, "2027-03-30": false} {
		a, got := w.On(day, rome)
		if got != ok || ok && (!a.When.From.Equal(local(day, "07:00")) || !a.When.To.Equal(local(day, "08:30"))) {
			t.Errorf("%s: %v, %+v", day, got, a.When)
		}
	}
}
