package queue

import (
	"context"
	"errors"
	"io"
	"time"
)

var errStill = errors.New("nothing moved for too long")

// watcher ends a request on which nothing moves. A great body on a slow link may
// take its time.
type watcher struct {
	t     *time.Timer
	after time.Duration
	end   context.CancelCauseFunc
}

func watch(ctx context.Context, after time.Duration) (context.Context, *watcher) {
	ctx, end := context.WithCancelCause(ctx)
	w := &watcher{after: after, end: end}
	w.t = time.AfterFunc(after, func() { end(errStill) })
	return ctx, w
}

func (w *watcher) moved() { w.t.Reset(w.after) }

func (w *watcher) stop() {
	w.t.Stop()
	w.end(context.Canceled)
}

// of is a reader whose bytes are seen to move.
func (w *watcher) of(r io.Reader) io.Reader { return moving{r, w} }

type moving struct {
	r io.Reader
	w *watcher
}

func (m moving) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if n > 0 {
		m.w.moved()
	}
	return n, err
}
