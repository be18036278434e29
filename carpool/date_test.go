package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

func romeTime(t testing.TB) *time.Location {
	t.Helper()
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	return rome
}

func TestClockOnDaysOfChange(t *testing.T) {
	rome := romeTime(t)
	for _, c := range []struct {
		day   carpool.Date
		clock carpool.Clock
		want  string
	}{
		{"2026-11-23", "07:10", "2026-11-23T06:10:00Z"},
		{"2026-07-01", "00:00", "2026-06-30T22:00:00Z"},
		{"2027-03-27", "02:30", "2027-03-27T01:30:00Z"},
		{"2027-03-28", "01:59", "2027-03-28T00:59:00Z"},
		{"2027-03-28", "02:00", "2027-03-28T01:00:00Z"}, // skipped: 03:00
		{"2027-03-28", "02:30", "2027-03-28T01:30:00Z"}, // skipped: 03:30
		{"2027-03-28", "03:00", "2027-03-28T01:00:00Z"},
		{"2027-03-28", "23:59", "2027-03-28T21:59:00Z"},
		{"2027-03-29", "00:30", "2027-03-28T22:30:00Z"},
		{"2026-10-25", "01:59", "2026-10-24T23:59:00Z"},
		{"2026-10-25", "02:00", "2026-10-25T00:00:00Z"}, // twice: the first
		{"2026-10-25", "02:30", "2026-10-25T00:30:00Z"}, // twice: the first
		{"2026-10-25", "03:00", "2026-10-25T02:00:00Z"},
		{"2026-10-26", "00:30", "2026-10-25T23:30:00Z"},
		{"2028-02-29", "12:00", "2028-02-29T11:00:00Z"},
	} {
		got, err := c.clock.On(c.day, rome)
		if err != nil {
			t.Fatal(err)
		}
		if s := got.UTC().Format(time.RFC3339); s != c.want {
			t.Errorf("%s %s is %s, want %s", c.day, c.clock, s, c.want)
		}
	}
}

func TestDateAndClockRefuse(t *testing.T) {
	for _, d := range []carpool.Date{"", "2026-2-3", "2027-02-29", "2026-13-01", "23/11/2026", "2026-11-23T00:00", "tomorrow"} {
		if err := d.Check(); fault.Of(err) != fault.Invalid {
			t.Errorf("date %q: %v", d, err)
		}
		if _, err := carpool.Clock("07:10").On(d, time.UTC); err == nil {
			t.Errorf("07:10 on %q is a moment", d)
		}
	}
	for _, c := range []carpool.Clock{"", "7:10", "24:00", "07:60", "07.10", "07:1", "-7:10", "07:10:00"} {
		if err := c.Check(); fault.Of(err) != fault.Invalid {
			t.Errorf("time %q: %v", c, err)
		}
		if _, err := c.On("2026-11-23", time.UTC); err == nil {
			t.Errorf("%q is a moment", c)
		}
	}
	if got := carpool.Date("2028-02-28").Plus(1); got != "2028-02-29" {
		t.Errorf("the day after is %s", got)
	}
	if got := carpool.Date("2026-12-31").Plus(1); got != "2027-01-01" {
		t.Errorf("the day after is %s", got)
	}
	if got := carpool.DateOf(time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC), romeTime(t)); got != "2026-11-23" {
		t.Errorf("half past midnight in Rome is on %s", got)
	}
}

func TestSchool(t *testing.T) {
	school := carpool.School{Off: []carpool.Span{{First: "2026-12-23", Last: "2027-01-06", Name: "Natale"}}}
	if err := school.Check(); err != nil {
		t.Fatal(err)
	}
	for day, want := range map[carpool.Date]bool{
		"2026-12-22": true, "2026-12-23": false, "2027-01-06": false, "2027-01-07": true,
		"2026-11-22": false, "2026-11-21": true, "nonsense": false,
	} {
		if got := school.Open(day); got != want {
			t.Errorf("school on %s: %v, want %v", day, got, want)
		}
	}
	for _, bad := range []carpool.Span{{First: "x", Last: "2027-01-06"}, {First: "2027-01-06", Last: ""}, {First: "2027-01-06", Last: "2027-01-05"}} {
		if err := (carpool.School{Off: []carpool.Span{bad}}).Check(); fault.Of(err) != fault.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
