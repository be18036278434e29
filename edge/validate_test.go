package edge

import (
	"slices"
	"testing"
	"time"
)

func TestNotModified(t *testing.T) {
	modified := "Last-Modified: {-1h}"
	for _, c := range []struct {
		stored, asked []string
		want          bool
	}{
		{[]string{`ETag: "a"`}, []string{`If-None-Match: "a"`}, true},
		{[]string{`ETag: "a"`}, []string{`If-None-Match: W/"a"`}, true},
		{[]string{`ETag: W/"a"`}, []string{`If-None-Match: "a"`}, true},
		{[]string{`ETag: "a"`}, []string{`If-None-Match: "b", "a" , "c"`}, true},
		{[]string{`ETag: "a"`}, []string{`If-None-Match: "b"`, `If-None-Match: "a"`}, true},
		{[]string{`ETag: "a,b"`}, []string{`If-None-Match: "a,b"`}, true},
		{[]string{`ETag: "a"`}, []string{`If-None-Match: "b", "c"`}, false},
		{[]string{`ETag: "a"`}, []string{`If-None-Match: *`}, true},
		{[]string{`ETag: "a"`}, []string{`If-None-Match: w/"a"`}, false},
		{[]string{`ETag: "a"`}, []string{`If-None-Match: a`}, false},
		{nil, []string{`If-None-Match: "a"`}, false},
		{nil, []string{`If-None-Match:`}, false},
		{[]string{`ETag: "a"`, modified}, []string{`If-None-Match: "b"`, "If-Modified-Since: {0s}"}, false}, // §13.1.3
		{[]string{modified}, []string{"If-Modified-Since: {-1h}"}, true},
		{[]string{modified}, []string{"If-Modified-Since: {-59m}"}, true},
		{[]string{modified}, []string{"If-Modified-Since: {-61m}"}, false},
		{[]string{modified}, []string{"If-Modified-Since: yesterday"}, false},
		{[]string{modified}, []string{"If-Modified-Since: {0s}", "If-Modified-Since: {0s}"}, false},
		{nil, []string{"If-Modified-Since: {0s}"}, true}, // by Date
		{nil, []string{"If-Modified-Since: {-1s}"}, false},
		{[]string{"Last-Modified: yesterday"}, []string{"If-Modified-Since: {0s}"}, false},
		{[]string{`ETag: "a"`}, nil, false},
	} {
		s := keep(t, strictly, get(), answer(200, append(c.stored, "Cache-Control: max-age=9")...))
		if got := NotModified(header(c.asked...), s, noon); got != c.want {
			t.Errorf("%q against %q: %v", c.asked, c.stored, got)
		}
	}
	if NotModified(header("If-None-Match: *"), keep(t, strictly, get(), answer(404, "Cache-Control: max-age=9")), noon) {
		t.Error("304 for what was not found")
	}
	h := NotModifiedHeader(answer(200, `ETag: "a"`, "Cache-Control: max-age=9", "Vary: a", "Content-Type: text/plain", "Content-Length: 3", "X-A: 1", "Expires: {1h}", "Content-Location: /a").Header)
	if len(h) != 6 || h["Content-Type"] != nil || h["X-A"] != nil || h["Content-Length"] != nil {
		t.Errorf("the header of a 304: %v", h)
	}
}

// RFC 9111 §4.3.1: the cache asks with its own validators, never with the
// client's conditions or range.
func TestValidating(t *testing.T) {
	q := header(`If-None-Match: "client"`, "If-Modified-Since: {0s}", "Range: bytes=0-1", `If-Range: "client"`, "Accept: text/html")
	a := keep(t, strictly, get(), answer(200, `ETag: "a"`, "Last-Modified: {-1h}", "Cache-Control: max-age=9"))
	b := keep(t, strictly, get(), answer(200, `ETag: W/"b"`, "Cache-Control: max-age=9"))
	if h := Validating(q, a); h.Get("If-None-Match") != `"a"` || h.Get("If-Modified-Since") != a.Header.Get("Last-Modified") || h["Range"] != nil || h["If-Range"] != nil || h.Get("Accept") != "text/html" {
		t.Errorf("%v", h)
	}
	if h := Validating(q, a, b, a); h.Get("If-None-Match") != `"a", W/"b"` || h["If-Modified-Since"] != nil {
		t.Errorf("of two: %v", h)
	}
	if h := Validating(q); len(h) != 1 {
		t.Errorf("of none: %v", h)
	}
	if q.Get("Range") == "" {
		t.Error("the client's header was changed")
	}
}

