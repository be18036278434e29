package queue

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/edge"
)

// running runs a queue until the test ends, in a bubble of synctest.
func running(t *testing.T, c Config, d Deps) *Queue {
	q := opened(t, c, d)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return q
}

func TestTheRateIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := quick(t.TempDir())
		c.Requests, c.Bytes, c.Burst = 2, 1e9, 1
		o, l := newOrigin(), newLink(false)
		q := running(t, c, Deps{Transport: direct{o}, Link: l})
		for i := range 41 {
			accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(i), "x"))
		}
		begin := time.Now()
		l.set(true)
		for len(o.sequence()) < 41 {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(begin); took < 19*time.Second || took > 21*time.Second {
			t.Errorf("41 requests at 2 a second with a burst of 2 took %v, want about 19.5 s", took)
		}
		at := o.times()
		for i := range at { // no second holds more than the rate and the burst
			if n := i + 5; n < len(at) && at[n].Sub(at[i]) < time.Second {
				t.Errorf("6 requests in %v", at[n].Sub(at[i]))
			}
		}
	})
}

func TestTheRateOfBytesIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := quick(t.TempDir())
		c.Requests, c.Bytes, c.Burst = 1000, 1000, 1
		o, l := newOrigin(), newLink(false)
		q := running(t, c, Deps{Transport: direct{o}, Link: l})
		for i := range 10 {
			accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(i), strings.Repeat("x", 5000))) // greater than the burst
		}
		begin := time.Now()
		l.set(true)
		for len(o.sequence()) < 10 {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(begin); took < 44*time.Second || took > 46*time.Second {
			t.Errorf("10 of 5,000 bytes at 1,000 a second took %v, want about 45 s", took)
		}
	})
}

// TestEdgesDoNotStorm starts 38 edges at the same moment: with the jitter their
// first requests are spread over it.
func TestEdgesDoNotStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, l := newOrigin(), make([]*link, 38)
		for i := range l {
			c := quick(t.TempDir())
			c.Jitter = time.Minute
			l[i] = newLink(false)
			q := running(t, c, Deps{Transport: direct{o}, Link: l[i]})
			accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(i), "x"))
		}
		begin := time.Now()
		for _, one := range l {
			one.set(true)
		}
		time.Sleep(2 * time.Minute)
		if len(o.times()) != 38 || len(o.sequence()) != 38 {
			t.Fatalf("%d asked, %d done", len(o.times()), len(o.sequence()))
		}
		var seconds [61]int
		for _, at := range o.times() {
			seconds[min(int(at.Sub(begin)/time.Second), 60)]++
		}
		if most := slices.Max(seconds[:]); most > 10 || seconds[60] > 1 {
			t.Errorf("%d in one second, %d after the jitter", most, seconds[60])
		}
	})
}

func TestNothingIsSentWithoutTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, l := newOrigin(), newLink(false)
		q := running(t, quick(t.TempDir()), Deps{Transport: direct{o}, Link: l})
		r := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), "x"))
		time.Sleep(time.Hour)
		if len(o.times()) != 0 {
			t.Fatal("it was sent while the link was down")
		}
		l.set(true)
		synctest.Wait()
		time.Sleep(time.Second)
		if e := state(t, q, r.Number); e.State != edge.StateAccepted {
			t.Errorf("%s: %s", e.State, e.Reason)
		}
		l.set(false)
		time.Sleep(time.Second)
		accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(2), "x"))
		time.Sleep(time.Hour)
		if len(o.times()) != 1 {
			t.Error("it was sent after the link went down")
		}
	})
}

// TestALostLinkCostsNoBackoff: what failed for want of a link goes at once when
// it is back, though its own next attempt would be later.
func TestALostLinkCostsNoBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := quick(t.TempDir())
		c.RetryMin, c.RetryMax = time.Hour, time.Hour
		o, l := newOrigin(), newLink(true)
		o.trouble = func(*http.Request) string { return "cut before" }
		q := running(t, c, Deps{Transport: direct{o}, Link: l})
		r := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), "x"))
		time.Sleep(time.Second)
		l.set(false)
		time.Sleep(time.Second)
		o.troubled(nil)
		l.set(true)
		time.Sleep(time.Second)
		if e := state(t, q, r.Number); e.State != edge.StateAccepted {
			t.Errorf("%s: %s", e.State, e.Reason)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for _, c := range []struct {
		status int
		after  func() string
		others bool // others of the service go on meanwhile
	}{
		{503, func() string { return "120" }, true},
		{503, func() string { return time.Now().Add(120 * time.Second).UTC().Format(http.TimeFormat) }, true},
		{429, func() string { return "120" }, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := newOrigin()
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if len(o.times()) == 0 {
					o.mu.Lock()
					o.asked = append(o.asked, time.Now())
					o.mu.Unlock()
					w.Header().Set("Retry-After", c.after())
					w.WriteHeader(c.status)
					return
				}
				o.ServeHTTP(w, r)
			})
			q := running(t, quick(t.TempDir()), Deps{Transport: direct{h}})
			r := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), "x"))
			time.Sleep(time.Second)
			other := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(2), "x"))
			time.Sleep(110 * time.Second)
			if e := state(t, q, r.Number); e.State != edge.StateQueued || e.Status != c.status {
				t.Errorf("%d: %s too early", c.status, e.State)
			}
			if got := o.count(other.Number) == 1; got != c.others {
				t.Errorf("%d: another went on: %v", c.status, got)
			}
			time.Sleep(20 * time.Second)
			for _, n := range []string{r.Number, other.Number} {
				if e := state(t, q, n); e.State != edge.StateAccepted {
					t.Errorf("%d: after the time it is %s", c.status, e.State)
				}
			}
		})
	}
}

func TestBackoffDoubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := quick(t.TempDir())
		c.RetryMin, c.RetryMax = time.Second, time.Minute
		o := newOrigin()
		o.trouble = func(*http.Request) string { return "500" }
		q := running(t, c, Deps{Transport: direct{o}})
		accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), "x"))
		time.Sleep(10 * time.Minute)
		want, at := time.Second, o.times()
		for i := 1; i < len(at); i++ {
			if gap := at[i].Sub(at[i-1]); gap < want*9/10 || gap > want*12/10 {
				t.Errorf("after failure %d it waits %v, want about %v", i, gap, want)
			}
			want = min(2*want, time.Minute)
		}
		if len(o.times()) < 12 {
			t.Errorf("only %d attempts", len(o.times()))
		}
	})
}

func TestWhatWaitsTooLongExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, l := newOrigin(), newLink(false)
		q := running(t, quick(t.TempDir()), Deps{Transport: direct{o}, Link: l})
		day := func(w *Write) { w.Decision.Expires = 24 * time.Hour }
		a := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(1), "kept", day))
		b := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(2), "x"))
		time.Sleep(24*time.Hour - time.Minute)
		if e := state(t, q, a.Number); e.State != edge.StateQueued {
			t.Fatalf("%s too early", e.State)
		}
		time.Sleep(3 * time.Minute)
		if e := state(t, q, a.Number); e.State != edge.StateExpired || bodyOf(t, q, a.Number, false) != "kept" {
			t.Errorf("%s: %s", e.State, e.Reason)
		}
		l.set(true)
		time.Sleep(time.Minute)
		if e := state(t, q, b.Number); e.State != edge.StateAccepted || len(o.times()) != 1 {
			t.Errorf("%s; %d asked", e.State, len(o.times()))
		}
	})
}

// TestAHangingOriginHoldsOneSlot: an origin on which nothing moves is left after
// the timeout, and others go on meanwhile.
func TestAHangingOriginHoldsOneSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		o.trouble = func(r *http.Request) string {
			if strings.HasPrefix(r.URL.Path, "/hang") {
				return "hang before"
			}
			return ""
		}
		q := running(t, quick(t.TempDir()), Deps{Transport: direct{o}})
		bad := accept(t, q, write(edge.ClassCreate, "/hang/"+uuidOf(1), "x"))
		good := accept(t, q, write(edge.ClassCreate, "/a/"+uuidOf(2), "x"))
		time.Sleep(10 * time.Second)
		if e := state(t, q, good.Number); e.State != edge.StateAccepted {
			t.Errorf("behind one that hangs: %s", e.State)
		}
		if e := state(t, q, bad.Number); e.State != edge.StateSending {
			t.Errorf("%s", e.State)
		}
		time.Sleep(51 * time.Second)
		if e := state(t, q, bad.Number); e.Tries != 1 || !strings.Contains(e.Reason, errStill.Error()) || !e.Unsure {
			t.Errorf("%s: %s", e.State, e.Reason)
		}
	})
}

func TestAWriteCutOffByAStopIsSentAgain(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		o.trouble = func(r *http.Request) string { return "hang after" }
		c := quick(dir)
		q := opened(t, c, Deps{Transport: direct{o}})
		r := accept(t, q, write(edge.ClassCreate, "/offers", "x", keyed(`"key-of-the-offer"`)))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- q.Run(ctx) }()
		time.Sleep(time.Second)
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		q.Close()
		o.troubled(nil)
		q = running(t, c, Deps{Transport: direct{o}})
		time.Sleep(time.Minute)
		if e := state(t, q, r.Number); e.State != edge.StateAccepted || o.count(r.Number) != 1 || e.Tries < 2 {
			t.Errorf("%s after %d attempts, done %d times", e.State, e.Tries, o.count(r.Number))
		}
	})
}
