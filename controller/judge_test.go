package controller

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

var t0 = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// mark is where a table row stands, so that a failure points at it.
type mark string

func here() mark {
	_, file, line, _ := runtime.Caller(1)
	return mark(fmt.Sprintf("%s:%d", filepath.Base(file), line))
}

// A script is a row of verdicts; the trigger answers with a row of states.
// g good, b bad, n between, - no evidence; upper case where it is on.
func TestTriggerDoesNotFlap(t *testing.T) {
	for _, c := range []struct {
		at       mark
		in, want string
	}{
		{here(), "ggg", "..."},
		{here(), "bbb", "..#"},
		{here(), "bbgbbgbbgbbg", "............"},     // never three in a row
		{here(), "bbnbbnbbn", "........."},           // the gap breaks a row too
		{here(), "b-b-b", "....#"},                   // no evidence neither counts nor breaks
		{here(), "bbbgbgbgbgb", "..#########"},       // on: never two good in a row
		{here(), "bbbgngngn", "..#######"},           // in the gap it stays on
		{here(), "bbbgg", "..##."},                   // two good: off
		{here(), "bbb----gg", "..######."},           // silence keeps it on
		{here(), "bbbggbbggbbb", "..##.......#"},     // and off
		{here(), "nnnnnnbnnbnn", "............"},     // around the limit, from well
		{here(), "bbbnnnnnbnnbnn", "..############"}, // around the limit, from weak
	} {
		var tr trigger
		var got strings.Builder
		for _, v := range c.in {
			tr = tr.step(map[rune]verdict{'g': good, 'b': bad, 'n': between, '-': noEvidence}[v], 3, 2)
			got.WriteByte(map[bool]byte{true: '#', false: '.'}[tr.on])
		}
		if got.String() != c.want {
			t.Errorf("%v: %s gives %s, want %s", c.at, c.in, got.String(), c.want)
		}
	}
}

var idShape = regexp.MustCompile(`^[a-z0-9-]+$`)

// checkAlert asks what must hold for every alert.
func checkAlert(t *testing.T, a Alert) {
	t.Helper()
	if !idShape.MatchString(a.ID) || a.Severity == "" || a.Opened.IsZero() || a.Link == "" && a.Device == "" || a.Partners == nil {
		t.Errorf("alert is not whole: %+v", a)
	}
	for _, s := range []string{a.Seen.EN, a.Seen.IT, a.ToDo.EN, a.ToDo.IT} {
		if s == "" || !strings.HasSuffix(s, ".") || strings.Contains(s, "%!") {
			t.Errorf("alert %s says %q", a.ID, s)
		}
	}
	if a.Seen.EN == a.Seen.IT || a.ToDo.EN == a.ToDo.IT {
		t.Errorf("alert %s says the same in both languages", a.ID)
	}
	b, err := json.Marshal(a)
	var back Alert
	if err != nil || json.Unmarshal(b, &back) != nil || !reflect.DeepEqual(a, back) {
		t.Errorf("alert changes on its way through JSON: %s", b)
	}
}

// A restart finds the open alerts open, with their time, and closes them by
// the same rules.
func TestRestoreGoesOn(t *testing.T) {
	r := newRide(t)
	for range 10 {
		r.hear("b", &network.Reading{Connected: true, Signal: unit.Some[unit.DBm](-90), TxRate: unit.Some[unit.Mbps](6), RxRate: unit.Some[unit.Mbps](6)})
	}
	r.want(here(), "opened weak-signal", "opened low-capacity")
	before := r.state.Open()
	r.state = Restore(before)
	if !reflect.DeepEqual(r.state.Open(), before) {
		t.Errorf("restored %+v of %+v", r.state.Open(), before)
	}
	for range 10 {
		r.hear("b", &network.Reading{Connected: true, Signal: unit.Some[unit.DBm](-90), TxRate: unit.Some[unit.Mbps](6), RxRate: unit.Some[unit.Mbps](6)})
	}
	r.want(here())
	for range 2 {
		r.hear("b", &network.Reading{Connected: true, Signal: unit.Some[unit.DBm](-60), TxRate: unit.Some[unit.Mbps](300), RxRate: unit.Some[unit.Mbps](300)})
	}
	r.want(here(), "closed weak-signal", "closed low-capacity")

	w := newWalk(t)
	w.read(ports(1000), nil)
	w.read(ports(100), nil)
	w.read(ports(100), nil)
	w.read(up(100), nil)
	w.read(up(1), nil)
	w.want(here(), "opened ethernet-renegotiated", "opened device-rebooted")
	w.state = Restore(w.state.Open())
	for range 5 {
		w.read(ports(100), nil)
	}
	w.want(here())
	w.read(ports(1000), nil)
	w.read(ports(1000), nil)
	w.want(here(), "closed ethernet-renegotiated")
	w.at = w.at.Add(time.Hour)
	w.read(up(3600), nil)
	w.want(here(), "closed device-rebooted")
}

func TestTwoOpeningsHaveTwoNames(t *testing.T) {
	r := newRide(t)
	seen := map[string]bool{}
	for range 3 {
		for range 3 {
			r.hear("a", gone())
		}
		for _, a := range r.state.Open() {
			seen[a.ID] = true
		}
		for range 3 {
			r.hear("a", level(-60))
		}
	}
	if len(seen) != 3 {
		t.Errorf("%v, want three names", seen)
	}
	if !seen["link-down-l-20261122t060010z"] {
		t.Errorf("%v", seen)
	}
}

func TestRulesThatCannotWorkAreRefused(t *testing.T) {
	for i, change := range []func(*Rules){
		func(r *Rules) { r.WeakHold = 0 }, func(r *Rules) { r.ClearHold = -1 }, func(r *Rules) { r.WeakGap = -1 },
		func(r *Rules) { r.Efficiency = 0 }, func(r *Rules) { r.Efficiency = 1.1 }, func(r *Rules) { r.StaleAfter = 0 },
		func(r *Rules) { r.MinMbps = 0 }, func(r *Rules) { r.CapacityGap = -0.1 },
	} {
		r := DefaultRules()
		change(&r)
		if fault.Of(r.check()) != fault.Invalid {
			t.Errorf("rules %d were taken", i)
		}
	}
	if err := DefaultRules().For(time.Second).check(); err != nil {
		t.Error(err)
	}
}
