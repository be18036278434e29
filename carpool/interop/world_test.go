package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
)

const (
	ours    = "passaggi.unione.example"
	friends = "covoit.valle.example"
	others  = "altri.pianura.example"
)

// village is a small portal in memory: one lift from A to B, a driver who
// answers when the test says so.
type village struct {
	mu        sync.Mutex
	journeys  []DriverJourney
	needs     []PassengerJourney
	trips     []DriverTrip
	bookings  map[string]Status
	asked     int // calls of Book
	refuse    error
	messages  []Message
	abandoned []string
}

var _ Portal = (*village)(nil)

func (v *village) Drivers(context.Context, Search) ([]DriverJourney, error) { return v.journeys, nil }
func (v *village) Passengers(context.Context, Search) ([]PassengerJourney, error) {
	return v.needs, nil
}
func (v *village) DriverTrips(context.Context, Search) ([]DriverTrip, error) { return v.trips, nil }
func (v *village) PassengerTrips(context.Context, Search) ([]PassengerTrip, error) {
	return nil, nil
}

func (v *village) Book(_ context.Context, _ string, b Booking) (string, Booking, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	if v.refuse != nil {
		return "", b, v.refuse
	}
	ref := "b-" + b.ID
	if _, there := v.bookings[ref]; !there {
		v.bookings[ref] = Waiting
	}
	b.Driver.Alias = "Autista"
	return ref, b, nil
}

func (v *village) Status(_ context.Context, ref string) (Status, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	st, ok := v.bookings[ref]
	if !ok {
		return "", fault.New(fault.NotFound, "no booking %s", ref)
	}
	return st, nil
}

func (v *village) Move(_ context.Context, _, ref string, to Status, _ string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.bookings[ref] == to {
		return fault.New(fault.Conflict, "it is so already")
	}
	v.bookings[ref] = to
	return nil
}

func (v *village) Abandon(_ context.Context, _ string, b Booking) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.abandoned = append(v.abandoned, b.ID)
	return nil
}

func (v *village) Forget(context.Context) error { return nil }

func (v *village) Message(_ context.Context, _, ref string, m Message) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if m.To.ID != "autista" {
		return missingUser
	}
	v.messages = append(v.messages, m)
	return nil
}

func (v *village) set(ref string, st Status) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.bookings[ref] = st
}

// monday morning of the lift, and its ends.
var monday = time.Date(2026, 11, 23, 6, 10, 0, 0, time.UTC)

const aLat, aLng, bLat, bLng = 44.58, 8.19, 44.70, 8.03

func newVillage() *village {
	seats := 2
	trip := Trip{Operator: ours, PickupLat: aLat, PickupLng: aLng, DropLat: bLat, DropLng: bLng, Duration: 2400, WebURL: "https://passaggi.unione.example/passaggi"}
	driver := User{ID: "autista", Operator: ours, Alias: "Autista"}
	return &village{bookings: map[string]Status{},
		journeys: []DriverJourney{{Trip: trip, JourneySchedule: JourneySchedule{ID: "j-1", PickupDate: Unix(monday.Unix()), Type: "PLANNED"}, Driver: driver, Seats: &seats, Price: &Price{Type: "FREE"}}},
		needs: []PassengerJourney{{Trip: trip, JourneySchedule: JourneySchedule{ID: "p-1", PickupDate: Unix(monday.Unix()), Type: "PLANNED"}, DriverDate: Unix(monday.Unix()),
			Passenger: User{ID: "residente", Operator: ours, Alias: "Residente"}}},
		trips: []DriverTrip{{Trip: trip, Driver: driver, Schedules: []Schedule{{Day: "MON", Time: "07:10:00", Journeys: []JourneySchedule{{ID: "j-1", PickupDate: Unix(monday.Unix()), Type: "PLANNED"}}}}}},
	}
}

// world is a server with its registry, and the time as tests set it.
type world struct {
	*Server
	t   testing.TB
	db  *store.DB
	log *audit.Log
	box *outbox.Box
	now time.Time
	key map[string]string
}

func newWorld(t testing.TB, db *store.DB, portal Portal, change func(*Config)) *world {
	t.Helper()
	w := &world{t: t, db: db, now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), key: map[string]string{}}
	cfg := Default()
	cfg.Operator, cfg.Web = ours, "https://"+ours+"/passaggi"
	cfg.Minute, cfg.Bookings, cfg.Messages = 100_000, 100_000, 100_000
	if change != nil {
		change(&cfg)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	var err error
	ok := func(e error) {
		t.Helper()
		if e != nil {
			t.Fatal(e)
		}
	}
	w.log, err = audit.New(audit.Config{}, audit.Deps{Store: db})
	ok(err)
	ok(w.log.Open(t.Context()))
	w.box, err = outbox.New(outbox.Default(), outbox.Deps{Store: db, Log: quiet})
	ok(err)
	ok(w.box.Open(t.Context()))
	w.Server, err = New(cfg, Deps{Store: db, Audit: w.log, Outbox: w.box, Portal: portal, Now: func() time.Time { return w.now }, Log: quiet})
	ok(err)
	ok(w.Open(t.Context()))
	for _, op := range []string{friends, others} {
		k, err := w.Operators.Add(t.Context(), Operator{ID: op, Name: op, Scopes: []Scope{ScopeSearch, ScopeBook, ScopeMessage, ScopeEvent}})
		ok(err)
		w.key[op] = k.Key
	}
	return w
}

// reply is an answer as tests look at it.
type reply struct {
	status int
	header http.Header
	body   string
}

// ask as an operator; body nil for none, a string as it is, else as JSON.
func (w *world) ask(op, method, path string, body any) reply {
	w.t.Helper()
	var b []byte
	switch v := body.(type) {
	case nil:
	case string:
		b = []byte(v)
	default:
		var err error
		if b, err = json.Marshal(v); err != nil {
			w.t.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, "http://127.0.0.1"+Prefix+path, bytes.NewReader(b))
	if k, ok := w.key[op]; ok {
		r.Header.Set("X-API-Key", k)
	} else if op != "" {
		r.Header.Set("X-API-Key", op)
	}
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, r)
	return reply{rec.Code, rec.Header(), rec.Body.String()}
}

func (r reply) want(t testing.TB, status int, body string) {
	t.Helper()
	if r.status != status || body != "" && !bytes.Contains([]byte(r.body), []byte(body)) {
		t.Errorf("got %d %s, want %d %s", r.status, r.body, status, body)
	}
}

// posted is a booking that an operator may post.
func posted(n int) Booking {
	return Booking{ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), Driver: User{ID: "autista", Operator: ours, Alias: "A"},
		Passenger:  User{ID: fmt.Sprintf("ospite-%d", n), Operator: friends, Alias: "Ospite"},
		PickupDate: Unix(monday.Unix()), PickupLat: aLat, PickupLng: aLng, DropLat: bLat, DropLng: bLng, Status: Waiting, DriverJourney: "j-1", Price: Price{Type: "FREE"}}
}

// lines of the audit log about an action.
func (w *world) lines(action string) int {
	w.t.Helper()
	all, err := w.log.List(w.t.Context(), audit.Query{Limit: 500})
	if err != nil {
		w.t.Fatal(err)
	}
	n := 0
	for _, l := range all {
		if l.Action == action {
			n++
		}
	}
	return n
}
