package history

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// idle is how long a file that nobody uses stays open.
const idle = 5 * time.Minute

// files are the open files of the folder. Whoever takes one gives it back.
type files struct {
	dir     string
	log     *slog.Logger
	damaged atomic.Uint64
	pragmas []string // more pragmas for each connection: tests make a small disk

	mu   sync.Mutex
	open map[string]*file
}

func newFiles(dir string, log *slog.Logger) files {
	return files{dir: dir, log: log, open: map[string]*file{}}
}

// name of the file of a day and kind.
func name(d time.Time, k kind) string { return d.UTC().Format(time.DateOnly) + suffix[k] }

// parse is the inverse of name.
func parse(name string) (d time.Time, k kind, ok bool) {
	for k = range kinds {
		stem, is := strings.CutSuffix(name, suffix[k])
		if !is {
			continue
		}
		if d, err := time.Parse(time.DateOnly, stem); err == nil {
			return d, k, true
		}
	}
	return time.Time{}, 0, false
}

// list gives the days that have files, ascending, and which kinds each has.
func (fs *files) list() (days []time.Time, has map[time.Time][kinds]bool, err error) {
	entries, err := os.ReadDir(fs.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, fmt.Errorf("history: list %s: %w", fs.dir, err)
	}
	has = map[time.Time][kinds]bool{}
	for _, e := range entries {
		d, k, ok := parse(e.Name())
		if !ok {
			continue
		}
		h, seen := has[d]
		h[k] = true
		has[d] = h
		if !seen {
			days = append(days, d)
		}
	}
	slices.SortFunc(days, time.Time.Compare)
	return days, has, nil
}

// get opens a file that is there, or finds it open; make opens one that may
// not be there yet. Give it back with put.
func (fs *files) get(ctx context.Context, d time.Time, k kind) (*file, error) {
	if _, err := os.Stat(filepath.Join(fs.dir, name(d, k))); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return fs.make(ctx, d, k)
}

func (fs *files) make(ctx context.Context, d time.Time, k kind) (*file, error) {
	fs.mu.Lock()
	n := name(d, k)
	f := fs.open[n]
	if f == nil {
		f = &file{name: n, path: filepath.Join(fs.dir, n), kind: k, day: d}
		fs.open[n] = f
	}
	f.refs++
	fs.mu.Unlock()
	if err := f.ensure(ctx, fs.pragmas); err != nil {
		fs.put(f)
		return nil, err
	}
	return f, nil
}

func (fs *files) put(f *file) {
	fs.mu.Lock()
	f.refs--
	f.used = time.Now()
	last := f.refs == 0 && f.gone
	fs.mu.Unlock()
	if last {
		f.close()
	}
}

// forget takes a file out of the open ones; it is closed by its last user.
func (fs *files) forget(f *file) {
	fs.mu.Lock()
	if fs.open[f.name] == f {
		delete(fs.open, f.name)
	}
	f.gone = true
	last := f.refs == 0
	fs.mu.Unlock()
	if last {
		f.close()
	}
}

// closeIdle closes the files nobody uses. They leave the map under the lock, so
// that no one finds a file that is being closed.
func (fs *files) closeIdle(now time.Time) {
	fs.mu.Lock()
	var old []*file
	for n, f := range fs.open {
		if f.refs == 0 && now.Sub(f.used) > idle {
			f.gone = true
			delete(fs.open, n)
			old = append(old, f)
		}
	}
	fs.mu.Unlock()
	for _, f := range old {
		f.close()
	}
}

func (fs *files) closeAll() {
	fs.mu.Lock()
	all := make([]*file, 0, len(fs.open))
	for _, f := range fs.open {
		all = append(all, f)
	}
	fs.mu.Unlock()
	for _, f := range all {
		fs.forget(f)
	}
}

// isDamage says that an error means the file is no sound database.
func isDamage(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	code := e.Code() & 0xff
	return code == lib.SQLITE_CORRUPT || code == lib.SQLITE_NOTADB
}

// aside moves a damaged file out of the way, once, and says so.
func (fs *files) aside(d time.Time, k kind, cause error) {
	fs.mu.Lock()
	n := name(d, k)
	f := fs.open[n]
	fs.mu.Unlock()
	if f != nil {
		fs.forget(f)
	}
	path := filepath.Join(fs.dir, n)
	to := path + ".damaged-" + time.Now().UTC().Format("20060102t150405z")
	for i := 2; ; i++ {
		if _, err := os.Lstat(to); err != nil {
			break
		}
		to = fmt.Sprintf("%s.damaged-%s-%d", path, time.Now().UTC().Format("20060102t150405z"), i)
	}
	if err := os.Rename(path, to); err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			fs.log.Error("history file is damaged and cannot be moved aside", "file", path, "cause", cause, "err", err)
		}
		return
	}
	for _, tail := range []string{"-wal", "-shm"} {
		_ = os.Rename(path+tail, to+tail) // there may be none
	}
	fs.damaged.Add(1)
	fs.log.Error("history file is damaged: moved aside, the others go on; sqlite3's .recover may save what is in it",
		"file", path, "moved_to", to, "cause", cause)
}

// tighten takes the rights of others from the databases that are there, and
// from what SQLite put beside them.
func (fs *files) tighten() {
	entries, _ := os.ReadDir(fs.dir) // list says what is wrong with the folder
	for _, e := range entries {
		stem := strings.TrimSuffix(strings.TrimSuffix(e.Name(), "-wal"), "-shm")
		stem, _, _ = strings.Cut(stem, ".damaged-")
		if _, _, ok := parse(stem); !ok {
			continue
		}
		st, err := e.Info()
		if err != nil || !st.Mode().IsRegular() || st.Mode().Perm()&0o077 == 0 {
			continue
		}
		path := filepath.Join(fs.dir, e.Name())
		if err := os.Chmod(path, 0o600); err != nil {
			fs.log.Warn("history file can be read by others and that cannot be changed", "file", path, "err", err)
		}
	}
}

// remove deletes a file and what belongs to it.
func (fs *files) remove(d time.Time, k kind) error {
	fs.mu.Lock()
	f := fs.open[name(d, k)]
	fs.mu.Unlock()
	if f != nil {
		fs.forget(f)
	}
	path := filepath.Join(fs.dir, name(d, k))
	err := os.Remove(path)
	for _, tail := range []string{"-wal", "-shm"} {
		_ = os.Remove(path + tail) // there may be none
	}
	return err
}
