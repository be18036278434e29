package controller

import (
	"context"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// lines are the same for every device.
func (w *worker) lines(step, text string) []line {
	out := make([]line, len(w.r.Devices))
	for i, d := range w.r.Devices {
		out[i] = line{d.Device, step, text}
	}
	return out
}

// parts are those of some devices.
func (w *worker) parts(ids []network.DeviceID) []ChangeDevice {
	out := make([]ChangeDevice, len(ids))
	for i, id := range ids {
		out[i] = *w.r.at(id)
	}
	return out
}

// call does one thing to devices at the same time, none longer than its time or
// the deadline.
func (w *worker) call(ctx context.Context, ds []ChangeDevice, deadline time.Time, do func(ctx context.Context, i int, d ChangeDevice) error) []error {
	errs := make([]error, len(ds))
	if limit := time.Now().Add(w.c.cfg.StepTimeout); limit.Before(deadline) {
		deadline = limit
	}
	each(len(ds), w.c.cfg.Readers, func(i int) {
		ctx, cancel := context.WithDeadline(ctx, deadline)
		defer cancel()
		errs[i] = do(ctx, i, ds[i])
		if errs[i] != nil && ctx.Err() != nil {
			errs[i] = fault.New(fault.Unreachable, "%s did not answer in time: %w", ds[i].Device, errs[i])
		}
	})
	return errs
}

// look asks the devices of a change and those at the other ends of their links.
func (w *worker) look(ctx context.Context, deadline time.Time, settings bool) look {
	l := look{have: map[network.DeviceID]configuration{}, seen: map[network.DeviceID]observation{}}
	ids := w.r.ids()
	var watch []network.DeviceID
	if w.r.Repair > 0 {
		for _, o := range w.r.Others {
			ids = append(ids, o.Device)
		}
	} else {
		watch = append(slices.Clone(ids), neighbours(w.net, ids)...)
	}
	if !settings {
		ids = nil
	}
	have, seen := make([]configuration, len(ids)), make([]observation, len(watch))
	each(len(ids)+len(watch), w.c.cfg.Readers, func(i int) {
		limit := time.Now().Add(w.c.cfg.StepTimeout)
		if limit.After(deadline) {
			limit = deadline
		}
		ctx, cancel := context.WithDeadline(ctx, limit)
		defer cancel()
		if i < len(ids) {
			have[i].have, have[i].err = w.c.deps.Fleet.Configured(ctx, ids[i])
			return
		}
		o := &seen[i-len(ids)]
		o.obs, o.err = w.c.deps.Observe(ctx, watch[i-len(ids)])
	})
	for i, id := range ids {
		l.have[id] = have[i]
	}
	for i, id := range watch {
		l.seen[id] = seen[i]
	}
	return l
}
