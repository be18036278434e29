package main

import (
	"bytes"
	"fmt"
	"html"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/interop"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/store/storetest"
)

// journal is a log that many may write.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// village is the real server over HTTP with the lifts of two households in it.
type village struct {
	*host
	t    *testing.T
	s    *server
	dir  string
	kept string // folder of copies of the database; "" for PostgreSQL
	logs *journal
	day  carpool.Date
	key  string // of an operator
}

func newVillage(t *testing.T, storeURL string) *village {
	t.Helper()
	v := &village{host: &host{guests: map[string]*guest{}}, t: t, logs: &journal{}, day: carpool.DateOf(time.Now().AddDate(0, 0, 3), time.UTC)}
	v.s = wiredTo(t, slog.New(slog.NewTextHandler(v.logs, &slog.HandlerOptions{Level: slog.LevelDebug})), func(c *config) {
		c.Carpool.Interop.Operator, c.Store.URL, v.dir = "passaggi.unione.example", storeURL, c.Data
		if storeURL == "" {
			v.kept = t.TempDir()
			c.Copies.Folder = v.kept
		}
	})
	v.must(v.s.open(t.Context()))
	v.must(demoPlaces(t.Context(), v.s, carpool.By{Account: "admin"}))
	srv := httptest.NewServer(v.s.web.Handler())
	t.Cleanup(srv.Close)
	v.url = srv.URL
	k, err := v.s.outside.Operators.Add(t.Context(), interop.Operator{ID: "altri.example", Name: "Altri", Scopes: interop.Scopes()})
	v.must(err)
	v.key = k.Key
	return v
}

func (v *village) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

// member is somebody of the proof, with what only they and few others may know.
type member struct {
	*guest
	by     carpool.By
	secret []string
}

// joins makes a resident whose every field is a word that stands nowhere else.
func (v *village) joins(name, comune string, nr int) member {
	v.t.Helper()
	mark := func(what string) string { return fmt.Sprintf("%s%s%04d", what, "qz", nr) }
	g := &guest{asker: asker{name, login.Identity{Person: name, Via: "session"}}, user: mark("posta") + "@example.it", password: "prova di riserbo " + mark("x")}
	acc, err := v.s.people.Register(v.t.Context(), login.Registration{Alias: g.user, Password: g.password, Role: login.Resident})
	v.must(err)
	code, err := v.s.people.StartAlias(v.t.Context(), acc.Name, g.user, netip.Addr{})
	v.must(err)
	v.must(v.s.people.ConfirmAlias(v.t.Context(), acc.Name, code))
	m := carpool.Member{Account: acc.Name, First: "Residente", Last: mark("Cognome"), Phone: fmt.Sprintf("+3933377%05d", nr), Email: g.user, Comune: comune, Lang: "it",
		Trusted: carpool.Contact{Name: mark("Fidata"), Phone: fmt.Sprintf("+3933388%05d", nr)}}
	made, err := v.s.carpool.Members.Register(v.t.Context(), carpool.By{Account: acc.Name}, carpool.Registration{Member: m, How: "page", Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentCheck, carpool.ConsentDesk}})
	v.must(err)
	g.session = v.browser()
	v.signIn(v.t, g)
	v.guests[name] = g
	return member{g, carpool.By{Account: acc.Name, Member: made.ID}, []string{g.user, m.Last, m.Phone, m.Phone[3:], m.Trusted.Name, m.Trusted.Phone, m.Trusted.Phone[3:]}}
}

// drives gives a member a car in order and an offer; from "" is a door.
func (v *village) drives(m *member, nr int, from, to carpool.Spot, at carpool.Clock) (carpool.Vehicle, carpool.Check, carpool.Offer) {
	v.t.Helper()
	ctx := v.t.Context()
	plate := fmt.Sprintf("QZ%03dQZ", nr)
	car, err := v.s.carpool.Members.PutVehicle(ctx, m.by, carpool.Vehicle{Driver: m.by.Member, Plate: plate, Label: "Panda", Class: "car", Seats: 4})
	v.must(err)
	until := carpool.DateOf(time.Now().AddDate(1, 0, 0), time.UTC)
	papers := carpool.Check{Licence: until, Insurance: until, Roadworthy: until}
	c, err := v.s.carpool.Trust.Ask(ctx, m.by, car.ID, papers, nil)
	v.must(err)
	_, err = v.s.carpool.Trust.Decide(ctx, carpool.By{Account: "police"}, c.ID, carpool.Decision{Pass: true, Licence: until, Insurance: until, Roadworthy: until})
	v.must(err)
	note := fmt.Sprintf("notaqz%04d", nr)
	o, err := v.s.carpool.Offers.Add(ctx, m.by, carpool.Offer{Driver: m.by.Member, Vehicle: car.ID, From: from, To: to, When: carpool.Schedule{Time: at, Date: v.day}, Seats: 3,
		MaxDetour: 20 * time.Minute, MilliEURKm: 50, DoorToDoor: true, Note: note}, fmt.Sprintf("offer-of-the-proof-%d", nr))
	v.must(err)
	m.secret = append(m.secret, plate, from.Address)
	return car, c, o
}

