package page

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// What the form of a request asks beside the search's fields.
var askFields = append(slices.Clone(searchFields), "corsa", "ritorno", "ritorno-giorno", "ritorno-ora", "porta", "da-indirizzo", "a-indirizzo", "nota", "passo", "giorni…", "fino", "scuola")

// Ways back that the form offers.
const (
	backNone = "no"
	backAt   = "ora"
	backOpen = "aperto"
)

// askView is what the form of a request shows.
type askView struct {
	F       *filled
	Trouble *trouble
	Places  template.HTML
	Slack   []option
	Senses  []option
	Walks   []option
	Seats   []option
	Backs   []option
	Days    []option
	School  []option
	Weeks   int // for which a journey is repeated at most
	Again   bool
	Today   string
	Note    int
	Ride    string // when and where the ride that was chosen stops; "" for none
}

// askPage is GET /passaggi/chiedi, empty, from a search, or come back after a
// sign-in.
func (p *Pages) askPage(v *visit) error {
	f, ok := p.kept(v, askFields...)
	if !ok {
		f = v.query(askFields...)
		f.values.Del("passo")
		if !f.values.Has("giorno") {
			f.values.Set("giorno", string(carpool.DateOf(v.now, v.say.in).Plus(1)))
		}
		p.ownNeeds(v, f)
	}
	return p.showAsk(v, http.StatusOK, f, nil)
}

// ownNeeds fills in what the member always needs.
func (p *Pages) ownNeeds(v *visit, f *filled) {
	for name, yes := range map[string]bool{"deambulatore": v.me.Needs.WalkingFrame, "carrozzina": v.me.Needs.Wheelchair} {
		if yes {
			f.values.Set(name, "si")
		}
	}
	if n := v.me.Needs.ChildSeats; n > 0 && !f.values.Has("seggiolini") {
		f.values.Set("seggiolini", strconv.Itoa(n))
	}
}

func (p *Pages) showAsk(v *visit, status int, f *filled, why *trouble) error {
	places, err := p.places(v.r.Context())
	if err != nil {
		return err
	}
	if f.raw("ritorno") == "" {
		f.values.Set("ritorno", backNone)
	}
	v.w.Header().Set("Cache-Control", "no-store")
	return p.show(v, status, "ask.html", web.View{Title: "pool.askpage.title", Self: askPath, Data: askView{
		F: f, Trouble: why, Places: p.placeOptions(v.say, places), Slack: v.say.words("pool.slack", "60", "30", "120", "240"),
		Senses: senses(v.say, f), Walks: v.say.words("pool.walk", "", "5", "10", "20", "30"), Seats: p.seatOptions(v.say),
		Backs: marked(v.say.words("pool.back", backNone, backAt, backOpen), f.raw("ritorno")),
		Days:  v.weekdays(f), School: v.say.words("pool.school", "", "school", "no-school"), Weeks: carpool.MostWeeks, Again: len(f.all("giorni")) > 0 || f.Bad("giorni") != "" || f.Bad("fino") != "",
		Today: string(carpool.DateOf(v.now, v.say.in)), Note: p.cfg.Limits.Note,
	}})
}

// asking is a request as its form says it.
type asking struct {
	Request  carpool.Request
	Back     *carpool.Window
	Again    *carpool.Repeat // nil: once
	Ask      carpool.Ask
	From, To end
}

// readRequest reads a request out of a form.
func (p *Pages) readRequest(v *visit, f *filled, places []carpool.Place) (asking, bool) {
	ask, from, to, ok := p.readAsk(v, f, places)
	ask.DoorToDoor = f.on("porta")
	door := func(e end, field string) carpool.Spot {
		words := f.line(field, 160)
		switch {
		case ask.DoorToDoor && words != "":
			return carpool.Spot{Address: words + ", " + e.Name, At: e.At}
		case e.Place == "":
			return carpool.Spot{Address: e.Name, At: e.At}
		}
		return e.Spot
	}
	out := asking{From: from, To: to}
	ask.From, ask.To = door(from, "da-indirizzo"), door(to, "a-indirizzo")
	out.From.Spot, out.To.Spot = ask.From, ask.To
	out.Ask = ask
	out.Request = carpool.Request{
		Rider: v.me.ID, By: v.by.Account, From: ask.From, To: ask.To, When: ask.When, Companions: max(ask.Seats-1, 0),
		Needs: ask.Needs, DoorToDoor: ask.DoorToDoor, MaxWalk: ask.MaxWalk, Note: f.text("nota", p.cfg.Limits.Note),
	}
	switch f.oneOf("ritorno", backNone, backAt, backOpen) {
	case backOpen:
		out.Request.Return = carpool.ReturnOpen
	case backAt:
		out.Request.Return = carpool.ReturnAt
		at, okBack := v.moment(f, "ritorno-giorno", "ritorno-ora")
		switch {
		case !okBack:
			ok = false
		case !at.After(ask.When.From):
			f.bad("ritorno-ora", "pool.wrong.back")
		default:
			out.Back = &carpool.Window{From: at, To: at.Add(2 * time.Hour)}
		}
	}
	out.Again = v.again(f)
	return out, ok && f.ok()
}

// checkView is the page that shows a request before it is sent.
type checkView struct {
	F      *filled
	Rows   []row
	Match  *matchView // the ride that was chosen
	Gone   bool       // it is not there any more
	Hidden []hidden
}

