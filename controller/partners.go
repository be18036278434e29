package controller

import (
	"context"
	"crypto/rand"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spine"
	"github.com/crinale/crinale/internal/store"
)

//go:embed partners/*.sql
var partnerFiles embed.FS

// hashCost of the partners' passwords, which are random and too long to guess
// at any cost. The broker computes it for each connection, and again for all
// of them when a partner is added, so it is below bcrypt's usual 10.
const hashCost = 8

// PartnerBroker lets partners in. It is given the whole list each time, and
// drops nobody whose entry stays the same.
type PartnerBroker interface {
	SetPartners([]spine.User) error
}

var _ PartnerBroker = (*spine.Spine)(nil)

// PartnersDeps is what the registry of partners needs.
type PartnersDeps struct {
	Store   *store.DB
	Audit   *audit.Log       // open before the registry
	Network *network.Network // nil: every partner counts as one without links
	Broker  PartnerBroker    // nil: an outer broker, whose users its own keeper sets
	Log     *slog.Logger     // nil: slog.Default
}

// Partners is the registry of who may read the feed. Which links are whose
// stands in the network files; here are only the passwords, as bcrypt hashes.
// Each change takes effect on the broker before the method returns.
type Partners struct {
	deps PartnersDeps
	turn chan struct{} // held by the one change at a time, so that the broker gets the last
}

// PartnerLogin is a partner's way in, shown once: the password is kept nowhere.
type PartnerLogin struct {
	ID       network.PartnerID `json:"id"`
	User     string            `json:"user"`
	Password string            `json:"password"`
	Warning  string            `json:"warning,omitempty"` // what a technician should look at
}

// PartnerAccess is what is known of a partner's access.
type PartnerAccess struct {
	ID      network.PartnerID `json:"id"`
	Name    string            `json:"name"`    // of the network files; "" when they do not know it
	Links   int               `json:"links"`   // that it sees
	Added   time.Time         `json:"added"`   // UTC
	Rotated time.Time         `json:"rotated"` // when its password was made, UTC
	Warning string            `json:"warning,omitempty"`
}

