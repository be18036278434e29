package page

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/web"
)

var offerFields = []string{"auto", "da", "da-testo", "a", "a-testo", "volte", "giorno", "ora", "giorni…", "dal", "al", "scuola", "salta",
	"torna", "liberi", "abordo", "deviazione", "anticipo", "porta", "deambulatore", "carrozzina", "seggiolini", "contributo", "nota"}

// How often an offer goes.
const (
	timesOnce = "una"
	timesWeek = "settimana"
)

// weekdays as RRULE writes them, Monday first, and as the words are numbered.
var weekdays = []struct{ Rule, Word string }{{"MO", "1"}, {"TU", "2"}, {"WE", "3"}, {"TH", "4"}, {"FR", "5"}, {"SA", "6"}, {"SU", "0"}}

// offerView is what the form of an offer shows.
type offerView struct {
	F       *filled
	Trouble *trouble
	Cars    []option
	Places  template.HTML
	Times   []option
	Days    []option
	School  []option
	Detours []option
	Flex    []option
	Today   string
	Seats   int // most of a car
	Note    int
	Caps    []capRow
	Default string // contribution to begin with
}

// capRow says how much can be asked with so many places.
type capRow struct {
	Class, Places, Most string
}

// offerPage is GET /passaggi/offri.
func (p *Pages) offerPage(v *visit) error {
	f, ok := p.kept(v, offerFields...)
	if !ok {
		tomorrow := string(carpool.DateOf(v.now, v.say.in).Plus(1))
		f = v.blank("giorno", tomorrow, "dal", tomorrow, "volte", timesOnce, "liberi", "1", "abordo", "0",
			"deviazione", strconv.Itoa(int(p.cfg.Detour.Minutes())), "contributo", v.say.euro(p.cfg.Caps.Default))
		cars, err := p.deps.Members.Vehicles(v.r.Context(), v.me.ID)
		if err != nil {
			return err
		}
		if len(cars) == 1 { // what their only car carries
			f.tick(cars[0].Carries)
		}
	}
	return p.showOffer(v, http.StatusOK, f, nil)
}

func (p *Pages) showOffer(v *visit, status int, f *filled, why *trouble) error {
	places, err := p.places(v.r.Context())
	if err != nil {
		return err
	}
	cars, err := p.deps.Members.Vehicles(v.r.Context(), v.me.ID)
	if err != nil {
		return err
	}
	view := p.offerChoices(v, f, why)
	view.Places = p.placeOptions(v.say, places)
	for _, c := range cars {
		view.Cars = append(view.Cars, option{Value: string(c.ID), Text: c.Label})
	}
	view.Caps = p.caps(v.say, cars)
	v.w.Header().Set("Cache-Control", "no-store")
	return p.show(v, status, "offer.html", web.View{Title: "pool.offerpage.title", Self: offerPath, Data: view})
}

// offerChoices are the lines to choose from in the form of an offer, new or
// changed.
func (p *Pages) offerChoices(v *visit, f *filled, why *trouble) offerView {
	view := offerView{F: f, Trouble: why, Today: string(carpool.DateOf(v.now, v.say.in)),
		Times:  marked(v.say.words("pool.times", timesOnce, timesWeek), f.oneOf("volte", timesOnce, timesWeek)),
		School: v.say.words("pool.school", "", "school", "no-school"), Detours: v.say.words("pool.detour", "0", "5", "10", "15", "20", "30", "45"),
		Flex: v.say.words("pool.flex", "0", "5", "10", "15", "30"), Seats: p.cfg.Limits.Seats, Note: p.cfg.Limits.Note,
	}
	view.Days = v.weekdays(f)
	return view
}

// caps are the most that can be asked with the driver's cars, by the number of
// places in them.
func (p *Pages) caps(say tongue, cars []carpool.Vehicle) []capRow {
	var out []capRow
	for _, c := range cars {
		for n := 1; n <= c.Seats; n++ {
			most := p.cfg.Caps.MostFor(c.Class, n)
			out = append(out, capRow{c.Label, strconv.Itoa(n), say.euro(most) + "\u00a0€"})
		}
	}
	return out
}

// euro is thousandths of a euro as people write them: "0,05", "0,075".
func (t tongue) euro(milli int) string {
	s := web.Number(t.lang, float64(milli)/1000, 3)
	return strings.TrimSuffix(s, "0")
}

// milli reads euros per km as people write them, "0,05" or "0.05", as
// thousandths.
func (f *filled) milli(name string) int {
	s := strings.TrimSpace(strings.NewReplacer(",", ".", "€", "").Replace(f.raw(name)))
	if s == "" {
		return 0
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x >= 0 && x < 10) {
		f.bad(name, "pool.wrong.euro")
		return 0
	}
	return int(x*1000 + 0.5)
}

// offerBlame says which fields an error of an offer is about.
var offerBlame = map[string]string{"from": "da", "to": "a", "vehicle": "auto", "seats": "liberi", "aboard": "abordo", "date": "giorno",
	"first": "dal", "last": "al", "except": "salta", "time": "ora", "rule": "giorni", "contribution": "contributo", "milli_eur_km": "contributo",
	"carries": "auto", "child seats": "seggiolini", "max_detour": "deviazione", "note": "nota"}

