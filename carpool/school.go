package carpool

import (
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// School is the calendar of days without school beside Sundays, as the region
// publishes it each year.
type School struct {
	Off []Span `yaml:"off" json:"off"`
}

// Span is some days, first and last included.
type Span struct {
	First Date   `yaml:"first" json:"first"`
	Last  Date   `yaml:"last" json:"last"`
	Name  string `yaml:"name" json:"name"` // "Natale"
}

// Check refuses a calendar that cannot be read.
func (s School) Check() error {
	for i, o := range s.Off {
		if err := o.First.Check(); err != nil {
			return fault.New(fault.Invalid, "carpool.school.off[%d].first: %w", i, err)
		}
		if err := o.Last.Check(); err != nil {
			return fault.New(fault.Invalid, "carpool.school.off[%d].last: %w", i, err)
		}
		if o.Last < o.First {
			return fault.New(fault.Invalid, "carpool.school.off[%d]: last %s is before first %s", i, o.Last, o.First)
		}
	}
	return nil
}

// Open says whether there is school on a day: not on Sundays, nor on the days
// off.
func (s School) Open(d Date) bool {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil || t.Weekday() == time.Sunday {
		return false
	}
	for _, o := range s.Off {
		if o.First <= d && d <= o.Last {
			return false
		}
	}
	return true
}
