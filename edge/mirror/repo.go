// Package mirror keeps a verified copy of a town hall's documents: what can be
// read when the radio link is down, snapshots of it that are only ever added to,
// a search, a peer that holds another copy, and a drill that proves that all of
// it can be had back. It is not legal conservation of documents (conservazione a
// norma). See DESIGN.md beside it.
package mirror

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// Repo is the folder that objects and manifests are in. Methods may be called
// from many goroutines; one process writes to a folder at a time.
type Repo struct {
	dir string
	mu  sync.Mutex // held while manifests are added and objects swept
}

// NewRepo is the repository in dir, which is made when something is written.
func NewRepo(dir string) *Repo { return &Repo{dir: dir} }

// isHash says whether s is a SHA-256 in small hexadecimal.
func isHash(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

func (r *Repo) path(parts ...string) string {
	return filepath.Join(append([]string{r.dir}, parts...)...)
}

// object is where an object stands. Names of documents are never names of files.
func (r *Repo) object(hash string) string { return r.path("objects", hash[:2], hash) }

// mkdir makes a folder below dir and lets it and its parents reach the disk.
func (r *Repo) mkdir(parts ...string) error {
	full := r.path(parts...)
	if _, err := os.Stat(full); err == nil {
		return nil
	}
	if err := os.MkdirAll(full, 0o700); err != nil {
		return err
	}
	for d := full; ; d = filepath.Dir(d) {
		if err := syncDir(d); err != nil {
			return err
		}
		if d == r.dir || d == filepath.Dir(d) {
			return syncDir(filepath.Dir(r.dir))
		}
	}
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// has says whether an object is there with this size; -1 is any.
func (r *Repo) has(hash string, size int64) bool {
	if !isHash(hash) {
		return false
	}
	info, err := os.Stat(r.object(hash))
	return err == nil && info.Mode().IsRegular() && (size < 0 || info.Size() == size)
}

// adopt makes a closed file of this disk the object of its hash. When it
// returns, the object survives a power cut.
func (r *Repo) adopt(file, hash string) error {
	if err := r.mkdir("objects", hash[:2]); err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close(), os.Chmod(file, 0o400)); err != nil {
		return err
	}
	if err := os.Rename(file, r.object(hash)); err != nil {
		return err
	}
	return syncDir(r.path("objects", hash[:2]))
}

// draft is a new file that nothing knows of yet.
func (r *Repo) draft() (*os.File, error) {
	if err := r.mkdir("drafts"); err != nil {
		return nil, err
	}
	var name [8]byte
	rand.Read(name[:])
	return os.OpenFile(r.path("drafts", hex.EncodeToString(name[:])), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}

// writeFile puts data in place by rename; both reach the disk first.
func (r *Repo) writeFile(data []byte, now time.Time, parts ...string) error {
	if err := r.mkdir(parts[:len(parts)-1]...); err != nil {
		return err
	}
	f, err := r.draft()
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err := errors.Join(err, os.Chtimes(f.Name(), now, now), f.Sync(), f.Close()); err != nil {
		return err
	}
	to := r.path(parts...)
	if err := os.Rename(f.Name(), to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// tidy removes what a killed process left unfinished.
func (r *Repo) tidy() error {
	all, err := os.ReadDir(r.path("drafts"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range all {
		err = errors.Join(err, os.Remove(r.path("drafts", e.Name())))
	}
	return err
}

// state of an object as read from the disk.
type state string

const (
	whole   state = ""
	missing state = "missing"
	flipped state = "flipped" // its bytes are not those of its name
)

// look reads an object through.
func (r *Repo) look(hash string) (state, error) {
	sum, err := sumFile(r.object(hash))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing, nil
	case errors.Is(err, fs.ErrPermission):
		return flipped, err
	case err != nil || sum != hash:
		// A sector that cannot be read is damage, too, and no reason to stop.
		return flipped, nil
	}
	return whole, nil
}

// sumFile is the SHA-256 of a file as it is on the disk.
func sumFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

// SetAside takes a damaged object out of the way, so that the next run fetches
// the documents anew. It stays in the folder damaged for whoever wants to look.
func (r *Repo) SetAside(hash string) error {
	if !isHash(hash) {
		return fault.New(fault.Invalid, "object %.80q: this is no SHA-256", hash)
	}
	if s, err := r.look(hash); err != nil || s != flipped {
		return err
	}
	if err := r.mkdir("damaged"); err != nil {
		return err
	}
	if err := os.Rename(r.object(hash), r.path("damaged", hash)); err != nil {
		return err
	}
	return errors.Join(syncDir(r.path("damaged")), syncDir(r.path("objects", hash[:2])))
}
