// Package carpool is the union's portal of shared lifts: who drives where, who
// needs to go where, which lift fits whom and why, what each booking is, who
// may drive, and how everyone gets home.
//
// It decides and keeps; it does not draw pages (carpool/page), send messages
// (carpool/notify) or measure roads (carpool/roads). What it decides is a pure
// function of values: a match, a booking's next state, a cap on the
// contribution, a cell that hides where somebody lives. What it keeps is in
// the store, each change with its line in the audit log and its notices to
// people in the same transaction.
//
// Portal is all of it wired together; cmd/crinale makes it.
package carpool

import (
	"context"
	"embed"
	"log/slog"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/zone"
)

//go:embed migrations
var migrations embed.FS

// Owner of the tables; their names begin with it.
const Owner = "carpool"

// Config of the portal. Default gives what the documents describe.
type Config struct {
	Location *time.Location // of timetables and weekdays; nil: Europe/Rome

	Ahead       time.Duration // how far ahead the rides of a recurring offer are laid out
	Answer      time.Duration // how long a driver may take to answer; less when the ride is near
	AddressKept time.Duration // a private address after the last ride it served
	RidesKept   time.Duration // a ride with names after its end; then only counts
	AtRisk      time.Duration // before a document runs out, rides after that date are at risk
	AskDrivers  time.Duration // before an unmatched request, drivers who know the road are asked
	LastCall    time.Duration // before an unmatched request or way home goes to the desk

	MaxWalk   time.Duration // to or from a meeting point, when the rider says nothing
	MaxDetour time.Duration // of a driver, when the driver says nothing
	Caps      Caps          // what a rider may be asked to share
	School    School        // days without school
	Limits    Limits
}

// Limits keep the portal a neighbours' service.
type Limits struct {
	OffersADay   int // rides that one driver may offer on one day
	BookingsADay int // of one rider on one day; with those that were withdrawn, twice as many requests
	AsksADay     int // drivers whom one rider asks within 24 hours, whatever became of it
	Companions   int // beside the rider
	Seats        int // of one vehicle, for passengers
	Note         int // characters of a free text
}

// Appeal is the characters of what a suspended member answers.
func (l Limits) Appeal() int { return 2 * l.Note }

// Default is the configuration that the documents describe.
func Default() Config {
	return Config{
		Ahead: 28 * 24 * time.Hour, Answer: 12 * time.Hour,
		AddressKept: 24 * time.Hour, RidesKept: 90 * 24 * time.Hour,
		AtRisk: 14 * 24 * time.Hour, AskDrivers: 24 * time.Hour, LastCall: 12 * time.Hour,
		MaxWalk: 15 * time.Minute, MaxDetour: 15 * time.Minute,
		Caps:   DefaultCaps(),
		Limits: Limits{OffersADay: 4, BookingsADay: 6, AsksADay: 15, Companions: 3, Seats: 8, Note: 300},
	}
}

// Deps are what the portal works with.
type Deps struct {
	Store  *store.DB
	Audit  *audit.Log
	Outbox *outbox.Box
	Roads  Roads // distances; never nil
	Buses  Buses // timetable; nil: none is known
	Log    *slog.Logger

	Accounts Accounts // of those who sign in; nil: none
	Keepers  []Keeper // tables about members that other parts of the program keep
}

// Accounts is what the portal asks of the accounts of its members.
type Accounts interface {
	// Held is all that is kept about an account, for its owner.
	Held(ctx context.Context, account string) (map[string]any, error)
	// Remove takes away the account of a member who has left.
	Remove(ctx context.Context, account string) error
	// RevokeSessions signs a member out everywhere.
	RevokeSessions(ctx context.Context, account string) error
	// SetAlias makes an address or a number sign in to an account, in the
	// caller's transaction; Conflict where it does to another.
	SetAlias(ctx context.Context, tx *store.Tx, account, alias string) error
	// DropAlias ends it; NotFound where it did not sign in.
	DropAlias(ctx context.Context, account, alias string) error
	// Mark is by what an address or a number is known, and Marks are those of
	// what signs in to an account: names that only the holder of the key can make.
	Mark(alias string) string
	Marks(ctx context.Context, tx *store.Tx, account string) ([]string, error)
}

// base is what the parts of the portal share.
type base struct {
	cfg    Config
	deps   Deps
	board  *board
	points *placeList
	doors  *refusals
}

// Portal is the carpooling of one union, by what its parts are about.
type Portal struct {
	base
	Members  *Members  // people, their cars, consents, what they are told
	Places   *Places   // meeting points, and the list of who to call
	Offers   *Offers   // lifts on offer and the rides they lay out
	Bookings *Bookings // searches, requests, bookings, the way home
	Trust    *Trust    // papers, suspensions
	Desk     *Desk     // acting for a resident, the call list, the daily sheet
	Talk     *Talk     // messages of a booking, reports
	Privacy  *Privacy  // export, deletion, retention
}

// The parts share the base. Each has its methods in files of its own.
type (
	Members  struct{ base }
	Places   struct{ base }
	Offers   struct{ base }
	Bookings struct{ base }
	Trust    struct{ base }
	Desk     struct{ base }
	Talk     struct{ base }
	Privacy  struct{ base }
)

// By is who acts: a member for themselves, or the desk for a member who agreed
// to it.
type By struct {
	Account string   // who signed in
	Member  MemberID // for whom
	Desk    bool     // Account is of the desk; the member's consent is looked up
}

// New checks and wires; it touches nothing.
func New(cfg Config, deps Deps) (*Portal, error) {
	if deps.Store == nil || deps.Audit == nil || deps.Outbox == nil || deps.Roads == nil {
		return nil, fault.New(fault.Internal, "carpool: store, audit log, outbox and roads must be given")
	}
	if cfg.Location == nil {
		cfg.Location = zone.Rome()
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	if err := cfg.Caps.Check(); err != nil {
		return nil, err
	}
	b := base{cfg, deps, &board{held: map[RideID]int64{}}, &placeList{}, &refusals{}}
	return &Portal{base: b,
		Members: &Members{b}, Places: &Places{b}, Offers: &Offers{b}, Bookings: &Bookings{b},
		Trust: &Trust{b}, Desk: &Desk{b}, Talk: &Talk{b}, Privacy: &Privacy{b}}, nil
}

// Open brings the tables up to date and fills the index of the roads. Store,
// audit log and outbox must be open.
func (p *Portal) Open(ctx context.Context) error {
	if err := p.deps.Store.Migrate(ctx, Owner, migrations); err != nil {
		return err
	}
	return p.Bookings.reindex(ctx)
}
