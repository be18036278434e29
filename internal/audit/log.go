package audit

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

//go:embed migrations/*.sql
var files embed.FS

// Config of a log.
type Config struct {
	Head string // file that anchors the last line outside the database; "" for none
}

// Deps are what a log works with.
type Deps struct {
	Store *store.DB
}

// Log is the append-only log of one database.
type Log struct {
	head *anchor // nil: none
	db   *store.DB

	turn chan struct{} // held by whoever writes a group
	mu   sync.Mutex
	wait []*job // those who asked, in order
	tail tail   // of the transaction of the group
}

// tail is the end of the log as a transaction under way sees it, so that not
// every line has to ask for it.
type tail struct {
	tx   *store.Tx
	last Line // number and hash only
}

// New checks and wires; it touches nothing.
func New(cfg Config, deps Deps) (*Log, error) {
	if deps.Store == nil {
		return nil, fault.New(fault.Internal, "audit log: no store given")
	}
	l := &Log{db: deps.Store, turn: make(chan struct{}, 1)}
	if cfg.Head != "" {
		l.head = &anchor{path: cfg.Head}
	}
	return l, nil
}

// Open brings the tables up to date, forbids changes of lines in the database
// itself, and reads the anchor. A log that does not fit its anchor opens all
// the same, so that the work goes on and is noted; the anchor then stays as it
// is, and Verify tells.
func (l *Log) Open(ctx context.Context) error {
	if err := l.db.Migrate(ctx, "audit", files); err != nil {
		return err
	}
	if err := l.db.Do(ctx, func(tx *store.Tx) error { return guard(ctx, tx) }); err != nil {
		return fmt.Errorf("guard the audit log: %w", err)
	}
	if l.head == nil {
		return nil
	}
	return l.db.View(ctx, func(tx *store.Tx) error { return l.head.open(ctx, tx) })
}

// anchorEvery is how often Run looks for lines that came by Add alone.
const anchorEvery = 5 * time.Second

// Run keeps the anchor close to the end of the log, until ctx ends. Without it
// the anchor moves with Do and Tx only.
func (l *Log) Run(ctx context.Context) error {
	if l.head == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(anchorEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		var last Line
		err := l.db.View(ctx, func(tx *store.Tx) (err error) {
			if last, err = lastLine(ctx, tx); err == nil {
				err = l.head.check(ctx, tx, last)
			}
			return err
		})
		if err == nil { // a database that does not answer now may at the next turn
			l.head.write(last)
		}
	}
}

// Add writes a line in the transaction of what it tells: both stay or none.
//
// The lines form one chain, so transactions that add lines come one after the
// other. On PostgreSQL two that meet are tried again by the store; [Log.Do]
// and [Log.Tx] queue instead, and are the faster way.
func (l *Log) Add(ctx context.Context, tx *store.Tx, e Entry) error {
	if err := e.check(); err != nil {
		return err
	}
	last, own := l.end(tx)
	if !own {
		var err error
		if last, err = lastLine(ctx, tx); err != nil {
			return fmt.Errorf("write %s of %s to the log: read its end: %w", e.Action, e.Object, err)
		}
	}
	n := e.line(By(ctx), tx.Now, last)
	detail, err := json.Marshal(n.Detail)
	if err != nil {
		return fmt.Errorf("write %s of %s to the log: %w", e.Action, e.Object, err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO audit_line (seq, at, who, via, source, action, object, detail, prev, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		n.Seq, store.Millis(n.At), n.Who, n.Via, n.From, n.Action, n.Object, string(detail), n.Prev, n.Hash)
	if err != nil {
		return fmt.Errorf("write %s of %s to the log: %w", e.Action, e.Object, met(err))
	}
	if own {
		l.setEnd(tx, n)
	}
	return nil
}

// end is the last line as tx sees it; false where tx is not that of the group.
func (l *Log) end(tx *store.Tx) (Line, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tail.last, l.tail.tx == tx
}

func (l *Log) setEnd(tx *store.Tx, last Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = tail{tx, Line{Seq: last.Seq, Hash: last.Hash}}
}

// lastLine has only number and hash; those of the place before the first line
// when there is none.
func lastLine(ctx context.Context, tx *store.Tx) (Line, error) {
	last := Line{Hash: Start}
	err := tx.QueryRow(ctx, `SELECT seq, hash FROM audit_line ORDER BY seq DESC LIMIT 1`).Scan(&last.Seq, &last.Hash)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return last, err
}

// met turns PostgreSQL's "that number is taken", which is how two transactions
// that add at the same time can meet, into the state that makes the store try
// again.
func met(err error) error {
	var pe interface{ SQLState() string }
	if errors.As(err, &pe) && pe.SQLState() == "23505" { // unique_violation
		return again{err}
	}
	return err
}

type again struct{ error }

func (a again) SQLState() string { return "40001" } // serialization_failure
func (a again) Unwrap() error    { return a.error }

// guard makes the database refuse changes and removals of lines, also by hand.
// Whoever owns the database can take the guard away; the chain tells then.
func guard(ctx context.Context, tx *store.Tx) error {
	const refused = "the audit log is append-only"
	statements := []string{
		`CREATE TRIGGER IF NOT EXISTS audit_line_no_update BEFORE UPDATE ON audit_line BEGIN SELECT RAISE(ABORT, '` + refused + `'); END`,
		`CREATE TRIGGER IF NOT EXISTS audit_line_no_delete BEFORE DELETE ON audit_line BEGIN SELECT RAISE(ABORT, '` + refused + `'); END`,
		// INSERT OR REPLACE asks no trigger of DELETE.
		`CREATE TRIGGER IF NOT EXISTS audit_line_no_replace BEFORE INSERT ON audit_line WHEN EXISTS (SELECT 1 FROM audit_line WHERE seq = NEW.seq) BEGIN SELECT RAISE(ABORT, '` + refused + `'); END`,
	}
	if tx.Kind() == store.Postgres {
		var have int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM pg_trigger WHERE tgname = 'audit_line_guard' AND tgrelid = 'audit_line'::regclass`).Scan(&have); err != nil || have > 0 {
			return err
		}
		statements = []string{
			`CREATE OR REPLACE FUNCTION audit_line_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''` + refused + `''; END'`,
			`CREATE TRIGGER audit_line_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_line FOR EACH STATEMENT EXECUTE FUNCTION audit_line_refuse()`,
		}
	}
	for _, s := range statements {
		if _, err := tx.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
