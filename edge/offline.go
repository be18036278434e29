package edge

import "time"

// OfflineRule says what a service gives of what is stored while its origin
// cannot be reached.
type OfflineRule string

// The rules.
const (
	// OfflineNever gives what is fresh, and nothing else.
	OfflineNever OfflineRule = "never"
	// OfflineIfError gives what the origin, or Rules.StaleIfError, lets be given
	// after an error (RFC 5861 §4).
	OfflineIfError OfflineRule = "stale-if-error"
	// OfflineUntil gives what was received no longer ago than a time, whatever its
	// lifetime: for a service whose owner agreed to it.
	OfflineUntil OfflineRule = "until"
)

// Offline is what a service gives while its origin cannot be reached. The zero
// Offline is that of OfflineIfError.
type Offline struct {
	Rule  OfflineRule
	Until time.Duration // of OfflineUntil: since it was received or validated
	// EvenMustRevalidate lets OfflineUntil give what says must-revalidate,
	// proxy-revalidate, s-maxage or no-cache, which RFC 9111 §5.2.2 forbids: only
	// where the owner of the service says so in as many words.
	EvenMustRevalidate bool
}

// Unreachable decides about a request whose origin cannot be reached: Serve, or
// GiveUp. What a request says of freshness does not count then, since the
// alternative is nothing (RFC 9111 §4.2.4), but an answer that was not for
// others is none here either.
func (r Rules) Unreachable(s *Stored, q Request, now time.Time) Decision {
	d := r.Evaluate(s, q, now)
	if s == nil || d.Why == WhyBypass || d.Why == WhyMethod {
		return Decision{Act: GiveUp, Why: d.Why}
	}
	said, _ := r.Directives(s.Header)
	bound := said.NoCache || said.MustRevalidate || said.ProxyRevalidate || said.SMaxAge.There
	serve := d.Act == Serve
	switch r.Offline.Rule {
	case OfflineNever:
		serve = d.Fresh() && !said.NoCache
	case OfflineUntil:
		resident := now.Sub(s.Got)
		serve = serve || d.Fresh() && !said.NoCache || d.IfError ||
			resident >= 0 && resident <= r.Offline.Until && (!bound || r.Offline.EvenMustRevalidate)
	default:
		serve = serve || d.Fresh() && !said.NoCache || d.IfError
	}
	d.Act = GiveUp
	if serve {
		d.Act, d.IfError = Serve, false
	}
	if bound && r.Offline.EvenMustRevalidate && r.Offline.Rule == OfflineUntil {
		d.Without = nil // the fields of no-cache="…" are a part of what the owner lets be given
	}
	return d
}
