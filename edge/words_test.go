package edge

import (
	"net/http"
	"testing"
	"time"
)

func TestTakesHTML(t *testing.T) {
	for accept, want := range map[string]bool{
		"":                             false,
		"*/*":                          false,
		"text/html":                    true,
		"application/json, Text/HTML ": true,
		"text/html;q=0.9, */*":         true,
		"text/htmlx":                   false,
		"image/avif,text/plain":        false,
	} {
		if got := TakesHTML(http.Header{"Accept": {accept}}); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}

func TestTimesInWords(t *testing.T) {
	now := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	for at, want := range map[time.Time][2]string{
		now.Add(-9 * time.Hour):  {"dalle 09:00 di oggi", "oggi alle 09:00"},
		now.Add(-24 * time.Hour): {"dalle 18:00 del 22/11/2026", "il 22/11/2026 alle 18:00"},
		now.AddDate(-1, 0, 0):    {"dalle 18:00 del 23/11/2025", "il 23/11/2025 alle 18:00"},
	} {
		if got := [2]string{SinceWords(at, now), AtWords(at, now)}; got != want {
			t.Errorf("%v: %q, want %q", at, got, want)
		}
	}
}
