package radio

import (
	"math/rand/v2"
	"time"
)

// pause is how long to leave a device alone after n failures in a row: lo
// after the first, twice as long after each further one, hi at most.
func pause(n int, lo, hi time.Duration) time.Duration {
	d := lo
	for i := 1; i < n && d < hi; i++ {
		d *= 2
	}
	return min(d, hi)
}

// jitter spreads a pause over three quarters to five quarters of itself, so
// that devices which died together do not come back to be asked together.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d*3/4 + rand.N(d/2+1)
}
