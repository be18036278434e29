package edge

import (
	"net/http"
	"strings"
	"time"
)

// TakesHTML says that a request is for a page that a person reads.
func TakesHTML(h http.Header) bool {
	for _, line := range h["Accept"] {
		for m := range strings.SplitSeq(line, ",") {
			if kind, _, _ := strings.Cut(m, ";"); strings.EqualFold(strings.TrimSpace(kind), "text/html") {
				return true
			}
		}
	}
	return false
}

// SinceWords are since when something lasts, as people write it here. Both times
// are in the zone of who reads.
func SinceWords(t, now time.Time) string {
	if sameDay(t, now) {
		return "dalle " + t.Format("15:04") + " di oggi"
	}
	return "dalle " + t.Format("15:04") + " del " + t.Format("02/01/2006")
}

// AtWords are when something was, as people write it here. Both times are in the
// zone of who reads.
func AtWords(t, now time.Time) string {
	if sameDay(t, now) {
		return "oggi alle " + t.Format("15:04")
	}
	return "il " + t.Format("02/01/2006 alle 15:04")
}

func sameDay(a, b time.Time) bool { return a.Year() == b.Year() && a.YearDay() == b.YearDay() }
