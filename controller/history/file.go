package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// file is one database.
type file struct {
	name, path string
	kind       kind
	day        time.Time

	refs int       // guarded by files.mu, as used and gone
	used time.Time // when it was last given back
	gone bool

	mu     sync.Mutex
	db     *sql.DB
	series map[series]int64
	tail   map[series][]sample // rows of raw, until they are folded
	dirty  map[int64]bool      // quarters that the roll-ups do not know whole
}

// ensure opens the database, makes its tables and reads what is kept in
// memory, if that is not done.
func (f *file) ensure(ctx context.Context, pragmas []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.db != nil {
		return nil
	}
	if err := private(f.path); err != nil {
		return fmt.Errorf("history: open %s: %w", f.path, err)
	}
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(NORMAL)", "journal_size_limit(4194304)"}, pragmas...)}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: f.path, RawQuery: q.Encode()}).String())
	if err != nil {
		return fmt.Errorf("history: open %s: %w", f.path, err)
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(2)
	if err := f.load(ctx, db); err != nil {
		db.Close()
		return fmt.Errorf("history: open %s: %w", f.path, err)
	}
	f.db = db
	return nil
}

// private makes an absent file that only its owner reads; SQLite gives the log
// and the index beside it the same mode. A file that is there is not opened:
// closing it would end the locks that SQLite holds on it.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// load makes the tables and reads series, dirty quarters and the raw rows.
func (f *file) load(ctx context.Context, db *sql.DB) error {
	var have int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	if have > version {
		return fault.New(fault.Invalid, "its tables are version %d, this program knows %d: run the newer program, or move the file away", have, version)
	}
	if have < version {
		if _, err := db.ExecContext(ctx, schema(f.kind)); err != nil {
			return err
		}
	}
	ids := map[series]int64{}
	byID := map[int64]series{}
	err := each(ctx, db, `SELECT id, link, "end" FROM series`, nil, func(rows *sql.Rows) error {
		var id int64
		var s series
		if err := rows.Scan(&id, &s.link, &s.end); err != nil {
			return err
		}
		ids[s], byID[id] = id, s
		return nil
	})
	if err != nil {
		return err
	}
	dirty, tail := map[int64]bool{}, map[series][]sample{}
	if f.kind == raw {
		err = each(ctx, db, "SELECT t FROM dirty", nil, func(rows *sql.Rows) error {
			var t int64
			err := rows.Scan(&t)
			dirty[t] = true
			return err
		})
		if err != nil {
			return err
		}
		err = each(ctx, db, "SELECT series, t, up, "+columns+" FROM raw ORDER BY rowid", nil, func(rows *sql.Rows) error {
			var id int64
			x, err := scanSample(rows, &id)
			if s, ok := byID[id]; ok {
				tail[s] = append(tail[s], x)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	f.series, f.dirty, f.tail = ids, dirty, tail
	return nil
}

func (f *file) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.db != nil {
		f.db.Close()
		f.db = nil
	}
}

// each runs a query and hands over every row.
func each(ctx context.Context, db *sql.DB, query string, args []any, take func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
