package carpool_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// travelled writes a completed booking of 25 km with a detour of 3 minutes.
func (w *town) travelled(n int, rider string, at time.Time) {
	ms := store.Millis(at)
	ride := fmt.Sprintf("r-%d", n)
	w.exec(`INSERT INTO carpool_rides (id, offer, slot, driver, vehicle, depart_ms, leave_ms, arrive_ms, direct_ms, seats, state, risk, reason, version, opened_ms)
		VALUES ($1, 'o-1', $1, 'm-1', 'v-1', $2, $2, $3, $4, 3, 'done', '', '', 1, 0)`, ride, ms, ms+33*60_000, 30*60_000)
	w.exec(`INSERT INTO carpool_bookings (id, request, ride, rider, driver, seats, pickup_place, pickup_address, pickup_lon, pickup_lat, pickup_ms,
		drop_place, drop_address, drop_lon, drop_lat, drop_ms, cents, metres, walk_to_ms, walk_from_ms, aboard_ms, state, ended_by, reason, deadline_ms, created_ms, changed_ms)
		VALUES ($1, '', $2, $3, 'm-1', 2, 'niella', '', 8.1, 44.55, $4, '', 'a-1', 8.49, 44.55, $4, 0, 25000, 0, 0, 0, 'completed', '', '', 0, 0, 0)`,
		fmt.Sprintf("b-%d", n), ride, rider, ms)
}

// busAt is a timetable with a bus at each full hour of the afternoon.
type busAt struct{}

func (busAt) Next(_ context.Context, _, _ geo.LonLat, w carpool.Window, _ time.Duration, _ int) ([]carpool.Bus, error) {
	if w.From.In(rome).Hour() >= 12 {
		return []carpool.Bus{{Line: "1"}}, nil
	}
	return nil, nil
}

// A month is counted once, when it is settled; what comes later changes
// nothing.
func TestFigures(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db, func(_ *carpool.Config, d *carpool.Deps) { d.Buses = busAt{} })
		for i := range 12 {
			w.travelled(i, fmt.Sprintf("m-%d", i), local("2026-11-03", "07:30").AddDate(0, 0, i%3))
		}
		w.travelled(12, "m-1", local("2026-11-03", "15:30")) // a bus went there
		w.travelled(13, "m-1", local("2026-12-01", "07:30"))
		round := func(at time.Time) []carpool.Aggregates {
			w.at(at)
			if err := w.FiguresRound(t.Context()); err != nil {
				t.Fatal(err)
			}
			list, err := w.Figures(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		for _, m := range round(local("2026-12-02", "12:00")) {
			if m.Month == "2026-11" {
				t.Error("counted before it is settled")
			}
		}
		list := round(local("2026-12-03", "12:00"))
		if len(list) == 0 || list[len(list)-1].Month != "2026-11" {
			t.Fatalf("%+v", list)
		}
		got := list[len(list)-1]
		if got.Total == nil || got.Total.Rides != 13 || got.Total.Riders != 12 || got.Total.Seats != 26 {
			t.Fatalf("%+v", got.Total)
		}
		if got.Rows[0].From != "004001" || got.Rows[0].To != "004003" {
			t.Errorf("niella to the doors near alba: %+v", got.Rows)
		}
		// 12 cars of 25 km left at home, 13 detours of 3 minutes at 40 km/h.
		if want := (12*25 - 13*2.0) * carpool.GramsPerKm / 1000; math.Abs(*got.CO2Kg-want) > 1e-6 {
			t.Errorf("%v kg, want %v", *got.CO2Kg, want)
		}
		w.travelled(14, "m-99", local("2026-11-04", "07:30"))
		again := round(local("2026-12-04", "12:00"))
		if again[len(again)-1].Total.Rides != 13 {
			t.Error("a month was counted twice")
		}
		if n := w.count(`SELECT count(*) FROM carpool_figures WHERE body LIKE '%m-1%'`); n != 0 {
			t.Error("a member stands in the figures")
		}
	})
}

// Nobody's exact door is in what is published.
func TestPublished(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	by, car := w.driver("2027-12-31")
	door := geo.LonLat{Lon: 8.0123, Lat: 44.5512}
	o := once(car, "2026-11-24", "07:30")
	o.From = carpool.Spot{Address: "strada Bassa 1", At: door}
	o.DoorToDoor = true
	w.offer(by, o)
	w.offer(by, once(car, "2027-02-01", "07:30"))
	got, err := w.Published(t.Context(), w.Today(w.clock()), 31)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Places) != 4 || len(got.Offers) != 2 || len(got.Rides) != 1 {
		t.Fatalf("%d places, %d offers, %d rides", len(got.Places), len(got.Offers), len(got.Rides))
	}
	if at := got.Rides[0].Stops[0].Spot; at.At == door || at.Address != "" || !at.Private() {
		t.Errorf("a ride begins at %+v", at)
	}
}
