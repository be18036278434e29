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
	day, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse("15:04", string(c))
	if err != nil {
		return time.Time{}, err
	}
	return time.Date(day.Year(), day.Month(), day.Day(), at.Hour(), at.Minute(), 0, 0, in), nil
}
