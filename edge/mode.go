package edge

import (
	"fmt"
	"time"
)

// Mode is how an edge stands to the world.
type Mode uint8

// The modes.
const (
	ModeOnline   Mode = iota // all is asked for as it should be
	ModeDegraded             // the way is narrow, or the second one: what can wait waits
	ModeOffline              // nothing can be asked: what is stored is given, what may be queued is queued
	ModeDraining             // the way is back, and what was queued is on its way
)

var modeNames = [...]string{"online", "degraded", "offline", "draining"}

func (m Mode) String() string { return modeNames[m] }

// Way is a way to the world.
type Way uint8

// The ways.
const (
	WayNone   Way = iota
	WayMain       // the radio backhaul
	WaySecond     // LTE, satellite: it costs
)

func (w Way) String() string { return [...]string{"none", "main", "second"}[w] }

// Word is what the controller says of the link of an edge, or somebody at the edge
// in its stead.
type Word struct {
	At      time.Time // since when it is said: what was tried later is newer news
	Until   time.Time // after this it counts for nothing; zero: WordFor after At
	Up      bool
	Narrow  bool    // up, and less than what the place needs
	Unknown bool    // the controller does not know: as if there were no word
	Mbps    float64 // what the link carries now; 0: not said
	Hand    bool    // somebody at the edge says it
}

// Known is all that is known when a mode is chosen.
type Known struct {
	Word       *Word // the newest of the controller; nil: none came
	Hand       *Word // the newest of somebody at the edge, which goes before while it holds
	Main       Tries // of the main way, by our own requests and probes
	Second     Tries // of the second way
	HasSecond  bool
	SecondOpen bool // its cap is not used up
	Queued     int  // writes that wait
}

// Tries is how the last attempts on a way ended.
type Tries struct {
	Failed int       // in succession; 0 after a success
	Good   int       // in succession; 0 after a failure
	At     time.Time // of the last
}

// Noted is the tries with one more.
func (t Tries) Noted(ok bool, at time.Time) Tries {
	if ok {
		return Tries{Good: t.Good + 1, At: at}
	}
	return Tries{Failed: t.Failed + 1, At: at}
}

// ModeRules are when a mode changes.
type ModeRules struct {
	Failures  int           // in succession, until a way is taken for lost
	Successes int           // in succession, until a way is believed again
	WordFor   time.Duration // how long a word that does not say it itself holds, unless our own tries speak against it
}

// DefaultModeRules: three failures, two successes, ninety seconds.
func DefaultModeRules() ModeRules {
	return ModeRules{Failures: 3, Successes: 2, WordFor: 90 * time.Second}
}

// Stand is a mode and why.
type Stand struct {
	Mode  Mode
	Way   Way
	Since time.Time
	Why   string
	Mbps  float64 // what the controller says that the link carries now; 0: not said
}

// Next is the stand after what is known now. It is pure.
//
// The controller's word counts at once, in both directions: it sees the link. It
// is overruled by our own tries made after it, by the same numbers in succession
// that stand for a word where there is none: a controller that cannot be heard,
// or is wrong, keeps nobody offline and nobody waiting.
func (r ModeRules) Next(s Stand, k Known, now time.Time) Stand {
	up, narrow, why := r.main(s, k, now)
	n := Stand{Mode: ModeOnline, Way: WayMain, Why: why}
	switch {
	case !up && k.HasSecond && !k.SecondOpen:
		n.Mode, n.Way, n.Why = ModeOffline, WayNone, why+"; the second way has used up its cap"
	case !up && k.HasSecond && k.Second.Failed < r.Failures:
		n.Mode, n.Way, n.Why = ModeDegraded, WaySecond, why+"; on the second way"
	case !up:
		n.Mode, n.Way = ModeOffline, WayNone
	case k.Queued > 0 && (s.Mode == ModeOffline || s.Mode == ModeDraining):
		n.Mode, n.Why = ModeDraining, fmt.Sprintf("%s; %d queued writes go out", why, k.Queued)
	case narrow:
		n.Mode = ModeDegraded
	}
	if w := r.word(k, now); w != nil && n.Way == WayMain {
		n.Mbps = w.Mbps
	}
	n.Since = now
	if n.Mode == s.Mode && n.Way == s.Way && !s.Since.IsZero() {
		n.Since = s.Since
	}
	return n
}

// main says whether the main way is up, whether it is narrow, and why.
func (r ModeRules) main(s Stand, k Known, now time.Time) (up, narrow bool, why string) {
	was := s.Way == WayMain || s.Since.IsZero()
	w, who := r.word(k, now), "the controller"
	if w != nil && w.Hand {
		who = "somebody at the edge"
	}
	after := w == nil || k.Main.At.After(w.At) // our own tries are the newer news
	switch {
	case after && k.Main.Failed >= r.Failures:
		return false, false, fmt.Sprintf("%d attempts in a row failed", k.Main.Failed)
	case w != nil && !w.Up && !(after && k.Main.Good >= r.Successes):
		return false, false, who + " says that the link is down"
	case w != nil && w.Up:
		if w.Narrow {
			return true, true, who + " says that the link is narrow"
		}
		return true, false, who + " says that the link is up"
	case k.Main.Good >= r.Successes:
		return true, false, "the way answers"
	case was:
		return true, false, "nothing speaks against it"
	}
	return false, false, "the way does not answer yet"
}

// word is the word that holds; nil for none.
func (r ModeRules) word(k Known, now time.Time) *Word {
	for _, w := range []*Word{k.Hand, k.Word} {
		if w == nil || w.At.After(now.Add(r.WordFor)) {
			continue
		}
		until := w.Until
		if until.IsZero() {
			until = w.At.Add(r.WordFor)
		}
		if now.After(until) {
			continue
		}
		if w.Unknown {
			return nil
		}
		return w
	}
	return nil
}
