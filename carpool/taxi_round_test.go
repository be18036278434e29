package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// A driver who brings one rider up and, hardly there, another down is shown to
// the office once, after midnight, and no more when the office has handled it.
func TestPatternsReachTheOffice(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		up := once(car, "2026-11-24", "10:00")
		up.To = carpool.Spot{Place: "niella"}
		down := once(car, "2026-11-24", "10:20")
		down.From, down.To = carpool.Spot{Place: "niella"}, carpool.Spot{Place: "bergolo"}
		for _, o := range []carpool.Offer{up, down} {
			w.offer(driver, o)
			rider := w.resident()
			r := need("2026-11-24", o.When.Time, "12:00")
			r.From, r.To = o.From, o.To
			bk := w.book(rider, w.request(rider, r, nil))
			if _, err := w.Bookings.Accept(t.Context(), driver, bk.ID, ""); err != nil {
				t.Fatal(err)
			}
		}
		look := func(at time.Time) int {
			w.at(at)
			w.round()
			for range 2 {
				if err := w.Trust.Round(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			return w.count(`SELECT count(*) FROM carpool_reports WHERE kind = 'taxi' AND reporter = '' AND about = $1 AND body = $2`, string(driver.Member), carpool.TaxiGap)
		}
		if n := look(local("2026-11-24", "23:30")); n != 0 {
			t.Errorf("on the day itself: %d", n)
		}
		if n := look(local("2026-11-25", "00:05")); n != 1 {
			t.Fatalf("after midnight: %d", n)
		}
		if n := look(local("2026-11-26", "00:05")); n != 1 {
			t.Errorf("while it is open: %d", n)
		}
		list, err := w.Talk.Reports(t.Context(), carpool.By{Account: "office"})
		if err != nil || len(list) != 1 || list[0].Kind != carpool.ReportTaxi || list[0].Ride == "" {
			t.Fatalf("%+v, %v", list, err)
		}
		if err := w.Talk.Handle(t.Context(), carpool.By{Account: "office"}, list[0].ID, "talked", "un caso"); err != nil {
			t.Fatal(err)
		}
		if n := look(local("2026-11-27", "00:05")); n != 1 {
			t.Errorf("after it was handled: %d", n)
		}
		if n := w.count(`SELECT count(*) FROM carpool_reports WHERE kind = 'taxi'`); n != 1 {
			t.Errorf("%d patterns in all", n)
		}
		if n := w.count(`SELECT count(*) FROM audit_line WHERE action = 'carpool.report.note'`); n != 1 {
			t.Errorf("%d lines in the audit log", n)
		}
	})
}
