package page

import (
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/web"
)

// What the search form asks; addresses of answers hold the same names.
var searchFields = []string{"da", "da-testo", "a", "a-testo", "giorno", "ora", "senso", "margine", "posti", "piedi", "deambulatore", "carrozzina", "seggiolini"}

const (
	bySenseArrive = "arrivo"
	bySenseLeave  = "partenza"
)

// searchView is what the search page shows.
type searchView struct {
	F      *filled
	Known  bool // a member looks
	Done   string
	Places template.HTML
	Found  *foundView
	Today  string
	Slack  []option
	Senses []option
	Walks  []option
	Seats  []option
	Desk   Contacts
}

// Open says whether the part of the form that few need is shown: where
// something in it was chosen or is wrong.
func (s searchView) Open() bool {
	for _, name := range []string{"posti", "margine", "piedi", "deambulatore", "carrozzina", "seggiolini"} {
		if x := s.F.raw(name); s.F.wrong[name] != "" || x != "" && x != "1" && x != "0" && !(name == "margine" && x == "60") {
			return true
		}
	}
	return false
}

// foundView is the answer to a search.
type foundView struct {
	From, To, When string
	Matches        []matchView
	Misses         []string
	Buses          []busView
	Estimate       bool
	Schematic      bool
	Source         string
	Ask            string // address of the form that asks without a ride
	Hidden         []hidden
}

// matchView is one ride of an answer.
type matchView struct {
	ID               string // for headings
	Depart, Arrive   string // of the rider, in and out
	From, To         string
	WalkFrom, WalkTo string // "" where there is nothing to walk
	Aboard, Way      string
	Cost             string // "" for nothing
	Why              []string
	LastBus          string
	Ask              string // address of the form that asks for it
}

type busView struct {
	Line, From, To, Depart, Arrive string
	Last                           bool
}

// search is GET /passaggi: the form, and the answer once there is a question.
func (p *Pages) search(v *visit) error {
	f := v.query(searchFields...)
	asked := v.r.URL.Query().Has("da") || v.r.URL.Query().Has("da-testo")
	if !asked {
		f.values.Set("giorno", string(carpool.DateOf(v.now, v.say.in)))
		f.values.Set("ora", v.now.In(v.say.in).Add(time.Hour).Truncate(30*time.Minute).Format("15:04"))
	}
	if asked {
		if err := p.asked.take(v.r.Context(), v.now, memberSearches); err != nil {
			return err
		}
	}
	places, err := p.places(v.r.Context())
	if err != nil {
		return err
	}
	var found *foundView
	if asked {
		ask, from, to, ok := p.readAsk(v, f, places)
		if ok {
			if found, err = p.find(v, f, ask, from, to, places); err != nil {
				if !mendable(err) || !f.blame(err, askBlame) {
					return err
				}
			}
		}
	}
	return p.show(v, f.status(), "search.html", web.View{Title: "pool.title", Data: p.searchView(v, f, places, found)})
}

// askBlame says which fields of the forms an error of a search is about.
var askBlame = map[string]string{"from": "da", "to": "a", "when": "ora", "seats": "posti", "max_walk": "piedi", "window": "ora", "days": "giorni", "until": "fino"}

func (p *Pages) searchView(v *visit, f *filled, places []carpool.Place, found *foundView) searchView {
	return searchView{
		F: f, Known: v.me.ID != "", Done: v.said(), Places: p.placeOptions(v.say, places), Found: found,
		Today: string(carpool.DateOf(v.now, v.say.in)), Desk: p.cfg.Union,
		Slack: v.say.words("pool.slack", "60", "30", "120", "240"), Senses: senses(v.say, f),
		Walks: v.say.words("pool.walk", "", "5", "10", "20", "30"), Seats: p.seatOptions(v.say),
	}
}

func senses(say tongue, f *filled) []option {
	chosen := f.raw("senso")
	if chosen == "" {
		chosen = bySenseArrive
	}
	return marked(say.words("pool.sense", bySenseArrive, bySenseLeave), chosen)
}

