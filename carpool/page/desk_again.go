package page

import (
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
)

// dayTimeAgain is dayAndTime for what may be needed again each week: "ogni
// martedì e giovedì 9:30 fino al 28/1". What it gives first is the next such
// day; again is nil for once.
func dayTimeAgain(text string, today carpool.Date) (day carpool.Date, clock carpool.Clock, again *carpool.Repeat, ok bool) {
	words := strings.Fields(strings.NewReplacer(",", " ", ";", " ").Replace(strings.ToLower(text)))
	if len(words) == 0 || len(text) > maxTypedWhen || fold(words[0]) != "ogni" && words[0] != "every" {
		day, clock, ok = dayAndTime(text, today)
		return day, clock, nil, ok
	}
	again = &carpool.Repeat{}
	var rest []string
	until := false
	for _, w := range words[1:] {
		at := fold(w)
		switch d := weekdayOf(at); {
		case at == "e" || at == "and" || until && (at == "al" || at == "a" || at == "il"):
		case at == "fino" || at == "until":
			until = true
		case until && again.Until == "":
			again.Until = dateFrom(w, today)
		case d >= 0:
			again.Days = append(again.Days, time.Weekday(d))
		default:
			rest = append(rest, w)
		}
	}
	if len(again.Days) == 0 || again.Until == "" {
		return "", "", nil, false
	}
	days, err := again.On(today.Plus(1), carpool.School{})
	if err != nil {
		return "", "", nil, false
	}
	day, clock, ok = dayAndTime(string(days[0])+" "+strings.Join(rest, " "), today)
	return day, clock, again, ok && day == days[0]
}

// oneThing says whether two requests are days of one series, both out or both
// home.
func oneThing(a, b carpool.Request) bool {
	return a.Series != "" && a.Series == b.Series && (a.Outward == "") == (b.Outward == "")
}

// others are the days of a request's series beside its own.
func (p speech) others(m carpool.Member, all []carpool.Request, req carpool.Request) []requestView {
	var out []requestView
	for _, q := range all {
		if q.ID != req.ID && oneThing(q, req) {
			out = append(out, requestView{URL: requestPath(m.ID, q.ID), When: p.window(q.When)})
		}
	}
	return out
}
