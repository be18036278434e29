package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Fold writes what waits, brings the raw rows of every open day into the order
// of link and time, and rolls up the quarters of an hour that are over. It may
// be repeated, and killed, at any point.
func (h *History) Fold(ctx context.Context) error {
	h.writing.Lock()
	defer h.writing.Unlock()
	errs := []error{h.flush(ctx)}
	days, has, err := h.files.list()
	errs = append(errs, err)
	for _, d := range days {
		if has[d][raw] {
			errs = append(errs, h.foldDay(ctx, d, time.Now()))
		}
	}
	return errors.Join(errs...)
}

// foldDay folds and rolls up one day.
func (h *History) foldDay(ctx context.Context, d time.Time, now time.Time) error {
	f, err := h.files.get(ctx, d, raw)
	if err == nil {
		if err = f.fold(ctx); err == nil {
			err = h.rollDay(ctx, f, now)
		}
		h.files.put(f)
	}
	if err != nil && isDamage(err) {
		h.files.aside(d, raw, err)
		return nil
	}
	return err
}

// fold moves the rows of raw into folded, in one transaction.
func (f *file) fold(ctx context.Context) error {
	f.mu.Lock()
	n := len(f.tail)
	f.mu.Unlock()
	if n == 0 {
		return nil
	}
	wrap := func(err error) error { return fmt.Errorf("history: fold %s: %w", f.path, err) }
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return wrap(err)
	}
	defer tx.Rollback()
	for _, q := range []string{fold, "DELETE FROM raw"} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return wrap(err)
		}
	}
	if err := tx.Commit(); err != nil {
		return wrap(err)
	}
	f.mu.Lock()
	f.tail = map[series][]sample{}
	f.mu.Unlock()
	if _, err := f.db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil && isDamage(err) {
		return wrap(err)
	}
	return nil
}

// rollDay brings the roll-ups of a day up to date with its dirty quarters that
// are over. The raw file must be folded.
func (h *History) rollDay(ctx context.Context, f *file, now time.Time) error {
	f.mu.Lock()
	var due []int64
	for t := range f.dirty {
		if t+quarterMs <= now.UnixMilli() {
			due = append(due, t)
		}
	}
	f.mu.Unlock()
	slices.Sort(due)
	for _, t := range due {
		for _, k := range []kind{minute, quarter} {
			if err := h.rollInto(ctx, f, k, t); err != nil {
				return err
			}
		}
		// Only now: until then the quarter is read from the readings, and a
		// death in between repeats the work.
		if _, err := f.db.ExecContext(ctx, "DELETE FROM dirty WHERE t = ?", t); err != nil {
			return fmt.Errorf("history: note the roll-up in %s: %w", f.path, err)
		}
		f.mu.Lock()
		delete(f.dirty, t)
		f.mu.Unlock()
	}
	return nil
}

// rollInto writes one quarter of an hour into the minutes or quarters. A
// damaged roll-up file is begun anew, and every quarter of the day is due
// again.
func (h *History) rollInto(ctx context.Context, from *file, k kind, t int64) error {
	to, err := h.files.make(ctx, from.day, k)
	if err == nil {
		err = to.roll(ctx, from, t)
		h.files.put(to)
	}
	if err == nil || !isDamage(err) || isDamage(from.sound(ctx)) {
		return err
	}
	h.files.aside(from.day, k, err)
	if err := from.redo(ctx); err != nil {
		return err
	}
	to, err = h.files.make(ctx, from.day, k)
	if err != nil {
		return err
	}
	defer h.files.put(to)
	return to.roll(ctx, from, t)
}

// sound asks whether the file can be read at all.
func (f *file) sound(ctx context.Context) error {
	var n int
	return f.db.QueryRowContext(ctx, "SELECT count(*) FROM series").Scan(&n)
}

// redo makes every quarter that has readings due for rolling up.
func (f *file) redo(ctx context.Context) error {
	q := fmt.Sprintf("INSERT OR IGNORE INTO dirty (t) SELECT DISTINCT t / %[1]d * %[1]d FROM folded", quarterMs)
	if _, err := f.db.ExecContext(ctx, q); err != nil {
		return fmt.Errorf("history: roll up %s again: %w", f.path, err)
	}
	return each(ctx, f.db, "SELECT t FROM dirty", nil, func(rows *sql.Rows) error {
		var t int64
		if err := rows.Scan(&t); err != nil {
			return err
		}
		f.mu.Lock()
		f.dirty[t] = true
		f.mu.Unlock()
		return nil
	})
}

// roll writes the rows of one quarter, read from another file.
func (f *file) roll(ctx context.Context, from *file, t int64) error {
	wrap := func(err error) error { return fmt.Errorf("history: roll up into %s: %w", f.path, err) }
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return wrap(err)
	}
	defer tx.Rollback()
	add, err := tx.PrepareContext(ctx, insertRoll)
	if err != nil {
		return wrap(err)
	}
	defer add.Close()
	fresh := map[series]int64{}
	values := make([]any, 2+len(rollColumns)) // n, up, and four of each quantity
	args := make([]any, 2+len(values))
	w := width[f.kind]
	err = each(ctx, from.db, selectRollUp, []any{w, w, t, t + quarterMs}, func(rows *sql.Rows) error {
		var s series
		var at int64
		dest := []any{&s.link, &s.end, &at}
		for i := range values {
			dest = append(dest, &values[i])
		}
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		id, err := f.id(ctx, tx, s, fresh)
		if err != nil {
			return err
		}
		args[0], args[1] = id, at
		copy(args[2:], values)
		_, err = add.ExecContext(ctx, args...)
		return err
	})
	if err != nil {
		return wrap(err)
	}
	if err := tx.Commit(); err != nil {
		return wrap(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for s, id := range fresh {
		f.series[s] = id
	}
	return nil
}

// sweep drops the files whose days are over. A file goes only if it is older
// than its days and there are as many newer ones of its kind, so that a clock
// that jumps ahead costs nothing.
func (h *History) sweep(ctx context.Context) {
	h.writing.Lock()
	defer h.writing.Unlock()
	days, has, err := h.files.list()
	if err != nil {
		h.log.Error("history: look for old files", "err", err)
		return
	}
	keep := [kinds]int{raw: h.cfg.RawDays, minute: h.cfg.MinuteDays, quarter: h.cfg.QuarterDays}
	today := day(time.Now())
	for k := range kinds {
		newer := 0
		for _, d := range slices.Backward(days) {
			if !has[d][k] {
				continue
			}
			old := d.Before(today.AddDate(0, 0, -keep[k]))
			if newer++; !old || newer <= keep[k]+1 {
				continue
			}
			if k == raw {
				if err := h.foldDay(ctx, d, time.Now()); err != nil {
					h.log.Warn("history: roll up an old day before it is dropped", "day", d.Format(time.DateOnly), "err", err)
					continue
				}
			}
			if err := h.files.remove(d, k); err != nil {
				h.log.Warn("history: drop an old file", "file", name(d, k), "err", err)
				continue
			}
			h.log.Info("history: old file dropped", "file", name(d, k))
		}
	}
}