// addOffer is POST /passaggi/offri.
func (p *Pages) addOffer(v *visit) error {
	f, err := v.form(offerFields...)
	if err != nil {
		return err
	}
	places, err := p.places(v.r.Context())
	if err != nil {
		return err
	}
	cars, err := p.deps.Members.Vehicles(v.r.Context(), v.me.ID)
	if err != nil {
		return err
	}
	o, back, ok := p.readOffer(v, f, places, cars)
	if !ok {
		return p.showOffer(v, http.StatusBadRequest, f, nil)
	}
	to, err := p.sendOnce(v, f, func() (string, error) {
		out, err := p.deps.Offers.Add(v.r.Context(), v.by, o, f.once)
		if err != nil {
			return "", err
		}
		if back != nil {
			back.Return = out.ID
			if _, err := p.deps.Offers.Add(v.r.Context(), v.by, *back, f.once+"-r"); err != nil {
				return "", err
			}
		}
		return offersPath + "?fatto=offerto", nil
	})
	switch {
	case err == nil:
		return v.on(to)
	case mendable(err):
		f.blame(err, offerBlame)
		return p.showOffer(v, web.Status(err), f, v.say.trouble(err))
	}
	return err
}

// readOffer reads an offer out of its form, and the one of the way back where
// the driver said when.
func (p *Pages) readOffer(v *visit, f *filled, places []carpool.Place, cars []carpool.Vehicle) (o carpool.Offer, back *carpool.Offer, ok bool) {
	from, okFrom := p.end(f, "da", places)
	to, okTo := p.end(f, "a", places)
	if okFrom && okTo && from.Spot == to.Spot {
		f.bad("a", "pool.wrong.same")
	}
	i := slices.IndexFunc(cars, func(c carpool.Vehicle) bool { return string(c.ID) == f.raw("auto") })
	if i < 0 {
		f.bad("auto", "pool.wrong.car")
	}
	when, okWhen := v.schedule(f)
	o = carpool.Offer{
		Driver: v.me.ID, From: ownSpot(from), To: ownSpot(to), When: when,
		Seats: f.number("liberi", 1, p.cfg.Limits.Seats, 1), Aboard: f.number("abordo", 0, p.cfg.Limits.Seats, 0),
		MaxDetour: time.Duration(f.number("deviazione", 0, 45, int(p.cfg.Detour.Minutes()))) * time.Minute,
		Flex:      time.Duration(f.number("anticipo", 0, 60, 0)) * time.Minute, DoorToDoor: f.on("porta"),
		Carries: f.needs(), MilliEURKm: f.milli("contributo"), Note: f.text("nota", p.cfg.Limits.Note),
	}
	if i >= 0 {
		o.Vehicle = cars[i].ID
		if most := p.cfg.Caps.CapOf(o, cars[i].Class); o.MilliEURKm > most {
			f.bad("contributo", "pool.wrong.cap", v.say.euro(most))
		}
		if o.Seats+o.Aboard > cars[i].Seats {
			f.bad("liberi", "pool.wrong.seats", cars[i].Seats)
		}
	}
	if c := f.clock("torna"); c != "" {
		if c <= when.Time {
			f.bad("torna", "pool.wrong.return")
		}
		r := o
		r.From, r.To, r.When.Time = o.To, o.From, c
		back = &r
	}
	return o, back, okFrom && okTo && okWhen && f.ok()
}

// ownSpot is an end as it is kept: a place in the driver's own words is private.
func ownSpot(e end) carpool.Spot {
	if e.Place == "" {
		return carpool.Spot{Address: e.Name, At: e.At}
	}
	return e.Spot
}

// schedule reads when an offer goes.
func (v *visit) schedule(f *filled) (carpool.Schedule, bool) {
	if f.oneOf("volte", timesOnce, timesWeek) == timesOnce {
		if _, ok := v.moment(f, "giorno", "ora"); !ok {
			return carpool.Schedule{}, false
		}
		return carpool.Schedule{Time: f.clock("ora"), Date: f.date("giorno")}, true
	}
	s := carpool.Schedule{Time: f.clock("ora"), First: f.date("dal"), Last: f.date("al"),
		School: carpool.SchoolDays(f.oneOf("scuola", "", string(carpool.SchoolDay), string(carpool.NoSchool)))}
	if s.Time == "" {
		f.bad("ora", "pool.wrong.empty")
	}
	if today := carpool.DateOf(v.now, v.say.in); s.First == "" || s.First < today {
		s.First = today
	}
	if s.Last != "" && s.Last < s.First {
		f.bad("al", "pool.wrong.last")
	}
	var days []string
	for _, d := range weekdays {
		if slices.Contains(f.all("giorni"), d.Rule) {
			days = append(days, d.Rule)
		}
	}
	if len(days) == 0 {
		f.bad("giorni", "pool.wrong.days")
	}
	s.Rule = "FREQ=WEEKLY;BYDAY=" + strings.Join(days, ",")
	for _, word := range strings.FieldsFunc(f.raw("salta"), func(c rune) bool { return c == ',' || c == ';' || c == '\n' || c == ' ' || c == '\t' }) {
		d, err := readDate(word)
		if err != nil || len(s.Except) >= 100 {
			f.bad("salta", "pool.wrong.date")
			break
		}
		s.Except = append(s.Except, d)
	}
	return s, f.ok()
}
