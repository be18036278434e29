package carpool_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

const (
	bergolo   = "004019"
	goodWords = "ginepro sotto la neve 7"
)

var (
	atDesk  = carpool.By{Account: "sportello", Desk: true}
	officer = carpool.By{Account: "vigile"}
	office  = carpool.By{Account: "ufficio"}
	second  = carpool.By{Account: "segretaria"}
)

// everywhere lets staff of all comuni see.
func everywhere(string) bool { return true }

// trustWorld is a portal with its accounts, and a clock that tests turn.
type trustWorld struct {
	*carpool.Portal
	t      testing.TB
	db     *store.DB
	log    *audit.Log
	people *login.People
	now    time.Time
}

func newTrustWorld(t testing.TB, db *store.DB) *trustWorld {
	t.Helper()
	w := &trustWorld{t: t, db: db, now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	db.SetClock(func() time.Time { return w.now })
	log, err := audit.New(audit.Config{}, audit.Deps{Store: db})
	must(t, err)
	must(t, log.Open(t.Context()))
	box, err := outbox.New(outbox.Default(), outbox.Deps{Store: db})
	must(t, err)
	must(t, box.Open(t.Context()))
	cfg := login.Default()
	cfg.Key = []byte("a key of exactly thirty-two byte")
	cfg.Hash = login.HashCost{Passes: 1, MemoryKiB: 8}
	cfg.Limits.Join = login.Rate{Burst: 1000, Every: time.Second}
	people, err := login.New(cfg, login.Deps{Store: db, Audit: log, Now: func() time.Time { return w.now }})
	must(t, err)
	must(t, people.Open(t.Context()))
	p, err := carpool.New(carpool.Default(), carpool.Deps{Store: db, Audit: log, Outbox: box, Roads: newStraight(), Accounts: people})
	must(t, err)
	must(t, p.Open(t.Context()))
	w.Portal, w.log, w.people = p, log, people
	return w
}

func eachTrust(t *testing.T, test func(t *testing.T, w *trustWorld)) {
	storetest.Story(t, func(t *testing.T, db *store.DB) { test(t, newTrustWorld(t, db)) })
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused checks that something was refused for the right kind of reason.
func refused(t testing.TB, what string, err error, want fault.Kind) {
	t.Helper()
	if err == nil || fault.Of(err) != want {
		t.Errorf("%s: %v (%s); want %s", what, err, fault.Of(err), want)
	}
}

// resident joins by an account of their own.
func (w *trustWorld) resident(n int, more ...carpool.ConsentTo) (carpool.Member, carpool.By) {
	w.t.Helper()
	acc, err := w.people.Register(w.t.Context(), login.Registration{Alias: fmt.Sprintf("residente.%d@example.it", n), Password: goodWords, Role: login.Resident})
	must(w.t, err)
	must(w.t, w.db.Do(w.t.Context(), func(tx *store.Tx) error {
		return w.people.SetAlias(w.t.Context(), tx, acc.Name, fmt.Sprintf("residente.%d@example.it", n))
	}))
	m, err := w.Members.Register(w.t.Context(), carpool.By{Account: acc.Name}, carpool.Registration{
		Member:   carpool.Member{First: "Residente", Last: fmt.Sprintf("Numero %d", n), Phone: fmt.Sprintf("333 12%05d", n), Email: fmt.Sprintf("residente.%d@example.it", n), Comune: bergolo},
		Consents: append([]carpool.ConsentTo{carpool.ConsentTerms}, more...), How: "page"})
	must(w.t, err)
	return m, carpool.By{Account: acc.Name, Member: m.ID}
}

// caller joins at the desk, by voice, with a number at home alone.
func (w *trustWorld) caller(n int) carpool.Member {
	w.t.Helper()
	m, err := w.Members.Register(w.t.Context(), atDesk, carpool.Registration{
		Member:   carpool.Member{First: "Anziana", Last: fmt.Sprintf("Senza Rete %d", n), Phone: fmt.Sprintf("0173 %06d", n), Comune: bergolo},
		Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentDesk}, How: "voice"})
	must(w.t, err)
	return m
}

func (w *trustWorld) car(by carpool.By) carpool.Vehicle {
	w.t.Helper()
	v, err := w.Members.PutVehicle(w.t.Context(), by, carpool.Vehicle{Driver: by.Member, Plate: "ab 123-cd", Label: "Panda rossa", Class: "car", Seats: 4})
	must(w.t, err)
	return v
}

var papersUntil = carpool.Check{Licence: "2030-01-31", Insurance: "2027-01-31", Roadworthy: "2028-01-31"}

// checked is a car whose papers have passed.
func (w *trustWorld) checked(by carpool.By) carpool.Vehicle {
	w.t.Helper()
	v := w.car(by)
	c, err := w.Trust.Ask(w.t.Context(), by, v.ID, papersUntil, nil)
	must(w.t, err)
	_, err = w.Trust.Decide(w.t.Context(), officer, c.ID, carpool.Decision{Pass: true})
	must(w.t, err)
	return v
}

type column struct{ name, kind string }

// columns of a table as the database has them.
func (w *trustWorld) columns(table string) []column {
	w.t.Helper()
	query := `SELECT name, type FROM pragma_table_info($1)`
	if w.db.Kind() == store.Postgres {
		query = `SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position`
	}
	var out []column
	w.view(query, []any{table}, func(scan func(...any) error) error {
		var c column
		if err := scan(&c.name, &c.kind); err != nil {
			return err
		}
		c.kind = strings.ToLower(c.kind)
		out = append(out, c)
		return nil
	})
	return out
}

// tables of the database, without the databases' own.
func (w *trustWorld) tables() []string {
	w.t.Helper()
	query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
	if w.db.Kind() == store.Postgres {
		query = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name`
	}
	return w.texts(query)
}

// texts of a query of one column.
func (w *trustWorld) texts(query string, args ...any) []string {
	w.t.Helper()
	var out []string
	w.view(query, args, func(scan func(...any) error) error {
		var s string
		err := scan(&s)
		out = append(out, s)
		return err
	})
	return out
}

func (w *trustWorld) number(query string, args ...any) int {
	w.t.Helper()
	n := 0
	w.view(query, args, func(scan func(...any) error) error { return scan(&n) })
	return n
}

func (w *trustWorld) view(query string, args []any, each func(scan func(...any) error) error) {
	w.t.Helper()
	must(w.t, w.db.View(context.Background(), func(tx *store.Tx) error {
		rows, err := tx.Query(context.Background(), query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := each(rows.Scan); err != nil {
				return err
			}
		}
		return rows.Err()
	}))
}

func (w *trustWorld) exec(query string, args ...any) {
	w.t.Helper()
	must(w.t, w.db.Do(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(context.Background(), query, args...)
		return err
	}))
}

// plant inserts a row with the values given and nothing in the other columns.
func (w *trustWorld) plant(table string, values map[string]any) {
	w.t.Helper()
	var names, marks []string
	var args []any
	for _, c := range w.columns(table) {
		v, ok := values[c.name]
		if !ok {
			switch {
			case strings.Contains(c.kind, "text"):
				v = ""
			case strings.Contains(c.kind, "bytea"), strings.Contains(c.kind, "blob"):
				v = []byte{}
			default:
				v = 0
			}
		}
		args = append(args, v)
		names, marks = append(names, c.name), append(marks, fmt.Sprintf("$%d", len(args)))
	}
	for name := range values {
		if !slices.Contains(names, name) {
			w.t.Fatalf("%s has no column %s", table, name)
		}
	}
	w.exec(`INSERT INTO `+table+` (`+strings.Join(names, ", ")+`) VALUES (`+strings.Join(marks, ", ")+`)`, args...)
}

// lift plants a booking of a rider with a driver that begins in a while.
func (w *trustWorld) lift(id string, rider, driver carpool.MemberID, vehicle carpool.VehicleID, state carpool.BookingState, in time.Duration) carpool.BookingID {
	w.t.Helper()
	at := store.Millis(w.now.Add(in))
	for _, s := range []carpool.Spot{spotA, spotB} {
		if w.number(`SELECT count(*) FROM carpool_places WHERE id = $1`, string(s.Place)) == 0 {
			_, err := w.Places.Put(w.t.Context(), office, carpool.Place{ID: s.Place, Comune: bergolo, Name: "Punto " + string(s.Place), Kind: carpool.Square, At: s.At})
			must(w.t, err)
		}
	}
	w.plant("carpool_offers", map[string]any{"id": "o-" + id, "driver": string(driver), "vehicle": string(vehicle), "from_place": "bergolo-piazza", "to_place": "alba-ospedale", "schedule": `{"time":"08:00","date":"2026-12-01"}`, "state": "open", "seats": 3})
	w.plant("carpool_rides", map[string]any{"id": "r-" + id, "offer": "o-" + id, "slot": "2026-12-01", "driver": string(driver), "vehicle": string(vehicle), "depart_ms": at, "leave_ms": at, "arrive_ms": at + 1800_000, "seats": 3, "state": "open"})
	w.plant("carpool_stops", map[string]any{"ride": "r-" + id, "position": 0, "kind": "start", "place": "bergolo-piazza", "at_ms": at})
	w.plant("carpool_stops", map[string]any{"ride": "r-" + id, "position": 1, "kind": "pickup", "booking": "b-" + id, "place": "bergolo-piazza", "at_ms": at, "seats": 1})
	w.plant("carpool_stops", map[string]any{"ride": "r-" + id, "position": 2, "kind": "drop", "booking": "b-" + id, "place": "alba-ospedale", "at_ms": at + 1800_000, "seats": 1})
	w.plant("carpool_stops", map[string]any{"ride": "r-" + id, "position": 3, "kind": "end", "place": "alba-ospedale", "at_ms": at + 1800_000})
	w.plant("carpool_requests", map[string]any{"id": "q-" + id, "rider": string(rider), "from_place": "bergolo-piazza", "to_place": "alba-ospedale", "from_ms": at, "to_ms": at + 3600_000, "state": "booked", "way": "ride", "way_booking": "b-" + id, "way_until_ms": at, "max_walk_ms": 900_000, "created_ms": at})
	w.plant("carpool_bookings", map[string]any{"id": "b-" + id, "request": "q-" + id, "ride": "r-" + id, "rider": string(rider), "driver": string(driver), "seats": 1, "pickup_place": "bergolo-piazza", "drop_place": "alba-ospedale",
		"pickup_ms": at, "drop_ms": at + 1800_000, "state": string(state), "deadline_ms": at, "created_ms": store.Millis(w.now), "changed_ms": store.Millis(w.now)})
	return carpool.BookingID("b-" + id)
}

// told are the kinds of notices that a member has got, in order.
func (w *trustWorld) told(m carpool.MemberID) string {
	w.t.Helper()
	return strings.Join(w.texts(`SELECT kind FROM carpool_notices WHERE member = $1 ORDER BY at_ms, kind`, string(m)), " ")
}

// inFile says whether the bytes of the SQLite file or its log hold a text.
func (w *trustWorld) inFile(text string) bool {
	w.t.Helper()
	for _, f := range []string{w.db.Name(), w.db.Name() + "-wal"} {
		b, err := os.ReadFile(f)
		if err != nil && !os.IsNotExist(err) {
			w.t.Fatal(err)
		}
		if strings.Contains(string(b), text) {
			return true
		}
	}
	return false
}
