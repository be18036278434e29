package gtfs

import (
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// service is on which days some trips go.
type service struct {
	days        [7]bool // by time.Weekday
	first, last Day
	more, less  []Day // exceptions, in order
}

// on says whether there is service on a day.
func (s service) on(d Day) bool {
	if _, yes := slices.BinarySearch(s.more, d); yes {
		return true
	}
	if _, no := slices.BinarySearch(s.less, d); no {
		return false
	}
	return s.first != 0 && d >= s.first && d <= s.last && s.days[d.weekday()]
}

// span is the first and last day that it may be on.
func (s service) span() (first, last Day, ok bool) {
	first, last = s.first, s.last
	if len(s.more) > 0 {
		if first == 0 || s.more[0] < first {
			first = s.more[0]
		}
		last = max(last, s.more[len(s.more)-1])
	}
	return first, last, first != 0
}

var dayColumns = [7]string{time.Sunday: "sunday", time.Monday: "monday", time.Tuesday: "tuesday", time.Wednesday: "wednesday",
	time.Thursday: "thursday", time.Friday: "friday", time.Saturday: "saturday"}

func (b *builder) calendar() error {
	if !b.has("calendar.txt") {
		if !b.has("calendar_dates.txt") {
			return fault.New(fault.Invalid, "calendar.txt: it and calendar_dates.txt are missing: one must say on which days the buses go")
		}
		return nil
	}
	return b.each("calendar.txt", func(t *table) error {
		id, err := t.need("service_id")
		if err != nil {
			return err
		}
		if _, twice := b.services[id]; twice {
			return t.bad("service_id", "%.60q stands twice", id)
		}
		var s service
		for d, column := range dayColumns {
			switch t.get(column) {
			case "1":
				s.days[d] = true
			case "0":
			default:
				return t.bad(column, "%.20q is neither 0 nor 1", t.get(column))
			}
		}
		if s.first, err = parseDay(t.get("start_date")); err != nil {
			return t.bad("start_date", "%w", err)
		}
		if s.last, err = parseDay(t.get("end_date")); err != nil {
			return t.bad("end_date", "%w", err)
		}
		if s.last < s.first {
			return t.bad("end_date", "before start_date")
		}
		b.services[id] = int32(len(b.out.services))
		b.out.services = append(b.out.services, s)
		return nil
	})
}

func (b *builder) calendarDates() error {
	if !b.has("calendar_dates.txt") {
		return nil
	}
	type key struct {
		service int32
		day     Day
	}
	seen := map[key]bool{}
	err := b.each("calendar_dates.txt", func(t *table) error {
		id := t.get("service_id")
		if id == "" {
			return t.bad("service_id", "it is empty, and must not be")
		}
		i, ok := b.services[id]
		if !ok {
			i = int32(len(b.out.services))
			b.services[strings.Clone(id)] = i
			b.out.services = append(b.out.services, service{})
		}
		d, err := parseDay(t.get("date"))
		if err != nil {
			return t.bad("date", "%w", err)
		}
		if k := (key{i, d}); seen[k] {
			return t.bad("date", "the day stands twice for this service")
		} else {
			seen[k] = true
		}
		s := &b.out.services[i]
		switch t.get("exception_type") {
		case "1":
			s.more = append(s.more, d)
		case "2":
			s.less = append(s.less, d)
		default:
			return t.bad("exception_type", "%.20q is neither 1 nor 2", t.get("exception_type"))
		}
		return nil
	})
	for i := range b.out.services {
		slices.Sort(b.out.services[i].more)
		slices.Sort(b.out.services[i].less)
	}
	return err
}
