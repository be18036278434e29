package queue

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Backoff of a write that the origin could not take now.
const (
	firstBackoff = 2 * time.Second
	mostBackoff  = 10 * time.Minute
)

// Run sends what waits while the way is there, until ctx ends.
func (q *Queue) Run(ctx context.Context) error {
	ready := false
	for {
		wait := q.cfg.Look
		switch {
		case !q.deps.Ready():
			ready = false
		case !ready:
			ready = true
			if q.Waiting() > 0 && q.cfg.Spread > 0 { // not all edges in the same moment
				wait = rand.N(q.cfg.Spread)
			} else {
				continue
			}
		default:
			did, err := q.next(ctx)
			if err != nil && ctx.Err() == nil {
				q.deps.Log.Error("the queue cannot go on", "err", err)
			}
			if did {
				wait = time.Duration(float64(time.Second) / q.cfg.Rate)
			}
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		case <-q.woken(ready && wait == q.cfg.Look):
			t.Stop()
		}
	}
}

// woken is the channel by which Accept has Run look at once; nil, which waits
// for ever, where a pause must be kept.
func (q *Queue) woken(may bool) <-chan struct{} {
	if !may {
		return nil
	}
	return q.wake
}

// next sends the first write that may be sent now; false when there is none.
// Of each resource only the oldest that has not ended may.
func (q *Queue) next(ctx context.Context) (bool, error) {
	q.sending.Lock()
	defer q.sending.Unlock()
	open, err := q.open()
	if err != nil {
		return false, err
	}
	now := time.Now()
	held := map[string]bool{}
	for _, e := range open {
		r := e.Host + e.Resource
		if held[r] {
			continue
		}
		held[r] = true
		if now.After(e.Expires) {
			_, err := q.end(e.ID, Expired, "it waited too long", nil)
			return false, err
		}
		if e.Next.After(now) {
			continue
		}
		return true, q.send(ctx, e)
	}
	return false, nil
}

// send tries one write.
func (q *Queue) send(ctx context.Context, e Entry) error {
	origin := q.deps.Origin(e.Host)
	if origin == nil {
		_, err := q.end(e.ID, Refused, "the service is no more", nil)
		return err
	}
	if q.deps.Allowed != nil {
		ok, why, err := q.deps.Allowed(ctx, e)
		if err != nil {
			return q.later(e, 0, "it is not known whether "+e.Person+" may still do this: "+err.Error())
		}
		if !ok {
			_, err := q.end(e.ID, Stopped, why, nil)
			return err
		}
	}
	body, err := q.Body(e)
	if fault.Of(err) == fault.Denied { // the key may come back
		return q.later(e, 0, err.Error())
	}
	if err != nil {
		_, err = q.end(e.ID, Refused, err.Error(), nil)
		return err
	}
	if e, err = q.move(e.ID, Sending, "it is sent", func(e *Entry) { e.Tries++ }); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, q.cfg.Timeout)
	defer cancel()
	res, err := q.ask(ctx, e.Method, origin.Scheme+"://"+origin.Host+e.Target, e.Header, body)
	if err != nil {
		return q.later(e, 0, "the service did not answer: "+err.Error())
	}
	defer res.Body.Close()
	return q.answered(ctx, e, body, origin.Scheme+"://"+origin.Host+e.Target, res)
}

func (q *Queue) ask(ctx context.Context, method, target string, h http.Header, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if method == http.MethodGet {
		req.Body, req.ContentLength = nil, 0
	}
	req.Header = h.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	return q.deps.Transport.RoundTrip(req)
}

// answered judges what the origin said.
func (q *Queue) answered(ctx context.Context, e Entry, body []byte, target string, res *http.Response) error {
	a := answerOf(res)
	set := func(e *Entry) { e.Answer = &a }
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		_, err := q.end(e.ID, Accepted, "the service took it", set)
		return err
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode >= 500:
		return q.later(e, retryAfter(res.Header), "the service answered "+res.Status)
	case res.StatusCode == http.StatusPreconditionFailed, res.StatusCode == http.StatusConflict:
		// It may have been done before an answer was lost: what stands there now
		// tells.
		same, err := q.stands(ctx, e, body, target)
		if err != nil {
			return q.later(e, 0, "the service answered "+res.Status+", and not what stands there: "+err.Error())
		}
		if same {
			_, err := q.end(e.ID, Accepted, "it stands there already", set)
			return err
		}
		_, err = q.end(e.ID, Conflict, "somebody changed the same meanwhile: both are kept", set)
		return err
	case e.Class == edge.WriteDelete && (res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone):
		_, err := q.end(e.ID, Accepted, "it is gone already", set)
		return err
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		_, err := q.end(e.ID, Stopped, "the service does not let it in: "+res.Status, set)
		return err
	}
	_, err := q.end(e.ID, Refused, "the service answered "+res.Status, set)
	return err
}

