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
	"github.com/crinale/crinale/internal/store"
)

// worker brings one change to its end. Only its own goroutine touches r, which
// is the change as the journal has it: nothing is done to a device before the
// journal says that it will be.
type worker struct {
	c    *Changes
	id   string
	r    ChangeRecord
	net  *network.Network // the files at the time of Apply; nil after a restart
	cmds chan command
	done chan struct{} // closed when it has ended
}

// command is what somebody asks of a change under way.
type command struct {
	confirm bool // else: revert
	by      audit.Actor
	reply   chan error // of size one
}

// halt is why a change goes back.
type halt struct {
	cause ChangeCause
	text  string
	by    *command // who asked; nil: nobody did
}

func newWorker(c *Changes, r ChangeRecord, n *network.Network) *worker {
	return &worker{c: c, id: r.ID, r: r, net: n, cmds: make(chan command), done: make(chan struct{})}
}

// run ends with the change, or with ctx: then without a word, for the journal
// has all that the next start needs.
func (w *worker) run(ctx context.Context) {
	defer close(w.done)
	log := w.c.log.With("change", w.id)
	err := w.takeUp(ctx)
	for failing := false; err != nil && ctx.Err() == nil; {
		if !failing {
			log.Error("the journal of a change cannot be written; nothing more is done to its devices until it can", "err", err)
			failing = true
		}
		if w.sleep(ctx, w.c.cfg.RetryJournal); ctx.Err() != nil {
			return
		}
		r, gone := w.c.journal.get(ctx, w.id)
		if gone != nil {
			continue
		}
		w.r, w.net = r, nil // what is known is what is written
		if err = w.takeUp(ctx); err == nil {
			log.Info("the journal of a change is written again")
		}
	}
	if w.r.State.Ended() {
		log.Info("change ended", "state", w.r.State, "cause", w.r.Cause)
	}
}

// takeUp goes on where the journal says. A change that was under way in an
// earlier run never goes forward again, but for one that was to stay, and one
// that takes back a half-confirmed change and has not begun.
func (w *worker) takeUp(ctx context.Context) error {
	var h *halt
	var err error
	switch {
	case w.r.State.Ended():
		return nil
	case w.r.State == ChangeConfirming || w.r.State == ChangeUndoing:
		return w.settle(ctx)
	case w.r.State == ChangePlanned && w.r.Repair > 0:
		h, err = w.repair(ctx)
	case w.r.State == ChangePlanned && w.net != nil:
		h, err = w.forward(ctx)
	default:
		h = &halt{cause: CauseInterrupted, text: "crinale ended, or lost its database, in the middle of it"}
	}
	if err == nil && h != nil {
		err = w.turnBack(ctx, h)
	}
	if err != nil {
		return err
	}
	return w.settle(ctx)
}

// line is an event in the making.
type line struct {
	device     network.DeviceID
	step, text string
}

// note writes the next step into the journal. Only after that may it be done.
func (w *worker) note(ctx context.Context, lines []line, edit func(*ChangeRecord), entries ...entry) error {
	return w.noteAnd(ctx, lines, edit, func(*store.Tx, *ChangeRecord) error { return nil }, entries...)
}

// entry is a line of the audit log and who it is about; nil: the program.
type entry struct {
	by *audit.Actor
	e  audit.Entry
}

func (w *worker) noteAnd(ctx context.Context, lines []line, edit func(*ChangeRecord), also func(*store.Tx, *ChangeRecord) error, entries ...entry) error {
	if w.c.noting != nil {
		w.c.noting(w.r, false)
	}
	var next ChangeRecord
	err := w.c.transact(ctx, len(entries) > 0, func(tx *store.Tx) error {
		next = w.r.clone()
		edit(&next)
		fresh := number(&next, tx.Now, lines)
		if next.State.Ended() && next.Ended == nil {
			now := tx.Now
			next.Ended = &now
		}
		if err := also(tx, &next); err != nil {
			return err
		}
		if err := w.c.journal.put(ctx, tx, next, fresh); err != nil {
			return err
		}
		return w.c.auditAll(ctx, tx, entries)
	})
	if err != nil {
		return err
	}
	w.r = next
	if w.c.noting != nil {
		w.c.noting(w.r, true)
	}
	return ctx.Err()
}

// transact runs fn in a transaction, in that of the audit log when a line of
// it is written.
func (c *Changes) transact(ctx context.Context, audited bool, fn func(*store.Tx) error) error {
	if audited {
		return c.deps.Audit.Tx(ctx, fn)
	}
	return c.deps.Store.Do(ctx, fn)
}

