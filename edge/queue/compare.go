package queue

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/crinale/crinale/edge"
)

// compare finds out what a failed condition means: that our own earlier attempt
// did it, or that somebody else did something. Then both versions are kept.
func (q *Queue) compare(ctx context.Context, w *watcher, e *Entry, v verdict, a answer) (lost bool, err error) {
	if e.Method != http.MethodPut && e.Method != http.MethodPatch && e.Method != http.MethodDelete {
		t := &Theirs{ETag: clip(a.header.Get("Etag")), ContentType: clip(a.header.Get("Content-Type")), Partial: true} // what it said is in Answer
		return false, q.conflict(e.Number, v, a, t)
	}
	t, equal, lost, err := q.theirs(ctx, w, e)
	if err != nil {
		_, err := q.move(e.Number, "", func(e *Entry) (string, error) {
			a.on(e)
			return v.reason + "; what is there could not be read: " + err.Error(), q.put(e, v)
		})
		return lost, err
	}
	switch {
	case equal && e.Method == http.MethodPut:
		q.drop(t.Body)
		return false, q.accepted(e.Number, verdict{outcome: done, reason: v.reason + "; what is there is what was sent: done by an earlier attempt"}, a)
	case e.Class == edge.ClassDelete && t.Absent:
		return false, q.accepted(e.Number, verdict{outcome: done, reason: v.reason + "; it is gone already"}, a)
	case e.Class == edge.ClassDelete:
		q.drop(t.Body)
		_, err := q.move(e.Number, "", func(e *Entry) (string, error) {
			a.on(e)
			e.State = edge.StateExpired
			return v.reason + ": it is not deleted, as it is no longer what the person saw", nil
		})
		return false, err
	case e.Class == edge.ClassCreate && t.Absent && a.status == http.StatusPreconditionFailed:
		_, err := q.move(e.Number, "", func(e *Entry) (string, error) {
			a.on(e)
			return v.reason + "; it is gone again", q.put(e, v)
		})
		return false, err
	}
	return false, q.conflict(e.Number, v, a, t)
}

func (q *Queue) conflict(number string, v verdict, a answer, t *Theirs) error {
	_, err := q.move(number, "", func(e *Entry) (string, error) {
		a.on(e)
		e.State, e.Theirs, e.Busy, e.Unsure = edge.StateConflict, t, 0, false
		return v.reason + ": both versions are kept: somebody has to choose", nil
	})
	if err != nil {
		q.drop(t.Body)
	}
	return err
}

// theirs reads what is at the address of an entry now, and says whether it is
// the very same as ours.
func (q *Queue) theirs(ctx context.Context, w *watcher, e *Entry) (t *Theirs, equal, lost bool, err error) {
	u, err := q.address(e)
	if err != nil {
		return nil, false, false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, false, false, err
	}
	req.Header.Set("Cache-Control", "no-cache")
	req.Header.Set("Accept-Encoding", "identity")
	if enc := e.Header.Get("Content-Encoding"); enc != "" {
		req.Header.Set("Accept-Encoding", enc)
	}
	if err := q.dress(req, e); err != nil {
		return nil, false, false, err
	}
	w.moved()
	res, err := q.deps.Transport.RoundTrip(req)
	if err != nil {
		return nil, false, true, err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return &Theirs{Absent: true}, false, false, nil
	default:
		return nil, false, false, errors.New("the origin answered " + res.Status)
	}
	t = &Theirs{ETag: clip(res.Header.Get("Etag")), ContentType: clip(res.Header.Get("Content-Type")), Modified: clip(res.Header.Get("Last-Modified"))}
	t.Body, err = q.keepBody(e.Comune, &whole{r: w.of(res.Body), want: res.ContentLength}, q.cfg.Theirs)
	if errors.Is(err, errTooBig) {
		t.Partial = true
		return t, false, false, nil
	}
	if err != nil {
		return nil, false, true, err
	}
	q.charge(t.Body.Bytes)
	equal = t.Body.SHA256 == e.Body.SHA256 && t.Body.Bytes == e.Body.Bytes && res.Header.Get("Content-Encoding") == e.Header.Get("Content-Encoding")
	return t, equal, false, nil
}

// whole is a body that ends with an error when less came than was promised.
type whole struct {
	r    io.Reader
	want int64 // -1: not said
	n    int64
}

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.n += int64(n)
	if err == io.EOF && w.want >= 0 && w.n < w.want {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// charge counts bytes that came against the rate.
func (q *Queue) charge(n int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rate.bytes.take(time.Now(), float64(n))
}
