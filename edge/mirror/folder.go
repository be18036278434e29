package mirror

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// readable says that one of the groups may read a document.
func (d *record) readable(groups []string) bool {
	return slices.ContainsFunc(d.Groups, func(g string) bool { return slices.Contains(groups, g) })
}

func (d *record) hit() edge.Hit {
	return edge.Hit{Path: d.Path, Title: d.Title, Modified: d.Modified, Fetched: d.Fetched, Stale: d.Stale, Note: d.Note}
}

// Recent are the documents that one of the groups may read, the newest first.
func (m *Mirror) Recent(ctx context.Context, groups []string, limit int) ([]edge.Hit, error) {
	var all []edge.Hit
	err := m.each(ctx, groups, func(d *record) {
		all = append(all, d.hit())
		if len(all) >= 4*limit { // never the whole archive in memory
			all = newest(all, limit)
		}
	})
	return newest(all, limit), err
}

func newest(all []edge.Hit, limit int) []edge.Hit {
	slices.SortFunc(all, func(a, b edge.Hit) int {
		return cmp.Or(b.Modified.Compare(a.Modified), cmp.Compare(a.Path, b.Path))
	})
	return all[:min(len(all), limit)]
}

// Folder is what one of the groups may read in a folder, "" for the topmost one. A
// folder in which there is nothing for them is not there.
func (m *Mirror) Folder(ctx context.Context, groups []string, dir string, limit int) (edge.Listing, error) {
	var l edge.Listing
	prefix, seen := "", map[string]bool{}
	if dir != "" {
		prefix = dir + "/"
	}
	err := m.each(ctx, groups, func(d *record) {
		rest, ok := strings.CutPrefix(d.Path, prefix)
		if !ok {
			return
		}
		name, _, below := strings.Cut(rest, "/")
		switch {
		case below && !seen[name]:
			seen[name] = true
			l.Folders = append(l.Folders, name)
		case below:
		default:
			l.Documents = append(l.Documents, d.hit())
		}
	})
	if err == nil && dir != "" && len(l.Folders)+len(l.Documents) == 0 {
		return l, fault.New(fault.NotFound, "folder %.200q: it is not there, or not for you", dir)
	}
	slices.Sort(l.Folders)
	slices.SortFunc(l.Documents, func(a, b edge.Hit) int { return cmp.Compare(a.Path, b.Path) })
	if l.More = len(l.Documents) > limit; l.More {
		l.Documents = l.Documents[:limit]
	}
	return l, err
}

// each gives every document that one of the groups may read, in no order.
func (m *Mirror) each(ctx context.Context, groups []string, do func(*record)) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.index == nil {
		return fault.New(fault.Unreachable, "mirror %s: it is not open", m.cfg.Dir)
	}
	n := 0
	return m.index.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(docs).ForEach(func(_, data []byte) error {
			if n++; n%1024 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			var d record
			if err := json.Unmarshal(data, &d); err != nil {
				return err
			}
			if d.readable(groups) {
				do(&d)
			}
			return nil
		})
	})
}
