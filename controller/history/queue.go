package history

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crinale/crinale/internal/network"
)

// series is what a row belongs to: one end of one link.
type series struct {
	link network.LinkID
	end  network.End
}

// sample is one reading as it is stored; NaN is unknown.
type sample struct {
	t  int64 // ms since 1970
	up bool
	v  [12]float64
}

// entry is a sample on its way to the disk.
type entry struct {
	series
	sample
}

func entryOf(r network.Reading) entry {
	e := entry{series{r.Link, r.End}, sample{t: r.At.UnixMilli(), up: r.Connected}}
	for i, p := range r.Values() {
		e.v[i] = math.NaN()
		if p != nil {
			e.v[i] = *p
		}
	}
	return e
}

type counts struct {
	written, refused, failed atomic.Uint64
}

// queue is bounded: when it is full the oldest values are dropped and counted.
type queue[T any] struct {
	size    int
	mu      sync.Mutex
	values  []T
	dropped uint64
}

func (q *queue[T]) put(vs []T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.values = append(q.values, vs...)
	q.trim()
}

// back puts values that could not be written before the others again.
func (q *queue[T]) back(vs []T) {
	if len(vs) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.values = append(vs[:len(vs):len(vs)], q.values...)
	q.trim()
}

func (q *queue[T]) trim() {
	if over := len(q.values) - q.size; over > 0 {
		q.dropped += uint64(over)
		q.values = append([]T(nil), q.values[over:]...)
	}
}

// take gives the oldest values, n at most.
func (q *queue[T]) take(n int) []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n >= len(q.values) {
		vs := q.values
		q.values = nil
		return vs
	}
	vs := q.values[:n:n]
	q.values = q.values[n:]
	return vs
}

func (q *queue[T]) lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

func (q *queue[T]) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.values)
}

// Append queues readings and never waits for the disk. When the queue is full
// the oldest readings in it are dropped and counted. A reading older than the
// days kept, or further in the future than Config.Ahead, is refused and
// counted.
func (h *History) Append(_ context.Context, rs []network.Reading) error {
	now := time.Now()
	oldest := day(now).AddDate(0, 0, -h.cfg.RawDays)
	es := make([]entry, 0, len(rs))
	for _, r := range rs {
		if r.At.Before(oldest) || r.At.After(now.Add(h.cfg.Ahead)) {
			h.count.refused.Add(1)
			continue
		}
		es = append(es, entryOf(r))
	}
	h.queue.put(es)
	return nil
}

// Stats counts what became of the readings.
func (h *History) Stats() Stats {
	return Stats{
		Waiting: uint64(h.queue.len()), Written: h.count.written.Load(), Dropped: h.queue.lost(),
		Refused: h.count.refused.Load(), Failed: h.count.failed.Load(), Damaged: h.files.damaged.Load(),
	}
}

// day is the beginning of the UTC day of t.
func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
