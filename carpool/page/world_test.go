package page_test

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/page"
	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
	"github.com/crinale/crinale/internal/web"
)

// patience is how long anything that must happen may take, on the slowest
// machine and under the race detector. It costs nothing where it happens.
const patience = 2 * time.Minute

const good = "ginepro sotto la neve 7"

// monday is when each story begins: 23 November 2026, 8:00 in Rome.
var monday = time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)

// world is the real portal with its accounts, its pages on a server, and a
// clock that the test turns.
type world struct {
	*carpool.Portal
	t      testing.TB
	db     *store.DB
	people *login.People
	shell  *web.Shell
	URL    string
	codes  *codes
	down   func() // takes the server off the network
	logged logged // all that the portal and its pages wrote to the log

	mu  sync.Mutex
	now time.Time
	n   int
}

// logged is a log in memory.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) at(t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = t
}

// codes remembers the codes that were sent.
type codes struct {
	mu   sync.Mutex
	last map[string]string
}

func (c *codes) SendCode(_ context.Context, to, code, _ string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last[to] = code
	return nil
}

func (c *codes) of(to string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last[to]
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// calendar is one secret address.
type calendar struct{ secret string }

func (c *calendar) NewCalendar(context.Context, carpool.By) (string, error) {
	c.secret = "secret-of-a-calendar"
	return c.secret, nil
}
func (c *calendar) CalendarURL(string) string                        { return "" }
func (c *calendar) RevokeCalendar(context.Context, carpool.By) error { c.secret = ""; return nil }
func (c *calendar) HasCalendar(context.Context, carpool.MemberID) (bool, time.Time, error) {
	return c.secret != "", monday, nil
}
func (c *calendar) Calendar(context.Context, string) ([]byte, error) {
	return []byte("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"), nil
}

func newWorld(t testing.TB, change ...func(*page.Config, *page.Deps)) *world {
	t.Helper()
	ctx := context.Background()
	db := storetest.SQLite(t)
	w := &world{t: t, db: db, now: monday, codes: &codes{last: map[string]string{}}}
	db.SetClock(w.clock)
	log, err := audit.New(audit.Config{}, audit.Deps{Store: db})
	must(t, err)
	box, err := outbox.New(outbox.Default(), outbox.Deps{Store: db})
	must(t, err)
	lc := login.Default()
	lc.Key, lc.Hash = []byte("a key of exactly thirty-two byte"), login.HashCost{Passes: 1, MemoryKiB: 8}
	lc.Limits.Join = login.Rate{Burst: 1000, Every: time.Second}
	w.people, err = login.New(lc, login.Deps{Store: db, Audit: log})
	must(t, err)
	quiet := slog.New(slog.NewTextHandler(&w.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.Portal, err = carpool.New(carpool.Default(), carpool.Deps{Store: db, Audit: log, Outbox: box, Roads: &plain{rides: map[carpool.RideID][]geo.LonLat{}}, Accounts: w.people, Log: quiet})
	must(t, err)
	for _, open := range []func(context.Context) error{log.Open, box.Open, w.people.Open, w.Open} {
		must(t, open(ctx))
	}
	union, err := demo.Union()
	must(t, err)
	var places []carpool.Place
	b, err := demo.FS.ReadFile("carpool/places.json")
	must(t, err)
	must(t, json.Unmarshal(b, &places))
	for _, pl := range places {
		_, err := w.Places.Put(ctx, carpool.By{Account: "ufficio"}, pl)
		must(t, err)
	}
	wc := web.Default()
	wc.Demo = true
	w.shell, err = web.New(wc, web.Deps{People: w.people, Now: w.clock, Log: quiet})
	must(t, err)
	cfg := page.Default()
	cfg.Key = []byte("another key of thirty-two bytes!")
	cfg.Union = page.Contacts{Desk: "+39 0173 000000", Hours: "da lunedì a venerdì, 9–12", Mail: "passaggi@unione.example", DPO: "dpo@unione.example", Since: "2026-11-22"}
	deps := page.Deps{Shell: w.shell, Union: union, Members: w.Members, Places: w.Places, Offers: w.Offers, Bookings: w.Bookings, Trust: w.Trust,
		Talk: w.Talk, Privacy: w.Privacy, Accounts: w.people, ByMail: w.codes, BySMS: w.codes, Calendar: &calendar{}, Log: quiet}
	for _, c := range change {
		c(&cfg, &deps)
	}
	p, err := page.New(cfg, deps)
	must(t, err)
	must(t, p.Mount())
	srv := httptest.NewServer(w.shell.Handler())
	t.Cleanup(srv.Close)
	w.URL = srv.URL
	w.down = func() { srv.CloseClientConnections(); srv.Close() }
	return w
}

// signsIn makes an alias sign in to an account.
func (w *world) signsIn(account, alias string) {
	w.t.Helper()
	must(w.t, w.db.Do(w.t.Context(), func(tx *store.Tx) error { return w.people.SetAlias(w.t.Context(), tx, account, alias) }))
}

// resident joins by an account of their own, and is signed in.
func (w *world) resident(consents ...carpool.ConsentTo) *visitor {
	w.t.Helper()
	w.n++
	alias := fmt.Sprintf("residente.%d@example.it", w.n)
	acc, err := w.people.Register(w.t.Context(), login.Registration{Alias: alias, Password: good, Role: login.Resident})
	must(w.t, err)
	w.signsIn(acc.Name, alias)
	m, err := w.Members.Register(w.t.Context(), carpool.By{Account: acc.Name}, carpool.Registration{
		Member:   carpool.Member{Account: acc.Name, First: fmt.Sprintf("Residente%d", w.n), Last: fmt.Sprintf("Cognome%d", w.n), Phone: fmt.Sprintf("+39333120%04d", w.n), Email: alias, Comune: "004021"},
		Consents: append([]carpool.ConsentTo{carpool.ConsentTerms}, consents...), How: "page"})
	must(w.t, err)
	v := w.visitor()
	v.by, v.name, v.alias = carpool.By{Account: acc.Name, Member: m.ID}, m.First, alias
	v.enter()
	return v
}

// driver is a resident with a car whose papers are in order.
func (w *world) driver() (*visitor, carpool.VehicleID) {
	w.t.Helper()
	v := w.resident(carpool.ConsentCheck)
	car, err := w.Members.PutVehicle(w.t.Context(), v.by, carpool.Vehicle{Driver: v.by.Member, Plate: fmt.Sprintf("AB%03dCD", w.n), Label: "Panda rossa", Class: "car", Seats: 4, Carries: carpool.Needs{WalkingFrame: true}})
	must(w.t, err)
	c, err := w.Trust.Ask(w.t.Context(), v.by, car.ID, carpool.Check{Licence: "2030-01-31", Insurance: "2027-10-31", Roadworthy: "2028-01-31"}, nil)
	must(w.t, err)
	_, err = w.Trust.Decide(w.t.Context(), carpool.By{Account: "vigile"}, c.ID, carpool.Decision{Pass: true})
	must(w.t, err)
	return v, car.ID
}

// place is a meeting point of the demo.
func (w *world) place(id carpool.PlaceID) carpool.Spot {
	w.t.Helper()
	pl, err := w.Places.Get(w.t.Context(), id)
	must(w.t, err)
	return carpool.Spot{Place: pl.ID, At: pl.At}
}

// offer is a lift from Bergolo to Cortemilia on a day at a time.
func (w *world) offer(driver *visitor, car carpool.VehicleID, day carpool.Date, at carpool.Clock) carpool.Offer {
	w.t.Helper()
	o, err := w.Offers.Add(w.t.Context(), driver.by, carpool.Offer{Driver: driver.by.Member, Vehicle: car, From: w.place("bergolo-municipio"), To: w.place("cortemilia-municipio"),
		When: carpool.Schedule{Time: at, Date: day}, Seats: 2, MaxDetour: 15 * time.Minute, MilliEURKm: 50}, fmt.Sprintf("offer-of-a-test-%d-%s-%s", w.n, day, at))
	must(w.t, err)
	return o
}

// visitor is a browser without a window: it keeps cookies and follows no
// redirect by itself.
type visitor struct {
	w     *world
	http  *http.Client
	by    carpool.By
	name  string
	alias string
}

func (w *world) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	must(w.t, err)
	return &visitor{w: w, http: &http.Client{Jar: jar, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// got is what a visitor was answered.
type got struct {
	*http.Response
	Body string
}

func (v *visitor) do(method, target, body string, header ...string) got {
	v.w.t.Helper()
	r, err := http.NewRequest(method, v.w.URL+target, strings.NewReader(body))
	must(v.w.t, err)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	res, err := v.http.Do(r)
	must(v.w.t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	must(v.w.t, err)
	return got{res, string(b)}
}

func (v *visitor) get(target string, header ...string) got {
	v.w.t.Helper()
	return v.do("GET", target, "", header...)
}

func fields(pairs ...string) string {
	f := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	return f.Encode()
}

// post sends a form as a page of this site does.
func (v *visitor) post(target string, pairs ...string) got {
	v.w.t.Helper()
	return v.do("POST", target, fields(pairs...), "Content-Type", "application/x-www-form-urlencoded", "Origin", v.w.URL)
}

// wants a page with a status that holds words; it gives the page's content.
func (v *visitor) wants(g got, status int, words ...string) string {
	v.w.t.Helper()
	content := mainOf(g.Body)
	if g.StatusCode != status {
		v.w.t.Fatalf("%s %s: %d, want %d: %s", g.Request.Method, g.Request.URL.Path, g.StatusCode, status, text(content))
	}
	for _, word := range words {
		if !strings.Contains(g.Body, word) && !strings.Contains(text(content), word) {
			v.w.t.Errorf("%s %s: no %q in %s", g.Request.Method, g.Request.URL.Path, word, text(content))
		}
	}
	return content
}

// led wants to be led on to an address.
func (v *visitor) led(g got, to string) {
	v.w.t.Helper()
	if at := g.Header.Get("Location"); g.StatusCode != http.StatusSeeOther || at != to {
		v.w.t.Fatalf("%s %s: %d to %q, want %q: %s", g.Request.Method, g.Request.URL.Path, g.StatusCode, at, to, text(mainOf(g.Body)))
	}
}

// enter signs in by the alias.
func (v *visitor) enter() {
	v.w.t.Helper()
	if g := v.post("/entra", "nome", v.alias, "password", good); g.StatusCode != http.StatusSeeOther {
		v.w.t.Fatalf("%s cannot sign in: %d %s", v.alias, g.StatusCode, text(mainOf(g.Body)))
	}
}

var (
	mainElement = regexp.MustCompile(`(?s)<main.*</main>`)
	tags        = regexp.MustCompile(`<[^>]*>`)
	blanks      = regexp.MustCompile(`\s+`)
	nonce       = regexp.MustCompile(`name="volta" value="([^"]+)"`)
	whose       = regexp.MustCompile(`name="per" value="([^"]+)"`)
)

func mainOf(body string) string {
	if m := mainElement.FindString(body); m != "" {
		return m
	}
	return body
}

func text(body string) string {
	return html.UnescapeString(strings.TrimSpace(blanks.ReplaceAllString(tags.ReplaceAllString(body, " "), " ")))
}

func onceIn(t testing.TB, body string) string {
	t.Helper()
	m := nonce.FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no nonce in %s", text(mainOf(body)))
	}
	return m[1]
}