// stands says whether what a write was to make is what the origin has.
func (q *Queue) stands(ctx context.Context, e Entry, body []byte, target string) (bool, error) {
	if e.Method != http.MethodPut {
		return false, nil
	}
	h := e.Header.Clone()
	for _, name := range []string{"If-Match", "If-None-Match", "Content-Type", "Content-Length", "Idempotency-Key"} {
		h.Del(name)
	}
	res, err := q.ask(ctx, http.MethodGet, target, h, nil)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	if res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests {
		return false, fault.New(fault.Unreachable, "%s", res.Status)
	}
	if res.StatusCode != http.StatusOK {
		return false, nil
	}
	got, err := io.ReadAll(io.LimitReader(res.Body, int64(len(body))+1))
	return err == nil && bytes.Equal(got, body), err
}

// later has a write wait, at least for as long as the origin asks.
func (q *Queue) later(e Entry, atLeast time.Duration, why string) error {
	wait := firstBackoff << min(max(e.Tries-1, 0), 12)
	wait = min(wait, mostBackoff)
	wait += rand.N(wait/4 + 1)
	wait = max(wait, atLeast)
	_, err := q.move(e.ID, Queued, why, func(e *Entry) {
		e.Next = time.Now().Add(wait).UTC()
		if n := len(e.Steps); n > mostSteps { // the first and the last tell the story
			e.Steps = append(e.Steps[:mostSteps/2], e.Steps[n-mostSteps/2:]...)
		}
	})
	return err
}

// mostSteps bounds what is told of one write.
const mostSteps = 40

// retryAfter reads Retry-After (RFC 9110 §10.2.3), at most a day.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return min(time.Duration(min(n, 86_400))*time.Second, 24*time.Hour)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(at), 0), 24*time.Hour)
	}
	return 0
}

// mostText is how much of an answer's body is kept.
const mostText = 300

func answerOf(res *http.Response) Answer {
	a := Answer{Status: res.StatusCode, Location: cut(res.Header.Get("Location"), 2000), ETag: cut(res.Header.Get("Etag"), 200)}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind == "text/plain" || kind == "application/json" || kind == "application/problem+json" {
		b, _ := io.ReadAll(io.LimitReader(res.Body, 4*mostText))
		a.Text = cut(strings.ToValidUTF8(string(b), "?"), mostText)
	}
	return a
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Keep is what a person decides of a conflict.
type Keep string

// The decisions.
const (
	KeepMine   Keep = "mine"   // ours replaces what stands there now
	KeepTheirs Keep = "theirs" // ours is given up
	KeepBoth   Keep = "both"   // ours is put beside it, under a name of its own
)

// Resolve decides a conflict. Mine and both queue a new write, whose number is
// given.
func (q *Queue) Resolve(id uint64, keep Keep, who, etag string) (Entry, error) {
	q.deciding.Lock() // of two who decide the first counts
	defer q.deciding.Unlock()
	e, err := q.Show(id)
	if err != nil {
		return e, err
	}
	if e.State != Conflict {
		return e, fault.New(fault.Conflict, "%s is %s: only a conflict is resolved", e.Number, e.State)
	}
	out := e
	switch keep {
	case KeepTheirs:
	case KeepMine, KeepBoth:
		body, err := q.Body(e)
		if err != nil {
			return e, err
		}
		n := Entry{Host: e.Host, Comune: e.Comune, Method: e.Method, Target: e.Target, Header: e.Header.Clone(), Class: e.Class, Resource: e.Resource, Person: e.Person,
			Expires: time.Now().Add(e.Class.DefaultKeep()).UTC()}
		n.Header.Del("If-Match")
		n.Header.Del("If-None-Match")
		if keep == KeepBoth {
			n.Method, n.Class = http.MethodPut, edge.WriteCreate
			n.Target = beside(e.Target, e.Number)
			n.Resource = n.Target
			n.Header.Set("If-None-Match", "*")
		} else {
			if etag == "" {
				return e, fault.New(fault.Invalid, "say which version is to be replaced: the ETag that stands there now")
			}
			n.Header.Set("If-Match", etag)
		}
		if out, err = q.Accept(n, body); err != nil {
			return e, err
		}
	default:
		return e, fault.New(fault.Invalid, "%q: say mine, theirs or both", keep)
	}
	if _, err := q.move(id, Resolved, fmt.Sprintf("%s decided: %s", who, keep), nil); err != nil {
		return e, err
	}
	q.dropBody(id)
	return out, nil
}

// beside is a name next to a path: "/a/b.odt" and 7 make "/a/b (7).odt", written
// for a URL.
func beside(target, number string) string {
	path, query, has := strings.Cut(target, "?")
	at := len(path)
	if i := strings.LastIndexByte(path, '.'); i > strings.LastIndexByte(path, '/')+1 {
		at = i
	}
	out := path[:at] + "%20(" + number + ")" + path[at:]
	if has {
		out += "?" + query
	}
	return out
}

// Cancel takes a write back that was not sent yet.
func (q *Queue) Cancel(id uint64, who string) (Entry, error) {
	q.sending.Lock() // nothing is being sent meanwhile
	defer q.sending.Unlock()
	e, err := q.Show(id)
	if err != nil {
		return e, err
	}
	if e.State != Queued || e.Tries > 0 {
		return e, fault.New(fault.Conflict, "%s is %s and was tried %d times: it may have reached the service", e.Number, e.State, e.Tries)
	}
	return q.end(id, Cancelled, who+" took it back", nil)
}
