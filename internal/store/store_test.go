package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

var seats = fstest.MapFS{"migrations/00001_seats.sql": {Data: []byte(`-- +goose Up
CREATE TABLE test_ride (id TEXT PRIMARY KEY, seats BIGINT NOT NULL CHECK (seats >= 0));
CREATE TABLE test_booking (id TEXT PRIMARY KEY, ride TEXT NOT NULL REFERENCES test_ride(id), at_ms BIGINT NOT NULL);
-- +goose Down
DROP TABLE test_booking;
DROP TABLE test_ride;
`)}}

func migrated(t *testing.T, db *store.DB) {
	t.Helper()
	if err := db.Migrate(t.Context(), "test", seats); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, db *store.DB, query string, args ...any) {
	t.Helper()
	err := db.Do(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func count(t *testing.T, db *store.DB, query string, args ...any) (n int) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), query, args...).Scan(&n)
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestDoKeepsAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		migrated(t, db)
		boom := errors.New("changed my mind")
		insert := func(tx *store.Tx, id string) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO test_ride (id, seats) VALUES ($1, $2)`, id, 4)
			return err
		}
		err := db.Do(t.Context(), func(tx *store.Tx) error {
			if err := insert(tx, "lost"); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Errorf("got %v, want the error of the function", err)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			db.Do(t.Context(), func(tx *store.Tx) error {
				if err := insert(tx, "lost"); err != nil {
					return err
				}
				panic("bug")
			})
		}()
		if n := count(t, db, `SELECT count(*) FROM test_ride`); n != 0 {
			t.Errorf("%d rows stayed of transactions that failed", n)
		}
		if err := db.Do(t.Context(), func(tx *store.Tx) error { return insert(tx, "kept") }); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, `SELECT count(*) FROM test_ride WHERE id = $1`, "kept"); n != 1 {
			t.Errorf("got %d rows, want the one committed", n)
		}
	})
}

func TestNowIsOnePerTransactionAndReadsBackEqual(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		migrated(t, db)
		write(t, db, `INSERT INTO test_ride (id, seats) VALUES ('r', 1)`)
		var wrote time.Time
		err := db.Do(t.Context(), func(tx *store.Tx) error {
			wrote = tx.Now
			_, err := tx.Exec(t.Context(), `INSERT INTO test_booking (id, ride, at_ms) VALUES ($1, $2, $3)`, "b", "r", store.Millis(tx.Now))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var ms int64
		err = db.View(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT at_ms FROM test_booking`).Scan(&ms)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := store.Time(ms); got != wrote || time.Since(got).Abs() > time.Minute {
			t.Errorf("read %v, wrote %v", got, wrote)
		}
	})
}

// The classic of write skew: each books when it counts a free seat. Weaker
// isolation than serialisable lets both book the last one.
func TestLastSeatIsSoldOnce(t *testing.T) {
	const workers, seats = 8, 20
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		migrated(t, db)
		write(t, db, `INSERT INTO test_ride (id, seats) VALUES ('r', $1)`, seats)
		errFull := errors.New("full")
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := 0; ; i++ {
					err := db.Do(t.Context(), func(tx *store.Tx) error {
						var total, taken int
						if err := tx.QueryRow(t.Context(), `SELECT seats FROM test_ride WHERE id = 'r'`).Scan(&total); err != nil {
							return err
						}
						if err := tx.QueryRow(t.Context(), `SELECT count(*) FROM test_booking WHERE ride = 'r'`).Scan(&taken); err != nil {
							return fmt.Errorf("count bookings: %w", err)
						}
						if taken >= total {
							return errFull
						}
						_, err := tx.Exec(t.Context(), `INSERT INTO test_booking (id, ride, at_ms) VALUES ($1, 'r', 0)`, fmt.Sprintf("%d-%d", w, i))
						return err
					})
					if errors.Is(err, errFull) {
						return
					}
					if err != nil && fault.Of(err) != fault.Conflict {
						t.Errorf("book: %v", err)
						return
					}
				}
			})
		}
		wg.Wait()
		if n := count(t, db, `SELECT count(*) FROM test_booking`); n != seats {
			t.Errorf("%d bookings of %d seats", n, seats)
		}
	})
}

