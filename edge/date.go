package edge

import (
	"net/http"
	"strings"
	"time"
)

// formats of an HTTP-date (RFC 9110 §5.6.7): the preferred one, then those that
// a recipient must read as well.
const (
	imfFixdate = "Mon, 02 Jan 2006 15:04:05 GMT"
	rfc850     = "Monday, 02-Jan-06 15:04:05 GMT"
	asctime    = "Mon Jan _2 15:04:05 2006"
)

// ParseDate reads an HTTP-date in any of its three forms. A year of two digits
// is the one that is at most 50 years after now (RFC 9110 §5.6.7). ok is false
// for anything else; the name of the day is not held against the date, and the
// zone may be in small letters.
func ParseDate(s string, now time.Time) (t time.Time, ok bool) {
	if small := len(s) - len("gmt"); small > 0 && strings.EqualFold(s[small:], "gmt") {
		s = s[:small] + "GMT"
	}
	var err error
	switch comma := strings.IndexByte(s, ','); {
	case comma < 0:
		t, err = time.Parse(asctime, s)
		return t, err == nil && len(s) == len(asctime)
	case comma == 3:
		t, err = time.Parse(imfFixdate, s)
		return t, err == nil && len(s) == len(imfFixdate)
	default:
		t, err = time.Parse(rfc850, s)
		if err != nil || len(s)-comma != len(rfc850)-len("Monday") {
			return time.Time{}, false
		}
	}
	t = t.AddDate(now.Year()/100*100-t.Year()/100*100, 0, 0)
	switch {
	case t.After(now.AddDate(50, 0, 0)):
		t = t.AddDate(-100, 0, 0)
	case t.Before(now.AddDate(-50, 0, 0)):
		t = t.AddDate(100, 0, 0)
	}
	return t, true
}

// date is a field with one date: its first line counts, as for all that tells
// how fresh an answer is (RFC 9111 §4.2.1). there is true for one that cannot be
// read as well.
func date(h http.Header, name string, now time.Time) (t time.Time, there, ok bool) {
	lines := h[name]
	if len(lines) == 0 {
		return time.Time{}, false, false
	}
	t, ok = ParseDate(trim(lines[0]), now)
	return t, true, ok
}
