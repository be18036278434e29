package edge

import (
	"net/http"
	"net/url"
	"strings"
)

// Invalidates are the addresses whose stored answers an unsafe request that
// went well makes out of date: the target, and what Location and
// Content-Location name on the same origin (RFC 9111 §4.4). nil when the method
// is safe or the answer is an error. target is absolute.
func Invalidates(method string, target *url.URL, a Response) []*url.URL {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, "PROPFIND", "REPORT", "SEARCH", "QUERY":
		return nil
	}
	if a.Status < 200 || a.Status > 399 {
		return nil
	}
	out := []*url.URL{withoutFragment(target)}
	for _, name := range []string{"Location", "Content-Location"} {
		ref, err := url.Parse(one(a.Header, name))
		if err != nil || len(a.Header[name]) == 0 {
			continue
		}
		if u := withoutFragment(target.ResolveReference(ref)); u.Scheme == target.Scheme && u.Host == target.Host && u.String() != out[0].String() {
			out = append(out, u)
		}
	}
	return out
}

func withoutFragment(u *url.URL) *url.URL {
	out := *u
	out.Fragment, out.RawFragment, out.User = "", "", nil
	return &out
}

// Tags are the names under which an answer can be purged with others: the
// members of Cache-Tag, or of Surrogate-Key between spaces.
func Tags(h http.Header) []string {
	out := members(h["Cache-Tag"])
	for _, line := range h["Surrogate-Key"] {
		out = append(out, strings.Fields(line)...)
	}
	return out
}
