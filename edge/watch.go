package edge

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// WatchConfig is how a Watch looks at its ways.
type WatchConfig struct {
	Rules     ModeRules
	Every     time.Duration // between two probes while all is well
	Troubled  time.Duration // between two probes while a way fails, or is to come back
	Timeout   time.Duration // of a probe
	HasSecond bool
}

// DefaultWatch is a Watch without a second way.
func DefaultWatch() WatchConfig {
	return WatchConfig{Rules: DefaultModeRules(), Every: 15 * time.Second, Troubled: 2 * time.Second, Timeout: 3 * time.Second}
}

// WatchDeps are what a Watch asks and tells. Only Probe is needed.
type WatchDeps struct {
	Probe      func(context.Context, Way) error // nil: the way answers
	Queued     func() int                       // writes that wait
	SecondOpen func() bool                      // the cap of the second way is not used up
	Changed    func(Stand)                      // called in order, one at a time
	Log        *slog.Logger                     // nil: silent
}

// Watch knows the mode of an edge, from the words of the controller, from what
// becomes of requests, and from its own probes.
type Watch struct {
	cfg   WatchConfig
	deps  WatchDeps
	stand atomic.Pointer[Stand]
	soon  chan struct{} // a probe is wanted now
	tell  sync.Mutex    // held while Changed is called

	mu    sync.Mutex
	known Known
}

// NewWatch makes a watch, online until something speaks against it.
func NewWatch(c WatchConfig, d WatchDeps) (*Watch, error) {
	switch {
	case d.Probe == nil:
		return nil, fault.New(fault.Invalid, "watch: there is no probe")
	case c.Every <= 0 || c.Troubled <= 0 || c.Timeout <= 0:
		return nil, fault.New(fault.Invalid, "watch: give times above zero")
	case c.Rules.Failures < 1 || c.Rules.Successes < 1:
		return nil, fault.New(fault.Invalid, "watch: give at least one failure and one success")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	w := &Watch{cfg: c, deps: d, soon: make(chan struct{}, 1), known: Known{HasSecond: c.HasSecond}}
	w.stand.Store(&Stand{Mode: ModeOnline, Way: WayMain, Since: time.Now(), Why: "nothing speaks against it"})
	return w, nil
}

// Stand is the mode now. It costs no lock.
func (w *Watch) Stand() Stand { return *w.stand.Load() }

// Tell brings a word; an older one than the newest of who says it is dropped.
func (w *Watch) Tell(word Word) {
	w.mu.Lock()
	slot := &w.known.Word
	if word.Hand {
		slot = &w.known.Hand
	}
	if old := *slot; old == nil || !word.At.Before(old.At) {
		*slot = &word
	}
	w.mu.Unlock()
	w.settle()
}

// Note brings how a request on a way ended. Failures have a probe made at once,
// since what failed may be one origin alone.
func (w *Watch) Note(way Way, ok bool) {
	if !ok {
		select {
		case w.soon <- struct{}{}:
		default:
		}
		return
	}
	w.tried(way, true)
}

// tried counts one try, and settles.
func (w *Watch) tried(way Way, ok bool) {
	now := time.Now()
	w.mu.Lock()
	t := &w.known.Main
	if way == WaySecond {
		t = &w.known.Second
	}
	quiet := ok && t.Good >= w.cfg.Rules.Successes // nothing new
	*t = t.Noted(ok, now)
	w.mu.Unlock()
	if !quiet {
		w.settle()
	}
}

// settle takes the next stand, and tells it.
func (w *Watch) settle() {
	w.tell.Lock()
	defer w.tell.Unlock()
	w.mu.Lock()
	k := w.known
	w.mu.Unlock()
	if w.deps.Queued != nil {
		k.Queued = w.deps.Queued()
	}
	k.SecondOpen = w.deps.SecondOpen == nil || w.deps.SecondOpen()
	old := w.Stand()
	next := w.cfg.Rules.Next(old, k, time.Now())
	w.stand.Store(&next)
	if next.Mode == old.Mode && next.Way == old.Way {
		return
	}
	w.deps.Log.Info("edge mode", "mode", next.Mode, "way", next.Way, "was", old.Mode, "why", next.Why)
	if w.deps.Changed != nil {
		w.deps.Changed(next)
	}
}

// Run probes the ways until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	for {
		var both sync.WaitGroup
		both.Go(func() { w.probe(ctx, WayMain) })
		if w.cfg.HasSecond && (w.Stand().Way != WayMain || w.failing() || w.seconds()) {
			both.Go(func() { w.probe(ctx, WaySecond) })
		}
		both.Wait()
		w.settle() // words grow old, queues become empty
		wait := w.cfg.Every
		if s := w.Stand(); s.Mode != ModeOnline || w.failing() {
			wait = w.cfg.Troubled
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		case <-w.soon:
			t.Stop()
		}
	}
}

// seconds says that the second way has not been looked at for long: that it
// works must be known before it is needed.
func (w *Watch) seconds() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Since(w.known.Second.At) > 20*w.cfg.Every
}

func (w *Watch) failing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known.Main.Failed > 0
}

func (w *Watch) probe(ctx context.Context, way Way) {
	c, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	err := w.deps.Probe(c, way)
	if ctx.Err() == nil {
		w.tried(way, err == nil)
	}
}
