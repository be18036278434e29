package proxy

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/edge"
)

func draft(t *testing.T, m *memory) edge.Draft {
	t.Helper()
	d, err := m.Begin("k", &edge.Stored{}, edge.Part{Of: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Who reads slowly reads to the end, though the writer left long ago; then the
// draft is let go, and nobody begins to read.
func TestSlowReaderKeepsTheDraft(t *testing.T) {
	d := draft(t, newMemory())
	s := newSpool(d, 0)
	slow := s.reader()
	s.write([]byte("0123456789"))
	first := make([]byte, 4)
	if _, err := io.ReadFull(slow, first); err != nil {
		t.Fatal(err)
	}
	s.finish(nil)
	s.leave()
	late := s.reader()
	for want, r := range map[string]*spoolReader{"456789": slow, "0123456789": late} {
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	slow.close()
	slow.close()
	if d.(*memoryDraft).gone {
		t.Error("the draft went while somebody reads")
	}
	late.close()
	if !d.(*memoryDraft).gone || s.reader() != nil {
		t.Error("the draft stays though nobody reads")
	}
}

// When the store fails, the writer waits for the slowest reader, but not for
// ever.
func TestSpoolWaitsForReadersNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.most = 10
		s := newSpool(draft(t, m), 0)
		reads, stops := s.reader(), s.reader()
		block := bytes.Repeat([]byte("x"), 100<<10)
		go func() {
			for range 30 {
				s.write(block)
			}
			s.finish(nil)
			s.leave()
		}()
		begun := time.Now()
		got, err := io.ReadAll(reads)
		if err != nil || len(got) != 30*len(block) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if took := time.Since(begun); took != stalled {
			t.Errorf("it waited %v for one who does not read", took)
		}
		if _, err := io.ReadAll(stops); !errors.Is(err, errBehind) {
			t.Errorf("who did not read: %v", err)
		}
		if s.whole() {
			t.Error("an answer that the store did not take is whole")
		}
		reads.close()
		stops.close()
	})
}

// What came too early to an end is so for all.
func TestSpoolTellsOfACut(t *testing.T) {
	s := newSpool(draft(t, newMemory()), 0)
	r := s.reader()
	s.write([]byte("half"))
	s.finish(io.ErrUnexpectedEOF)
	if got, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) || string(got) != "half" || s.whole() {
		t.Errorf("%q, %v", got, err)
	}
}
