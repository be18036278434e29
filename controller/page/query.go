package page

import (
	"strconv"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

const (
	maxSteps  = 5000
	maxYears  = 10 // between from and to
	firstYear = 1970
	lastYear  = 2200
)

// moment reads a time of the query, RFC 3339.
func moment(s, name string, otherwise time.Time) (time.Time, error) {
	if s == "" {
		return otherwise.UTC(), nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fault.New(fault.Invalid, "%s=%q: want a time as 2026-01-31T12:00:00Z", name, s)
	}
	if at = at.UTC(); at.Year() < firstYear || at.Year() > lastYear {
		return time.Time{}, fault.New(fault.Invalid, "%s=%q: want a year from %d to %d", name, s, firstYear, lastYear)
	}
	return at, nil
}

// stepOf reads the step in seconds or as a duration; by default it gives at
// most 240 steps of whole seconds.
func stepOf(s string, span time.Duration) (time.Duration, error) {
	if s == "" {
		return max(10*time.Second, (span/240).Truncate(time.Second)+time.Second), nil
	}
	step, err := time.ParseDuration(s)
	if secs, numErr := strconv.ParseUint(s, 10, 31); numErr == nil {
		step, err = time.Duration(secs)*time.Second, nil
	}
	switch {
	case err != nil || step < time.Second:
		return 0, fault.New(fault.Invalid, "step=%q: want seconds, or a duration as 5m, of at least 1 s", s)
	case span/step > maxSteps:
		return 0, fault.New(fault.Invalid, "step=%q gives more than %d readings for an end: take a longer step or a shorter time", s, maxSteps)
	}
	return step, nil
}
