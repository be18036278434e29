package carpool_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
)

// nearPlace at some minutes on foot.
func nearPlace(id carpool.PlaceID, walk int) carpool.NearPlace {
	return carpool.NearPlace{Place: carpool.Place{ID: id, Name: "piazza " + string(id), At: geo.LonLat{Lon: 8 + float64(walk)/1000, Lat: 44.5}}, Walk: legOf(walk)}
}

func TestAroundOf(t *testing.T) {
	home := carpool.Spot{Address: "via Roma 1", At: geo.LonLat{Lon: 8.1234, Lat: 44.5432}}
	for _, c := range []struct {
		name   string
		change func(*carpool.Ask, *[]carpool.NearPlace)
		want   []carpool.PlaceID // "" is the door
	}{
		{"the nearest first", func(*carpool.Ask, *[]carpool.NearPlace) {}, []carpool.PlaceID{"b", "c", "a", "d", "e"}},
		{"beyond what is worth naming", func(a *carpool.Ask, _ *[]carpool.NearPlace) { a.MaxWalk = 0 }, []carpool.PlaceID{"b", "c", "a"}},
		{"closed, or out of reach", func(_ *carpool.Ask, n *[]carpool.NearPlace) {
			(*n)[0].Closed, (*n)[1].Walk.OK = true, false
		}, []carpool.PlaceID{"c", "d", "e", "f"}},
		{"wheelchair", func(a *carpool.Ask, n *[]carpool.NearPlace) {
			a.Needs.Wheelchair, (*n)[3].StepFree = true, true
		}, []carpool.PlaceID{"d"}},
		{"to the door", func(a *carpool.Ask, n *[]carpool.NearPlace) { a.DoorToDoor, *n = true, nil }, []carpool.PlaceID{""}},
		{"at a meeting point", func(a *carpool.Ask, _ *[]carpool.NearPlace) {
			a.From, a.DoorToDoor = carpool.Spot{Place: "d", At: geo.LonLat{Lon: 8, Lat: 44}}, true
		}, []carpool.PlaceID{"d", "b", "c", "a", "e"}},
		{"at a meeting point that none is near to", func(a *carpool.Ask, n *[]carpool.NearPlace) {
			a.From, *n = carpool.Spot{Place: "z"}, nil
		}, []carpool.PlaceID{"z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			near := []carpool.NearPlace{nearPlace("a", 6), nearPlace("b", 2), nearPlace("c", 4), nearPlace("d", 11), nearPlace("e", 12), nearPlace("f", 13)}
			ask := carpool.Ask{From: home, To: carpool.Spot{Place: "end", At: geo.LonLat{Lon: 8, Lat: 44.7}}, MaxWalk: 15 * time.Minute, Seats: 1}
			c.change(&ask, &near)
			around := carpool.AroundOf(ask, near, nil)
			var got []carpool.PlaceID
			for _, e := range around.Pickups {
				got = append(got, e.Place)
				if e.Door != (e.Place == "") || !e.Walk.OK {
					t.Errorf("%+v", e)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
			points := carpool.Points(ask, near, nil)
			if len(points) != len(around.Pickups)+1 || points[len(points)-1] != ask.To.At {
				t.Errorf("points: %v", points)
			}
		})
	}
}

// Two homes in one cell are one search: its points, and so its answer, are the
// same, and no home is among them.
func TestAroundIsTheSameInACell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := carpool.CellOf(geo.LonLat{Lon: rapid.Float64Range(7.9, 8.3).Draw(t, "lon"), Lat: rapid.Float64Range(44.3, 44.7).Draw(t, "lat")})
		inside := func(name string) carpool.Spot {
			at := cell.Middle()
			at.Lon += rapid.Float64Range(-0.006, 0.006).Draw(t, name+" lon")
			at.Lat += rapid.Float64Range(-0.0045, 0.0045).Draw(t, name+" lat")
			if carpool.CellOf(at) != cell {
				t.Fatalf("%v is not in %v", at, cell)
			}
			return carpool.Spot{Address: name, At: at}
		}
		far := carpool.Spot{Address: "far", At: geo.LonLat{Lon: 8.5, Lat: 44.9}}
		near := []carpool.NearPlace{nearPlace("a", 6), nearPlace("b", 2)}
		ask := func(from carpool.Spot) carpool.Ask {
			return carpool.Ask{From: from, To: far, DoorToDoor: true, MaxWalk: time.Hour, Seats: 1}
		}
		one, two := inside("one"), inside("two")
		a, b := carpool.AroundOf(ask(one), near, near), carpool.AroundOf(ask(two), near, near)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("%+v\n%+v", a, b)
		}
		if points := a.Points(); slices.Contains(points, far.At) {
			t.Fatalf("a home is among %v", points)
		}
		ride := carpool.Ride{Stops: []carpool.Stop{{Spot: one}, {Spot: far}}}
		other := carpool.Ride{Stops: []carpool.Stop{{Spot: two}, {Spot: far}}}
		if !slices.Equal(ride.Points(), other.Points()) {
			t.Fatalf("%v, %v", ride.Points(), other.Points())
		}
	})
}

