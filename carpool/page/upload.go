package page

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// Pictures of papers stand in memory from the first byte to the answer: a form
// of 18 MB takes up to 50 on its way. One form of a person and a few in all are
// read at once; others are told to come back before a byte of theirs is kept.
const (
	uploadsAtOnce = 3
	uploadRetry   = time.Minute // what others are told to wait
	uploadMost    = 15 * time.Minute
	uploadStart   = 30 * time.Second
	uploadPace    = 4 << 10  // bytes a second that keep a place after that
	uploadFair    = 20 << 10 // the same while somebody else waits for a place
)

// uploads are the forms with pictures that are read now.
type uploads struct {
	mu sync.Mutex
	of map[carpool.MemberID]*paced
}

// begin takes a place for a member's form until end is called. Where there is
// none status says why: 429, another form of theirs is read; 503, others' are.
// The slowest of those then loses its place unless it keeps the fair pace, so
// that a few slow lines do not hold up all others.
func (u *uploads) begin(who carpool.MemberID, body *paced) (end func(), status int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.of[who] != nil:
		return nil, http.StatusTooManyRequests
	case len(u.of) >= uploadsAtOnce:
		now := time.Now()
		slowest := slices.MaxFunc(slices.Collect(maps.Values(u.of)), func(a, b *paced) int { return cmp.Compare(a.late(now), b.late(now)) })
		slowest.giveWay(now)
		return nil, http.StatusServiceUnavailable
	}
	if u.of == nil {
		u.of = map[carpool.MemberID]*paced{}
	}
	u.of[who] = body
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		delete(u.of, who)
	}, 0
}

// paced is a body that must keep a pace, so that nobody holds a place by
// sending nothing.
type paced struct {
	io.ReadCloser
	line  *http.ResponseController
	begun time.Time

	mu    sync.Mutex
	n     int64
	ended bool // all of it is here
	lost  bool // it was too slow, and others wait
}

var errSlow = fault.New(fault.Unreachable, "the pictures come too slowly, and others wait")

// late is by how much a body is behind the fair pace; not above 0 where it
// keeps it, or is here.
func (b *paced) late(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return -uploadMost
	}
	return now.Sub(b.begun) - uploadStart - time.Duration(b.n)*time.Second/uploadFair
}

// giveWay ends the reading of a body that is late.
func (b *paced) giveWay(now time.Time) {
	if b.late(now) <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lost = true
	_ = b.line.SetReadDeadline(now) // it is read no further in any case
}

// pace gives a request the time that pictures take on a slow line, as long as
// something comes.
func pace(v *visit) (*paced, error) {
	b := &paced{ReadCloser: v.r.Body, line: http.NewResponseController(v.w), begun: time.Now()}
	if err := b.line.SetWriteDeadline(b.begun.Add(uploadMost)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, fault.New(fault.Internal, "papers: more time for the pictures: %w", err)
	}
	v.r.Body = b
	return b, nil
}

func (b *paced) Read(p []byte) (int, error) {
	if err := b.until(0, false); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	if e := b.until(n, errors.Is(err, io.EOF)); e != nil {
		return n, e
	}
	return n, err
}

// until counts bytes that came and sets until when the next must come; when all
// are here, the line is listened to until the answer.
func (b *paced) until(came int, ended bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lost {
		return errSlow
	}
	b.n, b.ended = b.n+int64(came), b.ended || ended
	since := uploadStart + time.Duration(b.n)*time.Second/uploadPace
	if b.ended {
		since = uploadMost
	}
	if err := b.line.SetReadDeadline(b.begun.Add(min(uploadMost, since))); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("more time for the pictures: %w", err)
	}
	return nil
}

// turnAway answers a form with pictures that is not read. What its sender's
// browser still sends is thrown away as it comes: browsers show an answer only
// when they have sent all.
func (p *Pages) turnAway(v *visit, status int, why *trouble) error {
	if _, err := io.Copy(io.Discard, v.r.Body); err != nil {
		return badUpload(err)
	}
	return p.showCars(v, status, v.blank("posti-auto", "3"), v.blank(), why)
}

// placeToRead takes a place to read a member's pictures, or has answered: they
// sent enough today, or too much is read already.
func (p *Pages) placeToRead(v *visit, body *paced) (end func(), err error) {
	if err := p.deps.Trust.MaySend(v.r.Context(), v.by); err != nil {
		if !mendable(err) {
			return nil, err
		}
		return nil, p.turnAway(v, web.Status(err), v.say.trouble(err))
	}
	end, status := p.reading.begin(v.me.ID, body)
	if end != nil {
		return end, nil
	}
	key := "pool.upload.full"
	if status == http.StatusTooManyRequests {
		key = "pool.upload.yours"
	}
	v.w.Header().Set("Retry-After", fmt.Sprint(int(uploadRetry.Seconds())))
	return nil, p.turnAway(v, status, &trouble{v.say.word(key), v.say.word("pool.upload.again")})
}
