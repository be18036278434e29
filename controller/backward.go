package controller

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store"
)

// undoAhead is how long the undoing of a farther device may take before the
// nearer ones follow: it cannot answer once its link is cut.
const undoAhead = 3 * time.Second

// slowest pause between two looks at devices that are waited for.
const slowestLook = 30 * time.Second

func (w *worker) clock() clock {
	c := clock{now: time.Now(), grace: w.c.cfg.margin(w.r.hold()) + 2*w.c.cfg.VerifyEvery, lost: w.c.cfg.Patience}
	if w.r.Until != nil {
		c.until = *w.r.Until
	}
	return c
}

// settle brings a change that is to stay, or to go back, to its end: it looks
// at the devices, decides, writes that down, does it, and looks again.
func (w *worker) settle(ctx context.Context) error {
	pause := w.c.cfg.VerifyEvery
	for !w.r.State.Ended() {
		sights := w.sights(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d := decide(w.r, sights, w.clock())
		if d.turn != "" {
			if err := w.turnBack(ctx, &halt{cause: CauseTooLate, text: d.turn}); err != nil {
				return err
			}
			continue
		}
		if err := w.settled(ctx, d); err != nil || w.r.State.Ended() {
			return err
		}
		well := false
		if len(d.act) > 0 {
			if err := w.acting(ctx, d); err != nil {
				return err
			}
			if well = w.act(ctx, d); ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if well {
			continue
		}
		w.sleep(ctx, pause)
		if pause = min(2*pause, slowestLook); !w.clock().over() {
			pause = w.c.cfg.VerifyEvery
		}
	}
	return nil
}

// sights looks at the devices that are not out of the change.
func (w *worker) sights(ctx context.Context) map[network.DeviceID]sight {
	var open []ChangeDevice
	for _, d := range w.r.Devices {
		confirmed := d.State == StepConfirmed && w.r.State == ChangeUndoing
		if d.State != StepPlanned && (!d.State.ended() || confirmed) {
			open = append(open, d)
		}
	}
	got := w.sightsOf(ctx, open)
	out := map[network.DeviceID]sight{}
	for i, d := range open {
		out[d.Device] = got[i]
	}
	return out
}

func (w *worker) sightsOf(ctx context.Context, ds []ChangeDevice) []sight {
	out := make([]sight, len(ds))
	each(len(ds), w.c.cfg.Readers, func(i int) {
		ctx, cancel := context.WithTimeout(ctx, w.c.cfg.StepTimeout)
		defer cancel()
		back, err := w.c.deps.Fleet.WaysBack(ctx, ds[i].Device)
		if err != nil {
			out[i] = sight{err: err}
			return
		}
		have, err := w.c.deps.Fleet.Configured(ctx, ds[i].Device)
		if err != nil {
			out[i] = sight{err: err}
			return
		}
		out[i] = sightOf(ds[i], w.id, back, have)
	})
	return out
}

// acting writes down what is going to be done to which devices, once for each.
func (w *worker) acting(ctx context.Context, d decision) error {
	step, text := "undo", "is told to go back now"
	if d.step == StepConfirming {
		step, text = "confirm", "is told to keep it"
	}
	var lines []line
	for _, ids := range d.act {
		for _, id := range ids {
			if w.r.at(id).State != d.step {
				lines = append(lines, line{id, step, text})
			}
		}
	}
	if lines == nil {
		return nil
	}
	return w.note(ctx, lines, func(r *ChangeRecord) {
		for _, l := range lines {
			r.at(l.device).State = d.step
		}
	})
}

// act confirms or undoes, and says whether all went well.
func (w *worker) act(ctx context.Context, d decision) bool {
	if d.step == StepConfirming {
		for _, ids := range d.act {
			errs := w.call(ctx, w.parts(ids), time.Now().Add(w.c.cfg.StepTimeout), func(ctx context.Context, _ int, d ChangeDevice) error {
				return w.c.deps.Fleet.Confirm(ctx, d.Device, w.id)
			})
			if slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
				return false // those beyond wait for the next look
			}
		}
		return true
	}
	var wg sync.WaitGroup
	well := make([]bool, len(d.act))
	for i, ids := range d.act {
		ahead := make(chan struct{})
		wg.Go(func() {
			defer close(ahead)
			errs := w.call(ctx, w.parts(ids), time.Now().Add(w.c.cfg.StepTimeout), func(ctx context.Context, _ int, d ChangeDevice) error {
				return w.c.deps.Fleet.Undo(ctx, d.Device, w.id)
			})
			well[i] = !slices.ContainsFunc(errs, func(err error) bool { return err != nil })
		})
		t := time.NewTimer(undoAhead)
		select {
		case <-ahead:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
	wg.Wait()
	return !slices.Contains(well, false)
}

// settled writes down the devices that are where they will stay, and the end of
// the change when they all are.
func (w *worker) settled(ctx context.Context, d decision) error {
	var lines []line
	for _, e := range d.ends {
		lines = append(lines, line{e.device, string(e.state), e.said()})
	}
	edit := func(r *ChangeRecord) {
		for _, e := range d.ends {
			dev := r.at(e.device)
			dev.State, dev.Error, dev.Back = e.state, e.text, e.back
		}
	}
	last := w.r.clone()
	edit(&last)
	open := func(d ChangeDevice) bool {
		return !d.State.ended() || d.State == StepConfirmed && last.State == ChangeUndoing
	}
	if slices.ContainsFunc(last.Devices, open) {
		if lines == nil {
			return nil
		}
		return w.note(ctx, lines, edit)
	}
	last.State = ending(last)
	next := w.further(last)
	if next != nil {
		lines = append(lines, line{"", "repair", fmt.Sprintf("change %s takes the others back", next.ID)})
	}
	last.Outcome = outcome(last, next)
	lines = append(lines, line{"", string(last.State), last.Outcome})
	err := w.noteAnd(ctx, lines, func(r *ChangeRecord) {
		edit(r)
		r.State, r.Outcome = last.State, last.Outcome
	}, func(tx *store.Tx, r *ChangeRecord) error {
		if next != nil {
			if err := w.c.enter(ctx, tx, next); err != nil {
				return err
			}
		}
		if r.State == ChangeConfirmed {
			return w.c.journal.stay(ctx, tx, *r)
		}
		return nil
	}, w.endEntries(last, next)...)
	if err != nil {
		return err
	}
	w.c.count(w.r)
	if next != nil {
		w.c.launch(newWorker(w.c, *next, nil))
	}
	return nil
}

// endEntries are the lines of the audit log at the end of a change.
func (w *worker) endEntries(last ChangeRecord, next *ChangeRecord) []entry {
	var out []entry
	if last.State != ChangeConfirmed { // change.confirm told of that
		out = append(out, entry{nil, w.audit("change."+string(last.State), last.Why)})
	}
	if next != nil {
		out = append(out, entry{nil, audit.Entry{Action: "change.apply", Object: next.ID, Detail: map[string]string{"devices": listed(next.ids()), "of": next.Of}}})
	}
	return out
}
