package edge

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// etag reads an entity-tag (RFC 9110 §8.8.3); ok is false for anything else.
func etag(s string) (opaque string, weak, ok bool) {
	opaque, weak = strings.CutPrefix(s, "W/")
	if len(opaque) < 2 || opaque[0] != '"' || opaque[len(opaque)-1] != '"' {
		return "", false, false
	}
	for _, c := range []byte(opaque[1 : len(opaque)-1]) {
		if c != 0x21 && (c < 0x23 || c == 0x7f) {
			return "", false, false
		}
	}
	return opaque, weak, true
}

// one is the only line of a field, without spaces around; "" when there is none.
func one(h http.Header, name string) string {
	if lines := h[name]; len(lines) > 0 {
		return trim(lines[0])
	}
	return ""
}

// entityTags are those of If-None-Match. Empty members are none.
func entityTags(lines []string) []string { return members(lines) }

// weakMatch compares two entity-tags weakly (RFC 9110 §8.8.3.2). What is no
// entity-tag is equal to the very same text alone.
func weakMatch(a, b string) bool {
	return a != "" && strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/")
}

// strongMatch compares two entity-tags strongly.
func strongMatch(a, b string) bool {
	_, weak, ok := etag(a)
	return ok && !weak && a == b
}

// Validating is the header of the request that asks the origin whether what is
// stored holds: that of the client without conditions and range of its own, and
// with the validators of what is stored (RFC 9111 §4.3.1). Where nothing stored
// has any, it asks for the whole.
func Validating(q http.Header, stored ...*Stored) http.Header {
	h := q.Clone()
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Range", "Range"} {
		delete(h, name)
	}
	var tags []string
	for _, s := range stored {
		if tag := one(s.Header, "Etag"); tag != "" && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	if len(tags) > 0 {
		h["If-None-Match"] = []string{strings.Join(tags, ", ")}
	}
	if len(stored) == 1 {
		if modified := one(stored[0].Header, "Last-Modified"); modified != "" {
			h["If-Modified-Since"] = []string{modified}
		}
	}
	return h
}

// NotModified says whether the conditions of a client hold against what would be
// given, so that it gets 304 (RFC 9111 §4.3.2, RFC 9110 §13.2.2).
func NotModified(q http.Header, s *Stored, now time.Time) bool {
	if s.Status != http.StatusOK && s.Status != http.StatusPartialContent { // conditions are of what was found (RFC 9110 §13.2.1)
		return false
	}
	if lines, there := q["If-None-Match"]; there {
		tag := one(s.Header, "Etag")
		for _, m := range entityTags(lines) {
			if m == "*" || weakMatch(m, tag) {
				return true
			}
		}
		return false
	}
	since, _, ok := date(q, "If-Modified-Since", now)
	if !ok || len(q["If-Modified-Since"]) > 1 {
		return false
	}
	modified, there, ok := date(s.Header, "Last-Modified", now)
	if !there {
		modified, ok = dated(s.Header, s.Got), true
	}
	return ok && !modified.After(since)
}

// notModifiedFields are those that a 304 brings (RFC 9110 §15.4.5); of the
// others the client has its own.
var notModifiedFields = []string{"Age", "Cache-Control", "Content-Location", "Date", "Etag", "Expires", "Last-Modified", "Vary"}

// NotModifiedHeader is the header of a 304 made of what is stored.
func NotModifiedHeader(h http.Header) http.Header {
	out := make(http.Header, len(notModifiedFields))
	for _, name := range notModifiedFields {
		if lines := h[name]; len(lines) > 0 {
			out[name] = lines
		}
	}
	return out
}

// Freshens says whether a 304 is about what is stored (RFC 9111 §4.3.3): by a
// strong validator of it, else a weak one, else as it carries none.
func Freshens(notModified http.Header, s *Stored) bool {
	if tag := one(notModified, "Etag"); tag != "" {
		if _, weak, _ := etag(tag); !weak {
			return tag == one(s.Header, "Etag")
		}
		return weakMatch(tag, one(s.Header, "Etag"))
	}
	if modified := one(notModified, "Last-Modified"); modified != "" {
		return modified == one(s.Header, "Last-Modified")
	}
	return true
}

// kept are fields that tell how the stored body is made, which a 304 has not:
// those it brings count for nothing (RFC 9111 §3.2).
var kept = []string{"Content-Encoding", "Content-Length", "Content-Range", "Content-Type", "Etag"}

// Freshen is what is stored with the fields that a 304, or an answer to HEAD
// about the same, brings (RFC 9111 §3.2, §4.3.4, §4.3.5). With these it may no
// longer be kept: then what is stored is to go. An answer to a request that
// forbids storing, or to somebody who signed in about what is not for all,
// changes nothing.
func (r Rules) Freshen(s *Stored, q Request, a Response) (*Stored, Refusal) {
	_, authorized := q.Header["Authorization"]
	if authorized && !s.Shared || ParseCacheControl(q.Header["Cache-Control"]).NoStore {
		return s, Keep
	}
	h := s.Header.Clone()
	delete(h, "Age") // of what came then; this answer says its own
	for name, lines := range WithoutConnection(a.Header) {
		if !slices.Contains(kept, name) {
			h[name] = lines
		}
	}
	whole := Response{Status: s.Status, Header: h, Asked: a.Asked, Got: a.Got}
	if authorized { // it was for all by what the origin said then
		q.Header = q.Header.Clone()
		delete(q.Header, "Authorization")
	}
	q.Method = http.MethodGet
	return r.Storable(q, whole)
}

// HeadFreshens says whether an answer to HEAD is about what is stored, so that
// it freshens it; if not, what is stored is out of date (RFC 9111 §4.3.5).
// length is that of the stored body, -1 when it is not known.
func HeadFreshens(a Response, s *Stored, length string) bool {
	for _, name := range []string{"Etag", "Last-Modified"} {
		if v := one(a.Header, name); v != "" && v != one(s.Header, name) {
			return false
		}
	}
	v := one(a.Header, "Content-Length")
	return a.Status == s.Status && (v == "" || length == "" || v == length)
}
