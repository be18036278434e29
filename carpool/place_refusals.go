package carpool

import (
	"slices"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// A point that is refused for a door nearby tells that there is one. A few such
// answers are the day's work of who places stops; many of them would draw a circle
// around each door. Then none is given for a day.
const (
	mostRefusals = 4
	refusalsKept = 24 * time.Hour
)

// ErrManyDoors is said to whoever was refused too often, wherever the next point is.
var ErrManyDoors = fault.New(fault.Denied, "meeting point: several of your points were too near a house; publish none until tomorrow, or ask the union's office")

// refusals are those of each account, in memory: a restart forgets a day.
type refusals struct {
	mu sync.Mutex
	at map[string][]time.Time
}

// spent says whether an account has had its refusals.
func (r *refusals) spent(account string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil {
		r.at = map[string][]time.Time{}
	}
	r.at[account] = slices.DeleteFunc(r.at[account], func(t time.Time) bool { return now.Sub(t) >= refusalsKept })
	if len(r.at[account]) == 0 {
		delete(r.at, account)
	}
	return len(r.at[account]) >= mostRefusals
}

// note counts one.
func (r *refusals) note(account string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at[account] = append(r.at[account], now)
}
