package queue

import (
	"math"
	"time"
)

// limiter is two token buckets, of requests and of bytes. A body greater than
// the bucket is let through when the bucket is full, and paid off after.
type limiter struct{ requests, bytes bucket }

func newLimiter(requests, bytes, burst float64) *limiter {
	return &limiter{newBucket(requests, burst), newBucket(bytes, burst)}
}

// delay is how long the next request, of n bytes, must wait.
func (l *limiter) delay(now time.Time, n int64) time.Duration {
	return max(l.requests.delay(now, 1), l.bytes.delay(now, float64(n)))
}

func (l *limiter) take(now time.Time, n int64) {
	l.requests.take(now, 1)
	l.bytes.take(now, float64(n))
}

type bucket struct {
	rate, most, have float64
	at               time.Time
}

func newBucket(rate, burst float64) bucket {
	return bucket{rate: rate, most: rate * burst, have: rate * burst}
}

func (b *bucket) fill(now time.Time) {
	if !b.at.IsZero() && now.After(b.at) {
		b.have = min(b.most, b.have+b.rate*now.Sub(b.at).Seconds())
	}
	b.at = now
}

func (b *bucket) delay(now time.Time, n float64) time.Duration {
	b.fill(now)
	want := min(n, b.most)
	if b.have >= want-1e-6 {
		return 0
	}
	return time.Duration(math.Ceil((want-b.have)/b.rate*float64(time.Second))) + 1
}

func (b *bucket) take(now time.Time, n float64) {
	b.fill(now)
	b.have -= n
}
