package proxy

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/crinale/crinale/edge"
)

// Watch knows how the edge stands to the world, and is told how requests ended.
type Watch interface {
	Stand() edge.Stand
	Note(way edge.Way, ok bool)
}

// How many connections to one origin must fail in a row until no more are tried,
// and for how long: one request is then let through. A request that is lost on a
// connection that was made counts for nothing here, or a stranger could close a
// service for all with three requests for an address that breaks.
const (
	giveUpAfter = 3
	tryAgain    = 5 * time.Second
)

// reach is what became of the last requests to one origin.
type reach struct {
	mu     sync.Mutex
	failed int       // in a row
	since  time.Time // of the first of them
	until  time.Time // no request is sent before, unless it is the one that tries
}

// open says whether a request may be sent now.
func (r *reach) open(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed < giveUpAfter || !now.Before(r.until) {
		if r.failed >= giveUpAfter {
			r.until = now.Add(tryAgain)
		}
		return true
	}
	return false
}

func (r *reach) note(ok bool, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ok {
		r.failed = 0
		return
	}
	if r.failed == 0 {
		r.since = now
	}
	if r.failed++; r.failed >= giveUpAfter {
		r.until = now.Add(tryAgain)
	}
}

// lostSince is when the first of the last failures was; zero when the last
// request did not fail.
func (r *reach) lostSince() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == 0 {
		return time.Time{}
	}
	return r.since
}

// stand is how the edge stands; online where nobody watches.
func (p *Proxy) stand() edge.Stand {
	if p.deps.Watch == nil {
		return edge.Stand{Mode: edge.ModeOnline, Way: edge.WayMain}
	}
	return p.deps.Watch.Stand()
}

// reachable says whether the origin is worth asking now.
func (v *visit) reachable() bool {
	s := v.p.stand()
	return s.Mode != edge.ModeOffline && !(s.Way == edge.WaySecond && v.s.Background) && v.p.reaches[v.s.Host].open(v.asked)
}

// noted counts how a request to the origin ended: err is nil when it answered.
// Any failure has the watch look for itself.
func (v *visit) noted(way edge.Way, err error) {
	if err == nil || unconnected(err) {
		v.p.reaches[v.s.Host].note(err == nil, time.Now())
	}
	if v.p.deps.Watch != nil && way != edge.WayNone {
		v.p.deps.Watch.Note(way, err == nil)
	}
}

// unconnected says that no connection could be made, so nothing was sent.
func unconnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// offline answers without asking the origin: with what is stored where the rule
// of the service lets it be given, else with a page that says so.
func (v *visit) offline(o edge.Object) {
	var head *edge.Stored
	if o != nil {
		head = o.Head()
	}
	d := v.s.Rules.Unreachable(head, v.q, v.asked)
	if d.Act == edge.Serve && v.give(o, d, edge.Status{Hit: true, Detail: detailOffline}) {
		return
	}
	v.unavailable(http.StatusServiceUnavailable, detailOffline)
}

// What Cache-Status says of an answer that was given, or refused, because the
// origin is not there.
const (
	detailOffline = "offline"
	detailLost    = "origin-unreachable"
	detailFailed  = "origin-failed"
)
