package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// quick tries again at once, for tests.
func quick() outbox.Config {
	c := outbox.Default()
	c.Every, c.First, c.Longest, c.Tries = 5*time.Millisecond, time.Millisecond, 20*time.Millisecond, 3
	return c
}

func open(t *testing.T, db *store.DB, cfg outbox.Config) *outbox.Box {
	t.Helper()
	b, err := outbox.New(cfg, outbox.Deps{Store: db, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func add(t *testing.T, db *store.DB, b *outbox.Box, ms ...outbox.Message) {
	t.Helper()
	err := db.Do(t.Context(), func(tx *store.Tx) error {
		for _, m := range ms {
			if err := b.Add(t.Context(), tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// seen is a handler that remembers what came.
type seen struct {
	mu   sync.Mutex
	keys []string
}

func (s *seen) take(_ context.Context, m outbox.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, m.Key)
	return nil
}

func (s *seen) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.keys)
}

// until polls with a deadline, since a real database is behind it.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(2 * time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never: %s", what)
		}
	}
}

// running runs the box until the test ends.
func running(t *testing.T, b *outbox.Box) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

func figures(t *testing.T, b *outbox.Box) outbox.Figures {
	t.Helper()
	f, err := b.Figures(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDeliveredOnceAndItsKeyIsRemembered(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, s := open(t, db, quick()), &seen{}
		b.Handle("q", s.take)
		m := outbox.Message{Queue: "q", Key: "k", Body: []byte("hush")}
		add(t, db, b, m, m)
		for range 3 {
			if _, err := b.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		add(t, db, b, m)
		if more, err := b.Deliver(t.Context()); err != nil || more {
			t.Fatalf("more %v, err %v", more, err)
		}
		if got := s.all(); len(got) != 1 {
			t.Errorf("delivered %d times, want once", len(got))
		}
		var body []byte
		err := db.View(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT body FROM outbox_messages WHERE key = 'k'`).Scan(&body)
		})
		if err != nil || len(body) != 0 {
			t.Errorf("the body of a delivered message stayed: %q, %v", body, err)
		}
		if f := figures(t, b); f.Waiting != 0 || f.Delivered != 1 || f.Queues["q"].Delivered != 1 {
			t.Errorf("figures %+v", f)
		}
	})
}

func TestRolledBackMessageIsNeverDelivered(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, s := open(t, db, quick()), &seen{}
		b.Handle("q", s.take)
		no := errors.New("no")
		err := db.Do(t.Context(), func(tx *store.Tx) error {
			if err := b.Add(t.Context(), tx, outbox.Message{Queue: "q", Key: "k"}); err != nil {
				return err
			}
			return no
		})
		if !errors.Is(err, no) {
			t.Fatal(err)
		}
		if _, err := b.Deliver(t.Context()); err != nil || len(s.all()) != 0 {
			t.Errorf("delivered %v, err %v", s.all(), err)
		}
	})
}

func TestSlowHandlerHoldsUpNobodyElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, s := open(t, db, quick()), &seen{}
		entered, release := make(chan struct{}), make(chan struct{})
		b.Handle("slow", func(context.Context, outbox.Message) error { close(entered); <-release; return nil })
		b.Handle("quick", s.take)
		running(t, b)
		add(t, db, b, outbox.Message{Queue: "slow", Key: "s"})
		<-entered
		for i := range 20 {
			add(t, db, b, outbox.Message{Queue: "quick", Key: fmt.Sprint(i)})
		}
		until(t, "the quick queue delivered while the slow one hangs", func() bool { return len(s.all()) == 20 })
		late := &seen{}
		b.Handle("late", late.take) // a queue that comes while it runs
		add(t, db, b, outbox.Message{Queue: "late", Key: "l"})
		until(t, "the late queue delivered", func() bool { return len(late.all()) == 1 })
		close(release)
		until(t, "the slow one ended", func() bool { return figures(t, b).Queues["slow"].Delivered == 1 })
	})
}

func TestNewMessagesAndRetriesTakeTurns(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		cfg := quick()
		cfg.Batch, cfg.Tries = 4, 1000
		b := open(t, db, cfg)
		var mu sync.Mutex
		var order []string
		tried := map[string]bool{}
		b.Handle("q", func(_ context.Context, m outbox.Message) error {
			mu.Lock()
			defer mu.Unlock()
			tried[m.Key] = true
			order = append(order, m.Key[:1])
			if m.Key[0] == 'b' {
				return errors.New("down")
			}
			return nil
		})
		for i := range 30 {
			add(t, db, b, outbox.Message{Queue: "q", Key: fmt.Sprintf("bad%d", i)})
		}
		until(t, "all bad ones tried", func() bool {
			if _, err := b.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			defer mu.Unlock()
			return len(tried) == 30
		})
		mu.Lock()
		order = nil
		mu.Unlock()
		add(t, db, b, outbox.Message{Queue: "q", Key: "good1"}, outbox.Message{Queue: "q", Key: "good2"})
		if _, err := b.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(order, []string{"g", "b", "g", "b"}) {
			t.Errorf("one pass took %v: want new ones and retries in turn", order)
		}
	})
}

func TestGivenUpIsKeptListedTriedAgainAndDropped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := open(t, db, quick())
		var mu sync.Mutex
		heal := false
		tries := map[string]int{}
		b.Handle("q", func(_ context.Context, m outbox.Message) error {
			mu.Lock()
			defer mu.Unlock()
			tries[m.Key]++
			switch {
			case heal:
				return nil
			case m.Key == "refused":
				return fmt.Errorf("send: %w", fault.New(fault.Refused, "550"))
			}
			return fault.New(fault.Unreachable, "%s", strings.Repeat("no answer ", 100))
		})
		running(t, b)
		add(t, db, b, outbox.Message{Queue: "q", Key: "refused"}, outbox.Message{Queue: "q", Key: "silent"}, outbox.Message{Queue: "q", Key: "third"})
		until(t, "three given up", func() bool { return figures(t, b).GivenUp == 3 })
		mu.Lock()
		if tries["refused"] != 1 || tries["silent"] != 3 {
			t.Errorf("tries %v: want 1 of what was refused and 3 of what was silent", tries)
		}
		mu.Unlock()
		list, err := b.List(t.Context(), 10)
		if err != nil || len(list) != 3 {
			t.Fatalf("list %+v, %v", list, err)
		}
		ids := map[string]string{}
		for _, s := range list {
			ids[s.Key] = s.ID
			if s.Error == "" || len(s.Error) > 300 || s.Added.IsZero() || s.Queue != "q" {
				t.Errorf("stuck %+v", s)
			}
		}
		mu.Lock()
		heal = true
		mu.Unlock()
		if err := b.Retry(t.Context(), ids["silent"]); err != nil {
			t.Fatal(err)
		}
		if err := b.Drop(t.Context(), ids["third"]); err != nil {
			t.Fatal(err)
		}
		until(t, "the one tried again was delivered", func() bool { return figures(t, b).Delivered == 1 })
		add(t, db, b, outbox.Message{Queue: "q", Key: "third"})
		if f := figures(t, b); f.GivenUp != 1 || f.Waiting != 0 {
			t.Errorf("figures %+v: want one given up still, and the dropped one known", f)
		}
		for _, id := range []string{ids["silent"], ids["third"], "nothing"} {
			if err := b.Retry(t.Context(), id); fault.Of(err) != fault.NotFound {
				t.Errorf("retry of %s: %v", id, err)
			}
			if err := b.Drop(t.Context(), id); fault.Of(err) != fault.NotFound {
				t.Errorf("drop of %s: %v", id, err)
			}
		}
	})
}

func TestLaterIsNotATry(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		cfg := quick()
		cfg.Tries = 1
		b := open(t, db, cfg)
		var mu sync.Mutex
		calls := 0
		b.Handle("q", func(_ context.Context, m outbox.Message) error {
			mu.Lock()
			defer mu.Unlock()
			calls++
			if m.Tries != 0 || m.Added.IsZero() {
				t.Errorf("message %+v", m)
			}
			if calls < 5 {
				return fmt.Errorf("sms: %w", outbox.Later(time.Now().Add(1000*time.Hour), nil)) // no further than Longest
			}
			return nil
		})
		running(t, b)
		add(t, db, b, outbox.Message{Queue: "q", Key: "k"})
		until(t, "delivered after all", func() bool { return figures(t, b).Delivered == 1 })
		if f := figures(t, b); f.Failed != 0 || f.GivenUp != 0 {
			t.Errorf("figures %+v", f)
		}
	})
}

func TestPanicAndTimeoutAreFailures(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		cfg := quick()
		cfg.Timeout = 20 * time.Millisecond
		b := open(t, db, cfg)
		b.Handle("panics", func(context.Context, outbox.Message) error { panic("secret") })
		b.Handle("hangs", func(ctx context.Context, _ outbox.Message) error { <-ctx.Done(); return context.Cause(ctx) })
		running(t, b)
		add(t, db, b, outbox.Message{Queue: "panics", Key: "p"}, outbox.Message{Queue: "hangs", Key: "h"})
		until(t, "both given up", func() bool { return figures(t, b).GivenUp == 2 })
		list, err := b.List(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if strings.Contains(s.Error, "secret") || !strings.Contains(s.Error, s.Queue) {
				t.Errorf("error %q", s.Error)
			}
		}
	})
}

// A delivery that was done when the program is told to end must be noted, or
// it would be done again.
func TestEndOfProgramLosesNoMark(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := open(t, db, quick())
		cancel := func() {}
		b.Handle("q", func(_ context.Context, m outbox.Message) error {
			cancel()
			if m.Key == "fails" {
				return errors.New("because the program ends")
			}
			return nil
		})
		for _, key := range []string{"done", "fails"} {
			ctx, stop := context.WithCancel(t.Context())
			cancel = stop
			add(t, db, b, outbox.Message{Queue: "q", Key: key})
			if _, err := b.Deliver(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		cancel()
		if f := figures(t, b); f.Delivered != 1 || f.Waiting != 1 || f.Failed != 0 {
			t.Errorf("figures %+v: want one noted as delivered, and one that was no try", f)
		}
	})
}

func TestBadMessagesAndConfigsAreRefused(t *testing.T) {
	db := storetest.SQLite(t)
	b := open(t, db, quick())
	long := strings.Repeat("x", 201)
	for _, m := range []outbox.Message{{}, {Queue: "q"}, {Key: "k"}, {Queue: long, Key: "k"}, {Queue: "q", Key: long}, {Queue: "q", Key: "k", Body: make([]byte, 65<<10)}} {
		err := db.Do(t.Context(), func(tx *store.Tx) error { return b.Add(t.Context(), tx, m) })
		if fault.Of(err) != fault.Internal || err == nil {
			t.Errorf("%.20q %.20q was added: %v", m.Queue, m.Key, err)
		}
	}
	for i, change := range []func(*outbox.Config){
		func(c *outbox.Config) { c.Every = 0 }, func(c *outbox.Config) { c.First = 0 }, func(c *outbox.Config) { c.Longest = 0 },
		func(c *outbox.Config) { c.Tries = 0 }, func(c *outbox.Config) { c.Batch = 1 }, func(c *outbox.Config) { c.Timeout = 0 }, func(c *outbox.Config) { c.Keep = 0 },
	} {
		c := outbox.Default()
		change(&c)
		if _, err := outbox.New(c, outbox.Deps{Store: db}); err == nil {
			t.Errorf("config %d was taken", i)
		}
	}
	if _, err := outbox.New(outbox.Default(), outbox.Deps{}); err == nil {
		t.Error("no store was taken")
	}
}
