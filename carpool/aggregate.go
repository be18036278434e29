package carpool

import (
	"cmp"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/unit"
)

// AggregateK is how many different riders, and how many rides, stand behind
// each figure that is published, at least.
const AggregateK = 10

// Travelled is a completed booking as the monthly figures see it.
type Travelled struct {
	Ride     RideID
	Rider    MemberID
	From, To string // ISTAT codes of the comuni where the rider got in and out
	Depart   time.Time
	Seats    int
	Metres   unit.Metres // aboard
	Detour   unit.Metres // of the driver for this booking
	ByBus    bool        // a bus went there at that time
}

// Band is a part of the day: the hours from From up to To.
type Band struct{ From, To int }

var bands = []Band{{0, 6}, {6, 9}, {9, 12}, {12, 15}, {15, 18}, {18, 24}}

// String is "06-09".
func (b Band) String() string {
	two := func(n int) string { return string([]byte{byte('0' + n/10), byte('0' + n%10)}) }
	return two(b.From) + "-" + two(b.To)
}

// Others stands in a row for all values of that column that no other row with
// the same values to its left names.
const Others = "*"

// Aggregate is a row of the monthly figures.
type Aggregate struct {
	From    string `json:"from"`    // ISTAT code, or Others
	To      string `json:"to"`      // the same
	Weekday string `json:"weekday"` // "1" Monday to "7" Sunday, or Others
	Band    string `json:"band"`    // "06-09", or Others
	Rides   int    `json:"rides"`
	Seats   int    `json:"seats"`
	Riders  int    `json:"riders"` // different people
}

// Aggregates are the figures of a month. Each completed booking stands behind
// one row, and each row has AggregateK riders and rides behind it at least; so
// do all sums and differences of rows, and the total less any rows.
type Aggregates struct {
	Month  string      `json:"month"` // "2026-11"
	K      int         `json:"k"`
	Rows   []Aggregate `json:"rows"` // none when the month has too few
	Total  *Aggregate  `json:"total"`
	CO2Kg  *float64    `json:"co2_saved_kg"`
	Method string      `json:"co2_method"`
}

// columns of a row from the left, as a booking fills them.
func columns(t Travelled, in *time.Location) [4]string {
	at := t.Depart.In(in)
	day := int(at.Weekday())
	if day == 0 {
		day = 7
	}
	band := ""
	for _, b := range bands {
		if at.Hour() >= b.From && at.Hour() < b.To {
			band = b.String()
		}
	}
	return [4]string{t.From, t.To, string([]byte{byte('0' + day)}), band}
}

// group of bookings that are told of together.
type group struct {
	label [4]string
	cells [][4]string // that it covers, of those with bookings
	list  []Travelled
}

func (g group) enough(k int) bool {
	rides, riders := g.count()
	return riders >= k && rides >= k
}

func (g group) count() (rides, riders int) {
	r, m := map[RideID]bool{}, map[MemberID]bool{}
	for _, t := range g.list {
		r[t.Ride], m[t.Rider] = true, true
	}
	return len(r), len(m)
}

// AggregateMonth puts the bookings of a month together. From the left, each
// column parts a group where all parts are big enough; those too small stay
// together as Others, joined by the smallest of the big ones until they are
// big enough too. What is too small as a whole is left out altogether, so that
// nothing follows from what was told.
func AggregateMonth(month string, list []Travelled, k int, in *time.Location) Aggregates {
	out := Aggregates{Month: month, K: k, Rows: []Aggregate{}, Method: CO2Method}
	all := group{label: [4]string{Others, Others, Others, Others}, list: list}
	if !all.enough(k) {
		return out
	}
	for _, g := range part(all, k, in) {
		out.Rows = append(out.Rows, g.row())
	}
	slices.SortFunc(out.Rows, func(a, b Aggregate) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Weekday, b.Weekday), cmp.Compare(a.Band, b.Band))
	})
	total := all.row()
	out.Total = &total
	kg := 0.0
	for _, t := range list {
		kg += CO2Saved([]Lifted{{t.Metres, t.ByBus}}, t.Detour)
	}
	out.CO2Kg = &kg
	return out
}

// part divides a group by each column in turn.
func part(all group, k int, in *time.Location) []group {
	groups := []group{all}
	for column := range 4 {
		var next []group
		for _, g := range groups {
			next = append(next, divide(g, column, k, in)...)
		}
		groups = next
	}
	for i := range groups {
		seen := map[[4]string]bool{}
		for _, t := range groups[i].list {
			if c := columns(t, in); !seen[c] {
				seen[c] = true
				groups[i].cells = append(groups[i].cells, c)
			}
		}
	}
	return groups
}

// divide a group by one column.
func divide(g group, column, k int, in *time.Location) []group {
	byValue := map[string]*group{}
	var parts []*group
	for _, t := range g.list {
		v := columns(t, in)[column]
		p := byValue[v]
		if p == nil {
			p = &group{label: g.label}
			p.label[column] = v
			byValue[v] = p
			parts = append(parts, p)
		}
		p.list = append(p.list, t)
	}
	// The biggest first; among equals by name, so that the same bookings always
	// give the same rows.
	slices.SortFunc(parts, func(a, b *group) int {
		_, x := a.count()
		_, y := b.count()
		return cmp.Or(cmp.Compare(y, x), cmp.Compare(a.label[column], b.label[column]))
	})
	rest := group{label: g.label}
	var out []group
	for _, p := range parts {
		if p.enough(k) {
			out = append(out, *p)
		} else {
			rest.list = append(rest.list, p.list...)
		}
	}
	for len(rest.list) > 0 && !rest.enough(k) && len(out) > 0 {
		rest.list = append(rest.list, out[len(out)-1].list...)
		out = out[:len(out)-1]
	}
	if len(rest.list) > 0 {
		out = append(out, rest)
	}
	return out
}

func (g group) row() Aggregate {
	rides, riders := g.count()
	seats := 0
	for _, t := range g.list {
		seats += t.Seats
	}
	return Aggregate{From: g.label[0], To: g.label[1], Weekday: g.label[2], Band: g.label[3], Rides: rides, Seats: seats, Riders: riders}
}
