package controller

import (
	"context"

	"github.com/crinale/crinale/internal/fault"
)

// Run brings the tables up to date and takes up the changes of the last run,
// until ctx ends. It may be called once.
func (c *Changes) Run(ctx context.Context) error {
	if err := c.journal.open(ctx); err != nil {
		return err
	}
	close(c.ready)
	<-ctx.Done()
	return nil
}

// Apply starts a change that makes devices what the files want, and returns
// once it is written down. Changes of devices that a link joins, and all others
// of the request, stay or go back together. fault.Conflict: another change has
// one of the devices, or Digest no longer fits; fault.Invalid: nothing differs,
// or the hold is out of range; fault.Unreachable: a device that was named does
// not answer.
func (c *Changes) Apply(ctx context.Context, q ApplyRequest) (ChangeRecord, error) {
	return ChangeRecord{}, fault.New(fault.Refused, "apply: no change can be made by this version")
}

// Confirm makes a change stay that waits for it; one that was confirmed before
// stays confirmed, and that is no error. fault.Unconfirmed: it went back, or is
// going back; fault.Conflict: it is not verified yet; fault.NotFound.
func (c *Changes) Confirm(ctx context.Context, id string) (ChangeRecord, error) {
	r, err := c.Change(ctx, id)
	if err == nil && r.State != ChangeConfirmed {
		err = fault.New(fault.Unconfirmed, "change %s: %s", id, r.State)
	}
	return r, err
}

// Revert takes a change back. One that is under way is undone now; of one that
// was confirmed the inverse starts as a change of its own, with its own hold,
// and that is the record it gives. fault.Conflict: it went back already, or is
// being confirmed.
func (c *Changes) Revert(ctx context.Context, id string) (ChangeRecord, error) {
	r, err := c.Change(ctx, id)
	if err == nil {
		err = fault.New(fault.Refused, "revert %s: no change can be made by this version", id)
	}
	return r, err
}
