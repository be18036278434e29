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
// nothing from the others. fn must not call Do, Tx or the store again: it would
// wait for itself.
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
		for _, j := range g {
			close(j.done)
		}
	}()
	if len(g) > 1 {
		// Not the context of one of them: the others must not fall with it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(g[0].ctx), groupLimit)
		defer cancel()
		rolledBack := false
		var last Line
		err := l.db.Do(ctx, func(tx *store.Tx) error {
			rolledBack = true
			for _, j := range g {
				if err := j.behindSavepoint(ctx, tx); err != nil {
					return err
				}
			}
			var err error
			last, err = lastLine(ctx, tx)
			rolledBack = err != nil
			return err
		})
		if err == nil {
			l.head.write(last)
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

// behindSavepoint runs the job; its own error or panic is noted and undone.
// An error given back is one that spoils the whole transaction.
func (j *job) behindSavepoint(ctx context.Context, tx *store.Tx) error {
	if _, err := tx.Exec(ctx, `SAVEPOINT audit_job`); err != nil {
		return err
	}
	if j.run(tx); j.err != nil || j.panic != nil {
		var pe interface{ SQLState() string }
		if errors.As(j.err, &pe) && (pe.SQLState() == "40001" || pe.SQLState() == "40P01") {
			return j.err // the database wants all of it again
		}
		if _, err := tx.Exec(ctx, `ROLLBACK TO SAVEPOINT audit_job`); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `RELEASE SAVEPOINT audit_job`)
	return err
}

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

func (l *Log) alone(j *job) {
	j.err, j.panic = nil, nil
	defer func() {
		if p := recover(); p != nil {
			j.panic = p
		}
	}()
	var last Line
	j.err = l.db.Do(j.ctx, func(tx *store.Tx) error {
		if err := j.fn(tx); err != nil {
			return err
		}
		if l.head == nil {
			return nil
		}
		var err error
		last, err = lastLine(j.ctx, tx)
		return err
	})
	if j.err == nil {
		l.head.write(last)
	}
}
