package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/crinale/crinale/edge"
)

// mostAnswer is how much is kept of what an origin said.
const mostAnswer = 4 << 10

// fields of our own, for origins that read them.
const (
	fieldNumber   = "Crinale-Number"          // of the receipt
	fieldAccepted = "Crinale-Accepted"        // when it was given, RFC 3339
	fieldChain    = "Crinale-Chain"           // of an event
	fieldOfficial = "Crinale-Official-Number" // in the answer: the number given
)

// attempt takes one write a step further: it is looked whether its time is over
// and whether the person may still do it, then it is sent, then what came of it
// is written down. lost says that the link failed.
func (q *Queue) attempt(ctx context.Context, number string) (lost bool, err error) {
	e, err := q.entryOf(number)
	if err == nil && e.State == edge.StateSending {
		// What came of the attempt before could not be written down.
		e, err = q.move(number, "", func(e *Entry) (string, error) {
			e.State = edge.StateQueued
			return "what came of the attempt could not be written down: it is sent again with the same condition and key", nil
		})
	}
	if err != nil || e.State != edge.StateQueued {
		return false, err
	}
	if !time.Now().Before(e.Expires) {
		return false, q.expire(number)
	}
	ask, cancel := context.WithTimeout(ctx, q.cfg.Timeout)
	ok, why, err := q.deps.Allow.Allowed(ask, e.Person, e)
	cancel()
	switch {
	case err != nil:
		return false, q.later(number, verdict{reason: "whether the person may still do this is not known: " + err.Error(), undone: true})
	case !ok:
		_, err := q.move(number, "", func(e *Entry) (string, error) {
			e.State = edge.StateStopped
			return "the person may no longer do this: " + why, nil
		})
		return false, err
	}
	body, err := q.openBody(e.Comune, e.Body)
	if err != nil {
		return false, q.unreadable(number, err)
	}
	defer body.Close()
	req, err := q.request(ctx, &e, body)
	if err != nil {
		return false, q.later(number, verdict{reason: "the request could not be made: " + err.Error(), undone: true})
	}
	was := e.Unsure
	if e, err = q.move(number, "", func(e *Entry) (string, error) {
		if e.State != edge.StateQueued {
			return "", errOvertaken
		}
		e.State, e.Unsure = edge.StateSending, true
		e.Tries++
		return fmt.Sprintf("attempt %d", e.Tries), nil
	}); err != nil {
		if errors.Is(err, errOvertaken) {
			err = nil
		}
		return false, err
	}
	return q.send(ctx, &e, req, was)
}

// errOvertaken says that somebody cancelled a write just before it was sent.
var errOvertaken = errors.New("the write is no longer queued")

// send sends what is marked as being sent, and writes down what came of it.
func (q *Queue) send(ctx context.Context, e *Entry, req *http.Request, was bool) (lost bool, err error) {
	ctx, w := watch(ctx, q.cfg.Timeout)
	defer w.stop()
	if req.Body != http.NoBody {
		req.Body = io.NopCloser(w.of(req.Body))
	}
	res, err := q.deps.Transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return true, q.later(e.Number, verdict{reason: "no answer of the origin: " + err.Error()})
	}
	w.moved()
	text, _ := io.ReadAll(io.LimitReader(w.of(res.Body), mostAnswer)) // the head has said what matters
	res.Body.Close()
	v := judge(e, res.StatusCode, res.Header, time.Now())
	a := answer{status: res.StatusCode, header: res.Header, text: text}
	if v.undone {
		v.undone = !was
	}
	switch {
	case v.outcome == done || v.outcome == taken:
		return false, q.accepted(e.Number, v, a)
	case v.outcome == refused:
		_, err := q.move(e.Number, "", func(e *Entry) (string, error) {
			e.State = edge.StateRefused
			a.on(e)
			return v.reason, nil
		})
		return false, err
	case v.outcome == busy && e.Busy < q.cfg.Busy:
		_, err := q.move(e.Number, "", func(e *Entry) (string, error) {
			e.Busy++
			a.on(e)
			return v.reason, q.put(e, v)
		})
		return false, err
	case v.outcome == busy, v.outcome == differs:
		return q.compare(ctx, w, e, v, a)
	}
	if v.pause {
		q.pause(e.Service, v.after)
	}
	_, err = q.move(e.Number, "", func(e *Entry) (string, error) {
		a.on(e)
		return v.reason, q.put(e, v)
	})
	return false, err
}

