package interop

import (
	"math"
	"sync"
	"time"
)

// limits counts what each asker did lately: a bucket that fills evenly.
type limits struct {
	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

// maxBuckets bounds the memory that strangers can take. When it is reached the
// full ones go, and if none is full, all: a flood from ten thousand addresses
// is not a matter of this table.
const maxBuckets = 10_000

func newLimits() *limits { return &limits{buckets: map[string]bucket{}} }

// take one of n per span; else how long to wait.
func (l *limits) take(name string, n int, span time.Duration, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, there := l.buckets[name]
	if !there {
		if len(l.buckets) >= maxBuckets {
			l.clean(now)
		}
		b = bucket{float64(n), now}
	}
	rate := float64(n) / span.Seconds()
	b.left = min(float64(n), b.left+max(0, now.Sub(b.at).Seconds())*rate)
	b.at = now
	if b.left < 1 {
		l.buckets[name] = b
		return time.Duration(math.Ceil((1-b.left)/rate)) * time.Second, false
	}
	b.left--
	l.buckets[name] = b
	return 0, true
}

// clean forgets buckets that nobody touched for an hour.
func (l *limits) clean(now time.Time) {
	for k, b := range l.buckets {
		if now.Sub(b.at) > time.Hour {
			delete(l.buckets, k)
		}
	}
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets)
	}
}
