package controller

import (
	"context"
	"crypto/rand"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spine"
	"github.com/crinale/crinale/internal/store"
)

//go:embed edges/*.sql
var edgeFiles embed.FS

// EdgeID is the name of an edge of a town hall: [a-z0-9-], at most 58 long.
type EdgeID string

// edgeUser is what the names of edges begin with at the broker. No partner may be
// named so.
const edgeUser = "edge-"

// User is the name of an edge at the broker.
func (id EdgeID) User() string { return edgeUser + string(id) }

// EdgesDeps is what the registry of edges needs.
type EdgesDeps struct {
	Store   *store.DB
	Audit   *audit.Log       // open before the registry
	Network *network.Network // where devices stand
	Broker  PartnerBroker    // nil: an outer broker, whose users its own keeper sets
	Log     *slog.Logger     // nil: slog.Default
}

// Edges is the registry of the edges that the controller speaks to: which device
// of the network each stands behind, the hash of its password, and what it was
// ordered to forget. Once they are admitted, each change of who is enrolled takes
// effect on the broker before the method returns.
type Edges struct {
	deps    EdgesDeps
	turn    chan struct{} // held by the one change at a time
	changed chan struct{} // size one

	admitted bool // by Admit; held with the turn

	mu  sync.Mutex
	now []EdgeNews
}

// EdgeLogin is an edge's way in, shown once: the password is kept nowhere.
type EdgeLogin struct {
	ID       EdgeID           `json:"id"`
	Device   network.DeviceID `json:"device"`
	User     string           `json:"user"`
	Password string           `json:"password"` // "" with an outer broker, whose keeper makes one
	Warning  string           `json:"warning,omitempty"`
}

// EdgeAccess is what is known of an enrolled edge.
type EdgeAccess struct {
	ID      EdgeID           `json:"id"`
	Device  network.DeviceID `json:"device"`
	Added   time.Time        `json:"added"` // UTC
	Orders  int64            `json:"orders"`
	Warning string           `json:"warning,omitempty"`
}

