package page_test

import (
	"context"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/page"
	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/contact"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// staffNow is a Sunday morning.
var staffNow = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const (
	bergolo    = "004021"
	cortemilia = "004073"
)

// office is a portal in memory, with two comuni.
type office struct {
	mu       sync.Mutex
	members  map[carpool.MemberID]carpool.Member
	consents []carpool.Consent
	places   map[carpool.PlaceID]carpool.Place
	list     []carpool.Listed
	requests []carpool.Request
	onces    map[string]carpool.RequestID
	bookings map[carpool.BookingID]carpool.Booking
	rides    map[carpool.RideID]carpool.Ride
	matches  []carpool.Match
	misses   []carpool.Miss
	buses    []carpool.Bus
	calls    []carpool.Call
	codes    []carpool.CodeCall
	accounts *officeAccounts
	did      []string // what was done, by whom, for whom
	n        int

	trustOffice
	shell *web.Shell
}

func newOffice(t testing.TB, change ...func(*page.StaffDeps)) *office {
	t.Helper()
	o := &office{members: map[carpool.MemberID]carpool.Member{}, places: map[carpool.PlaceID]carpool.Place{}, onces: map[string]carpool.RequestID{},
		bookings: map[carpool.BookingID]carpool.Booking{}, rides: map[carpool.RideID]carpool.Ride{}}
	for _, p := range []carpool.Place{
		{ID: "bergolo-piazza", Comune: bergolo, Name: "Bergolo, piazza", At: geo.LonLat{Lat: 44.5478, Lon: 8.1831}, Kind: carpool.Square, Lit: true, StepFree: true},
		{ID: "cortemilia-ospedale", Comune: cortemilia, Name: "Cortemilia, ospedale", At: geo.LonLat{Lat: 44.5794, Lon: 8.1933}, Kind: carpool.Health, Shelter: true, Stop: "C12"},
		{ID: "cortemilia-scuola", Comune: cortemilia, Name: "Cortemilia, scuola", At: geo.LonLat{Lat: 44.58, Lon: 8.194}, Kind: carpool.SchoolGate},
		{ID: "bergolo-vecchia", Comune: bergolo, Name: "Bergolo, fermata vecchia", At: geo.LonLat{Lat: 44.549, Lon: 8.184}, Kind: carpool.BusStop, Closed: true},
	} {
		o.places[p.ID] = p
	}
	for _, m := range []carpool.Member{
		{ID: "m-anna", First: "Residente", Last: "Dodici", Phone: "+390173123456", Landline: true, Comune: bergolo, Channels: []carpool.Channel{carpool.ByVoice}, Trusted: carpool.Contact{Name: "vicina 3", Phone: "+393331112223"}},
		{ID: "m-bruno", First: "Residente", Last: "Tredici", Phone: "+390173654321", Landline: true, Comune: cortemilia, Channels: []carpool.Channel{carpool.ByVoice}},
		{ID: "m-driver", First: "Autista", Last: "Tre", Phone: "+393339998887", Comune: bergolo, Channels: []carpool.Channel{carpool.BySMS}},
		{ID: "m-senza", First: "Residente", Last: "Senza Consenso", Phone: "+390173777777", Landline: true, Comune: bergolo},
		{ID: "m-genitore", First: "Genitore", Last: "Quattro", Phone: "+393334445556", Comune: bergolo},
		{ID: "m-alunna", First: "Alunna", Last: "Quattro", Comune: bergolo, Minor: true, Guardian: "m-genitore"},
	} {
		m.State, m.Lang = carpool.Active, "it"
		o.members[m.ID] = m
		if m.ID != "m-senza" && m.ID != "m-alunna" {
			o.agree(m.ID, carpool.ConsentTerms, carpool.ConsentDesk)
		}
	}
	o.list = []carpool.Listed{{ID: "l-1", Name: "Associazione di prova", Phone: "+390173111222", Kind: "association", Hours: "lunedì–venerdì 8–18", Order: 10},
		{ID: "l-2", Name: "Taxi di prova", Phone: "+390173111333", Kind: "taxi", Hours: "sempre", Comune: cortemilia, Order: 20}}
	depart := time.Date(2026, 11, 23, 7, 40, 0, 0, time.UTC)
	o.rides["r-1"] = carpool.Ride{ID: "r-1", Driver: "m-driver", Depart: depart, Seats: 3, State: carpool.RideOpen}
	o.matches = []carpool.Match{{Ride: "r-1", Pickup: carpool.MatchStop{Place: "bergolo-piazza", Name: "Bergolo, piazza", Time: depart.Add(5 * time.Minute), Walk: 4 * time.Minute},
		Drop: carpool.MatchStop{Place: "cortemilia-ospedale", Name: "Cortemilia, ospedale", Time: depart.Add(35 * time.Minute)}, Detour: 3 * time.Minute, Cents: 95, LastBus: true,
		Why: []carpool.Reason{{Key: carpool.WhyDetour, Args: []any{3}}, {Key: carpool.WhyLastBus, Args: []any{"linea 12", depart}}}}}
	o.misses = []carpool.Miss{{Why: carpool.MissLater, By: 20 * time.Minute}, {Why: carpool.MissFull}, {Why: carpool.MissBus, Bus: &carpool.Bus{Line: "linea 12", From: "Bergolo", To: "Cortemilia", Depart: depart.Add(-time.Hour), Arrive: depart}}}
	o.buses = []carpool.Bus{{Line: "linea 12", From: "Bergolo", To: "Cortemilia", Depart: depart, Arrive: depart.Add(40 * time.Minute), Last: true}}
	o.fillTrust()
	union, err := demo.Union()
	if err != nil {
		t.Fatal(err)
	}

	cfg := web.Default()
	cfg.Addr = "127.0.0.1:0"
	if o.shell, err = web.New(cfg, web.Deps{Identify: identifyStaff, Now: func() time.Time { return staffNow }, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}); err != nil {
		t.Fatal(err)
	}
	deps := page.StaffDeps{Shell: o.shell, Union: union, Members: o, Points: (*officePlaces)(o), Bookings: (*officeBookings)(o),
		Trust: (*officeTrust)(o), Desk: (*officeDesk)(o), Talk: (*officeTalk)(o), Privacy: (*officePrivacy)(o), Lifts: (*officePrivacy)(o), Operators: (*officeKeys)(o), Messages: (*officeBox)(o), Figures: (*officeFigures)(o)}
	for _, c := range change {
		c(&deps)
	}
	pages, err := page.NewStaff(page.StaffDefault(), deps)
	if err != nil {
		t.Fatal(err)
	}
	if err := pages.Mount(); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *office) agree(id carpool.MemberID, what ...carpool.ConsentTo) {
	for _, w := range what {
		o.consents = append(o.consents, carpool.Consent{ID: fmt.Sprintf("c-%d", len(o.consents)), Member: id, What: w, How: "voice", At: staffNow})
	}
}

// note writes down what was done.
func (o *office) note(by carpool.By, format string, args ...any) {
	as := by.Account
	if by.Desk {
		as += " (sportello)"
	}
	if by.Member != "" {
		as += " per " + string(by.Member)
	}
	o.did = append(o.did, as+": "+fmt.Sprintf(format, args...))
}

// staffAskers are who ask in these tests. Browsers, which name nobody, have
// every role of staff.
var staffAskers = map[string][]login.Grant{
	"":                   {{Role: login.Desk, Scope: login.Union}, {Role: login.Police, Scope: login.Union}, {Role: login.Admin, Scope: login.Union}},
	"sportello":          {{Role: login.Desk, Scope: login.Union}},
	"sportello-bergolo":  {{Role: login.Desk, Scope: login.Scope{Kind: login.OfComune, ID: bergolo}}},
	"polizia":            {{Role: login.Police, Scope: login.Union}},
	"polizia-due":        {{Role: login.Police, Scope: login.Union}},
	"polizia-cortemilia": {{Role: login.Police, Scope: login.Scope{Kind: login.OfComune, ID: cortemilia}}},
	"gestione":           {{Role: login.Admin, Scope: login.Union}},
	"gestione-bergolo":   {{Role: login.Admin, Scope: login.Scope{Kind: login.OfComune, ID: bergolo}}},
	"comune-bergolo":     {{Role: login.Employee, Scope: login.Scope{Kind: login.OfComune, ID: bergolo}}},
	"residente":          {{Role: login.Resident, Scope: login.Union}},
	"tecnica":            {{Role: login.Technician, Scope: login.Union}},
	"partner":            {{Role: login.Partner, Scope: login.Scope{Kind: login.OfPartner, ID: bergolo}}},
	"estranea":           nil,
}

func identifyStaff(r *http.Request) (login.Identity, error) {
	who := r.Header.Get("As")
	grants, ok := staffAskers[who]
	if !ok {
		return login.Identity{}, fault.New(fault.Denied, "no %q", who)
	}
	if grants == nil {
		return login.Identity{}, nil
	}
	if who == "" {
		who = "operatrice-1"
	}
	return login.Identity{Person: who, Via: "session", Grants: grants}, nil
}

// as is what somebody is answered.
func (o *office) as(who, target string) *httptest.ResponseRecorder {
	return o.send(who, "GET", target, nil)
}

func (o *office) post(who, target string, pairs ...string) *httptest.ResponseRecorder {
	f := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	return o.send(who, "POST", target, f)
}

func (o *office) send(who, method, target string, f url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(f.Encode()))
	r.Host = "localhost"
	r.Header.Set("As", who)
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	rec := httptest.NewRecorder()
	o.shell.Handler().ServeHTTP(rec, r)
	return rec
}

