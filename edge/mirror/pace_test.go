package mirror

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// link allows nothing for its first minutes, then a rate.
type link struct {
	open time.Time
	rate int64
}

func (l link) Allowance(context.Context) int64 {
	if time.Now().Before(l.open) {
		return 0
	}
	return l.rate
}

// drops is a shelf whose documents come byte by byte, or never.
type drops struct {
	*shelf
	hang bool
}

func (d drops) Open(ctx context.Context, doc edge.Document, offset int64) (io.ReadCloser, edge.Document, error) {
	body, meta, err := d.shelf.Open(ctx, doc, offset)
	if d.hang {
		r, _ := io.Pipe()
		return r, meta, err
	}
	return io.NopCloser(iotest.OneByteReader(body)), meta, err
}

func TestTheAllowanceIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		m, _ := start(t, drops{newShelf(map[string]string{"a": strings.Repeat("x", 5000)}), false})
		m.deps.Limit = link{began.Add(3 * time.Minute), 500}
		if rep := copyOnce(t, m); rep.Documents != 1 {
			t.Fatalf("%+v", rep)
		}
		if took := time.Since(began); took < 190*time.Second || took > 192*time.Second {
			t.Errorf("5000 bytes at 500 a second after 3 minutes took %s", took)
		}
		m.Close()
	})
}

func TestASourceThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		m, _ := start(t, drops{newShelf(map[string]string{"a": "x"}), true})
		rep := copyOnce(t, m)
		if len(rep.Waiting) != 1 || !strings.Contains(rep.Waiting[0].Why, "no byte came") || time.Since(began) != 3*time.Minute {
			t.Errorf("%+v after %s", rep, time.Since(began))
		}
		m.Close()
	})
	if _, err := New(Config{}, Deps{}); fault.Of(err) != fault.Invalid {
		t.Errorf("an empty configuration: %v", err)
	}
}
