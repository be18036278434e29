package page

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// deskView is the one page of a booking. Its six fields are who, from, to,
// when, return, and needs with a note.
type deskView struct {
	Trouble            *staffTrouble
	Done, Once         string
	Who, From, To      staffField
	When, Toward, Back staffField
	Needs              []staffField
	Note               staffField
	For                *forWhom
	Choose             bool // somebody of Found, or a new person
	Found              []forWhom
	New                bool // the form of a new person is open
	NewPerson          []staffField
	Family             staffField
	Consent            bool // it must be asked
	ConsentWrong       string
	How                string
	FromChoice         []string // meeting points that fit equally
	ToChoice           []string
	Calls              int
	CanPrint           bool
}

var deskForm = []string{"chi", "persona", "da", "a", "quando", "verso", "ritorno", "deambulatore", "carrozzina", "accompagnatore", "seggiolino", "porta", "nota",
	"once", "vai", "consenso", "nome", "cognome", "telefono", "comune", "famiglia"}

// deskPage is /passaggi/sportello.
func (s *Staff) deskPage(w http.ResponseWriter, r *http.Request) error {
	f := s.blank(r)
	var v deskView
	if id := r.URL.Query().Get("persona"); id != "" {
		m, err := s.member(r.Context(), carpool.MemberID(id))
		if err != nil {
			return err
		}
		who := s.of(r).forWhom(m)
		missing, err := s.missing(r.Context(), m)
		if err != nil {
			return err
		}
		if len(missing) > 0 {
			v.Consent, who.Phone = true, ""
		}
		f.values.Set("persona", id)
		v.For = &who
	}
	return s.showDesk(w, r, f, v)
}

func (s *Staff) showDesk(w http.ResponseWriter, r *http.Request, f *staffForm, v deskView) error {
	p, ctx := s.of(r), r.Context()
	points, err := s.deps.Points.List(ctx, "")
	if err != nil {
		return err
	}
	var names []staffOption
	for _, place := range points {
		if !place.Closed {
			names = append(names, staffOption{Value: place.Name, Text: place.Name})
		}
	}
	v.Trouble, v.Done = f.trouble(), p.known("desk.done."+r.URL.Query().Get("fatto"))
	if v.Once = f.values.Get("once"); v.Once == "" {
		v.Once = newOnce()
	}
	v.Who = f.field("text", "chi", "desk.who").most(80)
	v.From, v.To = f.field("suggest", "da", "desk.from", names...).most(200), f.field("suggest", "a", "desk.to", names...).most(200)
	v.When = f.field("text", "quando", "desk.when").most(maxTypedWhen)
	v.Toward = f.field("select", "verso", "desk.toward", staffOption{Value: "arrivo", Text: p.word("desk.toward.arrive")}, staffOption{Value: "partenza", Text: p.word("desk.toward.leave")})
	v.Back = f.field("select", "ritorno", "desk.back-way", p.returnOptions()...).optional()
	for _, name := range []string{"deambulatore", "carrozzina", "accompagnatore", "seggiolino", "porta"} {
		v.Needs = append(v.Needs, f.field("check", name, "desk.need."+name))
	}
	v.Note = f.field("text", "nota", "desk.note").most(carpool.Default().Limits.Note).optional()
	for _, one := range [][2]string{{"text", "nome"}, {"text", "cognome"}, {"tel", "telefono"}} {
		field := f.field(one[0], one[1], "desk.new."+one[1]).most(60)
		field.Optional = true // only of a new person; the server asks for it then
		v.NewPerson = append(v.NewPerson, field.plain())
	}
	comune := f.field("select", "comune", "desk.new.comune", p.comuneOptions(ctx, login.DeskCarpool, p.word("places.choose"))...)
	v.NewPerson = append(v.NewPerson, comune)
	v.Family = f.field("check", "famiglia", "desk.new.famiglia")
	v.How, v.ConsentWrong = f.values.Get("consenso"), f.wrong["consenso"]
	v.Consent = v.Consent || v.New
	for i := range v.Found {
		v.Found[i].On = len(v.Found) == 1 || string(v.Found[i].ID) == f.values.Get("persona")
	}
	return s.html.WriteStatus(w, r, f.status(), "desk.html", s.deskPageView(web.View{Title: "desk.title", Self: deskPath, Data: v}))
}

// deskPageView adds what every page of the desk has.
func (s *Staff) deskPageView(v web.View) web.View {
	v.Nav, v.Styles = deskPath, append(v.Styles, "sportello/staff.css")
	return v
}

// returnOptions are the ways back: none, when the visit ends, or at a time.
func (p speech) returnOptions() []staffOption {
	out := []staffOption{{Value: "", Text: p.word("desk.back-way.none")}, {Value: "aperto", Text: p.word("desk.back-way.open")}}
	for m := 6 * 60; m <= 22*60; m += 30 {
		at := time.Date(2000, 1, 1, 0, m, 0, 0, time.UTC).Format("15:04")
		out = append(out, staffOption{Value: at, Text: p.word("desk.back-way.at", at)})
	}
	return out
}

