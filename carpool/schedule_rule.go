package carpool

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/crinale/crinale/internal/fault"
)

// dayRule is a recurrence rule (RFC 5545, 3.3.10) of which only what says days is
// let in: FREQ of days, weeks or months, INTERVAL, BYDAY, WKST, and UNTIL (a
// day) or COUNT.
type dayRule struct {
	opt   rrule.ROption
	first time.Time
}

// bounds of what a rule may count. They keep the laying out of any rule that
// is let in short.
const (
	mostInterval = 366
	mostMonths   = 24
	mostCount    = 1000
	mostRule     = 200 // characters
)

// rule reads the rule of a schedule.
func (s Schedule) rule() (dayRule, error) {
	r := dayRule{}
	first, err := time.Parse(time.DateOnly, string(s.First))
	if err != nil {
		return r, fault.New(fault.Invalid, "first: %w", s.First.Check())
	}
	r.first = first
	if err := r.read(s.Rule); err != nil {
		return r, err
	}
	r.opt.Dtstart = first
	if !r.opt.Until.IsZero() && r.opt.Until.Before(first) {
		return r, fault.New(fault.Invalid, "rule: UNTIL is before the first day, %s", s.First)
	}
	if _, err := rrule.NewRRule(r.opt); err != nil {
		return r, fault.New(fault.Invalid, "rule: %w", err)
	}
	return r, nil
}

// read takes the parts of a rule apart. Each may stand once.
func (r *dayRule) read(text string) error {
	if len(text) > mostRule {
		return fault.New(fault.Invalid, "rule: longer than %d signs", mostRule)
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ";") {
		key, value, ok := strings.Cut(part, "=")
		if !ok || value == "" {
			return fault.New(fault.Invalid, "rule: %.30q: write parts as KEY=VALUE with ; between them, as in FREQ=WEEKLY;BYDAY=MO,TH", part)
		}
		if seen[key] {
			return fault.New(fault.Invalid, "rule: %.10s stands twice", key)
		}
		seen[key] = true
		if err := r.part(key, value); err != nil {
			return err
		}
	}
	return r.whole(seen)
}

// part is one KEY=VALUE.
func (r *dayRule) part(key, value string) (err error) {
	switch key {
	case "FREQ":
		freq, ok := map[string]rrule.Frequency{"DAILY": rrule.DAILY, "WEEKLY": rrule.WEEKLY, "MONTHLY": rrule.MONTHLY}[value]
		if !ok {
			return fault.New(fault.Invalid, "rule: FREQ=%.20s: rides go by DAILY, WEEKLY or MONTHLY; the time of day stands beside", value)
		}
		r.opt.Freq = freq
	case "INTERVAL":
		r.opt.Interval, err = countIn(key, value, mostInterval)
	case "COUNT":
		r.opt.Count, err = countIn(key, value, mostCount)
	case "UNTIL":
		until, bad := time.Parse("20060102", value)
		if bad != nil {
			return fault.New(fault.Invalid, "rule: UNTIL=%.20s: give a day, as in UNTIL=20270610", value)
		}
		r.opt.Until = until
	case "WKST":
		day, _, ok := ruleDay(value)
		if !ok || len(value) != 2 {
			return fault.New(fault.Invalid, "rule: WKST=%.20s: give a day, as in WKST=MO", value)
		}
		r.opt.Wkst = day
	case "BYDAY":
		for v := range strings.SplitSeq(value, ",") {
			day, n, ok := ruleDay(v)
			if !ok {
				return fault.New(fault.Invalid, "rule: BYDAY: %.20q is not a day; write MO, TU, WE, TH, FR, SA or SU, with a number before it only for months", v)
			}
			if n != 0 {
				day = day.Nth(n)
			}
			if slices.Contains(r.opt.Byweekday, day) {
				return fault.New(fault.Invalid, "rule: BYDAY: %s stands twice", v)
			}
			r.opt.Byweekday = append(r.opt.Byweekday, day)
		}
	default:
		return fault.New(fault.Invalid, "rule: %.20q is not used here; FREQ, INTERVAL, BYDAY, UNTIL, COUNT and WKST are, the first day and the time stand beside", key)
	}
	return err
}

