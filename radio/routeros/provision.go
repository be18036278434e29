package routeros

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/radio"
)

// Configured reads identity, radios and addresses. Addresses that the device
// got by itself (DHCP) and disabled ones are not among them.
func (d *Driver) Configured(ctx context.Context, t radio.Target) (c network.Configured, err error) {
	err = d.hold(ctx, t, true, func(s *session) error {
		r := newRound(ctx, d.cfg, s)
		h, err := r.holds(func(network.Section) bool { return true })
		if err == nil {
			c = h.configured()
			c.Device, c.At = t.Device, r.now
		}
		return err
	})
	return c, err
}

// Arm puts one entry into the device's scheduler, reads it back and sees that
// it is whole and active.
func (d *Driver) Arm(ctx context.Context, t radio.Target, id string, hold time.Duration, changes []network.Change) (w network.WayBack, err error) {
	if err := checkID(id); err != nil {
		return w, err
	}
	if hold != hold.Truncate(time.Second) || hold < shortestHold || hold > longestHold {
		return w, fault.New(fault.Invalid, "hold %v: give whole seconds, %v to %v", hold, shortestHold, longestHold)
	}
	err = d.hold(ctx, t, true, func(s *session) error {
		r := newRound(ctx, d.cfg, s)
		h, err := r.holds(about(changes))
		if err != nil {
			return err
		}
		others, err := r.entries()
		if err != nil {
			return err
		}
		if len(others) > 0 {
			return fault.New(fault.Conflict, "the device has a way back of change %s already: confirm or undo that one first, or wait until the device has gone back", line(others[0].id))
		}
		todo, err := edits(h, changes)
		if err != nil {
			return err
		}
		if odd := unlike(h, changes, func(c network.Change) []*string { return []*string{c.From} }); len(odd) > 0 {
			return fault.New(fault.Conflict, "changed since the differences were read: %s", strings.Join(odd, "; "))
		}
		script, err := undoScript(id, todo)
		if err != nil {
			return err
		}
		if err := r.arm(id, hold, script); err != nil {
			return err
		}
		s.unsettled = time.Now().Add(hold + time.Minute)
		w = network.WayBack{ID: id, Device: t.Device, Means: "scheduler", Script: script, Left: unit.Some(network.Seconds(hold.Seconds()))}
		return nil
	})
	return w, err
}

// about is which sections changes speak of.
func about(changes []network.Change) func(network.Section) bool {
	return func(s network.Section) bool {
		return slices.ContainsFunc(changes, func(c network.Change) bool { return c.Key.Section == s })
	}
}

// arm adds the entry of a way back and checks it. What does not hold is taken
// away again.
func (r *round) arm(id string, hold time.Duration, script string) error {
	c := r.s.conn
	now, err := r.clock()
	if err != nil {
		return err
	}
	args := []string{"=name=" + armedPrefix + id, fmt.Sprintf("=interval=%ds", int(hold.Seconds())),
		"=policy=" + schedulerPolicy, "=comment=crinale: way back, removes itself", "=on-event=" + script}
	if date, at, ok := now.start(hold); ok {
		args = append(args, "=start-date="+date, "=start-time="+at)
	}
	_, err = c.run(r.ctx, schedulerMenu+"/add", args...)
	if t := asTrap(err); t != nil {
		return noWayBack(t.Error())
	}
	if err != nil {
		return fault.New(fault.Unreachable, "put the way back into the scheduler: %w", err)
	}
	v, err := r.details("?name=" + armedPrefix + id)
	if err != nil {
		return fault.New(fault.Unreachable, "read the way back again: %w", err)
	}
	why := fit(v, script, hold, now)
	if why == "" {
		return nil
	}
	if v != nil {
		if _, err := c.run(r.ctx, schedulerMenu+"/remove", "=.id="+v[".id"]); err != nil {
			return fault.New(fault.Refused, "the device gives no way back: %s; its entry %s%s could not be removed: %w", why, armedPrefix, id, err)
		}
	}
	return noWayBack(why)
}

// noWayBack is a device that cannot go back by itself, and what to do.
func noWayBack(why string) error {
	mend := "see that the account may write and use the scheduler, or change the device by hand"
	if strings.Contains(why, "device-mode") {
		mend = "allow its scheduler with /system/device-mode/update scheduler=yes and press the button or cut the power there, or change the device by hand"
	}
	return fault.New(fault.Refused, "the device gives no way back, so nothing was changed: %s: %s", why, mend)
}

// Write makes the changes: the identity, addresses with the new before the
// old, then each radio in one command.
func (d *Driver) Write(ctx context.Context, t radio.Target, changes []network.Change) error {
	return d.hold(ctx, t, true, func(s *session) error {
		r := newRound(ctx, d.cfg, s)
		h, err := r.holds(about(changes))
		if err != nil {
			return err
		}
		todo, err := edits(h, changes)
		if err != nil {
			return err
		}
		if odd := unlike(h, changes, func(c network.Change) []*string { return []*string{c.From, c.To} }); len(odd) > 0 {
			return fault.New(fault.Conflict, "changed since the way back was armed: %s", strings.Join(odd, "; "))
		}
		// Last before the first write, so that little time passes between.
		if err := r.guarded(); err != nil {
			return err
		}
		defer s.forgetSettings()
		all := steps(todo)
		for n, st := range all {
			if err := r.write(st, n, len(all)); err != nil {
				return err
			}
		}
		if err := r.guarded(); err != nil {
			if s.conn.broken {
				return fault.New(fault.Unreachable, "%w: %w", radio.ErrCut, err)
			}
			return err
		}
		return nil
	})
}

// guarded sees that a way back is armed and has not begun.
func (r *round) guarded() error {
	all, err := r.entries()
	if err != nil {
		return err
	}
	for _, e := range all {
		if !e.acting {
			return nil
		}
	}
	return fault.New(fault.Conflict, "no way back is armed on the device: it went back, or was never armed; read the differences again")
}

// write runs one of several steps.
func (r *round) write(st step, n, of int) error {
	c := r.s.conn
	_, err := c.run(r.ctx, st.command, st.args...)
	switch {
	case err == nil:
		return nil
	case asTrap(err) != nil:
		return fault.New(fault.Refused, "write %s: %w", st.about, err)
	case n == of-1 && c.guard.sent > 0:
		return fault.New(fault.Unreachable, "write %s: %w: %w", st.about, radio.ErrCut, err)
	}
	return fault.New(fault.Unreachable, "write %s, step %d of %d: %w", st.about, n+1, of, err)
}

// forgetSettings has the slow menus read in the next round.
func (s *session) forgetSettings() { clear(s.due) }
