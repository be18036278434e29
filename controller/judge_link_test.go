package controller

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// What the two ends say of a link, and the one word that follows. Each is
// tried with its ends exchanged too.
func TestStatusTable(t *testing.T) {
	r := DefaultRules()
	end := func(word string) EndSight {
		rd := func(up bool, age time.Duration) *network.Reading {
			return &network.Reading{Connected: up, At: t0.Add(-age)}
		}
		switch word {
		case "up":
			return EndSight{false, false, rd(true, 5*time.Second)}
		case "up-failing":
			return EndSight{false, true, rd(true, 15*time.Second)}
		case "down":
			return EndSight{false, false, rd(false, 5*time.Second)}
		case "down-failing":
			return EndSight{false, true, rd(false, 15*time.Second)}
		case "stale-up":
			return EndSight{false, true, rd(true, 31*time.Second)}
		case "stale-down":
			return EndSight{false, true, rd(false, 31*time.Second)}
		case "never":
			return EndSight{false, true, nil}
		case "none":
			return EndSight{}
		case "planned":
			return EndSight{Planned: true}
		}
		t.Fatal(word)
		return EndSight{}
	}
	for _, c := range []struct {
		at   mark
		a, b string
		want network.LinkStatus
	}{
		{here(), "up", "up", network.StatusUp},
		{here(), "up", "up-failing", network.StatusUp},
		{here(), "up", "down", network.StatusUp}, // a row that pairs at one end only is a link
		{here(), "up", "down-failing", network.StatusUp},
		{here(), "up", "stale-up", network.StatusUp}, // the far end does not answer, but the near one hears it
		{here(), "up", "stale-down", network.StatusUp},
		{here(), "up", "never", network.StatusUp},
		{here(), "up", "none", network.StatusUp},

		{here(), "up-failing", "up-failing", network.StatusUp}, // one lost read at both is no news yet
		{here(), "up-failing", "down", network.StatusDown},     // the far end went silent with the link
		{here(), "up-failing", "down-failing", network.StatusDown},
		{here(), "up-failing", "stale-up", network.StatusUp},
		{here(), "up-failing", "never", network.StatusUp},
		{here(), "up-failing", "none", network.StatusUp},

		{here(), "down", "down", network.StatusDown},
		{here(), "down", "down-failing", network.StatusDown},
		{here(), "down", "stale-up", network.StatusDown},
		{here(), "down", "stale-down", network.StatusDown},
		{here(), "down", "never", network.StatusDown},
		{here(), "down", "none", network.StatusDown},
		{here(), "down-failing", "never", network.StatusDown},
		{here(), "down", "planned", network.StatusUnknown}, // not put up yet
		{here(), "up", "planned", network.StatusUp},        // it is, though nobody wrote its address down

		{here(), "stale-up", "stale-up", network.StatusUnknown}, // both silent: not down
		{here(), "stale-up", "stale-down", network.StatusUnknown},
		{here(), "stale-down", "stale-down", network.StatusUnknown},
		{here(), "stale-up", "never", network.StatusUnknown},
		{here(), "stale-down", "none", network.StatusUnknown},
		{here(), "never", "never", network.StatusUnknown},
		{here(), "never", "none", network.StatusUnknown},
		{here(), "none", "none", network.StatusUnknown},
	} {
		for range 2 {
			s := LinkSight{At: t0, A: end(c.a), B: end(c.b)}
			if got := s.Status(r); got != c.want {
				t.Errorf("%v: %s and %s is %s, want %s", c.at, c.a, c.b, got, c.want)
			}
			c.a, c.b = c.b, c.a
		}
	}
}

// ride is a link on its way through time: each step is one end read.
type ride struct {
	t     *testing.T
	rules Rules
	state State
	sight LinkSight
	log   []string
}

func newRide(t *testing.T) *ride {
	return &ride{t: t, rules: DefaultRules(), sight: LinkSight{
		At:      t0,
		Link:    network.Link{ID: "l", Name: "Da qui a là", Medium: network.Radio, A: "da", B: "db", Partner: []network.PartnerID{"p"}},
		Planned: Planned{A: unit.Some[unit.DBm](-60), B: unit.Some[unit.DBm](-62)},
	}}
}