// leads is where a form leads.
func leads(t *testing.T, rec *httptest.ResponseRecorder) string {
	t.Helper()
	if rec.Code != 303 {
		t.Fatalf("%d %s", rec.Code, staffMain(rec))
	}
	return rec.Header().Get("Location")
}

var mainPart = regexp.MustCompile(`(?s)<main.*</main>`)

func staffMain(rec *httptest.ResponseRecorder) string {
	if m := mainPart.FindString(rec.Body.String()); m != "" {
		return m
	}
	return rec.Body.String()
}

// says wants texts in an answer of a status.
func says(t *testing.T, rec *httptest.ResponseRecorder, status int, all ...string) {
	t.Helper()
	if rec.Code != status {
		t.Errorf("status %d, want %d: %s", rec.Code, status, staffMain(rec))
		return
	}
	for _, s := range all {
		if !strings.Contains(html.UnescapeString(rec.Body.String()), s) {
			t.Errorf("no %q in %s", s, staffMain(rec))
		}
	}
}

// hides wants texts not to be in an answer.
func hides(t *testing.T, rec *httptest.ResponseRecorder, none ...string) {
	t.Helper()
	for _, s := range none {
		if strings.Contains(html.UnescapeString(rec.Body.String()), s) {
			t.Errorf("%q is in %s", s, staffMain(rec))
		}
	}
}

