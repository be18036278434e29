package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// forward brings a change from planned to the point where it is to stay. A halt
// says why it is not to; an error, that the journal failed or ctx ended.
func (w *worker) forward(ctx context.Context) (*halt, error) {
	for _, phase := range []func(context.Context) (*halt, error){w.arm, w.write, w.verify, w.decided} {
		if h, err := phase(ctx); h != nil || err != nil {
			return h, err
		}
	}
	return nil, nil
}

// deadline is when the change must be decided, so that there is time to
// confirm it.
func (w *worker) deadline() time.Time {
	by, _ := w.r.ConfirmBy()
	return by
}

// lookBefore looks at how things are. As long as nothing is changed there is
// time: a device that gives no answer is asked again until StepTimeout.
func (w *worker) lookBefore(ctx context.Context) (look, *halt) {
	for until := time.Now().Add(w.c.cfg.StepTimeout); ; {
		l := w.look(ctx, until, false)
		var silent *halt
		for _, id := range w.r.ids() {
			if err := l.seen[id].err; err != nil {
				silent = &halt{cause: CauseUnreachable, text: fmt.Sprintf("%s did not answer before anything was changed: %v", id, err)}
				break
			}
		}
		if silent == nil || ctx.Err() != nil || time.Until(until) <= w.c.cfg.VerifyEvery {
			return l, silent
		}
		if h := w.sleep(ctx, w.c.cfg.VerifyEvery); h != nil || ctx.Err() != nil {
			return l, h
		}
	}
}

