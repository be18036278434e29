// Package migrate carries a comune's documents to the cloud: an inventory first,
// then a copy that may be killed at any byte and run again until the day of the
// switch, then a proof that every checksum is there, for both sides to sign.
package migrate

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/crinale/crinale/edge"
)

// Move is a document and the name that it gets.
type Move struct {
	Document edge.Document
	To       string
	Why      string // why the target refuses the name it has; "" where To is that name
}

// Inventory is what stands before a migration.
type Inventory struct {
	Documents int
	Bytes     int64
	Moves     []Move // by path
	// Twins are documents of the same size and, where the source gives one, the
	// same checksum: each group may be one document many times over.
	Twins   [][]string
	Refused []Move // cannot be carried; Why says it
}

// Plan lists the source and gives each document a name that the target takes.
// The same listing always gives the same names.
func Plan(ctx context.Context, src edge.Source, rules edge.NameRules) (Inventory, error) {
	return plan(ctx, src, rules, nil)
}

// plan keeps the names that were given before: what a document of an earlier run
// is called belongs to it, also when its source has it no longer.
func plan(ctx context.Context, src edge.Source, rules edge.NameRules, given map[string]string) (Inventory, error) {
	var inv Inventory
	var docs []edge.Document
	for d, err := range src.List(ctx) {
		if err != nil {
			return Inventory{}, err
		}
		why := d.Problem
		if err := edge.CheckPath(d.Path); err != nil {
			why = err.Error()
		}
		if why != "" {
			inv.Refused = append(inv.Refused, Move{d, "", why})
			continue
		}
		docs = append(docs, d)
	}
	slices.SortFunc(docs, func(a, b edge.Document) int { return cmp.Compare(a.Path, b.Path) })
	taken := map[string]bool{}
	twins := map[string][]string{}
	for _, to := range given {
		taken[key(to, rules)] = true
	}
	// A good name is its document's, whatever others would be renamed to.
	for _, d := range docs {
		if to := given[d.Path]; to != "" {
			why := ""
			if to != d.Path {
				why = "an earlier run called it so"
			}
			inv.Moves = append(inv.Moves, Move{d, to, why})
			continue
		}
		if bad(d.Path, rules) == "" && !taken[key(d.Path, rules)] {
			taken[key(d.Path, rules)] = true
			inv.Moves = append(inv.Moves, Move{d, d.Path, ""})
			continue
		}
		inv.Moves = append(inv.Moves, Move{Document: d})
	}
	for i := range inv.Moves {
		m := &inv.Moves[i]
		inv.Documents++
		inv.Bytes += max(m.Document.Size, 0)
		if s := m.Document.Sum; s.Algo != "" {
			k := fmt.Sprint(m.Document.Size, s)
			twins[k] = append(twins[k], m.Document.Path)
		}
		if m.To != "" {
			continue
		}
		if m.Why = bad(m.Document.Path, rules); m.Why == "" {
			m.Why = "it differs from another name only in case or in the form of its accents"
		}
		m.To = propose(m.Document.Path, rules, taken)
		taken[key(m.To, rules)] = true
	}
	for _, t := range twins {
		if len(t) > 1 {
			inv.Twins = append(inv.Twins, t)
		}
	}
	slices.SortFunc(inv.Twins, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
	return inv, nil
}

// key is what a target takes for the same name.
func key(p string, r edge.NameRules) string {
	if r.FoldCase {
		return strings.ToLower(norm.NFC.String(p))
	}
	return p
}

var devices = strings.Fields("con prn aux nul com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9")

// bad says why a target refuses a path.
func bad(p string, r edge.NameRules) string {
	if r.Path > 0 && len(p) > r.Path {
		return fmt.Sprintf("the path is longer than %d bytes", r.Path)
	}
	for part := range strings.SplitSeq(p, "/") {
		stem, _, _ := strings.Cut(strings.ToLower(part), ".")
		switch {
		case r.Segment > 0 && len(part) > r.Segment:
			return fmt.Sprintf("%.40q… is longer than %d bytes", part, r.Segment)
		case strings.ContainsAny(part, r.Reserved):
			return fmt.Sprintf("%.80q holds a character that is reserved", part)
		case r.Windows && strings.ContainsFunc(part, unicode.IsControl):
			return fmt.Sprintf("%.80q holds a control character", part)
		case r.Windows && strings.TrimRight(part, ". ") != part:
			return fmt.Sprintf("%.80q ends in a dot or a space", part)
		case r.Windows && slices.Contains(devices, stem):
			return fmt.Sprintf("%.80q is the name of a device", part)
		}
	}
	return ""
}

// propose makes a name that is taken and free, with a number where it must be.
func propose(p string, r edge.NameRules, taken map[string]bool) string {
	parts := strings.Split(p, "/")
	for i, part := range parts {
		part = strings.Map(func(c rune) rune {
			if strings.ContainsRune(r.Reserved, c) || r.Windows && unicode.IsControl(c) {
				return '_'
			}
			return c
		}, part)
		if r.Windows {
			if t := strings.TrimRight(part, ". "); t != part {
				part = t + "_"
			}
			if stem, _, _ := strings.Cut(strings.ToLower(part), "."); slices.Contains(devices, stem) {
				part = "_" + part
			}
		}
		if r.Segment > 0 {
			part = shorten(part, r.Segment-8)
		}
		parts[i] = part
	}
	p = strings.Join(parts, "/")
	if r.Path > 0 && len(p) > r.Path-8 {
		p = "lunghi/" + shorten(path.Base(p), min(200, r.Path-20))
	}
	for n := 1; ; n++ {
		q := p
		if n > 1 {
			ext := path.Ext(p)
			q = fmt.Sprintf("%s~%d%s", strings.TrimSuffix(p, ext), n, ext)
		}
		if !taken[key(q, r)] {
			return q
		}
	}
}

// shorten cuts a name to n bytes and keeps its ending.
func shorten(s string, n int) string {
	if n = max(n, 1); len(s) <= n {
		return s
	}
	ext := path.Ext(s)
	if len(ext) > 12 || len(ext) >= n {
		ext = ""
	}
	cut := n - len(ext)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strings.TrimRight(s[:max(cut, 1)], ". ") + ext
}
