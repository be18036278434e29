package edge

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

func TestRange(t *testing.T) {
	for field, want := range map[string][]Span{
		"bytes=0-0":                   {{0, 1}},
		"bytes=0-":                    {{0, 10}},
		"bytes=9-":                    {{9, 1}},
		"bytes=-3":                    {{7, 3}},
		"bytes=-30":                   {{0, 10}},
		"bytes=2-99":                  {{2, 8}},
		"BYTES = 1-2":                 {{1, 2}},
		"bytes=0-1, ,4-5":             {{0, 2}, {4, 2}},
		"bytes=4-5,0-1":               {{0, 2}, {4, 2}},
		"bytes=0-3,2-5,6-7":           {{0, 8}},
		"bytes=0-1,99-":               {{0, 2}},
		"bytes=10-":                   nil,
		"bytes=-0":                    nil,
		"bytes=0-9223372036854775807": {{0, 10}},
		"bytes=9223372036854775807-":  nil,
	} {
		r, ok := ParseRange(header("Range: " + field))
		if got := r.Of(10); !ok || !slices.Equal(got, want) {
			t.Errorf("%s: %v %v, want %v", field, ok, got, want)
		}
	}
	many := "bytes=0-0" + strings.Repeat(",2-2", mostRanges)
	for _, field := range []string{"", "bytes", "bytes=", "bytes=,", "bytes=a-b", "bytes=2-1", "bytes=-", "bytes=--1", "bytes=+1-2", "bytes=1-2-3", "items=0-1", "bytes=1-2;3", "bytes=0-9223372036854775808", many} {
		if r, ok := ParseRange(header("Range: " + field)); ok {
			t.Errorf("%q is read as %+v", field, r)
		}
	}
	if _, ok := ParseRange(header("Range: bytes=0-1", "Range: bytes=2-3")); ok {
		t.Error("two fields are read as one")
	}
}

func TestContentRange(t *testing.T) {
	for field, want := range map[string]Part{
		"bytes 0-4/10": {Span{0, 5}, 10},
		"bytes 9-9/10": {Span{9, 1}, 10},
		"Bytes 2-4/*":  {Span{2, 3}, -1},
	} {
		if got, ok := ParseContentRange(header("Content-Range: " + field)); !ok || got != want {
			t.Errorf("%s: %+v, %v", field, got, ok)
		} else if again, ok := ParseContentRange(http.Header{"Content-Range": {got.ContentRange()}}); !ok || again != want {
			t.Errorf("%s written as %s", field, got.ContentRange())
		}
	}
	for _, field := range []string{"", "bytes */10", "bytes 4-0/10", "bytes 0-10/10", "bytes 0-4", "bytes 0-4/x", "items 0-4/10", "bytes -4/10", "bytes 0-/10", "bytes 0-9223372036854775807/*", "bytes=0-4/10"} {
		if got, ok := ParseContentRange(header("Content-Range: " + field)); ok {
			t.Errorf("%q is read as %+v", field, got)
		}
	}
}

func TestHeldParts(t *testing.T) {
	held := Joined([]Span{{6, 4}, {0, 2}, {1, 2}, {9, 0}})
	if !slices.Equal(held, []Span{{0, 3}, {6, 4}}) {
		t.Fatalf("%v", held)
	}
	if !Holds(held, Span{1, 2}) || Holds(held, Span{2, 2}) || Holds(held, Span{0, 10}) || !Holds(held, Span{6, 4}) {
		t.Error("what is held")
	}
	if gap, ok := Gap(held, 12); !ok || gap != (Span{3, 3}) {
		t.Errorf("the first gap: %v, %v", gap, ok)
	}
	if gap, ok := Gap([]Span{{0, 3}}, 12); !ok || gap != (Span{3, 9}) {
		t.Errorf("the gap at the end: %v, %v", gap, ok)
	}
	if _, ok := Gap([]Span{{0, 12}}, 12); ok {
		t.Error("a gap in the whole")
	}
}

