package carpool_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/carpool"
)

var (
	hereCell  = carpool.Cell{Row: 4940, Col: 640}
	thereCell = carpool.Cell{Row: 4950, Col: 640}
)

// taken is a ride of driver 1 from some minute on for half an hour.
func taken(id carpool.RideID, at int, riders ...carpool.MemberID) carpool.TakenRide {
	r := carpool.TakenRide{Ride: id, Driver: "driver-1", Phone: "1", Seats: 3, MostSeats: 4, From: hereCell, To: thereCell,
		Depart: minutesAfter(at), Arrive: minutesAfter(at + 30)}
	for _, m := range riders {
		r.Riders = append(r.Riders, carpool.TakenRider{Member: m, Phone: "of " + string(m), In: r.Depart, Out: r.Arrive})
	}
	return r
}

// back is a ride the other way.
func back(r carpool.TakenRide) carpool.TakenRide {
	r.From, r.To = r.To, r.From
	return r
}

// rode is a ride whose riders get in and out so many kilometres to the north.
func rode(r carpool.TakenRide, from, to int) carpool.TakenRide {
	for i := range r.Riders {
		r.Riders[i].From, r.Riders[i].To = carpool.Cell{Row: hereCell.Row + from, Col: hereCell.Col}, carpool.Cell{Row: hereCell.Row + to, Col: hereCell.Col}
	}
	return r
}

// far is a ride so many kilometres to the north.
func far(r carpool.TakenRide, km int) carpool.TakenRide {
	r.From.Row, r.To.Row = r.From.Row+km, r.To.Row+km
	return r
}

