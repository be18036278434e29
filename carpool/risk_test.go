package carpool_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
)

// TestARiskIsToldAndTakenBackEachTime: a car whose plate changes twice.
func TestARiskIsToldAndTakenBackEachTime(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		_, ride := w.offer(d, once(car, "2026-12-02", "07:10"))
		a := w.resident()
		w.accepted(d, a, w.request(a, need("2026-12-02", "07:00", "08:30"), nil))
		stale := func(kind carpool.NoticeKind) bool {
			t.Helper()
			list, err := w.Members.Notices(t.Context(), a.Member, 100)
			must(t, err)
			for _, n := range list {
				if n.Kind == kind {
					v, err := w.NoticeView(t.Context(), n.ID)
					must(t, err)
					return v.Stale
				}
			}
			t.Fatalf("%s was not told", kind)
			return false
		}
		for i := range 2 {
			v, err := w.Members.Vehicles(t.Context(), d.Member)
			must(t, err)
			v[0].Plate = fmt.Sprintf("ZZ%03dZZ", i)
			_, err = w.Members.PutVehicle(t.Context(), d, v[0])
			must(t, err)
			if w.told(a.Member, carpool.NoticeAtRisk) != i+1 || w.told(a.Member, carpool.NoticeSafe) != i || stale(carpool.NoticeAtRisk) {
				t.Errorf("plate %d: told %d times at risk, %d times safe", i, w.told(a.Member, carpool.NoticeAtRisk), w.told(a.Member, carpool.NoticeSafe))
			}
			w.later(time.Hour)
			c, err := w.Trust.Ask(t.Context(), d, car, carpool.Check{Licence: "2027-12-31", Insurance: "2027-12-31", Roadworthy: "2027-12-31"}, nil)
			must(t, err)
			_, err = w.Trust.Decide(t.Context(), carpool.By{Account: "vigile"}, c.ID, carpool.Decision{Pass: true})
			must(t, err)
			if r, err := w.Offers.Ride(t.Context(), ride.ID); err != nil || r.Risk != "" {
				t.Errorf("after the check: risk %q, %v", r.Risk, err)
			}
			if w.told(a.Member, carpool.NoticeSafe) != i+1 || stale(carpool.NoticeSafe) || !stale(carpool.NoticeAtRisk) {
				t.Errorf("check %d: told %d times safe", i, w.told(a.Member, carpool.NoticeSafe))
			}
			w.later(time.Hour)
		}
	})
}

func TestRidesWithoutPapersAreMarkedAndNotPublished(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2026-11-30")
		o := once(car, "", "10:00")
		o.When = carpool.Schedule{Time: "10:00", Rule: "FREQ=DAILY", First: "2026-11-24"}
		w.offer(d, o)
		bare := w.count(`SELECT count(*) FROM carpool_rides WHERE risk = '' AND slot > '2026-11-30'`)
		if marked := w.count(`SELECT count(*) FROM carpool_rides WHERE risk = 'papers'`); marked == 0 || bare != 0 {
			t.Errorf("%d rides after the last day of the papers are marked, %d are not", marked, bare)
		}
		w.exec(`UPDATE carpool_rides SET risk = ''`)
		pub, err := w.Published(t.Context(), carpool.DateOf(w.clock(), rome), 60)
		must(t, err)
		if len(pub.Rides) != 7 {
			t.Errorf("%d rides are published, want the 7 up to the last day", len(pub.Rides))
		}
		w.exec(`UPDATE carpool_members SET state = 'suspended' WHERE id = $1`, string(d.Member))
		if pub, err = w.Published(t.Context(), carpool.DateOf(w.clock(), rome), 60); err != nil || len(pub.Rides) != 0 {
			t.Errorf("%d rides of a suspended driver are published, %v", len(pub.Rides), err)
		}

	})
}

func TestOffersEndWhenTheirDaysAreOver(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		paused, _ := w.offer(d, once(car, wednesday, "08:00"))
		must(t, w.Offers.Pause(t.Context(), d, paused.ID))
		extra := once(car, "", "10:00")
		extra.When = carpool.Schedule{Time: "10:00", Rule: "FREQ=DAILY", First: "2026-11-23", Last: "2026-11-25", Extra: []carpool.Date{"2027-02-01"}}
		extra, _ = w.offer(d, extra)
		until := once(car, "", "14:00")
		until.When = carpool.Schedule{Time: "14:00", Rule: "FREQ=WEEKLY;BYDAY=TH;UNTIL=20261126", First: "2026-11-23"}
		until, _ = w.offer(d, until)
		states := func(when string, want ...carpool.OfferState) {
			t.Helper()
			w.round()
			for i, id := range []carpool.OfferID{paused.ID, extra.ID, until.ID} {
				if o, err := w.Offers.Get(t.Context(), id); err != nil || o.State != want[i] {
					t.Errorf("%s: offer %d is %s, want %s; %v", when, i, o.State, want[i], err)
				}
			}
		}
		states("at once", carpool.OfferPaused, carpool.OfferOpen, carpool.OfferOpen)
		must(t, w.Offers.Resume(t.Context(), d, paused.ID))
		must(t, w.Offers.Pause(t.Context(), d, paused.ID))
		w.at(local("2026-11-27", "08:00"))
		states("after the last day of two", carpool.OfferEnded, carpool.OfferOpen, carpool.OfferEnded)
		w.at(local("2027-02-02", "08:00"))
		states("after the extra day", carpool.OfferEnded, carpool.OfferEnded, carpool.OfferEnded)
	})
}
