package page_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
)

// BenchmarkSearchPage is the server's time for a search and its page, with 15
// drivers who go each working day, on SQLite: the processor's time of one page
// ("cpu-ms"), and what one in a hundred visitors waits at least while 200 ask in
// each second ("p99-ms"; limit 30 ms on two cores).
func BenchmarkSearchPage(b *testing.B) {
	w := newWorld(b)
	for i := range 15 {
		d, car := w.driver()
		_, err := w.Offers.Add(b.Context(), d.by, carpool.Offer{Driver: d.by.Member, Vehicle: car, From: w.place("bergolo-municipio"), To: w.place("cortemilia-municipio"),
			When:  carpool.Schedule{Time: carpool.Clock(fmt.Sprintf("%02d:%02d", 6+i/4, i%4*15)), Rule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", First: "2026-11-23"},
			Seats: 3, MaxDetour: 15 * time.Minute, MilliEURKm: 50}, fmt.Sprintf("offer-of-a-benchmark-%d", i))
		must(b, err)
	}
	// One after the other, from an address each: limits are not what is measured.
	ask := func(n int) int {
		r := httptest.NewRequest("GET", "http://127.0.0.1"+answered, nil)
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1000", n>>16&255, n>>8&255, n&255)
		rec := httptest.NewRecorder()
		w.shell.Handler().ServeHTTP(rec, r)
		if rec.Code != http.StatusOK || rec.Body.Len() < 10_000 {
			b.Errorf("%d, %d bytes", rec.Code, rec.Body.Len())
		}
		return n + 1
	}
	n := 0
	for range 50 {
		n = ask(n)
	}
	var before, after syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &before))
	alone := 0
	for b.Loop() {
		n = ask(n)
		alone++
	}
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &after))
	cpu := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	b.ReportMetric(float64((cpu/time.Duration(alone)).Microseconds())/1000, "cpu-ms")

	// 200 a second for three seconds, each on time whether others are done or not.
	took := make([]time.Duration, 600)
	var all sync.WaitGroup
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i := range took {
		due := <-tick.C
		from := n + i
		all.Go(func() {
			ask(from)
			took[i] = time.Since(due)
		})
	}
	all.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(30, "limit-ms")
}
