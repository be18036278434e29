package gtfs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
)

// crow walks 1 m/s as the crow flies.
func crow(_ context.Context, from, to geo.LonLat) (carpool.Leg, error) {
	d := from.Distance(to)
	return carpool.Leg{OK: true, Metres: d, Time: time.Duration(float64(d)) * time.Second}, nil
}

var (
	alto  = geo.LonLat{Lon: 8.101, Lat: 44.600}
	borgo = geo.LonLat{Lon: 8.101, Lat: 44.620}
	dosso = geo.LonLat{Lon: 8.101, Lat: 44.660}
)

func rome(t testing.TB) *time.Location {
	t.Helper()
	in, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func buses(t testing.TB, files map[string]string) *Buses {
	t.Helper()
	table, err := Read(folder(files), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewBuses(table, crow)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// window in local time, "2026-11-23 06:00".
func window(t testing.TB, from, to string) carpool.Window {
	t.Helper()
	a, err1 := time.ParseInLocation("2006-01-02 15:04", from, rome(t))
	b, err2 := time.ParseInLocation("2006-01-02 15:04", to, rome(t))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return carpool.Window{From: a, To: b}
}

// say is an answer in short: "12 07:00>07:31", with ! for the last bus.
func say(t testing.TB, list []carpool.Bus) []string {
	out := []string{}
	for _, b := range list {
		s := fmt.Sprintf("%s %s>%s", b.Line, b.Depart.In(rome(t)).Format("02/15:04"), b.Arrive.In(rome(t)).Format("02/15:04"))
		if b.Last {
			s += "!"
		}
		out = append(out, s)
	}
	return out
}

func TestNext(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to geo.LonLat
		w        carpool.Window
		n        int
		want     []string
	}{
		{"a Monday", alto, dosso, window(t, "2026-11-23 00:00", "2026-11-23 23:59"), 9, []string{"12 23/07:00>23/07:31", "12 23/17:00>23/17:40!"}},
		{"the first only", alto, dosso, window(t, "2026-11-23 00:00", "2026-11-23 23:59"), 1, []string{"12 23/07:00>23/07:31"}},
		{"the morning: the last is later", alto, dosso, window(t, "2026-11-23 06:00", "2026-11-23 08:00"), 9, []string{"12 23/07:00>23/07:31"}},
		{"nobody gets in at Borgo in the evening", borgo, dosso, window(t, "2026-11-23 06:00", "2026-11-23 23:59"), 9, []string{"12 23/07:11>23/07:31!"}},
		{"not the other way", dosso, alto, window(t, "2026-11-23 00:00", "2026-11-23 23:59"), 9, []string{}},
		{"a holiday", alto, dosso, window(t, "2026-12-08 00:00", "2026-12-08 23:59"), 9, []string{}},
		{"a Saturday with the weekday service besides", alto, dosso, window(t, "2026-12-05 00:00", "2026-12-05 23:59"), 9,
			[]string{"12 05/07:00>05/07:31", "12 05/17:00>05/17:40", "Notturno 05/23:30>06/01:10!"}},
		{"a service of one day", alto, dosso, window(t, "2026-12-10 11:00", "2026-12-10 13:00"), 9, []string{"12 10/12:00>10/12:30"}},
		{"after midnight it is the bus of the day before", borgo, dosso, window(t, "2026-11-29 00:00", "2026-11-29 06:00"), 9, []string{"Notturno 29/00:20>29/01:10!"}},
		{"over midnight", alto, dosso, window(t, "2026-11-28 22:00", "2026-11-29 06:00"), 9, []string{"Notturno 28/23:30>29/01:10!"}},
		{"before the timetable begins", alto, dosso, window(t, "2025-11-24 00:00", "2025-11-24 23:59"), 9, []string{}},
		{"far from any stop", geo.LonLat{Lon: 9, Lat: 44.6}, dosso, window(t, "2026-11-23 00:00", "2026-11-23 23:59"), 9, []string{}},
		{"from a stop to itself", alto, alto, window(t, "2026-11-23 00:00", "2026-11-23 23:59"), 9, []string{}},
		{"none asked for", alto, dosso, window(t, "2026-11-23 00:00", "2026-11-23 23:59"), 0, []string{}},
		// Summer time begins on 29 March 2026, a Sunday: 02:00 is 03:00. Times count
		// from 12 hours before noon, so 24:20 of the Saturday is 00:20, and 23:30 of
		// the Sunday is 23:30.
		{"the night summer time begins", alto, dosso, window(t, "2026-03-28 12:00", "2026-03-30 05:00"), 9,
			[]string{"Notturno 28/23:30>29/01:10!", "Notturno 29/23:30>30/01:10!"}},
		{"the night winter time begins", alto, dosso, window(t, "2026-10-24 12:00", "2026-10-26 05:00"), 9,
			[]string{"Notturno 24/23:30>25/01:10!", "Notturno 25/23:30>26/01:10!"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := buses(t, valley).Next(t.Context(), c.from, c.to, c.w, 15*time.Minute, c.n)
			if err != nil || !slices.Equal(say(t, got), c.want) {
				t.Errorf("got %v, %v; want %v", say(t, got), err, c.want)
			}
		})
	}
}

// A bus that runs through the hour that summer time skips arrives an hour
// later by the clock: 26:30 after the Saturday's midnight is 03:30.
func TestNextThroughTheGap(t *testing.T) {
	b := buses(t, with(t, "stop_times.txt", "25:10:00,25:10:00", "26:30:00,26:30:00"))
	got, err := b.Next(t.Context(), alto, dosso, window(t, "2026-03-28 12:00", "2026-03-29 12:00"), 15*time.Minute, 9)
	if err != nil || len(got) != 1 || got[0].Arrive.Sub(got[0].Depart) != 3*time.Hour || got[0].Arrive.In(rome(t)).Hour() != 3 {
		t.Errorf("got %v, %v", say(t, got), err)
	}
}

func TestNextByArrival(t *testing.T) {
	w := window(t, "2026-11-23 07:05", "2026-11-23 07:35")
	w.Arrive = true
	got, err := buses(t, valley).Next(t.Context(), alto, dosso, w, 15*time.Minute, 9)
	if err != nil || !slices.Equal(say(t, got), []string{"12 23/07:00>23/07:31"}) {
		t.Errorf("got %v, %v", say(t, got), err)
	}
}

func TestNextByFrequency(t *testing.T) {
	files := without("none")
	files["frequencies.txt"] = "trip_id,start_time,end_time,headway_secs\nt1,06:00:00,07:30:00,1800\n"
	got, err := buses(t, files).Next(t.Context(), alto, dosso, window(t, "2026-11-23 00:00", "2026-11-23 23:59"), 15*time.Minute, 9)
	want := []string{"12 23/06:00>23/06:31", "12 23/06:30>23/07:01", "12 23/07:00>23/07:31", "12 23/17:00>23/17:40!"}
	if err != nil || !slices.Equal(say(t, got), want) {
		t.Errorf("got %v, %v", say(t, got), err)
	}
}

func TestNextRefuses(t *testing.T) {
	b := buses(t, valley)
	w := window(t, "2026-11-23 00:00", "2026-11-24 00:00")
	if _, err := b.Next(t.Context(), geo.LonLat{Lon: 200}, dosso, w, time.Minute, 1); err == nil {
		t.Error("a point outside the world was taken")
	}
	long := w
	long.To = w.From.AddDate(1, 0, 0)
	if _, err := b.Next(t.Context(), alto, dosso, long, time.Minute, 1); err == nil {
		t.Error("a year was looked through")
	}
	wet := errors.New("no path")
	b.walk = func(context.Context, geo.LonLat, geo.LonLat) (carpool.Leg, error) { return carpool.Leg{}, wet }
	if _, err := b.Next(t.Context(), alto, dosso, w, 15*time.Minute, 1); !errors.Is(err, wet) {
		t.Errorf("got %v", err)
	}
	b.walk = func(context.Context, geo.LonLat, geo.LonLat) (carpool.Leg, error) { return carpool.Leg{}, nil }
	if got, err := b.Next(t.Context(), alto, dosso, w, 15*time.Minute, 9); err != nil || len(got) != 0 {
		t.Errorf("without a way on foot: %v, %v", got, err)
	}
}

// The answers are those of a look at every pair of calls on every day.
func TestNextAgainstAll(t *testing.T) {
	files := without("none")
	rng := rand.New(rand.NewPCG(4, 2))
	times, trips := files["stop_times.txt"], files["trips.txt"]
	for i := range 60 {
		id := fmt.Sprintf("x%d", i)
		trips += fmt.Sprintf("r1,%s,%s\n", []string{"feriali", "notti"}[i%2], id)
		at := rng.IntN(26 * 3600)
		for j, s := range rng.Perm(4)[:2+rng.IntN(3)] {
			times += fmt.Sprintf("%s,%s,%s,%s,%d,,\n", id, writeTime(at), writeTime(at+60), string("abcd"[s]), j)
			at += 120 + rng.IntN(3600)
		}
	}
	files["stop_times.txt"], files["trips.txt"] = times, trips
	b := buses(t, files)
	ends := map[string]geo.LonLat{"Alto": alto, "Borgo": borgo, "Dosso, chiesa": dosso}
	for from, p := range ends {
		for to, q := range ends {
			for range 40 {
				begin := time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC).Add(time.Duration(rng.IntN(10*24*60)) * time.Minute)
				w := carpool.Window{From: begin, To: begin.Add(time.Duration(rng.IntN(36*60)) * time.Minute), Arrive: rng.IntN(2) == 0}
				got, err := b.Next(t.Context(), p, q, w, 10*time.Minute, 1000)
				if err != nil {
					t.Fatal(err)
				}
				if want := b.table.all(from, to, w); !slices.Equal(say(t, got), say(t, want)) {
					t.Fatalf("%s to %s in %v: got %v, want %v", from, to, w, say(t, got), say(t, want))
				}
			}
		}
	}
}

// all looks at every pair of calls of every trip on every day.
func (t *Timetable) all(from, to string, w carpool.Window) []carpool.Bus {
	var out []carpool.Bus
	for day := dayOf(w.From).plus(-4); day <= dayOf(w.To).plus(4); day = day.plus(1) {
		var today []carpool.Bus
		for _, tr := range t.trips {
			if !t.services[tr.service].on(day) {
				continue
			}
			calls := t.calls[tr.first:tr.last]
			for i, in := range calls {
				for _, exit := range calls[i+1:] {
					if t.stops[in.stop].name == from && t.stops[exit.stop].name == to && !in.noBoard && !exit.noExit {
						today = append(today, carpool.Bus{Line: tr.line, Depart: day.at(in.depart, t.Location).UTC(), Arrive: day.at(exit.arrive, t.Location).UTC()})
					}
				}
			}
		}
		for i, b := range today {
			today[i].Last = !slices.ContainsFunc(today, func(o carpool.Bus) bool { return o.Depart.After(b.Depart) })
			bound := b.Depart
			if w.Arrive {
				bound = b.Arrive
			}
			if !bound.Before(w.From) && !bound.After(w.To) {
				out = append(out, today[i])
			}
		}
	}
	slices.SortStableFunc(out, func(x, y carpool.Bus) int {
		if c := x.Depart.Compare(y.Depart); c != 0 {
			return c
		}
		return x.Arrive.Compare(y.Arrive)
	})
	return out
}

// The timetable of the demo is valid and answers.
func TestDemoTimetable(t *testing.T) {
	const dir = "../../demo/carpool/bus"
	table, err := Open(dir, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if found := Check(os.DirFS(dir), DefaultLimits()); len(found) > 0 {
		t.Errorf("the demo's timetable breaks rules: %v", found)
	}
	b, err := NewBuses(table, crow)
	if err != nil {
		t.Fatal(err)
	}
	cortemilia, alba := table.stops[slices.IndexFunc(table.stops, func(s stop) bool { return s.name == "Cortemilia, municipio" })].at, geo.LonLat{Lon: 8.0347, Lat: 44.6999}
	got, err := b.Next(t.Context(), cortemilia, alba, window(t, "2026-11-23 06:00", "2026-11-23 08:00"), 10*time.Minute, 3)
	if err != nil || len(got) == 0 || got[0].Line != "1" {
		t.Errorf("Cortemilia to Alba on a Monday morning: %v, %v", say(t, got), err)
	}
}