// NewPartners wires the registry; it touches nothing outside.
func NewPartners(deps PartnersDeps) (*Partners, error) {
	if deps.Store == nil || deps.Audit == nil {
		return nil, fault.New(fault.Internal, "partners: store and audit log must be given")
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	return &Partners{deps: deps, turn: make(chan struct{}, 1)}, nil
}

// Open makes the table where it is absent and gives the broker all partners.
// It must come before the other methods.
func (p *Partners) Open(ctx context.Context) error {
	if err := p.take(ctx); err != nil {
		return err
	}
	defer p.give()
	files, err := fs.Sub(partnerFiles, "partners")
	if err != nil {
		return err
	}
	if err := p.deps.Store.Migrate(ctx, "partners", files); err != nil {
		return err
	}
	users, err := p.users(ctx)
	if err != nil {
		return err
	}
	return p.put(users)
}

// Add lets a new partner in and gives its password, 26 letters and digits. A
// partner that the network files do not name is taken too, so that access can
// be handed out before its links are drawn, but the answer warns: it may be a
// slip of the pen. One that is in already is a fault.Conflict.
func (p *Partners) Add(ctx context.Context, id network.PartnerID) (PartnerLogin, error) {
	if err := checkPartner(id); err != nil {
		return PartnerLogin{}, fmt.Errorf("add partner: %w", err)
	}
	if strings.HasPrefix(string(id), edgeUser) {
		return PartnerLogin{}, fault.New(fault.Invalid, "add partner %s: names that begin with %s are those of edges: choose another, in the network files too", id, edgeUser)
	}
	return p.set(ctx, "add", id, func(tx *store.Tx, hash string) error {
		r, err := tx.Exec(ctx, `INSERT INTO partners (id, hash, added_ms, rotated_ms) VALUES ($1, $2, $3, $3) ON CONFLICT (id) DO NOTHING`,
			string(id), hash, store.Millis(tx.Now))
		if err != nil {
			return fmt.Errorf("add partner %s: %w", id, err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return fault.New(fault.Conflict, "add partner %s: it has access already; for a new password, rotate it", id)
	})
}

// Rotate gives a partner a new password. Connections made with the old one are
// closed.
func (p *Partners) Rotate(ctx context.Context, id network.PartnerID) (PartnerLogin, error) {
	if err := checkPartner(id); err != nil {
		return PartnerLogin{}, fmt.Errorf("rotate partner: %w", err)
	}
	return p.set(ctx, "rotate", id, func(tx *store.Tx, hash string) error {
		r, err := tx.Exec(ctx, `UPDATE partners SET hash = $2, rotated_ms = $3 WHERE id = $1`, string(id), hash, store.Millis(tx.Now))
		if err != nil {
			return fmt.Errorf("rotate partner %s: %w", id, err)
		}
		return p.found(r, "rotate", id)
	})
}

// Revoke takes a partner's access away. Its connections are closed; its links
// stay in the network files.
func (p *Partners) Revoke(ctx context.Context, id network.PartnerID) error {
	if err := checkPartner(id); err != nil {
		return fmt.Errorf("revoke partner: %w", err)
	}
	return p.change(ctx, "revoke", id, func(tx *store.Tx) error {
		r, err := tx.Exec(ctx, `DELETE FROM partners WHERE id = $1`, string(id))
		if err != nil {
			return fmt.Errorf("revoke partner %s: %w", id, err)
		}
		return p.found(r, "revoke", id)
	})
}

// List gives all partners with access, by name, without anything secret.
func (p *Partners) List(ctx context.Context) ([]PartnerAccess, error) {
	list := []PartnerAccess{}
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		list = list[:0]
		rows, err := tx.Query(ctx, `SELECT id, added_ms, rotated_ms FROM partners ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var a PartnerAccess
			var added, rotated int64
			if err := rows.Scan(&a.ID, &added, &rotated); err != nil {
				return err
			}
			a.Added, a.Rotated = store.Time(added), store.Time(rotated)
			a.Name, a.Links, a.Warning = p.known(a.ID)
			list = append(list, a)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list partners: %w", err)
	}
	return list, nil
}

// Verify says whether a password is that of a partner with access.
func (p *Partners) Verify(ctx context.Context, id network.PartnerID, password string) (bool, error) {
	users, err := p.users(ctx)
	if err != nil {
		return false, err
	}
	for _, u := range users {
		if u.Name == string(id) {
			return bcrypt.CompareHashAndPassword([]byte(u.Hash), []byte(password)) == nil, nil
		}
	}
	return false, nil
}

// set makes a password, writes its hash, and tells the broker.
func (p *Partners) set(ctx context.Context, doing string, id network.PartnerID, write func(*store.Tx, string) error) (PartnerLogin, error) {
	password := rand.Text()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), hashCost)
	if err != nil {
		return PartnerLogin{}, fmt.Errorf("hash the password of partner %s: %w", id, err)
	}
	err = p.change(ctx, doing, id, func(tx *store.Tx) error { return write(tx, string(hash)) })
	if err != nil {
		return PartnerLogin{}, err
	}
	_, _, warning := p.known(id)
	return PartnerLogin{ID: id, User: string(id), Password: password, Warning: warning}, nil
}

// take waits for the turn.
func (p *Partners) take(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("partners: wait for a change under way: %w", context.Cause(ctx))
	}
}

func (p *Partners) give() { <-p.turn }

// change writes to the store and to the log, and then gives the broker the
// whole list.
func (p *Partners) change(ctx context.Context, doing string, id network.PartnerID, write func(*store.Tx) error) error {
	if err := p.take(ctx); err != nil {
		return err
	}
	defer p.give()
	if err := p.deps.Audit.Do(ctx, audit.Entry{Action: "partner." + doing, Object: string(id)}, write); err != nil {
		return err
	}
	// What is written must reach the broker, even when nobody waits any more.
	users, err := p.users(context.WithoutCancel(ctx))
	if err == nil {
		err = p.put(users)
	}
	if err != nil {
		return fmt.Errorf("%s partner %s: written, but the broker does not know yet; restart crinale: %w", doing, id, err)
	}
	return nil
}

func (p *Partners) put(users []spine.User) error {
	if p.deps.Broker == nil {
		p.deps.Log.Info("the message broker is an outer one: its own keeper must let partners in", "partners", len(users))
		return nil
	}
	return p.deps.Broker.SetPartners(users)
}

// users reads all partners as the broker wants them.
func (p *Partners) users(ctx context.Context) ([]spine.User, error) {
	var users []spine.User
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		users = nil
		rows, err := tx.Query(ctx, `SELECT id, hash FROM partners ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var u spine.User
			if err := rows.Scan(&u.Name, &u.Hash); err != nil {
				return err
			}
			u.Read = PartnerTopics(network.PartnerID(u.Name))
			users = append(users, u)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read partners: %w", err)
	}
	return users, nil
}

// PartnerTopics are the MQTT topic filters that a partner may subscribe to:
// its own tree and the status of the feed.
func PartnerTopics(id network.PartnerID) []string {
	return []string{"crinale/v1/partners/" + string(id) + "/#", "crinale/v1/status"}
}

func (p *Partners) found(r interface{ RowsAffected() (int64, error) }, doing string, id network.PartnerID) error {
	n, err := r.RowsAffected()
	if err != nil || n > 0 {
		return err
	}
	return fault.New(fault.NotFound, "%s partner %s: no partner of that name has access; list them to see who has", doing, id)
}

// known says what the network files have about a partner.
func (p *Partners) known(id network.PartnerID) (name string, links int, warning string) {
	if p.deps.Network != nil {
		if known, ok := p.deps.Network.Partner(id); ok {
			return known.Name, len(p.deps.Network.LinksOf(id)), ""
		}
	}
	return "", 0, fmt.Sprintf("partner %s is not in the network files, so it sees no link: add it there, or revoke it if the name is a slip", id)
}

var partnerName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func checkPartner(id network.PartnerID) error {
	if !partnerName.MatchString(string(id)) {
		return fault.New(fault.Invalid, "%q is not a name: use a-z, 0-9 and -, at most 63 of them, as in wisp-nord", string(id))
	}
	return nil
}
