package roads

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

func written(t testing.TB, g *Graph) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := g.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("wrote %d of %d bytes: %v", n, b.Len(), err)
	}
	return b.Bytes()
}

func TestFileKeepsTheGraph(t *testing.T) {
	sketched, err := cross().read(Import{Source: "a sketch", Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []*Graph{town(t, 9, 10), sketched} {
		b := written(t, g)
		if !bytes.Equal(b, written(t, g)) {
			t.Error("written twice, not the same bytes")
		}
		h, err := Read(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if g.About() != h.About() {
			t.Errorf("about: %+v, want %+v", h.About(), g.About())
		}
		if !bytes.Equal(b, written(t, h)) {
			t.Error("read and written again, not the same bytes")
		}
		rng := rand.New(rand.NewPCG(3, 3))
		at := g.places(rng, 10)
		want, err := g.Legs(context.Background(), at, at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := h.Legs(context.Background(), at, at)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("ways: %v, %v\nwant %v", got, err, want)
		}
		wantWalk, _ := g.Walk(context.Background(), at[0], at[1])
		if walk, err := h.Walk(context.Background(), at[0], at[1]); err != nil || walk != wantWalk {
			t.Errorf("walk: %+v, %v, want %+v", walk, err, wantWalk)
		}
	}
}

func TestFileRefuses(t *testing.T) {
	b := written(t, street(t))
	change := func(i int) []byte {
		c := bytes.Clone(b)
		c[i] ^= 0x10
		return c
	}
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"nothing", "not one", nil},
		{"a PBF", "not one", cross().pbf()},
		{"another version", "another version", append([]byte("crinale roads 9\n"), b[len(fileMark):]...)},
		{"the mark alone", "cut short", b[:len(fileMark)]},
		{"cut", "damaged or cut short", b[:len(b)-1]},
		{"longer", "damaged or cut short", append(bytes.Clone(b), 0)},
		{"a bit", "damaged or cut short", change(len(b) / 2)},
		{"a bit of the sum", "damaged or cut short", change(len(b) - 1)},
	} {
		if _, err := Read(bytes.NewReader(c.data)); fault.Of(err) != fault.Invalid || !refused(err, "road graph file", c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for cutAt := range len(b) - sha256.Size - len(fileMark) {
		body := b[:len(fileMark)+cutAt]
		sum := sha256.Sum256(body)
		if _, err := Read(bytes.NewReader(append(bytes.Clone(body), sum[:]...))); fault.Of(err) != fault.Invalid {
			t.Fatalf("cut at %d with a right sum: %v", cutAt, err)
		}
	}
}

// FuzzFile: whatever stands in a file whose checksum is right, no panic, and a
// graph that answers.
func FuzzFile(f *testing.F) {
	for _, g := range []*Graph{street(f), town(f, 1, 4)} {
		b := written(f, g)
		f.Add(b[len(fileMark) : len(b)-sha256.Size])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := decode(b)
		if err != nil {
			if fault.Of(err) != fault.Invalid {
				t.Errorf("%v of kind %v", err, fault.Of(err))
			}
			return
		}
		if len(g.car.nodes) == 0 {
			return
		}
		at := []geo.LonLat{g.car.nodes[0].lonLat(), g.car.nodes[len(g.car.nodes)-1].lonLat()}
		if _, err := g.Legs(context.Background(), at, at); err != nil && fault.Of(err) != fault.Invalid {
			t.Error(err)
		}
		if _, err := g.Walk(context.Background(), at[0], at[1]); err != nil && fault.Of(err) != fault.Invalid {
			t.Error(err)
		}
	})
}
