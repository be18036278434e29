package edge

import (
	"net/http"
	"time"
)

// Ready is the head of a stored answer that was read once, for the many requests
// that it is going to answer.
type Ready struct {
	Stored *Stored

	said     Directives
	lifetime time.Duration
	initial  time.Duration // its age when it came
	names    []string      // the fields that chose it
	star     bool          // nobody can tell which did
	rules    Rules
}

// Ready reads a stored head.
func (r Rules) Ready(s *Stored) Ready {
	out := Ready{Stored: s, initial: s.initial(), rules: r}
	var targeted bool
	out.said, targeted = r.Directives(s.Header)
	out.lifetime, _ = r.lifetime(out.said, targeted, s.Status, s.Header, s.Got)
	out.names, out.star = Selecting(s.Header)
	return out
}

// Fits says whether it was chosen by the same fields as a request chooses by (RFC
// 9111 §4.1).
func (e *Ready) Fits(h http.Header) bool { return !e.star && Variant(e.names, h) == e.Stored.Variant }

// Evaluate is that of the rules, about a request whose address and variant are
// those of the answer.
func (e *Ready) Evaluate(q Request, now time.Time) Decision {
	if why := Bypass(q); why != WhyNot {
		return Decision{Act: Fetch, Why: why}
	}
	asked, s, said := requestDirectives(q.Header), e.Stored, &e.said
	_, authorized := q.Header["Authorization"]
	if e.rules.Profile == Safe && authorized && !s.Shared {
		return orGiveUp(Decision{Act: Fetch, Why: WhyBypass}, asked)
	}
	out := Decision{Lifetime: e.lifetime, Without: said.NoCacheFields}
	var known bool
	if out.Age, known = s.later(e.initial, now); !known {
		out.Lifetime = 0
	}
	over := out.Age - out.Lifetime // since when it is stale
	bound := said.NoCache || said.MustRevalidate || said.ProxyRevalidate || said.SMaxAge.There
	out.IfError = known && !said.NoCache && (out.Fresh() || !bound &&
		(e.rules.StaleIfError > 0 && over <= e.rules.StaleIfError || within(over, said.StaleIfError) || within(over, asked.StaleIfError)))
	switch {
	case said.NoCache:
		out.Act, out.Why = Validate, WhyStale
	case asked.NoCache, asked.MaxAge.There && out.Age > asked.MaxAge.duration(), asked.MinFresh.There && -over < asked.MinFresh.duration():
		// Of RFC 8246 only a browser's reload is different; a shared cache that is
		// told to ask asks.
		out.Act, out.Why = Validate, WhyRequest
		if !out.Fresh() {
			out.Why = WhyStale
		}
	case out.Fresh():
		out.Act, out.IfError = Serve, false
	case !bound && known && within(over, asked.MaxStale):
		out.Act, out.IfError = Serve, false
	case !bound && known && within(over, said.StaleWhileRevalidate):
		out.Act, out.Why = ServeAndValidate, WhyStale
	default:
		out.Act, out.Why = Validate, WhyStale
	}
	return orGiveUp(out, asked)
}
