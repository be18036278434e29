package page

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/carpool"
)

// timed is a body of a line that sends so many bytes a second, with a deadline
// for reading.
type timed struct {
	http.ResponseWriter
	rate     int
	deadline chan time.Time
	until    time.Time
}

func (l *timed) SetReadDeadline(at time.Time) error {
	l.deadline <- at
	return nil
}

func (l *timed) SetWriteDeadline(time.Time) error { return nil }

func (l *timed) Read(p []byte) (int, error) {
	comes := time.NewTimer(time.Second)
	defer comes.Stop()
	for {
		ends := time.NewTimer(time.Until(l.until))
		select {
		case l.until = <-l.deadline:
			ends.Stop()
		case <-ends.C:
			return 0, os.ErrDeadlineExceeded
		case <-comes.C:
			ends.Stop()
			return min(l.rate, len(p)), nil
		}
	}
}

func (l *timed) Close() error { return nil }

// lasts reads a line until its place is lost, and says how long that took.
func lasts(u *uploads, who carpool.MemberID, rate int) (took chan time.Duration) {
	l := &timed{ResponseWriter: httptest.NewRecorder(), rate: rate, deadline: make(chan time.Time, 16), until: time.Now().Add(time.Hour)}
	b := &paced{ReadCloser: l, line: http.NewResponseController(l), begun: time.Now()}
	took = make(chan time.Duration, 1)
	end, status := u.begin(who, b)
	if end == nil {
		took <- -time.Duration(status)
		return took
	}
	go func() {
		defer end()
		_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{b}, make([]byte, 1<<20))
		if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, errSlow) {
			panic(fmt.Sprintf("%s: %v", who, err))
		}
		took <- time.Since(b.begun)
	}()
	return took
}

// Slow lines hold their places as long as nobody waits for one. Then the
// slowest gives way, one for each who waits; who keeps the fair pace stays.
func TestSlowUploadsGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var u uploads
		slow, slower, quick := lasts(&u, "m-1", 8<<10), lasts(&u, "m-2", 5<<10), lasts(&u, "m-3", 64<<10)
		if full := <-lasts(&u, "m-4", 1); full != -http.StatusServiceUnavailable {
			t.Fatalf("at once: %v", full)
		}
		if again := <-lasts(&u, "m-1", 1); again != -http.StatusTooManyRequests {
			t.Fatalf("a second of one person: %v", again)
		}
		<-time.After(5*time.Minute + time.Second/2)
		if n := len(slow) + len(slower) + len(quick); n != 0 {
			t.Fatalf("%d lost their places while nobody waited", n)
		}
		for _, c := range []struct {
			who  carpool.MemberID
			gone chan time.Duration
		}{{"m-5", slower}, {"m-6", slow}} {
			if full := <-lasts(&u, c.who, 64<<10); full != -http.StatusServiceUnavailable {
				t.Fatalf("%s: %v", c.who, full)
			}
			if at := <-c.gone; at > 6*time.Minute+2*time.Second {
				t.Errorf("it held its place for %v", at)
			}
			synctest.Wait()
			_ = lasts(&u, c.who, 64<<10) // a minute later
			<-time.After(time.Minute)
		}
		if full := <-lasts(&u, "m-7", 1); full != -http.StatusServiceUnavailable || len(quick) != 0 {
			t.Errorf("who keeps the pace: %v, %d lost", full, len(quick))
		}
		if at := <-quick; at < uploadMost || at > uploadMost+time.Second {
			t.Errorf("the quick one ended after %v", at)
		}
		<-time.After(uploadMost)
	})
}