// whole refuses parts that do not go together, and rules that run empty for
// ever or for very long.
func (r *dayRule) whole(seen map[string]bool) error {
	if !seen["FREQ"] {
		return fault.New(fault.Invalid, "rule: FREQ is missing; write FREQ=DAILY, FREQ=WEEKLY or FREQ=MONTHLY")
	}
	if seen["COUNT"] && seen["UNTIL"] {
		return fault.New(fault.Invalid, "rule: COUNT and UNTIL cannot stand together (RFC 5545, 3.3.10); keep one")
	}
	if r.opt.Freq == rrule.MONTHLY && r.opt.Interval > mostMonths {
		return fault.New(fault.Invalid, "rule: INTERVAL: %d months; at most %d", r.opt.Interval, mostMonths)
	}
	if r.opt.Freq == rrule.DAILY && r.opt.Interval > 1 && seen["BYDAY"] {
		return fault.New(fault.Invalid, "rule: BYDAY goes with FREQ=WEEKLY; with FREQ=DAILY and an INTERVAL it may never meet")
	}
	for _, d := range r.opt.Byweekday {
		if d.N() != 0 && r.opt.Freq != rrule.MONTHLY {
			return fault.New(fault.Invalid, "rule: BYDAY: a number before the day goes with FREQ=MONTHLY only")
		}
		// Days with and without a number together are a rule that never meets, for
		// the library.
		if (d.N() == 0) != (r.opt.Byweekday[0].N() == 0) {
			return fault.New(fault.Invalid, "rule: BYDAY: write a number before each day, or before none")
		}
	}
	return nil
}

// countIn reads a number from 1 to most.
func countIn(key, value string, most int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > most || value[0] == '+' {
		return 0, fault.New(fault.Invalid, "rule: %s=%.20s: write a number from 1 to %d", key, value, most)
	}
	return n, nil
}

// ruleDay reads "MO", "1MO", "-1FR". The fifth of a month is not let in: most
// months have none, and a rule may then be empty for years.
func ruleDay(s string) (day rrule.Weekday, n int, ok bool) {
	if len(s) < 2 || len(s) > 4 {
		return day, 0, false
	}
	day, ok = map[string]rrule.Weekday{"MO": rrule.MO, "TU": rrule.TU, "WE": rrule.WE, "TH": rrule.TH,
		"FR": rrule.FR, "SA": rrule.SA, "SU": rrule.SU}[s[len(s)-2:]]
	if number := s[:len(s)-2]; ok && number != "" {
		v, err := strconv.Atoi(number)
		if err != nil || v == 0 || v < -4 || v > 4 {
			return day, 0, false
		}
		n = v
	}
	return day, n, ok
}

// days of the bare rule from a day to another.
func (r dayRule) days(from, to Date) ([]Date, error) {
	if to < from {
		return nil, nil
	}
	first, err := time.Parse(time.DateOnly, string(from))
	if err != nil {
		return nil, err
	}
	last, err := time.Parse(time.DateOnly, string(to))
	if err != nil {
		return nil, err
	}
	opt := r.opt
	if opt.Until.IsZero() || opt.Until.After(last) {
		opt.Until = last
	}
	rule, err := rrule.NewRRule(opt)
	if err != nil {
		return nil, fault.New(fault.Invalid, "rule: %w", err)
	}
	var out []Date
	for _, t := range rule.Between(first, last, true) {
		out = append(out, Date(t.Format(time.DateOnly)))
	}
	return out, nil
}

// weekdays of a rule of days or weeks, from Monday on.
func (r dayRule) weekdays() []time.Weekday {
	week := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}
	switch {
	case r.opt.Freq == rrule.MONTHLY, r.opt.Freq == rrule.DAILY && r.opt.Interval > 1:
		return nil
	case len(r.opt.Byweekday) == 0 && r.opt.Freq == rrule.DAILY:
		return week
	case len(r.opt.Byweekday) == 0:
		return []time.Weekday{r.first.Weekday()}
	}
	return slices.DeleteFunc(week, func(w time.Weekday) bool {
		return !slices.ContainsFunc(r.opt.Byweekday, func(d rrule.Weekday) bool {
			return (d.Day()+1)%7 == int(w)
		})
	})
}
