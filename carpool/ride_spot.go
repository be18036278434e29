package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// keepSpot makes a spot as rows hold it: a meeting point with its position, or
// a private end with the middle of its cell, its address under a name of its
// own. Without words and without a door to go to, the cell is all that is kept.
func keepSpot(ctx context.Context, tx *store.Tx, field string, owner MemberID, s Spot, door bool) (Spot, error) {
	if !s.Private() {
		p, err := placeIn(ctx, tx, s.Place)
		if err != nil && fault.Of(err) == fault.NotFound {
			return s, fault.New(fault.Invalid, "%s: there is no such meeting point; choose one of the list", field)
		}
		if err != nil {
			return s, err
		}
		if p.Closed {
			return s, fault.New(fault.Invalid, "%s: the meeting point is closed; choose another", field)
		}
		return Spot{Place: p.ID, At: p.At}, nil
	}
	if !s.At.Valid() || s.At.Lon == 0 && s.At.Lat == 0 {
		return s, fault.New(fault.Invalid, "%s: choose a meeting point, or the place on the map", field)
	}
	coarse := Spot{At: s.Coarse()}
	if s.Address == "" {
		if door {
			return s, fault.New(fault.Invalid, "%s: write the address, so that the driver finds the door", field)
		}
		return coarse, nil
	}
	id, err := keepAddress(ctx, tx, owner, s)
	if err != nil {
		return s, fmt.Errorf("%s: %w", field, err)
	}
	coarse.kept = id
	return coarse, nil
}

// exactSpot is a spot as its owner, an accepted driver or the desk may see it.
// Of an address that was erased the cell is left.
func exactSpot(ctx context.Context, tx *store.Tx, s Spot) (Spot, error) {
	if s.kept == "" {
		return s, nil
	}
	exact, err := addressIn(ctx, tx, s.kept)
	if err != nil && fault.Of(err) == fault.NotFound {
		return s, nil
	}
	exact.kept = s.kept
	return exact, err
}

// eraseSpots says when the addresses of some spots are no longer needed; the
// zero time keeps them.
func eraseSpots(ctx context.Context, tx *store.Tx, at time.Time, spots ...Spot) error {
	for _, s := range spots {
		if s.kept == "" {
			continue
		}
		if err := eraseAddress(ctx, tx, s.kept, at); err != nil {
			return err
		}
	}
	return nil
}

// short cleans a text, and refuses one that is longer than somebody reads.
func (c Config) short(field string, s *string) (err error) {
	*s, err = cleanText(field, *s, c.Limits.Note, false)
	return err
}

// span refuses a time that no journey here can have.
func span(field string, d, most time.Duration) error {
	if d < 0 || d > most {
		return fault.New(fault.Invalid, "%s: between 0 and %d minutes", field, int(most.Minutes()))
	}
	return nil
}
