package store

import (
	"encoding/binary"
	"errors"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/crinale/crinale/edge"
)

// name is that of a chunk: the SHA-256 of its content, or the HMAC-SHA-256 of it
// where it is sealed.
type name [32]byte

// piece is a run of a body that is one chunk. Pieces begin and end at multiples
// of the size of a chunk, but where what is held does.
type piece struct {
	first, length int64
	name          name
}

func (p piece) end() int64 { return p.first + p.length }

// record is all that is known of an object. It is never changed.
type record struct {
	id      uint64 // the later, the newer
	addr    digest
	variant uint64 // of addr and the variant
	stored  int64  // Unix seconds
	service string
	comune  string
	lockID  uint64 // of the key it is sealed with; 0: plain
	length  int64
	pieces  []piece

	// The inner part, sealed where there is a key.
	address string
	head    *edge.Stored
	tags    []string
}

// held is what the pieces hold.
func (r *record) held() []edge.Span {
	out := make([]edge.Span, len(r.pieces))
	for i, p := range r.pieces {
		out[i] = edge.Span{First: p.first, Length: p.length}
	}
	return edge.Joined(out)
}

func (r *record) bytes() (n int64) {
	for _, p := range r.pieces {
		n += p.length
	}
	return n
}

var (
	recordMagic = []byte("crn-obj1")
	errRecord   = errors.New("the record of a stored answer is damaged")
	errKey      = errors.New("the key of a stored answer is not there")
)

// mostHead bounds what a record may take; the heads of answers are far smaller.
const mostHead = 4 << 20

// pack writes a record: magic, checksum, what is in the clear, what is sealed
// with the former as additional data.
func (r *record) pack(l *lock) []byte {
	p := packer{b: slices.Clone(recordMagic)}
	p.u32(0)
	p.u64(r.id)
	p.raw(r.addr[:])
	p.u64(r.variant)
	p.u64(uint64(r.stored))
	p.u64(r.lockID)
	p.u64(uint64(r.length))
	p.text(r.service)
	p.text(r.comune)
	p.count(len(r.pieces))
	for _, q := range r.pieces {
		p.u64(uint64(q.first))
		p.u64(uint64(q.length))
		p.raw(q.name[:])
	}
	inner := r.packInner()
	if l != nil {
		inner = l.seal(inner, p.b[12:])
	}
	p.raw(inner)
	sum(p.b, len(recordMagic))
	return p.b
}

func (r *record) packInner() []byte {
	p := packer{}
	s := r.head
	p.text(r.address)
	p.u32(uint32(s.Status))
	p.u64(uint64(nano(s.Asked)))
	p.u64(uint64(nano(s.Got)))
	p.text(s.Variant)
	if s.Shared {
		p.u8(1)
	} else {
		p.u8(0)
	}
	names := make([]string, 0, len(s.Header))
	for n := range s.Header {
		names = append(names, n)
	}
	slices.Sort(names)
	p.count(len(names))
	for _, n := range names {
		p.text(n)
		p.count(len(s.Header[n]))
		for _, line := range s.Header[n] {
			p.text(line)
		}
	}
	p.count(len(r.tags))
	for _, t := range r.tags {
		p.text(t)
	}
	return p.b
}

// nano is a time as it is stored; the zero time has its own number.
func nano(t time.Time) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return t.UnixNano()
}

func unnano(n int64) time.Time {
	if n == math.MinInt64 {
		return time.Time{}
	}
	return time.Unix(0, n)
}

// unpack reads a record. open gives the lock of a comune; nil leaves the sealed
// part unread, and head nil.
func unpack(b []byte, open func(comune string) (*lock, bool)) (*record, error) {
	if len(b) < len(recordMagic)+4 || string(b[:len(recordMagic)]) != string(recordMagic) || !sumHolds(b, len(recordMagic)) {
		return nil, errRecord
	}
	u := unpacker{b: b[12:]}
	r := &record{id: u.u64()}
	copy(r.addr[:], u.raw(len(r.addr)))
	r.variant = u.u64()
	r.stored = int64(u.u64())
	r.lockID = u.u64()
	r.length = int64(u.u64())
	r.service, r.comune = u.text(), u.text()
	r.pieces = make([]piece, u.count(48))
	at := int64(0)
	for i := range r.pieces {
		q := &r.pieces[i]
		q.first, q.length = int64(u.u64()), int64(u.u64())
		copy(q.name[:], u.raw(len(q.name)))
		if q.first < at || q.length <= 0 || q.length > mostChunk || q.first > math.MaxInt64-q.length {
			return nil, errRecord
		}
		at = q.end()
	}
	if u.bad || r.length < -1 || r.length >= 0 && at > r.length {
		return nil, errRecord
	}
	if r.lockID == 0 {
		return r, r.unpackInner(u.b)
	}
	if open == nil {
		return r, nil
	}
	l, ok := open(r.comune)
	if !ok || l == nil || l.id != r.lockID {
		return r, errKey
	}
	inner, err := l.open(u.b, b[12:len(b)-len(u.b)])
	if err != nil {
		return nil, errRecord
	}
	return r, r.unpackInner(inner)
}

