// Package bus carries values inside the process from one producer to many
// consumers that must not slow it down or each other.
package bus

import (
	"sync"
	"sync/atomic"
)

// Topic is a bounded fan-out. Publish never blocks: a subscriber whose queue
// is full loses its oldest value, and the loss is counted. The zero Topic is
// ready for use.
type Topic[T any] struct {
	mu   sync.Mutex
	subs map[*Sub[T]]struct{}
}

// Sub is one subscriber's queue.
type Sub[T any] struct {
	C       <-chan T
	c       chan T
	topic   *Topic[T]
	dropped atomic.Uint64
}

// Subscribe opens a queue of the given size, at least 1.
func (t *Topic[T]) Subscribe(size int) *Sub[T] {
	c := make(chan T, max(1, size))
	s := &Sub[T]{C: c, c: c, topic: t}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.subs == nil {
		t.subs = map[*Sub[T]]struct{}{}
	}
	t.subs[s] = struct{}{}
	return s
}

// Publish hands v to every subscriber.
func (t *Topic[T]) Publish(v T) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.subs {
		for {
			select {
			case s.c <- v:
			default:
				select {
				case <-s.c:
					s.dropped.Add(1)
				default:
				}
				continue
			}
			break
		}
	}
}

// Close ends the subscription and closes C. It may be called twice.
func (s *Sub[T]) Close() {
	s.topic.mu.Lock()
	defer s.topic.mu.Unlock()
	if _, ok := s.topic.subs[s]; ok {
		delete(s.topic.subs, s)
		close(s.c)
	}
}

// Dropped is how many values this subscriber lost.
func (s *Sub[T]) Dropped() uint64 { return s.dropped.Load() }
