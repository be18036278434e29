package radio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio"
)

// driver answers by device name, and counts.
type driver struct {
	mu    sync.Mutex
	calls map[network.DeviceID]int
	now   map[network.DeviceID]int // calls under way
	most  map[network.DeviceID]int
	does  map[network.DeviceID]func(context.Context, radio.Target) error
}

func newDriver() *driver {
	return &driver{calls: map[network.DeviceID]int{}, now: map[network.DeviceID]int{}, most: map[network.DeviceID]int{}, does: map[network.DeviceID]func(context.Context, radio.Target) error{}}
}

func (d *driver) Observe(ctx context.Context, t radio.Target) (network.Observation, error) {
	d.mu.Lock()
	d.calls[t.Device]++
	d.now[t.Device]++
	d.most[t.Device] = max(d.most[t.Device], d.now[t.Device])
	f := d.does[t.Device]
	d.mu.Unlock()
	defer func() { d.mu.Lock(); d.now[t.Device]--; d.mu.Unlock() }()
	if f != nil {
		if err := f(ctx, t); err != nil {
			return network.Observation{}, err
		}
	}
	return network.Observation{Identity: string(t.Device)}, nil
}

func silent(ctx context.Context, _ radio.Target) error {
	<-ctx.Done()
	return fault.New(fault.Unreachable, "no answer: %w", context.Cause(ctx))
}

func book(_ context.Context, d network.DeviceID) (radio.Target, error) {
	return radio.Target{Address: string(d) + ":8728", User: "crinale", Password: "segreto-7"}, nil
}

func newFleet(t *testing.T, d *driver, log *slog.Logger) *radio.Fleet {
	t.Helper()
	f, err := radio.New(radio.Default(), radio.Deps{Driver: d, Book: book, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestObserveNamesTheDevice(t *testing.T) {
	f := newFleet(t, newDriver(), nil)
	o, err := f.Observe(t.Context(), "bossolasco")
	if err != nil || o.Device != "bossolasco" || o.Identity != "bossolasco" {
		t.Errorf("%v %+v", err, o)
	}
}

// TestBookErrorsAreSettings: a device that was not asked did not refuse.
func TestBookErrorsAreSettings(t *testing.T) {
	for _, kind := range []fault.Kind{fault.NotFound, fault.Denied, fault.Internal} {
		d := newDriver()
		f, err := radio.New(radio.Default(), radio.Deps{Driver: d, Book: func(context.Context, network.DeviceID) (radio.Target, error) {
			return radio.Target{}, fault.New(kind, "nobody has no account")
		}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Observe(t.Context(), "nobody"); fault.Of(err) != fault.Invalid || err.Error() != "observe nobody: nobody has no account" || d.calls["nobody"] != 0 {
			t.Errorf("%v: %v of kind %v, %d calls", kind, err, fault.Of(err), d.calls["nobody"])
		}
	}
}

// TestDeadDeviceCostsLittle: after failures it is left alone for a growing
// time, one log line at the beginning and one at the end.
func TestDeadDeviceCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		d := newDriver()
		d.does["dead"] = silent
		f := newFleet(t, d, slog.New(slog.NewTextHandler(&log, nil)))
		began := time.Now()
		for time.Since(began) < time.Hour {
			_, err := f.Observe(t.Context(), "dead")
			if fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "no answer from dead within 9s") {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
		}
		if n := d.calls["dead"]; n < 30 || n > 70 {
			t.Errorf("%d calls in an hour", n)
		}
		d.mu.Lock()
		d.does["dead"] = nil
		d.mu.Unlock()
		began = time.Now()
		for {
			if _, err := f.Observe(t.Context(), "dead"); err == nil {
				break
			}
			time.Sleep(10 * time.Second)
		}
		if time.Since(began) > 90*time.Second {
			t.Errorf("noticed the return after %v", time.Since(began))
		}
		if n := strings.Count(log.String(), "\n"); n != 2 {
			t.Errorf("%d log lines:\n%s", n, log.String())
		}
		if strings.Contains(log.String(), "segreto") {
			t.Error("the log shows the password")
		}
	})
}

// TestRestDoesNotCallTheDriver and says how long it lasts; Retry ends it.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		d.does["odd"] = func(context.Context, radio.Target) error { return fault.New(fault.Denied, "wrong password") }
		f := newFleet(t, d, nil)
		f.Observe(t.Context(), "odd")
		time.Sleep(20 * time.Second)
		_, err := f.Observe(t.Context(), "odd")
		if fault.Of(err) != fault.Denied || !strings.Contains(err.Error(), "left alone for") || !strings.Contains(err.Error(), "after 1 failures: wrong password") || d.calls["odd"] != 1 {
			t.Errorf("%v, %d calls", err, d.calls["odd"])
		}
		f.Retry(t.Context(), "odd")
		if f.Observe(t.Context(), "odd"); d.calls["odd"] != 2 {
			t.Errorf("%d calls after Retry", d.calls["odd"])
		}
	})
}