func TestPatterns(t *testing.T) {
	rider := func(i int) carpool.MemberID { return carpool.MemberID(fmt.Sprintf("rider-%d", i)) }
	spaced := func(n int, change func(int, *carpool.TakenRide)) (out []carpool.TakenRide) {
		for i := range n {
			r := taken(carpool.RideID(fmt.Sprintf("r-%02d", i)), i*60, rider(i))
			change(i, &r)
			out = append(out, r)
		}
		return out
	}
	keep := func(int, *carpool.TakenRide) {}
	other := func(r carpool.TakenRide, driver carpool.MemberID) carpool.TakenRide {
		r.Driver, r.Phone = driver, "of "+string(driver)
		return r
	}
	for _, c := range []struct {
		name  string
		rides []carpool.TakenRide
		want  []carpool.Pattern
	}{
		{"nothing", nil, nil},
		{"four a day", spaced(4, keep), nil},
		{"five a day", spaced(5, keep), []carpool.Pattern{{Key: carpool.TaxiMany, Who: "driver-1", On: "2026-11-23", Count: 5,
			Rides: []carpool.RideID{"r-00", "r-01", "r-02", "r-03", "r-04"}}}},
		{"five a day, one alone", spaced(5, func(i int, r *carpool.TakenRide) {
			if i == 2 {
				r.Riders = nil
			}
		}), nil},
		{"five a day, one cancelled", spaced(5, func(i int, r *carpool.TakenRide) { r.Dropped = i == 2 }), nil},
		{"no pause", []carpool.TakenRide{taken("a", 0, "x"), taken("b", 59, "y")},
			[]carpool.Pattern{{Key: carpool.TaxiGap, Who: "driver-1", On: "2026-11-23", Rides: []carpool.RideID{"a", "b"}, Gap: 29}}},
		{"a pause", []carpool.TakenRide{taken("a", 0, "x"), taken("b", 60, "y")}, nil},
		{"no pause, the same riders", []carpool.TakenRide{taken("a", 0, "x"), back(taken("b", 40, "x"))}, nil},
		{"there and back twice with strangers", []carpool.TakenRide{taken("a", 0, "x"), back(taken("b", 90, "y")), taken("c", 180, "z")},
			[]carpool.Pattern{{Key: carpool.TaxiLoop, Who: "driver-1", On: "2026-11-23", Rides: []carpool.RideID{"a", "b", "c"}, Count: 2}}},
		{"there and back with neighbours", []carpool.TakenRide{taken("a", 0, "x", "y", "z"), back(taken("b", 90, "x")), taken("c", 180, "x")}, nil},
		{"seats beyond the class", []carpool.TakenRide{func() carpool.TakenRide { r := taken("a", 0); r.Seats = 7; return r }()},
			[]carpool.Pattern{{Key: carpool.TaxiSeats, Who: "driver-1", On: "2026-11-23", Rides: []carpool.RideID{"a"}, Count: 7}}},
		{"carried beyond the class", []carpool.TakenRide{func() carpool.TakenRide { r := taken("a", 0, "x"); r.Carried = 5; return r }()},
			[]carpool.Pattern{{Key: carpool.TaxiSeats, Who: "driver-1", On: "2026-11-23", Rides: []carpool.RideID{"a"}, Count: 5}}},
		{"class not known", []carpool.TakenRide{func() carpool.TakenRide { r := taken("a", 0, "x"); r.Seats, r.MostSeats = 8, 0; return r }()}, nil},
		{"two cars at once", []carpool.TakenRide{taken("a", 0, "x"), other(taken("b", 20, "x"), "driver-2")},
			[]carpool.Pattern{{Key: carpool.TaxiTwoCars, Who: "x", On: "2026-11-23", Rides: []carpool.RideID{"a", "b"}}}},
		{"one car after the other", []carpool.TakenRide{taken("a", 0, "x"), other(taken("b", 30, "x"), "driver-2")}, nil},
		{"a few minutes in two cars", []carpool.TakenRide{taken("a", 0, "x"), other(taken("b", 25, "x"), "driver-2")}, nil},
		{"driver in another car", []carpool.TakenRide{taken("a", 0, "x"), other(taken("b", 10, "driver-1"), "driver-2")},
			[]carpool.Pattern{{Key: carpool.TaxiTwoCars, Who: "driver-1", On: "2026-11-23", Rides: []carpool.RideID{"a", "b"}}}},
		{"same phone", []carpool.TakenRide{func() carpool.TakenRide { r := taken("a", 0, "x"); r.Riders[0].Phone = "1"; return r }()},
			[]carpool.Pattern{{Key: carpool.TaxiSamePhone, Who: "driver-1", On: "2026-11-23", Rides: []carpool.RideID{"a"}}}},
		{"same plate", []carpool.TakenRide{func() carpool.TakenRide {
			r := taken("a", 0, "x")
			r.Plate, r.Riders[0].Plates = "AB123CD", []string{"EF456GH", "AB123CD"}
			return r
		}()}, []carpool.Pattern{{Key: carpool.TaxiSamePlate, Who: "driver-1", On: "2026-11-23", Rides: []carpool.RideID{"a"}}}},
		{"other plates", []carpool.TakenRide{func() carpool.TakenRide {
			r := taken("a", 0, "x")
			r.Plate, r.Riders[0].Plates = "AB123CD", []string{"EF456GH"}
			return r
		}()}, nil},
		{"no plates", []carpool.TakenRide{func() carpool.TakenRide { r := taken("a", 0, "x"); r.Riders[0].Plates = []string{""}; return r }()}, nil},
		{"200 km in an hour", []carpool.TakenRide{rode(taken("a", 0, "x"), 0, 10), rode(other(taken("b", 90, "x"), "driver-2"), 210, 220)},
			[]carpool.Pattern{{Key: carpool.TaxiTooFar, Who: "x", On: "2026-11-23", Rides: []carpool.RideID{"a", "b"}}}},
		{"140 km in an hour", []carpool.TakenRide{rode(taken("a", 0, "x"), 0, 10), rode(other(taken("b", 90, "x"), "driver-2"), 150, 160)}, nil},
		{"the next village at once", []carpool.TakenRide{rode(taken("a", 0, "x"), 0, 10), rode(other(taken("b", 30, "x"), "driver-2"), 12, 20)}, nil},
		{"a driver who is elsewhere", []carpool.TakenRide{taken("a", 0, "x"), far(taken("b", 70, "y"), 300)},
			[]carpool.Pattern{{Key: carpool.TaxiTooFar, Who: "driver-1", On: "2026-11-23", Rides: []carpool.RideID{"a", "b"}}}},
		{"no phones", []carpool.TakenRide{func() carpool.TakenRide { r := taken("a", 0, "x"); r.Phone, r.Riders[0].Phone = "", ""; return r }()}, nil},
		{"one's own rider", []carpool.TakenRide{taken("a", 0, "driver-1")},
			[]carpool.Pattern{{Key: carpool.TaxiSamePhone, Who: "driver-1", On: "2026-11-23", Rides: []carpool.RideID{"a"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := carpool.Patterns(c.rides); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// A driver who goes only when somebody has booked is named after a dozen of
// rides; one who goes anyway once, or who drives to work each day, is not.
func TestNeverAlone(t *testing.T) {
	rides := func(change func(int, *carpool.TakenRide)) (out []carpool.TakenRide) {
		for i := range 12 {
			r := taken(carpool.RideID(fmt.Sprintf("r-%02d", i)), i*24*60, "x")
			change(i, &r)
			out = append(out, r)
		}
		return out
	}
	drop := func(i int, r *carpool.TakenRide) {
		if i >= 9 {
			r.Riders, r.Dropped = nil, true
		}
	}
	for _, c := range []struct {
		name   string
		change func(int, *carpool.TakenRide)
		want   int
	}{
		{"only when booked", drop, 1},
		{"once alone", func(i int, r *carpool.TakenRide) { drop(i, r); r.Dropped = r.Dropped && i != 11 }, 0},
		{"always booked, none dropped", func(int, *carpool.TakenRide) {}, 0},
		{"to work each day", func(i int, r *carpool.TakenRide) { drop(i, r); r.Regular = true }, 0},
		{"too few", func(i int, r *carpool.TakenRide) { drop(i, r); r.Regular = i == 0 }, 0},
	} {
		got := carpool.Patterns(rides(c.change))
		if len(got) != c.want || c.want == 1 && (got[0].Key != carpool.TaxiNeverAlone || got[0].Count != 9 || got[0].On != "") {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// Days are those of the place, and the order of the rides says nothing.
func TestPatternsOfAnyOrder(t *testing.T) {
	rules := carpool.DefaultTaxiRules()
	rules.Location = romeTime(t)
	late := taken("a", 16*60+30, "x") // 23:30 in UTC, half past midnight in Rome
	late.Riders[0].Phone = "1"
	if got := rules.Patterns([]carpool.TakenRide{late}); len(got) != 1 || got[0].On != "2026-11-24" {
		t.Errorf("%+v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		var rides []carpool.TakenRide
		for i := range rapid.IntRange(0, 12).Draw(t, "rides") {
			r := taken(carpool.RideID(rune('a'+i)), rapid.IntRange(0, 24).Draw(t, "at")*20,
				carpool.MemberID(rapid.SampledFrom([]string{"x", "y", "z", "driver-2"}).Draw(t, "rider")))
			r.Driver = carpool.MemberID(rapid.SampledFrom([]string{"driver-1", "driver-2"}).Draw(t, "driver"))
			if rapid.Bool().Draw(t, "back") {
				r = back(r)
			}
			rides = append(rides, r)
		}
		given := slices.Clone(rides)
		got := carpool.Patterns(rides)
		if !reflect.DeepEqual(rides, given) {
			t.Fatal("the rides given were put in another order")
		}
		if again := carpool.Patterns(rapid.Permutation(rides).Draw(t, "order")); !reflect.DeepEqual(got, again) {
			t.Fatalf("%+v\n%+v", got, again)
		}
		for _, p := range got {
			if !slices.Contains(carpool.TaxiKeys, p.Key) || p.Who == "" || len(p.Rides) == 0 {
				t.Fatalf("%+v", p)
			}
			if p.Key == carpool.TaxiGap && time.Duration(p.Gap)*time.Minute >= rules.Gap {
				t.Fatalf("%+v", p)
			}
		}
	})
}
