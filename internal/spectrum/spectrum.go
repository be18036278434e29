// Package spectrum knows the bands a union may use, the EIRP law by use
// class, and what dynamic frequency selection asks. It is a table with its
// sources; it decides nothing about a network.
package spectrum

import (
	"fmt"

	"github.com/crinale/crinale/internal/unit"
)

// Use is a class of use that the rules tell apart within one band.
type Use string

const (
	RLAN   Use = "rlan"    // wideband data, WAS/RLAN: the usual use
	BFWA   Use = "bfwa"    // broadband fixed wireless access at 5.8 GHz
	SRD    Use = "srd"     // short range device
	Fixed  Use = "fixed"   // fixed point-to-point
	Mesh   Use = "mesh"    // BFWA mesh or any-point-to-multipoint
	W60Fix Use = "w60-fix" // 60 GHz fixed outdoor, gain at least 30 dBi
)

// Rule is one row of the law.
type Rule struct {
	From, To     unit.MHz
	Use          Use
	MaxEIRP      unit.DBm           // mean, with TPC where the rule asks for it
	MaxEIRPNoTPC unit.DBm           // without transmit power control
	MaxDensity   unit.Opt[unit.DBm] // mean EIRP per MHz
	MinGain      unit.DB            // of the antenna, 0 when not asked
	Indoor       bool               // indoor only
	TPC, DFS     bool
	Conditions   string
	Source       string
	Verified     bool // the figure was read in its source; else not for compliance
}

// Lookup is the rule for a frequency and a use; an error names what exists.
func Lookup(f unit.MHz, use Use) (Rule, error) {
	for _, r := range rules {
		if f >= r.From && f <= r.To && r.Use == use {
			return r, nil
		}
	}
	return Rule{}, fmt.Errorf("no rule for %v as %q: see internal/spectrum/rules.go for the bands and uses known", f, use)
}