// row is a line of a summary.
type row struct{ Label, Text string }

// ask is POST /passaggi/chiedi: look at it again, mend it, or send it.
func (p *Pages) ask(v *visit) error {
	f, err := v.form(askFields...)
	if err != nil {
		return err
	}
	step := f.raw("passo")
	f.values.Del("passo")
	if step == "correggi" {
		return p.showAsk(v, http.StatusOK, f, nil)
	}
	places, err := p.places(v.r.Context())
	if err != nil {
		return err
	}
	a, ok := p.readRequest(v, f, places)
	if !ok {
		return p.showAsk(v, http.StatusBadRequest, f, nil)
	}
	if step == "invia" {
		return p.send(v, f, a)
	}
	view := checkView{F: f, Rows: p.summary(v.say, a, f), Hidden: f.Hidden()}
	if ride := carpool.RideID(f.raw("corsa")); ride != "" {
		if err := p.asked.take(v.r.Context(), v.now, memberSearches); err != nil {
			return err
		}
		m, err := p.matchOf(v.r.Context(), a.Ask, ride)
		switch {
		case err == nil:
			one := p.matchView(v.say, m, 0, a.From, a.To, places, f)
			view.Match = &one
		case fault.Of(err) == fault.NotFound:
			view.Gone = true
		case mendable(err):
			f.blame(err, askBlame)
			return p.showAsk(v, web.Status(err), f, v.say.trouble(err))
		default:
			return err
		}
	}
	v.w.Header().Set("Cache-Control", "no-store")
	return p.show(v, http.StatusOK, "check.html", web.View{Title: "pool.check.title", Self: askPath, Data: view})
}

// summary says a request in lines.
func (p *Pages) summary(say tongue, a asking, f *filled) []row {
	where := func(e end) string {
		if e.Address != "" {
			return e.Address
		}
		return e.Name
	}
	rows := []row{
		{say.word("pool.from"), where(a.From)}, {say.word("pool.to"), where(a.To)},
		{say.word("pool.when"), say.windowText(a.Request.When)},
		{say.word("pool.seats"), strconv.Itoa(a.Request.Seats())},
	}
	if n := say.needs(a.Request.Needs); n != "" {
		rows = append(rows, row{say.word("pool.needs"), n})
	}
	back := say.word("pool.back." + f.oneOf("ritorno", backNone, backAt, backOpen))
	if a.Back != nil {
		back = say.word("pool.back.from", say.day(a.Back.From), say.clockOf(a.Back.From))
	}
	rows = append(rows, row{say.word("pool.back"), back})
	if a.Again != nil {
		rows = append(rows, row{say.word("pool.again"), say.again(*a.Again)})
	}
	if a.Request.Note != "" {
		rows = append(rows, row{say.word("pool.note"), a.Request.Note})
	}
	return rows
}

// needs in words; "" for none.
func (t tongue) needs(n carpool.Needs) string {
	var out []string
	if n.WalkingFrame {
		out = append(out, t.word("pool.frame"))
	}
	if n.Wheelchair {
		out = append(out, t.word("pool.wheelchair"))
	}
	if n.ChildSeats > 0 {
		out = append(out, t.word("pool.childseats.n", n.ChildSeats))
	}
	return strings.Join(out, ", ")
}

// matchOf looks for a ride again among the matches of a search. NotFound: it
// does not fit any more.
func (p *Pages) matchOf(ctx context.Context, a carpool.Ask, ride carpool.RideID) (carpool.Match, error) {
	answer, err := p.deps.Bookings.Search(ctx, a)
	if err != nil {
		return carpool.Match{}, err
	}
	i := slices.IndexFunc(answer.Matches, func(m carpool.Match) bool { return m.Ride == ride })
	if i < 0 {
		return carpool.Match{}, fault.New(fault.NotFound, "ride %.40q: it does not fit any more", string(ride))
	}
	return answer.Matches[i], nil
}

// send writes the request, and asks the driver of the ride that was chosen. A
// ride that is gone meanwhile leaves the request, for which a way is looked.
func (p *Pages) send(v *visit, f *filled, a asking) error {
	ctx, ride := v.r.Context(), carpool.RideID(f.raw("corsa"))
	if ride != "" { // it is searched for again
		if err := p.asked.take(ctx, v.now, memberSearches); err != nil {
			return err
		}
	}
	to, err := p.sendOnce(v, f, func() (string, error) {
		q, err := requested(ctx, p.deps.Bookings, v.by, a.Request, a.Back, a.Again, f.once)
		if err != nil {
			return "", err
		}
		if ride == "" {
			return minePath + "?fatto=chiesto", nil
		}
		m, err := p.matchOf(ctx, a.Ask, ride)
		if err == nil {
			_, err = p.deps.Bookings.Book(ctx, v.by, q.ID, m, f.once)
		}
		switch {
		case err == nil:
			return minePath + "?fatto=prenotato", nil
		case mendable(err):
			return minePath + "?fatto=sparito", nil
		}
		return "", err
	})
	switch {
	case err == nil:
		return v.on(to)
	case mendable(err):
		f.blame(err, askBlame)
		return p.showAsk(v, web.Status(err), f, v.say.trouble(err))
	}
	return err
}
