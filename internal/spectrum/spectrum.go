// Package spectrum knows the bands a union may use, the EIRP law by use
// class, and what dynamic frequency selection asks. It is a table with its
// sources; it decides nothing about a network.
package spectrum

import (
	"fmt"
	"slices"
	"strings"

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

// Uses are the uses that have a rule at a frequency, in the order of the table.
func Uses(f unit.MHz) []Use {
	var out []Use
	for _, r := range rules {
		if f >= r.From && f <= r.To && !slices.Contains(out, r.Use) {
			out = append(out, r.Use)
		}
	}
	return out
}

// Lookup is the rule for a frequency and a use; an error names what exists.
func Lookup(f unit.MHz, use Use) (Rule, error) {
	for _, r := range rules {
		if f >= r.From && f <= r.To && r.Use == use {
			return r, nil
		}
	}
	return Rule{}, fmt.Errorf("no rule for %v as %q: %s; %s", f, use, sayUses(f), sayBands(use))
}

// sayUses names what a frequency may be used as.
func sayUses(f unit.MHz) string {
	us := Uses(f)
	if len(us) == 0 {
		return "no use is known there"
	}
	return "there it is " + join(us) + " (--use on the command line, use: in a sector)"
}

// sayBands names where a use is allowed, or the uses when it is none.
func sayBands(use Use) string {
	var bands []string
	var known []Use
	for _, r := range rules {
		if r.Use == use {
			bands = append(bands, fmt.Sprintf("%v to %v", float64(r.From), float64(r.To)))
		}
		if !slices.Contains(known, r.Use) {
			known = append(known, r.Use)
		}
	}
	if len(bands) == 0 {
		return "the uses known are " + join(known)
	}
	return fmt.Sprintf("as %q: %s MHz", use, strings.Join(bands, ", "))
}

// join lists uses as a sentence does: "a, b or c".
func join(us []Use) string {
	ss := make([]string, len(us))
	for i, u := range us {
		ss[i] = string(u)
	}
	if last := len(ss) - 1; last > 0 {
		return strings.Join(ss[:last], ", ") + " or " + ss[last]
	}
	return strings.Join(ss, "")
}
