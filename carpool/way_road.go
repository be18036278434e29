package carpool

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
)

// mostAsked are the drivers who are asked for one request.
const mostAsked = 20

// Knows says whether a driver's road passes by both ends of a journey, the
// first before the second, with a detour within a budget, at whatever time.
// near has the first end as its point 0 and the second as its point 1; direct
// is the way between the two.
func Knows(near NearRide, direct Leg, budget time.Duration) bool {
	if !direct.OK || len(near.To) != 2 || len(near.From) != 2 {
		return false
	}
	in := time.Duration(-1) // the least that it costs to have passed the first end so far
	for i, way := range near.Between {
		if !way.OK {
			continue
		}
		if in >= 0 {
			if to, from := near.To[1][i], near.From[1][i+1]; to.OK && from.OK && in+to.Time+from.Time-way.Time <= budget {
				return true
			}
		}
		to, from := near.To[0][i], near.From[0][i+1]
		if end := near.From[1][i+1]; to.OK && end.OK && to.Time+direct.Time+end.Time-way.Time <= budget {
			return true
		}
		if to.OK && from.OK {
			if cost := max(to.Time+from.Time-way.Time, 0); in < 0 || cost < in {
				in = cost
			}
		}
	}
	return false
}

// knowers are the drivers of rides to come whose road a request follows, if
// they are to be asked now and were not yet.
func (p *Bookings) knowers(ctx context.Context, r Request, now time.Time) ([]MemberID, error) {
	if r.road || now.Before(leaves(r.When).Add(-p.cfg.AskDrivers)) || !now.Before(r.When.To) {
		return nil, nil
	}
	from, to := r.From.Coarse(), r.To.Coarse()
	legs, err := p.deps.Roads.Legs(ctx, []geo.LonLat{from}, []geo.LonLat{to})
	if err != nil {
		return nil, fmt.Errorf("way of request %s: %w", r.ID, err)
	}
	found, err := p.deps.Roads.Index().Near(ctx, []geo.LonLat{from}, []geo.LonLat{to}, mostDetour, Window{})
	if err != nil {
		return nil, fmt.Errorf("roads near request %s: %w", r.ID, err)
	}
	near := make(map[RideID]NearRide, len(found.Rides))
	for _, n := range found.Rides {
		near[n.Ride] = n
	}
	var out []MemberID
	err = p.deps.Store.View(ctx, func(tx *store.Tx) error {
		out = nil
		rider, err := memberIn(ctx, tx, r.Rider)
		if err != nil {
			return err
		}
		list, err := p.candidatesWhere(ctx, tx, `state = 'open' AND leave_ms > $1`, store.Millis(now))
		if err != nil {
			return err
		}
		for _, c := range list {
			n, ok := near[c.Ride.ID]
			if !ok || slices.Contains(out, c.Ride.Driver) || !Knows(n, legs[0][0], c.Offer.MaxDetour) {
				continue
			}
			if err := p.mayShare(ctx, tx, rider, *c.Ride); refused(err) {
				continue
			} else if err != nil {
				return err
			}
			if out = append(out, c.Ride.Driver); len(out) == mostAsked {
				break
			}
		}
		return nil
	})
	return out, err
}

// askRoad asks drivers whether they go that way, each once for a request.
func (b base) askRoad(ctx context.Context, tx *store.Tx, r Request, drivers []MemberID) error {
	for _, d := range drivers {
		err := Tell(ctx, tx, b.deps.Outbox, Notice{Key: roadKey(r.ID, d), Member: d, Kind: NoticeRoadAsked,
			With: map[string]string{WithRequest: string(r.ID)}, Due: leaves(r.When)})
		if err != nil {
			return err
		}
	}
	return nil
}

func roadKey(id RequestID, driver MemberID) string { return fmt.Sprintf("road:%s:%s", id, driver) }
