package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/audit"
)

// further is the change that must follow one that ended, so that all its
// devices are on the same side; nil when they are. It is a change like others,
// with ways back, that only verifies when all devices of the first one answer
// with their former settings; one that fails is tried again, some times.
func (w *worker) further(last ChangeRecord) *ChangeRecord {
	next := ChangeRecord{
		State: ChangePlanned, Who: audit.Program.Who, HoldS: last.HoldS, Of: last.ID, Repair: last.Repair + 1,
		Devices: []ChangeDevice{}, Others: []ChangeDevice{}, Links: []LinkBefore{},
	}
	if last.Repair == 0 {
		reverse(&next, last)
	} else {
		next.Of = last.Of
		next.Others = slices.Clone(last.Others)
		for _, d := range last.Devices {
			d = ChangeDevice{Device: d.Device, State: StepPlanned, Hops: d.Hops, Changes: d.Changes}
			if last.at(d.Device).State == StepReturning || last.at(d.Device).State == StepConfirmed {
				next.Others = append(next.Others, d)
			} else {
				next.Devices = append(next.Devices, d)
			}
		}
		if last.State == ChangeConfirmed || last.Cause == CauseAsked || last.Cause == CauseNotNeeded {
			return nil
		}
	}
	if len(next.Devices) == 0 || next.Repair > w.c.cfg.Repairs {
		return nil
	}
	if next.Repair > 1 {
		after := time.Now().UTC().Add(w.c.cfg.RepairPause << (next.Repair - 2))
		next.After = &after
	}
	next.ID, next.Created = newChangeID(time.Now()), time.Now().UTC()
	return &next
}

// reverse makes the change that takes back what is left of another.
func reverse(next *ChangeRecord, last ChangeRecord) {
	for _, d := range last.Devices {
		o := ChangeDevice{Device: d.Device, State: StepPlanned, Hops: d.Hops}
		if len(d.Back) > 0 {
			o.Changes = d.Back
			next.Devices = append(next.Devices, o)
			continue
		}
		if !d.Written || d.State == StepFailed {
			continue
		}
		for _, c := range d.Changes {
			o.Changes = append(o.Changes, c.Reverse())
		}
		next.Others = append(next.Others, o)
	}
}

// repair waits for its time, sees which devices still have to come back, and
// goes forward with those.
func (w *worker) repair(ctx context.Context) (*halt, error) {
	if w.r.After != nil {
		if h := w.sleep(ctx, time.Until(*w.r.After)); h != nil || ctx.Err() != nil {
			return h, ctx.Err()
		}
	}
	all := append(slices.Clone(w.r.Devices), w.r.Others...)
	sights := w.sightsOf(ctx, all)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var todo, others []ChangeDevice
	forward, back := true, true
	for i, d := range all {
		s := sights[i]
		there := s.err == nil && len(s.new) == len(d.Changes)
		forward = forward && s.err == nil && len(s.new) == 0
		back = back && there
		if i < len(w.r.Devices) && !there {
			todo = append(todo, d)
		} else {
			others = append(others, d)
		}
	}
	switch {
	case back:
		return &halt{cause: CauseNotNeeded, text: "all devices have their former settings already"}, nil
	case forward:
		return &halt{cause: CauseNotNeeded, text: fmt.Sprintf("all devices have the new settings of change %s", w.r.Of)}, nil
	case len(todo) == 0: // one of the others does not answer, or was changed by hand
		return &halt{cause: CauseUnreachable, text: "the devices that had stayed are back; another does not answer with its former settings"}, nil
	}
	if len(todo) != len(w.r.Devices) {
		err := w.note(ctx, []line{{"", "look", fmt.Sprintf("%d devices are back already", len(w.r.Devices)-len(todo))}},
			func(r *ChangeRecord) { r.Devices, r.Others = todo, others })
		if err != nil {
			return nil, err
		}
	}
	return w.forward(ctx)
}
