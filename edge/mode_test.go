package edge

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestNextMode(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	ago := func(s int) time.Time { return now.Add(-time.Duration(s) * time.Second) }
	word := func(s int, up, narrow bool) *Word { return &Word{At: ago(s), Up: up, Narrow: narrow} }
	failed := func(n, s int) Tries { return Tries{Failed: n, At: ago(s)} }
	good := func(n, s int) Tries { return Tries{Good: n, At: ago(s)} }
	online := Stand{Mode: ModeOnline, Way: WayMain, Since: ago(600)}
	offline := Stand{Mode: ModeOffline, Since: ago(600)}
	draining := Stand{Mode: ModeDraining, Way: WayMain, Since: ago(600)}
	for _, tt := range []struct {
		name string
		s    Stand
		k    Known
		mode Mode
		way  Way
		why  string
	}{
		{"nothing known", Stand{}, Known{}, ModeOnline, WayMain, "nothing speaks"},
		{"two failures are not enough", online, Known{Main: failed(2, 0)}, ModeOnline, WayMain, ""},
		{"three are", online, Known{Main: failed(3, 0)}, ModeOffline, WayNone, "3 attempts"},
		{"a word is, at once", online, Known{Word: word(0, false, false), Main: good(100, 1)}, ModeOffline, WayNone, "controller"},
		{"an old word is no word", online, Known{Word: word(91, false, false)}, ModeOnline, WayMain, ""},
		{"a word of tomorrow is no word", online, Known{Word: word(-86400, false, false)}, ModeOnline, WayMain, ""},
		{"what we saw since overrules a word", offline, Known{Word: word(30, false, false), Main: good(2, 1)}, ModeOnline, WayMain, "answers"},
		{"what we saw before does not", offline, Known{Word: word(30, false, false), Main: good(9, 31)}, ModeOffline, WayNone, ""},
		{"one success is not enough", offline, Known{Main: good(1, 0)}, ModeOffline, WayNone, "not answer yet"},
		{"two are", offline, Known{Main: good(2, 0)}, ModeOnline, WayMain, ""},
		{"a word of the return is, at once", offline, Known{Word: word(0, true, false), Main: failed(50, 1)}, ModeOnline, WayMain, "up"},
		{"a word that does not hold", offline, Known{Word: word(20, true, false), Main: failed(3, 1)}, ModeOffline, WayNone, ""},
		{"a narrow link", online, Known{Word: word(5, true, true)}, ModeDegraded, WayMain, "narrow"},
		{"what was queued goes out first", offline, Known{Word: word(0, true, false), Queued: 3}, ModeDraining, WayMain, "3 queued"},
		{"until none is left", draining, Known{Word: word(9, true, false)}, ModeOnline, WayMain, ""},
		{"a write queued while online is not a drain", online, Known{Queued: 1}, ModeOnline, WayMain, ""},
		{"lost again while draining", draining, Known{Word: word(0, false, false), Queued: 3}, ModeOffline, WayNone, ""},
		{"the second way", online, Known{Word: word(0, false, false), HasSecond: true, SecondOpen: true}, ModeDegraded, WaySecond, "second way"},
		{"the second way is lost too", online, Known{Word: word(0, false, false), HasSecond: true, SecondOpen: true, Second: failed(3, 0)}, ModeOffline, WayNone, ""},
		{"its cap is used up", online, Known{Word: word(0, false, false), HasSecond: true}, ModeOffline, WayNone, "cap"},
		{"back to the main way", Stand{Mode: ModeDegraded, Way: WaySecond, Since: ago(60)}, Known{Main: good(2, 0), HasSecond: true, SecondOpen: true}, ModeOnline, WayMain, ""},
		{"not back yet", Stand{Mode: ModeDegraded, Way: WaySecond, Since: ago(60)}, Known{Main: good(1, 0), HasSecond: true, SecondOpen: true}, ModeDegraded, WaySecond, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := DefaultModeRules().Next(tt.s, tt.k, now)
			if n.Mode != tt.mode || n.Way != tt.way || !strings.Contains(n.Why, tt.why) || n.Why == "" {
				t.Errorf("%+v, want %v by the %v way, %q", n, tt.mode, tt.way, tt.why)
			}
			if same := n.Mode == tt.s.Mode && n.Way == tt.s.Way && !tt.s.Since.IsZero(); same != n.Since.Equal(tt.s.Since) {
				t.Errorf("since %v of %v", n.Since, tt.s.Since)
			}
		})
	}
}

