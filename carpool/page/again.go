package page

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
)

// requester writes needs to get somewhere, once or again and again.
type requester interface {
	Request(ctx context.Context, by carpool.By, r carpool.Request, back *carpool.Window, once string) (carpool.Request, error)
	RequestAgain(ctx context.Context, by carpool.By, r carpool.Request, back *carpool.Window, again carpool.Repeat, once string) ([]carpool.Request, error)
}

// requested writes a request, or the series of them; it gives the first.
func requested(ctx context.Context, b requester, by carpool.By, r carpool.Request, back *carpool.Window, again *carpool.Repeat, once string) (carpool.Request, error) {
	if again == nil {
		return b.Request(ctx, by, r, back, once)
	}
	all, err := b.RequestAgain(ctx, by, r, back, *again, once)
	if err != nil || len(all) == 0 {
		return carpool.Request{}, err
	}
	return all[0], nil
}

// weekdays are the days of the week to choose from.
func (v *visit) weekdays(f *filled) []option {
	var out []option
	for _, d := range weekdays {
		out = append(out, option{Value: d.Rule, Text: v.say.word("pool.weekday." + d.Word), On: slices.Contains(f.all("giorni"), d.Rule)})
	}
	return out
}

// again reads on which days a journey is needed again; nil for once.
func (v *visit) again(f *filled) *carpool.Repeat {
	out := &carpool.Repeat{Until: f.date("fino"), School: carpool.SchoolDays(f.oneOf("scuola", "", string(carpool.SchoolDay), string(carpool.NoSchool)))}
	for n, d := range weekdays {
		if slices.Contains(f.all("giorni"), d.Rule) {
			out.Days = append(out.Days, time.Weekday((n+1)%7)) // Monday is first here
		}
	}
	first := f.date("giorno")
	switch {
	case len(out.Days) == 0 && out.Until == "":
		return nil
	case len(out.Days) == 0:
		f.bad("giorni", "pool.wrong.days")
	case out.Until == "":
		f.bad("fino", "pool.wrong.empty")
	case first != "" && (out.Until < first || out.Until > first.Plus(7*carpool.MostWeeks)):
		f.bad("fino", "pool.wrong.until", v.say.date(first.Plus(7*carpool.MostWeeks)))
	}
	return out
}

// again says a repetition: "ogni martedì, giovedì, fino a gio 28/01/2027".
func (t tongue) again(a carpool.Repeat) string {
	out := t.word("pool.again.week", t.weekdayList(a.Days)) + ", " + t.word("pool.goes.until", t.date(a.Until))
	if a.School != carpool.AnyDay {
		out += ", " + t.word("pool.school."+string(a.School))
	}
	return out
}

// weekdayList names days of the week, Monday first.
func (t tongue) weekdayList(days []time.Weekday) string {
	var names []string
	for n := range 7 {
		if d := (n + 1) % 7; slices.Contains(days, time.Weekday(d)) {
			names = append(names, t.word("pool.weekday."+strconv.Itoa(d)))
		}
	}
	return strings.Join(names, ", ")
}

// inSeries puts the ways of each series together, out and home apart: the next
// stands for all, with the others below it.
func (t tongue) inSeries(requests []carpool.Request, views []wayView) []wayView {
	type key struct {
		series carpool.SeriesID
		home   bool
	}
	at := map[key]int{}
	days := map[key][]time.Weekday{}
	last := map[key]time.Time{}
	var out []wayView
	for n, r := range requests {
		k := key{r.Series, r.Outward != ""}
		i, there := at[k]
		if r.Series == "" || !there {
			at[k] = len(out)
			out = append(out, views[n])
		} else {
			out[i].More = append(out[i].More, views[n])
		}
		days[k], last[k] = append(days[k], r.When.From.In(t.in).Weekday()), r.When.From
	}
	for k, i := range at {
		if k.series != "" && len(out[i].More) > 0 {
			out[i].Again = t.again(carpool.Repeat{Days: days[k], Until: carpool.DateOf(last[k], t.in)})
		}
	}
	return out
}
