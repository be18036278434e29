package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/interop"
	"github.com/crinale/crinale/internal/login"
)

// matrixPage is the table that is proved.
const matrixPage = "../../docs/reference/privacy-matrix.md"

// things of a household, by the name that a route has for them.
type things map[string]string

// household is a rider, a driver and what they have.
type household struct {
	rider, driver member
	comune        string
	rides, drives things // of the rider, of the driver
	staff         things // what officers, desk and offices see of the comune
	secret        []string
}

// matrix asks every route of the lifts as everybody.
type matrix struct {
	*village
	own, other household
	stranger   member
	columns    []string
	answers    int
}

func newMatrix(v *village) *matrix {
	m := &matrix{village: v}
	m.own, m.other = m.household(1, "004073"), m.household(2, "004021")
	m.stranger = v.joins("other resident", "004073", 9)
	m.guests["nobody"] = &guest{asker: asker{name: "nobody"}, session: v.browser()}
	far := v.comuneOf("niella-belbo-municipio")
	comune := login.Scope{Kind: login.OfComune, ID: "004073"}
	elsewhere := login.Scope{Kind: login.OfComune, ID: far}
	for _, a := range []struct {
		name  string
		role  login.Role
		scope login.Scope
	}{
		{"police of the comune", login.Police, comune}, {"police elsewhere", login.Police, elsewhere},
		{"desk", login.Desk, login.Union}, {"desk elsewhere", login.Desk, elsewhere},
		{"employee of the comune", login.Employee, comune}, {"technician", login.Technician, login.Union},
		{"partner", login.Partner, ownPartner}, {"admin", login.Admin, login.Union},
	} {
		v.invited(a.name, a.role, a.scope)
	}
	m.columns = []string{"nobody", "rider", "driver", "other resident", "police of the comune", "police elsewhere", "desk", "desk elsewhere", "employee of the comune", "technician", "partner", "admin"}
	m.guests["rider"], m.guests["driver"] = m.own.rider.guest, m.own.driver.guest
	return m
}

func (m *matrix) everybody() []member {
	return []member{m.own.rider, m.own.driver, m.other.rider, m.other.driver, m.stranger}
}

func (v *village) comuneOf(id carpool.PlaceID) string { return comuneOf(v.t.Context(), v.s, id) }

// invited makes an account of a role, and signs it in.
func (v *village) invited(name string, role login.Role, scope login.Scope) {
	v.t.Helper()
	g := &guest{asker: asker{name, login.Identity{Person: name, Via: "session"}}, user: "prova-" + strings.ReplaceAll(name, " ", "-"), password: "prova di ruoli " + name, session: v.browser()}
	inv, err := v.s.people.Invite(v.t.Context(), g.user, []login.Grant{{Role: role, Scope: scope}})
	v.must(err)
	if r := v.send(v.browser(), "POST", "/invito", url.Values{"codice": {inv.Code}, "nuova": {g.password}, "ripeti": {g.password}}.Encode()); r.status >= 400 {
		v.t.Fatalf("invitation of %s: %d %.300s", name, r.status, r.body)
	}
	v.signIn(v.t, g)
	v.guests[name] = g
}

// send is a request as a page or a program makes it.
func (v *village) send(c *http.Client, method, path, body string) reply {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, v.url+path, strings.NewReader(body))
	v.must(err)
	if method != "GET" {
		req.Header.Set("Origin", v.url)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(path, "/api/") {
			req.Header.Set("Content-Type", "application/json")
		}
	}
	res, err := c.Do(req)
	v.must(err)
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	v.must(err)
	return reply{res.StatusCode, res.Header.Get("Location"), string(b)}
}

