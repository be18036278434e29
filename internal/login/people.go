package login

import (
	"context"
	"embed"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

//go:embed migrations/*.sql
var files embed.FS

// Config of the accounts. Default gives all but the Key.
type Config struct {
	Key       []byte        // 32 bytes from a file; seals second factors and marks known devices
	Issuer    string        // what an authenticator app shows above the account's name
	InviteFor time.Duration // how long an invitation is good
	TicketFor time.Duration // how long the second step of a sign-in may take
	Device    time.Duration // how long a device that signed in is known
	Source    time.Duration // how long a network that somebody signed in from is known for them
	Hash      HashCost      // of new passwords
	AtOnce    int           // passwords hashed at the same time
	Waiting   int           // sign-ins that may wait for that; more are told to come back
	Limits    Limits        // on guessing
}

// Default is the configuration that the documents describe.
func Default() Config {
	return Config{
		Issuer:    "crinale",
		InviteFor: 7 * 24 * time.Hour,
		TicketFor: 5 * time.Minute,
		Device:    90 * 24 * time.Hour,
		Source:    30 * 24 * time.Hour,
		Hash:      HashCost{Passes: 3, MemoryKiB: 32 << 10},
		AtOnce:    2,
		Waiting:   32,
		Limits:    DefaultLimits(),
	}
}

// Deps are what the accounts work with.
type Deps struct {
	Store *store.DB
	Audit *audit.Log
	Now   func() time.Time // nil: time.Now
}

// People are the accounts, with their sessions and tokens. Methods may be used
// by many goroutines.
type People struct {
	cfg    Config
	db     *store.DB
	audit  *audit.Log
	clock  func() time.Time
	keys   keys
	hash   *hasher
	limits *guard

	figures  figures
	slowLine atomic.Int64 // when the last login.slowed was written, ms
	unseen   atomic.Int64 // tries refused unseen since then
	swept    atomic.Int64 // when expired sessions were last removed, ms
}

// New checks and wires; it touches nothing.
func New(cfg Config, deps Deps) (*People, error) {
	d := Default()
	for _, f := range []struct{ have, def *time.Duration }{
		{&cfg.InviteFor, &d.InviteFor}, {&cfg.TicketFor, &d.TicketFor}, {&cfg.Device, &d.Device}, {&cfg.Source, &d.Source},
	} {
		if *f.have == 0 {
			*f.have = *f.def
		}
		if *f.have < 0 {
			return nil, fault.New(fault.Invalid, "accounts: a duration is negative; leave it out for the default")
		}
	}
	if cfg.Issuer == "" {
		cfg.Issuer = d.Issuer
	}
	if cfg.Hash == (HashCost{}) {
		cfg.Hash = d.Hash
	}
	if cfg.AtOnce == 0 {
		cfg.AtOnce = d.AtOnce
	}
	if cfg.Waiting == 0 {
		cfg.Waiting = d.Waiting
	}
	if cfg.Limits == (Limits{}) {
		cfg.Limits = d.Limits
	}
	if cfg.Limits.Join == (Rate{}) {
		cfg.Limits.Join = d.Limits.Join
	}
	if cfg.AtOnce < 0 || cfg.Waiting < 0 {
		return nil, fault.New(fault.Invalid, "accounts: the numbers of hashes at once and waiting are not negative; leave them out for the default")
	}
	if deps.Store == nil || deps.Audit == nil {
		return nil, fault.New(fault.Internal, "accounts: store and audit log are needed")
	}
	if err := cfg.Hash.check(); err != nil {
		return nil, err
	}
	if err := cfg.Limits.check(); err != nil {
		return nil, err
	}
	k, err := newKeys(cfg.Key)
	if err != nil {
		return nil, err
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &People{
		cfg: cfg, db: deps.Store, audit: deps.Audit, clock: deps.Now, keys: k,
		hash:   newHasher(cfg.Hash, cfg.AtOnce, cfg.Waiting),
		limits: newGuard(cfg.Limits, deps.Now()),
	}, nil
}

// Open brings the tables up to date. The audit log must be open.
func (p *People) Open(ctx context.Context) error {
	return p.db.Migrate(ctx, "login", files)
}

// now is the present as it is stored: UTC, whole milliseconds.
func (p *People) now() time.Time { return p.clock().UTC().Truncate(time.Millisecond) }

// do changes something and notes it in the log, in one transaction.
func (p *People) do(ctx context.Context, action, person string, detail map[string]string, fn func(*store.Tx) error) error {
	return p.audit.Do(ctx, audit.Entry{Action: action, Object: person, Detail: detail}, fn)
}

// MaxName is the longest name of an account.
const MaxName = 40

// CheckName refuses what cannot be the name of an account.
func CheckName(name string) error {
	bad := name == "" || len(name) > MaxName
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || i == len(name)-1 || c != '-' && c != '.' && c != '_') {
			bad = true
		}
	}
	if bad {
		return fault.New(fault.Invalid, "name of an account: write 1 to %d of a-z, 0-9, and between them - . _; a%s is not such a name", MaxName, shown(name))
	}
	if name == audit.Program.Who || name == stranger {
		return fault.New(fault.Invalid, "name of an account: %q means something else in the log; choose another", name)
	}
	return nil
}

func shown(s string) string {
	if len(s) > MaxName {
		return fmt.Sprintf(" text of %d bytes", len(s))
	}
	return fmt.Sprintf(" %q", s)
}

// Figures are counts since the start.
type Figures struct {
	OK      int64 // sign-ins
	Refused int64 // wrong name, password or code
	Slowed  int64 // refused unseen, as too many
	Hashes  int64 // passwords hashed
}

type figures struct{ ok, refused, slowed atomic.Int64 }

// Figures since the start.
func (p *People) Figures() Figures {
	return Figures{OK: p.figures.ok.Load(), Refused: p.figures.refused.Load(), Slowed: p.figures.slowed.Load(), Hashes: p.hash.count.Load()}
}
