package carpool

import (
	"slices"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

const (
	// MostWindow is the longest span that Days lays out: 24 months.
	MostWindow = 731
	// mostListed are the days that one list of exceptions holds.
	mostListed = 400
	// firstYear and lastYear are where the days of a schedule must lie.
	firstYear, lastYear = "2000-01-01", "2100-12-31"
)

// Check refuses a schedule that says nothing, too much, or what cannot be
// laid out. Errors name the field.
func (s Schedule) Check() error {
	if err := s.Time.Check(); err != nil {
		return fault.New(fault.Invalid, "time: %w", err)
	}
	switch {
	case s.Date == "" && s.Rule == "":
		return fault.New(fault.Invalid, "date: say on which day, or give a rule such as FREQ=WEEKLY;BYDAY=MO,TH")
	case s.Date != "" && s.Rule != "":
		return fault.New(fault.Invalid, "rule: there is a date as well; give one of the two")
	case s.Date != "":
		return s.checkOnce()
	}
	if err := checkDay("first", s.First); err != nil {
		return err
	}
	if s.Last != "" {
		if err := checkDay("last", s.Last); err != nil {
			return err
		}
		if s.Last < s.First {
			return fault.New(fault.Invalid, "last: %s is before the first day, %s", s.Last, s.First)
		}
	}
	if !slices.Contains([]SchoolDays{AnyDay, SchoolDay, NoSchool}, s.School) {
		return fault.New(fault.Invalid, "school: %.20q: write %q, %q or nothing", string(s.School), SchoolDay, NoSchool)
	}
	if err := checkDays("except", s.Except); err != nil {
		return err
	}
	if err := checkDays("extra", s.Extra); err != nil {
		return err
	}
	for _, d := range s.Extra {
		if slices.Contains(s.Except, d) {
			return fault.New(fault.Invalid, "extra: %s is an exception as well; take it out of one of the two", d)
		}
	}
	_, err := s.rule()
	return err
}

// checkOnce is Check of a single day, with which nothing of a rule may stand.
func (s Schedule) checkOnce() error {
	if err := checkDay("date", s.Date); err != nil {
		return err
	}
	for _, f := range []struct {
		name  string
		given bool
	}{{"first", s.First != ""}, {"last", s.Last != ""}, {"school", s.School != AnyDay}, {"except", len(s.Except) > 0}, {"extra", len(s.Extra) > 0}} {
		if f.given {
			return fault.New(fault.Invalid, "%s: it belongs to a rule, and this goes once, on %s; leave it out", f.name, s.Date)
		}
	}
	return nil
}

func checkDay(field string, d Date) error {
	if err := d.Check(); err != nil {
		return fault.New(fault.Invalid, "%s: %w", field, err)
	}
	if d < firstYear || d > lastYear {
		return fault.New(fault.Invalid, "%s: %s is not between %s and %s", field, d, firstYear, lastYear)
	}
	return nil
}

func checkDays(field string, days []Date) error {
	if len(days) > mostListed {
		return fault.New(fault.Invalid, "%s: %d days; at most %d can be listed", field, len(days), mostListed)
	}
	for _, d := range days {
		if err := checkDay(field, d); err != nil {
			return err
		}
	}
	return nil
}

// Days on which it goes, from a day to another, both included, in order. A
// day of the rule counts between First and Last, unless it is an exception or
// the school calendar leaves it out; COUNT counts the days of the bare rule.
// Extra days count whatever the rule says. The span may be at most MostWindow
// days long.
func (s Schedule) Days(from, to Date, school School) ([]Date, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := checkDay("from", from); err != nil {
		return nil, err
	}
	if err := checkDay("to", to); err != nil {
		return nil, err
	}
	if to > from.Plus(MostWindow) {
		return nil, fault.New(fault.Invalid, "to: %s is more than 24 months after %s; ask for less at once", to, from)
	}
	if s.Date != "" {
		if from <= s.Date && s.Date <= to {
			return []Date{s.Date}, nil
		}
		return nil, nil
	}
	rule, err := s.rule()
	if err != nil {
		return nil, err
	}
	last := to
	if s.Last != "" {
		last = min(last, s.Last)
	}
	days, err := rule.days(max(from, s.First), last)
	if err != nil {
		return nil, err
	}
	days = slices.DeleteFunc(days, func(d Date) bool {
		return slices.Contains(s.Except, d) || s.School != AnyDay && school.Open(d) != (s.School == SchoolDay)
	})
	for _, d := range s.Extra {
		if from <= d && d <= to {
			days = append(days, d)
		}
	}
	slices.Sort(days)
	return slices.Compact(days), nil
}

// Departs is the moment at which it leaves on a day. What Clock.On says of
// the changes to and from summer time holds.
func (s Schedule) Departs(d Date, in *time.Location) (time.Time, error) {
	t, err := s.Time.On(d, in)
	if err != nil {
		return time.Time{}, fault.New(fault.Invalid, "time: %w", err)
	}
	return t, nil
}

// Weekdays on which it goes each week (or each second …), from Monday on; nil
// where no week is like another, as with a rule of months.
func (s Schedule) Weekdays() []time.Weekday {
	if s.Check() != nil {
		return nil
	}
	if s.Date != "" {
		return weekdayOf(s.Date)
	}
	rule, err := s.rule()
	if err != nil {
		return nil
	}
	return rule.weekdays()
}

func weekdayOf(d Date) []time.Weekday {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return nil
	}
	return []time.Weekday{t.Weekday()}
}