// Members.

func (o *office) Register(_ context.Context, by carpool.By, r carpool.Registration) (carpool.Member, error) {
	if !by.Desk || !slices.Contains(r.Consents, carpool.ConsentDesk) {
		return carpool.Member{}, fault.New(fault.Denied, "no consent")
	}
	for _, m := range o.members {
		if m.Phone != "" && m.Phone == r.Member.Phone && !r.Member.Family {
			return carpool.Member{}, fault.New(fault.Conflict, "phone: another member has this number")
		}
	}
	o.n++
	m := r.Member
	m.ID, m.State = carpool.MemberID(fmt.Sprintf("m-new%d", o.n)), carpool.Active
	o.members[m.ID] = m
	o.agree(m.ID, r.Consents...)
	o.note(by, "registra %s %s (%s)", m.First, m.Last, r.How)
	return m, nil
}

func (o *office) Get(_ context.Context, id carpool.MemberID) (carpool.Member, error) {
	m, ok := o.members[id]
	if !ok {
		return m, fault.New(fault.NotFound, "no member %s", id)
	}
	return m, nil
}

func (o *office) See(ctx context.Context, by carpool.By, id carpool.MemberID, what carpool.LookAt, thing string, in func(string) bool) (carpool.Member, error) {
	m, err := o.Get(ctx, id)
	if err == nil && (m.State == carpool.Gone || !in(m.Comune)) {
		err = fault.New(fault.NotFound, "no member %s", id)
	}
	if err != nil {
		return carpool.Member{}, err
	}
	return m, nil
}

func (o *office) ComuneOf(ctx context.Context, id carpool.MemberID) (string, error) {
	m, err := o.Get(ctx, id)
	return m.Comune, err
}

