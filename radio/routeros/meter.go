package routeros

import (
	"time"

	"github.com/crinale/crinale/internal/unit"
)

// sample is a pair of byte counters at one moment.
type sample struct {
	at     time.Time
	tx, rx uint64
}

// A rate from counters is taken over at least a second, and over at most five
// minutes, beyond which it says nothing about now.
const (
	leastSpan = time.Second
	mostSpan  = 5 * time.Minute
)

// meter is the mean traffic since the last round, from byte counters; unknown
// in the first round and when a counter went back.
func (r *round) meter(key string, tx, rx uint64) (txRate, rxRate unit.Opt[unit.Mbps]) {
	r.meters[key] = sample{r.now, tx, rx}
	last, ok := r.s.meters[key]
	span := r.now.Sub(last.at)
	if !ok || span > mostSpan || tx < last.tx || rx < last.rx {
		return
	}
	if span < leastSpan { // too soon: keep the older sample
		r.meters[key] = last
		return
	}
	return mbps(tx-last.tx, span.Seconds()), mbps(rx-last.rx, span.Seconds())
}
