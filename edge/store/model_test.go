package store

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/edge"
)

// modelled is what an object must be.
type modelled struct {
	variant string
	mark    string // in the head
	length  int64
	held    []edge.Span
	tag     string
}

// TestModel holds the store against a plain map over random sequences, with
// restarts, records that were lost from the index, and sealing.
func TestModel(t *testing.T) {
	t.Parallel()
	whole := content(11, 5000) // what every address has, so that parts fit
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "model")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		c := small(dir)
		c.Now = func() time.Time { return time.Unix(1_800_000_000, 0) }
		var d Deps
		if rapid.Bool().Draw(t, "sealed") {
			d.Keys = oneKey("0123456789abcdef")
		}
		start := func() *Store {
			s, err := New(c, d)
			if err != nil {
				t.Fatal(err)
			}
			s.chunk = 700 // many chunks in little
			if err := s.Open(); err != nil {
				t.Fatal(err)
			}
			return s
		}
		s := start()
		defer func() { s.Close() }()
		model := map[string][]modelled{}
		put := func(k string, m modelled) {
			rest := slices.DeleteFunc(slices.Clone(model[k]), func(o modelled) bool { return o.variant == m.variant })
			model[k] = append([]modelled{m}, rest...)
		}
		keys := []string{"a.example/", "a.example/x", "b.example/"}
		key := rapid.SampledFrom(keys)
		variant := rapid.SampledFrom([]string{"", "v"})
		tag := rapid.SampledFrom([]string{"", "t", "u"})
		stored := func(m modelled) *edge.Stored { return head(m.variant, "X-Mark", m.mark, "Xkey", m.tag) }
		marks := 0
		mark := func() string { marks++; return fmt.Sprint(marks) }
		// write begins a draft of a random span, and ends it in some way.
		write := func(t *rapid.T, k string, m modelled, o edge.Object) {
			first := rapid.Int64Range(0, m.length).Draw(t, "first")
			n := rapid.Int64Range(0, m.length-first).Draw(t, "n")
			if o == nil && rapid.Bool().Draw(t, "whole") {
				first, n = 0, m.length
			}
			span := edge.Span{First: first, Length: n}
			dr, err := s.Begin(k, stored(m), edge.Part{Span: span, Of: m.length}, o)
			if err != nil {
				t.Fatal(err)
			}
			defer dr.Abort()
			for at := span.First; at < span.End(); {
				end := min(at+rapid.Int64Range(1, 2000).Draw(t, "step"), span.End())
				if k, err := dr.Write(whole[at:end]); int64(k) != end-at || err != nil {
					t.Fatal(k, err)
				}
				at = end
			}
			back := make([]byte, n)
			if k, err := dr.ReadAt(back, first); int64(k) != n || err != nil && err != io.EOF || !bytes.Equal(back, whole[first:first+n]) {
				t.Fatalf("a draft reads %d of %d bytes, %v", k, n, err)
			}
			if rapid.IntRange(0, 4).Draw(t, "end") == 0 {
				return // aborted
			}
			if _, err := dr.Commit(m.length); err != nil {
				t.Fatal(err)
			}
			m.held = edge.Joined(append(slices.Clone(m.held), span))
			put(k, m)
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				m := modelled{variant: variant.Draw(t, "variant"), mark: mark(), tag: tag.Draw(t, "tag"), length: rapid.Int64Range(0, int64(len(whole))).Draw(t, "length")}
				write(t, key.Draw(t, "key"), m, nil)
			},
			"part": func(t *rapid.T) {
				k := key.Draw(t, "key")
				found := s.Find(k)
				if len(found) == 0 {
					t.Skip("nothing there")
				}
				i := rapid.IntRange(0, len(found)-1).Draw(t, "which")
				m := model[k][i]
				m.mark = mark()
				write(t, k, m, found[i])
			},
			"freshen": func(t *rapid.T) {
				k := key.Draw(t, "key")
				found := s.Find(k)
				if len(found) == 0 {
					t.Skip("nothing there")
				}
				i := rapid.IntRange(0, len(found)-1).Draw(t, "which")
				m := model[k][i]
				m.mark, m.tag = mark(), tag.Draw(t, "tag")
				if _, err := s.Freshen(found[i], stored(m)); err != nil {
					t.Fatal(err)
				}
				put(k, m)
			},
			"delete": func(t *rapid.T) { k := key.Draw(t, "key"); s.Delete(k); delete(model, k) },
			"purge": func(t *rapid.T) {
				tag, want := rapid.SampledFrom([]string{"t", "u"}).Draw(t, "tag"), 0
				for k, all := range model {
					model[k] = slices.DeleteFunc(slices.Clone(all), func(m modelled) bool {
						if m.tag == tag {
							want++
						}
						return m.tag == tag
					})
				}
				if n, err := s.Purge(Purge{Tag: tag}); n != want || err != nil {
					t.Fatalf("purged %d, %v, want %d", n, err, want)
				}
			},
			"restart": func(t *rapid.T) {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if rapid.Bool().Draw(t, "rebuild") {
					os.Remove(s.indexPath())
				}
				s = start()
			},
			"killed": func(t *rapid.T) { // the index does not come to know
				s.index.close()
				s = start()
			},
			"flush": func(t *rapid.T) {
				if err := s.flush(); err != nil {
					t.Fatal(err)
				}
			},
			"scrub": func(t *rapid.T) {
				if r, err := s.Scrub(t.Context()); err != nil || len(r.Damaged)+len(r.Lost) > 0 {
					t.Fatalf("%+v, %v", r, err)
				}
			},
			"": func(t *rapid.T) {
				objects := 0
				for _, k := range keys {
					all, found := model[k], s.Find(k)
					objects += len(all)
					if len(found) != len(all) {
						t.Fatalf("%s: %d found, want %d", k, len(found), len(all))
					}
					for i, m := range all {
						o := found[i]
						if h := o.Head(); h.Variant != m.variant || h.Header.Get("X-Mark") != m.mark || o.Length() != m.length || !slices.Equal(o.Held(), m.held) {
							t.Fatalf("%s: %+v %d %v, want %+v", k, h, o.Length(), o.Held(), m)
						}
						var want []byte
						for _, h := range m.held {
							want = append(want, whole[h.First:h.End()]...)
						}
						if b, err := read(o); err != nil || !bytes.Equal(b, want) {
							t.Fatalf("%s: %d bytes, %v, want %d", k, len(b), err, len(want))
						}
					}
				}
				if st := s.Stats(); st.Objects != objects || st.Write+st.Damaged+st.Buffering > 0 || st.UnderWay > 0 {
					t.Fatalf("%d objects: %+v", objects, st)
				}
			},
		})
	})
}
