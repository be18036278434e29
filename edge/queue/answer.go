package queue

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/edge"
)

// outcome is what an answer of the origin means for a write.
type outcome uint8

const (
	retry   outcome = iota // not done, or not known: again later
	done                   // accepted
	taken                  // the origin has it and does it later (202)
	refused                // it said no, and why
	differs                // the condition does not hold: compare
	busy                   // it is still at the very same request
)

func (o outcome) String() string {
	return [...]string{"retry", "done", "taken", "refused", "differs", "busy"}[o]
}

// verdict is what to do about a write after an attempt.
type verdict struct {
	outcome outcome
	reason  string
	after   time.Duration // not before; 0: by the usual steps
	// undone says that this attempt surely changed nothing.
	undone bool
	pause  bool // all of the service waits too
}

// judge reads an answer. It follows no redirect and takes none as done, unless
// the rule says so: behind one stands as often a page to sign in.
func judge(e *Entry, status int, h http.Header, now time.Time) verdict {
	said := "the origin answered " + strconv.Itoa(status)
	switch {
	case status == http.StatusAccepted:
		return verdict{outcome: taken, reason: said + ": it does it later"}
	case status >= 200 && status < 300, status == http.StatusSeeOther && e.SeeOther:
		return verdict{outcome: done, reason: said}
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return verdict{outcome: retry, reason: said, after: retryAfter(h, now), undone: status == http.StatusTooManyRequests, pause: status == http.StatusTooManyRequests}
	case status == http.StatusPreconditionFailed:
		return verdict{outcome: differs, reason: said + ": it was changed meanwhile"}
	case status == http.StatusConflict && e.Key != "":
		return verdict{outcome: busy, reason: said + ": it may still be at this very request", after: retryAfter(h, now)}
	case status == http.StatusConflict:
		return verdict{outcome: differs, reason: said + ": it does not fit what is there"}
	case status == http.StatusNotFound || status == http.StatusGone:
		return gone(e, said)
	case status == http.StatusUnauthorized && len(e.Secret) == 0, // the edge itself is not signed in: no fault of the person
		status == http.StatusProxyAuthRequired, status == http.StatusRequestTimeout, status == http.StatusMisdirectedRequest,
		status == http.StatusTooEarly, status == http.StatusNetworkAuthenticationRequired:
		return verdict{outcome: retry, reason: said, undone: true}
	case status >= 400 && status < 500, status == http.StatusNotImplemented, status == http.StatusHTTPVersionNotSupported:
		return verdict{outcome: refused, reason: said}
	}
	return verdict{outcome: retry, reason: said}
}

// gone judges 404 and 410: what was to be deleted is, and what was to be changed
// has been deleted by somebody.
func gone(e *Entry, said string) verdict {
	switch e.Class {
	case edge.ClassDelete:
		return verdict{outcome: done, reason: said + ": it is gone already"}
	case edge.ClassUpdate:
		return verdict{outcome: differs, reason: said + ": somebody deleted it"}
	}
	return verdict{outcome: refused, reason: said}
}

// mostAfter is the longest that an origin can put a write off at once.
const mostAfter = 24 * time.Hour

// retryAfter reads Retry-After (RFC 9110 §10.2.3); 0 when it cannot be read.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return min(time.Duration(n)*time.Second, mostAfter)
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(t.Sub(now), 0), mostAfter)
	}
	return 0
}

// backoff is how long a write waits after its n-th failure: doubled each time,
// with a fifth of chance so that writes do not march in step.
func backoff(c Config, n int) time.Duration {
	d := c.RetryMin
	for range min(n, 40) {
		if d >= c.RetryMax/2 {
			d = c.RetryMax
			break
		}
		d *= 2
	}
	return d - d/10 + share(d/5)
}
