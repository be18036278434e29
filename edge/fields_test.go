package edge

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// Requests that RFC 9111 §4.1 lets a cache treat as equal have one variant, and
// no others.
func TestVariant(t *testing.T) {
	names, star := Selecting(header("Vary: accept-language, Foo,", "Vary: foo, Accept-Language"))
	if star || !slices.Equal(names, []string{"Accept-Language", "Foo"}) {
		t.Fatalf("%q, %v", names, star)
	}
	same := [][]http.Header{
		{header(), header("Bar: 1")},
		{header("Foo:"), header("Foo: ,"), header("Foo:", "Foo:")},
		{header("Foo: 1, 2"), header("Foo: 1", "Foo: 2"), header("foo:  1 ,2")},
		{header("Foo: 2, 1")},
		{header("Foo: A, 2")},
		{header(`Foo: "1,2"`)},
		{header(`Foo: "1, 2"`)},
		{header("Foo: a:b\\n")},
		{header("Accept-Language: en, de"), header("Accept-Language: de, EN"), header("Accept-Language: de;q=1.0", "Accept-Language: en; q=1"), header("Accept-Language: de,en,de")},
		{header("Accept-Language: en, de;q=0.5"), header("Accept-Language: de;q=0.500,en")},
		{header("Accept-Language: en;q=0.5, de")},
		{header("Accept-Language: en, de;q=5")},
		{header("Accept-Language: en, de;q=0")},
		{header("Accept-Language: en, de;level=1")},
	}
	seen := map[string]int{}
	for i, group := range same {
		for _, h := range group {
			v := Variant(names, h)
			if was, ok := seen[v]; ok && was != i {
				t.Errorf("%v has the variant %q of %v", h, v, same[was][0])
			}
			if want := Variant(names, group[0]); v != want {
				t.Errorf("%v: %q, want %q", h, v, want)
			}
			seen[v] = i
		}
	}
	if v := Variant(nil, header("Foo: 1")); v != "" {
		t.Errorf("without Vary: %q", v)
	}
}

func TestParseDate(t *testing.T) {
	want := time.Date(1994, 11, 6, 8, 49, 37, 0, time.UTC)
	for _, s := range []string{"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 gmt"} {
		if got, ok := ParseDate(s, noon); !ok || !got.Equal(want) {
			t.Errorf("%s: %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{
		"", "0", "-1", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37.5 GMT", "Sun, 06-Nov-1994 08:49:37 GMT", "1994-11-06T08:49:37Z", "Sun Nov 06 08:49:37 94", "Sunday, 06-Nov-94 08:49:37.5 GMT",
	} {
		if got, ok := ParseDate(s, noon); ok {
			t.Errorf("%q is read as %v", s, got)
		}
	}
	for s, year := range map[string]int{"Sunday, 06-Nov-75 08:49:37 GMT": 2075, "Sunday, 06-Nov-77 08:49:37 GMT": 1977, "Sunday, 06-Nov-26 08:49:37 GMT": 2026} {
		if got, ok := ParseDate(s, noon); !ok || got.Year() != year {
			t.Errorf("%s: %v, %v, want %d", s, got, ok, year)
		}
	}
	if got, ok := ParseDate("Sunday, 06-Nov-05 08:49:37 GMT", time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)); !ok || got.Year() != 2105 {
		t.Errorf("in the next century: %v, %v", got, ok)
	}
}

func TestInvalidates(t *testing.T) {
	for _, c := range []struct {
		method string
		a      Response
		want   []string
	}{
		{"GET", answer(200, "Location: /x"), nil},
		{"OPTIONS", answer(200), nil},
		{"PROPFIND", answer(207), nil},
		{"POST", answer(200), []string{"http://docs.example/a/b?c"}},
		{"FROBNICATE", answer(204), []string{"http://docs.example/a/b?c"}},
		{"DELETE", answer(404), nil},
		{"PUT", answer(500), nil},
		{"POST", answer(303, "Location: ../x#y", "Content-Location: http://docs.example/z"), []string{"http://docs.example/a/b?c", "http://docs.example/x", "http://docs.example/z"}},
		{"POST", answer(201, "Location: http://elsewhere.example/x", "Content-Location: https://docs.example/z"), []string{"http://docs.example/a/b?c"}},
		{"POST", answer(201, "Location: http://docs.example:8080/x"), []string{"http://docs.example/a/b?c"}},
		{"POST", answer(201, "Location: %zz", "Content-Location: b?c"), []string{"http://docs.example/a/b?c"}},
	} {
		var got []string
		for _, u := range Invalidates(c.method, mustURL("http://anna:secret@docs.example/a/b?c#d"), c.a) {
			got = append(got, u.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s %d %v: %q, want %q", c.method, c.a.Status, c.a.Header, got, c.want)
		}
	}
	if got := Tags(header("Cache-Tag: a, b", "Surrogate-Key: c  d", "Cache-Tag: ,e")); !slices.Equal(got, []string{"a", "b", "e", "c", "d"}) {
		t.Errorf("tags %q", got)
	}
}

func TestStatus(t *testing.T) {
	ttl := -90 * time.Second
	for want, s := range map[string]Status{
		"crinale; hit; ttl=-90": {Cache: "crinale", Hit: true, TTL: &ttl},
		"crinale; fwd=stale; fwd-status=304; stored; collapsed; detail=x": {Cache: "crinale", Fwd: WhyStale, FwdStatus: 304, Stored: true, Collapsed: true, Detail: "x"},
		`"town hall \"A\\B\" ??"; fwd=uri-miss; detail="saved copy"`:      {Cache: "town hall \"A\\B\" è", Fwd: WhyURIMiss, Detail: "saved copy"},
		`"1st"; fwd=bypass`: {Cache: "1st", Fwd: WhyBypass},
	} {
		if got := s.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func FuzzFields(f *testing.F) {
	f.Add("en, de;q=0.5", "Sun, 06 Nov 1994 08:49:37 GMT")
	f.Add(`"a,b", W/"x`, "Sunday, 06-Nov-94 08:49:37 GMT")
	f.Fuzz(func(t *testing.T, list, when string) {
		names := []string{"Accept-Language", "Foo"}
		a := Variant(names, http.Header{"Accept-Language": {list}, "Foo": {list}})
		if b := Variant(names, http.Header{"Accept-Language": {list, ""}, "Foo": {list, ""}}); a != b {
			t.Errorf("%q: an empty line makes %q of %q", list, b, a)
		}
		if d, ok := ParseDate(when, noon); ok {
			if again, ok := ParseDate(d.Format(imfFixdate), noon); d.Year() > 0 && (!ok || !again.Equal(d)) {
				t.Errorf("%q is %v, and that %v", when, d, again)
			}
		}
		Selecting(http.Header{"Vary": {list}})
		Tags(http.Header{"Cache-Tag": {list}})
		NotModified(http.Header{"If-None-Match": {list}, "If-Modified-Since": {when}}, &Stored{Status: 200, Header: http.Header{"Etag": {list}, "Last-Modified": {when}}, Got: noon}, noon)
	})
}