func (p *Pages) seatOptions(say tongue) []option {
	var out []option
	for n := 1; n <= 1+p.cfg.Limits.Companions; n++ {
		text := say.word("pool.people", n)
		if n == 1 {
			text = say.word("pool.person")
		}
		out = append(out, option{Value: strconv.Itoa(n), Text: text})
	}
	return out
}

// readAsk reads a search out of a form.
func (p *Pages) readAsk(v *visit, f *filled, places []carpool.Place) (ask carpool.Ask, from, to end, ok bool) {
	from, okFrom := p.end(f, "da", places)
	to, okTo := p.end(f, "a", places)
	if okFrom && okTo && from.Spot == to.Spot {
		f.bad("a", "pool.wrong.same")
	}
	when, okWhen := v.window(f, "giorno", "ora", "senso", "margine")
	ask = carpool.Ask{
		For: v.me.ID, From: from.Spot, To: to.Spot, When: when,
		Seats: f.number("posti", 1, 1+p.cfg.Limits.Companions, 1), Needs: f.needs(),
		MaxWalk: p.cfg.MaxWalk,
	}
	if f.raw("piedi") != "" {
		ask.MaxWalk = time.Duration(f.number("piedi", 0, 60, int(p.cfg.MaxWalk.Minutes()))) * time.Minute
	}
	return ask, from, to, okFrom && okTo && okWhen && f.ok()
}

// needs of a rider out of a form.
func (f *filled) needs() carpool.Needs {
	return carpool.Needs{WalkingFrame: f.on("deambulatore"), Wheelchair: f.on("carrozzina"), ChildSeats: f.number("seggiolini", 0, 4, 0)}
}

// tick is the other way round: needs as the fields say them.
func (f *filled) tick(n carpool.Needs) {
	for name, on := range map[string]bool{"deambulatore": n.WalkingFrame, "carrozzina": n.Wheelchair} {
		if on {
			f.values.Set(name, "si")
		}
	}
	f.values.Set("seggiolini", strconv.Itoa(n.ChildSeats))
}

// window reads when somebody wants to arrive or to leave.
func (v *visit) window(f *filled, day, clock, sense, slack string) (carpool.Window, bool) {
	at, ok := v.moment(f, day, clock)
	span := time.Duration(f.number(slack, 10, 720, 60)) * time.Minute
	if !ok {
		return carpool.Window{}, false
	}
	if f.oneOf(sense, bySenseArrive, bySenseLeave) == bySenseLeave {
		return carpool.Window{From: at, To: at.Add(span)}, true
	}
	return carpool.Window{From: at.Add(-span), To: at, Arrive: true}, true
}

// find asks the portal.
func (p *Pages) find(v *visit, f *filled, ask carpool.Ask, from, to end, places []carpool.Place) (*foundView, error) {
	answer, err := p.deps.Bookings.Search(v.r.Context(), ask)
	if err != nil {
		return nil, err
	}
	out := &foundView{From: from.Name, To: to.Name, When: v.say.windowText(ask.When),
		Estimate: answer.Roads.Estimate, Schematic: answer.Roads.Kind == "schematic", Source: answer.Roads.Source,
		Ask: askPath + "?" + f.address(""), Hidden: f.Hidden("per")}
	for i, m := range answer.Matches {
		out.Matches = append(out.Matches, p.matchView(v.say, m, i, from, to, places, f))
	}
	for _, m := range answer.Misses {
		out.Misses = append(out.Misses, v.say.miss(m))
	}
	for _, b := range answer.Buses {
		out.Buses = append(out.Buses, v.say.bus(b))
	}
	return out, nil
}

// address is a form as the query of an address, for a ride where one is named.
func (f *filled) address(ride carpool.RideID) string {
	q := url.Values{}
	for _, name := range searchFields {
		if x := f.values.Get(name); x != "" {
			q.Set(name, x)
		}
	}
	if ride != "" {
		q.Set("corsa", string(ride))
	}
	return q.Encode()
}

