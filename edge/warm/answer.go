package warm

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"
)

// patience is for how many seconds an answer waits for the link to be free, before
// it lets go of the connection.
const patience = 30

var errNeeded = errors.New("the link is needed for more than half a minute")

// mostKept is how long a sitemap may be.
const mostKept = 50 << 20

// answer takes what the edge gives, lets it go, and holds it back to a rate: the
// origin is read no faster than that.
type answer struct {
	ctx    context.Context
	head   http.Header
	status int
	bytes  int64
	rate   func() int64 // bytes a second now; 0: not at all
	keep   *bytes.Buffer
}

func (a *answer) Header() http.Header { return a.head }

func (a *answer) WriteHeader(status int) {
	if status >= 200 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	done := 0
	for part := range slices.Chunk(p, 16<<10) {
		rate := a.rate()
		for tries := 0; rate <= 0; tries++ { // somebody needs the link
			if tries == patience {
				return done, errNeeded
			}
			if err := a.wait(time.Second); err != nil {
				return done, err
			}
			rate = a.rate()
		}
		if pause := time.Duration(float64(len(part)) / float64(rate) * float64(time.Second)); pause > 0 {
			if err := a.wait(pause); err != nil {
				return done, err
			}
		}
		done += len(part)
		a.bytes += int64(len(part))
		if a.keep != nil && a.keep.Len() < mostKept {
			a.keep.Write(part)
		}
	}
	return done, nil
}

func (a *answer) wait(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-a.ctx.Done():
		return a.ctx.Err()
	case <-t.C:
		return nil
	}
}
