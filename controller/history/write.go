package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"
)

// Flush writes what waits. When it gives nil, every reading appended before it
// survives the death of the process. What could not be written waits for the
// next Flush.
func (h *History) Flush(ctx context.Context) error {
	h.writing.Lock()
	defer h.writing.Unlock()
	return h.flush(ctx)
}

func (h *History) flush(ctx context.Context) error {
	byDay := map[time.Time][]entry{}
	for _, e := range h.queue.take(h.cfg.Queue) {
		d := day(time.UnixMilli(e.t))
		byDay[d] = append(byDay[d], e)
	}
	var errs []error
	for d, es := range byDay {
		err := h.writeDay(ctx, d, es)
		if err != nil {
			h.count.failed.Add(1)
			h.queue.back(es)
			errs = append(errs, err)
			continue
		}
		h.count.written.Add(uint64(len(es)))
	}
	return errors.Join(errs...)
}

// writeDay appends entries to the file of a day. A damaged file is replaced by
// a new one, and what memory still holds of it is written there again.
func (h *History) writeDay(ctx context.Context, d time.Time, es []entry) error {
	for try := 0; ; try++ {
		f, err := h.files.make(ctx, d, raw)
		if err == nil {
			err = f.append(ctx, es)
			if err != nil && isDamage(err) {
				es = append(f.unfolded(), es...)
			}
			h.files.put(f)
		}
		if err == nil || !isDamage(err) || try > 0 {
			return err
		}
		h.files.aside(d, raw, err)
	}
}

// append writes entries in one transaction.
func (f *file) append(ctx context.Context, es []entry) error {
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("history: write %s: %w", f.path, err)
	}
	defer tx.Rollback()
	fresh := map[series]int64{}
	quarters := map[int64]bool{}
	if err := f.insert(ctx, tx, es, fresh, quarters); err != nil {
		return fmt.Errorf("history: write %s: %w", f.path, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("history: write %s: %w", f.path, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for s, id := range fresh {
		f.series[s] = id
	}
	for t := range quarters {
		f.dirty[t] = true
	}
	for _, e := range es {
		f.tail[e.series] = append(f.tail[e.series], e.sample)
	}
	return nil
}

func (f *file) insert(ctx context.Context, tx *sql.Tx, es []entry, fresh map[series]int64, quarters map[int64]bool) error {
	add, err := tx.PrepareContext(ctx, insertRaw)
	if err != nil {
		return err
	}
	defer add.Close()
	args := make([]any, 3+12)
	for _, e := range es {
		id, err := f.id(ctx, tx, e.series, fresh)
		if err != nil {
			return err
		}
		if q := e.t / quarterMs * quarterMs; !quarters[q] {
			quarters[q] = true
			if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO dirty (t) VALUES (?)", q); err != nil {
				return err
			}
		}
		args[0], args[1], args[2] = id, e.t, e.up
		for i, v := range e.v {
			args[3+i] = v
			if math.IsNaN(v) {
				args[3+i] = nil
			}
		}
		if _, err := add.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// id is the number of a series in this file; a new one is noted in fresh until
// the transaction is committed.
func (f *file) id(ctx context.Context, tx *sql.Tx, s series, fresh map[series]int64) (int64, error) {
	f.mu.Lock()
	id, ok := f.series[s]
	f.mu.Unlock()
	if ok {
		return id, nil
	}
	if id, ok := fresh[s]; ok {
		return id, nil
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO series (link, "end") VALUES (?, ?)`, string(s.link), string(s.end))
	if err != nil {
		return 0, err
	}
	id, err = res.LastInsertId()
	fresh[s] = id
	return id, err
}

// unfolded gives the rows that memory holds.
func (f *file) unfolded() []entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	var es []entry
	for s, xs := range f.tail {
		for _, x := range xs {
			es = append(es, entry{s, x})
		}
	}
	return es
}

// scanSample reads series, t, up and the twelve quantities.
func scanSample(rows *sql.Rows, id *int64) (sample, error) {
	var x sample
	var v [12]sql.NullFloat64
	dest := make([]any, 0, 15)
	dest = append(dest, id, &x.t, &x.up)
	for i := range v {
		dest = append(dest, &v[i])
	}
	err := rows.Scan(dest...)
	for i := range v {
		x.v[i] = math.NaN()
		if v[i].Valid {
			x.v[i] = v[i].Float64
		}
	}
	return x, err
}
