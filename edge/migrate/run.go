package migrate

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Config is where a migration keeps its journal.
type Config struct {
	Dir   string // journal and the document that is on its way
	Tries int    // of one document in one run
	Now   func() time.Time
}

// Default tries three times.
func Default() Config { return Config{Tries: 3, Now: time.Now} }

// Deps are the two ends.
type Deps struct {
	Source edge.Source
	Target edge.Target
}

// Migration is one, from its first run to its report.
type Migration struct {
	cfg  Config
	deps Deps
}

// New is a migration; nothing is touched before Run.
func New(cfg Config, deps Deps) (*Migration, error) {
	if cfg.Dir == "" || cfg.Tries <= 0 || cfg.Now == nil || deps.Source == nil || deps.Target == nil {
		return nil, fault.New(fault.Invalid, "migrate: dir, tries, now, source and target are needed: begin with Default()")
	}
	return &Migration{cfg, deps}, nil
}

// step is a line of the journal: that a content is about to be written, or was.
type step struct {
	Path     string    `json:"path"`
	To       string    `json:"to"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	ETag     string    `json:"etag,omitempty"`
	SHA256   string    `json:"sha256"`
	Done     bool      `json:"done"`
	At       time.Time `json:"at"`
}

// state is what the journal tells.
type state struct {
	file  *os.File
	done  map[string]step            // by path
	given map[string]string          // path to target name, of every line
	ours  map[string]map[string]bool // by target name: every content that we may have written
}

func (m *Migration) open() (*state, error) {
	if err := os.MkdirAll(m.cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	name := filepath.Join(m.cfg.Dir, "journal")
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	s := &state{done: map[string]step{}, given: map[string]string{}, ours: map[string]map[string]bool{}}
	for line := range bytes.Lines(data) {
		var st step
		if json.Unmarshal(line, &st) != nil || st.Path == "" || st.To == "" {
			continue // torn by a kill: what it told of was not acted upon
		}
		s.note(st)
	}
	if s.file, err = os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		_, err = s.file.WriteString("\n")
	}
	for _, dir := range []string{m.cfg.Dir, filepath.Dir(m.cfg.Dir)} {
		d, err2 := os.Open(dir)
		if err2 == nil {
			err2 = errors.Join(d.Sync(), d.Close())
		}
		err = errors.Join(err, err2)
	}
	return s, err
}

func (s *state) note(st step) {
	if s.ours[st.To] == nil {
		s.ours[st.To] = map[string]bool{}
	}
	s.ours[st.To][st.SHA256] = true
	s.given[st.Path] = st.To
	if st.Done {
		s.done[st.Path] = st
	}
}

// add writes a line and lets it reach the disk before anything follows from it.
func (s *state) add(st step) error {
	data, err := json.Marshal(st)
	if err != nil {
		return err
	}
	if _, err := s.file.Write(append(data, '\n')); err != nil {
		return err
	}
	s.note(st)
	return s.file.Sync()
}

// Outcome is what one run, or Verify, did.
type Outcome struct {
	Copied, Already int
	Bytes           int64
	Failed          []Move   // Why says it
	Gone            []string // carried once, and no longer at the source: a human decides
}

// Run carries what is new or changed. It may be killed at any byte and run again,
// and again until the switch. What somebody else wrote at the target is never
// overwritten; nothing is ever removed there.
func (m *Migration) Run(ctx context.Context) (Outcome, error) {
	s, err := m.open()
	if err != nil {
		return Outcome{}, err
	}
	defer s.file.Close()
	inv, err := plan(ctx, m.deps.Source, m.deps.Target.Names(), s.given)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Failed: slices.Clone(inv.Refused)}
	left := map[string]bool{}
	for p := range s.done {
		left[p] = true
	}
	for i, mv := range inv.Moves {
		edge.Progress(ctx, i, len(inv.Moves))
		delete(left, mv.Document.Path)
		d := mv.Document
		if st, ok := s.done[d.Path]; ok {
			if st.ETag == d.ETag && (d.Size < 0 || st.Size == d.Size) && st.Modified.Equal(d.Modified) {
				out.Already++
				continue
			}
		}
		for range m.cfg.Tries {
			if err = m.carry(ctx, s, mv, &out); err == nil || ctx.Err() != nil || fault.Of(err) != fault.Unreachable && fault.Of(err) != fault.Refused {
				break
			}
		}
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		if err != nil {
			mv.Why = err.Error()
			out.Failed = append(out.Failed, mv)
		}
	}
	for p := range left {
		out.Gone = append(out.Gone, p)
	}
	slices.Sort(out.Gone)
	return out, nil
}

// carry brings one document over and reads it back.
func (m *Migration) carry(ctx context.Context, s *state, mv Move, out *Outcome) error {
	spool, err := os.Create(filepath.Join(m.cfg.Dir, "spool"))
	if err != nil {
		return err
	}
	defer os.Remove(spool.Name())
	defer spool.Close()
	body, meta, err := m.deps.Source.Open(ctx, mv.Document, 0)
	if err != nil {
		return err
	}
	tally := edge.NewTally()
	_, err = io.Copy(io.MultiWriter(spool, tally), body)
	if err := errors.Join(err, body.Close()); err != nil {
		return fault.New(fault.Unreachable, "document %q: %w", mv.Document.Path, err)
	}
	if err := errors.Join(tally.Check(mv.Document), tally.Check(meta)); err != nil {
		return err
	}
	sum := tally.SHA256()
	d := mv.Document
	st := step{Path: d.Path, To: mv.To, Size: tally.Bytes(), Modified: d.Modified, ETag: d.ETag, SHA256: sum, At: m.cfg.Now().UTC()}
	switch there, err := m.sum(ctx, mv.To); {
	case fault.Of(err) == fault.NotFound && err != nil:
	case err != nil:
		return err
	case there == sum: // a killed run brought it
		st.Done = true
		out.Copied++
		return s.add(st)
	case !s.ours[mv.To][there]:
		return fault.New(fault.Conflict, "document %q: the target has another %q that this migration did not write: move it away there", d.Path, mv.To)
	}
	if err := s.add(st); err != nil {
		return err
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := m.deps.Target.Put(ctx, mv.To, st.Size, sum, spool); err != nil {
		return err
	}
	if there, err := m.sum(ctx, mv.To); err != nil {
		return err
	} else if there != sum {
		return fault.New(fault.Refused, "document %q: the target gives other bytes back than it took", d.Path)
	}
	st.Done = true
	out.Copied++
	out.Bytes += st.Size
	return s.add(st)
}

// sum reads a document of the target and gives its SHA-256.
func (m *Migration) sum(ctx context.Context, to string) (string, error) {
	body, meta, err := m.deps.Target.Open(ctx, edge.Document{Path: to, Size: -1}, 0)
	if err != nil {
		return "", err
	}
	defer body.Close()
	tally := edge.NewTally()
	if _, err := io.Copy(tally, body); err != nil {
		return "", fault.New(fault.Unreachable, "target %q: %w", to, err)
	}
	if meta.Size >= 0 && tally.Bytes() != meta.Size {
		return "", fault.New(fault.Unreachable, "target %q: %d bytes came where %d were promised", to, tally.Bytes(), meta.Size)
	}
	return tally.SHA256(), nil
}

// Line is a document of the report.
type Line struct {
	Path   string `json:"path"`
	To     string `json:"to"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Wrong  string `json:"wrong,omitempty"` // what Verify found
}

