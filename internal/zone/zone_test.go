package zone

import (
	"testing"
	"time"
)

// The zone of our own is Europe/Rome: its name, the two changes of a year by
// the rule of the European Union (Directive 2000/84/EC: the last Sundays of
// March and October at 01:00 UTC), and years the file does not list.
func TestOurOwnZone(t *testing.T) {
	l := own()
	if l.String() != "Europe/Rome" {
		t.Errorf("called %q", l)
	}
	for _, c := range []struct{ utc, want string }{
		{"2026-03-29T00:59:59Z", "2026-03-29 01:59:59 CET"},
		{"2026-03-29T01:00:00Z", "2026-03-29 03:00:00 CEST"},
		{"2026-10-25T00:59:59Z", "2026-10-25 02:59:59 CEST"},
		{"2026-10-25T01:00:00Z", "2026-10-25 02:00:00 CET"},
		{"2060-07-01T12:00:00Z", "2060-07-01 14:00:00 CEST"},
		{"2060-12-01T12:00:00Z", "2060-12-01 13:00:00 CET"},
	} {
		at, err := time.Parse(time.RFC3339, c.utc)
		if err != nil {
			t.Fatal(err)
		}
		if got := at.In(l).Format("2006-01-02 15:04:05 MST"); got != c.want {
			t.Errorf("%s is %s, want %s", c.utc, got, c.want)
		}
	}
}

// A machine's own zone, where there is one, says the same for many years.
func TestOurOwnZoneIsThatOfTheMachine(t *testing.T) {
	if Rome().String() != "Europe/Rome" {
		t.Fatalf("%q", Rome())
	}
	for at := time.Date(1990, 1, 1, 0, 30, 0, 0, time.UTC); at.Year() < 2036; at = at.Add(7 * time.Hour) {
		if a, b := at.In(Rome()).Format(time.RFC3339), at.In(own()).Format(time.RFC3339); a != b {
			t.Fatalf("%s: the machine says %s, ours %s", at, a, b)
		}
	}
}
