package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/strict"
)

// copiesConfig is of the copies of the database that the program makes itself.
type copiesConfig struct {
	At       strict.At `yaml:"-"`
	Folder   string    `yaml:"folder"`
	KeepDays int       `yaml:"keep_days"`
}

// copyName is that of a copy made at a time; copyEvery is between two of them,
// copyLook between two looks whether one is due.
const (
	copyName  = "crinale-20060102T150405Z.db"
	copyEvery = 24 * time.Hour
	copyLook  = 10 * time.Minute
)

// copies makes a copy of the database each day, and deletes those that are
// older than keep: what residents have deleted is in none after that. It does
// so too in a folder that was taken out of the configuration, which it
// remembers in a list until no copy is left there.
type copies struct {
	folder string // "": none are made
	list   string // file that names the folders with copies, one a line
	keep   time.Duration
	db     *store.DB
	log    *slog.Logger
}

func newCopies(c copiesConfig, data string, db *store.DB, log *slog.Logger) (*copies, error) {
	if c.Folder != "" && db.Kind() == store.Postgres {
		return nil, fault.New(fault.Invalid, "copies.folder: PostgreSQL is copied by pg_dump: leave it empty")
	}
	return &copies{c.Folder, filepath.Join(data, "copies.txt"), time.Duration(c.KeepDays) * 24 * time.Hour, db, log}, nil
}

// run makes copies until ctx ends. What fails is tried again.
func (c *copies) run(ctx context.Context) error {
	told := ""
	for {
		err := c.round(ctx, time.Now().UTC())
		if ctx.Err() != nil {
			return nil
		}
		told = c.tell(told, err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(copyLook):
		}
	}
}

// tell logs trouble when it begins, when it is another one, and when it ends.
// It gives the trouble that was told.
func (c *copies) tell(told string, err error) string {
	if err == nil {
		if told != "" {
			c.log.Info("copies of the database are made again")
		}
		return ""
	}
	if err.Error() != told {
		c.log.Error("copies of the database: tried again every ten minutes", "err", err)
	}
	return err.Error()
}

// round deletes what is too old or was never finished, here and where copies
// were made before, and makes a copy when the newest is of yesterday.
func (c *copies) round(ctx context.Context, now time.Time) error {
	err := c.cleanFormer(now)
	if c.folder != "" {
		err = errors.Join(err, c.make(ctx, now))
	}
	return err
}

// make makes a copy when it is time.
func (c *copies) make(ctx context.Context, now time.Time) error {
	if err := os.MkdirAll(c.folder, 0o700); err != nil {
		return fmt.Errorf("copies.folder: %w", cause(err))
	}
	newest, _, err := c.clean(c.folder, now)
	if err != nil || now.Sub(newest) < copyEvery {
		return err
	}
	path := filepath.Join(c.folder, now.Format(copyName))
	if err := c.db.CopyTo(ctx, path+".part"); err != nil {
		return err
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("copies.folder: %w", cause(err))
	}
	c.log.Info("copied the database", "file", path)
	return nil
}

// cleanFormer cleans the folders where copies were made before, and forgets
// those that hold none any more. One that cannot be read, such as on a disk
// that is away, is told and stays on the list.
func (c *copies) cleanFormer(now time.Time) error {
	known, err := c.folders()
	if err != nil {
		return err
	}
	here, err := filepath.Abs(c.folder)
	if err != nil {
		return fmt.Errorf("copies.folder: %w", cause(err))
	}
	var errs []error
	var keep []string
	if c.folder != "" {
		keep = append(keep, here)
	}
	for _, folder := range known {
		if c.folder != "" && folder == here {
			continue
		}
		_, left, err := c.clean(folder, now)
		errs = append(errs, err)
		if err != nil || left > 0 {
			keep = append(keep, folder)
		}
	}
	if !slices.Equal(keep, known) {
		errs = append(errs, c.remember(keep))
	}
	return errors.Join(errs...)
}

// folders are those on the list.
func (c *copies) folders() ([]string, error) {
	b, err := os.ReadFile(c.list)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read where copies are: %w", cause(err))
	}
	return slices.DeleteFunc(strings.Split(string(b), "\n"), func(line string) bool { return line == "" }), nil
}

// remember writes the list, or takes it away where it is empty.
func (c *copies) remember(folders []string) error {
	var err error
	if len(folders) == 0 {
		err = os.Remove(c.list)
	} else if err = os.WriteFile(c.list+".part", []byte(strings.Join(folders, "\n")+"\n"), 0o600); err == nil {
		err = os.Rename(c.list+".part", c.list)
	}
	if err != nil {
		return fmt.Errorf("note where copies are: %w", cause(err))
	}
	return nil
}

// clean deletes copies of a folder that are over, and gives the time of the
// newest and how many are left. One dated ahead was made while the clock was:
// its days are counted from when it is first seen, by the file's own time,
// since a clock that is behind must not cost all copies at once.
func (c *copies) clean(folder string, now time.Time) (newest time.Time, left int, err error) {
	list, err := os.ReadDir(folder)
	if err != nil {
		return newest, 0, fmt.Errorf("copies in %s: %w", folder, cause(err))
	}
	for _, e := range list {
		name, part := strings.CutSuffix(strings.TrimSuffix(e.Name(), "-journal"), ".part")
		at, err := time.Parse(copyName, name)
		if err != nil || !e.Type().IsRegular() {
			continue // not ours
		}
		path := filepath.Join(folder, e.Name())
		if at.After(now) {
			if at, err = seen(path, now); err != nil {
				return newest, left, fmt.Errorf("date a copy that is ahead: %w", cause(err))
			}
		} else if at.After(newest) && !part {
			newest = at
		}
		if !part && now.Sub(at) <= c.keep {
			left++
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return newest, left, fmt.Errorf("delete an old copy: %w", cause(err))
		}
	}
	return newest, left, nil
}

// seen is the file's own time, which becomes now where that is ahead too.
func seen(path string, now time.Time) (time.Time, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return now, err
	}
	if at := info.ModTime(); !at.After(now) {
		return at, nil
	}
	return now, os.Chtimes(path, now, now)
}