// Report is what both sides sign: every document, and whether the target gave
// the same bytes back.
type Report struct {
	At        time.Time `json:"at"`
	Documents []Line    `json:"documents"`
	Bytes     int64     `json:"bytes"`
	Right     bool      `json:"right"`
}

// Verify reads back every document that was carried.
func (m *Migration) Verify(ctx context.Context) (Report, error) {
	s, err := m.open()
	if err != nil {
		return Report{}, err
	}
	defer s.file.Close()
	rep := Report{At: m.cfg.Now().UTC().Truncate(time.Second), Documents: []Line{}, Right: true}
	for _, st := range s.done {
		if err := ctx.Err(); err != nil {
			return rep, err
		}
		l := Line{st.Path, st.To, st.Size, st.SHA256, ""}
		if sum, err := m.sum(ctx, st.To); err != nil {
			l.Wrong = err.Error()
		} else if sum != st.SHA256 {
			l.Wrong = fmt.Sprintf("the target gives bytes with SHA-256 %s", sum)
		}
		rep.Right = rep.Right && l.Wrong == ""
		rep.Bytes += st.Size
		rep.Documents = append(rep.Documents, l)
		edge.Progress(ctx, len(rep.Documents), len(s.done))
	}
	slices.SortFunc(rep.Documents, func(a, b Line) int { return cmp.Compare(a.Path, b.Path) })
	return rep, nil
}

// Sign is one side's signature of the report, in hexadecimal: ed25519 over its
// JSON.
func (rep Report) Sign(key ed25519.PrivateKey) (string, error) {
	if len(key) != ed25519.PrivateKeySize {
		return "", fault.New(fault.Invalid, "migrate: the key to sign with is no ed25519 key: make one")
	}
	data, err := json.Marshal(rep)
	return hex.EncodeToString(ed25519.Sign(key, data)), err
}

// Signed says whether a signature is that of a key over this report.
func (rep Report) Signed(key ed25519.PublicKey, signature string) bool {
	data, err := json.Marshal(rep)
	sig, err2 := hex.DecodeString(signature)
	return err == nil && err2 == nil && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, data, sig)
}
