package controller

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/internal/network"
)

var (
	aChange = network.Change{Key: fakeFreq, From: ptr("5540"), To: ptr("5600")}
	began   = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	during  = clock{now: began.Add(80 * time.Second), until: began.Add(90 * time.Second), grace: 20 * time.Second, lost: 30 * time.Minute}
	afterIt = clock{now: began.Add(120 * time.Second), until: during.until, grace: during.grace, lost: during.lost}
	byNow   = clock{now: began.Add(time.Hour), until: during.until, grace: during.grace, lost: during.lost}
)

func ptr(s string) *string { return &s }

// seen by one letter: what a device can be found as.
var seen = map[byte]sight{
	'a': {armed: true, new: []network.Change{aChange}}, // holds its way back, with the new settings
	'o': {armed: true},                                 // holds its way back, with the old ones
	'n': {new: []network.Change{aChange}},              // new settings for good
	'f': {},                                            // former settings, no way back
	'h': {other: []string{"freq is 5700"}},             // changed by hand
	'?': {err: errors.New("silent")},
}

// part is a change of devices d0 (the nearest), d1 … that were all written.
func part(state ChangeState, cause ChangeCause, steps ...DeviceStep) ChangeRecord {
	r := ChangeRecord{State: state, Cause: cause}
	for i, s := range steps {
		r.Devices = append(r.Devices, ChangeDevice{Device: network.DeviceID([]string{"d0", "d1", "d2"}[i]), State: s, Hops: i,
			Written: s != StepPlanned && s != StepArming && s != StepArmed, Changes: []network.Change{aChange}})
	}
	return r
}

func look4(r ChangeRecord, letters string) map[network.DeviceID]sight {
	out := map[network.DeviceID]sight{}
	for i, d := range r.Devices {
		if letters[i] != '-' {
			out[d.Device] = seen[letters[i]]
		}
	}
	return out
}

func TestDecide(t *testing.T) {
	W, C, U := StepWritten, StepConfirming, StepUndoing
	both := [][]network.DeviceID{{"d0"}, {"d1"}}
	far := [][]network.DeviceID{{"d1"}, {"d0"}}
	for _, c := range []struct {
		name  string
		r     ChangeRecord
		sight string
		at    clock
		turn  bool
		ends  []DeviceStep
		act   [][]network.DeviceID
	}{
		{"all armed: the nearest first", part(ChangeConfirming, "", W, W), "aa", during, false, nil, both},
		{"one told, its answer lost", part(ChangeConfirming, "", C, W), "na", during, false, []DeviceStep{StepConfirmed}, both[1:]},
		{"both told", part(ChangeConfirming, "", C, C), "nn", afterIt, false, []DeviceStep{StepConfirmed, StepConfirmed}, nil},
		{"the far one is silent: wait", part(ChangeConfirming, "", StepConfirmed, C), "-?", during, false, nil, nil},
		{"the near one is silent: nothing is told beyond it", part(ChangeConfirming, "", W, W), "?a", during, false, nil, nil},
		{"the far one is silent: the near one is told", part(ChangeConfirming, "", W, W), "a?", during, false, nil, both[:1]},
		{"and silent after the hold", part(ChangeConfirming, "", StepConfirmed, C), "-?", afterIt, true, nil, nil},
		{"the far one had gone back", part(ChangeConfirming, "", StepConfirmed, C), "-f", during, true, nil, nil},
		{"gone back before any was told", part(ChangeConfirming, "", W, W), "ff", afterIt, true, nil, nil},
		{"a restart finds one armed after the hold", part(ChangeConfirming, "", C, C), "na", byNow, false, []DeviceStep{StepConfirmed}, both[1:]},

		{"undo: the farthest first", part(ChangeUndoing, CauseNotVerified, W, W), "aa", during, false, nil, far},
		{"told, and back", part(ChangeUndoing, CauseNotVerified, U, U), "f?", during, false, []DeviceStep{StepUndone}, nil},
		{"nobody confirmed: left to the devices", part(ChangeUndoing, CauseUnconfirmed, W, W), "aa", during, false, nil, nil},
		{"and told when they are late", part(ChangeUndoing, CauseUnconfirmed, W, W), "af", afterIt, false, []DeviceStep{StepFellBack}, both[:1]},
		{"never touched, armed, written", part(ChangeUndoing, CauseRefused, StepPlanned, StepArmed, StepWriting), "-oa", during, false, []DeviceStep{StepUntouched}, [][]network.DeviceID{{"d2"}, {"d1"}}},
		{"armed only, and gone again", part(ChangeUndoing, CauseRefused, StepArming, StepArmed), "f?", afterIt, false, []DeviceStep{StepUntouched, StepUntouched}, nil},
		{"silent: wait", part(ChangeUndoing, CauseAsked, U), "?", afterIt, false, nil, nil},
		{"silent: given up", part(ChangeUndoing, CauseAsked, U), "?", byNow, false, []DeviceStep{StepLost}, nil},
		{"never lets go", part(ChangeUndoing, CauseAsked, U), "a", byNow, false, []DeviceStep{StepFailed}, nil},
		{"by hand", part(ChangeUndoing, CauseAsked, U), "h", during, false, []DeviceStep{StepFailed}, nil},
		{"half confirmed", part(ChangeUndoing, CauseTooLate, StepConfirmed, C), "nf", during, false, []DeviceStep{StepReturning, StepFellBack}, nil},
		{"half confirmed, the rest armed", part(ChangeUndoing, CauseTooLate, StepConfirmed, C), "na", during, false, []DeviceStep{StepReturning}, both[1:]},
		{"half confirmed, the other silent", part(ChangeUndoing, CauseTooLate, StepConfirmed, C), "n?", during, false, []DeviceStep{StepReturning}, nil},
		{"and not waited for", part(ChangeUndoing, CauseTooLate, StepReturning, C), "-?", afterIt, false, []DeviceStep{StepLost}, nil},
	} {
		d := decide(c.r, look4(c.r, c.sight), c.at)
		var ends []DeviceStep
		for _, e := range d.ends {
			ends = append(ends, e.state)
		}
		if (d.turn != "") != c.turn || !reflect.DeepEqual(ends, c.ends) || !reflect.DeepEqual(d.act, c.act) {
			t.Errorf("%s: got turn %q, ends %v, act %v", c.name, d.turn, ends, d.act)
		}
	}
}