// TestModeSettles: whatever is known, the next stand of the next stand is the
// same, and a mode that is no way out has no way.
func TestModeSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_800_000_000, 0)
		tries := func(name string) Tries {
			n := rapid.IntRange(-6, 6).Draw(t, name)
			return Tries{Failed: max(-n, 0), Good: max(n, 0), At: now.Add(-time.Duration(rapid.IntRange(0, 200).Draw(t, name+" ago")) * time.Second)}
		}
		k := Known{Main: tries("main"), Second: tries("second"), HasSecond: rapid.Bool().Draw(t, "has"), SecondOpen: rapid.Bool().Draw(t, "open"), Queued: rapid.IntRange(0, 2).Draw(t, "queued")}
		if rapid.Bool().Draw(t, "word") {
			k.Word = &Word{At: now.Add(-time.Duration(rapid.IntRange(-200, 200).Draw(t, "word ago")) * time.Second), Up: rapid.Bool().Draw(t, "up"), Narrow: rapid.Bool().Draw(t, "narrow")}
		}
		s := Stand{Mode: Mode(rapid.IntRange(0, 3).Draw(t, "mode")), Way: Way(rapid.IntRange(0, 2).Draw(t, "way")), Since: now.Add(-time.Hour)}
		n := DefaultModeRules().Next(s, k, now)
		if (n.Mode == ModeOffline) != (n.Way == WayNone) || n.Why == "" || n.Mode == ModeDraining && k.Queued == 0 {
			t.Fatalf("%+v of %+v", n, k)
		}
		if again := DefaultModeRules().Next(n, k, now); again != n {
			t.Fatalf("%+v, and then %+v, of the same", n, again)
		}
	})
}

// TestWatch: the words, the requests and the probes of one watch, in time that
// is not real.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		down := map[Way]bool{}
		set := func(way Way, is bool) { mu.Lock(); down[way] = is; mu.Unlock() }
		queued := 0
		type seen struct {
			at time.Duration
			s  Stand
		}
		var log []seen
		start := time.Now()
		c := DefaultWatch()
		c.HasSecond = true
		w, err := NewWatch(c, WatchDeps{
			Probe: func(ctx context.Context, way Way) error {
				mu.Lock()
				is := down[way]
				mu.Unlock()
				if is {
					<-ctx.Done()
					return errors.New("no answer")
				}
				return nil
			},
			Queued:  func() int { mu.Lock(); defer mu.Unlock(); return queued },
			Changed: func(s Stand) { mu.Lock(); defer mu.Unlock(); log = append(log, seen{time.Since(start), s}) },
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = w.Run(ctx) }()
		last := func() Stand {
			synctest.Wait()
			return w.Stand()
		}
		time.Sleep(time.Minute)
		if s := last(); s.Mode != ModeOnline || len(log) != 0 {
			t.Fatalf("%+v %+v", s, log)
		}

		// A word counts at once.
		at := time.Now()
		w.Tell(Word{At: at, Up: false})
		if s := w.Stand(); s.Mode != ModeDegraded || s.Way != WaySecond {
			t.Fatalf("after the word: %+v", s)
		}
		w.Tell(Word{At: at.Add(-time.Second), Up: true}) // late news
		if s := w.Stand(); s.Way != WaySecond {
			t.Fatalf("after an older word: %+v", s)
		}

		// No word, and requests fail: both ways are lost within thirty seconds, and
		// believed again after two successes.
		w.Tell(Word{At: time.Now(), Up: true})
		time.Sleep(2 * time.Minute)
		set(WayMain, true)
		set(WaySecond, true)
		since := time.Now()
		w.Note(WayMain, false)
		for w.Stand().Mode != ModeOffline && time.Since(since) < time.Hour {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(since); took > 20*time.Second {
			t.Errorf("offline after %v", took)
		}
		mu.Lock()
		queued = 2
		mu.Unlock()
		set(WaySecond, false)
		time.Sleep(10 * time.Second)
		if s := last(); s.Mode != ModeDegraded || s.Way != WaySecond {
			t.Errorf("the second way is back: %+v", s)
		}
		set(WaySecond, true)
		time.Sleep(30 * time.Second)
		if s := last(); s.Mode != ModeOffline {
			t.Errorf("nothing is there: %+v", s)
		}
		set(WayMain, false)
		time.Sleep(20 * time.Second)
		if s := last(); s.Mode != ModeDraining {
			t.Errorf("back, with a queue: %+v", s)
		}
		mu.Lock()
		queued = 0
		mu.Unlock()
		time.Sleep(5 * time.Second)
		if s := last(); s.Mode != ModeOnline || s.Way != WayMain {
			t.Errorf("back: %+v", s)
		}
		cancel()
		synctest.Wait()
		for i := 1; i < len(log); i++ {
			if log[i].s.Mode == log[i-1].s.Mode && log[i].s.Way == log[i-1].s.Way {
				t.Errorf("told twice: %+v", log[i])
			}
		}
	})
}

func TestWatchConfig(t *testing.T) {
	probe := func(context.Context, Way) error { return nil }
	for _, change := range []func(*WatchConfig, *WatchDeps){
		func(_ *WatchConfig, d *WatchDeps) { d.Probe = nil },
		func(c *WatchConfig, _ *WatchDeps) { c.Every = 0 },
		func(c *WatchConfig, _ *WatchDeps) { c.Troubled = -1 },
		func(c *WatchConfig, _ *WatchDeps) { c.Rules.Failures = 0 },
	} {
		c, d := DefaultWatch(), WatchDeps{Probe: probe}
		change(&c, &d)
		if _, err := NewWatch(c, d); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