// answer is what is kept of one.
type answer struct {
	status int
	header http.Header
	text   []byte
}

func (a answer) on(e *Entry) {
	e.Status, e.Answer = a.status, strings.ToValidUTF8(string(a.text), "\uFFFD")
}

// put puts a write off; it stays in its line.
func (q *Queue) put(e *Entry, v verdict) error {
	e.State = edge.StateQueued
	e.NotBefore = time.Now().UTC().Add(max(backoff(q.cfg, max(e.Tries-1, 0)), v.after))
	if v.undone {
		e.Unsure = false
	}
	return nil
}

func (q *Queue) later(number string, v verdict) error {
	_, err := q.move(number, "", func(e *Entry) (string, error) {
		if !e.State.Waiting() {
			return "", errOvertaken
		}
		was := e.Unsure && e.State == edge.StateQueued
		if e.State == edge.StateQueued { // not sent at all
			e.Tries++
		}
		err := q.put(e, v)
		e.Unsure = e.Unsure || was
		return v.reason, err
	})
	if errors.Is(err, errOvertaken) {
		return nil
	}
	return err
}

// unreadable is for a body that cannot be opened: one that is damaged is never
// sent, one whose key is away waits for it.
func (q *Queue) unreadable(number string, why error) error {
	if !errors.Is(why, errDamaged) {
		return q.later(number, verdict{reason: why.Error(), undone: true})
	}
	_, err := q.move(number, "", func(e *Entry) (string, error) {
		e.State = edge.StateStopped
		return why.Error() + ": it is not sent: the person has to write it again", nil
	})
	return err
}

// accepted ends a write: its body is with the origin now, unless that does it
// later.
func (q *Queue) accepted(number string, v verdict, a answer) error {
	_, err := q.move(number, "", func(e *Entry) (string, error) {
		a.on(e)
		e.State, e.Unsure = edge.StateAccepted, false
		if v.outcome == taken {
			e.State = edge.StateSent
		} else {
			e.forget()
		}
		e.Official, e.Location = clip(a.header.Get(fieldOfficial)), clip(a.header.Get("Location"))
		return v.reason, nil
	})
	return err
}

// forget lets go of what an entry no longer needs.
func (e *Entry) forget() {
	e.Body.ID, e.Secret, e.SecretID = "", nil, ""
	if e.Theirs != nil {
		e.Theirs.Body.ID = ""
	}
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 2000)], "\uFFFD") }

// address is where an entry goes.
func (q *Queue) address(e *Entry) (*url.URL, error) {
	origin := q.origins[e.Service]
	if origin == nil {
		return nil, fmt.Errorf("service %s has no origin in the configuration any more", e.Service)
	}
	target, err := url.ParseRequestURI(e.Target)
	if err != nil {
		return nil, err
	}
	u := *origin
	u.Path, u.RawPath, u.RawQuery, u.ForceQuery = target.Path, target.RawPath, target.RawQuery, target.ForceQuery
	return &u, nil
}

// request is an entry as it is sent: each time the same condition and key.
func (q *Queue) request(ctx context.Context, e *Entry, body io.Reader) (*http.Request, error) {
	u, err := q.address(e)
	if err != nil {
		return nil, err
	}
	if e.Body.Bytes == 0 {
		body = bytes.NewReader(nil)
	}
	req, err := http.NewRequestWithContext(ctx, e.Method, u.String(), io.NopCloser(body))
	if err != nil {
		return nil, err
	}
	if req.ContentLength = e.Body.Bytes; e.Body.Bytes == 0 {
		req.Body = http.NoBody
	}
	if e.Header != nil {
		req.Header = e.Header.Clone()
	}
	for name, value := range map[string]string{
		"If-Match": e.IfMatch, "If-None-Match": e.IfNoneMatch, "Idempotency-Key": e.Key,
		fieldNumber: e.Number, fieldAccepted: e.Accepted.Format(time.RFC3339), fieldChain: e.Chain,
	} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	return req, q.dress(req, e)
}

// dress adds who it is for.
func (q *Queue) dress(req *http.Request, e *Entry) error {
	if err := q.unseal(e, req.Header); err != nil {
		return err
	}
	if q.deps.Sign != nil {
		return q.deps.Sign(req, *e)
	}
	return nil
}
