package proxy

import (
	"io"
	"net/http"
	"strconv"

	"github.com/crinale/crinale/edge"
)

// complete asks for what is missing of a stored answer, so that only that comes
// over the link; false when it must come whole.
func (v *visit) complete(h http.Header, o edge.Object) bool {
	if o == nil || o.Length() < 0 || conditional(v.q.Header) {
		return false
	}
	gap, ok := edge.Gap(o.Held(), o.Length())
	validator := strongest(o.Head())
	if !ok || validator == "" {
		return false
	}
	last := ""
	if gap.End() < o.Length() {
		last = strconv.FormatInt(gap.End()-1, 10)
	}
	h.Set("Range", "bytes="+strconv.FormatInt(gap.First, 10)+"-"+last)
	h.Set("If-Range", validator)
	return true
}

// strongest is the validator of a stored answer that If-Range may carry; "" for
// none (RFC 9110 §13.1.5).
func strongest(s *edge.Stored) string {
	for _, name := range []string{"Etag", "Last-Modified"} {
		value := s.Header.Get(name)
		if q := (edge.Request{Method: http.MethodGet, Header: http.Header{"If-Range": {value}}}); value != "" && edge.RangeApplies(q, s) {
			return value
		}
	}
	return ""
}

// part answers with a part that the origin gave, and keeps it beside what is
// stored of the same whole; false when the part cannot be kept, and is to be
// given as it is.
func (v *visit) part(res *http.Response, a edge.Response, o edge.Object, st edge.Status) bool {
	part, ok := edge.ParseContentRange(a.Header)
	wanted := conditional(v.q.Header) // the client asked for a part
	var s *edge.Stored
	refusal := edge.RefuseRange
	if ok {
		s, refusal = v.s.Rules.Storable(v.q, a)
	}
	joins := ok && o != nil && len(o.Held()) > 0 && edge.Combines(o.Head(), edge.Part{Span: o.Held()[0], Of: o.Length()}, a, part)
	if joins && refusal == edge.Keep {
		s, refusal = v.s.Rules.Freshen(o.Head(), v.q, a)
	} else {
		o = nil
	}
	if !wanted {
		return v.completed(res, part, s, o, refusal, st)
	}
	if refusal != edge.Keep || !ok {
		return false
	}
	whole := *s
	whole.Status, whole.Header = http.StatusOK, s.Header.Clone()
	delete(whole.Header, "Content-Range")
	delete(whole.Header, "Content-Length")
	draft, err := v.p.deps.Store.Begin(v.key, &whole, part, o)
	if err != nil {
		v.p.deps.Log.Warn("a part cannot be stored", "service", v.s.Host, "err", err)
		return false
	}
	defer draft.Abort()
	st.Stored = true
	v.head(edge.WithoutConnection(a.Header), st)
	v.w.WriteHeader(a.Status)
	t := &tee{from: res.Body, to: draft}
	if n, err := copyFlushed(v.w, t); err != nil {
		panic(http.ErrAbortHandler)
	} else if n == part.Length && t.err == nil {
		if _, err := draft.Commit(part.Of); err != nil {
			v.p.deps.Log.Warn("a part cannot be stored", "service", v.s.Host, "err", err)
		}
	}
	return true
}

// completed answers with the whole, of which the origin gave what was missing.
// Where both do not fit together it is asked for whole.
func (v *visit) completed(res *http.Response, part edge.Part, s *edge.Stored, o edge.Object, refusal edge.Refusal, st edge.Status) bool {
	if o != nil && refusal == edge.Keep {
		if whole := v.joined(res, part, s, o); whole != nil {
			age, _ := s.Age(s.Got)
			lifetime, _ := v.s.Rules.Lifetime(s.Status, s.Header, s.Got)
			st.Stored = true
			if v.give(whole, edge.Decision{Age: age, Lifetime: lifetime}, st) {
				return true
			}
		}
	}
	v.p.deps.Store.Delete(v.key)
	v.lead(nil, nil, nil, edge.Decision{Act: edge.Fetch, Why: edge.WhyPartial})
	return true
}

// joined is what is stored with the part that comes; nil when that cannot be.
func (v *visit) joined(res *http.Response, part edge.Part, s *edge.Stored, o edge.Object) edge.Object {
	draft, err := v.p.deps.Store.Begin(v.key, s, part, o)
	if err != nil {
		return nil
	}
	defer draft.Abort()
	if n, err := io.Copy(draft, res.Body); err != nil || n != part.Length {
		return nil
	}
	whole, err := draft.Commit(o.Length())
	if err != nil {
		return nil
	}
	return whole
}

// tee writes what is read to a draft as well, until that fails.
type tee struct {
	from io.Reader
	to   io.Writer
	err  error
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	if n > 0 && t.err == nil {
		_, t.err = t.to.Write(p[:n])
	}
	return n, err
}
