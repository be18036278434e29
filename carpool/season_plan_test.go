package carpool_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/geo"
)

// A season is made once from its seed, so that a process that was killed in it
// knows what has still to happen.

const (
	seasonResidents = 200
	seasonDrivers   = 15
	seasonAWeek     = 40
	seasonPhone     = 0.6 // of the requests come by telephone
	seasonMinors    = 15  // who take the school bus
)

var rome = func() *time.Location {
	l, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		panic(err)
	}
	return l
}()

// seasonStart is a Monday.
var seasonStart = time.Date(2026, 9, 14, 0, 0, 0, 0, rome)

type plannedDriver struct {
	from, to carpool.PlaceID
	days     string // BYDAY
	out      carpool.Clock
	back     carpool.Clock
	eager    float64 // chance to accept
	fickle   float64 // chance to cancel a day on which somebody was accepted
	absent   float64 // chance not to come
	until    carpool.Date
}

type plannedTrip struct {
	n        int
	asked    time.Time
	rider    int
	phone    bool
	from, to carpool.PlaceID
	leave    time.Time
	back     carpool.ReturnKind
	stay     time.Duration
	quits    bool // cancels before
	absent   bool // does not come
	minor    bool
	series   bool // the first of three weeks
}

type seasonPlan struct {
	weeks     int
	places    []carpool.Place
	drivers   []plannedDriver
	residents []carpool.PlaceID // where each lives
	trips     []plannedTrip     // by the time they are asked for
}

func demoPlaces() ([]carpool.Place, error) {
	text, err := fs.ReadFile(demo.FS, "carpool/places.json")
	if err != nil {
		return nil, err
	}
	var out []carpool.Place
	return out, json.Unmarshal(text, &out)
}

// planSeason makes the people and what they want.
func planSeason(seed uint64, weeks int) (*seasonPlan, error) {
	places, err := demoPlaces()
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(seed, 26))
	p := &seasonPlan{weeks: weeks, places: places}
	var homes []carpool.PlaceID
	for _, pl := range places {
		if pl.Comune[:3] == "004" && !slices.Contains([]string{"004003", "004245", "004066", "004081"}, pl.Comune) {
			homes = append(homes, pl.ID)
		}
	}
	towns := []carpool.PlaceID{"alba-stazione", "alba-stazione", "cortemilia-municipio", "ceva-centro", "verduno-ospedale", "canelli-centro", "dogliani-centro"}
	weeksDays := []string{"MO,TU,WE,TH,FR", "MO,TU,WE,TH,FR", "MO,WE,FR", "TU,TH", "MO,TU,TH", "SA"}
	for range seasonDrivers {
		d := plannedDriver{from: homes[r.IntN(len(homes))], to: towns[r.IntN(len(towns))], days: weeksDays[r.IntN(len(weeksDays))],
			out: carpool.Clock(fmt.Sprintf("%02d:%02d", 6+r.IntN(3), r.IntN(4)*15)), back: carpool.Clock(fmt.Sprintf("%02d:%02d", 12+r.IntN(7), r.IntN(4)*15)),
			eager: 0.75 + 0.2*r.Float64(), fickle: 0.12 * r.Float64(), absent: 0.03 * r.Float64(), until: "2030-01-01"}
		p.drivers = append(p.drivers, d)
	}
	// A licence that runs out in the middle.
	p.drivers[0].until = carpool.DateOf(seasonStart.AddDate(0, 0, weeks*7/2), rome)
	for range seasonResidents {
		p.residents = append(p.residents, homes[r.IntN(len(homes))])
	}
	for w := range weeks {
		for i := range seasonAWeek {
			day := seasonStart.AddDate(0, 0, 7*w+r.IntN(6))
			t := p.trip(r, day, towns)
			for p.busy(t) {
				t = p.trip(r, day, towns)
			}
			if t.series = r.Float64() < 0.05 || w == 0 && i < 3; t.series {
				t.back, t.stay, t.quits, t.absent = carpool.ReturnOpen, 3*time.Hour, false, false
			}
			p.trips = append(p.trips, t)
		}
	}
	// A strike of the school bus: on one morning fifteen children at once.
	strike := seasonStart.AddDate(0, 0, 7*(weeks/3)+2)
	for i := range seasonMinors {
		t := p.trip(r, strike, []carpool.PlaceID{"cortemilia-municipio"})
		t.asked, t.leave = strike.AddDate(0, 0, -1).Add(15*time.Hour), strike.Add(7*time.Hour+10*time.Minute)
		t.minor, t.phone, t.back, t.stay, t.quits, t.absent = true, true, carpool.ReturnAt, 6*time.Hour, false, false
		t.rider, t.from = i, p.residents[i*5]
		if t.from == t.to {
			t.to = "alba-stazione"
		}
		p.trips = append(p.trips, t)
	}
	slices.SortStableFunc(p.trips, func(a, b plannedTrip) int { return a.asked.Compare(b.asked) })
	for i := range p.trips {
		p.trips[i].n = i
	}
	return p, nil
}