func (c *Changes) auditAll(ctx context.Context, tx *store.Tx, entries []entry) error {
	for _, e := range entries {
		actx := ctx
		if e.by != nil {
			actx = audit.With(ctx, *e.by)
		}
		if err := c.deps.Audit.Add(actx, tx, e.e); err != nil {
			return err
		}
	}
	return nil
}

// number adds lines to the events of a record and gives them.
func number(r *ChangeRecord, at time.Time, lines []line) []ChangeEvent {
	before := len(r.Events)
	for _, l := range lines {
		text := strings.ReplaceAll(strings.ToValidUTF8(l.text, "�"), "\x00", "�") // what devices told may be no text
		r.Events = append(r.Events, ChangeEvent{Seq: len(r.Events) + 1, At: at, Device: l.device, Step: l.step, Text: text})
	}
	return r.Events[before:]
}

func (r ChangeRecord) clone() ChangeRecord {
	r.Devices, r.Others = slices.Clone(r.Devices), slices.Clone(r.Others)
	r.Events = slices.Clip(r.Events)
	return r
}

// at is the part of a device.
func (r *ChangeRecord) at(id network.DeviceID) *ChangeDevice {
	for i := range r.Devices {
		if r.Devices[i].Device == id {
			return &r.Devices[i]
		}
	}
	return &ChangeDevice{}
}

func (r ChangeRecord) ids() []network.DeviceID {
	out := make([]network.DeviceID, len(r.Devices))
	for i, d := range r.Devices {
		out[i] = d.Device
	}
	return out
}

func (r ChangeRecord) hold() time.Duration { return time.Duration(r.HoldS * float64(time.Second)) }

// turnBack writes down that a change is not to stay.
func (w *worker) turnBack(ctx context.Context, h *halt) error {
	var entries []entry
	if h.by != nil {
		entries = append(entries, entry{&h.by.by, w.audit("change.revert", h.text)})
	}
	err := w.note(ctx, []line{{"", "undo", h.text}}, func(r *ChangeRecord) { r.State, r.Cause, r.Why = ChangeUndoing, h.cause, h.text }, entries...)
	if h.by != nil {
		h.by.reply <- unwritten(ctx, fault.Unconfirmed, "so its devices go back by themselves when their hold is over", err)
	}
	return err
}

// unwritten says to whoever asked what it means that the journal cannot be
// written, as on a full disk; other errors are as they were.
func unwritten(ctx context.Context, kind fault.Kind, so string, err error) error {
	if err == nil || fault.Of(err) != fault.Internal || ctx.Err() != nil {
		return err
	}
	return fault.New(kind, "the journal of changes cannot be written, %s: %w", so, err)
}

func (w *worker) audit(action, why string) audit.Entry {
	e := audit.Entry{Action: action, Object: w.id, Detail: map[string]string{"devices": listed(w.r.ids())}}
	if why != "" {
		e.Detail["why"] = why
	}
	return e
}

// sleep waits, or until ctx ends, and takes what somebody asks meanwhile. It
// gives a halt when somebody wants the change back.
func (w *worker) sleep(ctx context.Context, d time.Duration) *halt {
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			return nil
		case c := <-w.cmds:
			if h := w.hear(c); h != nil {
				return h
			}
		}
	}
}

// asked takes what somebody asks just now.
func (w *worker) asked() *halt {
	select {
	case c := <-w.cmds:
		return w.hear(c)
	default:
		return nil
	}
}

// hear answers a command where confirming is out of place.
func (w *worker) hear(c command) *halt {
	switch s := w.r.State; {
	case s == ChangeConfirming:
		if c.confirm {
			c.reply <- nil
		} else {
			c.reply <- fault.New(fault.Conflict, "revert %s: it is being confirmed this very moment: look again, and revert it when it is confirmed", w.id)
		}
	case s == ChangeUndoing || s.Ended():
		if c.confirm {
			c.reply <- fault.New(fault.Unconfirmed, "confirm %s: too late, its devices are going back: %s", w.id, w.r.Why)
		} else {
			c.reply <- fault.New(fault.Conflict, "revert %s: its devices are going back already: %s", w.id, w.r.Why)
		}
	case c.confirm && !w.r.Manual:
		c.reply <- fault.New(fault.Conflict, "confirm %s: it confirms by itself as soon as all is well", w.id)
	case c.confirm:
		c.reply <- fault.New(fault.Conflict, "confirm %s: it is not verified yet (%s): wait until it asks for it", w.id, w.r.State)
	default:
		return &halt{cause: CauseAsked, text: fmt.Sprintf("%s asked for it", c.by.Who), by: &c}
	}
	return nil
}