// RFC 9110 §13.1.5: a Range is heeded only against the version that If-Range
// names for certain.
func TestIfRange(t *testing.T) {
	s := keep(t, strictly, get(), answer(200, "Cache-Control: max-age=9", `ETag: "a"`, "Last-Modified: {-1h}"))
	modified := s.Header.Get("Last-Modified")
	for v, want := range map[string]bool{`"a"`: true, `W/"a"`: false, `"b"`: false, modified: true, noon.Format(imfFixdate): false, "": false} {
		if got := RangeApplies(get("If-Range: "+v), s); got != want {
			t.Errorf("If-Range %s: %v", v, got)
		}
	}
	if !RangeApplies(get(), s) || RangeApplies(Request{Method: "HEAD", Header: header()}, s) {
		t.Error("without If-Range")
	}
	weak := keep(t, strictly, get(), answer(200, "Cache-Control: max-age=9", `ETag: W/"a"`, "Last-Modified: {0s}"))
	if RangeApplies(get(`If-Range: W/"a"`), weak) || RangeApplies(get("If-Range: "+noon.Format(imfFixdate)), weak) {
		t.Error("a weak validator is taken for a strong one")
	}
	if RangeApplies(get(), keep(t, strictly, get(), answer(404, "Cache-Control: max-age=9"))) {
		t.Error("a range of what was not found")
	}
}

// RFC 9111 §3.4: parts are joined only when both are of one representation.
func TestCombines(t *testing.T) {
	for _, c := range []struct {
		stored, now []string
		a, b        Part
		want        bool
	}{
		{[]string{`ETag: "a"`}, []string{`ETag: "a"`}, Part{Span{0, 2}, 10}, Part{Span{2, 2}, 10}, true},
		{[]string{`ETag: "a"`}, []string{`ETag: "a"`}, Part{Span{0, 2}, 10}, Part{Span{2, 2}, -1}, true},
		{[]string{`ETag: "a"`}, []string{`ETag: "a"`}, Part{Span{0, 2}, 10}, Part{Span{2, 2}, 11}, false},
		{[]string{`ETag: "a"`}, []string{`ETag: "b"`}, Part{Span{0, 2}, 10}, Part{Span{2, 2}, 10}, false},
		{[]string{`ETag: W/"a"`}, []string{`ETag: W/"a"`}, Part{Span{0, 2}, 10}, Part{Span{2, 2}, 10}, false},
		{[]string{`ETag: "a"`, "Last-Modified: {-1h}"}, []string{"Last-Modified: {-1h}"}, Part{Span{0, 2}, 10}, Part{Span{2, 2}, 10}, false},
		{[]string{"Last-Modified: {-1h}"}, []string{"Last-Modified: {-1h}"}, Part{Span{0, 2}, 10}, Part{Span{2, 2}, 10}, true},
		{[]string{"Last-Modified: {0s}"}, []string{"Last-Modified: {0s}"}, Part{Span{0, 2}, 10}, Part{Span{2, 2}, 10}, false},
		{nil, nil, Part{Span{0, 2}, 10}, Part{Span{2, 2}, 10}, false},
	} {
		s := &Stored{Status: 206, Header: answer(206, c.stored...).Header, Got: noon}
		if got := Combines(s, c.a, answer(206, c.now...), c.b); got != c.want {
			t.Errorf("%q with %q: %v", c.stored, c.now, got)
		}
	}
}

func FuzzRange(f *testing.F) {
	f.Add("bytes=0-1,-5,9-", "bytes 0-4/10", int64(10))
	f.Add("bytes=9223372036854775807-", "bytes 9223372036854775806-9223372036854775806/9223372036854775807", int64(1<<62))
	f.Fuzz(func(t *testing.T, field, part string, length int64) {
		if length < 0 {
			return
		}
		if r, ok := ParseRange(http.Header{"Range": {field}}); ok {
			last := int64(-1)
			for _, s := range r.Of(length) {
				if s.First <= last || s.Length <= 0 || s.End() > length || s.End() < s.First {
					t.Errorf("%q of %d: %v", field, length, r.Of(length))
				}
				last = s.End()
			}
		}
		if p, ok := ParseContentRange(http.Header{"Content-Range": {part}}); ok {
			if p.Length <= 0 || p.End() <= p.First || p.Of >= 0 && p.End() > p.Of {
				t.Errorf("%q: %+v", part, p)
			}
			if again, ok := ParseContentRange(http.Header{"Content-Range": {p.ContentRange()}}); !ok || again != p {
				t.Errorf("%q is written as %q", part, p.ContentRange())
			}
		}
	})
}
