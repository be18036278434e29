package carpool

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/internal/unit"
)

func drawTravelled(t *rapid.T) []Travelled {
	riders := rapid.IntRange(1, 25).Draw(t, "riders")
	towns := rapid.IntRange(1, 4).Draw(t, "towns")
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Travelled {
		return Travelled{
			Ride: RideID(fmt.Sprintf("r%d", rapid.IntRange(0, 40).Draw(t, "ride"))), Rider: MemberID(fmt.Sprintf("m%d", rapid.IntRange(1, riders).Draw(t, "rider"))),
			From: fmt.Sprintf("00400%d", rapid.IntRange(1, towns).Draw(t, "from")), To: fmt.Sprintf("00410%d", rapid.IntRange(1, towns).Draw(t, "to")),
			Depart: time.Date(2026, 11, rapid.IntRange(1, 30).Draw(t, "day"), rapid.IntRange(5, 19).Draw(t, "hour"), 0, 0, 0, time.UTC), Seats: rapid.IntRange(1, 3).Draw(t, "seats"),
			Metres: 10_000,
		}
	}), 0, 160).Draw(t, "list")
}

// Whoever adds and subtracts published rows, the total among them, in every
// way that leaves a set of bookings, is left with k riders and rides, or with
// nothing.
func TestAggregateDifferences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list, k := drawTravelled(t), rapid.SampledFrom([]int{3, 5, AggregateK}).Draw(t, "k")
		all := group{label: [4]string{Others, Others, Others, Others}, list: list}
		out := AggregateMonth("2026-11", list, k, time.UTC)
		if !all.enough(k) {
			if len(out.Rows) != 0 || out.Total != nil || out.CO2Kg != nil {
				t.Fatalf("%d bookings are too few, and yet: %+v", len(list), out)
			}
			return
		}
		groups := part(all, k, time.UTC)
		if len(groups) != len(out.Rows) {
			t.Fatalf("%d groups, %d rows", len(groups), len(out.Rows))
		}
		// What each row covers, as bits of the bookings; the last is the total.
		var covers [][]int8
		for _, g := range groups {
			c := make([]int8, len(list))
			for i, b := range list {
				for _, cell := range g.cells {
					if cell == columns(b, time.UTC) && g.holds(b) {
						c[i] = 1
					}
				}
			}
			covers = append(covers, c)
		}
		total := make([]int8, len(list))
		for i := range total {
			total[i] = 1
		}
		covers = append(covers, total)
		// All combinations of up to four rows, each added or taken away.
		var try func(from, left int, sum []int8, said string)
		try = func(from, left int, sum []int8, said string) {
			if said != "" {
				checkDifference(t, list, sum, said, k)
			}
			if left == 0 {
				return
			}
			for i := from; i < len(covers); i++ {
				for _, sign := range []int8{1, -1} {
					next := make([]int8, len(sum))
					for j := range sum {
						next[j] = sum[j] + sign*covers[i][j]
					}
					try(i+1, left-1, next, fmt.Sprintf("%s %+d*row %d", said, sign, i))
				}
			}
		}
		depth := 4
		if len(covers) > 12 {
			depth = 2
		}
		try(0, depth, make([]int8, len(list)), "")
		// And the one that matters most: the total less every row but one, and less
		// all of them.
		for skip := range covers {
			sum := make([]int8, len(list))
			copy(sum, total)
			for i, c := range covers[:len(covers)-1] {
				for j := range c {
					if i != skip {
						sum[j] -= c[j]
					}
				}
			}
			checkDifference(t, list, sum, fmt.Sprintf("total less all but %d", skip), k)
		}
	})
}

// holds says whether a booking is one of the group's.
func (g group) holds(b Travelled) bool {
	for _, t := range g.list {
		if t == b {
			return true
		}
	}
	return false
}

// checkDifference fails when what is left is a set of bookings of too few.
func checkDifference(t *rapid.T, list []Travelled, sum []int8, said string, k int) {
	left := group{}
	for i, n := range sum {
		switch n {
		case 0:
		case 1:
			left.list = append(left.list, list[i])
		default:
			return // not a set: it says nothing of a few
		}
	}
	if len(left.list) > 0 && !left.enough(k) {
		rides, riders := left.count()
		t.Fatalf("%s leaves %d riders on %d rides", said, riders, rides)
	}
}

// Every booking stands behind one row; rows say what is there.
func TestAggregateCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := drawTravelled(t)
		out := AggregateMonth("2026-11", list, AggregateK, time.UTC)
		if out.Total == nil {
			return
		}
		seats, want := 0, 0
		labels := map[[4]string]bool{}
		for _, r := range out.Rows {
			seats += r.Seats
			if r.Riders < AggregateK || r.Rides < AggregateK {
				t.Fatalf("a row of too few: %+v", r)
			}
			l := [4]string{r.From, r.To, r.Weekday, r.Band}
			if labels[l] {
				t.Fatalf("two rows say %v", l)
			}
			labels[l] = true
		}
		for _, b := range list {
			want += b.Seats
		}
		if seats != want || out.Total.Seats != want {
			t.Fatalf("%d seats in the rows, %d in the total, %d travelled", seats, out.Total.Seats, want)
		}
		if kg := float64(len(list)) * 10 * GramsPerKm / 1000; math.Abs(*out.CO2Kg-kg) > 1e-6 {
			t.Fatalf("%v kg, want %v", *out.CO2Kg, kg)
		}
	})
}

