package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// index knows what must be found by other things than the address: who has a
// chunk, what bears a tag, whose quota an address counts for. It is written
// behind, in batches, and can be made again from the records.
type index struct {
	path string
	log  *slog.Logger
	gone func([]name) // is told which chunks nobody has any more
	bad  atomic.Bool  // it cannot be used: it is to be made again
	sure atomic.Bool  // it holds all that is on the disk: what it does not know is not there

	flush sync.Mutex // held while the file is used for writing, or replaced
	db    *bolt.DB

	mu      sync.Mutex
	pending []change
	wake    chan struct{}
	done    chan struct{}
	ended   chan struct{}
	once    sync.Once
}

// change is one change of what an address holds, or a look at chunks.
type change struct {
	id   id
	row  *row   // nil: nothing is there any more
	look []name // chunks that may have nobody
}

// row is what the index keeps of an address.
type row struct {
	Size    int64  `json:"s"`
	At      int64  `json:"t"` // Unix time of the change
	Service string `json:"v,omitempty"`
	Comune  string `json:"c,omitempty"`
	Pinned  bool   `json:"p,omitempty"`
	Sealed  bool   `json:"x,omitempty"`
	Tags    []id   `json:"g,omitempty"`
	Chunks  []name `json:"k,omitempty"`
}

var (
	rowBucket = []byte("rows") // id → CRC-32, JSON
	refBucket = []byte("refs") // chunk, id → nothing
	tagBucket = []byte("tags") // tag, id → nothing
)

// flushEvery is how long a change waits for others to be written with.
const flushEvery = 200 * time.Millisecond

// openIndex opens the index of a path; one that cannot be read is put aside, and
// an empty one takes its place.
func openIndex(path string, log *slog.Logger, gone func([]name)) (*index, error) {
	x := &index{path: path, log: log, gone: gone, wake: make(chan struct{}, 1), done: make(chan struct{}), ended: make(chan struct{})}
	if err := x.open(); err != nil {
		if errors.Is(err, bolt.ErrTimeout) {
			return nil, fmt.Errorf("%s is in use by another process: end it first", path)
		}
		log.Error("the index of the store cannot be read, and is made again", "err", err)
		if err := x.replace(); err != nil {
			return nil, err
		}
	}
	go x.write()
	return x, nil
}

