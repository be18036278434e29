package carpool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// keepAddress keeps a private address for its owner and gives the name that
// other tables know it by.
func keepAddress(ctx context.Context, tx *store.Tx, owner MemberID, s Spot) (string, error) {
	if !s.Private() || !s.At.Valid() {
		return "", fault.New(fault.Invalid, "address: choose it on the map or from the list, so that its place is known")
	}
	words, err := cleanName("address", s.Address, maxAddress, true)
	if err != nil {
		return "", err
	}
	if err := clearOfStops(ctx, tx, s.At); err != nil {
		return "", err
	}
	id := newID("a")
	_, err = tx.Exec(ctx, `INSERT INTO carpool_addresses (id, owner, words, lon, lat, erase_ms) VALUES ($1, $2, $3, $4, $5, 0)`,
		id, string(owner), words, s.At.Lon, s.At.Lat)
	if err != nil {
		return "", fmt.Errorf("write address %s: %w", id, err)
	}
	return id, nil
}

// addressIn reads a private address; NotFound when it was erased.
func addressIn(ctx context.Context, tx *store.Tx, id string) (Spot, error) {
	var s Spot
	err := tx.QueryRow(ctx, `SELECT words, lon, lat FROM carpool_addresses WHERE id = $1`, sentence(id)).Scan(&s.Address, &s.At.Lon, &s.At.Lat)
	if errors.Is(err, sql.ErrNoRows) {
		return s, fault.New(fault.NotFound, "the address is not kept any more")
	}
	if err != nil {
		return s, fmt.Errorf("read address %s: %w", id, err)
	}
	return s, nil
}

// eraseAddress says when an address is no longer needed; the zero time: at
// once. The last word counts.
func eraseAddress(ctx context.Context, tx *store.Tx, id string, at time.Time) error {
	var err error
	if at.After(tx.Now) {
		_, err = tx.Exec(ctx, `UPDATE carpool_addresses SET erase_ms = $2 WHERE id = $1`, id, store.Millis(at))
	} else {
		_, err = tx.Exec(ctx, `DELETE FROM carpool_addresses WHERE id = $1`, id)
	}
	if err != nil {
		return fmt.Errorf("erase address %s: %w", id, err)
	}
	return nil
}
