// Package history keeps the readings of the last days in SQLite files and
// answers questions about any stretch of time. It is not a general database of
// measurements; larger installations send the same readings to InfluxDB too
// (Influx).
//
// There is a file for each day (UTC) and resolution:
//
//	2026-11-22.db      every reading, as it came
//	2026-11-22.1m.db   minutes: least, mean, greatest and number of each quantity
//	2026-11-22.15m.db  quarters of an hour, the same
//
// Readings are written about once a second, all in one transaction, at the end
// of the table raw: appending straight into the order of the links would write
// a page for each link. Every ten minutes raw is folded into the table folded,
// in the order of link and time, and the quarters of an hour that are complete
// are rolled up. Quarters with newer readings than their roll-up stand in the
// table dirty, so that a late reading is never missing from an answer.
//
// What Flush has acknowledged survives the death of the process. Files are
// dropped whole when their days are over. A damaged file is moved aside and
// never takes the others with it.
package history

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// Config is where and how long readings are kept.
type Config struct {
	Dir         string
	Queue       int           // readings that may wait for the disk; the oldest are dropped, and counted
	Flush       time.Duration // between writes
	Fold        time.Duration // between folds
	RawDays     int           // days every reading is kept
	MinuteDays  int           // days the minutes are kept
	QuarterDays int           // days the quarters of an hour are kept
	Ahead       time.Duration // a reading further in the future is refused
}

// Default keeps readings 7 days, minutes 90 days and quarters of an hour five
// years. Dir must be set.
func Default() Config {
	return Config{
		Queue: 50_000, Flush: time.Second, Fold: 10 * time.Minute,
		RawDays: 7, MinuteDays: 90, QuarterDays: 5 * 366, Ahead: time.Hour,
	}
}

// Deps is what the history may use beside its folder.
type Deps struct {
	Log *slog.Logger // nil: slog.Default
}

// History is the store of readings. Its methods may be called by many
// goroutines.
type History struct {
	cfg   Config
	log   *slog.Logger
	ready chan struct{}
	queue queue[entry]
	files files

	writing sync.Mutex // one writer, folder and sweeper at a time
	failing spell
	count   counts
}

// New wires a history; it touches nothing outside.
func New(cfg Config, deps Deps) (*History, error) {
	switch {
	case cfg.Dir == "":
		return nil, fault.New(fault.Invalid, "history: no folder given")
	case cfg.Queue < 1:
		return nil, fault.New(fault.Invalid, "history: a queue of %d: give at least 1", cfg.Queue)
	case cfg.Flush <= 0 || cfg.Fold <= 0:
		return nil, fault.New(fault.Invalid, "history: flush every %v and fold every %v: both must be more than 0", cfg.Flush, cfg.Fold)
	case cfg.RawDays < 1 || cfg.MinuteDays < 1 || cfg.QuarterDays < 1:
		return nil, fault.New(fault.Invalid, "history: keep %d, %d and %d days: each must be at least 1", cfg.RawDays, cfg.MinuteDays, cfg.QuarterDays)
	case cfg.Ahead < 0:
		return nil, fault.New(fault.Invalid, "history: ahead %v: it must not be less than 0", cfg.Ahead)
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	h := &History{cfg: cfg, log: deps.Log, ready: make(chan struct{})}
	h.queue.size = cfg.Queue
	h.files = newFiles(cfg.Dir, deps.Log)
	return h, nil
}

// Ready is closed once the folder is there and may be written.
func (h *History) Ready() <-chan struct{} { return h.ready }

// Run writes, folds and sweeps until ctx ends; then it writes what is left and
// closes the files.
func (h *History) Run(ctx context.Context) error {
	if err := h.prepare(); err != nil {
		return err
	}
	defer h.files.closeAll()
	close(h.ready)
	flush, fold, tidy := time.NewTicker(h.cfg.Flush), time.NewTicker(h.cfg.Fold), time.NewTicker(time.Minute)
	defer flush.Stop()
	defer fold.Stop()
	defer tidy.Stop()
	h.sweep(ctx)
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			return h.Flush(last)
		case <-flush.C:
			h.note(h.Flush(context.WithoutCancel(ctx)))
		case <-fold.C:
			if err := h.Fold(ctx); ctx.Err() == nil {
				h.note(err)
				h.sweep(ctx)
			}
		case now := <-tidy.C:
			h.files.closeIdle(now)
		}
	}
}

// prepare makes the folder, for its owner only, and tries to write in it. The
// databases of earlier programs are closed to others too.
func (h *History) prepare() error {
	if err := os.MkdirAll(h.cfg.Dir, 0o700); err != nil {
		return fault.New(fault.Invalid, "history: make the folder %s: %w", h.cfg.Dir, err)
	}
	f, err := os.CreateTemp(h.cfg.Dir, ".try-*")
	if err != nil {
		return fault.New(fault.Invalid, "history: write in the folder %s: %w: give the right to write there, or another folder", h.cfg.Dir, err)
	}
	f.Close()
	h.files.tighten()
	return os.Remove(f.Name())
}

// Close writes what waits and closes the files, for a History that is used
// without Run.
func (h *History) Close(ctx context.Context) error {
	err := h.Flush(ctx)
	h.files.closeAll()
	return err
}

// note logs one line when writing begins to fail and one when it works again.
func (h *History) note(err error) {
	switch h.failing.note(err) {
	case began:
		h.log.Error("history cannot be written; readings wait in memory", "err", err)
	case ended:
		h.log.Info("history is written again", "failed", h.failing.last, "dropped", h.queue.lost())
	}
}

// spell tells when trouble begins and ends; its users do not share it.
type spell struct{ count, last int }

type turn uint8

const (
	same turn = iota
	began
	ended
)

func (s *spell) note(err error) turn {
	switch {
	case err == nil && s.count > 0:
		s.last, s.count = s.count, 0
		return ended
	case err == nil:
		return same
	}
	s.count++
	if s.count == 1 {
		return began
	}
	return same
}

// Stats counts what became of the readings since the start.
type Stats struct {
	Waiting uint64 // in the queue
	Written uint64
	Dropped uint64 // the queue was full
	Refused uint64 // too old, or too far in the future
	Failed  uint64 // writes that did not work; their readings wait for the next
	Damaged uint64 // files moved aside
}

func (s Stats) String() string {
	return fmt.Sprintf("%d written, %d waiting, %d dropped, %d refused, %d writes failed, %d files damaged",
		s.Written, s.Waiting, s.Dropped, s.Refused, s.Failed, s.Damaged)
}