func TestFreshen(t *testing.T) {
	s := keep(t, strictly, get(), answer(200, `ETag: "a"`, "Cache-Control: max-age=9", "Age: 5", "X-A: 1", "X-B: 1", "Content-Type: text/plain", "Content-Length: 3", "Content-Encoding: gzip"))
	later := noon.Add(time.Minute)
	with := func(lines ...string) Response {
		a := answer(304, lines...)
		a.Header.Set("Date", later.Format(imfFixdate))
		a.Asked, a.Got = later, later
		return a
	}
	got, why := strictly.Freshen(s, get(), with(`ETag: "a"`, "Cache-Control: max-age=99", "X-A: 2", "Content-Type: x/y", "Content-Length: 7", "Content-Encoding: br", "Connection: X-C", "X-C: 1"))
	if why != Keep {
		t.Fatalf("refused: %s", why)
	}
	want := header(`ETag: "a"`, "Cache-Control: max-age=99", "X-A: 2", "X-B: 1", "Content-Type: text/plain", "Content-Length: 3", "Content-Encoding: gzip", "Date: {1m}")
	for name := range want {
		if !slices.Equal(got.Header[name], want[name]) {
			t.Errorf("%s: %q, want %q", name, got.Header[name], want[name])
		}
	}
	if len(got.Header) != len(want) || got.Status != 200 {
		t.Errorf("%d %v", got.Status, got.Header)
	}
	if age, _ := got.Age(later); age != 0 || s.Header.Get("X-A") != "1" || s.Header.Get("Age") != "5" {
		t.Errorf("age %v, and before: %v", age, s.Header)
	}
	for want, a := range map[Refusal]Response{
		RefuseNoStore: with("Cache-Control: no-store"), RefusePrivate: with("Cache-Control: private"), RefuseVary: with("Vary: *"),
	} {
		if _, got := strictly.Freshen(s, get(), a); got != want {
			t.Errorf("%v: %q, want %q", a.Header, got, want)
		}
	}
	if _, why := DefaultRules().Freshen(s, get(), with("Set-Cookie: a=b")); why != RefuseCookie {
		t.Errorf("a cookie with the 304: %q", why)
	}
	if got, _ := strictly.Freshen(s, get("Cache-Control: no-store"), with("X-A: 3")); got != s {
		t.Errorf("by a request that forbids storing: %v", got.Header)
	}
	if got, why := strictly.Freshen(s, get("Foo: 2"), with("Vary: Foo")); why != Keep || got.Variant == "" {
		t.Errorf("a Vary that comes later: %+v, %q", got, why)
	}
	open := keep(t, strictly, get(), answer(200, "Cache-Control: public, max-age=9"))
	if got, why := strictly.Freshen(open, get("Authorization: x"), with()); why != Keep || !got.Shared {
		t.Errorf("public, by somebody who signed in: %q", why)
	}
	if got, why := strictly.Freshen(s, get("Authorization: x"), with("X-A: 4")); why != Keep || got != s {
		t.Errorf("not for all, by somebody who signed in: %q, %v", why, got.Header)
	}
}

// RFC 9111 §4.3.3.
func TestFreshens(t *testing.T) {
	s := keep(t, strictly, get(), answer(200, `ETag: "a"`, "Last-Modified: {-1h}", "Cache-Control: max-age=9"))
	for _, c := range []struct {
		lines []string
		want  bool
	}{
		{[]string{`ETag: "a"`}, true}, {[]string{`ETag: "b"`}, false}, {[]string{`ETag: W/"a"`}, true},
		{[]string{"Last-Modified: {-1h}"}, true}, {[]string{"Last-Modified: {-2h}"}, false}, {nil, true},
		{[]string{`ETag: "b"`, "Last-Modified: {-1h}"}, false},
	} {
		if got := Freshens(header(c.lines...), s); got != c.want {
			t.Errorf("%q: %v", c.lines, got)
		}
	}
}

// RFC 9111 §4.3.5.
func TestHeadFreshens(t *testing.T) {
	s := keep(t, strictly, get(), answer(200, `ETag: "a"`, "Cache-Control: max-age=9"))
	for _, c := range []struct {
		a      Response
		length string
		want   bool
	}{
		{answer(200, `ETag: "a"`), "3", true}, {answer(200, `ETag: "a"`, "Content-Length: 3"), "3", true},
		{answer(200, `ETag: "a"`, "Content-Length: 4"), "3", false}, {answer(200, `ETag: "b"`), "3", false},
		{answer(200, "Last-Modified: {-1h}"), "3", false}, {answer(404), "3", false}, {answer(200, "Content-Length: 4"), "", true},
	} {
		if got := HeadFreshens(c.a, s, c.length); got != c.want {
			t.Errorf("%d %v: %v", c.a.Status, c.a.Header, got)
		}
	}
}

func TestEntityTags(t *testing.T) {
	for tag, want := range map[string][2]bool{ // weak, ok
		`"a"`: {false, true}, `W/"a"`: {true, true}, `""`: {false, true}, `"é"`: {false, true}, `"!#"`: {false, true},
		`w/"a"`: {}, `"a`: {}, `a`: {}, `"a"b"`: {}, `"a b"`: {}, "": {}, `W/`: {}, "\"\x7f\"": {},
	} {
		if _, weak, ok := etag(tag); weak != want[0] && ok || ok != want[1] {
			t.Errorf("%s: weak %v, %v", tag, weak, ok)
		}
	}
	if strongMatch(`W/"a"`, `W/"a"`) || !strongMatch(`"a"`, `"a"`) || strongMatch("a", "a") || weakMatch("", "") {
		t.Error("comparison")
	}
}