func (p *Pages) matchView(say tongue, m carpool.Match, i int, from, to end, places []carpool.Place, f *filled) matchView {
	out := matchView{
		ID: "passaggio-" + strconv.Itoa(i+1), Depart: say.clockOf(m.Pickup.Time), Arrive: say.clockOf(m.Drop.Time),
		From: stopName(m.Pickup, from, places, say), To: stopName(m.Drop, to, places, say),
		Aboard: say.minutes(spanShown(m.Pickup.Time, m.Drop.Time)), Way: say.km(m.Way), Ask: askPath + "?" + f.address(m.Ride),
	}
	if m.Pickup.Walk >= 30*time.Second {
		out.WalkFrom = say.minutes(m.Pickup.Walk)
	}
	if m.Drop.Walk >= 30*time.Second {
		out.WalkTo = say.minutes(m.Drop.Walk)
	}
	if m.Cents > 0 {
		out.Cost = say.money(m.Cents)
	}
	for _, r := range m.Why {
		out.Why = append(out.Why, say.reason(r))
	}
	if m.LastBus {
		out.LastBus = say.word("pool.lastbus")
	}
	return out
}

// stopName is where a rider gets in or out.
func stopName(s carpool.MatchStop, at end, places []carpool.Place, say tongue) string {
	if s.Place == "" {
		return say.word("pool.door", at.Name)
	}
	if s.Name != "" {
		return s.Name
	}
	if i := slices.IndexFunc(places, func(x carpool.Place) bool { return x.ID == s.Place }); i >= 0 {
		return places[i].Name
	}
	return string(s.Place)
}

// reason is one line of "why this match".
func (t tongue) reason(r carpool.Reason) string {
	args := make([]any, len(r.Args))
	for i, a := range r.Args {
		switch a := a.(type) {
		case time.Time:
			args[i] = t.clockOf(a)
		case time.Duration:
			args[i] = wholeMinutes(a)
		case float64: // as JSON reads numbers
			args[i] = int(a)
		default:
			args[i] = a
		}
	}
	return counted(t.word, "pool."+r.Key, args...)
}

// miss is one line of what nearly fits.
func (t tongue) miss(m carpool.Miss) string {
	if m.Bus != nil {
		return t.word("pool.miss.bus", m.Bus.Line, m.Bus.From, t.clockOf(m.Bus.Depart), m.Bus.To, t.clockOf(m.Bus.Arrive))
	}
	switch m.Why {
	case "full", "needs":
		return t.word("pool.miss." + m.Why)
	}
	return t.word("pool.miss."+m.Why, t.minutes(m.By))
}

func (t tongue) bus(b carpool.Bus) busView {
	return busView{Line: b.Line, From: b.From, To: b.To, Depart: t.clockOf(b.Depart), Arrive: t.clockOf(b.Arrive), Last: b.Last}
}

// windowText says when: "lunedì 23 novembre 2026, arrivo tra le 09:00 e le 10:00".
func (t tongue) windowText(w carpool.Window) string {
	key := "pool.window.leave"
	if w.Arrive {
		key = "pool.window.arrive"
	}
	return t.word(key, t.day(w.From), t.clockOf(w.From), t.clockOf(w.To))
}

// setLarge is POST /passaggi/caratteri: large type or not.
func (p *Pages) setLarge(v *visit) error {
	large := !web.Large(v.r)
	web.SetLarge(v.w, large)
	if v.me.ID != "" && v.me.Large != large {
		m := v.me
		m.Large = large
		if _, err := p.deps.Members.Update(v.r.Context(), v.by, m); err != nil {
			return err
		}
	}
	return v.on(v.from())
}

// from is the page of ours that a form was sent from, as browsers say; the
// search where they do not.
func (v *visit) from() string {
	u, err := url.Parse(v.r.Referer())
	if err != nil || u.Host != v.r.Host || len(u.Path) < len(searchPath) || u.Path[:len(searchPath)] != searchPath {
		return searchPath
	}
	if u.RawQuery != "" {
		return u.EscapedPath() + "?" + u.RawQuery
	}
	return u.EscapedPath()
}