// TestNobodyHoldsUpAnother: with dead devices the others take no longer.
func TestNobodyHoldsUpAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		for i := range 50 {
			d.does[network.DeviceID(fmt.Sprint("dead-", i))] = silent
		}
		f := newFleet(t, d, nil)
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() { f.Observe(t.Context(), network.DeviceID(fmt.Sprint("dead-", i))) })
			wg.Go(func() {
				if _, err := f.Observe(t.Context(), network.DeviceID(fmt.Sprint("good-", i))); err != nil || time.Since(began) > 0 {
					t.Errorf("good-%d: %v after %v", i, err, time.Since(began))
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took != 9*time.Second {
			t.Errorf("the dead ones took %v", took)
		}
	})
}

// TestOneCallAtATime for one device; whoever waits too long is told why.
func TestOneCallAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		d.does["busy"] = func(context.Context, radio.Target) error { time.Sleep(4 * time.Second); return nil }
		f := newFleet(t, d, nil)
		errs := make(chan error, 4)
		for range 4 {
			go func() { _, err := f.Observe(t.Context(), "busy"); errs <- err }()
		}
		conflicts := 0
		for range 4 {
			if err := <-errs; fault.Of(err) == fault.Conflict {
				conflicts++
			}
		}
		if d.most["busy"] != 1 {
			t.Errorf("%d calls at once", d.most["busy"])
		}
		if conflicts != 1 { // three fit or begin in nine seconds, the fourth does not
			t.Errorf("%d calls gave up waiting", conflicts)
		}
	})
}

// TestOurOwnEndIsNoFailure of the device.
func TestOurOwnEndIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		d.does["x"] = silent
		f := newFleet(t, d, nil)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(time.Second); cancel() }()
		if _, err := f.Observe(ctx, "x"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		d.mu.Lock()
		d.does["x"] = nil
		d.mu.Unlock()
		if _, err := f.Observe(t.Context(), "x"); err != nil {
			t.Error(err)
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	deps := radio.Deps{Driver: newDriver(), Book: book}
	for _, change := range []func(*radio.Config){
		func(c *radio.Config) { c.Timeout = 0 },
		func(c *radio.Config) { c.BackoffMax = c.BackoffMin - 1 },
		func(c *radio.Config) { c.DeniedMax = 0 },
		func(c *radio.Config) { c.ChangeTimeout = 0 },
	} {
		c := radio.Default()
		change(&c)
		if _, err := radio.New(c, deps); fault.Of(err) != fault.Invalid {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := radio.New(radio.Default(), radio.Deps{}); fault.Of(err) != fault.Invalid {
		t.Error(err)
	}
}

// TestTargetHidesItsPassword in every usual way of printing.
func TestTargetHidesItsPassword(t *testing.T) {
	target, _ := book(t.Context(), "x")
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "target", target, "in", struct{ T radio.Target }{target})
	all := fmt.Sprintf("%v %+v %#v %s", target, target, target, target) + log.String()
	if strings.Contains(all, "segreto") {
		t.Error(all)
	}
}
