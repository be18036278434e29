package radio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// Config is how patient a Fleet is.
type Config struct {
	Timeout    time.Duration // of one call to one device, waiting for its turn included
	BackoffMin time.Duration // pause after the first failure; it doubles with each further one
	BackoffMax time.Duration // longest pause after silence
	DeniedMin  time.Duration // first pause after a wrong password, so that no device locks the account
	DeniedMax  time.Duration // longest pause after a wrong password

	ChangeTimeout time.Duration // of one call that reads or changes settings, waiting for its turn included
}

// Default suits a poll every ten seconds.
func Default() Config {
	return Config{
		Timeout:    9 * time.Second,
		BackoffMin: 5 * time.Second,
		BackoffMax: time.Minute,
		DeniedMin:  30 * time.Second,
		DeniedMax:  5 * time.Minute,

		ChangeTimeout: 20 * time.Second,
	}
}

// Deps are what a Fleet uses.
type Deps struct {
	Driver Driver
	Book   Book
	Log    *slog.Logger // nil: silent
}

// Fleet observes and changes devices by name. Calls to one device run one after the
// other; calls to different devices never wait for each other. After a
// failure the device is left alone for a growing, jittered pause, during which
// Observe answers at once with the last trouble; a call about changes asks all
// the same, since somebody waits for it.
type Fleet struct {
	cfg    Config
	driver Driver
	book   Book
	log    *slog.Logger

	mu      sync.Mutex
	devices map[network.DeviceID]*device
}

// device is what the fleet remembers of one device. turn is held by the call
// under way; the rest is guarded by it.
type device struct {
	turn   chan struct{}
	target Target

	failures int
	rest     time.Time // not asked before this
	trouble  error
}

// New makes a fleet; it touches no device.
func New(c Config, d Deps) (*Fleet, error) {
	switch {
	case d.Driver == nil || d.Book == nil:
		return nil, fault.New(fault.Invalid, "radio: a driver and a book are needed")
	case c.Timeout <= 0:
		return nil, fault.New(fault.Invalid, "radio: timeout %v: give a time above zero", c.Timeout)
	case c.ChangeTimeout <= 0:
		return nil, fault.New(fault.Invalid, "radio: change timeout %v: give a time above zero", c.ChangeTimeout)
	case c.BackoffMin < 0 || c.BackoffMax < c.BackoffMin:
		return nil, fault.New(fault.Invalid, "radio: backoff from %v to %v: the first must not be above the second", c.BackoffMin, c.BackoffMax)
	case c.DeniedMin < 0 || c.DeniedMax < c.DeniedMin:
		return nil, fault.New(fault.Invalid, "radio: backoff after a wrong password from %v to %v: the first must not be above the second", c.DeniedMin, c.DeniedMax)
	}
	log := d.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Fleet{cfg: c, driver: d.Driver, book: d.Book, log: log, devices: map[network.DeviceID]*device{}}, nil
}

// Observe reads one device. It ends within Config.Timeout, whatever the
// device does. The error's kind is that of the trouble, also while the device
// is left alone; fault.Conflict when a call before this one used up the time;
// fault.Invalid when the book has no target, so that the device was not asked.
func (f *Fleet) Observe(ctx context.Context, id network.DeviceID) (network.Observation, error) {
	outer := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, f.cfg.Timeout, fmt.Errorf("no answer from %s within %v", id, f.cfg.Timeout))
	defer cancel()

	d := f.device(id)
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return network.Observation{}, fault.New(fault.Conflict, "observe %s: an earlier call is still under way: %w", id, context.Cause(ctx))
	}

	t, err := f.target(ctx, d, id)
	if err != nil {
		return network.Observation{}, fmt.Errorf("observe %s: %w", id, err)
	}
	if wait := time.Until(d.rest); d.trouble != nil && wait > 0 {
		return network.Observation{}, fault.New(fault.Of(d.trouble), "observe %s: left alone for %v more after %d failures: %w",
			id, wait.Round(time.Second), d.failures, d.trouble)
	}

	obs, err := f.driver.Observe(ctx, t)
	if err != nil {
		if errors.Is(outer.Err(), context.Canceled) { // our own end, no fault of the device
			return network.Observation{}, fmt.Errorf("observe %s: %w", id, err)
		}
		f.failed(id, d, err)
		return network.Observation{}, fmt.Errorf("observe %s: %w", id, err)
	}
	f.answered(id, d)
	obs.Device = id
	return obs, nil
}

// target is where to find a device whose turn is held; fault.Invalid when the
// book has none: nobody asks the device, whatever the book says it is a matter
// of settings.
func (f *Fleet) target(ctx context.Context, d *device, id network.DeviceID) (Target, error) {
	t, err := f.book(ctx, id)
	if err != nil {
		return Target{}, fault.New(fault.Invalid, "%w", err)
	}
	t.Device = id
	if t != d.target { // a new address or password deserves a new start
		d.target, d.failures, d.rest, d.trouble = t, 0, time.Time{}, nil
	}
	return t, nil
}

// answered ends the row of failures of a device whose turn is held.
func (f *Fleet) answered(id network.DeviceID, d *device) {
	if d.failures > 0 {
		f.log.Info("device answers again", "device", id, "failures", d.failures)
	}
	d.failures, d.rest, d.trouble = 0, time.Time{}, nil
}

// Retry ends the pause of a device, for someone who knows that it is worth
// asking again now. It waits for a call under way.
func (f *Fleet) Retry(ctx context.Context, id network.DeviceID) {
	d := f.device(id)
	select {
	case d.turn <- struct{}{}:
		d.rest = time.Time{}
		<-d.turn
	case <-ctx.Done():
	}
}

// failed notes one more failure, and logs the first of a row.
func (f *Fleet) failed(id network.DeviceID, d *device, err error) {
	lo, hi := f.cfg.BackoffMin, f.cfg.BackoffMax
	if fault.Of(err) == fault.Denied {
		lo, hi = f.cfg.DeniedMin, f.cfg.DeniedMax
	}
	if d.failures == 0 {
		f.log.Warn("device does not answer", "device", id, "error", err)
	}
	d.failures++
	d.trouble = err
	d.rest = time.Now().Add(jitter(pause(d.failures, lo, hi)))
}

func (f *Fleet) device(id network.DeviceID) *device {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.devices[id]
	if d == nil {
		d = &device{turn: make(chan struct{}, 1)}
		f.devices[id] = d
	}
	return d
}
