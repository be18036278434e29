package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"pgregory.net/rapid"
)

func TestNextWay(t *testing.T) {
	const h, min = time.Hour, time.Minute
	cfg := carpool.Default()
	leave := monday.Add(72 * h)
	r := carpool.Request{State: carpool.RequestOpen, When: carpool.Window{From: leave, To: leave.Add(h)}}
	way := func(k carpool.WayKind, text string, until time.Duration) carpool.Way {
		return carpool.Way{Kind: k, Text: text, Until: leave.Add(until)}
	}
	with := func(w carpool.Way) carpool.Request { r := r; r.Way = w; return r }
	listed := []carpool.Listed{{ID: "l-1"}}
	bus := &carpool.Bus{Line: "7", Depart: leave.Add(10 * min), Arrive: leave.Add(40 * min)}
	booking := &carpool.Booking{ID: "b-1", Deadline: leave.Add(-20 * h), Drop: carpool.Stop{At: leave.Add(h)}}
	search, road := way(carpool.WaySearch, carpool.WayTextSearch, -24*h), way(carpool.WaySearch, carpool.WayTextRoad, -12*h)
	for name, c := range map[string]struct {
		r     carpool.Request
		f     carpool.WayFacts
		at    time.Duration // after leave
		state carpool.RequestState
		kind  carpool.WayKind
		text  string
		until time.Duration
		road  bool
		call  bool
	}{
		"fresh, days ahead":            {r: r, at: -48 * h, state: carpool.RequestOpen, kind: carpool.WaySearch, text: carpool.WayTextSearch, until: -24 * h},
		"fresh, late: time to choose":  {r: r, at: -2 * h, state: carpool.RequestOpen, kind: carpool.WaySearch, text: carpool.WayTextSearch, until: -2*h + 10*min},
		"still searched":               {r: with(search), at: -30 * h, state: carpool.RequestOpen, kind: carpool.WaySearch, text: carpool.WayTextSearch, until: -24 * h},
		"a day before":                 {r: with(search), at: -24 * h, state: carpool.RequestOpen, kind: carpool.WaySearch, text: carpool.WayTextRoad, until: -12 * h, road: true},
		"the road asked, late":         {r: with(way(carpool.WaySearch, carpool.WayTextSearch, -2*h)), at: -2 * h, state: carpool.RequestOpen, kind: carpool.WaySearch, text: carpool.WayTextRoad, until: -2*h + 45*min, road: true},
		"last call: a bus":             {r: with(road), f: carpool.WayFacts{Road: true, Bus: bus, Listed: listed}, at: -12 * h, state: carpool.RequestListed, kind: carpool.WayBus, text: carpool.WayTextBus, until: 40 * min},
		"last call: the list":          {r: with(road), f: carpool.WayFacts{Road: true, Listed: listed}, at: -12 * h, state: carpool.RequestListed, kind: carpool.WayList, text: carpool.WayTextList, until: -12*h + 390*min},
		"last call: the desk":          {r: with(road), f: carpool.WayFacts{Road: true}, at: -12 * h, state: carpool.RequestDesk, kind: carpool.WayDesk, text: carpool.WayTextDesk, until: h, call: true},
		"the list, then the desk":      {r: with(way(carpool.WayList, carpool.WayTextList, -5*h)), f: carpool.WayFacts{Road: true, Listed: listed}, at: -5 * h, state: carpool.RequestDesk, kind: carpool.WayDesk, text: carpool.WayTextDesk, until: h, call: true},
		"the desk again":               {r: with(way(carpool.WayDesk, carpool.WayTextDesk, h)), f: carpool.WayFacts{Road: true}, at: h, state: carpool.RequestDesk, kind: carpool.WayDesk, text: carpool.WayTextDesk2, until: 13 * h, call: true},
		"over":                         {r: with(way(carpool.WayDesk, carpool.WayTextDesk2, 13*h)), f: carpool.WayFacts{Road: true}, at: 13 * h, state: carpool.RequestDone},
		"the bus has gone":             {r: with(way(carpool.WayBus, carpool.WayTextBus, 40*min)), f: carpool.WayFacts{Road: true}, at: 40 * min, state: carpool.RequestDone},
		"asked":                        {r: with(search), f: carpool.WayFacts{Asked: booking}, at: -30 * h, state: carpool.RequestOpen, kind: carpool.WayAsked, text: carpool.WayTextAsked, until: -20 * h},
		"a ride":                       {r: with(search), f: carpool.WayFacts{Ride: booking}, at: -30 * h, state: carpool.RequestBooked, kind: carpool.WayRide, text: carpool.WayTextRide, until: 13 * h},
		"the driver cancelled early":   {r: with(way(carpool.WaySearch, carpool.WayTextAgain, -30*h)), f: carpool.WayFacts{Again: true}, at: -30 * h, state: carpool.RequestOpen, kind: carpool.WaySearch, text: carpool.WayTextAgain, until: -24 * h},
		"the driver cancelled late":    {r: with(way(carpool.WaySearch, carpool.WayTextAgain, -20*h)), f: carpool.WayFacts{Again: true}, at: -20 * h, state: carpool.RequestOpen, kind: carpool.WaySearch, text: carpool.WayTextAgain, until: -12 * h, road: true},
		"the driver did not come":      {r: with(way(carpool.WaySearch, carpool.WayTextAgain, 15*min)), f: carpool.WayFacts{Again: true, Listed: listed}, at: 15 * min, state: carpool.RequestListed, kind: carpool.WayList, text: carpool.WayTextList, until: 15*min + 45*min/2, road: true},
		"no one came, and nobody else": {r: with(way(carpool.WaySearch, carpool.WayTextAgain, 15*min)), f: carpool.WayFacts{Again: true}, at: 15 * min, state: carpool.RequestDesk, kind: carpool.WayDesk, text: carpool.WayTextDesk, until: 75 * min, road: true, call: true},
	} {
		n := carpool.NextWay(c.r, c.f, leave.Add(c.at), cfg)
		until := leave.Add(c.until)
		if c.kind == "" {
			until = time.Time{}
		}
		if n.State != c.state || n.Way.Kind != c.kind || n.Way.Text != c.text || !n.Way.Until.Equal(until) || n.AskRoad != c.road || n.Call != c.call {
			t.Errorf("%s: %+v until %v\nwant %s %s %s until %v, road %v, call %v", name, n, n.Way.Until.Sub(leave), c.state, c.kind, c.text, c.until, c.road, c.call)
		}
	}
	home := with(road)
	home.Outward = "q-1"
	if n := carpool.NextWay(home, carpool.WayFacts{Road: true, Bus: bus, Listed: listed}, leave.Add(-12*h), cfg); n.Way.Kind != carpool.WayBus || n.Way.Listed != "l-1" {
		t.Errorf("whom to call when the bus home is missed: %+v", n)
	}
	if n := carpool.NextWay(with(road), carpool.WayFacts{Road: true, Bus: bus, Listed: listed}, leave.Add(-12*h), cfg); n.Way.Listed != "" {
		t.Errorf("a bus on the way out: %+v", n)
	}
	r.Needs.Wheelchair = true
	r.Way = road
	if n := carpool.NextWay(r, carpool.WayFacts{Road: true, Bus: bus}, leave.Add(-12*h), cfg); n.Way.Kind != carpool.WayDesk {
		t.Errorf("a wheelchair on the bus: %+v", n)
	}
	waiting := carpool.Request{State: carpool.RequestWaiting, When: carpool.Window{From: leave, To: leave.Add(5 * h)}}
	if n := carpool.NextWay(waiting, carpool.WayFacts{}, leave.Add(h), cfg); n.State != carpool.RequestWaiting || !n.Way.Until.Equal(leave.Add(5*h)) || n.Way.Text != carpool.WayTextWaiting {
		t.Errorf("waiting: %+v", n)
	}
	if n := carpool.NextWay(waiting, carpool.WayFacts{}, leave.Add(5*h), cfg); n.State != carpool.RequestDesk || !n.Call {
		t.Errorf("a visit that never ended: %+v", n)
	}
}

