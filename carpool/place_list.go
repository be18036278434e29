package carpool

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/store"
)

// listedFor is how long the meeting points are known without asking: what
// another process on the same database changes is seen that much later. A
// booking reads its own points anew.
const listedFor = 5 * time.Second

// placeList remembers all meeting points, since every search and every page
// with a form reads them. What this process changes is seen at once.
type placeList struct {
	mu      sync.Mutex
	changes int
	read    time.Time // the zero time: not since the last change
	all     []Place
}

// get gives a list of one's own.
func (l *placeList) get(ctx context.Context, db *store.DB) ([]Place, error) {
	l.mu.Lock()
	changes, all, fresh := l.changes, l.all, !l.read.IsZero() && time.Since(l.read) < listedFor
	l.mu.Unlock()
	if fresh {
		return slices.Clone(all), nil
	}
	begun := time.Now()
	err := db.View(ctx, func(tx *store.Tx) (err error) { all, err = placesIn(ctx, tx, ""); return err })
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changes == changes {
		l.read, l.all = begun, slices.Clone(all)
	}
	return all, nil
}

// changed forgets what was read before a change.
func (l *placeList) changed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
	l.read, l.all = time.Time{}, nil
}
