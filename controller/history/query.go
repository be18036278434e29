package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// Range gives what one end of a link measured in [from, to), in order of time.
//
// With a step of 0 there is a point for each reading. Otherwise there is one
// for each stretch of that length that has readings; stretches begin at
// multiples of the step since 1970 UTC. Steps of a minute and more are
// answered from the roll-ups, and so are older days that have nothing finer:
// there the points may stand further apart than the step. A file that turns
// out to be damaged is moved aside and missing from the answer.
//
// Readings that Flush has not written yet are not in it.
func (h *History) Range(ctx context.Context, link network.LinkID, end network.End, from, to time.Time, step time.Duration) ([]Point, error) {
	switch {
	case end != network.EndA && end != network.EndB:
		return nil, fault.New(fault.Invalid, "history of link %s: end %q: give %q or %q", link, end, network.EndA, network.EndB)
	case !from.Before(to):
		return nil, fault.New(fault.Invalid, "history of link %s: from %s is not before to %s", link, from.Format(time.RFC3339), to.Format(time.RFC3339))
	case step < 0 || step > 0 && step < time.Millisecond:
		return nil, fault.New(fault.Invalid, "history of link %s: step %v: give 0 for every reading, or at least 1ms", link, step)
	}
	days, has, err := h.files.list()
	if err != nil {
		return nil, err
	}
	q := question{series{link, end}, from.UnixMilli(), to.UnixMilli(), sums{step.Milliseconds(), map[int64]*sum{}}}
	for _, d := range days {
		if d.Before(day(from)) || !d.Before(to) {
			continue
		}
		if err := h.rangeDay(ctx, &q, d, has[d]); err != nil {
			return nil, err
		}
	}
	return q.points(), nil
}

// question is a Range on its way through the days.
type question struct {
	series
	from, to int64
	sums
}

// best is the coarsest kind that a step allows.
func (q *question) best() kind {
	switch {
	case q.step >= quarterMs && q.step%quarterMs == 0:
		return quarter
	case q.step >= width[minute]:
		return minute
	}
	return raw
}

// rangeDay adds one day: from the readings when they are asked for and there,
// else from a roll-up, with the readings of the quarters that it does not know
// whole.
func (h *History) rangeDay(ctx context.Context, q *question, d time.Time, has [kinds]bool) error {
	want := q.best()
	if want == raw && has[raw] {
		return h.with(ctx, d, raw, func(f *file) error { return f.samples(ctx, q, q.from, q.to) })
	}
	from := max(want, minute)
	if !has[from] && !has[raw] {
		from = minute + quarter - from // the other one
	}
	dirty := map[int64]bool{}
	if has[raw] {
		err := h.with(ctx, d, raw, func(f *file) error {
			if !has[from] {
				return f.samples(ctx, q, q.from, q.to)
			}
			for _, t := range f.dirtyIn(q.from, q.to) {
				dirty[t] = true
				if err := f.samples(ctx, q, max(t, q.from), min(t+quarterMs, q.to)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if !has[from] {
		return nil
	}
	return h.with(ctx, d, from, func(f *file) error { return f.rows(ctx, q, dirty) })
}

// with lends a file. A damaged one is moved aside and forgiven.
func (h *History) with(ctx context.Context, d time.Time, k kind, use func(*file) error) error {
	f, err := h.files.get(ctx, d, k)
	if err == nil {
		err = use(f)
		h.files.put(f)
	}
	switch {
	case errors.Is(err, os.ErrNotExist): // dropped since the folder was listed
		return nil
	case err != nil && isDamage(err):
		h.files.aside(d, k, err)
		return nil
	}
	return err
}

// dirtyIn lists the quarters within a stretch that the roll-ups do not know
// whole.
func (f *file) dirtyIn(from, to int64) (ts []int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for t := range f.dirty {
		if t < to && t+quarterMs > from {
			ts = append(ts, t)
		}
	}
	return ts
}

// samples adds the readings of a stretch. What memory holds is looked at first:
// a fold in between then shows a reading twice, never not at all, and the
// second is left out.
func (f *file) samples(ctx context.Context, q *question, from, to int64) error {
	f.mu.Lock()
	id, ok := f.series[q.series]
	tail := f.tail[q.series]
	f.mu.Unlock()
	if !ok {
		return nil
	}
	newest := map[int64]sample{}
	for _, x := range tail {
		if x.t >= from && x.t < to {
			newest[x.t] = x
		}
	}
	err := each(ctx, f.db, "SELECT series, t, up, "+columns+" FROM folded WHERE series = ? AND t >= ? AND t < ?", []any{id, from, to}, func(rows *sql.Rows) error {
		x, err := scanSample(rows, &id)
		if _, twice := newest[x.t]; err == nil && !twice {
			q.at(x.t).sample(x)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("history: read %s: %w", f.path, err)
	}
	for t, x := range newest {
		q.at(t).sample(x)
	}
	return nil
}

// rows adds the lines of a roll-up but for the dirty quarters. A line counts
// when it begins within the stretch, or the stretch within it.
func (f *file) rows(ctx context.Context, q *question, dirty map[int64]bool) error {
	f.mu.Lock()
	id, ok := f.series[q.series]
	f.mu.Unlock()
	if !ok {
		return nil
	}
	var r row
	dest := []any{&r.t, &r.count, &r.up}
	for i := range r.v {
		dest = append(dest, &r.v[i].lo, &r.v[i].mean, &r.v[i].hi, &r.v[i].n)
	}
	err := each(ctx, f.db, selectRoll, []any{id, floor(q.from, width[f.kind]), q.to}, func(rows *sql.Rows) error {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		if !dirty[floor(r.t, quarterMs)] {
			q.at(r.t).row(&r)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("history: read %s: %w", f.path, err)
	}
	return nil
}
