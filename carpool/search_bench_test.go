package carpool_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store/storetest"
)

// BenchmarkSearch is a search on SQLite among the rides of 40 drivers in four
// weeks and 120 meeting points; the limit of its 99th percentile is that of a
// page that searches.
func BenchmarkSearch(b *testing.B) {
	w := newTown(b, storetest.SQLite(b))
	for i := range 116 {
		_, err := w.Places.Put(b.Context(), carpool.By{Account: "office"}, carpool.Place{ID: carpool.PlaceID(fmt.Sprintf("punto-%d", i)), Comune: "004000", Name: fmt.Sprintf("Punto %d", i),
			At: geo.LonLat{Lon: 8 + float64(i%20)*0.025, Lat: 44.5 + float64(i/20)*0.02}, Kind: carpool.BusStop, StepFree: true})
		if err != nil {
			b.Fatal(err)
		}
	}
	for i := range 40 {
		driver, car := w.driver("2027-12-31")
		o := once(car, "", carpool.Clock(fmt.Sprintf("%02d:%02d", 6+i%8, i)))
		o.When = carpool.Schedule{Time: o.When.Time, Rule: "FREQ=DAILY", First: "2026-11-24"}
		o.From.Place = carpool.PlaceID(fmt.Sprintf("punto-%d", i))
		w.offer(driver, o)
	}
	rider := w.resident()
	ask := carpool.Ask{For: rider.Member, From: carpool.Spot{Place: "niella"}, To: carpool.Spot{Place: "alba"},
		When: carpool.Window{From: local(wednesday, "07:00"), To: local(wednesday, "09:00")}}
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		a, err := w.Bookings.Search(b.Context(), ask)
		if err != nil || len(a.Matches) == 0 {
			b.Fatalf("%+v, %v", a, err)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(30, "limit-ms")
}
