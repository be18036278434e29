package proxy

import (
	"hash/maphash"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/crinale/crinale/edge"
)

// given is the head of a stored answer as it is given time and again: read, and
// with the fields that do not change from one time to the next made once.
type given struct {
	edge.Ready
	fields []field  // without Age and Cache-Status
	before []string // what caches before this one say in Cache-Status
	dated  bool     // there is a Date
	whole  bool     // all of it is stored
	now    atomic.Pointer[stamp]
}

type field struct {
	name  string
	lines []string
}

// stamp is what changes from one second to the next.
type stamp struct {
	age, ttl, length        int64
	ages, lengths, statuses []string
}

// recent are the heads that were given last, by the hash of their address. What
// is stored never changes, and has a head of its own, so one that is there is
// right as long as it is the very same that the store gives.
type recent struct {
	seed maphash.Seed
	all  [512]atomic.Pointer[given]
}

// of is the head of what is stored at an address.
func (c *recent) of(key string, o edge.Object, v *visit) *given {
	s := o.Head()
	at := &c.all[maphash.String(c.seed, key)%uint64(len(c.all))]
	if g := at.Load(); g != nil && g.Stored == s {
		return g
	}
	g := &given{Ready: v.s.Rules.Ready(s), before: s.Header["Cache-Status"], dated: len(s.Header["Date"]) > 0,
		whole: o.Length() > 0 && edge.Holds(o.Held(), edge.Span{Length: o.Length()})}
	for name, lines := range s.Header {
		switch name {
		case "Age", "Cache-Status", "Content-Length":
		default:
			g.fields = append(g.fields, field{name, slices.Clip(lines)}) // whoever adds a line makes a copy
		}
	}
	at.Store(g)
	return g
}

// mostCounted is the length up to which net/http counts a body by itself, in its
// own buffer. A map of more than eight fields costs it twice as much, and most
// answers have about so many.
const mostCounted = 2048

// matching is the newest of what is stored that was chosen by the same fields as
// this request chooses by; nil for none.
func (v *visit) matching(found []edge.Object) (edge.Object, *given) {
	for _, o := range found {
		if g := v.p.recent.of(v.key, o, v); g.Fits(v.q.Header) {
			return o, g
		}
	}
	return nil, nil
}

// giveWhole is give for most hits: the whole of an answer, as it is. It is false
// where it is not as simple as that, and nothing was answered.
func (v *visit) giveWhole(o edge.Object, g *given, d edge.Decision) bool {
	length, status := o.Length(), g.Stored.Status
	if d.Act != edge.Serve || len(d.Without) > 0 || conditional(v.q.Header) || status == http.StatusNoContent || v.q.Method != http.MethodGet || !g.whole {
		return false
	}
	body, err := o.Open()
	if err != nil {
		return false // and give says why
	}
	defer body.Close()
	own := v.w.Header()
	for _, f := range g.fields {
		own[f.name] = f.lines
	}
	if !g.dated {
		own.Set("Date", v.asked.UTC().Format(http.TimeFormat))
	}
	now := g.at(d, length, v.p.cfg.Name)
	own["Age"], own["Cache-Status"] = now.ages, now.statuses
	if length > mostCounted {
		own["Content-Length"] = now.lengths
	}
	v.w.WriteHeader(status)
	n, err := send(v.w, body, edge.Span{Length: length})
	v.count().given.Add(n)
	if err != nil || n < length {
		panic(http.ErrAbortHandler)
	}
	return true
}

// at is the stamp of a decision.
func (g *given) at(d edge.Decision, length int64, cache string) *stamp {
	ttl := d.Lifetime - d.Age
	was, now := g.now.Load(), stamp{age: int64(d.Age / time.Second), ttl: int64(ttl / time.Second), length: length}
	if was != nil && was.age == now.age && was.ttl == now.ttl && was.length == now.length {
		return was
	}
	now.ages, now.lengths = []string{strconv.FormatInt(now.age, 10)}, []string{strconv.FormatInt(length, 10)}
	now.statuses = slices.Clip(append(slices.Clip(g.before), edge.Status{Cache: cache, Hit: true, TTL: &ttl}.String()))
	g.now.Store(&now)
	return &now
}
