package store

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/edge"
)

// TestLikeAMap: any sequence of what a proxy does, with restarts, gives what a
// map of bodies would.
func TestLikeAMap(t *testing.T) {
	checks := 0
	rapid.Check(t, func(rt *rapid.T) {
		if checks++; checks > 25 && !testing.Short() {
			return // each has a disk of its own
		}
		s := open(t, t.TempDir(), func(c *Config, d *Deps) { secrets(c, d); c.RAM = 5000 })
		model := map[string]map[string][]byte{}
		address := func(t *rapid.T) string {
			return rapid.SampledFrom([]string{"plain1", "sealed1"}).Draw(t, "host") + fmt.Sprintf("/%d", rapid.IntRange(0, 3).Draw(t, "n"))
		}
		rt.Repeat(map[string]func(*rapid.T){
			"keep": func(t *rapid.T) {
				a, v := address(t), fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "variant"))
				body := bodyOf(rapid.Uint64Range(0, 9).Draw(t, "seed"), rapid.SampledFrom([]int{0, 10, 3000, 70_000, chunkSize + 1}).Draw(t, "size"))
				h := head()
				h.Variant = v
				d, err := s.Begin(a, h, edge.Part{Span: edge.Span{Length: int64(len(body))}, Of: int64(len(body))}, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer d.Abort()
				cut := rapid.IntRange(0, len(body)).Draw(t, "cut")
				if _, err := d.Write(body[:cut]); err != nil {
					t.Fatal(err)
				}
				if rapid.IntRange(0, 5).Draw(t, "aborted") == 0 {
					return
				}
				if _, err := d.Write(body[cut:]); err != nil {
					t.Fatal(err)
				}
				if _, err := d.Commit(int64(len(body))); err != nil {
					t.Fatal(err)
				}
				if model[a] == nil {
					model[a] = map[string][]byte{}
				}
				model[a][v] = body
			},
			"delete": func(t *rapid.T) {
				a := address(t)
				s.Delete(a)
				delete(model, a)
			},
			"freshen": func(t *rapid.T) {
				if found := s.Find(address(t)); len(found) > 0 {
					h := *found[0].Head()
					h.Status = 203
					if _, err := s.Freshen(found[0], &h); err != nil {
						t.Fatal(err)
					}
				}
			},
			"restart": func(*rapid.T) { s = again(t, s) },
			"": func(t *rapid.T) {
				for _, host := range []string{"plain1", "sealed1"} {
					for n := range 4 {
						a := fmt.Sprintf("%s/%d", host, n)
						found := s.Find(a)
						if len(found) != len(model[a]) {
							t.Fatalf("%s: %d answers, %d were kept", a, len(found), len(model[a]))
						}
						for _, o := range found {
							if got, err := whole(o); err != nil || !bytes.Equal(got, model[a][o.Head().Variant]) {
								t.Fatalf("%s %s: %v", a, o.Head().Variant, err)
							}
						}
					}
				}
			},
		})
	})
}
