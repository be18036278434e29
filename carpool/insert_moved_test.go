package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// TestNobodyIsMovedToNow: who has a place is not called earlier on the day, and
// by a quarter of an hour at most before.
func TestNobodyIsMovedToNow(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		o := once(car, wednesday, "08:00")
		o.Flex = time.Hour
		w.offer(driver, o)
		wide := carpool.Request{From: carpool.Spot{Place: "bergolo"}, To: carpool.Spot{Place: "alba"}, When: carpool.Window{From: local(wednesday, "07:00"), To: local(wednesday, "09:00")}}
		a := w.resident()
		told := w.accepted(driver, a, w.request(a, wide, nil)).Pickup.At
		early, slightly := w.resident(), w.resident()
		if m := w.matches(w.request(early, need(wednesday, "07:00", "07:15"), nil)); len(m) != 0 {
			t.Errorf("days before, by an hour: %+v", m)
		}
		w.at(local(wednesday, "07:02"))
		if m := w.matches(w.request(slightly, need(wednesday, "07:50", "08:00"), nil)); len(m) != 0 {
			t.Errorf("on the day: %+v", m)
		}
		w.at(monday)
		bk := w.accepted(driver, slightly, w.request(slightly, need(wednesday, "07:50", "08:00"), nil))
		v, err := w.Bookings.Mine(t.Context(), a.Member, monday, monday.AddDate(0, 0, 7))
		if err != nil || len(v) != 1 || !v[0].From.Before(told) || v[0].From.Before(told.Add(-15*time.Minute)) || bk.State != carpool.Accepted {
			t.Errorf("told %v, now %+v, %v", told, v, err)
		}
	})
}
