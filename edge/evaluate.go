package edge

import (
	"net/http"
	"time"
)

// Act is what is done about a request.
type Act uint8

const (
	// Fetch asks the origin as if nothing were stored.
	Fetch Act = iota
	// Validate asks the origin whether what is stored still holds.
	Validate
	// Serve gives what is stored.
	Serve
	// ServeAndValidate gives what is stored, stale, and asks the origin behind it
	// (RFC 5861 §3).
	ServeAndValidate
	// GiveUp answers 504, since the request wants nothing but what is stored.
	GiveUp
)

func (a Act) String() string {
	return [...]string{"fetch", "validate", "serve", "serve and validate", "give up"}[a]
}

// Why is the reason of RFC 9211 §2.2 for asking the origin; "" when it is not
// asked.
type Why string

// The reasons.
const (
	WhyNot     Why = ""
	WhyBypass  Why = "bypass"
	WhyMethod  Why = "method"
	WhyURIMiss Why = "uri-miss"
	WhyVary    Why = "vary-miss"
	WhyMiss    Why = "miss"
	WhyRequest Why = "request"
	WhyStale   Why = "stale"
	WhyPartial Why = "partial"
)

// Decision is what is to be done about a request, and on what grounds.
type Decision struct {
	Act      Act
	Why      Why
	Age      time.Duration // of what is stored
	Lifetime time.Duration
	// IfError says that what is stored may be given when the origin cannot be
	// reached, or answers 500, 502, 503 or 504 (RFC 5861 §4).
	IfError bool
	// Without are fields that may not be given unless validated (RFC 9111
	// §5.2.2.4).
	Without []string
}

// Fresh says that the lifetime of what is stored is not over.
func (d Decision) Fresh() bool { return d.Age < d.Lifetime }

// Stale says that what is given is over its lifetime.
func (d Decision) Stale() bool { return (d.Act == Serve || d.Act == ServeAndValidate) && !d.Fresh() }

// Bypass says whether a request goes by the cache whatever is stored: its method
// is another, or its conditions are for the origin alone (RFC 9111 §4.3.2).
func Bypass(q Request) Why {
	switch {
	case q.Method != http.MethodGet && q.Method != http.MethodHead:
		return WhyMethod
	case len(q.Header["If-Match"]) > 0, len(q.Header["If-Unmodified-Since"]) > 0:
		return WhyBypass
	}
	return WhyNot
}

// Evaluate decides about a request whose address and variant are those of s
// (RFC 9111 §4). s may be nil: nothing is stored that fits.
func (r Rules) Evaluate(s *Stored, q Request, now time.Time) Decision {
	if why := Bypass(q); why != WhyNot {
		return Decision{Act: Fetch, Why: why}
	}
	if s == nil {
		return orGiveUp(Decision{Act: Fetch, Why: WhyMiss}, requestDirectives(q.Header))
	}
	e := r.Ready(s)
	return e.Evaluate(q, now)
}

// Unsure is a decision where what is stored may be out of date in a way that it
// does not say itself, such as by an order to forget it that was not heard: the
// origin is asked whether it holds.
func (d Decision) Unsure(q Request) Decision {
	if d.Act != Serve && d.Act != ServeAndValidate {
		return d
	}
	d.Act, d.Why = Validate, WhyStale
	return orGiveUp(d, requestDirectives(q.Header))
}

// within says that something is stale for no longer than a directive allows.
func within(over time.Duration, d Delta) bool { return d.There && over <= d.duration() }

// orGiveUp is 504 where the origin may not be asked (RFC 9111 §5.2.1.7).
func orGiveUp(d Decision, asked Directives) Decision {
	if asked.OnlyIfCached && (d.Act == Fetch || d.Act == Validate) {
		d.Act, d.Why = GiveUp, WhyNot
	}
	return d
}

// requestDirectives are those of a request; without Cache-Control, Pragma
// no-cache counts as no-cache (RFC 9111 §5.4).
func requestDirectives(h http.Header) Directives {
	d := ParseCacheControl(h["Cache-Control"])
	if len(h["Cache-Control"]) == 0 {
		for _, m := range members(h["Pragma"]) {
			if token(m) && http.CanonicalHeaderKey(m) == "No-Cache" {
				d.NoCache = true
			}
		}
	}
	return d
}
