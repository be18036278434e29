// Package interop answers other carpooling operators in the
// standard-covoiturage API (fabmob/standard-covoiturage, OpenAPI 3.0, commit
// 74598ba), and tells them how bookings of their passengers go on.
//
// It tells no more than a stranger may know: lifts from meeting point to
// meeting point, a driver's first name, no surname, no number, no door. What
// an operator may do follows from its key; a passenger of another operator
// books like a neighbour, and the portal's own rules decide.
package interop

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
)

//go:embed migrations
var migrations embed.FS

// Owner of the tables; their names begin with it.
const Owner = "interop"

// Prefix of all paths; behind it they are those of the standard.
const Prefix = "/api/covoiturage/v1"

// Queue is where events to operators wait to be sent.
const Queue = "interop"

// Config of the API. Default gives what the documents describe.
type Config struct {
	Operator string        // our domain name, as the standard wants operators to be named
	Web      string        // address of the portal, where people book: "https://…/passaggi"
	Hosts    []string      // that operators may be told at; no others are called
	Every    time.Duration // between looks at how bookings of other operators go on
	Timeout  time.Duration // of telling an operator
	Kept     time.Duration // a booking of another operator after its pick-up

	Minute   int // requests of an operator
	Bookings int // made or changed by an operator in an hour
	Messages int // of an operator in an hour
	Wrong    int // requests in a minute with a wrong key, of one address

	Count  int           // most results of a search
	Radius float64       // km, at most; a larger one is taken as this
	Delta  time.Duration // at most; a larger one is taken as this

	anywhere bool        // tests: operators on this machine are told too
	roots    *tls.Config // tests: whose certificates are trusted
}

// Default is the configuration that the documents describe.
func Default() Config {
	return Config{Every: 10 * time.Second, Timeout: 10 * time.Second, Kept: 90 * 24 * time.Hour,
		Minute: 120, Bookings: 60, Messages: 30, Wrong: 20, Count: 50, Radius: 10, Delta: 12 * time.Hour}
}

// Deps are what the API works with.
type Deps struct {
	Store  *store.DB
	Audit  *audit.Log
	Outbox *outbox.Box
	Portal Portal
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: slog.Default
}

// Server is the API of one portal.
type Server struct {
	cfg       Config
	deps      Deps
	mux       *http.ServeMux
	limits    *limits
	client    *http.Client
	Operators *Operators
}

// New checks and wires; it touches nothing.
func New(cfg Config, deps Deps) (*Server, error) {
	switch {
	case deps.Store == nil || deps.Audit == nil || deps.Outbox == nil || deps.Portal == nil:
		return nil, fault.New(fault.Internal, "interop: store, audit log, outbox and portal must be given")
	case checkDomain(cfg.Operator) != nil:
		return nil, fault.New(fault.Invalid, "interop.operator: %w", checkDomain(cfg.Operator))
	case !strings.HasPrefix(cfg.Web, "http"):
		return nil, fault.New(fault.Invalid, "interop.web: %q must be the address of the portal, https://…", cfg.Web)
	case cfg.Every <= 0 || cfg.Timeout <= 0 || cfg.Kept <= 0 || cfg.Minute < 1 || cfg.Bookings < 1 || cfg.Messages < 1 ||
		cfg.Wrong < 1 || cfg.Count < 1 || cfg.Radius <= 0 || cfg.Delta <= 0:
		return nil, fault.New(fault.Invalid, "interop: every limit must be above 0")
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	s := &Server{cfg: cfg, deps: deps, mux: http.NewServeMux(), limits: newLimits()}
	s.Operators = &Operators{cfg: cfg, deps: deps}
	s.client = s.newClient()
	s.routes()
	deps.Outbox.Handle(Queue, s.tell)
	return s, nil
}

// Open brings the tables up to date. Store, audit log and outbox must be open.
func (s *Server) Open(ctx context.Context) error {
	if err := s.deps.Store.Migrate(ctx, Owner, migrations); err != nil {
		return err
	}
	if o, ok := s.deps.Portal.(interface{ open(secret []byte) }); ok {
		secret, err := secretOf(ctx, s.deps.Store)
		if err != nil {
			return err
		}
		o.open(secret)
	}
	return nil
}

// Run looks at how bookings go on until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	tick := time.NewTicker(s.cfg.Every)
	defer tick.Stop()
	trouble := false
	for {
		err := s.Round(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if (err != nil) != trouble {
			trouble = err != nil
			if trouble {
				s.deps.Log.Error("interop: operators are not told of their bookings", "err", err)
			} else {
				s.deps.Log.Info("interop: operators are told of their bookings again")
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// secretOf a database is made when first asked for: names that other operators
// get are sealed with it.
func secretOf(ctx context.Context, db *store.DB) ([]byte, error) {
	fresh := make([]byte, 32)
	rand.Read(fresh)
	var text string
	err := db.Do(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(ctx, `SELECT secret FROM interop_secret WHERE id = 'names'`).Scan(&text)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		text = hex.EncodeToString(fresh)
		_, err = tx.Exec(ctx, `INSERT INTO interop_secret (id, secret) VALUES ('names', $1)`, text)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the secret of outside names: %w", err)
	}
	return hex.DecodeString(text)
}
