package page

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
)

// dayWords are days as they are said, by how they are folded.
var dayWords = map[string]int{"oggi": 0, "today": 0, "domani": 1, "tomorrow": 1, "dopodomani": 2}

// dayNames by the beginnings of their names, Italian and English.
var dayNames = []struct {
	name string
	day  time.Weekday
}{
	{"lunedi", time.Monday}, {"martedi", time.Tuesday}, {"mercoledi", time.Wednesday}, {"giovedi", time.Thursday},
	{"venerdi", time.Friday}, {"sabato", time.Saturday}, {"domenica", time.Sunday},
	{"monday", time.Monday}, {"tuesday", time.Tuesday}, {"wednesday", time.Wednesday}, {"thursday", time.Thursday},
	{"friday", time.Friday}, {"saturday", time.Saturday}, {"sunday", time.Sunday},
}

var (
	isoDay   = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})$`)
	localDay = regexp.MustCompile(`^(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}|\d{2}))?$`)
	clockOf  = regexp.MustCompile(`^(\d{1,2})[:.,h](\d{2})$`)
	hourOf   = regexp.MustCompile(`^(\d{1,2})$`)
)

// maxTypedWhen keeps a day and a time to a line.
const maxTypedWhen = 60

// dayAndTime reads what an operator types while somebody speaks: "domani
// 9:30", "lun 26/11 ore 8.15", "26/11/2026 9", "2026-11-26T09:30". A weekday
// alone is the next one, today left out; beside a date it must be that of the
// date. A day without a year is the next such day. False where it cannot be
// read.
func dayAndTime(text string, today carpool.Date) (carpool.Date, carpool.Clock, bool) {
	if len(text) > maxTypedWhen {
		return "", "", false
	}
	text = strings.ToLower(strings.TrimSpace(text))
	if day, clock, ok := strings.Cut(text, "t"); ok && isoDay.MatchString(day) {
		text = day + " " + clock
	}
	var (
		date    carpool.Date
		clock   carpool.Clock
		weekday = -1
	)
	for _, w := range strings.Fields(strings.NewReplacer(", ", " ", ";", " ").Replace(text)) {
		w = strings.TrimRight(w, ",")
		switch at := fold(w); {
		case at == "ore" || at == "alle" || at == "at" || at == "h" || at == "il" || at == "on" || at == "":
		case clock == "" && clockOf.MatchString(w):
			m := clockOf.FindStringSubmatch(w)
			if clock = clockFrom(m[1], m[2]); clock == "" {
				return "", "", false
			}
		case date == "" && (isoDay.MatchString(w) || localDay.MatchString(w)):
			if date = dateFrom(w, today); date == "" {
				return "", "", false
			}
		case clock == "" && hourOf.MatchString(w):
			if clock = clockFrom(w, "00"); clock == "" {
				return "", "", false
			}
		case date == "" && weekday < 0 && isDayWord(at):
			date = today.Plus(dayWords[at])
		case weekday < 0 && weekdayOf(at) >= 0:
			weekday = weekdayOf(at)
		default:
			return "", "", false
		}
	}
	if clock == "" || date == "" && weekday < 0 {
		return "", "", false
	}
	if date == "" {
		date = today.Plus(1)
		for weekdayAt(date) != weekday {
			date = date.Plus(1)
		}
	}
	if weekday >= 0 && weekdayAt(date) != weekday {
		return "", "", false
	}
	return date, clock, true
}

func isDayWord(w string) bool {
	_, ok := dayWords[w]
	return ok
}

// weekdayOf reads a weekday or its beginning of three letters and more; -1 for
// none.
func weekdayOf(w string) int {
	if len(w) < 3 {
		return -1
	}
	i := slices.IndexFunc(dayNames, func(d struct {
		name string
		day  time.Weekday
	}) bool {
		return strings.HasPrefix(d.name, w)
	})
	if i < 0 {
		return -1
	}
	return int(dayNames[i].day)
}

func weekdayAt(d carpool.Date) int {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return -1
	}
	return int(t.Weekday())
}

// clockFrom is an hour and minutes as a time of day; "" where there is none.
func clockFrom(hour, minute string) carpool.Clock {
	if len(hour) == 1 {
		hour = "0" + hour
	}
	c := carpool.Clock(hour + ":" + minute)
	if c.Check() != nil {
		return ""
	}
	return c
}

// dateFrom reads a day; without its year it is the next such day from today.
func dateFrom(w string, today carpool.Date) carpool.Date {
	two := func(s string) string {
		if len(s) == 1 {
			return "0" + s
		}
		return s
	}
	if m := isoDay.FindStringSubmatch(w); m != nil {
		return checked(m[1] + "-" + two(m[2]) + "-" + two(m[3]))
	}
	m := localDay.FindStringSubmatch(w)
	if m == nil || len(today) < 4 {
		return ""
	}
	rest := "-" + two(m[2]) + "-" + two(m[1])
	switch len(m[3]) {
	case 4:
		return checked(m[3] + rest)
	case 2:
		return checked("20" + m[3] + rest)
	}
	year, err := strconv.Atoi(string(today[:4]))
	if err != nil {
		return ""
	}
	for range 5 { // 29 February comes every fourth year
		if d := checked(strconv.Itoa(year) + rest); d != "" && d >= today {
			return d
		}
		year++
	}
	return ""
}

func checked(d string) carpool.Date {
	if carpool.Date(d).Check() != nil {
		return ""
	}
	return carpool.Date(d)
}

// windowOf is the span around a moment that a journey must fit: up to slack
// before an arrival, up to slack after a departure.
func windowOf(at time.Time, arrive bool, slack time.Duration) carpool.Window {
	if arrive {
		return carpool.Window{From: at.Add(-slack), To: at, Arrive: true}
	}
	return carpool.Window{From: at, To: at.Add(slack)}
}