// hear is a successful read of one end, nil a failed one; each takes 5 s.
func (r *ride) hear(e network.End, rd *network.Reading) {
	r.sight.At = r.sight.At.Add(5 * time.Second)
	s := &r.sight.A
	if e == network.EndB {
		s = &r.sight.B
	}
	s.Failing = rd == nil
	if rd != nil {
		rd.Link, rd.End, rd.At, rd.Device = "l", e, r.sight.At, map[network.End]network.DeviceID{"a": "da", "b": "db"}[e]
		s.Reading = rd
	}
	r.sight.Heard = e
	before := fmt.Sprintf("%+v", r.state)
	next, evs := Judge(r.rules, r.state, r.sight)
	if again, evs2 := Judge(r.rules, r.state, r.sight); !reflect.DeepEqual(next, again) || !reflect.DeepEqual(evs, evs2) {
		r.t.Error("the judge gave two answers to one question")
	}
	if fmt.Sprintf("%+v", r.state) != before {
		r.t.Error("the judge changed the state it was given")
	}
	r.state = next
	for _, ev := range evs {
		r.log = append(r.log, string(ev.Change)+" "+string(ev.Alert.Kind))
		checkAlert(r.t, ev.Alert)
	}
}

func (r *ride) want(m mark, log ...string) {
	r.t.Helper()
	if strings.Join(r.log, ", ") != strings.Join(log, ", ") {
		r.t.Errorf("%v: %q, want %q", m, r.log, log)
	}
	r.log = nil
}

func level(s unit.DBm) *network.Reading {
	return &network.Reading{Connected: true, Signal: unit.Some(s)}
}

func rates(tx, rx unit.Mbps) *network.Reading {
	return &network.Reading{Connected: true, TxRate: unit.Some(tx), RxRate: unit.Some(rx)}
}

func gone() *network.Reading { return &network.Reading{} }

func TestLinkDown(t *testing.T) {
	r := newRide(t)
	for range 3 {
		r.hear("a", level(-60))
		r.hear("b", level(-62))
	}
	r.want(here())
	// The link breaks; b lies behind it and goes silent.
	r.hear("a", gone())
	r.want(here())
	r.hear("b", nil)
	r.want(here())
	r.hear("a", gone())
	r.want(here(), "opened link-down")
	for range 20 {
		r.hear("b", nil)
		r.hear("a", gone())
	}
	r.want(here())
	// It comes back, with one more stumble.
	r.hear("a", level(-60))
	r.hear("a", gone())
	r.hear("b", nil)
	r.hear("a", level(-60))
	r.want(here())
	r.hear("b", level(-62))
	r.want(here(), "closed link-down")
}

func TestAbsenceAtOneEndAloneIsNoLinkDown(t *testing.T) {
	r := newRide(t)
	for range 20 { // b's table has a row that does not pair
		r.hear("a", level(-60))
		r.hear("b", gone())
	}
	r.want(here())
}

func TestUnreachableDevicesGiveNoLinkDown(t *testing.T) {
	r := newRide(t)
	for range 3 {
		r.hear("a", level(-60))
		r.hear("b", level(-62))
	}
	for range 10 { // management of b is lost, the link carries on
		r.hear("a", level(-60))
		r.hear("b", nil)
	}
	r.want(here())
	for range 30 { // then the whole valley
		r.hear("a", nil)
		r.hear("b", nil)
	}
	r.want(here())
	if s := r.sight.Status(r.rules); s != network.StatusUnknown {
		t.Errorf("the link is %s, want unknown", s)
	}
	for range 3 {
		r.hear("a", level(-60))
		r.hear("b", level(-62))
	}
	r.want(here())
}

func TestLinkToAPlannedDevice(t *testing.T) {
	r := newRide(t)
	r.sight.B.Planned = true
	for range 10 {
		r.hear("a", gone())
	}
	r.want(here())
	r.sight.Built = true
	for range 3 {
		r.hear("a", gone())
	}
	r.want(here(), "opened link-down")
}

func TestLinkDownStaysOpenWhileNothingIsKnown(t *testing.T) {
	r := newRide(t)
	for range 3 {
		r.hear("a", gone())
	}
	r.want(here(), "opened link-down")
	for range 30 {
		r.hear("a", nil)
		r.hear("b", nil)
	}
	r.want(here())
	r.hear("a", level(-60))
	r.hear("a", level(-60))
	r.want(here(), "closed link-down")
}

func TestWeakSignal(t *testing.T) {
	r := newRide(t)
	// Planned -60 at a: the limit is -66, well again from -64.
	for _, s := range []unit.DBm{-60, -66, -66.1, -66.1, -66, -66.1, -66.1} {
		r.hear("a", level(s))
	}
	r.want(here())
	r.hear("a", level(-66.1))
	r.want(here(), "opened weak-signal")
	for _, s := range []unit.DBm{-64.1, -65, -64, -66.1, -64, -65, -64} {
		r.hear("a", level(s))
	}
	r.want(here())
	r.hear("a", level(-63))
	r.want(here(), "closed weak-signal")
}