func (o *office) Withdraw(_ context.Context, by carpool.By, id carpool.MemberID, what carpool.ConsentTo) error {
	now := staffNow
	for i, c := range o.consents {
		if c.Member == id && c.What == what {
			o.consents[i].Withdrawn = &now
		}
	}
	o.note(by, "ritira %s", what)
	return nil
}

func (o *office) Update(_ context.Context, by carpool.By, m carpool.Member) (carpool.Member, error) {
	o.members[m.ID] = m
	o.note(by, "corregge %s %s %s", m.First, m.Last, m.Phone)
	return m, nil
}

func (o *office) Wards(_ context.Context, _ carpool.By, guardian carpool.MemberID) ([]carpool.Member, error) {
	var out []carpool.Member
	for _, m := range o.members {
		if m.Guardian == guardian && m.Minor {
			out = append(out, m)
		}
	}
	return out, nil
}

// officePrivacy is what staff does with what is held about people.
type officePrivacy office

func (o *officePrivacy) Export(_ context.Context, by carpool.By, member carpool.MemberID, w io.Writer) error {
	(*office)(o).note(by, "copia %s", member)
	_, err := fmt.Fprintf(w, `{"made":"2026-11-22T08:00:00Z","member":%q,"tables":{},"account":null,"log":[]}`, member)
	return err
}

func (o *officePrivacy) Forget(_ context.Context, by carpool.By, id carpool.MemberID) error {
	for _, m := range o.members {
		if m.Guardian == id && m.Minor && m.State != carpool.Gone {
			return fault.New(fault.Conflict, "delete a member: you are the guardian of a minor; delete the minor first")
		}
	}
	m := o.members[id]
	m.State = carpool.Gone
	o.members[id] = m
	(*office)(o).note(by, "cancella")
	return nil
}

func (o *officePrivacy) Purge(_ context.Context, by carpool.By, dry bool) (carpool.Purged, error) {
	(*office)(o).note(by, "pulizia %v", dry)
	return carpool.Purged{"notices.notices": 3}, nil
}

func (o *officePrivacy) Ahead(_ context.Context, by carpool.By, from carpool.Date, days int) ([]carpool.Lift, error) {
	(*office)(o).note(by, "passaggi dal %s, %d giorni", from, days)
	at := time.Date(2026, 11, 23, 6, 10, 0, 0, time.UTC)
	return []carpool.Lift{{Ride: "r1", Offer: "o1", From: carpool.LiftEnd{Comune: bergolo}, To: carpool.LiftEnd{Place: "cortemilia-ospedale", Name: "Cortemilia, ospedale", Comune: cortemilia}, Depart: at, Arrive: at.Add(20 * time.Minute), Seats: 3, Taken: 1}}, nil
}

