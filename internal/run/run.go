// Package run starts the long-lived parts of the program first to last and
// cancels them last to first, so that what others lean on falls last.
package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// Stage is a long-lived part. Run blocks until ctx ends. Ready, where set, is
// closed by the part once others may use it; a nil Ready is ready at once.
type Stage struct {
	Name  string
	Run   func(ctx context.Context) error
	Ready <-chan struct{}
}

// All runs the stages until ctx ends or one of them fails, then ends the rest
// in reverse order and waits for each. onReady, where set, is called once all
// are ready. A stage that returns nil early while ctx lives counts as ended,
// not as failed.
func All(ctx context.Context, stages []Stage, onReady func()) error {
	type ended struct {
		i   int
		err error
	}
	var (
		cancels = make([]context.CancelFunc, 0, len(stages))
		dones   = make([]chan struct{}, 0, len(stages))
		results = make(chan ended, len(stages))
		first   error
		once    sync.Once
	)
	fail := func(err error) { once.Do(func() { first = err }) }
	note := func(e ended) bool {
		if e.err != nil && !errors.Is(e.err, context.Canceled) {
			err := e.err
			if name := stages[e.i].Name + ": "; !strings.HasPrefix(err.Error(), name) {
				err = fmt.Errorf("%s%w", name, err)
			}
			fail(err)
			return true
		}
		return false
	}

	base := context.WithoutCancel(ctx)
	failed := false
start:
	for i, s := range stages {
		sctx, cancel := context.WithCancel(base)
		done := make(chan struct{})
		cancels, dones = append(cancels, cancel), append(dones, done)
		go func() {
			err := s.Run(sctx)
			results <- ended{i, err}
			close(done)
		}()
		if s.Ready == nil {
			continue
		}
		for waiting := true; waiting; {
			select {
			case <-s.Ready:
				waiting = false
			case e := <-results:
				if note(e) {
					failed = true
					break start
				}
				if e.i == i {
					waiting = false
				}
			case <-ctx.Done():
				break start
			}
		}
	}
	if !failed && ctx.Err() == nil {
		if onReady != nil {
			onReady()
		}
	wait:
		for {
			select {
			case <-ctx.Done():
				break wait
			case e := <-results:
				if note(e) {
					break wait
				}
			}
		}
	}
	for i := len(cancels) - 1; i >= 0; i-- {
		cancels[i]()
		<-dones[i]
	}
	for {
		select {
		case e := <-results:
			note(e)
			continue
		default:
		}
		break
	}
	return first
}
