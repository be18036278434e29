package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/store"
)

const (
	maxGroup   = 64               // transactions written to the disk as one
	groupLimit = 60 * time.Second // for all of a group
)

// job is one call of Tx that waits for its turn.
type job struct {
	ctx   context.Context
	fn    func(*store.Tx) error
	done  chan struct{} // closed once err and panic hold
	err   error
	panic any
}

// Do runs fn and writes the line in one transaction. See [Log.Tx].
func (l *Log) Do(ctx context.Context, e Entry, fn func(*store.Tx) error) error {
	if err := e.check(); err != nil {
		return err
	}
	return l.Tx(ctx, func(tx *store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return l.Add(ctx, tx, e)
	})
}

// Tx is store.DB.Do for transactions that call [Log.Add]: same promises, same
// duties of fn. Those that come at the same time are written to the disk
// together, each behind a savepoint of its own, so that the error of one takes
// nothing from the others. fn must not call Do, Tx or the store again, nor may Do
// and Tx be called within a transaction of the store: they would wait for
// themselves.
func (l *Log) Tx(ctx context.Context, fn func(*store.Tx) error) error {
	j := &job{ctx: ctx, fn: fn, done: make(chan struct{})}
	l.mu.Lock()
	l.wait = append(l.wait, j)
	l.mu.Unlock()
	for {
		select {
		case <-j.done:
			return j.result()
		case l.turn <- struct{}{}:
			select {
			case <-j.done:
			default:
				l.group(l.take())
			}
			<-l.turn
		case <-ctx.Done():
			if l.withdraw(j) {
				return fmt.Errorf("wait to write to the log: %w", context.Cause(ctx))
			}
			<-j.done // it is being written: the truth is known soon
			return j.result()
		}
	}
}

func (j *job) result() error {
	if j.panic != nil {
		panic(j.panic)
	}
	return j.err
}

// take is the next group, in the order of asking.
func (l *Log) take() []*job {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.wait), maxGroup)
	g := slices.Clone(l.wait[:n])
	l.wait = slices.Delete(l.wait, 0, n)
	return g
}

func (l *Log) withdraw(j *job) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.wait, j)
	if i < 0 {
		return false
	}
	l.wait = slices.Delete(l.wait, i, i+1)
	return true
}

// group writes the jobs in one transaction; when that cannot be, each in its
// own. Only what was surely rolled back is tried again.
func (l *Log) group(g []*job) {
	defer func() {
		l.setEnd(nil, Line{})
		for _, j := range g {
			close(j.done)
		}
	}()
	if len(g) > 1 {
		// Not the context of one of them: the others must not fall with it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(g[0].ctx), groupLimit)
		defer cancel()
		rolledBack := false
		err := l.db.Do(ctx, func(tx *store.Tx) error {
			err := l.together(ctx, tx, g)
			rolledBack = err != nil
			return err
		})
		if err == nil {
			l.anchor()
			return
		}
		if !rolledBack {
			for _, j := range g {
				j.err, j.panic = errors.Join(j.err, err), nil
			}
			return
		}
	}
	for _, j := range g {
		l.alone(j)
	}
}

// begin reads the end of the log in a transaction of ours.
func (l *Log) begin(ctx context.Context, tx *store.Tx) (Line, error) {
	last, err := lastLine(ctx, tx)
	if err == nil {
		err = l.head.check(ctx, tx, last)
	}
	l.setEnd(tx, last)
	return last, err
}

// together runs the jobs in tx. The error or panic of one is noted and undone;
// an error given back is one that spoils the whole transaction.
func (l *Log) together(ctx context.Context, tx *store.Tx, g []*job) error {
	last, err := l.begin(ctx, tx)
	if err != nil {
		return err
	}
	const undo = `ROLLBACK TO SAVEPOINT audit_job`
	next := `SAVEPOINT audit_job`
	for _, j := range g {
		if _, err := tx.Exec(ctx, next); err != nil {
			return err
		}
		j.run(tx)
		if j.err == nil && j.panic == nil {
			last, _ = l.end(tx)
			next = `RELEASE SAVEPOINT audit_job; SAVEPOINT audit_job`
			continue
		}
		var pe interface{ SQLState() string }
		if errors.As(j.err, &pe) && (pe.SQLState() == "40001" || pe.SQLState() == "40P01") {
			return j.err // the database wants all of it again
		}
		l.setEnd(tx, last)
		next = undo
	}
	if next == undo { // the last one failed
		_, err = tx.Exec(ctx, next)
	}
	return err
}

// run notes the job's error or panic.
func (j *job) run(tx *store.Tx) {
	j.err, j.panic = nil, nil
	defer func() {
		if p := recover(); p != nil {
			j.panic = p
		}
	}()
	if j.err = context.Cause(j.ctx); j.err == nil {
		j.err = j.fn(tx)
	}
}

// alone runs a job in a transaction of its own, under its own context.
func (l *Log) alone(j *job) {
	j.err, j.panic = nil, nil
	defer func() {
		if p := recover(); p != nil {
			j.panic = p
		}
	}()
	j.err = l.db.Do(j.ctx, func(tx *store.Tx) error {
		if _, err := l.begin(j.ctx, tx); err != nil {
			return err
		}
		return j.fn(tx)
	})
	if j.err == nil {
		l.anchor()
	}
}

// anchor notes the end of what was just written.
func (l *Log) anchor() {
	l.mu.Lock()
	last := l.tail.last
	l.mu.Unlock()
	l.head.write(last)
}
