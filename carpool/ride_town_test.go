package carpool_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
)

// town is a portal over a plain with four meeting points in a row, 8 km from
// one to the next but the last, and a clock that the test turns.
type town struct {
	*carpool.Portal
	t     testing.TB
	db    *store.DB
	roads *straight
	audit *audit.Log
	box   *outbox.Box
	cfg   carpool.Config

	mu  sync.Mutex
	now time.Time
	n   int
}

// monday is when each story begins.
var monday = time.Date(2026, 11, 23, 8, 0, 0, 0, rome).UTC()

func (w *town) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *town) at(t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = t
}

func (w *town) later(d time.Duration) { w.at(w.clock().Add(d)) }

func newTown(t testing.TB, db *store.DB, change ...func(*carpool.Config, *carpool.Deps)) *town {
	t.Helper()
	w := &town{t: t, db: db, roads: newStraight(), now: monday}
	db.SetClock(w.clock)
	var err error
	if w.audit, err = audit.New(audit.Config{}, audit.Deps{Store: db}); err != nil {
		t.Fatal(err)
	}
	if w.box, err = outbox.New(outbox.Default(), outbox.Deps{Store: db}); err != nil {
		t.Fatal(err)
	}
	w.cfg = carpool.Default()
	w.start(change...)
	for i, p := range []struct {
		id  carpool.PlaceID
		lon float64
	}{{"bergolo", 8.0}, {"niella", 8.1}, {"bossolasco", 8.2}, {"alba", 8.5}} {
		_, err := w.Places.Put(t.Context(), carpool.By{Account: "office"}, carpool.Place{ID: p.id, Comune: fmt.Sprintf("00400%d", i), Name: "Piazza " + string(p.id),
			At: geo.LonLat{Lon: p.lon, Lat: 44.55}, Kind: carpool.Square, Lit: true, StepFree: true})
		if err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// start makes the portal anew over the same store, as after a kill.
func (w *town) start(change ...func(*carpool.Config, *carpool.Deps)) {
	w.t.Helper()
	w.roads = newStraight()
	deps := carpool.Deps{Store: w.db, Audit: w.audit, Outbox: w.box, Roads: w.roads, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, c := range change {
		c(&w.cfg, &deps)
	}
	var err error
	if w.Portal, err = carpool.New(w.cfg, deps); err != nil {
		w.t.Fatal(err)
	}
	for _, open := range []func(context.Context) error{w.audit.Open, w.box.Open, w.Open} {
		if err := open(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// resident joins by an account of their own.
func (w *town) resident(change ...func(*carpool.Member)) carpool.By {
	w.t.Helper()
	w.n++
	m := carpool.Member{First: fmt.Sprintf("Residente%d", w.n), Last: "Cognome", Phone: fmt.Sprintf("+39333%07d", w.n), Comune: "004000"}
	for _, c := range change {
		c(&m)
	}
	account := fmt.Sprintf("r-%d", w.n)
	got, err := w.Members.Register(w.t.Context(), carpool.By{Account: account}, carpool.Registration{Member: m, Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentCheck}, How: "page"})
	if err != nil {
		w.t.Fatal(err)
	}
	return carpool.By{Account: account, Member: got.ID}
}

// driver joins with a car whose papers hold until a day.
func (w *town) driver(until carpool.Date, change ...func(*carpool.Member)) (carpool.By, carpool.VehicleID) {
	w.t.Helper()
	by := w.resident(change...)
	v, err := w.Members.PutVehicle(w.t.Context(), by, carpool.Vehicle{Driver: by.Member, Plate: fmt.Sprintf("AB%03dCD", w.n), Label: "Panda rossa", Class: "car", Seats: 4, Carries: carpool.Needs{WalkingFrame: true}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.exec(`INSERT INTO carpool_checks (id, driver, vehicle, state, licence, insurance, roadworthy, reason, officer, asked_ms, decided_ms)
		VALUES ($1, $2, $3, 'passed', $4, $4, $4, '', 'p-1', 1, 1)`, "c-"+string(v.ID), string(by.Member), string(v.ID), string(until))
	return by, v.ID
}

func (w *town) exec(query string, args ...any) {
	w.t.Helper()
	err := w.db.Do(w.t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(w.t.Context(), query, args...); return err })
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) count(query string, args ...any) (n int) {
	w.t.Helper()
	err := w.db.View(w.t.Context(), func(tx *store.Tx) error { return tx.QueryRow(w.t.Context(), query, args...).Scan(&n) })
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// told is how often a member was told one kind of thing.
func (w *town) told(m carpool.MemberID, kind carpool.NoticeKind) int {
	w.t.Helper()
	return w.count(`SELECT count(*) FROM carpool_notices WHERE member = $1 AND kind = $2`, string(m), string(kind))
}

// once is an offer from bergolo to alba on one day.
func once(v carpool.VehicleID, day carpool.Date, at carpool.Clock) carpool.Offer {
	return carpool.Offer{Vehicle: v, From: carpool.Spot{Place: "bergolo"}, To: carpool.Spot{Place: "alba"}, When: carpool.Schedule{Time: at, Date: day}, Seats: 3, MilliEURKm: 50}
}

func (w *town) offer(by carpool.By, o carpool.Offer) (carpool.Offer, carpool.Ride) {
	w.t.Helper()
	o, err := w.Offers.Add(w.t.Context(), by, o, "")
	if err != nil {
		w.t.Fatal(err)
	}
	rides, err := w.Offers.Rides(w.t.Context(), by.Member, w.clock(), w.clock().AddDate(1, 0, 0))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range rides {
		if r.Offer == o.ID {
			return o, r
		}
	}
	return o, carpool.Ride{}
}

// local is a moment by the clocks of the town.
func local(day carpool.Date, at carpool.Clock) time.Time {
	t, err := at.On(day, rome)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// need is a request from niella to alba.
func need(day carpool.Date, from, to carpool.Clock) carpool.Request {
	return carpool.Request{From: carpool.Spot{Place: "niella"}, To: carpool.Spot{Place: "alba"}, When: carpool.Window{From: local(day, from), To: local(day, to)}}
}

func (w *town) request(by carpool.By, r carpool.Request, back *carpool.Window) carpool.Request {
	w.t.Helper()
	r, err := w.Bookings.Request(w.t.Context(), by, r, back, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *town) matches(r carpool.Request) []carpool.Match {
	w.t.Helper()
	a, err := w.Bookings.Search(w.t.Context(), carpool.Ask{For: r.Rider, From: r.From, To: r.To, When: r.When, Seats: r.Seats(), Needs: r.Needs, MaxWalk: r.MaxWalk, DoorToDoor: r.DoorToDoor})
	if err != nil {
		w.t.Fatal(err)
	}
	return a.Matches
}

// book asks the driver of the best match.
func (w *town) book(by carpool.By, r carpool.Request) carpool.Booking {
	w.t.Helper()
	m := w.matches(r)
	if len(m) == 0 {
		w.t.Fatal("no match")
	}
	bk, err := w.Bookings.Book(w.t.Context(), by, r.ID, m[0], "")
	if err != nil {
		w.t.Fatal(err)
	}
	return bk
}

func (w *town) round() {
	w.t.Helper()
	if err := w.Bookings.Round(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	left, err := w.Bookings.LeftBehind(w.t.Context())
	if err != nil || len(left) > 0 {
		w.t.Fatalf("left behind after a round: %v, %v", left, err)
	}
}

func (w *town) requestOf(by carpool.By, id carpool.RequestID) carpool.Request {
	w.t.Helper()
	r, err := w.Bookings.RequestOf(w.t.Context(), by, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// back is the way back of a request.
func (w *town) back(by carpool.By, id carpool.RequestID) carpool.Request {
	w.t.Helper()
	list, err := w.Bookings.Requests(w.t.Context(), by.Member)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range list {
		if r.Outward == id {
			return r
		}
	}
	w.t.Fatal("no way back")
	return carpool.Request{}
}

func (w *town) refused(err error, kind fault.Kind, doing string) {
	w.t.Helper()
	if err == nil || fault.Of(err) != kind {
		w.t.Errorf("%s: got %v (%v), want %v", doing, err, fault.Of(err), kind)
	}
}