// Whatever the journal says and the devices tell: only a change that is to stay
// is confirmed, only devices that hold their way back are told anything, nobody
// is told and let go at once, and what was decided does not depend on chance.
func TestDecideNeverDoesHarm(t *testing.T) {
	states := []ChangeState{ChangeConfirming, ChangeUndoing}
	steps := []DeviceStep{StepPlanned, StepArming, StepArmed, StepWriting, StepWritten, StepConfirming, StepConfirmed, StepUndoing, StepUndone, StepFellBack, StepReturning, StepLost, StepFailed, StepUntouched}
	causes := []ChangeCause{CauseUnconfirmed, CauseNotVerified, CauseAsked, CauseTooLate, CauseInterrupted}
	rapid.Check(t, func(t *rapid.T) {
		r := part(rapid.SampledFrom(states).Draw(t, "state"), rapid.SampledFrom(causes).Draw(t, "cause"),
			rapid.SampledFrom(steps).Draw(t, "d0"), rapid.SampledFrom(steps).Draw(t, "d1"), rapid.SampledFrom(steps).Draw(t, "d2"))
		sights := look4(r, rapid.StringMatching(`[aonfh?-]{3}`).Draw(t, "sights"))
		c := rapid.SampledFrom([]clock{during, afterIt, byNow}).Draw(t, "clock")
		d := decide(r, sights, c)
		if !reflect.DeepEqual(d, decide(r, sights, c)) {
			t.Fatalf("twice is not the same")
		}
		if (d.step == StepConfirming && len(d.act) > 0) && r.State != ChangeConfirming {
			t.Fatalf("a change that goes back is confirmed: %+v", d)
		}
		if d.turn != "" && (len(d.act) > 0 || len(d.ends) > 0) {
			t.Fatalf("turned and acted: %+v", d)
		}
		var told []network.DeviceID
		for _, ids := range d.act {
			told = append(told, ids...)
		}
		for _, id := range told {
			if s, looked := sights[id]; !looked || s.err != nil || !s.armed {
				t.Fatalf("%s holds no way back and is told something: %+v", id, d)
			}
			if d.step == StepConfirming {
				for _, near := range r.Devices {
					if s, looked := sights[near.Device]; near.Hops < r.at(id).Hops && !near.State.ended() && (!looked || s.err != nil) {
						t.Fatalf("%s is confirmed beyond %s, of which nothing is known: %+v", id, near.Device, d)
					}
				}
			}
			if r.Cause == CauseUnconfirmed && r.State == ChangeUndoing && !c.over() {
				t.Fatalf("undone before its hold was over: %+v", d)
			}
		}
		for _, e := range d.ends {
			if slices.Contains(told, e.device) {
				t.Fatalf("%s is told something and let go: %+v", e.device, d)
			}
			if s := sights[e.device]; e.state == StepConfirmed && (r.State != ChangeConfirming || s.armed || len(s.new) != 1) {
				t.Fatalf("%s is taken for confirmed: %+v", e.device, s)
			}
			if !e.state.ended() {
				t.Fatalf("%s is no end", e.state)
			}
		}
	})
}

func TestWritingOrder(t *testing.T) {
	n := fakeNet(func(network.DeviceID, *network.Settings) {})
	h := hops(n)
	if h["gateway"] != 0 || h["near"] != 1 || h["lone"] != 1 || h["far"] != 2 {
		t.Errorf("hops %v", h)
	}
	n.Devices = append(n.Devices, network.Device{ID: "island", Site: "nowhere"})
	n.Index()
	if h := hops(n); h["island"] != farthest {
		t.Errorf("a device that no link joins: %d", h["island"])
	}
	ds := []ChangeDevice{{Device: "a", Hops: 2}, {Device: "b", Hops: 0}, {Device: "c", Hops: 2}, {Device: "d", Hops: 5}}
	if got := layers(ds, true); !reflect.DeepEqual(got, [][]network.DeviceID{{"d"}, {"a", "c"}, {"b"}}) {
		t.Errorf("far first: %v", got)
	}
	if got := layers(ds, false); !reflect.DeepEqual(got, [][]network.DeviceID{{"b"}, {"a", "c"}, {"d"}}) {
		t.Errorf("near first: %v", got)
	}
	if layers(nil, true) != nil {
		t.Error("no devices have layers")
	}
}
