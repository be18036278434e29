package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/crinale/crinale/edge"
)

// Use is a document of a snapshot.
type Use struct {
	Snapshot string `json:"snapshot"`
	Path     string `json:"path"`
}

// Damage is an object, or a manifest, that is not what it was.
type Damage struct {
	Object   string `json:"object,omitempty"`
	Manifest string `json:"manifest,omitempty"`
	What     string `json:"what"` // "missing", "flipped", or what is wrong with a manifest
	Used     []Use  `json:"used"` // by which documents
}

// Verified is the outcome of reading all of a repository.
type Verified struct {
	Snapshots int
	Objects   int
	Bytes     int64
	Damage    []Damage
}

// Verify reads every manifest and every object that one of them uses, and names
// what is missing or has a byte that flipped, with the documents that need it.
// The chain of manifests may begin anywhere, since retention takes old ones; a
// break in it is damage.
func (r *Repo) Verify(ctx context.Context) (Verified, error) {
	names, err := r.Snapshots()
	if err != nil {
		return Verified{}, err
	}
	var rep Verified
	used := map[string][]Use{}
	before := ""
	for i, name := range names {
		m, hash, err := r.Load(name)
		if err != nil {
			rep.Damage = append(rep.Damage, Damage{Manifest: name, What: err.Error(), Used: []Use{}})
			before = ""
			continue
		}
		if i > 0 && before != "" && m.Previous != before {
			rep.Damage = append(rep.Damage, Damage{Manifest: name, What: "it does not follow the snapshot before it: one was removed or replaced", Used: []Use{}})
		}
		before = hash
		rep.Snapshots++
		for _, e := range m.Documents {
			used[e.SHA256] = append(used[e.SHA256], Use{name, e.Path})
		}
	}
	hashes := make([]string, 0, len(used))
	for hash := range used {
		hashes = append(hashes, hash)
	}
	slices.Sort(hashes)
	for i, hash := range hashes {
		if err := ctx.Err(); err != nil {
			return rep, err
		}
		edge.Progress(ctx, i+1, len(hashes))
		s, err := r.look(hash)
		if err != nil {
			return rep, fmt.Errorf("object %s: %w", hash, err)
		}
		if s != whole {
			rep.Damage = append(rep.Damage, Damage{Object: hash, What: string(s), Used: used[hash]})
			continue
		}
		rep.Objects++
		if info, err := os.Stat(r.object(hash)); err == nil {
			rep.Bytes += info.Size()
		}
	}
	return rep, nil
}

// Retained is what retention did.
type Retained struct {
	Snapshots, Objects int // removed
}

// grace is how long an object may wait for the manifest that uses it.
const grace = 48 * time.Hour

// Retain removes snapshots that came here more than keep ago by the clock here,
// but never the newest to come, and then the objects that no snapshot uses. What
// a manifest says of its own time does not count: a sender cannot make one old.
// With a manifest that cannot be read nothing is removed, since it is not known
// what it uses. It is not called while a Copy runs: what that has brought is not
// in a snapshot yet.
func (r *Repo) Retain(now time.Time, keep time.Duration) (Retained, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	names, err := r.Snapshots()
	if err != nil || len(names) == 0 {
		return Retained{}, err
	}
	came, newest := map[string]time.Time{}, names[len(names)-1]
	for _, name := range names {
		if _, _, err := r.Load(name); err != nil {
			return Retained{}, fmt.Errorf("retention removes nothing: %w", err)
		}
		info, err := os.Stat(r.path("manifests", name))
		if err != nil {
			return Retained{}, err
		}
		if came[name] = info.ModTime(); !came[name].Before(came[newest]) {
			newest = name
		}
	}
	var rep Retained
	for _, name := range names {
		if name == newest || name == names[len(names)-1] || now.Sub(came[name]) <= keep {
			continue
		}
		if err := os.Remove(r.path("manifests", name)); err != nil {
			return rep, err
		}
		rep.Snapshots++
	}
	if rep.Snapshots == 0 {
		return rep, nil
	}
	// The manifests must be gone from the disk before their objects go.
	if err := syncDir(r.path("manifests")); err != nil {
		return rep, err
	}
	return rep, r.sweep(now, &rep)
}

// sweep removes objects that no manifest uses.
func (r *Repo) sweep(now time.Time, rep *Retained) error {
	names, err := r.Snapshots()
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for _, name := range names {
		m, _, err := r.Load(name)
		if err != nil {
			return err
		}
		for _, e := range m.Documents {
			used[e.SHA256] = true
		}
	}
	err = filepath.WalkDir(r.path("objects"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isHash(d.Name()) || used[d.Name()] {
			return err
		}
		info, err := d.Info()
		if err != nil || now.Sub(info.ModTime()) < grace {
			return err
		}
		rep.Objects++
		return os.Remove(path)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
