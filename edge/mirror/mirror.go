package mirror

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Config is how a mirror works.
type Config struct {
	Dir    string        // where all of it is kept
	Every  time.Duration // between two runs
	Budget int64         // bytes that one run may read; its first document may go over; 0: any
	Tries  int           // of one document in one run
	Stall  time.Duration // without a byte, then a read is given up
	Search int64         // longest document whose text is indexed, in bytes
	Keep   time.Duration // snapshots that are older go, but the newest; 0: none goes
	Now    func() time.Time
}

// Default is a run every quarter of an hour, snapshots for a year.
func Default() Config {
	return Config{Every: 15 * time.Minute, Tries: 3, Stall: time.Minute, Search: 32 << 20, Keep: 366 * 24 * time.Hour, Now: time.Now}
}

// Limit says how fast the mirror may read now, in bytes a second: 0 or less is
// not at all for now. The controller knows what the radio link can carry.
type Limit interface {
	Allowance(ctx context.Context) int64
}

// Deps are what a mirror needs of the world.
type Deps struct {
	Source edge.Source
	Limit  Limit        // nil: as fast as it goes
	Log    *slog.Logger // nil: silent
}

// Mirror copies documents of a source into a repository and lets them be found.
type Mirror struct {
	cfg  Config
	deps Deps
	repo *Repo

	running sync.Mutex // one run at a time
	mu      sync.RWMutex
	index   *index
	last    atomic.Pointer[Last]
	whole   sync.Map // of object: how it looked when it was read whole
}

// Last is the newest snapshot.
type Last struct {
	At        time.Time
	Documents int
	Waiting   int // of which the source has a version that could not be read
}

// Last is the newest snapshot that can be searched; the zero one before the first.
func (m *Mirror) Last() Last {
	if l := m.last.Load(); l != nil {
		return *l
	}
	return Last{}
}

// New is a mirror; nothing is touched before Open.
func New(cfg Config, deps Deps) (*Mirror, error) {
	switch {
	case cfg.Dir == "":
		return nil, fault.New(fault.Invalid, "mirror: dir is empty: write the folder that the copy is kept in")
	case cfg.Every <= 0 || cfg.Tries <= 0 || cfg.Stall <= 0 || cfg.Budget < 0 || cfg.Search < 0 || cfg.Keep < 0 || cfg.Now == nil:
		return nil, fault.New(fault.Invalid, "mirror %s: every, tries, stall and now are needed and nothing is below 0: begin with Default()", cfg.Dir)
	case deps.Source == nil:
		return nil, fault.New(fault.Invalid, "mirror %s: it has no source: give it one", cfg.Dir)
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	return &Mirror{cfg: cfg, deps: deps, repo: NewRepo(cfg.Dir)}, nil
}

// Repo is the repository of the mirror.
func (m *Mirror) Repo() *Repo { return m.repo }

// Run opens the mirror and copies until ctx ends. A round that fails is told once
// when the trouble begins and once when it is over; what was copied stays
// readable meanwhile.
func (m *Mirror) Run(ctx context.Context) error {
	if err := m.Open(); err != nil {
		return err
	}
	defer m.Close()
	// An index that was damaged is made again also while the source is away.
	if err := m.reindex(ctx); err != nil && ctx.Err() == nil {
		m.deps.Log.Warn("mirror: not all can be searched", "dir", m.cfg.Dir, "err", err)
	}
	tick := time.NewTicker(m.cfg.Every)
	defer tick.Stop()
	trouble := false
	for {
		_, err := m.Copy(ctx)
		if err == nil && m.cfg.Keep > 0 {
			_, err = m.repo.Retain(m.cfg.Now(), m.cfg.Keep)
		}
		switch {
		case ctx.Err() != nil:
		case err != nil && !trouble:
			m.deps.Log.Warn("mirror: documents cannot be copied", "dir", m.cfg.Dir, "err", err)
		case err == nil && trouble:
			m.deps.Log.Info("mirror: documents are copied again", "dir", m.cfg.Dir)
		}
		trouble = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