// TestNobodyIsLeftWithoutAWay lives through whole requests at random: at every
// moment there is a way that ends later, and in the end the request is over.
func TestNobodyIsLeftWithoutAWay(t *testing.T) {
	cfg := carpool.Default()
	rapid.Check(t, func(t *rapid.T) {
		minutes := func(name string, least, most int64) time.Duration {
			return time.Duration(rapid.Int64Range(least, most).Draw(t, name)) * time.Minute
		}
		now := monday
		r := carpool.Request{State: carpool.RequestOpen}
		r.When.From = now.Add(minutes("ahead", -30, 4*24*60))
		r.When.To = r.When.From.Add(minutes("span", 31, 600))
		r.When.Arrive, r.Needs.Wheelchair = rapid.Bool().Draw(t, "arrive"), rapid.Bool().Draw(t, "wheelchair")
		if rapid.Bool().Draw(t, "open return") {
			r.State = carpool.RequestWaiting
		}
		var f carpool.WayFacts
		for steps := 0; ; steps++ {
			if steps > 300 {
				t.Fatalf("no end: %+v", r)
			}
			n := carpool.NextWay(r, f, now, cfg)
			if n.State == carpool.RequestDone || n.State == carpool.RequestWithdrawn {
				if now.Before(r.When.From) && r.Way.Kind != carpool.WayBus {
					t.Fatalf("given up before its time: %+v at %v", r, now)
				}
				return
			}
			if n.Way.Kind == "" || !n.Way.Until.After(now) || n.Way.Text == "" {
				t.Fatalf("at %v: %+v of %+v with %+v", now, n, r, f)
			}
			if again := carpool.NextWay(carpool.Request{State: n.State, Way: n.Way, When: r.When, Needs: r.Needs}, carpool.WayFacts{Ride: f.Ride, Asked: f.Asked, Road: f.Road || n.AskRoad, Bus: f.Bus, Listed: f.Listed}, now, cfg); again.Way != n.Way || again.State != n.State || again.Call || again.Tell != "" || again.AskRoad {
				t.Fatalf("a second look changes %+v to %+v", n, again)
			}
			r.State, r.Way, f.Road = n.State, n.Way, f.Road || n.AskRoad
			f = carpool.WayFacts{Road: f.Road}
			switch rapid.IntRange(0, 5).Draw(t, "event") {
			case 0:
				f.Asked = &carpool.Booking{ID: "b", Deadline: now.Add(minutes("answer", 1, 300))}
			case 1:
				f.Ride = &carpool.Booking{ID: "b", Drop: carpool.Stop{At: r.When.To}}
			case 2:
				f.Again = r.Way.Kind == carpool.WayAsked || r.Way.Kind == carpool.WayRide
			case 3:
				f.Listed = []carpool.Listed{{ID: "l"}}
			case 4:
				f.Bus = &carpool.Bus{Depart: now.Add(minutes("bus", -10, 300)), Arrive: now.Add(8 * time.Hour)}
			}
			if f.Again || rapid.Bool().Draw(t, "at once") {
				continue
			}
			now = r.Way.Until.Add(minutes("late", 0, 3))
		}
	})
}
