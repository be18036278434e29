package store

import (
	"bytes"
	"math"
	"reflect"
	"testing"
	"time"
)

// Whatever bytes are on the disk as a record: it is refused, or it is packed
// again to the same, and what it says can be relied on.
func FuzzRecord(f *testing.F) {
	l := newLock([]byte("0123456789abcdef"))
	open := func(comune string) (*lock, bool) { return l, comune == "c" }
	r := &record{id: 7, length: 3_000_000, service: "s", comune: "c", address: "a.example/x", head: head("v", "Etag", `"x"`), tags: []string{"t"},
		pieces: []piece{{0, mostChunk, name{1}}, {mostChunk, 5, name{2}}, {2_000_000, 17, name{3}}}}
	f.Add(r.pack(nil))
	r.lockID = l.id
	f.Add(r.pack(l))
	f.Add(recordMagic)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, mend := range []bool{false, true} {
			if mend { // past the checksum, so that what is behind it meets nonsense too
				if len(b) < 12 {
					return
				}
				b = bytes.Clone(b)
				copy(b, recordMagic)
				sum(b, len(recordMagic))
			}
			r, err := unpack(b, open)
			if err != nil {
				continue
			}
			at := int64(0)
			for _, p := range r.pieces {
				if p.first < at || p.length <= 0 || p.length > mostChunk {
					t.Fatalf("piece %+v after %d", p, at)
				}
				at = p.end()
			}
			if r.length >= 0 && at > r.length || r.head == nil || r.bytes() < 0 || r.weight() < 0 {
				t.Fatalf("%+v", r)
			}
			if r.lockID == 0 {
				again, err := unpack(r.pack(nil), nil)
				if err != nil || !reflect.DeepEqual(again, r) {
					t.Fatalf("%+v became %+v, %v", r, again, err)
				}
			}
		}
	})
}

// The same for what the index says.
func FuzzBrief(f *testing.F) {
	r := &record{id: 7, service: "s", comune: "c", address: "a.example/x", tags: []string{"t", "u"}, pieces: []piece{{0, mostChunk, name{1}}, {mostChunk, 5, name{2}}}}
	f.Add(r.brief(nil, 300).pack())
	f.Add(r.brief(newLock([]byte("0123456789abcdef")), 300).pack())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 4 {
			b = bytes.Clone(b)
			sum(b, 0)
		}
		r, err := unpackBrief(b)
		if err != nil {
			return
		}
		again, err := unpackBrief(r.pack())
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("%+v became %+v, %v", r, again, err)
		}
	})
}

// Every bit of a record and of a brief is guarded.
func TestEveryBitIsGuarded(t *testing.T) {
	l := newLock([]byte("0123456789abcdef"))
	r := &record{id: 1, length: -1, lockID: l.id, address: "a", head: head("v"), pieces: []piece{{0, 5, name{1}}}}
	packed, brief := r.pack(l), r.brief(l, 100).pack()
	for i := range 8 * max(len(packed), len(brief)) {
		if i < 8*len(packed) {
			packed[i/8] ^= 1 << (i % 8)
			if _, err := unpack(packed, func(string) (*lock, bool) { return l, true }); err == nil {
				t.Fatalf("bit %d of a record", i)
			}
			packed[i/8] ^= 1 << (i % 8)
		}
		if i < 8*len(brief) {
			brief[i/8] ^= 1 << (i % 8)
			if _, err := unpackBrief(brief); err == nil {
				t.Fatalf("bit %d of a brief", i)
			}
			brief[i/8] ^= 1 << (i % 8)
		}
	}
	for _, at := range []time.Time{{}, time.Unix(0, 0), time.Unix(1<<32, 999)} {
		if !unnano(nano(at)).Equal(at) {
			t.Errorf("%v became %v", at, unnano(nano(at)))
		}
	}
	if math.MinInt64 != nano(time.Time{}) {
		t.Error("no time is some time")
	}
}
