package queue

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/crinale/crinale/edge"
)

// damage flips a byte of a record on the disk.
func damage(t testing.TB, q *Queue, number string) {
	t.Helper()
	err := q.update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bEntries)
		data := append([]byte(nil), b.Get([]byte(number))...)
		data[len(data)/2] ^= 1
		return b.Put([]byte(number), data)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func sample() Entry {
	return Entry{Number: "CARAVINO-2026-0042", Comune: "CARAVINO", Service: service, Class: edge.ClassCreate, Method: "PUT", Target: "/a?b",
		Order: "/a", State: edge.StateQueued, Body: Body{ID: "00112233445566778899aabbccddeeff", Bytes: 3}, Accepted: time.Unix(1, 0).UTC()}
}

func TestEveryFlippedBitOfARecordIsFound(t *testing.T) {
	data := must(encode(sample()))
	if e, err := decodeEntry(data); err != nil || e.Number != sample().Number {
		t.Fatal(err)
	}
	for i := range data {
		for bit := range 8 {
			data[i] ^= 1 << bit
			if _, err := decodeEntry(data); err == nil {
				t.Fatalf("byte %d bit %d is not found", i, bit)
			}
			data[i] ^= 1 << bit
		}
		if _, err := decodeEntry(data[:i]); err == nil {
			t.Fatalf("cut at %d is not found", i)
		}
	}
}

func FuzzEntry(f *testing.F) {
	f.Add([]byte(nil), false)
	f.Add(must(encode(sample())), false)
	f.Add(must(json.Marshal(sample())), true)
	f.Add([]byte(`{"number":"a","comune":"b","service":"c","order":"d","state":"queued","method":"PUT","target":"/","body":{"id":"../../x","bytes":-1}}`), true)
	f.Fuzz(func(t *testing.T, data []byte, checked bool) {
		if checked { // behind a checksum that holds
			data = frame(data)
		}
		e, err := decodeEntry(data)
		if err != nil {
			return
		}
		if !e.Body.ok() || !e.State.Known() {
			t.Errorf("%+v", e)
		}
		again, err := encode(e)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decodeEntry(again); err != nil || back.Number != e.Number {
			t.Errorf("it does not come back: %v", err)
		}
	})
}

// FuzzSealed opens what is no sealed body, and what is one with a byte changed.
func FuzzSealed(f *testing.F) {
	f.Add([]byte("a body"), 3, byte(1))
	f.Add([]byte(nil), 0, byte(0))
	f.Add(bytes.Repeat([]byte{1}, piece+1), piece+tagSize, byte(7))
	f.Fuzz(func(t *testing.T, body []byte, at int, x byte) {
		aead := must(sealer(bytes.Repeat([]byte{1}, 32), "id", "body"))
		var b bytes.Buffer
		w := &sealWriter{w: &b, aead: aead}
		if _, err := w.Write(body); err != nil || w.Close() != nil {
			t.Fatal("it cannot be sealed")
		}
		sealed := b.Bytes()
		if at >= 0 && at < len(sealed) {
			sealed[at] ^= x
		} else {
			x = 0
		}
		got, err := io.ReadAll(newSealReader(bytes.NewReader(sealed), aead))
		if (x == 0) != (err == nil) || err == nil && !bytes.Equal(got, body) {
			t.Errorf("%d bytes changed at %d by %d: %v", len(body), at, x, err)
		}
		if _, err := io.ReadAll(newSealReader(bytes.NewReader(body), aead)); err == nil {
			t.Error("what was never sealed opens")
		}
	})
}
