package queue

import (
	"context"
	"sync"
	"time"

	"github.com/crinale/crinale/edge"
)

// Run sends what waits while the link is there, until ctx ends. It opens the
// queue if nobody did. Writes of one line go one after the other; one that fails
// holds its own line only.
func (q *Queue) Run(ctx context.Context) error {
	if err := q.Open(ctx); err != nil {
		return err
	}
	var under sync.WaitGroup
	defer under.Wait()
	slots := make(chan struct{}, q.cfg.Parallel)
	up, begin, swept := false, time.Time{}, time.Time{}
	for ctx.Err() == nil {
		now := time.Now()
		if now.Sub(swept) >= q.cfg.Sweep {
			q.sweep(now)
			swept = now
		}
		wait := swept.Add(q.cfg.Sweep).Sub(now)
		switch there := q.deps.Link.Up(); {
		case !there:
			up = false
		case !up:
			up, begin = true, now.Add(share(q.cfg.Jitter))
			q.again()
		}
		if up {
			d := begin.Sub(now)
			if d <= 0 {
				var it *item
				if it, d = q.next(now, len(slots) < cap(slots)); it != nil {
					slots <- struct{}{}
					under.Go(func() {
						defer func() { <-slots; q.poke() }()
						q.one(ctx, it)
					})
					continue
				}
			}
			wait = min(wait, d)
		}
		t := time.NewTimer(max(wait, time.Millisecond))
		select {
		case <-ctx.Done():
		case <-q.wake:
		case <-q.deps.Link.Changed():
		case <-t.C:
		}
		t.Stop()
	}
	return nil
}

// one takes one write a step further.
func (q *Queue) one(ctx context.Context, it *item) {
	lost, err := q.attempt(ctx, it.number)
	q.mu.Lock()
	defer q.mu.Unlock()
	it.sending = false
	it.lost = lost
	if err != nil && ctx.Err() == nil {
		// What happened could not be written down: the disk fails, or the queue is
		// closed. The write stays as it was, and is sent again with the same key.
		it.notBefore = time.Now().Add(q.cfg.RetryMax)
		q.deps.Log.Error("a write could not be taken further", "number", it.number, "err", err)
	}
}

// next is the write to send now, marked as being sent; without one, how long
// nothing can be sent. Those that have not failed yet come first, then by number
// of arrival, so that no poison comes before them.
func (q *Queue) next(now time.Time, slot bool) (*item, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	wait := q.cfg.Sweep
	var best *item
	for _, l := range q.lines {
		it := l.items[0]
		if it.sending || it.broken {
			continue
		}
		ready := it.notBefore
		if p := q.pauses[it.service]; p.After(ready) {
			ready = p
		}
		if d := ready.Sub(now); d > 0 {
			wait = min(wait, d)
			continue
		}
		if best == nil || it.notBefore.Before(best.notBefore) || it.notBefore.Equal(best.notBefore) && it.at < best.at {
			best = it
		}
	}
	switch {
	case best == nil:
		return nil, wait
	case !slot:
		return nil, q.cfg.Sweep // whoever ends pokes
	}
	if d := q.rate.delay(now, best.bytes); d > 0 {
		return nil, d
	}
	q.rate.take(now, best.bytes)
	best.sending = true
	return best, 0
}

// again lets those try at once that failed only for want of the link.
func (q *Queue) again() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range q.lines {
		for _, it := range l.items {
			if it.lost {
				it.notBefore, it.lost = time.Time{}, false
			}
		}
	}
}

// pause puts off all writes of a service.
func (q *Queue) pause(service string, d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pauses[service] = time.Now().Add(d)
}

// sweep ends the writes whose time is over, whether the link is there or not.
func (q *Queue) sweep(now time.Time) {
	var over []string
	q.mu.Lock()
	for _, l := range q.lines {
		for _, it := range l.items {
			if !it.sending && !it.broken && !now.Before(it.expires) {
				over = append(over, it.number)
			}
		}
	}
	q.mu.Unlock()
	for _, number := range over {
		if err := q.expire(number); err != nil {
			q.deps.Log.Error("a write could not be ended", "number", number, "err", err)
		}
	}
}

func (q *Queue) expire(number string) error {
	_, err := q.move(number, "", func(e *Entry) (string, error) {
		if e.State != edge.StateQueued {
			return "", errOvertaken
		}
		e.State = edge.StateExpired
		if e.Unsure {
			return "its time was over; it was sent, and whether the origin did it is not known", nil
		}
		return "its time was over before it could be sent", nil
	})
	if err == errOvertaken {
		return nil
	}
	return err
}