func (r *record) unpackInner(b []byte) error {
	u := unpacker{b: b}
	s := &edge.Stored{}
	r.address = u.text()
	s.Status = int(u.u32())
	s.Asked, s.Got = unnano(int64(u.u64())), unnano(int64(u.u64()))
	s.Variant = u.text()
	s.Shared = u.u8() == 1
	n := u.count(2)
	s.Header = make(http.Header, n)
	for range n {
		field := u.text()
		lines := make([]string, u.count(1))
		for i := range lines {
			lines[i] = u.text()
		}
		s.Header[field] = lines
	}
	for range u.count(1) {
		r.tags = append(r.tags, u.text())
	}
	if !u.end() {
		return errRecord
	}
	r.head = s
	return nil
}

// weight is what a record takes in memory, about.
func (r *record) weight() int {
	n := 400 + len(r.address) + len(r.service) + len(r.comune) + 56*len(r.pieces)
	if r.head != nil {
		n += len(r.head.Variant)
		for k, lines := range r.head.Header {
			n += 80 + len(k)
			for _, l := range lines {
				n += 16 + len(l)
			}
		}
	}
	for _, t := range r.tags {
		n += 16 + len(t)
	}
	return n
}

// brief is what the index says of an object: enough to find it, to let it go
// and to purge it without its record.
type brief struct {
	id      uint64
	used    uint32 // Unix seconds, coarse
	queue   uint8
	freq    uint8
	addr    digest
	variant uint64
	meta    uint32 // bytes of its record
	service string
	comune  string
	lockID  uint64
	tags    []uint64
	chunks  []share
	address []byte // sealed where there is a key
}

// share is a chunk as the index names it: by the first bytes of its name.
type share struct {
	short  uint64
	length uint32
}

func short(n name) uint64 { return binary.BigEndian.Uint64(n[:8]) }

func (r *record) brief(l *lock, meta int) *brief {
	b := &brief{id: r.id, used: uint32(r.stored), addr: r.addr, variant: r.variant, meta: uint32(meta),
		service: r.service, comune: r.comune, lockID: r.lockID, address: []byte(r.address)}
	for _, t := range r.tags {
		b.tags = append(b.tags, l.tag(t))
	}
	for _, p := range r.pieces {
		b.chunks = append(b.chunks, share{short(p.name), uint32(p.length)})
	}
	if l != nil {
		b.address = l.seal(b.address, b.addr[:])
	}
	return b
}

// The places of what is rewritten when an object was used.
const (
	briefUsed  = 12
	briefQueue = 16
	briefFreq  = 17
)

func (b *brief) pack() []byte {
	p := packer{}
	p.u32(0)
	p.u64(b.id)
	p.u32(b.used)
	p.u8(b.queue)
	p.u8(b.freq)
	p.raw(b.addr[:])
	p.u64(b.variant)
	p.u32(b.meta)
	p.text(b.service)
	p.text(b.comune)
	p.u64(b.lockID)
	p.count(len(b.tags))
	for _, t := range b.tags {
		p.u64(t)
	}
	p.count(len(b.chunks))
	for _, c := range b.chunks {
		p.u64(c.short)
		p.u32(c.length)
	}
	p.count(len(b.address))
	p.raw(b.address)
	sum(p.b, 0)
	return p.b
}

func unpackBrief(b []byte) (*brief, error) {
	if !sumHolds(b, 0) {
		return nil, errRecord
	}
	u := unpacker{b: b[4:]}
	r := &brief{id: u.u64(), used: u.u32(), queue: u.u8(), freq: u.u8()}
	copy(r.addr[:], u.raw(len(r.addr)))
	r.variant, r.meta = u.u64(), u.u32()
	r.service, r.comune = u.text(), u.text()
	r.lockID = u.u64()
	if n := u.count(8); n > 0 {
		r.tags = make([]uint64, n)
	}
	for i := range r.tags {
		r.tags[i] = u.u64()
	}
	if n := u.count(12); n > 0 {
		r.chunks = make([]share, n)
	}
	for i := range r.chunks {
		r.chunks[i] = share{u.u64(), u.u32()}
		if r.chunks[i].length == 0 || r.chunks[i].length > mostChunk {
			return nil, errRecord
		}
	}
	r.address = u.raw(u.count(1))
	if !u.end() || r.queue > inMain || r.freq > mostFreq || r.meta > mostHead {
		return nil, errRecord
	}
	return r, nil
}
