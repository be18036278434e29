package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// fleet is a fake set of devices: each behaves as its function says.
type fleet struct {
	mu     sync.Mutex
	at     map[network.DeviceID]func(ctx context.Context) (network.Observation, error)
	active map[network.DeviceID]int
	twice  bool
	most   int // reads under way at the same time
	reads  map[network.DeviceID][]time.Time
}

func newFleet() *fleet {
	return &fleet{
		at:     map[network.DeviceID]func(context.Context) (network.Observation, error){},
		active: map[network.DeviceID]int{}, reads: map[network.DeviceID][]time.Time{},
	}
}

func (f *fleet) set(d network.DeviceID, do func(context.Context) (network.Observation, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at[d] = do
}

func (f *fleet) Observe(ctx context.Context, d network.DeviceID) (network.Observation, error) {
	f.mu.Lock()
	f.active[d]++
	f.twice = f.twice || f.active[d] > 1
	f.reads[d] = append(f.reads[d], time.Now())
	n := 0
	for _, a := range f.active {
		n += a
	}
	f.most = max(f.most, n)
	do := f.at[d]
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.active[d]--
		f.mu.Unlock()
	}()
	return do(ctx)
}

func (f *fleet) times(d network.DeviceID) []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads[d]
}

// after answers after a while, or gives up with the context.
func after(d time.Duration) func(context.Context) (network.Observation, error) {
	return func(ctx context.Context) (network.Observation, error) {
		select {
		case <-time.After(d):
			return network.Observation{Uptime: unit.Some[network.Seconds](1000)}, nil
		case <-ctx.Done():
			return network.Observation{}, context.Cause(ctx)
		}
	}
}

const never = 1000 * time.Hour

// polled runs a poller for a while of fake time and gives what it said.
func polled(t *testing.T, cfg Config, f *fleet, devices []network.DeviceID, d time.Duration) (map[network.DeviceID][]poll, string) {
	t.Helper()
	var log strings.Builder
	out := make(chan poll)
	got := map[network.DeviceID][]poll{}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	done := make(chan struct{})
	go func() {
		newPoller(cfg, f, slog.New(slog.NewTextHandler(&log, nil)), out).run(ctx, devices)
		close(done)
	}()
	for {
		select {
		case p := <-out:
			got[p.device] = append(got[p.device], p)
		case <-done:
			return got, log.String()
		}
	}
}

func names(n int, prefix string) (ids []network.DeviceID) {
	for i := range n {
		ids = append(ids, network.DeviceID(fmt.Sprintf("%s%d", prefix, i)))
	}
	return ids
}

func TestPollKeepsTimeAndSpreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, devices := newFleet(), names(100, "d")
		for _, d := range devices {
			f.set(d, after(20*time.Millisecond))
		}
		begin := time.Now()
		got, log := polled(t, Default(), f, devices, 100*time.Second)
		var early int
		for _, d := range devices {
			times := f.times(d)
			if len(times) != 10 || len(got[d]) < 9 {
				t.Errorf("%s was read %d times in ten intervals", d, len(times))
			}
			for i := 1; i < len(times); i++ {
				if gap := times[i].Sub(times[i-1]); gap != 10*time.Second {
					t.Errorf("%s: %v between two reads", d, gap)
				}
			}
			if times[0].Sub(begin) < 5*time.Second {
				early++
			}
		}
		if early < 30 || early > 70 {
			t.Errorf("%d of 100 devices are read in the first half of the interval", early)
		}
		if log != "" {
			t.Error(log)
		}
	})
}

// Silent and slow devices, more than there are workers, never make the others
// late, and none is read twice at once.
func TestSilentDevicesDoNotDelayOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Default()
		cfg.Workers = 4
		f := newFleet()
		well, silent, slow := names(40, "well"), names(60, "silent"), names(20, "slow")
		deaf := names(5, "deaf") // their driver does not heed the context
		release := make(chan struct{})
		for _, d := range well {
			f.set(d, after(10*time.Millisecond))
		}
		for _, d := range silent {
			f.set(d, after(never))
		}
		for _, d := range slow {
			f.set(d, after(7*time.Second))
		}
		for _, d := range deaf {
			f.set(d, func(context.Context) (network.Observation, error) {
				<-release
				return network.Observation{}, errors.New("too late")
			})
		}
		time.AfterFunc(200*time.Second, func() { close(release) })
		all := append(append(append(append([]network.DeviceID{}, well...), silent...), slow...), deaf...)
		got, _ := polled(t, cfg, f, all, 201*time.Second)
		if f.twice {
			t.Error("a device was read twice at once")
		}
		for _, d := range well {
			times := f.times(d)
			for i := 5; i < len(times); i++ { // the first rounds find out who is silent
				if late := times[i].Sub(times[i-1]) - 10*time.Second; late.Abs() > time.Second {
					t.Errorf("%s is read %v late in round %d", d, late, i)
				}
			}
			if len(times) < 17 {
				t.Errorf("%s was read %d times in 20 intervals", d, len(times))
			}
		}
		for _, d := range append(silent, deaf...) {
			if len(got[d]) < 12 {
				t.Errorf("%s: %d results, want one in nearly each interval", d, len(got[d]))
			}
			for _, p := range got[d] {
				if p.err == nil || !strings.Contains(p.err.Error(), string(d)) {
					t.Errorf("%s: %v, want an error that names it", d, p.err)
				}
			}
		}
		for _, d := range slow {
			for _, p := range got[d] {
				if p.err != nil {
					t.Errorf("%s is slow, not silent: %v", d, p.err)
				}
			}
		}
		for _, d := range deaf {
			if n := len(f.times(d)); n > 2 {
				t.Errorf("%s was begun %d times", d, n)
			}
		}
	})
}

func TestWorkersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Default()
		cfg.Workers, cfg.Spread = 3, 0
		f, devices := newFleet(), names(50, "d")
		for _, d := range devices {
			f.set(d, after(100*time.Millisecond))
		}
		polled(t, cfg, f, devices, 9*time.Second)
		if f.most != 3 {
			t.Errorf("%d reads at the same time, want 3", f.most)
		}
	})
}

func TestTroubleIsOneLineWhenItBeginsAndOneWhenItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		begin := time.Now()
		f.set("d", func(ctx context.Context) (network.Observation, error) {
			if s := time.Since(begin); s > 30*time.Second && s < 90*time.Second {
				return network.Observation{}, errors.New("d: dial: connection refused")
			}
			return network.Observation{}, nil
		})
		_, log := polled(t, Default(), f, []network.DeviceID{"d"}, 3*time.Minute)
		lines := strings.Split(strings.TrimSpace(log), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "does not answer") || !strings.Contains(lines[0], "refused") ||
			!strings.Contains(lines[1], "answers again") || !strings.Contains(lines[1], "failed_reads=6") {
			t.Errorf("%s", log)
		}
	})
}

func TestPollEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.set("d", after(never))
		begin := time.Now()
		got, _ := polled(t, Default(), f, []network.DeviceID{"d"}, 12*time.Second)
		if d := time.Since(begin); d > 13*time.Second {
			t.Errorf("ended %v after it began", d)
		}
		for _, p := range got["d"] {
			if errors.Is(p.err, context.Canceled) {
				t.Error("our own end was taken for the device's silence")
			}
		}
	})
}