func (v *village) spot(id carpool.PlaceID) carpool.Spot {
	v.t.Helper()
	s, err := demoSpot(v.t.Context(), v.s, id)
	v.must(err)
	return s
}

var once = regexp.MustCompile(`(?:name="(?:volta|once|per)" value="[^"]*"|nonce[=-]"?[A-Za-z0-9+/=_-]+|value="[^"]*" name="(?:volta|once|per)"|\b[A-Z2-7]{8}\b|\b\d\d[:.]\d\d(?:[:.]\d\d)?\b)`) // the last two: the reference of a refusal in the log, the time of the answer

// plain is an answer without tokens and without what the asker typed.
func plain(body string, typed ...string) string {
	body = html.UnescapeString(once.ReplaceAllString(body, "ONCE"))
	for _, s := range typed {
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), url.QueryEscape(url.QueryEscape(s))} {
			body = strings.ReplaceAll(body, form, "TYPED")
		}
	}
	return body
}

// cells asks from many points of each of n cells: page, API and the API for
// other operators must answer each cell in one way only.
func (v *village) cells(rnd *rand.Rand, n int) (asked, found int) {
	t := v.t
	to := v.spot("cortemilia-municipio")
	mid := carpool.CellOf(v.spot("bergolo-municipio").At)
	nobody := v.browser()
	look := func(path string) reply {
		return v.patient(func() reply { return v.ask(t, nobody, "", "GET", path) })
	}
	for i := range n {
		cell := carpool.Cell{Row: mid.Row + rnd.IntN(5) - 2, Col: mid.Col + rnd.IntN(5) - 2}
		if i == 0 {
			cell = mid
		}
		var first [3]string
		for range 6 {
			p, ok := inside(rnd, cell)
			if !ok || v.atMeeting(p) {
				continue
			}
			at := fmt.Sprintf("%.6f, %.6f", p.Lat, p.Lon)
			lat, lon := fmt.Sprintf("%.6f", p.Lat), fmt.Sprintf("%.6f", p.Lon)
			outer := url.Values{"departureLat": {lat}, "departureLng": {lon}, "arrivalLat": {fmt.Sprint(to.At.Lat)}, "arrivalLng": {fmt.Sprint(to.At.Lon)},
				"departureDate": {fmt.Sprint(v.morning(7).Unix())}, "timeDelta": {"7200"}, "departureRadius": {"2"}, "arrivalRadius": {"2"}}
			answers := [3]reply{
				look("/passaggi?" + url.Values{"da-testo": {at}, "a": {string(to.Place)}, "giorno": {string(v.day)}, "ora": {"08:00"}}.Encode()),
				look("/api/v1/carpool/search?" + url.Values{"from": {at}, "to": {string(to.Place)}, "arrive": {v.morning(8).Format(time.RFC3339)}}.Encode()),
				v.outer("/driver_journeys?" + outer.Encode()),
			}
			for k, a := range answers {
				asked++
				body := plain(a.body, at, lat, lon)
				if a.status != http.StatusOK {
					t.Fatalf("search %d from %s: %d %.300s", k, at, a.status, a.body)
				}
				if strings.Contains(body, `"ride"`) || k == 2 && len(body) > 4 {
					found++
				}
				if first[k] == "" {
					first[k] = body
				} else if first[k] != body {
					t.Errorf("search %d from %s in cell %s differs from another of that cell:\n%.1500s\n%.1500s", k, at, cell, first[k], body)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no search found anything: the proof shows nothing")
	}
	return asked, found
}

// atMeeting says whether a point counts as a meeting point, which everybody
// knows: operators are answered there as from it.
func (v *village) atMeeting(at geo.LonLat) bool {
	v.t.Helper()
	all, err := v.s.carpool.Places.List(v.t.Context(), "")
	v.must(err)
	return slices.ContainsFunc(all, func(p carpool.Place) bool { return p.At.Distance(at) <= 100 })
}

// patient asks again after the second that a refusal of too many searches names.
func (v *village) patient(ask func() reply) reply {
	v.t.Helper()
	for range 30 {
		r := ask()
		if r.status != http.StatusTooManyRequests {
			return r
		}
		select {
		case <-time.After(time.Second):
		case <-v.t.Context().Done():
		}
	}
	v.t.Fatal("too many searches for half a minute")
	return reply{}
}

// inside is a point of a cell, as six digits say it.
func inside(rnd *rand.Rand, c carpool.Cell) (geo.LonLat, bool) {
	m := c.Middle()
	p := geo.LonLat{Lon: m.Lon + (rnd.Float64()-0.5)*0.0126, Lat: m.Lat + (rnd.Float64()-0.5)*0.009}
	return p, carpool.CellOf(p) == c
}

// morning is an hour of the day of the lifts in Rome.
func (v *village) morning(hour int) time.Time {
	rome, err := time.LoadLocation("Europe/Rome")
	v.must(err)
	d, err := time.ParseInLocation("2006-01-02", string(v.day), rome)
	v.must(err)
	return d.Add(time.Duration(hour) * time.Hour)
}

// outer asks as another operator.
func (v *village) outer(path string) reply {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), "GET", v.url+interop.Prefix+path, nil)
	v.must(err)
	req.Header.Set("X-API-Key", v.key)
	res, err := http.DefaultClient.Do(req)
	v.must(err)
	defer res.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(res.Body)
	v.must(err)
	return reply{status: res.StatusCode, body: b.String()}
}

// leaves has a member delete themselves on the page; nothing of them stays in a
// file of the data folder, or is in the log.
func (v *village) leaves(m member) int {
	t := v.t
	if v.s.cfg.Store.URL == "" && v.inFiles(v.dir, m.secret[1]) == "" {
		t.Fatal("the data folder never held the surname: the proof shows nothing")
	}
	g := v.send(m.session, "POST", "/passaggi/profilo/cancellami", "certo=si")
	if g.status != http.StatusSeeOther {
		t.Fatalf("delete oneself: %d %.500s", g.status, g.body)
	}
	for _, s := range m.secret {
		if s == "" {
			continue
		}
		if where := v.inFiles(v.dir, s); where != "" {
			t.Errorf("%q of who left is in %s", s, where)
		}
	}
	return len(m.secret)
}

// copied has the copies of the database seen to, some days from now.
func (v *village) copied(days int) {
	v.t.Helper()
	if v.kept != "" {
		v.must(v.s.copies.round(v.t.Context(), time.Now().UTC().AddDate(0, 0, days)))
	}
}

// inFiles is the file of a folder that holds some bytes, "" for none.
func (v *village) inFiles(folder, s string) (where string) {
	v.t.Helper()
	v.must(filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(s)) {
			where = path
		}
		return err
	}))
	return where
}

