package controller

import (
	"context"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/network"
)

// writeAhead is how long the writing of a farther device may take before the
// nearer ones follow: once it took its new settings its link is cut, and it
// cannot say so.
const writeAhead = 5 * time.Second

// wave is the writing of one layer.
type wave struct {
	ids  []network.DeviceID
	errs []error // complete once done is closed
	done chan struct{}
	told bool // in the journal
}

// write gives the devices their new settings, the farthest first. A device that
// is silent may be cut off because the near end has not changed yet: the others
// follow, and verifying tells.
func (w *worker) write(ctx context.Context) (h *halt, err error) {
	var waves []*wave
	for _, ids := range layers(w.r.Devices, true) {
		if h = w.asked(); h != nil {
			break
		}
		if !time.Now().Before(w.deadline()) {
			h = &halt{cause: CauseNotVerified, text: "the hold was over before all devices were told: give a longer one"}
			break
		}
		if err := w.wrote(ctx, waves, ids); err != nil {
			return nil, err
		}
		v := &wave{ids: ids, done: make(chan struct{})}
		waves = append(waves, v)
		parts, deadline := w.parts(ids), w.deadline()
		go func() {
			defer close(v.done)
			v.errs = w.call(ctx, parts, deadline, func(ctx context.Context, _ int, d ChangeDevice) error {
				return w.c.deps.Fleet.Write(ctx, d.Device, d.Changes)
			})
		}()
		t := time.NewTimer(writeAhead)
		select {
		case <-v.done:
			h = refusal(w.judge(v.errs, v.ids, "did not take its settings"))
		case <-t.C:
		}
		if t.Stop(); h != nil {
			break
		}
	}
	for _, v := range waves {
		<-v.done
		if h == nil {
			h = refusal(w.judge(v.errs, v.ids, "did not take its settings"))
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return h, w.wrote(ctx, waves, nil)
}

// refusal leaves out silence.
func refusal(h *halt) *halt {
	if h != nil && h.cause == CauseUnreachable {
		return nil
	}
	return h
}

// wrote writes down what became of the waves that are done, and who is next.
func (w *worker) wrote(ctx context.Context, waves []*wave, next []network.DeviceID) error {
	var lines []line
	errs := map[network.DeviceID]error{}
	for _, v := range waves {
		select {
		case <-v.done:
		default:
			continue
		}
		for i, id := range v.ids {
			if v.told {
				continue
			}
			errs[id] = v.errs[i]
			if unanswered(v.errs[i]) {
				lines = append(lines, line{id, "write-silent", "does not answer, perhaps since its link waits for the other end: " + v.errs[i].Error()})
			} else if v.errs[i] != nil {
				lines = append(lines, line{id, "write-failed", "did not take it: " + v.errs[i].Error()})
			} else {
				lines = append(lines, line{id, "written", "took it"})
			}
		}
		v.told = true
	}
	for _, id := range next {
		for _, c := range w.r.at(id).Changes {
			lines = append(lines, line{id, "write", "is told: " + described(c)})
		}
	}
	if lines == nil {
		return nil
	}
	return w.note(ctx, lines, func(r *ChangeRecord) {
		r.State = ChangeWriting
		for id, err := range errs {
			d := r.at(id)
			if d.Error = text(err); err == nil {
				d.State = StepWritten
			}
		}
		for _, id := range next {
			r.at(id).State, r.at(id).Written = StepWriting, true
		}
		if next == nil && !slices.ContainsFunc(r.Devices, func(d ChangeDevice) bool { return !d.Written }) {
			r.State = ChangeWritten
		}
	})
}
