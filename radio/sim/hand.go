package sim

import (
	"context"
	"errors"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// Console runs a script on a device as somebody at its console would, beside
// whoever manages it: in reach or not, and not counted among the Writes. The
// fleet must be Ready. A script that is wrong is Invalid, a command that the
// device refuses is Refused; the text names the line, and what stands before it
// was done. A device without power is Unreachable.
func (f *Fleet) Console(ctx context.Context, id network.DeviceID, script string) error {
	d := f.byID[id]
	if d == nil {
		return fault.New(fault.NotFound, "no device %q in the fleet", id)
	}
	f.mu.Lock()
	if f.ended || !d.on() {
		f.mu.Unlock()
		return fault.New(fault.Unreachable, "device %s has no power", id)
	}
	c := newConsole(d, "console", false, d.dies)
	f.sessions.Add(1) // Run waits for it; it has not begun to, the fleet has not ended
	f.mu.Unlock()
	defer f.sessions.Done()
	c.left = ctx.Done()
	err := c.source(script)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errPowerCut):
		return fault.New(fault.Unreachable, "device %s: script: %w", id, err)
	case errors.Is(err, errLeft):
		return fault.New(fault.Unreachable, "device %s: script: %w: %w", id, err, context.Cause(ctx))
	case isTrap(err):
		return fault.New(fault.Refused, "device %s: script: %w", id, err)
	}
	return fault.New(fault.Invalid, "device %s: script: %w", id, err)
}

func isTrap(err error) bool {
	t := (*trap)(nil)
	return errors.As(err, &t)
}
