package controller

import (
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/unit"
)

// Rules are the limits the judge holds the network to. Each limit has a gap
// between the value that opens an alert and the one that closes it, and a
// number of rounds it must last, so that nothing flaps.
type Rules struct {
	StaleAfter time.Duration // a reading older than this says nothing any more

	WeakBelowPlan unit.DB  // weak: this far below the planned level …
	WeakFloor     unit.DBm // … or below this, whatever was planned
	WeakGap       unit.DB  // well again: this far above the limit
	WeakHold      int      // rounds in a row

	MinMbps      unit.Mbps // promise of a link that names none
	Efficiency   float64   // radio capacity over the PHY rate, in (0, 1]
	CapacityGap  float64   // well again: the promise times 1 + this
	CapacityHold int       // rounds in a row; long, as idle links show low rates

	DownHold        int           // judgements in a row
	UnreachableHold int           // failed reads in a row
	EthernetHold    int           // reads in a row
	ClearHold       int           // good ones in a row before an alert closes
	RebootShown     time.Duration // a reboot's alert closes by itself after this
}

// DefaultRules suit an interval of 10 s.
//
// 6 dB is twice the ±3 dB that planning tools allow for a received level. The
// efficiency of a half is what planning takes for the share of a PHY rate that
// is left for data (planning.UsableShare): the two must say the same of a link.
// It is a convention, not a measurement.
func DefaultRules() Rules {
	return Rules{
		StaleAfter:      30 * time.Second,
		WeakBelowPlan:   6,
		WeakFloor:       -80,
		WeakGap:         2,
		WeakHold:        3,
		MinMbps:         30,
		Efficiency:      0.5,
		CapacityGap:     0.1,
		CapacityHold:    6,
		DownHold:        2,
		UnreachableHold: 3,
		EthernetHold:    2,
		ClearHold:       2,
		RebootShown:     15 * time.Minute,
	}
}

func (r Rules) check() error {
	for _, h := range []struct {
		name string
		n    int
	}{
		{"weak", r.WeakHold}, {"capacity", r.CapacityHold}, {"down", r.DownHold},
		{"unreachable", r.UnreachableHold}, {"ethernet", r.EthernetHold}, {"clear", r.ClearHold},
	} {
		if h.n < 1 {
			return fault.New(fault.Invalid, "%s hold is %d: give at least 1", h.name, h.n)
		}
	}
	switch {
	case r.StaleAfter <= 0:
		return fault.New(fault.Invalid, "stale after %v: give more than 0, usually three intervals", r.StaleAfter)
	case !(r.WeakGap >= 0) || !(r.CapacityGap >= 0):
		return fault.New(fault.Invalid, "a gap below 0 would make alerts flap: weak %v, capacity %g", r.WeakGap, r.CapacityGap)
	case !(r.Efficiency > 0 && r.Efficiency <= 1):
		return fault.New(fault.Invalid, "efficiency %g: give a share over 0, at most 1", r.Efficiency)
	case !(r.MinMbps > 0):
		return fault.New(fault.Invalid, "least rate %v: give more than 0", r.MinMbps)
	}
	return nil
}

// For fits the time limits to an interval between reads: a reading is stale
// after three of them.
func (r Rules) For(interval time.Duration) Rules {
	r.StaleAfter = 3 * interval
	return r
}
