package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// readDate reads a day as people write it, "23/11/2026", "23.11.2026" or
// "23-11-26", and as browsers send it, "2026-11-23".
func readDate(s string) (carpool.Date, error) {
	wrong := fault.New(fault.Invalid, "date %.20q: write it as 23/11/2026", s)
	if d := carpool.Date(s); d.Check() == nil {
		return d, nil
	}
	parts := strings.FieldsFunc(s, func(c rune) bool { return c == '/' || c == '.' || c == '-' || c == ' ' })
	if len(parts) != 3 || s[0] < '0' || s[0] > '9' {
		return "", wrong
	}
	var n [3]int
	for i, p := range parts {
		v, err := strconv.Atoi(p)
		if err != nil || v < 1 || len(p) > 4 || i < 2 && len(p) > 2 || i == 2 && len(p) != 2 && len(p) != 4 {
			return "", wrong
		}
		n[i] = v
	}
	if len(parts[2]) == 2 {
		n[2] += 2000
	}
	d := carpool.Date(fmt.Sprintf("%04d-%02d-%02d", n[2], n[1], n[0]))
	if d.Check() != nil {
		return "", wrong
	}
	return d, nil
}

// readClock reads a time of day as people write it: "7:10", "7.10", "07,10",
// "ore 7", "710".
func readClock(s string) (carpool.Clock, error) {
	wrong := fault.New(fault.Invalid, "time %.20q: write it as 07:10", s)
	rest := strings.TrimSpace(strings.TrimPrefix(strings.ToLower(s), "ore"))
	h, m, ok := strings.Cut(strings.NewReplacer(".", ":", ",", ":", " ", "").Replace(rest), ":")
	if !ok {
		m = "0"
		if len(h) == 3 || len(h) == 4 {
			h, m = h[:len(h)-2], h[len(h)-2:]
		}
	}
	if m == "" || len(h) > 2 || len(m) > 2 {
		m = "x"
	}
	if len(m) == 5 && strings.HasSuffix(m, ":00") {
		m = m[:2] // with seconds
	}
	hour, err := strconv.ParseUint(h, 10, 8)
	if err != nil || hour > 23 {
		return "", wrong
	}
	minute, err := strconv.ParseUint(m, 10, 8)
	if err != nil || minute > 59 {
		return "", wrong
	}
	return carpool.Clock(fmt.Sprintf("%02d:%02d", hour, minute)), nil
}

// date is a day of a form; "" where nothing was typed.
func (f *filled) date(name string) carpool.Date {
	s := f.values.Get(name)
	if s == "" {
		return ""
	}
	d, err := readDate(s)
	if err != nil {
		f.bad(name, "pool.wrong.date")
		return ""
	}
	f.values.Set(name, string(d))
	return d
}

// clock is a time of day of a form; "" where nothing was typed.
func (f *filled) clock(name string) carpool.Clock {
	s := f.values.Get(name)
	if s == "" {
		return ""
	}
	c, err := readClock(s)
	if err != nil {
		f.bad(name, "pool.wrong.clock")
		return ""
	}
	f.values.Set(name, string(c))
	return c
}

// moment is the moment of the day and the time of two fields, both needed and
// not past.
func (v *visit) moment(f *filled, day, clock string) (time.Time, bool) {
	d, c := f.date(day), f.clock(clock)
	if d == "" {
		f.bad(day, "pool.wrong.empty")
	}
	if c == "" {
		f.bad(clock, "pool.wrong.empty")
	}
	if d == "" || c == "" {
		return time.Time{}, false
	}
	at, err := c.On(d, v.say.in)
	switch {
	case err != nil:
		f.bad(day, "pool.wrong.date")
	case at.Before(v.now.Add(-time.Minute)):
		if d < carpool.DateOf(v.now, v.say.in) {
			f.bad(day, "pool.wrong.past")
		} else {
			f.bad(clock, "pool.wrong.past")
		}
	case at.After(v.now.AddDate(1, 0, 0)):
		f.bad(day, "pool.wrong.far")
	default:
		return at, true
	}
	return time.Time{}, false
}

// clockOf is the hour and minute of a moment.
func (t tongue) clockOf(at time.Time) string { return at.In(t.in).Format("15:04") }

// day is a day in words: "lunedì 23 novembre 2026".
func (t tongue) day(at time.Time) string {
	at = at.In(t.in)
	return fmt.Sprintf("%s %d %s %d", t.weekday(at), at.Day(), t.word("pool.month."+strconv.Itoa(int(at.Month()))), at.Year())
}

func (t tongue) weekday(at time.Time) string {
	return t.word("pool.weekday." + strconv.Itoa(int(at.In(t.in).Weekday())))
}

// date is a day as tables show it: "lun 23/11/2026".
func (t tongue) date(d carpool.Date) string {
	at, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return string(d)
	}
	return t.word("pool.weekday."+strconv.Itoa(int(at.Weekday()))) + " " + at.Format("02/01/2006")
}

// spanShown is the span between two moments as clocks show them, which leave
// their seconds out: whoever reads 07:10 and 07:13 reads three minutes. It is a
// minute at least.
func spanShown(from, to time.Time) time.Duration {
	return max(to.Truncate(time.Minute).Sub(from.Truncate(time.Minute)), time.Minute)
}

// wholeMinutes is a span that no clock shows, rounded up.
func wholeMinutes(d time.Duration) int { return int((max(d, 0) + time.Minute - 1) / time.Minute) }

// minutes is a span in words, rounded up: "7 minuti".
func (t tongue) minutes(d time.Duration) string {
	return counted(t.word, "pool.minutes", wholeMinutes(d))
}

// counted is words with a number, in the singular KEY.one where it is one and
// there is such a word.
func counted(word func(key string, args ...any) string, key string, args ...any) string {
	if one := key + ".one"; len(args) > 0 && args[0] == 1 && word(one) != one {
		return word(one)
	}
	return word(key, args...)
}

// money is a sum: "1,20 €".
func (t tongue) money(cents int) string {
	return web.Number(t.lang, float64(cents)/100, 2) + "\u00a0€"
}

// km is a distance: "12 km".
func (t tongue) km(metres float64) string {
	if metres < 10_000 {
		return web.Number(t.lang, metres/1000, 1) + "\u00a0km"
	}
	return web.Number(t.lang, metres/1000, 0) + "\u00a0km"
}