// household fills one comune: a lift from a door, booked and accepted, a talk, a
// report, an alert, papers that wait with a picture, a call, a suspension.
func (m *matrix) household(nr int, comune string) household {
	ctx, s := m.t.Context(), m.s.carpool
	who := map[int]string{1: "", 2: " of others"}[nr]
	h := household{comune: comune, rider: m.joins("rider"+who, comune, nr*10), driver: m.joins("driver"+who, comune, nr*10+1)}
	door := m.spot("bergolo-municipio")
	door = carpool.Spot{Address: fmt.Sprintf("Via Segretaqz %d", nr*1000+7), At: door.At}
	door.At.Lon += 0.004
	to := m.spot("cortemilia-municipio")
	car, _, offer := m.drives(&h.driver, nr, door, to, carpool.Clock(fmt.Sprintf("07:%02d", nr*10)))
	q, err := s.Bookings.Request(ctx, h.rider.by, carpool.Request{Rider: h.rider.by.Member, From: m.spot("bergolo-municipio"), To: to, When: carpool.Window{From: m.morning(6), To: m.morning(9)},
		MaxWalk: 20 * time.Minute, Note: fmt.Sprintf("notaqz-r%d", nr)}, nil, fmt.Sprintf("request-of-the-proof-%d", nr))
	m.must(err)
	a, err := s.Bookings.Search(ctx, carpool.Ask{For: h.rider.by.Member, From: q.From, To: q.To, When: q.When, Seats: 1, MaxWalk: q.MaxWalk})
	m.must(err)
	var b carpool.Booking
	for _, x := range a.Matches {
		if x.Why != nil && b.ID == "" {
			k, err := s.Bookings.Book(ctx, h.rider.by, q.ID, x, fmt.Sprintf("booking-of-the-proof-%d-%s", nr, x.Ride))
			m.must(err)
			if k.Driver == h.driver.by.Member {
				b = k
			} else {
				_, err := s.Bookings.Cancel(ctx, h.rider.by, k.ID, "")
				m.must(err)
			}
		}
	}
	if b.ID == "" {
		m.t.Fatalf("no lift of household %d was found among %d", nr, len(a.Matches))
	}
	_, err = s.Bookings.Accept(ctx, h.driver.by, b.ID, "")
	m.must(err)
	talk := fmt.Sprintf("parolaqz%d", nr)
	m.must(s.Talk.Send(ctx, h.rider.by, b.ID, talk))
	tale := fmt.Sprintf("raccontoqz%d", nr)
	rep, err := s.Talk.Report(ctx, h.rider.by, carpool.Report{Booking: b.ID, Kind: carpool.ReportOther, Text: tale})
	m.must(err)
	w, err := s.Bookings.Watch(ctx, h.rider.by, carpool.Ask{For: h.rider.by.Member, From: m.spot("bergolo-municipio"), To: m.spot("alba-stazione"), When: carpool.Window{From: m.morning(6), To: m.morning(9)}, Seats: 1}, "")
	m.must(err)
	secret, err := m.s.notify.NewCalendar(ctx, h.rider.by)
	m.must(err)
	var photo bytes.Buffer
	m.must(jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 40, 30)), nil))
	until := carpool.DateOf(time.Now().AddDate(1, 0, 0), time.UTC)
	c, err := s.Trust.Ask(ctx, h.driver.by, car.ID, carpool.Check{Licence: until, Insurance: until, Roadworthy: until}, []carpool.Picture{{Kind: carpool.PictureLicence, Media: "image/jpeg", Data: photo.Bytes()}})
	m.must(err)
	seen, err := s.Trust.Look(ctx, carpool.By{Account: "police"}, c.ID)
	m.must(err)
	z, err := s.Trust.Propose(ctx, carpool.By{Account: "police"}, h.rider.by.Member, fmt.Sprintf("motivoqz%d", nr))
	m.must(err)
	m.must(s.Desk.Add(ctx, carpool.Call{Member: h.rider.by.Member, Kind: "booking.accepted", Due: time.Now().Add(time.Hour)}))
	calls, err := s.Desk.Calls(ctx, carpool.By{Account: "desk", Desk: true})
	m.must(err)
	task := slices.IndexFunc(calls, func(c carpool.Call) bool { return c.Member == h.rider.by.Member && c.Kind == "booking.accepted" })
	if task < 0 {
		m.t.Fatal("the call list has no task about the rider: the proof shows nothing")
	}
	home := fmt.Sprintf("+39017355%04d", nr)
	m.must(s.Desk.AskCode(ctx, h.rider.by.Account, home, comune))
	waiting, err := s.Desk.CodeCalls(ctx, carpool.By{Account: "desk", Desk: true})
	m.must(err)
	codeCall := waiting[slices.IndexFunc(waiting, func(c carpool.CodeCall) bool { return c.Account == h.rider.by.Account })].ID
	l, err := s.Places.PutListed(ctx, carpool.By{Account: "admin"}, carpool.Listed{Comune: comune, Name: "Taxi", Phone: fmt.Sprintf("+39017300%04d", nr), Kind: "taxi", Hours: "sempre"})
	m.must(err)
	op := fmt.Sprintf("valle%d.example", nr)
	_, err = m.s.outside.Operators.Add(ctx, interop.Operator{ID: op, Name: "Valle", Scopes: interop.Scopes()})
	m.must(err)
	place := map[int]string{1: "cortemilia-municipio", 2: "bergolo-municipio"}[nr]
	h.rides = things{"booking": string(b.ID), "request": string(q.ID), "watch": w.ID, "calendar": secret}
	h.drives = things{"booking": string(b.ID), "offer": string(offer.ID), "vehicle": string(car.ID)}
	h.staff = things{"booking": string(b.ID), "request": string(q.ID), "offer": string(offer.ID), "vehicle": string(car.ID), "watch": w.ID, "check": c.ID, "picture": seen.Pictures[0].ID,
		"suspension": z.ID, "report": rep.ID, "call": calls[task].ID, "code-call": codeCall, "member": string(h.rider.by.Member), "place": place, "listed": l.ID, "operator": op, "calendar": secret, "message": "m-none"}
	h.secret = append(append(slices.Clone(h.rider.secret), h.driver.secret...), talk, tale, fmt.Sprintf("notaqz-r%d", nr), fmt.Sprintf("motivoqz%d", nr), secret, home)
	return h
}

