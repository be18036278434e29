package mirror

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Restored is what a restore did.
type Restored struct {
	Snapshot string
	Files    int
	Bytes    int64
	Failed   []Trouble // not written, and why: damaged, or a name that the disk refuses
	Damaged  []string  // paths of those that are missing or flipped in the repository
}

// At is the snapshot of a time: the newest that is not after it. The zero time
// is now.
func (r *Repo) At(at time.Time) (*Manifest, string, error) {
	if at.IsZero() {
		m, hash, err := r.Latest()
		if err == nil && m == nil {
			err = fault.New(fault.NotFound, "mirror %s: there is no snapshot yet: let it run once", r.dir)
		}
		return m, hash, err
	}
	names, err := r.Snapshots()
	if err != nil {
		return nil, "", err
	}
	for _, name := range slices.Backward(names) {
		if t, _ := nameTime(name); !t.After(at) {
			return r.Load(name)
		}
	}
	return nil, "", fault.New(fault.NotFound, "mirror %s: no snapshot is as old as %s: ask for a later time", r.dir, at.UTC().Format(time.RFC3339))
}

// Restore writes the documents of a time into a folder, which is made if needed.
// paths are documents or folders of them; none is all. Nothing that is there is
// overwritten, and each byte is checked against its hash on the way.
func (r *Repo) Restore(ctx context.Context, at time.Time, paths []string, into string) (Restored, error) {
	m, _, err := r.At(at)
	if err != nil {
		return Restored{}, err
	}
	if err := os.MkdirAll(into, 0o700); err != nil {
		return Restored{}, err
	}
	root, err := os.OpenRoot(into)
	if err != nil {
		return Restored{}, err
	}
	defer root.Close()
	rep := Restored{Snapshot: m.Name()}
	for i, e := range m.Documents {
		if err := ctx.Err(); err != nil {
			return rep, err
		}
		edge.Progress(ctx, i+1, len(m.Documents))
		if !wanted(e.Path, paths) {
			continue
		}
		damage, err := r.restore(root, e)
		switch {
		case damage != whole:
			rep.Damaged = append(rep.Damaged, e.Path)
			rep.Failed = append(rep.Failed, Trouble{e.Path, "its object " + e.SHA256 + " is " + string(damage)})
		case err != nil:
			rep.Failed = append(rep.Failed, Trouble{e.Path, err.Error()})
		default:
			rep.Files++
			rep.Bytes += e.Size
		}
	}
	return rep, nil
}

func wanted(p string, paths []string) bool {
	return len(paths) == 0 || slices.ContainsFunc(paths, func(want string) bool {
		want = strings.TrimSuffix(want, "/")
		return p == want || strings.HasPrefix(p, want+"/")
	})
}

func (r *Repo) restore(root *os.Root, e Entry) (state, error) {
	from, err := os.Open(r.object(e.SHA256))
	if errors.Is(err, fs.ErrNotExist) {
		return missing, nil
	} else if err != nil {
		return whole, err
	}
	defer from.Close()
	if err := root.MkdirAll(path.Dir(e.Path), 0o700); err != nil {
		return whole, err
	}
	to, err := root.OpenFile(e.Path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return whole, err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(to, h), from)
	flip := err == nil && hex.EncodeToString(h.Sum(nil)) != e.SHA256
	if err := errors.Join(err, to.Sync(), to.Close(), root.Chtimes(e.Path, e.Modified, e.Modified)); err != nil || flip {
		root.Remove(e.Path) // what is not right is not left behind
		if flip {
			return flipped, nil
		}
		return whole, err
	}
	return whole, nil
}
