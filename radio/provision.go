package radio

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// Provisioner is a Driver that can change devices too. A change is safe
// because the device itself holds the way back: Arm puts it there, Write
// changes the settings, Confirm takes it away. When nobody confirms, the
// device puts the former settings back by itself after the hold, whether
// anybody can reach it or not.
//
// Every method ends soon after ctx does. Errors have the kinds of package
// radio and those told below.
type Provisioner interface {
	Driver

	// Configured reads what is set now. A part that the device refuses to
	// show is an error: what is not known is not taken for unset.
	Configured(ctx context.Context, t Target) (network.Configured, error)

	// Arm puts the way back of the change id on the device: after hold it
	// puts back the settings that the changes name, as they are now, byte for
	// byte, and removes itself. fault.Conflict: a setting is not what From
	// says, or another way back is on the device; fault.NotFound: a radio is
	// not there; fault.Refused: the device gives no way back, or cannot set
	// this; fault.Invalid: a change or an id that means nothing. After any of
	// these nothing of it is left on the device. After fault.Unreachable a
	// way back may be there; nothing was changed, so it does no harm.
	Arm(ctx context.Context, t Target, id string, hold time.Duration, changes []network.Change) (network.WayBack, error)

	// Write makes the changes, under a way back that must be armed
	// (fault.Conflict when there is none, or it acted meanwhile). It stops at
	// the first refusal (fault.Refused). ErrCut in the error's chain: all was
	// sent, and the answer to the last command did not come.
	Write(ctx context.Context, t Target, changes []network.Change) error

	// Confirm takes the way back of the change id away, so that the new
	// settings stay. fault.NotFound: there is none; the device went back, or
	// is going back, or it was confirmed before. ErrCut: the answer did not
	// come, and whether it is gone is not known.
	Confirm(ctx context.Context, t Target, id string) error

	// Undo has the device go back at once and waits until it has.
	// fault.NotFound: there is no way back of the change id. ErrCut: it was
	// told to, and did not answer after that.
	Undo(ctx context.Context, t Target, id string) error

	// WaysBack lists what is armed on the device.
	WaysBack(ctx context.Context, t Target) ([]network.WayBack, error)
}

// ErrCut is in the chain of a fault.Unreachable where the device was sent a
// command and was silent after it, as when the change itself cut the line. The
// command may have taken effect or not: look again when the device answers.
// Those who cannot import this package know it by its method Cut() bool, true.
var ErrCut error = cutError{}

type cutError struct{}

func (cutError) Error() string { return "sent, then silent" }
func (cutError) Cut() bool     { return true }

// Configured reads what is set on a device; see Provisioner. Like all calls
// about changes it waits for the device's turn, is not held up by the pause
// after failures, and ends within Config.ChangeTimeout.
func (f *Fleet) Configured(ctx context.Context, id network.DeviceID) (c network.Configured, err error) {
	err = f.provision(ctx, "read the settings of", id, func(ctx context.Context, p Provisioner, t Target) error {
		c, err = p.Configured(ctx, t)
		return err
	})
	c.Device = id
	return c, err
}

// Arm puts the way back of a change on a device; see Provisioner.
func (f *Fleet) Arm(ctx context.Context, id network.DeviceID, change string, hold time.Duration, changes []network.Change) (w network.WayBack, err error) {
	err = f.provision(ctx, "arm the way back of", id, func(ctx context.Context, p Provisioner, t Target) error {
		w, err = p.Arm(ctx, t, change, hold, changes)
		return err
	})
	return w, err
}

// Write changes the settings of a device; see Provisioner.
func (f *Fleet) Write(ctx context.Context, id network.DeviceID, changes []network.Change) error {
	return f.provision(ctx, "change", id, func(ctx context.Context, p Provisioner, t Target) error {
		return p.Write(ctx, t, changes)
	})
}

// Confirm makes a change stay; see Provisioner.
func (f *Fleet) Confirm(ctx context.Context, id network.DeviceID, change string) error {
	return f.provision(ctx, "confirm", id, func(ctx context.Context, p Provisioner, t Target) error {
		return p.Confirm(ctx, t, change)
	})
}

// Undo has a device go back at once; see Provisioner.
func (f *Fleet) Undo(ctx context.Context, id network.DeviceID, change string) error {
	return f.provision(ctx, "undo", id, func(ctx context.Context, p Provisioner, t Target) error {
		return p.Undo(ctx, t, change)
	})
}

// WaysBack lists what is armed on a device; see Provisioner.
func (f *Fleet) WaysBack(ctx context.Context, id network.DeviceID) (all []network.WayBack, err error) {
	err = f.provision(ctx, "read the ways back of", id, func(ctx context.Context, p Provisioner, t Target) error {
		all, err = p.WaysBack(ctx, t)
		return err
	})
	return all, err
}

// provision does one thing in the turn of a device. Its failures do not count
// for the pause, its success ends it.
func (f *Fleet) provision(ctx context.Context, what string, id network.DeviceID, do func(context.Context, Provisioner, Target) error) error {
	p, ok := f.driver.(Provisioner)
	if !ok {
		return fault.New(fault.Refused, "%s %s: devices of this kind can be read, not changed", what, id)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.cfg.ChangeTimeout, fmt.Errorf("no answer from %s within %v", id, f.cfg.ChangeTimeout))
	defer cancel()
	d := f.device(id)
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return fault.New(fault.Conflict, "%s %s: an earlier call is still under way: %w", what, id, context.Cause(ctx))
	}
	t, err := f.target(ctx, d, id)
	if err == nil {
		err = do(ctx, p, t)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", what, id, err)
	}
	f.answered(id, d)
	return nil
}