func (x *index) open() (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer caught(&err)
	db, err := bolt.Open(x.path, 0o600, &bolt.Options{Timeout: time.Second, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, b := range [][]byte{rowBucket, refBucket, tagBucket} {
			if _, err := tx.CreateBucketIfNotExists(b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		_ = db.Close()
		return err
	}
	x.db = db
	return nil
}

// replace puts the file aside, and begins an empty one.
func (x *index) replace() error {
	x.flush.Lock()
	defer x.flush.Unlock()
	if x.db != nil {
		shut(x.db)
		x.db = nil
	}
	if err := os.Rename(x.path, x.path+".bad"); err != nil && !os.IsNotExist(err) {
		return err
	}
	x.sure.Store(false)
	if err := x.open(); err != nil {
		return err
	}
	x.bad.Store(false)
	return nil
}

// shut closes a database that may be damaged.
func shut(db *bolt.DB) {
	var err error
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer caught(&err)
	_ = db.Close()
}

// caught makes an error of what a damaged file does to the library: it panics,
// or reads outside of its map.
func caught(err *error) {
	if e := recover(); e != nil {
		*err = fmt.Errorf("the index is damaged: %v", e)
	}
}

// close writes what waits, and ends.
func (x *index) close() error {
	x.once.Do(func() { close(x.done) })
	<-x.ended
	x.flush.Lock()
	defer x.flush.Unlock()
	if x.db == nil {
		return nil
	}
	shut(x.db) // all is written
	x.db = nil
	return nil
}

func (x *index) broken() bool { return x.bad.Load() }

// tell has a change written soon, in the order in which they are told.
func (x *index) tell(c change) {
	if c.row != nil && c.row.At == 0 {
		c.row.At = time.Now().Unix()
	}
	x.mu.Lock()
	x.pending = append(x.pending, c)
	n := len(x.pending)
	x.mu.Unlock()
	if n == 1 || n == mostPending {
		select {
		case x.wake <- struct{}{}:
		default:
		}
	}
}

// mostPending is how many changes wait at most for others.
const mostPending = 2000

func (x *index) write() {
	defer close(x.ended)
	for {
		select {
		case <-x.wake:
			t := time.NewTimer(flushEvery)
			select {
			case <-t.C:
			case <-x.wake:
			case <-x.done:
			}
			t.Stop()
			x.settle()
		case <-x.done:
			x.settle()
			return
		}
	}
}

// settle writes what waits.
func (x *index) settle() {
	x.flush.Lock()
	defer x.flush.Unlock()
	x.mu.Lock()
	todo := x.pending
	x.pending = nil
	x.mu.Unlock()
	if len(todo) == 0 || x.db == nil || x.bad.Load() {
		return // it is to be made again from the records, which have all of this
	}
	lost, err := x.apply(todo)
	if err != nil {
		x.log.Error("the index of the store cannot be written, and is made again", "err", err)
		x.bad.Store(true)
		return
	}
	if len(lost) > 0 && x.sure.Load() {
		x.gone(lost)
	}
}

// apply writes changes in one transaction, and gives the chunks that nobody has
// after it.
func (x *index) apply(todo []change) (lost []name, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer caught(&err)
	maybe := map[name]bool{}
	err = x.db.Update(func(tx *bolt.Tx) error {
		for _, c := range todo {
			for _, n := range c.look {
				maybe[n] = true
			}
			if c.look != nil {
				continue
			}
			if err := applyOne(tx, c, maybe); err != nil {
				return err
			}
		}
		lost = lost[:0]
		for n := range maybe {
			if k, _ := tx.Bucket(refBucket).Cursor().Seek(n[:]); !bytes.HasPrefix(k, n[:]) {
				lost = append(lost, n)
			}
		}
		return nil
	})
	return lost, err
}

// applyOne writes one change; maybe has the chunks that lost somebody.
func applyOne(tx *bolt.Tx, c change, maybe map[name]bool) error {
	rows, refs, tags := tx.Bucket(rowBucket), tx.Bucket(refBucket), tx.Bucket(tagBucket)
	if old, err := parseRow(rows.Get(c.id[:])); err == nil && old != nil {
		for _, n := range old.Chunks {
			maybe[n] = true
			if err := refs.Delete(slices.Concat(n[:], c.id[:])); err != nil {
				return err
			}
		}
		for _, t := range old.Tags {
			if err := tags.Delete(slices.Concat(t[:], c.id[:])); err != nil {
				return err
			}
		}
	}
	if c.row == nil {
		return rows.Delete(c.id[:])
	}
	for _, n := range c.row.Chunks {
		if err := refs.Put(slices.Concat(n[:], c.id[:]), nil); err != nil {
			return err
		}
	}
	for _, t := range c.row.Tags {
		if err := tags.Put(slices.Concat(t[:], c.id[:]), nil); err != nil {
			return err
		}
	}
	data, err := encodeRow(c.row)
	if err != nil {
		return err
	}
	return rows.Put(c.id[:], data)
}

func encodeRow(r *row) ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return binary.BigEndian.AppendUint32(text, crc32.ChecksumIEEE(text)), nil
}

// parseRow reads a row; nil where there is none.
func parseRow(data []byte) (*row, error) {
	if data == nil {
		return nil, nil
	}
	if len(data) < 4 {
		return nil, errors.New("a row is cut")
	}
	text, sum := data[:len(data)-4], binary.BigEndian.Uint32(data[len(data)-4:])
	if crc32.ChecksumIEEE(text) != sum {
		return nil, errors.New("the checksum of a row is another")
	}
	var r row
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// view reads the index; what waits is written first. An error means that it
// must be made again.
func (x *index) view(f func(tx *bolt.Tx) error) (err error) {
	x.settle()
	x.flush.Lock()
	defer x.flush.Unlock()
	if x.db == nil || x.bad.Load() {
		return errors.New("the index is being made again")
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if err != nil {
			x.bad.Store(true)
		}
	}()
	defer caught(&err)
	return x.db.View(f)
}

// ids are those with a prefix in a bucket of pairs.
func (x *index) ids(bucket, prefix []byte) (out []id, err error) {
	err = x.view(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucket).Cursor()
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix) && len(k) == len(prefix)+len(id{}); k, _ = c.Next() {
			out = append(out, id(k[len(prefix):]))
		}
		return nil
	})
	return out, err
}

// rows gives the rows whose id begins with a byte, by id. A row that is damaged
// is left out.
func (x *index) rows(first byte) (map[id]*row, error) {
	out := map[id]*row{}
	err := x.view(func(tx *bolt.Tx) error {
		c := tx.Bucket(rowBucket).Cursor()
		for k, v := c.Seek([]byte{first}); len(k) == len(id{}) && k[0] == first; k, v = c.Next() {
			if r, err := parseRow(v); err == nil && r != nil {
				out[id(k)] = r
			}
		}
		return nil
	})
	return out, err
}