// alike is the share of trips that go where and when a neighbour drives, as
// life in a valley does; the rest go anywhere, at any hour.
const alike = 0.6

// trip is one need on a day.
func (p *seasonPlan) trip(r *rand.Rand, day time.Time, towns []carpool.PlaceID) plannedTrip {
	t := plannedTrip{rider: r.IntN(len(p.residents)), phone: r.Float64() < seasonPhone}
	t.from, t.to = p.residents[t.rider], towns[r.IntN(len(towns))]
	hour := 7 + float64(r.IntN(9*4))/4
	if r.Float64() < alike {
		for range 50 { // a neighbour of a driver, on one of the driver's days
			d := p.drivers[r.IntN(len(p.drivers))]
			if p.far(t.from, d.from) < 8000 && strings.Contains(d.days, strings.ToUpper(day.Format("Mon")[:2])) {
				var h, m float64
				fmt.Sscanf(string(d.out), "%f:%f", &h, &m)
				t.to, hour = d.to, h+m/60+float64(r.IntN(4)-1)/4
				break
			}
			t.rider = r.IntN(len(p.residents))
			t.from = p.residents[t.rider]
		}
	}
	for t.to == t.from {
		t.to = towns[r.IntN(len(towns))]
	}
	t.leave = day.Add(time.Duration(hour * float64(time.Hour)))
	// From a quarter of a day to five days ahead, by day.
	t.asked = t.leave.Add(-time.Duration(6+r.IntN(114)) * time.Hour)
	if h := t.asked.In(rome).Hour(); h < 8 {
		t.asked = t.asked.Add(-time.Duration(h+4) * time.Hour)
	}
	if t.asked.Before(seasonStart.Add(8 * time.Hour)) {
		t.asked = seasonStart.Add(8 * time.Hour)
		if !t.leave.After(t.asked.Add(time.Hour)) {
			t.leave = t.leave.AddDate(0, 0, 1)
		}
	}
	switch x := r.Float64(); {
	case x < 0.35:
		t.back, t.stay = carpool.ReturnAt, time.Duration(2+r.IntN(4))*time.Hour
	case x < 0.8:
		t.back, t.stay = carpool.ReturnOpen, time.Duration(60+r.IntN(150))*time.Minute
	}
	t.quits, t.absent = r.Float64() < 0.05, r.Float64() < 0.03
	return t
}

// busy says whether somebody is on another trip about then: nobody is in two
// places.
func (p *seasonPlan) busy(t plannedTrip) bool {
	return slices.ContainsFunc(p.trips, func(o plannedTrip) bool {
		return o.rider == t.rider && o.leave.Sub(t.leave).Abs() < 36*time.Hour
	})
}

// far is how far two places are apart, in metres.
func (p *seasonPlan) far(a, b carpool.PlaceID) float64 {
	at := func(id carpool.PlaceID) geo.LonLat {
		return p.places[slices.IndexFunc(p.places, func(pl carpool.Place) bool { return pl.ID == id })].At
	}
	return float64(at(a).Distance(at(b)))
}

// chance is a number in [0, 1) that depends on the seed and on what it is
// about, so that it comes out the same after a crash.
func chance(seed uint64, about ...any) float64 {
	h := uint64(14695981039346656037)
	for _, b := range []byte(fmt.Sprint(append([]any{seed}, about...)...)) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h)).Float64()
}

func subFS(dir string) (fs.FS, error) { return fs.Sub(demo.FS, dir) }
