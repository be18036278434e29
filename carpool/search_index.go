package carpool

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/crinale/crinale/internal/store"
)

// board remembers which stops of which rides the index of the roads holds. The
// store is the truth: each search compares the versions of the rides it looks
// at, and each round those of all, so that the index mends itself after a
// kill as after a change by somebody else.
type board struct {
	mu   sync.Mutex
	held map[RideID]int64 // version
}

// sync puts rides into the index whose stops it does not hold as they are. The
// lock is held meanwhile, so that an older version never overtakes a newer one.
func (b *board) sync(index StopIndex, rides []Ride) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for i := range rides {
		r := &rides[i]
		if v, ok := b.held[r.ID]; ok && v >= r.version {
			continue
		}
		b.held[r.ID] = r.version // a ride off every road is told of once
		if err := index.Put(r.ID, r.Points(), r.leaves()); err != nil {
			errs = append(errs, fmt.Errorf("ride %s: %w", r.ID, err))
		}
	}
	return errors.Join(errs...)
}

// keep drops all rides from the index but these.
func (b *board) keep(index StopIndex, rides []Ride) {
	b.mu.Lock()
	defer b.mu.Unlock()
	open := make(map[RideID]bool, len(rides))
	for _, r := range rides {
		open[r.ID] = true
	}
	for id := range b.held {
		if !open[id] {
			index.Drop(id)
			delete(b.held, id)
		}
	}
}

// reindex brings the index to what the store says.
func (p *Bookings) reindex(ctx context.Context) error {
	var rides []Ride
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		rides, err = ridesWhere(ctx, tx, `state = 'open' AND leave_ms > $1`, store.Millis(tx.Now))
		return err
	})
	if err != nil {
		return err
	}
	p.board.keep(p.deps.Roads.Index(), rides)
	return p.board.sync(p.deps.Roads.Index(), rides)
}

// near gives the candidates that can take somebody in at one of the points at
// about the time asked for, with their ways. A ride that a change moved
// meanwhile is measured by the next search.
func (p *Bookings) near(ctx context.Context, a Ask, list []Candidate, around Around) ([]Candidate, error) {
	index := p.deps.Roads.Index()
	rides := make([]Ride, len(list))
	for i, c := range list {
		rides[i] = *c.Ride
	}
	if err := p.board.sync(index, rides); err != nil {
		p.deps.Log.Warn("carpool: a ride cannot be found by its road", "err", err)
	}
	budget, during := ReachOf(a, list)
	points, in := around.Points(), len(around.Pickups)
	found, err := index.Near(ctx, points[:in], points[in:], budget, during)
	if err != nil {
		return nil, fmt.Errorf("rides near: %w", err)
	}
	by := make(map[RideID]NearRide, len(found.Rides))
	for _, n := range found.Rides {
		by[n.Ride] = n
	}
	out := list[:0]
	for _, c := range list {
		var ok bool
		if c.Near, ok = by[c.Ride.ID]; ok {
			out = append(out, c)
		}
	}
	return out, nil
}