func TestWeakSignalFigures(t *testing.T) {
	for _, c := range []struct {
		at       mark
		end      network.End
		planned  Planned
		level    unit.DBm
		expected float64
		opens    bool
	}{
		{here(), "a", Planned{A: unit.Some[unit.DBm](-60)}, -67, -60, true},
		{here(), "b", Planned{A: unit.Some[unit.DBm](-40), B: unit.Some[unit.DBm](-62)}, -67, 0, false},
		{here(), "b", Planned{A: unit.Some[unit.DBm](-40), B: unit.Some[unit.DBm](-62)}, -69, -62, true},
		{here(), "a", Planned{}, -79, 0, false},
		{here(), "a", Planned{}, -81, -80, true},
		{here(), "a", Planned{A: unit.Some[unit.DBm](-110)}, -79, 0, false}, // a plan may be too dark
		{here(), "a", Planned{A: unit.Some[unit.DBm](-79)}, -81, -79, true}, // the floor holds whatever was planned
	} {
		r := newRide(t)
		r.sight.Planned = c.planned
		for range 5 {
			r.hear(c.end, level(c.level))
		}
		open := r.state.Open()
		if (len(open) == 1) != c.opens {
			t.Errorf("%v: %d alerts", c.at, len(open))
			continue
		}
		if c.opens && (open[0].Measured != Figure{"signal_dbm", float64(c.level)} || open[0].Expected != Figure{"signal_dbm", c.expected} || open[0].End != c.end) {
			t.Errorf("%v: measured %v expected %v at %s", c.at, open[0].Measured, open[0].Expected, open[0].End)
		}
	}
}

func TestWeakSignalAtBothEndsIsOneAlert(t *testing.T) {
	r := newRide(t)
	for range 5 {
		r.hear("a", level(-90))
		r.hear("b", level(-90))
	}
	r.want(here(), "opened weak-signal")
	for range 5 { // a is well, b is not
		r.hear("a", level(-60))
		r.hear("b", level(-90))
	}
	r.want(here())
	r.hear("b", level(-62))
	r.hear("b", level(-62))
	r.want(here(), "closed weak-signal")
}

// A level that wanders around the limit opens one alert at most, whatever the
// order of reads.
func TestSignalAroundTheLimitDoesNotFlap(t *testing.T) {
	r := newRide(t)
	for i := range 500 {
		r.hear("a", level(-66+unit.DBm(i*7%5)*0.4-0.8)) // -66.8 … -65.2
	}
	if len(r.log) > 1 {
		t.Errorf("%d alerts opened or closed: %v", len(r.log), r.log)
	}
}

func TestLowCapacity(t *testing.T) {
	r := newRide(t)
	for range 4 { // a few rounds of idle rates are nothing
		r.hear("a", rates(6, 6))
		r.hear("b", rates(6, 6))
	}
	r.hear("a", rates(144, 6))
	r.want(here())
	r.hear("b", rates(130, 6)) // the faster view of each direction counts
	for range 20 {
		r.hear("a", rates(144, 6))
		r.hear("b", rates(130, 6))
	}
	r.want(here())
	for range 6 {
		r.hear("a", rates(49, 144))
		r.hear("b", rates(130, 49))
	}
	r.want(here(), "opened low-capacity") // 49 / 2 < 30
	a := r.state.Open()[0]
	if a.Measured.Key != "capacity_mbps" || a.Measured.Value != 24.5 || a.Expected.Value != 30 {
		t.Errorf("measured %v, expected %v", a.Measured, a.Expected)
	}
	for range 10 { // 62 / 2 = 31: over the promise, not over the gap
		r.hear("a", rates(62, 144))
		r.hear("b", rates(130, 62))
	}
	r.want(here())
	for range 3 {
		r.hear("a", rates(66, 144))
		r.hear("b", rates(130, 66))
	}
	r.want(here(), "closed low-capacity")
}

func TestLowCapacityHoldsALinkToItsOwnPromise(t *testing.T) {
	r := newRide(t)
	r.sight.Link.MinMbps = 100
	r.sight.A = EndSight{Planned: true} // only b is read: b is the clock
	for range 6 {
		r.hear("b", rates(130, 130))
	}
	r.want(here(), "opened low-capacity")
}

func TestOtherMediaHaveNoSignalNorCapacity(t *testing.T) {
	for _, m := range []network.Medium{network.Fibre, network.LTE, network.Satellite} {
		r := newRide(t)
		r.sight.Link.Medium = m
		for range 10 {
			r.hear("a", &network.Reading{Connected: true, Signal: unit.Some[unit.DBm](-120), TxRate: unit.Some[unit.Mbps](1), RxRate: unit.Some[unit.Mbps](1)})
		}
		r.want(here())
		for range 3 {
			r.hear("a", gone())
		}
		r.want(here(), "opened link-down")
	}
}
