package mirror

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Entry is a document of a snapshot.
type Entry struct {
	Path     string    `json:"path"`
	Size     int64     `json:"size"` // bytes
	Modified time.Time `json:"modified"`
	SHA256   string    `json:"sha256"`
	Groups   []string  `json:"groups"` // who may read it; none: nobody
	ETag     string    `json:"etag,omitempty"`
	Fetched  time.Time `json:"fetched"`         // when these bytes were read
	Stale    bool      `json:"stale,omitempty"` // the source has a newer version that could not be read yet
}

// Trouble is a document that a run could not take.
type Trouble struct {
	Path string `json:"path"` // as given; what is not UTF-8 is replaced
	Why  string `json:"why"`
}

// Manifest is a snapshot: all documents at one time. In its canonical form
// (Encode) it is hashed, and each names the hash of the one before it.
type Manifest struct {
	Version   int       `json:"version"` // 1
	At        time.Time `json:"at"`      // when the run began, whole seconds of UTC
	Previous  string    `json:"previous,omitempty"`
	Complete  bool      `json:"complete"` // nothing is stale or waits
	Documents []Entry   `json:"documents"`
	Waiting   []Trouble `json:"waiting"` // not in Documents, or stale there: a later run tries again
	Refused   []Trouble `json:"refused"` // names or sources that need a human
}

// nameForm is that of manifests' file names.
const nameForm = "2006-01-02T15-04-05Z"

// Name is the file name of the manifest.
func (m *Manifest) Name() string { return m.At.UTC().Format(nameForm) + ".json" }

// nameTime reads a file name back.
func nameTime(name string) (time.Time, bool) {
	t, err := time.Parse(nameForm+".json", name)
	return t, err == nil && t.Format(nameForm)+".json" == name
}

// Encode is the canonical form: documents by path, no empty list missing.
func (m *Manifest) Encode() ([]byte, error) {
	byPath := func(a, b Trouble) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Why, b.Why)) }
	slices.SortFunc(m.Documents, func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) })
	slices.SortFunc(m.Waiting, byPath)
	slices.SortFunc(m.Refused, byPath)
	m.Documents, m.Waiting, m.Refused = list(m.Documents), list(m.Waiting), list(m.Refused)
	for i := range m.Documents {
		m.Documents[i].Groups = list(m.Documents[i].Groups)
	}
	data, err := json.Marshal(m)
	return append(data, '\n'), err
}

func list[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

// hashOf is the SHA-256 of a manifest's canonical form.
func hashOf(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// ParseManifest reads a manifest and refuses all that Encode would not write:
// two forms of one snapshot would have two hashes.
func ParseManifest(data []byte) (*Manifest, error) {
	bad := func(why string) error {
		return fault.New(fault.Invalid, "manifest: %s: it is damaged or was not written by crinale; take it from the vault", why)
	}
	var m Manifest
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return nil, bad(err.Error())
	}
	switch {
	case m.Version != 1:
		return nil, bad("its version is not 1")
	case !m.At.Equal(m.At.Truncate(time.Second)) || m.At.Location() != time.UTC || m.At.Year() < 2000 || m.At.Year() > 9999:
		return nil, bad("its time is not in whole seconds of UTC")
	case m.Previous != "" && !isHash(m.Previous):
		return nil, bad("the hash of the one before is none")
	}
	for i, e := range m.Documents {
		if err := edge.CheckPath(e.Path); err != nil {
			return nil, bad(err.Error())
		}
		if !isHash(e.SHA256) || e.Size < 0 {
			return nil, bad("a document has no hash or no size")
		}
		if i > 0 && m.Documents[i-1].Path >= e.Path {
			return nil, bad("its documents are not in order")
		}
	}
	again, err := m.Encode()
	if err != nil || !bytes.Equal(again, data) {
		return nil, bad("it is not in the canonical form")
	}
	return &m, nil
}

// Snapshots are the names of all manifests, the oldest first.
func (r *Repo) Snapshots() ([]string, error) {
	all, err := os.ReadDir(r.path("manifests"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range all {
		if _, ok := nameTime(e.Name()); ok {
			names = append(names, e.Name())
		}
	}
	return names, err // ReadDir sorts, and the names sort as their times do
}

// Load reads a manifest and gives its hash, too.
func (r *Repo) Load(name string) (*Manifest, string, error) {
	at, ok := nameTime(name)
	if !ok {
		return nil, "", fault.New(fault.Invalid, "manifest %.80q: the name is not that of a manifest", name)
	}
	data, err := os.ReadFile(r.path("manifests", name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fault.New(fault.NotFound, "manifest %s: it is not there", name)
	} else if err != nil {
		return nil, "", err
	}
	m, err := ParseManifest(data)
	if err == nil && !m.At.Equal(at) {
		err = fault.New(fault.Invalid, "its time is not that of its name")
	}
	if err != nil {
		return nil, "", fault.New(fault.Of(err), "%s: %w", name, err)
	}
	return m, hashOf(data), nil
}

// Latest is the newest snapshot by the pointer; nil when there is none yet. A
// pointer that is damaged or behind is passed over for the newest manifest that
// can be read.
func (r *Repo) Latest() (*Manifest, string, error) {
	names, err := r.Snapshots()
	if err != nil {
		return nil, "", err
	}
	if data, err := os.ReadFile(r.path("latest")); err == nil {
		name, hash, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
		if len(names) > 0 && names[len(names)-1] == name {
			if m, h, err := r.Load(name); err == nil && h == hash {
				return m, h, nil
			}
		}
	}
	for _, name := range slices.Backward(names) {
		if m, h, err2 := r.Load(name); err2 == nil {
			return m, h, nil
		} else {
			err = err2
		}
	}
	return nil, "", err
}

// publish writes a manifest, never over another, and lets latest point to it.
func (r *Repo) publish(m *Manifest, now time.Time) (hash string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	data, err := m.Encode()
	if err != nil {
		return "", err
	}
	if err := r.addManifest(m.Name(), data, now); err != nil {
		return "", err
	}
	hash = hashOf(data)
	return hash, r.writeFile([]byte(m.Name()+" "+hash+"\n"), now, "latest")
}

// addManifest writes a manifest's bytes; one that is there stays. The time of the
// file is when it came here by the clock here: retention asks nothing else.
func (r *Repo) addManifest(name string, data []byte, now time.Time) error {
	if old, err := os.ReadFile(r.path("manifests", name)); err == nil {
		if bytes.Equal(old, data) {
			return nil
		}
		return fault.New(fault.Conflict, "manifest %s: another with this name is there: snapshots are never changed", name)
	}
	return r.writeFile(data, now, "manifests", name)
}