// A busy pair is told by its days; the others are told together.
func TestAggregateMonth(t *testing.T) {
	var list []Travelled
	add := func(n int, from, to string, day, hour int) {
		for i := range n {
			list = append(list, Travelled{Ride: RideID(fmt.Sprintf("r-%s-%s-%d-%d-%d", from, to, day, hour, i)), Rider: MemberID(fmt.Sprintf("m%d", i)),
				From: from, To: to, Depart: time.Date(2026, 11, day, hour, 30, 0, 0, time.UTC), Seats: 1})
		}
	}
	add(12, "004016", "004003", 23, 6) // Monday
	add(11, "004016", "004003", 24, 6) // Tuesday
	add(4, "004016", "004003", 25, 6)
	add(3, "004035", "004003", 23, 6)
	out := AggregateMonth("2026-11", list, AggregateK, time.UTC)
	var got []string
	for _, r := range out.Rows {
		got = append(got, fmt.Sprintf("%s %s %s %s %d", r.From, r.To, r.Weekday, r.Band, r.Rides))
	}
	// Four on Wednesday and three from elsewhere cannot stand alone: the pair
	// itself joins them, as there is no other.
	if want := "* 004003 * 06-09 15|* 004003 1 06-09 15"; strings.Join(got, "|") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestAggregateCSV(t *testing.T) {
	m := Aggregates{Month: "2026-11", Rows: []Aggregate{{From: "004016", To: Others, Weekday: "1", Band: "06-09", Rides: 12, Seats: 14, Riders: 11}}}
	var b bytes.Buffer
	if err := WriteCSV(&b, []Aggregates{m}, map[string]string{"004016": "=HYPERLINK(\"x\")"}); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][2] != "'=HYPERLINK(\"x\")" || rows[1][3] != "*" || rows[1][7] != "12" {
		t.Errorf("%v, %v", rows, err)
	}
	for in, want := range map[string]string{"": "", "Alba": "Alba", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "＝1": "'＝1"} {
		if got := Unformula(in); got != want {
			t.Errorf("%q gave %q", in, got)
		}
	}
}

// The description has what DCAT-AP_IT wants of a dataset and its distributions.
func TestAggregateDataset(t *testing.T) {
	p := Publication{Title: "Passaggi", Publisher: "Unione di prova", IPA: "ump_000", Base: "https://u.example/passaggi", Email: "dati@u.example", Modified: "2026-12-01"}
	var b bytes.Buffer
	if err := WriteJSON(&b, []Aggregates{{Month: "2026-10"}, {Month: "2026-11"}}, p); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Dataset map[string]any
		Months  []Aggregates
	}
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil || len(doc.Months) != 2 {
		t.Fatal(err, len(doc.Months))
	}
	for _, name := range []string{"dct:identifier", "dct:title", "dct:description", "dct:modified", "dcat:theme", "dct:rightsHolder", "dct:accrualPeriodicity", "dcat:distribution", "dct:publisher", "dcat:contactPoint"} {
		if doc.Dataset[name] == nil {
			t.Errorf("the dataset has no %s", name)
		}
	}
	list, _ := doc.Dataset["dcat:distribution"].([]any)
	if len(list) != 3 {
		t.Fatalf("%d distributions", len(list))
	}
	for _, d := range list {
		for _, name := range []string{"dct:format", "dcat:accessURL", "dct:license"} {
			if d.(map[string]any)[name] == nil {
				t.Errorf("a distribution has no %s", name)
			}
		}
	}
	span, _ := json.Marshal(doc.Dataset["dct:temporal"])
	if !strings.Contains(string(span), "2026-10-01") || !strings.Contains(string(span), "2026-11-30") {
		t.Errorf("span %s", span)
	}
}

func TestCO2Saved(t *testing.T) {
	for _, c := range []struct {
		riders []Lifted
		detour float64
		km     float64
	}{
		{nil, 0, 0},
		{[]Lifted{{Metres: 30_000}}, 0, 30},
		{[]Lifted{{Metres: 30_000}}, 2_000, 28},
		{[]Lifted{{Metres: 30_000}, {Metres: 10_000}}, 2_000, 38},
		{[]Lifted{{Metres: 30_000, ByBus: true}}, 2_000, -2},
		{[]Lifted{{Metres: 30_000, ByBus: true}, {Metres: 10_000}}, 0, 10},
		{[]Lifted{{Metres: -5}}, -5, 0},
	} {
		if got, want := CO2Saved(c.riders, unit.Metres(c.detour)), c.km*167.1111/1000; math.Abs(got-want) > 1e-9 {
			t.Errorf("%+v less %v m: %v kg, want %v", c.riders, c.detour, got, want)
		}
	}
	// The source's own example: 81 ways of 2 km are 27.07 kg.
	var ways []Lifted
	for range 81 {
		ways = append(ways, Lifted{Metres: 2000})
	}
	if got := CO2Saved(ways, 0); math.Abs(got-27.07) > 0.005 {
		t.Errorf("ISPRA's example: %v kg", got)
	}
}
