package interop

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

var weekdays = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"} // by time.Weekday

// query reads parameters; the first that is wrong is kept.
type query struct {
	values url.Values
	err    error
}

func (q *query) bad(name, format string, args ...any) {
	if q.err == nil {
		q.err = fault.New(fault.Invalid, name+": "+format, args...)
	}
}

// one is a parameter that may stand once.
func (q *query) one(name string, need bool) (string, bool) {
	v := q.values[name]
	if len(v) > 1 {
		q.bad(name, "it stands more than once")
	}
	if len(v) == 0 && need {
		q.bad(name, "it is missing")
	}
	if len(v) != 1 {
		return "", false
	}
	return v[0], true
}

func (q *query) number(name string, need bool, otherwise float64) float64 {
	s, ok := q.one(name, need)
	if !ok {
		return otherwise
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		q.bad(name, "not a number")
	}
	return v
}

func (q *query) whole(name string, need bool, otherwise int64) int64 {
	s, ok := q.one(name, need)
	if !ok {
		return otherwise
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		q.bad(name, "not a whole number")
	}
	return v
}

// farthest moment that is taken, so that sums of times do not overflow.
const farthest = 1 << 36

func (q *query) moment(name string, need bool) time.Time {
	v := q.whole(name, need, math.MinInt64)
	if v == math.MinInt64 {
		return time.Time{}
	}
	if v < 0 || v > farthest {
		q.bad(name, "not a UNIX time in seconds")
		return time.Time{}
	}
	return time.Unix(v, 0).UTC()
}

func (q *query) point(name string) geo.LonLat {
	p := geo.LonLat{Lon: q.number(name+"Lng", true, 0), Lat: q.number(name+"Lat", true, 0)}
	if !valid(p.Lat, p.Lon) {
		q.bad(name+"Lat", "not a position in degrees")
	}
	return p
}

// search reads what the four searches have in common, within the bounds of
// the configuration: wider ones are taken as the bound, so that what comes
// back fits what was asked.
func (c Config) search(values url.Values, operator string, regular bool) (Search, error) {
	q := &query{values: values}
	s := Search{Operator: operator, From: q.point("departure"), To: q.point("arrival"), onDay: !regular, Count: c.Count}
	radius := func(name string) float64 {
		km := q.number(name, false, 1)
		if km < 0 {
			q.bad(name, "below 0")
		}
		return min(km, c.Radius)
	}
	s.FromKm, s.ToKm = radius("departureRadius"), radius("arrivalRadius")
	delta := q.whole("timeDelta", false, 900)
	if delta < 0 {
		q.bad("timeDelta", "below 0")
	}
	s.Delta = time.Duration(min(delta, int64(c.Delta/time.Second))) * time.Second
	if n := q.whole("count", false, int64(c.Count)); n < 0 {
		q.bad("count", "below 0")
	} else {
		s.Count = int(min(n, int64(c.Count)))
	}
	if regular {
		q.regular(&s)
	} else {
		s.At = q.moment("departureDate", true)
	}
	return s, q.err
}

func (q *query) regular(s *Search) {
	clock, _ := q.one("departureTimeOfDay", true)
	t, err := time.Parse("15:04:05", clock)
	if err != nil {
		q.bad("departureTimeOfDay", "not a time such as 07:30:00")
	}
	s.clock = t.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))
	s.earliest, s.latest = q.moment("minDepartureDate", false), q.moment("maxDepartureDate", false)
	s.weekdays = map[string]bool{}
	list, ok := q.one("departureWeekdays", false)
	if !ok {
		list = strings.Join(weekdays, ",")
	}
	for _, d := range strings.Split(list, ",") {
		if !slices.Contains(weekdays, d) {
			q.bad("departureWeekdays", "not days such as MON,TUE")
		}
		s.weekdays[d] = true
	}
}

// fits says whether a trip begins and ends within the radii.
func (s Search) fits(t Trip) bool {
	near := func(p geo.LonLat, lat, lng, km float64) bool {
		return p.Distance(geo.LonLat{Lon: lng, Lat: lat}) <= unit.Metres(km*1000)
	}
	return near(s.From, t.PickupLat, t.PickupLng, s.FromKm) && near(s.To, t.DropLat, t.DropLng, s.ToKm)
}

// intime says whether a journey begins within the margin.
func (s Search) intime(j JourneySchedule) bool {
	return j.PickupDate.Time().Sub(s.At).Abs() <= s.Delta
}

// anyday says whether one of the schedules is asked for.
func (s Search) anyday(list []Schedule) bool { return slices.ContainsFunc(list, s.asks) }

// asks says whether a schedule is at a time and day asked for, and one of its
// journeys, where it names some, within the span.
func (s Search) asks(c Schedule) bool {
	t, err := time.Parse(time.TimeOnly, c.Time)
	if err != nil || !s.weekdays[c.Day] {
		return false
	}
	since := t.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))
	return (since-s.clock).Abs() <= s.Delta && (len(c.Journeys) == 0 || slices.ContainsFunc(c.Journeys, s.inspan))
}

func (s Search) inspan(j JourneySchedule) bool {
	at := j.PickupDate.Time()
	return (s.earliest.IsZero() || !at.Before(s.earliest)) && (s.latest.IsZero() || !at.After(s.latest))
}
