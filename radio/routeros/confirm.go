package routeros

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio"
)

// Confirm removes the entry by its first name, which it has lost when its
// script has begun: so a device that is going back is never taken for
// confirmed.
func (d *Driver) Confirm(ctx context.Context, t radio.Target, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	return d.hold(ctx, t, true, func(s *session) error {
		r := newRound(ctx, d.cfg, s)
		if err := r.armed(id); err != nil {
			return err
		}
		_, err := s.conn.run(ctx, schedulerMenu+"/remove", "=numbers="+armedPrefix+id)
		if err := r.told(err, id); err != nil {
			return err
		}
		all, err := r.entries()
		if err != nil {
			if s.conn.broken {
				return fault.New(fault.Unreachable, "read the ways back again: %w: %w", radio.ErrCut, err)
			}
			return err
		}
		for _, e := range all {
			switch {
			case e.id != id:
			case e.acting:
				return goingBack(id)
			default:
				return fault.New(fault.Refused, "the way back of change %s is still there after it was removed: remove %s from the scheduler by hand", id, e.name)
			}
		}
		s.unsettled = time.Time{}
		s.forgetSettings()
		return nil
	})
}

// errActing is in the chain of goingBack.
var errActing = errors.New("going back")

func goingBack(id string) error {
	return fault.New(fault.NotFound, "the device is %w from change %s right now", errActing, id)
}

// armed sees that the way back of a change is there and has not begun.
func (r *round) armed(id string) error {
	all, err := r.entries()
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.id == id {
			if e.acting {
				return goingBack(id)
			}
			return nil
		}
	}
	return fault.New(fault.NotFound, "the device has no way back of change %s: it went back by itself, or the change was confirmed or undone before", id)
}

// told judges the answer to a command about the entry of a change.
func (r *round) told(err error, id string) error {
	t := asTrap(err)
	switch {
	case err == nil:
		return nil
	case t != nil && t.kind() == fault.NotFound:
		return goingBack(id)
	case t != nil:
		return fault.New(fault.Refused, "the way back of change %s: %w", id, err)
	case r.s.conn.guard.sent > 0:
		return fault.New(fault.Unreachable, "the way back of change %s: %w: %w", id, radio.ErrCut, err)
	}
	return fault.New(fault.Unreachable, "the way back of change %s: %w", id, err)
}

// How long Undo waits for the entry to go, and how often it looks.
const (
	undoWithin = 15 * time.Second
	undoLook   = 250 * time.Millisecond
)

// Undo sets the interval of the entry to one second and looks until it is
// gone. The line may break meanwhile: the device is then called again.
func (d *Driver) Undo(ctx context.Context, t radio.Target, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	var cut error // why the device was silent after it was told
	err := d.hold(ctx, t, true, func(s *session) error {
		r := newRound(ctx, d.cfg, s)
		err := r.armed(id)
		if err == nil {
			_, err = s.conn.run(ctx, schedulerMenu+"/set", "=numbers="+armedPrefix+id, "=interval=1s")
			if err = r.told(err, id); errors.Is(err, radio.ErrCut) {
				cut = err
				return nil
			}
			s.forgetSettings()
		}
		return err
	})
	if err != nil && !errors.Is(err, errActing) {
		return err
	}
	until := time.Now().Add(undoWithin)
	for {
		there := true
		err := d.hold(ctx, t, true, func(s *session) error {
			all, err := newRound(ctx, d.cfg, s).entries()
			there = slices.ContainsFunc(all, func(e entry) bool { return e.id == id })
			s.forgetSettings()
			return err
		})
		if err == nil && !there {
			return nil
		}
		wait := time.NewTimer(undoLook)
		select {
		case <-wait.C:
		case <-ctx.Done():
		}
		wait.Stop()
		if ctx.Err() == nil && time.Now().Before(until) {
			continue
		}
		if err == nil {
			return fault.New(fault.Refused, "the device was told to go back from change %s at once, and its way back is still there", id)
		}
		if cut == nil {
			cut = err
		}
		return fault.New(fault.Unreachable, "told to go back from change %s: %w: %w", id, radio.ErrCut, cut)
	}
}

// WaysBack lists the entries of ways back, also those whose script has begun.
func (d *Driver) WaysBack(ctx context.Context, t radio.Target) (out []network.WayBack, err error) {
	err = d.hold(ctx, t, true, func(s *session) error {
		out = nil
		r := newRound(ctx, d.cfg, s)
		all, err := r.entries()
		if err != nil || len(all) == 0 {
			return err
		}
		now, err := r.clock()
		if err != nil {
			return err
		}
		for _, e := range all {
			v, err := r.details("?.id=" + e.ref)
			if err != nil {
				return err
			}
			if e, ok := parseEntry(v); ok { // else gone meanwhile; by now its script may have begun
				w := wayBack(e, v, now)
				w.Device = t.Device
				out = append(out, w)
			}
		}
		return nil
	})
	return out, err
}