// TestProvePrivacy: searches are constant in a cell, deletion leaves nothing,
// and everybody is answered as the table in docs/reference/privacy-matrix.md
// says. The proof named forget, of tables, export and retention, runs with it.
func TestProvePrivacy(t *testing.T) {
	if os.Getenv("PROVE") != "privacy" {
		t.Skip("heavy: make prove-privacy")
	}
	n, seed := number(t, "N", 20), number(t, "SEED", 1)
	var cells, asked, found, cell, secrets int
	run := func(t *testing.T, storeURL string) {
		v := newVillage(t, storeURL)
		m := newMatrix(v)
		a, f := v.cells(rand.New(rand.NewPCG(uint64(seed), 1)), n)
		cells, asked, found = cells+n, asked+a, found+f
		cell += m.prove()
		all := []member{m.own.rider, m.other.rider, m.own.driver, m.other.driver}
		v.copied(0)
		if v.kept != "" && v.inFiles(v.kept, m.own.rider.secret[1]) == "" {
			t.Fatal("the copy never held the surname: the proof shows nothing")
		}
		for _, gone := range all {
			secrets += v.leaves(gone)
		}
		v.copied(31)
		for _, gone := range all {
			for _, s := range gone.secret {
				if s != "" && v.kept != "" && v.inFiles(v.kept, s) != "" {
					t.Errorf("%q of who left is in a copy after the days of copies", s)
				}
			}
		}
		for _, who := range m.everybody() {
			for _, s := range who.secret {
				if s != "" && strings.Contains(v.logs.text(), s) {
					t.Errorf("%q is in the log", s)
				}
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) { run(t, "") })
	t.Run("postgres", func(t *testing.T) { run(t, storetest.PostgresURL(t)) })
	t.Logf("prove-privacy: %d cells, %d searches (%d found lifts), page, API and operators' API constant in each cell; %d questions answered as the table says; %d fields of people who left, none in a file, the log or a copy of the database", cells, asked, found, cell, secrets)
}
