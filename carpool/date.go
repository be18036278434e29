package carpool

import (
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// Date is a day, "2026-11-23"; "" is none. Dates compare as their text.
type Date string

// Clock is a time of day, "07:10".
type Clock string

// DateOf is the day of a moment in a place.
func DateOf(t time.Time, in *time.Location) Date { return Date(t.In(in).Format(time.DateOnly)) }

// Check refuses what is not a day of the calendar.
func (d Date) Check() error {
	if _, err := time.Parse(time.DateOnly, string(d)); err != nil {
		return fault.New(fault.Invalid, "date %.20q: write it as 2026-11-23", string(d))
	}
	return nil
}

// Plus is n days later.
func (d Date) Plus(n int) Date {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return d
	}
	return Date(t.AddDate(0, 0, n).Format(time.DateOnly))
}

// Check refuses what is not a time of day.
func (c Clock) Check() error {
	if _, err := time.Parse("15:04", string(c)); err != nil || len(c) != 5 {
		return fault.New(fault.Invalid, "time %.20q: write it as 07:10", string(c))
	}
	return nil
}

// On is the moment of a time of day on a day. A time that the change to summer
// time skips is the moment after the gap as far as it was into it; one that
// comes twice is the first.
func (c Clock) On(d Date, in *time.Location) (time.Time, error) {
	if err := d.Check(); err != nil {
		return time.Time{}, err
	}
	if err := c.Check(); err != nil {
		return time.Time{}, err
	}
	wall, err := time.Parse("2006-01-02 15:04", string(d)+" "+string(c))
	if err != nil {
		return time.Time{}, err
	}
	// The offset that holds the day before is the one before a change on this
	// day. With it, what comes twice is the first, and what is skipped falls
	// behind the gap; any other time shows another clock and takes the offset of
	// after the change.
	_, before := wall.AddDate(0, 0, -1).In(in).Zone()
	_, after := wall.AddDate(0, 0, 1).In(in).Zone()
	first := wall.Add(-time.Duration(before) * time.Second).In(in)
	second := wall.Add(-time.Duration(after) * time.Second).In(in)
	if !shows(first, wall) && shows(second, wall) {
		return second, nil
	}
	return first, nil
}

// shows says whether a clock shows at t what it shows at the wall time.
func shows(t, wall time.Time) bool {
	return t.Format("2006-01-02 15:04") == wall.Format("2006-01-02 15:04")
}
