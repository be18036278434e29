package controller

import (
	"maps"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// State is what the judge remembers of one link or one device. The zero State
// knows nothing. It is a value: Judge never changes the one it is given.
type State struct {
	open     map[string]Alert   // by Kind, and port where a kind has several
	triggers map[string]trigger // by kind and end or port

	uptime   unit.Opt[network.Seconds] // device: at the last read
	rebooted time.Time                 // device: when its newest reboot was seen
	ports    map[string]unit.Mbps      // device: the best rate seen at each port
}

// Restore is the state that a restart finds: the alerts that were open stay
// open, with their time.
func Restore(open []Alert) State {
	var s State
	for _, a := range open {
		if !a.IsOpen() {
			continue
		}
		put(&s.open, key(a), a)
		switch a.Kind {
		case DeviceRebooted:
			s.rebooted = a.Opened
		case EthernetRenegotiated:
			put(&s.ports, a.Port, unit.Mbps(a.Expected.Value))
			put(&s.triggers, key(a), trigger{on: true})
		case WeakSignal:
			put(&s.triggers, string(a.Kind)+"/"+string(a.End), trigger{on: true})
		default:
			put(&s.triggers, key(a), trigger{on: true})
		}
	}
	return s
}

// Open lists the open alerts, the oldest first.
func (s State) Open() []Alert {
	as := slices.Collect(maps.Values(s.open))
	sortAlerts(as)
	return as
}

// Has says whether an alert of this kind is open.
func (s State) Has(k Kind) bool {
	for _, a := range s.open {
		if a.Kind == k {
			return true
		}
	}
	return false
}

// Event is news for the judge: a LinkSight or a DeviceSight.
type Event interface {
	judge(r Rules, s *State) []AlertEvent
}

var (
	_ Event = LinkSight{}
	_ Event = DeviceSight{}
)

// Judge is told of one event about one link or device and gives what it will
// remember and which alerts opened or closed. It is pure: the same arguments
// give the same answer, and no argument is changed.
func Judge(r Rules, s State, e Event) (State, []AlertEvent) {
	s.open, s.triggers, s.ports = maps.Clone(s.open), maps.Clone(s.triggers), maps.Clone(s.ports)
	evs := e.judge(r, &s)
	return s, evs
}

// verdict is what one look says of one condition.
type verdict uint8

const (
	noEvidence verdict = iota // nothing is learned; counts stay as they are
	good                      // clearly well
	between                   // neither: inside the gap
	bad                       // clearly not well
)

// trigger turns a row of verdicts into on or off, slowly.
type trigger struct {
	on  bool
	run int // verdicts in a row for the other side
}

// step takes one more verdict: hold bad ones in a row switch it on, clear good
// ones switch it off.
func (t trigger) step(v verdict, hold, clear int) trigger {
	want, n := bad, hold
	if t.on {
		want, n = good, clear
	}
	switch {
	case v == noEvidence:
	case v != want:
		t.run = 0
	case t.run+1 >= n:
		return trigger{on: !t.on}
	default:
		t.run++
	}
	return t
}

// step moves the trigger of that name and says whether it is on.
func (s *State) step(name string, v verdict, hold, clear int) bool {
	t := s.triggers[name].step(v, hold, clear)
	put(&s.triggers, name, t)
	return t.on
}

// settle opens or closes the alert of a condition.
func (s *State) settle(k string, on bool, at time.Time, make func() Alert) []AlertEvent {
	a, is := s.open[k]
	switch {
	case on && !is:
		a = make()
		a.Opened = at
		if a.Severity == "" {
			a.Severity = severities[a.Kind]
		}
		a.ID = alertID(a)
		put(&s.open, k, a)
		return []AlertEvent{{Opened, a}}
	case !on && is:
		closed := at
		a.Closed = &closed
		delete(s.open, k)
		return []AlertEvent{{Closed, a}}
	}
	return nil
}

// key is where an open alert stands in a State.
func key(a Alert) string {
	if a.Port != "" {
		return string(a.Kind) + "/" + a.Port
	}
	return string(a.Kind)
}

func put[V any](m *map[string]V, k string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[k] = v
}

// sortAlerts puts the oldest first.
func sortAlerts(as []Alert) {
	slices.SortFunc(as, func(a, b Alert) int {
		if c := a.Opened.Compare(b.Opened); c != 0 {
			return c
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
}
