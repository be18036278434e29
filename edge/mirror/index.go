package mirror

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterr "go.etcd.io/bbolt/errors"

	"github.com/crinale/crinale/internal/fault"
)

// index is what Search reads: a bbolt file that can be made again from the
// newest manifest and its objects at any time.
//
//	docs   id → record                  paths  path → id
//	texts  SHA-256 → text               posts  group NUL word NUL id → weight
//
// Words stand once for each group that may read them, so that a query of one
// group never walks over, counts or waits for what is another's.
type index struct{ db *bolt.DB }

var (
	docs  = []byte("docs")
	paths = []byte("paths")
	texts = []byte("texts")
	posts = []byte("posts")
)

// record is a document as it can be found.
type record struct {
	Entry
	Title string
	Note  string // why its text is not searched; "" where it is
}

// text is what was read out of an object.
type text struct {
	Title, Note, Start string         // Start is for snippets
	Words              map[string]int // how often
}

// indexForm changes when the layout does; another is made again.
const indexForm = "index-1.db"

// Open makes the mirror ready for Search and Copy. An index that cannot be read
// is made again by the next Copy.
func (m *Mirror) Open() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.index != nil {
		return nil
	}
	if err := m.repo.mkdir(); err != nil {
		return err
	}
	name := m.repo.path(indexForm)
	open := func() (*bolt.DB, error) { return bolt.Open(name, 0o600, &bolt.Options{Timeout: time.Second}) }
	db, err := open()
	if err != nil && !errors.Is(err, bolterr.ErrTimeout) {
		if err := os.Rename(name, name+".damaged"); err != nil {
			return err
		}
		db, err = open()
	}
	if err != nil {
		return fault.New(fault.Conflict, "mirror %s: %w: is another crinale running on this folder?", m.cfg.Dir, err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, b := range [][]byte{docs, paths, texts, posts} {
			if _, err := tx.CreateBucketIfNotExists(b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return errors.Join(err, db.Close())
	}
	m.index = &index{db}
	return nil
}

// Close ends the use of the mirror.
func (m *Mirror) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.index == nil {
		return nil
	}
	err := m.index.db.Close()
	m.index = nil
	return err
}

// reindex brings the index to the newest snapshot: first goes what is not there
// any more or has other readers, then comes what is new. Killed in between, less
// is found for a while, never more.
func (m *Mirror) reindex(ctx context.Context) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	latest, _, err := m.repo.Latest()
	if m.index == nil || latest == nil || err != nil {
		return err
	}
	m.last.Store(&Last{latest.At, len(latest.Documents), len(latest.Waiting)})
	want := make(map[string]Entry, len(latest.Documents))
	for _, e := range latest.Documents {
		want[e.Path] = e
	}
	err = m.index.db.Update(func(tx *bolt.Tx) error {
		var gone []uint64
		err := tx.Bucket(docs).ForEach(func(id, data []byte) error {
			var d record
			if err := json.Unmarshal(data, &d); err != nil {
				return err
			}
			if e, ok := want[d.Path]; ok && sameEntry(e, d.Entry) {
				delete(want, d.Path)
			} else {
				gone = append(gone, binary.BigEndian.Uint64(id))
			}
			return nil
		})
		for _, id := range gone {
			err = errors.Join(err, drop(tx, id))
		}
		return err
	})
	if err != nil {
		return err
	}
	todo := make([]Entry, 0, len(want))
	for _, e := range want {
		todo = append(todo, e)
	}
	slices.SortFunc(todo, func(a, b Entry) int { return int(min(max(a.Size-b.Size, -1), 1)) })
	for batch := range slices.Chunk(todo, 64) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.index.db.Update(func(tx *bolt.Tx) error { return m.addAll(tx, batch) }); err != nil {
			return err
		}
	}
	return m.index.db.Update(dropTexts)
}

func sameEntry(a, b Entry) bool {
	return a.SHA256 == b.SHA256 && a.Size == b.Size && a.Modified.Equal(b.Modified) && a.Fetched.Equal(b.Fetched) && a.ETag == b.ETag && a.Stale == b.Stale && slices.Equal(a.Groups, b.Groups)
}

func (m *Mirror) addAll(tx *bolt.Tx, batch []Entry) error {
	for _, e := range batch {
		// What is read depends on the kind of file, too: one content may have two
		// names.
		key := []byte(e.SHA256 + path.Ext(fold(e.Path)))
		var t text
		if data := tx.Bucket(texts).Get(key); data == nil || json.Unmarshal(data, &t) != nil {
			t = m.repo.readText(e, m.cfg.Search)
			data, err := json.Marshal(t)
			if err != nil {
				return err
			}
			if err := tx.Bucket(texts).Put(key, data); err != nil {
				return err
			}
		}
		if err := add(tx, record{e, t.Title, t.Note}, t); err != nil {
			return err
		}
	}
	return nil
}

// nameWeight is how much more a word counts in the name than once in the text.
const nameWeight = 20

// weights are the words of a document.
func weights(d record, t text) map[string]int {
	all := map[string]int{}
	for w, n := range t.Words {
		all[w] = min(n, 9)
	}
	for _, w := range words(d.Path + " " + d.Title) {
		all[w] += nameWeight
	}
	return all
}

func post(group, word string, id uint64) []byte {
	key := append([]byte(group+"\x00"+word), 0)
	return binary.BigEndian.AppendUint64(key, id)
}

func add(tx *bolt.Tx, d record, t text) error {
	id, err := tx.Bucket(docs).NextSequence()
	if err != nil {
		return err
	}
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	key := binary.BigEndian.AppendUint64(nil, id)
	err = errors.Join(tx.Bucket(docs).Put(key, data), tx.Bucket(paths).Put([]byte(d.Path), key))
	for w, n := range weights(d, t) {
		for _, g := range d.Groups {
			if err == nil {
				err = tx.Bucket(posts).Put(post(g, w, id), binary.AppendUvarint(nil, uint64(n)))
			}
		}
	}
	return err
}

// drop takes a document out.
func drop(tx *bolt.Tx, id uint64) error {
	key := binary.BigEndian.AppendUint64(nil, id)
	var d record
	var t text
	if err := json.Unmarshal(tx.Bucket(docs).Get(key), &d); err != nil {
		return err
	}
	if data := tx.Bucket(texts).Get([]byte(d.SHA256 + path.Ext(fold(d.Path)))); data != nil {
		if err := json.Unmarshal(data, &t); err != nil {
			return err
		}
	}
	err := errors.Join(tx.Bucket(docs).Delete(key), tx.Bucket(paths).Delete([]byte(d.Path)))
	for w := range weights(d, t) {
		for _, g := range d.Groups {
			err = errors.Join(err, tx.Bucket(posts).Delete(post(g, w, id)))
		}
	}
	return err
}

// dropTexts forgets texts that no document uses.
func dropTexts(tx *bolt.Tx) error {
	used := map[string]bool{}
	err := tx.Bucket(docs).ForEach(func(_, data []byte) error {
		var d record
		err := json.Unmarshal(data, &d)
		used[d.SHA256+path.Ext(fold(d.Path))] = true
		return err
	})
	var gone [][]byte
	err = errors.Join(err, tx.Bucket(texts).ForEach(func(k, _ []byte) error {
		if !used[string(k)] {
			gone = append(gone, slices.Clone(k))
		}
		return nil
	}))
	for _, k := range gone {
		err = errors.Join(err, tx.Bucket(texts).Delete(k))
	}
	return err
}