// unknown are things that nobody has.
func unknown(like things) things {
	out := things{}
	for k, v := range like {
		head, _, _ := strings.Cut(v, "-")
		out[k] = head + "-qzabsent"
		if k == "operator" {
			out[k] = "qzabsent.example"
		}
	}
	return out
}

// named says what the {parts} of a route name, in order, and a form whose fields
// name things too; what it returns is for the routes that name something.
func named(pattern string) []string {
	_, path, _ := strings.Cut(pattern, " ")
	at := func(prefix string) bool { return strings.HasPrefix(path, prefix) }
	switch {
	case strings.HasSuffix(path, "/immagine/{picture}"):
		return []string{"check", "picture"}
	case at("/passaggi/miei/avviso/togli"):
		return []string{"watch"}
	case path == "/passaggi/auto/togli", path == "/passaggi/auto/documenti":
		return []string{"vehicle"}
	case !strings.Contains(path, "{") && path != "/passaggi/profilo/blocchi" && pattern != "POST /passaggi/gestione/sospensioni":
		return nil
	case at("/passaggi/calendario/"):
		return []string{"calendar"}
	case at("/passaggi/richieste/"), at("/api/v1/carpool/requests/"):
		return []string{"request"}
	case at("/passaggi/offerte/"), at("/api/v1/carpool/offers/"):
		return []string{"offer"}
	case at("/passaggi/sportello/persona/{member}/prenotazione"):
		return []string{"member", "booking"}
	case at("/passaggi/sportello/persona/{member}/richiesta"):
		return []string{"member", "request"}
	case at("/passaggi/sportello/persona/"), at("/api/v1/carpool/members/"), path == "/passaggi/profilo/blocchi", path == "/passaggi/gestione/sospensioni":
		return []string{"member"}
	case at("/passaggi/sportello/chiamate/"):
		return []string{"call"}
	case at("/passaggi/sportello/codici/"):
		return []string{"code-call"}
	case at("/passaggi/polizia/controllo/"):
		return []string{"check"}
	case strings.Contains(path, "/sospensioni/"):
		return []string{"suspension"}
	case at("/passaggi/gestione/segnalazioni/"):
		return []string{"report"}
	case at("/passaggi/gestione/elenco/"):
		return []string{"listed"}
	case at("/passaggi/gestione/chiavi/"), at("/api/v1/carpool/operators/"):
		return []string{"operator"}
	case at("/passaggi/gestione/messaggi/"):
		return []string{"message"}
	case at("/passaggi/punti/"):
		return []string{"place"}
	case at("/passaggi/miei/"), at("/api/v1/carpool/bookings/"), at("/passaggi/sportello/biglietto/"):
		return []string{"booking"}
	}
	return []string{"?"}
}