func (o *office) Find(_ context.Context, by carpool.By, words string, _ func(string) bool) ([]carpool.Member, error) {
	if !by.Desk {
		return nil, fault.New(fault.Denied, "only the desk")
	}
	o.note(by, "cerca")
	var out []carpool.Member
	phone, _ := contact.Phone(words)
	for _, m := range o.members {
		if m.Phone != "" && m.Phone == phone || strings.Contains(strings.ToLower(m.First+" "+m.Last), strings.ToLower(words)) {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b carpool.Member) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out, nil
}

func (o *office) Consent(_ context.Context, by carpool.By, id carpool.MemberID, what carpool.ConsentTo, how string) (carpool.Consent, error) {
	o.agree(id, what)
	o.note(by, "consenso %s %s", what, how)
	return o.consents[len(o.consents)-1], nil
}

func (o *office) Consents(_ context.Context, id carpool.MemberID) ([]carpool.Consent, error) {
	var out []carpool.Consent
	for _, c := range o.consents {
		if c.Member == id {
			out = append(out, c)
		}
	}
	return out, nil
}

func (o *office) Ride(_ context.Context, id carpool.RideID) (carpool.Ride, error) {
	r, ok := o.rides[id]
	if !ok {
		return r, fault.New(fault.NotFound, "no ride %s", id)
	}
	return r, nil
}

// Places.

type officePlaces office

func (o *officePlaces) List(_ context.Context, comune string) ([]carpool.Place, error) {
	var out []carpool.Place
	for _, p := range o.places {
		if comune == "" || p.Comune == comune {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b carpool.Place) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (o *officePlaces) Get(_ context.Context, id carpool.PlaceID) (carpool.Place, error) {
	p, ok := o.places[id]
	if !ok {
		return p, fault.New(fault.NotFound, "no place %s", id)
	}
	return p, nil
}

func (o *officePlaces) Put(_ context.Context, by carpool.By, p carpool.Place) (carpool.Place, error) {
	if by.Member != "" {
		return p, fault.New(fault.Denied, "not a member")
	}
	o.places[p.ID] = p
	(*office)(o).note(by, "punto %s chiuso=%v", p.ID, p.Closed)
	return p, nil
}

func (o *officePlaces) Listed(_ context.Context, comune string) ([]carpool.Listed, error) {
	var out []carpool.Listed
	for _, l := range o.list {
		if comune == "" || l.Comune == "" || l.Comune == comune {
			out = append(out, l)
		}
	}
	return out, nil
}

func (o *officePlaces) PutListed(_ context.Context, by carpool.By, l carpool.Listed) (carpool.Listed, error) {
	phone, err := contact.Phone(l.Phone)
	if err != nil {
		return l, err
	}
	l.Phone = phone
	if l.ID == "" {
		o.n++
		l.ID = fmt.Sprintf("l-new%d", o.n)
	} else {
		o.list = slices.DeleteFunc(o.list, func(x carpool.Listed) bool { return x.ID == l.ID })
	}
	o.list = append(o.list, l)
	(*office)(o).note(by, "elenco %s", l.Name)
	return l, nil
}

func (o *officePlaces) DropListed(_ context.Context, by carpool.By, id string) error {
	n := len(o.list)
	o.list = slices.DeleteFunc(o.list, func(x carpool.Listed) bool { return x.ID == id })
	if len(o.list) == n {
		return fault.New(fault.NotFound, "no line %s", id)
	}
	(*office)(o).note(by, "togli %s", id)
	return nil
}

func (o *officeDesk) Vouch(ctx context.Context, by carpool.By, how carpool.AccessBy) error {
	m := o.members[by.Member]
	alias := map[carpool.AccessBy]string{carpool.AccessPhone: m.Phone, carpool.AccessMail: m.Email}[how]
	if alias == "" || m.Account == "" {
		return fault.New(fault.Invalid, "access: choose")
	}
	(*office)(o).note(by, "garantisce %s", how)
	if o.accounts.fail == nil {
		o.accounts.set[alias] = m.Account
	}
	return o.accounts.fail
}

// officeAccounts keep what signs in.
type officeAccounts struct {
	set  map[string]string // alias to account
	fail error
}

func (a *officeAccounts) Aliases(_ context.Context, person string) (out []login.Alias, err error) {
	for alias, who := range a.set {
		if who == person && strings.HasPrefix(alias, "+") {
			out = append(out, login.Alias{Kind: "phone", Confirmed: true})
		}
	}
	return out, nil
}

func (o *officeDesk) CodeCalls(_ context.Context, by carpool.By) ([]carpool.CodeCall, error) {
	return slices.Clone(o.codes), nil
}

func (o *officeDesk) TakeCode(_ context.Context, by carpool.By, id string) (carpool.CodeCall, error) {
	for i, c := range o.codes {
		if c.ID == id {
			if c.By != "" && c.By != by.Account {
				return c, fault.New(fault.Conflict, "a colleague has this call in hand")
			}
			o.codes[i].By, o.codes[i].Lease = by.Account, staffNow.Add(carpool.CallLease)
			(*office)(o).note(by, "prende il codice %s", id)
			c.Phone = "+390173505050"
			return c, nil
		}
	}
	return carpool.CodeCall{}, fault.New(fault.NotFound, "there is no such call")
}

func (o *officeDesk) EndCode(_ context.Context, by carpool.By, id string, outcome carpool.CallOutcome) error {
	(*office)(o).note(by, "codice %s: %s", id, outcome)
	o.codes = slices.DeleteFunc(o.codes, func(c carpool.CodeCall) bool { return c.ID == id })
	return nil
}

func (a *officeAccounts) StartAlias(_ context.Context, person, alias string, _ netip.Addr) (string, error) {
	if a.fail != nil {
		return "", a.fail
	}
	a.set["code "+alias] = person
	return "120934", nil
}