// arm looks at how things are and puts the ways back onto the devices.
func (w *worker) arm(ctx context.Context) (*halt, error) {
	var links []LinkBefore
	if w.r.Repair == 0 {
		l, h := w.lookBefore(ctx)
		if h != nil || ctx.Err() != nil {
			return h, ctx.Err()
		}
		links = before(w.net, w.r.Devices, l.readings(w.net), w.c.deps.Planned, w.c.cfg.LevelSlack)
	}
	if h := w.asked(); h != nil {
		return h, nil
	}
	now := time.Now().UTC()
	until := now.Add(w.r.hold())
	err := w.note(ctx, w.lines("arm", fmt.Sprintf("is asked to put back by itself, after %v, what it has now", w.r.hold())), func(r *ChangeRecord) {
		r.State, r.Until = ChangeArming, &until
		if links != nil {
			r.Links = links
		}
		for i := range r.Devices {
			r.Devices[i].State, r.Devices[i].ArmedAt = StepArming, &now
		}
	})
	if err != nil {
		return nil, err
	}
	ways := make([]network.WayBack, len(w.r.Devices))
	errs := w.call(ctx, w.r.Devices, until, func(ctx context.Context, i int, d ChangeDevice) (err error) {
		ways[i], err = w.c.deps.Fleet.Arm(ctx, d.Device, w.id, w.r.hold(), d.Changes)
		return err
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var lines []line
	h := w.judge(errs, w.r.ids(), "gave no way back")
	for i, d := range w.r.Devices {
		if errs[i] != nil {
			lines = append(lines, line{d.Device, "arm-failed", "gave no way back: " + errs[i].Error()})
		} else {
			lines = append(lines, line{d.Device, "armed", "holds its way back (" + ways[i].Means + ")"})
		}
	}
	return h, w.note(ctx, lines, func(r *ChangeRecord) {
		if h == nil {
			r.State = ChangeArmed
		}
		for i := range r.Devices {
			if r.Devices[i].Error = text(errs[i]); errs[i] == nil {
				r.Devices[i].State, r.Devices[i].WayBack = StepArmed, &ways[i]
			}
		}
	})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// judge makes a halt of the first error, the clearest kind first.
func (w *worker) judge(errs []error, ids []network.DeviceID, what string) *halt {
	var h *halt
	for i, err := range errs {
		if err == nil {
			continue
		}
		cause := CauseRefused
		if unanswered(err) {
			cause = CauseUnreachable
		}
		if h == nil || h.cause == CauseUnreachable && cause == CauseRefused {
			h = &halt{cause: cause, text: fmt.Sprintf("%s %s: %v", ids[i], what, err)}
		}
	}
	return h
}

// unanswered says that nothing is known of what a device did.
func unanswered(err error) bool { return err != nil && fault.Of(err) == fault.Unreachable }

// verify waits until all is well, twice in a row, at most until the deadline.
func (w *worker) verify(ctx context.Context) (*halt, error) {
	err := w.note(ctx, []line{{"", "verify", "do all devices answer, have they their new settings, are the links back?"}},
		func(r *ChangeRecord) { r.State = ChangeVerifying })
	if err != nil {
		return nil, err
	}
	wrong := []string{"no look was possible within the hold"}
	for well := 0; well < 2; {
		if !time.Now().Before(w.deadline()) {
			return &halt{cause: CauseNotVerified, text: strings.Join(first(wrong, 8), "; ")}, nil
		}
		l := w.look(ctx, w.deadline(), true)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		well++
		if now := unverified(w.net, w.r, l); len(now) > 0 {
			wrong, well = now, 0
		}
		if well < 2 {
			if h := w.sleep(ctx, min(w.c.cfg.VerifyEvery, time.Until(w.deadline()))); h != nil || ctx.Err() != nil {
				return h, ctx.Err()
			}
		}
	}
	lines := []line{{"", "verified", "all devices answer, with their new settings; the links are back"}}
	if w.r.Manual {
		lines = append(lines, line{"", string(ChangeWaiting), "waits for somebody to confirm, until " + w.deadline().UTC().Format("15:04:05 UTC")})
	}
	return nil, w.note(ctx, lines, func(r *ChangeRecord) {
		if r.Manual {
			r.State = ChangeWaiting
		}
		for i := range r.Devices {
			r.Devices[i].Error = ""
		}
	})
}

// first gives at most n texts, and says how many more there are.
func first(texts []string, n int) []string {
	if len(texts) <= n {
		return texts
	}
	return append(slices.Clone(texts[:n]), fmt.Sprintf("and %d more", len(texts)-n))
}

// decided waits for somebody to confirm, where that was asked for, and writes
// down that the change is to stay. From here it goes forward only.
func (w *worker) decided(ctx context.Context) (*halt, error) {
	var by *command
	if w.r.Manual {
		var h *halt
		var err error
		if by, h, err = w.agreedOn(ctx); h != nil || err != nil {
			return h, err
		}
	}
	if !time.Now().Before(w.deadline()) {
		h := &halt{cause: CauseUnconfirmed, text: "nobody confirmed it within the hold; the devices go back by themselves"}
		if !w.r.Manual {
			h = &halt{cause: CauseNotVerified, text: "all was well only when the hold was nearly over: give a longer one"}
		}
		if by != nil {
			by.reply <- fault.New(fault.Unconfirmed, "confirm %s: too late: %s", w.id, h.text)
		}
		return h, nil
	}
	who, actor := "all is well: the new settings are to stay", (*audit.Actor)(nil)
	if by != nil {
		who, actor = by.by.Who+" confirmed it: the new settings are to stay", &by.by
	}
	err := w.note(ctx, []line{{"", "confirm", who}}, func(r *ChangeRecord) { r.State = ChangeConfirming }, entry{actor, w.audit("change.confirm", "")})
	if by != nil {
		by.reply <- unwritten(ctx, fault.Unconfirmed, "so its devices go back by themselves, unless the history says otherwise", err)
	}
	return nil, err
}

// agreedOn is the word of somebody while all is well still, nil at the
// deadline: it may be long since that was seen, and what somebody changed by
// hand meanwhile goes back only with its way back.
func (w *worker) agreedOn(ctx context.Context) (*command, *halt, error) {
	for {
		by, h := w.await(ctx)
		if by == nil || ctx.Err() != nil {
			return nil, h, ctx.Err()
		}
		wrong := unverified(w.net, w.r, w.look(ctx, w.deadline(), true))
		if len(wrong) == 0 || !time.Now().Before(w.deadline()) || ctx.Err() != nil {
			return by, nil, ctx.Err()
		}
		why := strings.Join(first(wrong, 4), "; ")
		err := w.note(ctx, []line{{"", "look", by.by.Who + " wanted to confirm it, but it is not well any more: " + why}}, func(*ChangeRecord) {})
		if err == nil {
			by.reply <- fault.New(fault.Conflict, "confirm %s: it is not well any more: %s. Confirm again when it is, or let it go back", w.id, why)
			continue
		}
		by.reply <- unwritten(ctx, fault.Unconfirmed, "so its devices go back by themselves", err)
		return nil, nil, err
	}
}

// await is the word of somebody, nil at the deadline.
func (w *worker) await(ctx context.Context) (*command, *halt) {
	t := time.NewTimer(time.Until(w.deadline()))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case c := <-w.cmds:
		if !c.confirm {
			return nil, w.hear(c)
		}
		return &c, nil
	}
	return nil, nil
}