var part = regexp.MustCompile(`\{[^}]*\}`)

// address of a route about things; false when who asks has none of them.
func address(pattern string, of things) (string, bool) {
	_, path, _ := strings.Cut(pattern, " ")
	whole, kinds := true, named(pattern)
	path = part.ReplaceAllStringFunc(path, func(p string) string {
		switch {
		case p == "{$}":
			return ""
		case p == "{verb}" && strings.Contains(path, "/offers/"):
			return "pause"
		case p == "{verb}":
			return "cancel"
		case len(kinds) == 0:
			whole = false
			return p
		}
		id, ok := of[kinds[0]]
		if kinds = kinds[1:]; !ok {
			whole = false
		}
		if p == "{file}" {
			id += ".ics"
		}
		return url.PathEscape(id)
	})
	for _, k := range kinds {
		if of[k] == "" {
			whole = false
		}
	}
	return path, whole
}

// forms are what a page sends to do a thing in earnest.
var forms = map[string]string{
	"POST /passaggi/miei/{id}": "fa=cancel&motivo=x", "POST /passaggi/miei/{id}/annulla": "motivo=x", "POST /passaggi/miei/{id}/messaggio": "testo=ciao",
	"POST /passaggi/miei/{id}/segnala": "tipo=other&racconto=x", "POST /passaggi/miei/{id}/blocca": "certo=si", "POST /passaggi/miei/avviso/togli": "avviso={watch}",
	"POST /passaggi/auto/togli": "veicolo={vehicle}&certo=si", "POST /passaggi/profilo/blocchi": "persona={member}", "POST /passaggi/offerte/{id}": "fa=termina&certo=si",
	"POST /passaggi/richieste/{id}": "fa=ritira&certo=si", "POST /api/v1/carpool/requests/{id}/book": `{"ride":"r-none"}`,
	"POST /passaggi/polizia/controllo/{id}": "esito=passa&patente=2030-01-01&assicurazione=2030-01-01&revisione=2030-01-01", "POST /passaggi/polizia/controllo/{id}/sospendi": "sospensione=x",
	"POST /passaggi/polizia/sospensioni/{id}/decidi": "esito=si&motivo=x", "POST /passaggi/polizia/sospensioni/{id}/leva": "motivo=x",
	"POST /passaggi/sportello/chiamate/{id}/esito": "esito=reached&nota=x", "POST /passaggi/sportello/codici/{id}/esito": "esito=letto", "POST /passaggi/sportello/persona/{member}/prenotazione/{id}/annulla": "certo=si",
	"POST /passaggi/sportello/persona/{member}/consenso": "consenso=voice", "POST /passaggi/sportello/persona/{member}/accesso": "accesso=phone&certo=si", "POST /passaggi/punti/{id}": "nome=x",
}

