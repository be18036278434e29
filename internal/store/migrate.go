package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"sync"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/crinale/crinale/internal/fault"
)

var (
	ownerName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	migrating sync.Mutex // within the process; between processes PostgreSQL locks by itself
)

// Migrate brings the tables of an owner up to date. The files are goose's:
// NNNNN_what.sql with "-- +goose Up" and "-- +goose Down", in fsys itself or
// in its folder "migrations". Each owner counts its own versions, in the table
// OWNER_migrations; the tables of an owner begin with its name. A database
// that a newer program has migrated is refused, not guessed at.
func (db *DB) Migrate(ctx context.Context, owner string, fsys fs.FS) error {
	doing := fmt.Sprintf("migrate tables of %s in database", owner)
	if !ownerName.MatchString(owner) {
		return fault.New(fault.Internal, "%s %s: the owner's name must be [a-z][a-z0-9_]*", doing, db.name)
	}
	if sub, err := fs.Sub(fsys, "migrations"); err == nil {
		if _, err := fs.Stat(sub, "."); err == nil {
			fsys = sub
		}
	}
	migrating.Lock()
	defer migrating.Unlock()
	opts := []goose.ProviderOption{
		goose.WithTableName(owner + "_migrations"),
		goose.WithDisableGlobalRegistry(true),
	}
	dialect := goose.DialectSQLite3
	if db.kind == Postgres {
		dialect = goose.DialectPostgres
		l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60), lock.WithUnlockTimeout(1, 10))
		if err != nil {
			return explain(doing, db.name, err)
		}
		opts = append(opts, goose.WithSessionLocker(l))
	}
	p, err := goose.NewProvider(dialect, db.sql, fsys, opts...)
	if err != nil {
		return explain(doing, db.name, err)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return explain(doing, db.name, err)
	}
	sources := p.ListSources()
	if newest := sources[len(sources)-1].Version; have > newest {
		return fault.New(fault.Invalid, "%s %s: it is at version %d and this program knows only %d; run the newer program, or restore the backup made before it", doing, db.name, have, newest)
	}
	if _, err := p.Up(ctx); err != nil {
		var part *goose.PartialError
		if errors.As(err, &part) && part.Failed != nil {
			err = fmt.Errorf("%s: %w", part.Failed.Source.Path, part.Err)
		}
		return explain(doing, db.name, err)
	}
	return nil
}