// NewEdges wires the registry; it touches nothing outside.
func NewEdges(deps EdgesDeps) (*Edges, error) {
	if deps.Store == nil || deps.Audit == nil || deps.Network == nil {
		return nil, fault.New(fault.Internal, "edges: store, audit log and network must be given")
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	return &Edges{deps: deps, turn: make(chan struct{}, 1), changed: make(chan struct{}, 1)}, nil
}

// Open makes the tables where they are absent and reads all edges. It comes after
// Partners.Open and before the other methods.
func (e *Edges) Open(ctx context.Context) error {
	if err := e.take(ctx); err != nil {
		return err
	}
	defer e.give()
	files, err := fs.Sub(edgeFiles, "edges")
	if err != nil {
		return err
	}
	if err := e.deps.Store.Migrate(ctx, "edges", files); err != nil {
		return err
	}
	return e.tell(ctx)
}

// Admit lets the edges in at the broker. It comes when what there is to say to them
// is published: until then the broker retains what the last run said, and an edge
// would take orders for all of them which are not.
func (e *Edges) Admit(ctx context.Context) error {
	if err := e.take(ctx); err != nil {
		return err
	}
	defer e.give()
	e.admitted = true
	return e.tell(ctx)
}

// Enrol lets an edge in, which stands behind a device of the network, and gives
// its password, 26 letters and digits. An edge that was enrolled before may have
// missed orders meanwhile: it is ordered to forget everything.
func (e *Edges) Enrol(ctx context.Context, id EdgeID, device network.DeviceID) (EdgeLogin, error) {
	if err := checkEdge(id); err != nil {
		return EdgeLogin{}, fmt.Errorf("enrol edge: %w", err)
	}
	if _, ok := e.deps.Network.Device(device); !ok {
		return EdgeLogin{}, fault.New(fault.Invalid, "enrol edge %s: device %q is not in the network files: name the device by which its town hall is reached", id, string(device))
	}
	out := EdgeLogin{ID: id, Device: device, User: id.User()}
	hash := ""
	if e.deps.Broker != nil {
		out.Password = rand.Text()
		made, err := bcrypt.GenerateFromPassword([]byte(out.Password), hashCost)
		if err != nil {
			return EdgeLogin{}, fmt.Errorf("hash the password of edge %s: %w", id, err)
		}
		hash = string(made)
	} else {
		out.Warning = fmt.Sprintf("the message broker is an outer one: its keeper must make the user %s, who may read %s and %s and publish nothing", id.User(), EdgeTopics(id)[0], EdgeTopics(id)[1])
	}
	err := e.change(ctx, audit.Entry{Action: "edge.enrol", Object: string(id), Detail: map[string]string{"device": string(device)}}, func(tx *store.Tx) error {
		var taken int64
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM partners WHERE id = $1`, id.User()).Scan(&taken); err != nil {
			return fmt.Errorf("enrol edge %s: %w", id, err)
		}
		if taken > 0 {
			return fault.New(fault.Conflict, "enrol edge %s: a partner is named %s: choose another name for the edge", id, id.User())
		}
		r, err := tx.Exec(ctx, `INSERT INTO edges (id, device, hash, added_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`,
			string(id), string(device), hash, store.Millis(tx.Now))
		if err != nil {
			return fmt.Errorf("enrol edge %s: %w", id, err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = fault.New(fault.Conflict, "enrol edge %s: it is enrolled already; for a new password or another device, remove it first", id)
			}
			return err
		}
		head, err := headOf(ctx, tx, id)
		if err != nil || head == 0 {
			return err
		}
		return addOrder(ctx, tx, id, head+1, EdgeOrder{Kind: PurgeAll})
	})
	if err != nil {
		return EdgeLogin{}, err
	}
	return out, nil
}

// Remove takes an edge's access away: its connections are closed, and what is
// retained for it goes.
func (e *Edges) Remove(ctx context.Context, id EdgeID) error {
	if err := checkEdge(id); err != nil {
		return fmt.Errorf("remove edge: %w", err)
	}
	return e.change(ctx, audit.Entry{Action: "edge.remove", Object: string(id)}, func(tx *store.Tx) error {
		r, err := tx.Exec(ctx, `DELETE FROM edges WHERE id = $1`, string(id))
		if err != nil {
			return fmt.Errorf("remove edge %s: %w", id, err)
		}
		n, err := r.RowsAffected()
		if err != nil || n > 0 {
			return err
		}
		return notEnrolled("remove", id)
	})
}

func notEnrolled(doing string, id EdgeID) error {
	return fault.New(fault.NotFound, "%s edge %s: no edge of that name is enrolled; list them to see which are", doing, id)
}

// List gives all enrolled edges by name, without anything secret.
func (e *Edges) List(context.Context) ([]EdgeAccess, error) {
	list := []EdgeAccess{}
	for _, n := range e.Now() {
		a := EdgeAccess{ID: n.ID, Device: n.Device, Added: n.added, Orders: n.Head}
		if _, ok := e.deps.Network.Device(n.Device); !ok {
			a.Warning = fmt.Sprintf("device %s is no longer in the network files, so nothing is said of its way: remove the edge and enrol it again", n.Device)
		}
		list = append(list, a)
	}
	return list, nil
}

// take waits for the turn.
func (e *Edges) take(ctx context.Context) error {
	select {
	case e.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("edges: wait for a change under way: %w", context.Cause(ctx))
	}
}

func (e *Edges) give() { <-e.turn }

// change writes to the store and to the log, and then tells the broker and
// whoever publishes.
func (e *Edges) change(ctx context.Context, entry audit.Entry, write func(*store.Tx) error) error {
	if err := e.take(ctx); err != nil {
		return err
	}
	defer e.give()
	if err := e.deps.Audit.Do(ctx, entry, write); err != nil {
		return err
	}
	// What is written must be told, even when nobody waits any more.
	if err := e.tell(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("%s %s: written, but the broker does not know yet; restart crinale: %w", entry.Action, entry.Object, err)
	}
	return nil
}

// tell reads everything anew and gives it to the broker and to whoever
// publishes. The turn is held.
func (e *Edges) tell(ctx context.Context) error {
	now, hashes, err := e.read(ctx)
	if err != nil {
		return err
	}
	if e.deps.Broker != nil {
		var users []spine.User
		for i, n := range now {
			if e.admitted && hashes[i] != "" { // without a hash: enrolled while the broker was an outer one
				users = append(users, spine.User{Name: n.ID.User(), Hash: hashes[i], Read: EdgeTopics(n.ID)})
			}
		}
		err = e.deps.Broker.SetPartners(users)
	}
	e.mu.Lock()
	e.now = now
	e.mu.Unlock()
	select {
	case e.changed <- struct{}{}:
	default:
	}
	return err
}

// EdgeTopics are the MQTT topics that an edge may subscribe to: how its way is,
// and what it is to forget.
func EdgeTopics(id EdgeID) []string {
	return []string{"crinale/v1/edge/" + string(id) + "/way", "crinale/v1/edge/" + string(id) + "/orders"}
}

var edgeName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,56}[a-z0-9])?$`)

func checkEdge(id EdgeID) error {
	if !edgeName.MatchString(string(id)) {
		return fault.New(fault.Invalid, "%q is not a name: use a-z, 0-9 and -, at most 58 of them, as in bergolo", string(id))
	}
	return nil
}
