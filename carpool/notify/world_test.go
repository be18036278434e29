package notify

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
)

// longest is how long anything that must happen may take, on the slowest
// machine and under the race detector. It costs nothing where it happens.
const longest = 2 * time.Minute

// world is a notifier over a real store, audit log and outbox, with a portal
// that says what the test wants.
type world struct {
	t     *testing.T
	db    *store.DB
	log   *audit.Log
	box   *outbox.Box
	n     *Notifier
	sms   *gateway
	mail  *recorder
	io    *recorder
	desk  *deskList
	views *views
	folk  *folk
	said  *said

	brought int // messages
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, sms: &gateway{}, mail: &recorder{}, io: &recorder{}, desk: &deskList{}, views: &views{of: map[string]carpool.NoticeView{}},
		folk: &folk{of: map[carpool.MemberID]carpool.Member{}}, said: &said{}}
	var err error
	if w.log, err = audit.New(audit.Config{}, audit.Deps{Store: db}); err != nil {
		t.Fatal(err)
	}
	cfg := outbox.Default()
	cfg.First, cfg.Longest = time.Millisecond, 5*time.Millisecond
	if w.box, err = outbox.New(cfg, outbox.Deps{Store: db, Log: quiet}); err != nil {
		t.Fatal(err)
	}
	sms, err := BySMS(SMSConfig{Daily: 100}, db, w.sms)
	if err != nil {
		t.Fatal(err)
	}
	c := testConfig()
	w.n, err = New(c, Deps{Store: db, Audit: w.log, Outbox: w.box, Notices: w.views, Desk: w.desk, People: w.folk, Answers: w.said, Log: quiet,
		Channels: map[carpool.Channel]Channel{carpool.ByMail: w.mail, carpool.ByIO: w.io, carpool.BySMS: sms}})
	if err != nil {
		t.Fatal(err)
	}
	for _, open := range []func(context.Context) error{w.log.Open, w.box.Open, w.n.Open} {
		if err := open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

var quiet = slog.New(slog.DiscardHandler)

func testConfig() Config {
	c := Default()
	c.Base, c.DeskPhone, c.Office = "https://servizi.unione.example", "0173 123456", "Unione Montana, servizio Passaggi"
	c.Heard = true
	return c
}

// tell puts a notice into the outbox, as the portal does.
func (w *world) tell(v carpool.NoticeView) {
	w.t.Helper()
	w.views.put(v)
	err := w.db.Do(w.t.Context(), func(tx *store.Tx) error {
		return w.box.Add(w.t.Context(), tx, outbox.Message{Queue: carpool.Queue, Key: v.Notice.ID, Body: []byte("{}")})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

// settle delivers until nothing that is due is left.
func (w *world) settle() {
	w.t.Helper()
	for range 6 { // the route, three channels, the voice, a short answer
		if _, err := w.box.Deliver(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// in brings a short message that was never brought before.
func (w *world) in(from, text string) error {
	w.brought++
	return w.n.Inbound(w.t.Context(), fmt.Sprintf("in-%d", w.brought), from, text)
}

func (w *world) heard() Heard {
	_, h := w.n.Counts()
	return h
}

func (w *world) figures() Figures {
	w.t.Helper()
	f, err := w.n.Figures(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// person is a member with every way to be reached, in the order given.
func person(id carpool.MemberID, channels ...carpool.Channel) carpool.Member {
	return carpool.Member{ID: id, Account: "r-" + string(id), First: "Residente", Last: "Dodici", Phone: "+393331234567", Email: "residente@example.org",
		Fiscal: "AAAAAA00A00A000A", Lang: "it", Channels: channels, State: carpool.Active}
}

// accepted is a notice of an accepted booking for its rider.
func accepted(id string, m carpool.Member) carpool.NoticeView {
	leave := time.Date(2026, 11, 23, 6, 10, 0, 0, time.UTC)
	return carpool.NoticeView{To: m, Reach: m, IO: true,
		Notice: carpool.Notice{ID: id, Key: id, Member: m.ID, Kind: carpool.NoticeAccepted, At: leave.Add(-24 * time.Hour), With: map[string]string{carpool.WithBooking: "b-1"}},
		Trip: &carpool.NoticeTrip{Booking: "b-1", Other: "Autista Tre", Phone: "+393337654321", Car: "Panda rossa, AB123CD", From: "Bergolo, piazza", To: "Alba, ospedale",
			Leave: leave, Arrive: leave.Add(50 * time.Minute), Seats: 1, Cents: 240, State: carpool.Accepted}}
}

// asks is the same booking as a question to its driver.
func asks(id string, m carpool.Member, deadline time.Time) carpool.NoticeView {
	v := accepted(id, m)
	v.Notice.Kind = carpool.NoticeAsked
	v.Trip.Driver, v.Trip.Other, v.Trip.Phone, v.Trip.Car, v.Trip.State, v.Trip.Deadline = true, "Residente", "", "", carpool.Asked, deadline
	v.Trip.Booking = carpool.BookingID("b-" + id)
	return v
}

type views struct {
	mu sync.Mutex
	of map[string]carpool.NoticeView
}

func (f *views) put(v carpool.NoticeView) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.of[v.Notice.ID] = v
}

func (f *views) NoticeView(_ context.Context, id string) (carpool.NoticeView, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	v, ok := f.of[id]
	if !ok {
		return v, fault.New(fault.NotFound, "there is no such notice")
	}
	return v, nil
}

// recorder is a channel that keeps what it sends and fails as it is told.
type recorder struct {
	mu   sync.Mutex
	fail error
	sent []Text
	to   []To
}

func (r *recorder) Send(_ context.Context, to To, t Text) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	r.sent, r.to = append(r.sent, t), append(r.to, to)
	return nil
}

func (r *recorder) breaks(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = err
}

func (r *recorder) all() []Text {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.sent)
}

// gateway is an SMS gateway that keeps what it sends.
type gateway struct {
	mu   sync.Mutex
	fail error
	sent []string // "number text"
	at   []time.Time
}

func (g *gateway) Send(_ context.Context, phone, text, _ string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail != nil {
		return g.fail
	}
	g.sent, g.at = append(g.sent, phone+" "+text), append(g.at, time.Now())
	return nil
}

func (g *gateway) all() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.sent)
}

func (g *gateway) breaks(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fail = err
}

type deskList struct {
	mu    sync.Mutex
	fail  error
	calls []carpool.Call
}

func (d *deskList) Add(_ context.Context, c carpool.Call) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	d.calls = append(d.calls, c)
	return nil
}

func (d *deskList) all() []carpool.Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

type folk struct {
	mu    sync.Mutex
	of    map[carpool.MemberID]carpool.Member
	trips []carpool.NoticeTrip
}

func (f *folk) put(m carpool.Member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.of[m.ID] = m
}

func (f *folk) Get(_ context.Context, id carpool.MemberID) (carpool.Member, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m, ok := f.of[id]
	if !ok {
		return m, fault.New(fault.NotFound, "there is no such member")
	}
	return m, nil
}

func (f *folk) ByPhone(_ context.Context, phone string) ([]carpool.Member, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []carpool.Member
	for _, m := range f.of {
		if m.Phone == phone && !m.Landline {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b carpool.Member) int { return cmpID(a.ID, b.ID) })
	return out, nil
}

func cmpID(a, b carpool.MemberID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (f *folk) StopSMS(_ context.Context, id carpool.MemberID) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.of[id]
	had := slices.Contains(m.Channels, carpool.BySMS)
	m.Channels = slices.DeleteFunc(slices.Clone(m.Channels), func(c carpool.Channel) bool { return c == carpool.BySMS })
	f.of[id] = m
	return had, nil
}

func (f *folk) Trips(_ context.Context, _ carpool.MemberID, _, _ time.Time) ([]carpool.NoticeTrip, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.trips, nil
}

// said keeps what was answered to bookings.
type said struct {
	mu   sync.Mutex
	fail error
	got  []string
	who  []audit.Actor
}

func (s *said) take(ctx context.Context, what string, by carpool.By, id carpool.BookingID) (carpool.Booking, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got, s.who = append(s.got, fmt.Sprintf("%s %s %s", what, by.Member, id)), append(s.who, audit.By(ctx))
	return carpool.Booking{}, s.fail
}

func (s *said) Accept(ctx context.Context, by carpool.By, id carpool.BookingID, _ string) (carpool.Booking, error) {
	return s.take(ctx, "accept", by, id)
}

func (s *said) Decline(ctx context.Context, by carpool.By, id carpool.BookingID, _ string) (carpool.Booking, error) {
	return s.take(ctx, "decline", by, id)
}

func (s *said) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}
