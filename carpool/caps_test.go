package carpool_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/unit"
)

var capsTable = carpool.Caps{Default: 50, Most: 150, PerClass: map[carpool.VehicleClass]int{"car": 300, "van": 480}}

func TestCapsCheck(t *testing.T) {
	if err := carpool.DefaultCaps().Check(); err != nil {
		t.Error(err)
	}
	for _, bad := range []carpool.Caps{
		{Default: 200, Most: 150, PerClass: capsTable.PerClass},
		{Default: -1, Most: 150, PerClass: capsTable.PerClass},
		{Default: 50, Most: 150},
		{Default: 50, Most: 150, PerClass: map[carpool.VehicleClass]int{"car": 0}},
		{Default: 50, Most: 150, PerClass: map[carpool.VehicleClass]int{"car": 2001}},
	} {
		if err := bad.Check(); fault.Of(err) != fault.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestContribution(t *testing.T) {
	for _, c := range []struct {
		class  carpool.VehicleClass
		seats  int
		aboard int
		asks   int
		riders int
		way    unit.Metres
		cap    int
		cents  int
	}{
		{"car", 3, 0, 50, 1, 20000, 75, 100},
		{"car", 3, 0, 50, 2, 20000, 75, 200},
		{"car", 3, 0, 50, 2, 13333, 75, 132}, // 66.665 each
		{"car", 3, 0, 75, 1, 1000, 75, 7},
		{"car", 3, 0, 500, 1, 20000, 75, 150}, // no more than the cap, whatever is written
		{"car", 1, 0, 150, 1, 10000, 150, 150},
		{"car", 1, 1, 150, 1, 10000, 100, 100}, // with somebody in the car already
		{"van", 1, 0, 300, 1, 10000, 150, 150}, // half would be 240: never above Most
		{"van", 7, 0, 50, 1, 10000, 60, 50},
		{"lorry", 1, 0, 50, 1, 10000, 0, 0},
		{"car", 0, 0, 50, 1, 10000, 0, 0},
		{"car", 3, 0, 0, 3, 20000, 75, 0},
		{"car", 3, 0, -50, 3, 20000, 75, 0},
		{"car", 3, 0, 50, -1, 20000, 75, 0},
		{"car", 3, 0, 50, 1, -5, 75, 0},
		{"car", 3, 0, 50, 1, 199, 75, 0},
	} {
		o := carpool.Offer{Seats: c.seats, Aboard: c.aboard, MilliEURKm: c.asks}
		if got := capsTable.CapOf(o, c.class); got != c.cap {
			t.Errorf("%+v: the cap is %d", c, got)
		}
		if got := capsTable.Contribution(o, c.class, c.riders, c.way); got != c.cents {
			t.Errorf("%+v: %d cents", c, got)
		}
		if err := capsTable.CheckRate(o, c.class); (err == nil) != (c.asks >= 0 && c.asks <= c.cap) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	err := capsTable.CheckRate(carpool.Offer{Seats: 3, MilliEURKm: 76}, "car")
	if fault.Of(err) != fault.Invalid || !strings.HasPrefix(err.Error(), "milli_eur_km:") || !strings.Contains(err.Error(), "75") || !strings.Contains(err.Error(), "0.075") {
		t.Errorf("%v", err)
	}
}

// However riders get in and out, all together never pay what the way costs:
// the driver always bears at least their own share.
func TestNobodyEarns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := carpool.Offer{Seats: rapid.IntRange(1, 8).Draw(t, "seats"), Aboard: rapid.IntRange(0, 3).Draw(t, "aboard"),
			MilliEURKm: rapid.IntRange(0, 400).Draw(t, "asks")}
		class := rapid.SampledFrom([]carpool.VehicleClass{"car", "van"}).Draw(t, "class")
		const sections = 6
		free := [sections]int{}
		for i := range free {
			free[i] = o.Seats
		}
		km := rapid.SliceOfN(rapid.IntRange(1, 30), sections, sections).Draw(t, "km")
		paid, whole := 0, 0
		for _, k := range km {
			whole += k
		}
		for range rapid.IntRange(0, 20).Draw(t, "bookings") {
			in := rapid.IntRange(0, sections-1).Draw(t, "in")
			out := rapid.IntRange(in, sections-1).Draw(t, "out")
			riders, way := rapid.IntRange(1, 3).Draw(t, "riders"), 0
			fits := true
			for s := in; s <= out; s++ {
				fits, way = fits && free[s] >= riders, way+km[s]
			}
			if !fits {
				continue
			}
			for s := in; s <= out; s++ {
				free[s] -= riders
			}
			paid += capsTable.Contribution(o, class, riders, unit.Metres(way*1000))
		}
		cost := float64(capsTable.PerClass[class]*whole) / 10
		if share := cost / float64(1+o.Seats+o.Aboard); float64(paid) > cost-share+1e-6 {
			t.Fatalf("%d cents are paid of %.1f, and the driver's share is %.1f", paid, cost, share)
		}
	})
}