// book is the form of the page: finds or writes down the person, asks for
// consent where it is missing, states the way.
func (s *Staff) book(w http.ResponseWriter, r *http.Request) error {
	f, err := s.form(r, deskForm...)
	if err != nil {
		return err
	}
	once, err := f.once()
	if err != nil {
		return err
	}
	ctx := r.Context()
	var v deskView
	m, known, err := s.whoField(r, f, &v)
	if err != nil {
		return err
	}
	if known {
		who := s.of(r).forWhom(m)
		v.For, v.Choose, v.New = &who, false, false
		f.values.Set("persona", string(m.ID))
		if f.get("vai") == "persona" {
			return seeOther(w, r, who.URL)
		}
	} else if f.get("vai") == "persona" {
		return s.showDesk(w, r, f, v)
	}
	req, back, again, err := s.readRequest(ctx, f, &v)
	if err != nil {
		return err
	}
	if !known || !f.ok() {
		return s.showDesk(w, r, f, v)
	}
	ok, err := s.agreed(ctx, f, m)
	if err != nil {
		return err
	}
	if !ok {
		v.Consent, v.For.Phone = true, ""
		return s.showDesk(w, r, f, v)
	}
	req.Rider = m.ID
	req.Needs = bothNeeds(req.Needs, m.Needs)
	made, err := requested(ctx, s.deps.Bookings, deskFor(ctx, m.ID), req, back, again, once)
	if err != nil {
		if err = f.mendable(err); err != nil {
			return err
		}
		return s.showDesk(w, r, f, v)
	}
	return seeOther(w, r, requestPath(m.ID, made.ID))
}

func requestPath(m carpool.MemberID, id carpool.RequestID) string {
	return personPath(m) + "/richiesta/" + url.PathEscape(string(id))
}

// readRequest reads the journey of a form, and notes what is wrong with it.
func (s *Staff) readRequest(ctx context.Context, f *staffForm, v *deskView) (carpool.Request, *carpool.Window, *carpool.Repeat, error) {
	points, err := s.deps.Points.List(ctx, "")
	if err != nil {
		return carpool.Request{}, nil, nil, err
	}
	names := newDeskNames(points, s.deps.Union)
	req := carpool.Request{MaxWalk: s.cfg.MaxWalk, DoorToDoor: f.on("porta"), Note: f.get("nota"),
		Needs: carpool.Needs{WalkingFrame: f.on("deambulatore"), Wheelchair: f.on("carrozzina")}}
	if f.on("accompagnatore") {
		req.Companions = 1
	}
	if f.on("seggiolino") {
		req.Needs.ChildSeats = 1
	}
	req.From, v.FromChoice = f.spot("da", names)
	req.To, v.ToChoice = f.spot("a", names)
	if f.wrong["da"] == "" && f.wrong["a"] == "" && req.From == req.To {
		f.bad("a", "desk.wrong.same-place")
	}
	back, again := s.readWhen(f, &req)
	return req, back, again, nil
}

// spot reads an end of a journey; where several meeting points fit it gives
// their names.
func (f *staffForm) spot(name string, names deskNames) (carpool.Spot, []string) {
	text := f.must(name)
	if text == "" {
		return carpool.Spot{}, nil
	}
	at, ok := names.find(text)
	switch {
	case !ok:
		f.bad(name, "desk.wrong.place")
	case len(at.choice) > 0:
		f.bad(name, "desk.wrong.places", strings.Join(at.choice[:min(len(at.choice), 6)], "; "))
	}
	return at.spot, at.choice
}

// readWhen reads the day, the time, the way back, and on which days again.
func (s *Staff) readWhen(f *staffForm, req *carpool.Request) (*carpool.Window, *carpool.Repeat) {
	text, in := f.must("quando"), s.shell.Location()
	if text == "" {
		return nil, nil
	}
	day, clock, again, ok := dayTimeAgain(text, carpool.DateOf(s.shell.Now(), in))
	if !ok {
		f.bad("quando", "desk.wrong.when")
		return nil, nil
	}
	at, err := clock.On(day, in)
	if err != nil {
		f.bad("quando", "desk.wrong.when")
		return nil, nil
	}
	if !at.After(s.shell.Now()) {
		f.bad("quando", "desk.wrong.past")
		return nil, nil
	}
	req.When = windowOf(at, f.get("verso") != "partenza", s.cfg.Slack)
	if req.When.From.Before(s.shell.Now()) {
		req.When.From = s.shell.Now()
	}
	switch back := f.get("ritorno"); back {
	case "":
		req.Return = carpool.NoReturn
	case "aperto":
		req.Return = carpool.ReturnOpen
	default:
		homeward, err := carpool.Clock(back).On(day, in)
		if err != nil || !homeward.After(at) {
			f.bad("ritorno", "desk.wrong.back")
			return nil, nil
		}
		req.Return = carpool.ReturnAt
		w := windowOf(homeward, false, s.cfg.Slack)
		return &w, again
	}
	return nil, again
}

// bothNeeds is all that either says.
func bothNeeds(a, b carpool.Needs) carpool.Needs {
	return carpool.Needs{WalkingFrame: a.WalkingFrame || b.WalkingFrame, Wheelchair: a.Wheelchair || b.Wheelchair, ChildSeats: max(a.ChildSeats, b.ChildSeats)}
}

// askOf is the search that a request stands for.
func askOf(req carpool.Request) carpool.Ask {
	return carpool.Ask{For: req.Rider, From: req.From, To: req.To, When: req.When, Seats: req.Seats(), Needs: req.Needs, MaxWalk: req.MaxWalk, DoorToDoor: req.DoorToDoor}
}

// plain marks a field that is asked for only sometimes: no word about it.
func (f staffField) plain() staffField { f.Optional, f.Sometimes = false, true; return f }

// open are requests that still need a word of somebody.
func open(all []carpool.Request) []carpool.Request {
	return slices.DeleteFunc(slices.Clone(all), func(q carpool.Request) bool {
		return q.State == carpool.RequestDone || q.State == carpool.RequestWithdrawn
	})
}
