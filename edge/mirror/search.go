package mirror

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/text/unicode/norm"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Bounds of a query.
const (
	maxQuery = 400 // bytes
	maxWords = 12
	maxWord  = 64 // bytes
	maxHits  = 1000
)

// fold makes letters that people take for the same the same: case, accents, forms
// of Unicode.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(s))
}

// words are the folded words of a text.
func words(s string) []string {
	all := strings.FieldsFunc(fold(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, w := range all {
		if len(w) > maxWord {
			all[i] = strings.ToValidUTF8(w[:maxWord], "")
		}
	}
	return all
}

// Search finds documents that one of the groups may read and that have every word
// of the query, the last one as the beginning of a word. The best come first:
// words in the name count more than in the text, then the newest. No rank depends
// on documents of others.
func (m *Mirror) Search(ctx context.Context, groups []string, query string, limit int) ([]edge.Hit, error) {
	if len(query) > maxQuery {
		return nil, fault.New(fault.Invalid, "query: it has %d bytes, more than %d: use fewer words", len(query), maxQuery)
	}
	want := words(query)
	if len(want) > maxWords {
		return nil, fault.New(fault.Invalid, "query: it has %d words, more than %d: use fewer", len(want), maxWords)
	}
	if len(want) == 0 || limit <= 0 {
		return nil, nil
	}
	groups = slices.DeleteFunc(slices.Clone(groups), badGroup)
	slices.Sort(groups)
	groups = slices.Compact(groups)
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.index == nil {
		return nil, fault.New(fault.Unreachable, "mirror %s: it is not open", m.cfg.Dir)
	}
	var hits []edge.Hit
	err := m.index.db.View(func(tx *bolt.Tx) error {
		score := map[uint64]int{}
		for i, w := range want {
			got, err := find(ctx, tx, groups, w, i == len(want)-1)
			if err != nil {
				return err
			}
			for id, n := range got {
				if _, ok := score[id]; ok || i == 0 {
					score[id] += n
				}
			}
			for id := range score {
				if _, ok := got[id]; !ok {
					delete(score, id)
				}
			}
		}
		var err error
		hits, err = best(tx, score, want, min(limit, maxHits))
		return err
	})
	return hits, err
}

// find gives the documents with a word, by what it weighs in them.
func find(ctx context.Context, tx *bolt.Tx, groups []string, word string, prefix bool) (map[uint64]int, error) {
	got := map[uint64]int{}
	for _, g := range groups {
		from := []byte(g + "\x00" + word)
		if !prefix {
			from = append(from, 0)
		}
		c, n := tx.Bucket(posts).Cursor(), 0
		for k, v := c.Seek(from); bytes.HasPrefix(k, from); k, v = c.Next() {
			if n++; n%1024 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			weight, _ := binary.Uvarint(v)
			if len(k) == len(g)+1+len(word)+1+8 {
				weight *= 2 // the very word, not only one that begins so
			}
			id := binary.BigEndian.Uint64(k[len(k)-8:])
			got[id] = max(got[id], int(weight))
		}
	}
	return got, nil
}

func best(tx *bolt.Tx, score map[uint64]int, want []string, limit int) ([]edge.Hit, error) {
	type found struct {
		record
		score int
	}
	var all []found
	for id, n := range score {
		var d record
		if err := json.Unmarshal(tx.Bucket(docs).Get(binary.BigEndian.AppendUint64(nil, id)), &d); err != nil {
			return nil, err
		}
		all = append(all, found{d, n})
	}
	slices.SortFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.score, a.score), b.Modified.Compare(a.Modified), cmp.Compare(a.Path, b.Path))
	})
	var hits []edge.Hit
	for _, f := range all[:min(limit, len(all))] {
		var t text
		if data := tx.Bucket(texts).Get([]byte(f.SHA256 + path.Ext(fold(f.Path)))); data != nil {
			if err := json.Unmarshal(data, &t); err != nil {
				return nil, err
			}
		}
		h := f.hit()
		h.Snippet = snippet(t.Start, want)
		hits = append(hits, h)
	}
	return hits, nil
}

// snippet is the text around the first word that was asked for.
func snippet(s string, want []string) string {
	fields := strings.Fields(s)
	at := slices.IndexFunc(fields, func(f string) bool {
		return slices.ContainsFunc(words(f), func(w string) bool {
			return slices.ContainsFunc(want, func(q string) bool { return strings.HasPrefix(w, q) })
		})
	})
	from := max(at-8, 0)
	out := strings.Join(fields[from:min(from+24, len(fields))], " ")
	if len(out) > 400 {
		out = strings.ToValidUTF8(out[:400], "")
	}
	return out
}

// Document is one that was opened: its bytes, and how old the copy is.
type Document struct {
	*os.File
	Entry
}

// OpenDocument gives a document that one of the groups may read. One that is not there
// and one that is another's are the same error.
func (m *Mirror) OpenDocument(_ context.Context, groups []string, name string) (*Document, error) {
	none := fault.New(fault.NotFound, "document %.200q: it is not there, or not for you", name)
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.index == nil {
		return nil, fault.New(fault.Unreachable, "mirror %s: it is not open", m.cfg.Dir)
	}
	var d record
	err := m.index.db.View(func(tx *bolt.Tx) error {
		id := tx.Bucket(paths).Get([]byte(name))
		if id == nil {
			return none
		}
		return json.Unmarshal(tx.Bucket(docs).Get(id), &d)
	})
	if err != nil {
		return nil, err
	}
	if !d.readable(groups) {
		return nil, none
	}
	f, err := m.openWhole(d.SHA256)
	if err != nil {
		return nil, fault.New(fault.Internal, "document %q: its copy is damaged: verify the mirror: %w", name, err)
	}
	return &Document{f, d.Entry}, nil
}

// trusted is for how long an object that was read whole is not read again before
// it is given, as long as its file looks the same: whoever leafs through a long
// one asks for it in many parts.
const trusted = 10 * time.Minute

// openWhole opens an object whose bytes are those of its name.
func (m *Mirror) openWhole(sha string) (*os.File, error) {
	f, err := os.Open(m.repo.object(sha))
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	look := sighting{st.Size(), st.ModTime(), time.Now()}
	if old, ok := m.whole.Load(sha); ok && old.(sighting).same(look) {
		return f, nil
	}
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	if err == nil && hex.EncodeToString(sum.Sum(nil)) != sha {
		err = fault.New(fault.Internal, "its bytes have another SHA-256")
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		m.whole.Delete(sha)
		return nil, errors.Join(err, f.Close())
	}
	m.whole.Range(func(k, v any) bool { // those of long ago go
		if look.at.Sub(v.(sighting).at) > trusted {
			m.whole.Delete(k)
		}
		return true
	})
	m.whole.Store(sha, look)
	return f, nil
}

// sighting is how a file looked when it was read whole.
type sighting struct {
	size     int64
	modified time.Time
	at       time.Time
}

func (s sighting) same(now sighting) bool {
	return s.size == now.size && s.modified.Equal(now.modified) && now.at.Sub(s.at) < trusted
}