func TestSamePlaceSameTime(t *testing.T) {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 23, hour, minute, 0, 0, rome) }
	spot := func(id carpool.PlaceID) carpool.Spot { return carpool.Spot{Place: id} }
	home := carpool.Spot{At: geo.LonLat{Lon: 8.1, Lat: 44.5}}
	next := carpool.Spot{At: home.At.Toward(90, 50)}
	if carpool.CellOf(home.At) != carpool.CellOf(next.At) {
		t.Fatal("the two homes of this test must share a cell")
	}
	for _, c := range []struct {
		name   string
		change func(*carpool.Ask, *carpool.Ride)
		want   bool
	}{
		{"same", func(*carpool.Ask, *carpool.Ride) {}, true},
		{"end of the hour", func(_ *carpool.Ask, r *carpool.Ride) { r.Stops[0].At = at(7, 59) }, true},
		{"next hour", func(_ *carpool.Ask, r *carpool.Ride) { r.Stops[0].At = at(8, 0) }, false},
		{"hour before", func(_ *carpool.Ask, r *carpool.Ride) { r.Stops[0].At = at(6, 59) }, false},
		{"two hours", func(a *carpool.Ask, r *carpool.Ride) { a.When.To, r.Stops[0].At = at(8, 0), at(8, 40) }, true},
		{"by arrival", func(a *carpool.Ask, r *carpool.Ride) { a.When.Arrive, r.Stops[0].At = true, at(6, 10) }, true},
		{"arrives too late", func(a *carpool.Ask, r *carpool.Ride) { a.When.Arrive, r.Stops[1].At = true, at(8, 10) }, false},
		{"elsewhere", func(a *carpool.Ask, _ *carpool.Ride) { a.To = spot("c") }, false},
		{"two homes in one cell", func(a *carpool.Ask, r *carpool.Ride) { a.From, r.Stops[0].Spot = home, next }, true},
		{"a home and a square", func(a *carpool.Ask, _ *carpool.Ride) { a.From = home }, false},
		{"full", func(_ *carpool.Ask, r *carpool.Ride) { r.Taken = 3 }, false},
		{"cancelled", func(_ *carpool.Ask, r *carpool.Ride) { r.State = carpool.RideCancelled }, false},
		{"one's own", func(a *carpool.Ask, _ *carpool.Ride) { a.For = "m-driver" }, false},
		{"window upside down", func(a *carpool.Ask, _ *carpool.Ride) { a.When.To = at(6, 0) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask := carpool.Ask{For: "m-rider", From: spot("a"), To: spot("b"), Seats: 1, When: carpool.Window{From: at(7, 20), To: at(7, 40)}}
			ride := carpool.Ride{ID: "r-1", Driver: "m-driver", State: carpool.RideOpen, Seats: 3,
				Stops: []carpool.Stop{{Spot: spot("a"), At: at(7, 0)}, {Spot: spot("b"), At: at(7, 45)}}}
			c.change(&ask, &ride)
			got := carpool.SamePlaceSameTime(ask, []carpool.Ride{ride}, rome)
			if (len(got) == 1) != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