// Two that read before either writes: on PostgreSQL's default isolation both
// would book the one seat. SQLite does not let the second begin, so there each
// waits in vain for the other, and goes on.
func TestTwoThatReadBeforeEitherWrites(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		migrated(t, db)
		write(t, db, `INSERT INTO test_ride (id, seats) VALUES ('r', 1)`)
		var wg sync.WaitGroup
		read := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
		for me := range 2 {
			wg.Go(func() {
				first := true
				err := db.Do(t.Context(), func(tx *store.Tx) error {
					var taken int
					if err := tx.QueryRow(t.Context(), `SELECT count(*) FROM test_booking`).Scan(&taken); err != nil {
						return err
					}
					if first {
						first = false
						close(read[me])
						select {
						case <-read[1-me]:
						case <-time.After(300 * time.Millisecond):
						}
					}
					if taken > 0 {
						return nil
					}
					_, err := tx.Exec(t.Context(), `INSERT INTO test_booking (id, ride, at_ms) VALUES ($1, 'r', 0)`, fmt.Sprint(me))
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := count(t, db, `SELECT count(*) FROM test_booking`); n != 1 {
			t.Errorf("%d bookings of one seat", n)
		}
	})
}

func TestReferencesHold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		migrated(t, db)
		err := db.Do(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO test_booking (id, ride, at_ms) VALUES ('b', 'nowhere', 0)`)
			return err
		})
		if err == nil {
			t.Error("a booking of a ride that does not exist was taken")
		}
	})
}

func TestViewReadsOnlyAndDoesNotWait(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		migrated(t, db)
		write(t, db, `INSERT INTO test_ride (id, seats) VALUES ('r', 1)`)
		err := db.View(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `DELETE FROM test_ride`)
			return err
		})
		if err == nil {
			t.Error("a View was allowed to delete")
		}
		// A reader in the middle of a writer sees the state before it, at once.
		err = db.Do(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.Exec(t.Context(), `UPDATE test_ride SET seats = 9`); err != nil {
				return err
			}
			if n := count(t, db, `SELECT seats FROM test_ride`); n != 1 {
				t.Errorf("the reader saw %d seats of a transaction not committed", n)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestWaitingWriterHeedsItsContext(t *testing.T) {
	db := storetest.SQLite(t)
	err := db.Do(t.Context(), func(*store.Tx) error {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errors.New("page asked for too long"))
		defer cancel()
		err := db.Do(ctx, func(*store.Tx) error { t.Error("two writers at once"); return nil })
		if err == nil || !strings.Contains(err.Error(), "page asked for too long") {
			t.Errorf("got %v, want the cause of the context", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRowsAndNone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		migrated(t, db)
		for i := range 3 {
			write(t, db, `INSERT INTO test_ride (id, seats) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, fmt.Sprint(i), i)
			write(t, db, `INSERT INTO test_ride (id, seats) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, fmt.Sprint(i), 77)
		}
		err := db.View(t.Context(), func(tx *store.Tx) error {
			rows, err := tx.Query(t.Context(), `SELECT id, seats FROM test_ride ORDER BY id`)
			if err != nil {
				return err
			}
			defer rows.Close()
			var got []string
			for rows.Next() {
				var id string
				var n int
				if err := rows.Scan(&id, &n); err != nil {
					return err
				}
				got = append(got, fmt.Sprint(id, "=", n))
			}
			if s := strings.Join(got, " "); s != "0=0 1=1 2=2" {
				t.Errorf("got %q", s)
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.View(t.Context(), func(tx *store.Tx) error {
			var n int
			return tx.QueryRow(t.Context(), `SELECT seats FROM test_ride WHERE id = 'none'`).Scan(&n)
		})
		if !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("got %v, want sql.ErrNoRows", err)
		}
	})
}
