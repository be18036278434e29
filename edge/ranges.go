package edge

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Span is a run of bytes of a representation: from First, Length of them.
type Span struct{ First, Length int64 }

// End is the offset after the last byte.
func (s Span) End() int64 { return s.First + s.Length }

// mostRanges is how many ranges a request may ask for; one that asks for more
// gets the whole (RFC 9110 §14.2).
const mostRanges = 32

// wanted is a range as it is asked for: the last Suffix bytes, or First to Last,
// -1 for the end.
type wanted struct{ first, last, suffix int64 }

// Range is a Range field of bytes (RFC 9110 §14.1.2).
type Range struct{ all []wanted }

// ParseRange reads a Range field. ok is false where there is none, or one that
// is not of bytes or cannot be read, which is as if there were none (RFC 9110
// §14.2).
func ParseRange(h http.Header) (r Range, ok bool) {
	lines := h["Range"]
	if len(lines) != 1 {
		return Range{}, false
	}
	unit, set, ok := strings.Cut(lines[0], "=")
	if !ok || !strings.EqualFold(trim(unit), "bytes") {
		return Range{}, false
	}
	for _, m := range members([]string{set}) {
		w, ok := parseRangeSpec(m)
		if !ok || len(r.all) == mostRanges {
			return Range{}, false
		}
		r.all = append(r.all, w)
	}
	return r, len(r.all) > 0
}

func parseRangeSpec(s string) (w wanted, ok bool) {
	first, last, ok := strings.Cut(s, "-")
	if !ok {
		return w, false
	}
	if first == "" {
		w.suffix, ok = position(last)
		return w, ok
	}
	w.suffix, w.last = -1, -1
	if w.first, ok = position(first); !ok {
		return w, false
	}
	if last != "" {
		w.last, ok = position(last)
		ok = ok && w.last >= w.first
	}
	return w, ok
}

// position reads an offset or a length; more than an int64 holds is no number.
func position(s string) (int64, bool) {
	for i := range len(s) {
		if !digit(s[i]) {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// Of are the spans that are asked for of a whole of so many bytes, in order and
// none touching another; none where no range can be satisfied (416).
func (r Range) Of(length int64) []Span {
	var out []Span
	for _, w := range r.all {
		first, end := w.first, length
		switch {
		case w.suffix >= 0:
			first = length - min(w.suffix, length)
		case w.last >= 0 && w.last < length:
			end = w.last + 1
		}
		if first < end {
			out = append(out, Span{first, end - first})
		}
	}
	return Joined(out)
}

// Joined are the same bytes in order, with spans that overlap or touch made one.
func Joined(spans []Span) []Span {
	all := slices.Clone(spans)
	slices.SortFunc(all, func(a, b Span) int {
		if a.First != b.First {
			return int(min(max(a.First-b.First, -1), 1))
		}
		return int(min(max(a.Length-b.Length, -1), 1))
	})
	var out []Span
	for _, s := range all {
		if n := len(out); n > 0 && s.First <= out[n-1].End() {
			out[n-1].Length = max(out[n-1].End(), s.End()) - out[n-1].First
		} else if s.Length > 0 {
			out = append(out, s)
		}
	}
	return out
}

// Holds says whether all of want is among what is held, which is Joined.
func Holds(held []Span, want Span) bool {
	for _, h := range held {
		if h.First <= want.First && want.End() <= h.End() {
			return true
		}
	}
	return false
}

// Gap is the first run of bytes that lacks of a whole of so many bytes; ok is
// false when all are held. held is Joined.
func Gap(held []Span, length int64) (gap Span, ok bool) {
	at := int64(0)
	for _, h := range held {
		if h.First > at {
			return Span{at, h.First - at}, true
		}
		at = h.End()
	}
	return Span{at, length - at}, at < length
}

// Part is a Content-Range of bytes: which part of how many; Length -1 where the
// origin does not know.
type Part struct {
	Span
	Of int64
}

// ParseContentRange reads a Content-Range of satisfied bytes (RFC 9110 §14.4).
// One that cannot be is no part of anything: ok is false.
func ParseContentRange(h http.Header) (p Part, ok bool) {
	lines := h["Content-Range"]
	if len(lines) != 1 {
		return p, false
	}
	unit, rest, ok := strings.Cut(trim(lines[0]), " ")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return p, false
	}
	span, of, ok := strings.Cut(trim(rest), "/")
	if !ok {
		return p, false
	}
	first, last, ok := strings.Cut(span, "-")
	if !ok {
		return p, false
	}
	f, ok1 := position(first)
	l, ok2 := position(last)
	p.Of = -1
	if of != "*" {
		var ok3 bool
		if p.Of, ok3 = position(of); !ok3 {
			return Part{}, false
		}
	}
	if !ok1 || !ok2 || l < f || p.Of >= 0 && l >= p.Of || l == math.MaxInt64 {
		return Part{}, false
	}
	p.Span = Span{f, l - f + 1}
	return p, true
}

// ContentRange is the field for a part.
func (p Part) ContentRange() string {
	of := "*"
	if p.Of >= 0 {
		of = strconv.FormatInt(p.Of, 10)
	}
	return "bytes " + strconv.FormatInt(p.First, 10) + "-" + strconv.FormatInt(p.End()-1, 10) + "/" + of
}

// Unsatisfied is the Content-Range of a 416.
func Unsatisfied(length int64) string { return "bytes */" + strconv.FormatInt(length, 10) }

// RangeApplies says whether a Range is to be heeded against what is stored: only
// of GET, and only if the validator in If-Range is that of what is stored, by
// strong comparison (RFC 9110 §13.1.5, §14.2).
func RangeApplies(q Request, s *Stored) bool {
	if q.Method != http.MethodGet || s.Status != http.StatusOK && s.Status != http.StatusPartialContent {
		return false
	}
	lines, there := q.Header["If-Range"]
	if !there {
		return true
	}
	if len(lines) != 1 {
		return false
	}
	v := trim(lines[0])
	if _, _, ok := etag(v); ok {
		return strongMatch(v, one(s.Header, "Etag"))
	}
	return v != "" && v == one(s.Header, "Last-Modified") && strongModified(s)
}

// strongModified says that Last-Modified is a strong validator: it lies a second
// or more before Date (RFC 9110 §8.8.2.2).
func strongModified(s *Stored) bool {
	modified, _, ok := date(s.Header, "Last-Modified", s.Got)
	sent, _, known := date(s.Header, "Date", s.Got)
	return ok && known && sent.Sub(modified).Seconds() >= 1
}

// Combines says whether a new part is of the same representation as what is
// stored, so that both may be joined (RFC 9111 §3.4): both have the same strong
// validator, and the same length where both say one.
func Combines(s *Stored, stored Part, a Response, part Part) bool {
	if stored.Of >= 0 && part.Of >= 0 && stored.Of != part.Of {
		return false
	}
	if tag := one(a.Header, "Etag"); tag != "" || one(s.Header, "Etag") != "" {
		return strongMatch(tag, one(s.Header, "Etag"))
	}
	modified := one(a.Header, "Last-Modified")
	return modified != "" && modified == one(s.Header, "Last-Modified") && strongModified(s)
}
