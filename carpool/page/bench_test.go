package page_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
)

// BenchmarkSearchPage is the server's time for a search and its page, with 15
// drivers who go each working day, on SQLite. "p99-ms" is what one in a hundred
// visitors waits at least.
func BenchmarkSearchPage(b *testing.B) {
	w := newWorld(b)
	for i := range 15 {
		d, car := w.driver()
		_, err := w.Offers.Add(b.Context(), d.by, carpool.Offer{Driver: d.by.Member, Vehicle: car, From: w.place("bergolo-municipio"), To: w.place("cortemilia-municipio"),
			When:  carpool.Schedule{Time: carpool.Clock(fmt.Sprintf("%02d:%02d", 6+i/4, i%4*15)), Rule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", First: "2026-11-23"},
			Seats: 3, MaxDetour: 15 * time.Minute, MilliEURKm: 50}, fmt.Sprintf("offer-of-a-benchmark-%d", i))
		must(b, err)
	}
	took := make([]time.Duration, 0, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		rec := httptest.NewRecorder()
		w.shell.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "http://127.0.0.1"+answered, nil))
		took = append(took, time.Since(start))
		if rec.Code != http.StatusOK || rec.Body.Len() < 10_000 {
			b.Fatalf("%d, %d bytes", rec.Code, rec.Body.Len())
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
