package carpool

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Purged counts the rows that retention deletes, or takes the personal fields
// out of, by "TABLE.AGE".
type Purged map[string]int64

// Round is the retention: what has served is deleted, and rides of long ago
// are nobody's any more. To run it again changes nothing.
func (p *Privacy) Round(ctx context.Context) error {
	_, err := p.expire(ctx, func(tx *store.Tx, gone Purged) error {
		if len(gone) == 0 {
			return nil
		}
		return p.deps.Audit.Add(ctx, tx, gone.entry())
	})
	return err
}

// errDry ends a transaction that was only to see what would happen.
var errDry = errors.New("dry run")

// Purge is Round now, for the office, who stands in the log even where nothing
// goes; dry only counts what it would do.
func (p *Privacy) Purge(ctx context.Context, by By, dry bool) (Purged, error) {
	if err := mayOffice(by); err != nil {
		return nil, err
	}
	gone, err := p.expire(ctx, func(tx *store.Tx, gone Purged) error {
		if dry {
			return errDry
		}
		return p.deps.Audit.Add(ctx, tx, gone.entry())
	})
	if errors.Is(err, errDry) {
		err = nil
	}
	return gone, err
}

// expire does what time does to each table, with note in its transaction, and
// then takes away the accounts of those who left, and what was deleted from the
// disk.
func (p *Privacy) expire(ctx context.Context, note func(tx *store.Tx, gone Purged) error) (Purged, error) {
	var gone Purged
	err := p.deps.Audit.Tx(ctx, func(tx *store.Tx) (err error) {
		if gone, err = p.expireIn(ctx, tx); err != nil {
			return err
		}
		return note(tx, gone)
	})
	if err == nil {
		err = p.finish(ctx)
	}
	if err == nil && len(gone) > 0 {
		if err = p.scrub(ctx); fault.Of(err) == fault.Conflict {
			err = nil
		}
	}
	if err != nil {
		return gone, fmt.Errorf("retention: %w", err)
	}
	return gone, nil
}

// expireIn is expire for the tables alone.
func (p *Privacy) expireIn(ctx context.Context, tx *store.Tx) (Purged, error) {
	gone := Purged{}
	ages := p.cfg.ages(tx.Now)
	for _, h := range p.holdings() {
		for _, e := range h.Expire {
			at, ok := ages[e.Age]
			if !ok {
				return nil, fault.New(fault.Internal, "retention of %s: there is no age %q", h.Table, e.Age)
			}
			n, err := count(tx.Exec(ctx, e.Do, at))
			if err != nil {
				return nil, fmt.Errorf("retention of %s: %w", h.Table, err)
			}
			if n > 0 {
				gone[strings.TrimPrefix(h.Table, "carpool_")+"."+e.Age] += n
			}
		}
	}
	return gone, nil
}

// entry is the line of the log about it.
func (g Purged) entry() audit.Entry {
	detail := map[string]string{}
	for k, n := range g {
		detail[k] = fmt.Sprint(n)
	}
	return audit.Entry{Action: "carpool.retention", Detail: detail}
}