// body of a request: in earnest, or empty where it would be done.
func body(pattern string, of things, earnest bool) string {
	if method, _, _ := strings.Cut(pattern, " "); method == "GET" {
		return ""
	}
	f := forms[pattern]
	switch api := strings.Contains(pattern, " /api/"); {
	case api && (f == "" || !earnest):
		return "{}"
	case !earnest && !strings.Contains(f, "{"):
		return ""
	case !earnest: // what it names, without what confirms
		f, _, _ = strings.Cut(f, "&")
	}
	for k, v := range of {
		f = strings.ReplaceAll(f, "{"+k+"}", url.QueryEscape(v))
	}
	return f
}

// routes are all of the lifts, as the server has them; those of the API for
// other operators stand in one handler, and are told apart here.
func (m *matrix) routes() (out []string) {
	for _, r := range m.s.web.Routes() {
		method, path, ok := strings.Cut(r.Pattern, " ")
		switch {
		case !ok && method == interop.Prefix+"/":
			for _, x := range []string{"GET /driver_journeys", "GET /passenger_journeys", "GET /driver_regular_trips", "GET /passenger_regular_trips", "GET /bookings/x", "POST /bookings", "PATCH /bookings/x", "POST /messages", "POST /booking_events", "GET /status"} {
				out = append(out, strings.Replace(x, " ", " "+interop.Prefix, 1))
			}
		case strings.HasPrefix(path, "/passaggi"), strings.HasPrefix(path, "/api/v1/carpool"):
			out = append(out, r.Pattern)
		case strings.Contains(r.Pattern, "passaggi"), strings.Contains(r.Pattern, "carpool"), strings.Contains(r.Pattern, "covoit"):
			m.t.Errorf("the route %q belongs to the lifts and stands in no row", r.Pattern)
		}
	}
	order := map[string]int{"GET": 0, "POST": 1, "PATCH": 1, "DELETE": 2} // what takes away comes last
	slices.SortStableFunc(out, func(a, b string) int {
		ma, _, _ := strings.Cut(a, " ")
		mb, _, _ := strings.Cut(b, " ")
		if d := order[ma] - order[mb]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return out
}

// worded is a reply as the table has it.
func worded(r reply) string {
	if v := r.verdict(); v == "sign in" {
		return v
	}
	return fmt.Sprint(r.status)
}

// alike is a reply without what names the things that were asked for.
func alike(r reply, of things) string {
	text := fmt.Sprintf("%d %s\n%s", r.status, r.to, plain(r.body))
	ids := slices.Collect(maps.Values(of)) // the longest first: one may be the end of another
	slices.SortFunc(ids, func(a, b string) int { return len(b) - len(a) })
	for _, id := range ids {
		for _, x := range []string{url.QueryEscape(url.QueryEscape(id)), url.QueryEscape(id), id} {
			text = strings.ReplaceAll(text, x, "ID")
		}
	}
	return text
}

// prove asks everything and holds the answers against the table; it gives how
// many questions that took.
func (m *matrix) prove() int {
	operators := m.ofOperators() // while the lifts that they book are there
	table := map[string][]string{}
	routes := m.routes()
	for _, pattern := range routes {
		if slices.Contains(named(pattern), "?") {
			m.t.Errorf("%s: say in named whose things it names", pattern)
			continue
		}
		for _, column := range m.columns {
			table[pattern] = append(table[pattern], m.cell(pattern, column))
		}
	}
	text := m.page(routes, table) + operators
	if *update {
		m.must(os.WriteFile(matrixPage, []byte(text), 0o644))
		return m.answers
	}
	was, err := os.ReadFile(matrixPage)
	m.must(err)
	old := strings.Split(string(was), "\n")
	for _, line := range strings.Split(text, "\n") {
		if !slices.Contains(old, line) {
			m.t.Errorf("%s does not say: %s", matrixPage, line)
		}
	}
	if len(old) != strings.Count(text, "\n")+1 {
		m.t.Errorf("%s has %d lines, and %d are so: a route is gone", matrixPage, len(old), strings.Count(text, "\n")+1)
	}
	return m.answers
}

// cell asks about what is the asker's own, about what is of others, and about
// what is not there.
func (m *matrix) cell(pattern, column string) string {
	g := m.guests[column]
	method, _, _ := strings.Cut(pattern, " ")
	own := map[string]things{"rider": m.own.rides, "driver": m.own.drives, "other resident": {}, "nobody": {}}[column]
	if own == nil {
		own = m.own.staff
	}
	if strings.Contains(pattern, interop.Prefix) && column != "nobody" && column != "rider" {
		return "–" // strangers may ask that often, and a session is no key there
	}
	all := column == "desk" || column == "admin" // theirs is the whole union
	ask := func(of things, earnest bool) reply {
		path, _ := address(pattern, of)
		m.answers++
		return m.patient(func() reply { return m.send(g.session, method, path, body(pattern, of, earnest)) })
	}
	leaks := func(r reply) {
		for _, s := range m.other.secret {
			if s != "" && !all && strings.Contains(r.body+r.to, s) {
				m.t.Errorf("%s as %s tells %q of others", pattern, column, s)
			}
		}
	}
	kinds := named(pattern)
	if len(kinds) == 0 {
		r := ask(nil, false)
		leaks(r)
		return worded(r)
	}
	mine := "–"
	if _, ok := address(pattern, own); ok {
		mine = worded(ask(own, false))
	}
	theirs := ask(m.other.staff, !all)
	if kinds[0] != "calendar" { // whoever has the secret address may read it: it is the key
		leaks(theirs)
		absent := unknown(m.other.staff)
		if !all { // a page shows each piece of news once
			theirs = ask(m.other.staff, true)
			leaks(theirs)
		}
		if all {
			return joined(mine, worded(theirs))
		}
		there, none := strings.Split(alike(theirs, m.other.staff), "\n"), strings.Split(alike(ask(absent, true), absent), "\n")
		for i := range max(len(there), len(none)) {
			if len(there) != len(none) || there[i] != none[i] {
				m.t.Errorf("%s as %s: of others and of nobody are told apart: %d lines and %d, %.300q and %.300q", pattern, column, len(there), len(none), there[min(i, len(there)-1)], none[min(i, len(none)-1)])
				break
			}
		}
	}
	return joined(mine, worded(theirs))
}

// joined is a cell of what is one's own and what is of others.
func joined(mine, theirs string) string {
	if mine == theirs {
		return mine
	}
	return mine + " / " + theirs
}

// page is docs/reference/privacy-matrix.md.
func (m *matrix) page(routes []string, table map[string][]string) string {
	var b strings.Builder
	b.WriteString("# Whose lifts who sees\n\nMade by `make prove-privacy` from the answers of a running server (`PROVE=privacy go test ./cmd/crinale -run TestProvePrivacy -update`\n" +
		"writes it anew), which fails when an answer is another one, or a route of the lifts stands in no row.\n\n" +
		"A cell is the status of the answer about one's own / about others'; one figure where both are the same or the route names\n" +
		"nothing; \"–\" where the asker has nothing of the kind. What changes something is asked for one's own with an empty form, so that it\n" +
		"stays as it is (400: something is missing), and for others' in earnest. But for the desk of the union and the admin, whose the whole union is,\n" +
		"what is of others answers, letter by letter, as what is not there, and no answer holds a name, number, plate, door or word of theirs.\n" +
		"The secret address of a calendar is its own key. No session opens the API for other operators, whose way in is a key of theirs:\n" +
		"that is asked as nobody and as a rider.\n\n| route |")
	for _, c := range m.columns {
		b.WriteString(" " + c + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(m.columns)) + "\n")
	for _, r := range routes {
		fmt.Fprintf(&b, "| `%s` | %s |\n", r, strings.Join(table[r], " | "))
	}
	return b.String()
}
