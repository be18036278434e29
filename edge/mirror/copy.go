package mirror

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Report is what one run did.
type Report struct {
	Snapshot  string // name of the manifest; "" where nothing changed
	Documents int    // in the newest snapshot
	Fetched   int
	Bytes     int64 // read from the source
	Resumed   int   // documents that a killed run had already brought
	Waiting   []Trouble
	Refused   []Trouble
}

// run is one Copy.
type run struct {
	*Mirror
	old  map[string]Entry // by path, of the newest snapshot
	log  *journal
	rep  Report
	next Manifest
}

// Copy lists the source, reads what is new, and writes a snapshot. Killed at any
// point, the next Copy goes on from what is there. A source that cannot be
// listed to its end changes nothing: documents that were not listed are never
// taken for deleted.
func (m *Mirror) Copy(ctx context.Context) (Report, error) {
	m.running.Lock()
	defer m.running.Unlock()
	if err := m.repo.tidy(); err != nil {
		return Report{}, err
	}
	last, hash, err := m.repo.Latest()
	if err != nil {
		return Report{}, err
	}
	r := &run{Mirror: m, old: map[string]Entry{}}
	r.next = Manifest{Version: 1, At: m.cfg.Now().UTC().Truncate(time.Second), Previous: hash}
	if last != nil {
		for _, e := range last.Documents {
			r.old[e.Path] = e
		}
		// A clock that was set back must not write an older name.
		if !r.next.At.After(last.At) {
			r.next.At = last.At.Add(time.Second)
		}
	}
	docs, err := r.list(ctx)
	if err != nil {
		return Report{}, err
	}
	if r.log, err = m.repo.openJournal(); err != nil {
		return Report{}, err
	}
	defer r.log.close()
	for i, d := range docs {
		if err := r.take(ctx, d); err != nil {
			return r.rep, err
		}
		edge.Progress(ctx, i+1, len(docs))
	}
	r.next.Complete = len(r.next.Waiting) == 0
	r.rep.Documents, r.rep.Waiting, r.rep.Refused = len(r.next.Documents), r.next.Waiting, r.next.Refused
	if last == nil || !same(last, &r.next) {
		if _, err := m.repo.publish(&r.next, m.cfg.Now()); err != nil {
			return r.rep, err
		}
		r.rep.Snapshot = r.next.Name()
	}
	if err := r.log.done(); err != nil {
		return r.rep, err
	}
	if r.next.Complete { // beginnings of versions that are gone
		if err := os.RemoveAll(m.repo.path("partial")); err != nil {
			return r.rep, onDisk(err)
		}
	}
	return r.rep, m.reindex(ctx)
}

// list is the source in order of the paths, without what cannot be taken.
func (r *run) list(ctx context.Context) ([]edge.Document, error) {
	var docs []edge.Document
	seen := map[string]bool{}
	for d, err := range r.deps.Source.List(ctx) {
		if err != nil {
			return nil, err
		}
		why := d.Problem
		if err := edge.CheckPath(d.Path); err != nil {
			why = err.Error()
		} else if seen[d.Path] {
			why = "it is listed twice"
		}
		if why != "" {
			r.next.Refused = append(r.next.Refused, Trouble{strings.ToValidUTF8(d.Path, "\uFFFD"), strings.ToValidUTF8(why, "\uFFFD")})
			continue
		}
		seen[d.Path] = true
		d.Groups = slices.DeleteFunc(slices.Clone(d.Groups), badGroup)
		slices.Sort(d.Groups)
		d.Groups = slices.Compact(d.Groups)
		docs = append(docs, d)
	}
	slices.SortFunc(docs, func(a, b edge.Document) int { return cmp.Compare(a.Path, b.Path) })
	return docs, nil
}

// take brings one document into the next snapshot. An error ends the run.
func (r *run) take(ctx context.Context, d edge.Document) error {
	old, had := r.old[d.Path]
	had = had && r.repo.has(old.SHA256, old.Size)
	if had && !old.Stale && unchanged(old, d) {
		old.Groups = d.Groups
		r.next.Documents = append(r.next.Documents, old)
		return nil
	}
	if e, ok := r.log.find(d); ok && r.repo.has(e.SHA256, e.Size) {
		e.Groups = d.Groups
		r.rep.Resumed++
		r.next.Documents = append(r.next.Documents, e)
		return nil
	}
	e, err := Entry{}, error(nil)
	if left := r.cfg.Budget - r.rep.Bytes; r.cfg.Budget > 0 && (left <= 0 || d.Size > left && r.rep.Bytes > 0) {
		err = fault.New(fault.Stale, "the budget of this run is used up")
	} else {
		e, err = r.fetch(ctx, d)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var disk *diskError
	if errors.As(err, &disk) {
		return err
	}
	if err == nil {
		r.rep.Fetched++
		r.next.Documents = append(r.next.Documents, e)
		return r.log.add(d, e)
	}
	r.next.Waiting = append(r.next.Waiting, Trouble{d.Path, strings.ToValidUTF8(err.Error(), "\uFFFD")})
	if had {
		old.Groups, old.Stale = d.Groups, true
		r.next.Documents = append(r.next.Documents, old)
	}
	return nil
}

// unchanged says whether the source tells of the version that was read.
func unchanged(e Entry, d edge.Document) bool {
	return e.ETag == d.ETag && (d.Size < 0 || e.Size == d.Size) && e.Modified.Equal(d.Modified) &&
		(d.Sum.Algo != "sha256" || d.Sum.Hex == e.SHA256)
}

// same says whether two snapshots hold the same.
func same(a, b *Manifest) bool {
	x, y := *a, *b
	x.At, x.Previous, y.At, y.Previous = time.Time{}, "", time.Time{}, ""
	p, err := x.Encode()
	q, err2 := y.Encode()
	return err == nil && err2 == nil && string(p) == string(q)
}

// badGroup is a name that no group can have: one that would meet another in the
// index.
func badGroup(g string) bool { return g == "" || strings.ContainsRune(g, 0) || len(g) > 200 }
