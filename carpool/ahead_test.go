package carpool_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// TestLiftsAhead: the office reads where lifts go and whether seats are free,
// not whose they are nor where a door is.
func TestLiftsAhead(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		driver, car := w.driver("2027-12-31")
		o := once(car, wednesday, "07:10")
		o.From = carpool.Spot{Address: "Via Segreta 3", At: geo.LonLat{Lon: 8.004, Lat: 44.551}}
		o, ride := w.offer(driver, o)
		rider := w.resident()
		w.accepted(driver, rider, w.request(rider, need(wednesday, "07:00", "08:30"), nil))
		office := carpool.By{Account: "ufficio"}
		got, err := w.Portal.Ahead(t.Context(), office, "2026-11-22", 7)
		if err != nil || len(got) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		l := got[0]
		if l.Ride != ride.ID || l.Offer != o.ID || l.Seats != 3 || l.Taken != 1 || l.From.Place != "" || l.From.Name != "" || l.From.Comune == "" || l.To.Place != "alba" || l.To.Name == "" || !l.Arrive.After(l.Depart) {
			t.Errorf("%+v", l)
		}
		b, err := json.Marshal(got)
		must(t, err)
		for _, secret := range []string{string(driver.Member), string(rider.Member), "Segreta", "8.00", "44.55"} {
			if strings.Contains(string(b), secret) {
				t.Errorf("%q is told: %s", secret, b)
			}
		}
		if got, err := w.Portal.Ahead(t.Context(), office, "2026-11-22", 1); err != nil || len(got) != 0 {
			t.Errorf("of one day: %+v, %v", got, err)
		}
		for _, days := range []int{-1, 0, carpool.AheadMost + 1} {
			_, err := w.Portal.Ahead(t.Context(), office, "2026-11-22", days)
			w.refused(err, fault.Invalid, "days")
		}
		for _, by := range []carpool.By{{}, driver, atDesk} {
			_, err := w.Portal.Ahead(t.Context(), by, "2026-11-22", 7)
			w.refused(err, fault.Denied, "lifts for others than the office")
		}
	})
}

// TestPurge: a dry run counts what a purge then does, and does nothing.
func TestPurge(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		driver, car := w.driver("2027-12-31")
		w.offer(driver, once(car, wednesday, "07:10"))
		rider := w.resident()
		bk := w.accepted(driver, rider, w.request(rider, need(wednesday, "07:00", "08:30"), nil))
		w.at(bk.Drop.At.AddDate(0, 4, 0))
		office := carpool.By{Account: "ufficio"}
		whose := func() int {
			return w.count(`SELECT count(*) FROM carpool_bookings WHERE rider = $1`, string(rider.Member))
		}
		dry, err := w.Privacy.Purge(t.Context(), office, true)
		if err != nil || dry["bookings.rides"] != 1 || whose() != 1 {
			t.Fatalf("dry: %v, %v; %d bookings", dry, err, whose())
		}
		gone, err := w.Privacy.Purge(t.Context(), office, false)
		if err != nil || gone["bookings.rides"] != 1 || whose() != 0 || len(gone) != len(dry) {
			t.Errorf("purge: %v, %v; dry said %v; %d bookings", gone, err, dry, whose())
		}
		if again, err := w.Privacy.Purge(t.Context(), office, false); err != nil || len(again) != 0 {
			t.Errorf("again: %v, %v", again, err)
		}
		for _, by := range []carpool.By{{}, driver, atDesk} {
			_, err := w.Privacy.Purge(t.Context(), by, true)
			w.refused(err, fault.Denied, "purge by others than the office")
		}
	})
}
