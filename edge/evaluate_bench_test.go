package edge

import (
	"net/http"
	"testing"
	"time"
)

// BenchmarkDecision decides about a request as browsers send it: on a head read
// anew, and on one that was read before, as the proxy does for what is asked for
// again and again.
func BenchmarkDecision(b *testing.B) {
	got := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	s := &Stored{Status: http.StatusOK, Asked: got.Add(-time.Second), Got: got, Header: http.Header{
		"Cache-Control": {"public, max-age=3600, stale-while-revalidate=60"}, "Date": {"Mon, 23 Nov 2026 08:00:00 GMT"},
		"Last-Modified": {"Fri, 20 Nov 2026 10:00:00 GMT"}, "Etag": {`"a-1"`}, "Content-Type": {"text/html; charset=utf-8"},
		"Vary": {"Accept-Encoding, Accept-Language"},
	}}
	q := Request{Method: http.MethodGet, Header: http.Header{
		"Accept": {"text/html,application/xhtml+xml,*/*;q=0.8"}, "Accept-Encoding": {"gzip, deflate, br"},
		"Accept-Language": {"it-IT,it;q=0.9,en;q=0.5"}, "Cache-Control": {"max-age=3600"}, "User-Agent": {"Mozilla/5.0"},
	}}
	r, now := DefaultRules(), got.Add(10*time.Minute)
	b.Run("anew", func(b *testing.B) {
		for b.Loop() {
			if r.Evaluate(s, q, now).Act != Serve {
				b.Fatal("not served")
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		e := r.Ready(s)
		for b.Loop() {
			if e.Evaluate(q, now).Act != Serve {
				b.Fatal("not served")
			}
		}
	})
}
