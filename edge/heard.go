package edge

import (
	"encoding/json"
	"math"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// MostHeard is how long a message of the controller may be, in bytes.
const MostHeard = 64 << 10

// Said is what the controller says of the way from this town hall.
type Said struct {
	State WayState
	Mbps  float64   // the least that a radio link on the way carries; 0: not said
	Since time.Time // of this state, by the clock of the controller
	At    time.Time // when it said so, by the clock of the controller
}

// WayState is the controller's word for the way.
type WayState string

// The words.
const (
	SaidUp      WayState = "up"
	SaidNarrow  WayState = "narrow"
	SaidDown    WayState = "down"
	SaidUnknown WayState = "unknown" // the controller does not know either
)

// SaidFor is how long what the controller said counts. Clocks that differ by more
// make the controller one that is not heard.
const SaidFor = 3 * time.Minute

// ParseSaid reads a message of the controller. Keys that it does not know are
// those of a later version.
func ParseSaid(b []byte) (Said, error) {
	var m struct {
		State WayState   `json:"state"`
		Mbps  *float64   `json:"mbps"`
		Since *time.Time `json:"since"`
		At    *time.Time `json:"at"`
	}
	if err := decodeHeard("way", b, &m); err != nil {
		return Said{}, err
	}
	s := Said{State: m.State}
	switch m.State {
	case SaidUp, SaidNarrow, SaidDown, SaidUnknown:
	default:
		return Said{}, fault.New(fault.Invalid, "message of the controller: way: state %.20q is none that is known", m.State)
	}
	if m.At == nil || m.At.IsZero() {
		return Said{}, fault.New(fault.Invalid, "message of the controller: way: it does not say when it was written")
	}
	s.At, s.Since = *m.At, *m.At
	if m.Since != nil {
		s.Since = *m.Since
	}
	if m.Mbps != nil {
		if s.Mbps = *m.Mbps; s.Mbps < 0 || s.Mbps > 1e6 || math.IsNaN(s.Mbps) {
			return Said{}, fault.New(fault.Invalid, "message of the controller: way: %v Mbps cannot be", s.Mbps)
		}
	}
	return s, nil
}

func decodeHeard(what string, b []byte, into any) error {
	if len(b) > MostHeard {
		return fault.New(fault.Invalid, "message of the controller: %s: %d bytes, at most %d are read", what, len(b), MostHeard)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fault.New(fault.Invalid, "message of the controller: %s: %w", what, err)
	}
	return nil
}

// Counts says why what was said counts for nothing at a moment; nil when it
// counts.
func (s Said) Counts(now time.Time) error {
	switch age := now.Sub(s.At); {
	case age > SaidFor:
		return fault.New(fault.Stale, "what the controller said is %s old: where it speaks now, set the clocks of both", age.Round(time.Second))
	case age < -SaidFor:
		return fault.New(fault.Invalid, "the controller spoke %s in the future: set the clocks of both", (-age).Round(time.Second))
	}
	return nil
}

// Word is what was said as a Watch takes it. last is the word before it; nil for
// none, or when the connection was lost since: what is said again without news is
// no newer than our own tries.
func (s Said) Word(last *Word, now time.Time) Word {
	w := Word{At: now, Until: s.At.Add(SaidFor), Up: s.State != SaidDown, Narrow: s.State == SaidNarrow, Unknown: s.State == SaidUnknown, Mbps: s.Mbps}
	if last != nil && last.Up == w.Up && last.Narrow == w.Narrow && last.Unknown == w.Unknown && now.Before(last.Until) {
		w.At = last.At
	}
	return w
}
