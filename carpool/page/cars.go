package page

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/web"
)

// Trust is the looking at papers, who looked at whom, and suspensions.
type Trust interface {
	MaySend(ctx context.Context, by carpool.By) error
	Ask(ctx context.Context, by carpool.By, vehicle carpool.VehicleID, papers carpool.Check, pictures []carpool.Picture) (carpool.Check, error)
	Mine(ctx context.Context, driver carpool.MemberID) ([]carpool.Check, error)
	Looks(ctx context.Context, member carpool.MemberID) ([]carpool.Look, error)
	SuspensionsOf(ctx context.Context, member carpool.MemberID) ([]carpool.Suspension, error)
	Appeal(ctx context.Context, by carpool.By, id, text string) error
}

// carsView is what the page of cars shows.
type carsView struct {
	F        *filled // of a car
	P        *filled // of papers
	Done     string
	Trouble  *trouble
	Cars     []carRow
	Classes  []option
	Seats    int
	Today    string
	PictureM int // megabytes of one picture
}

// carRow is a car with where its papers stand.
type carRow struct {
	ID, Label, Plate, Class, Seats, Carries string
	State, StateClass, Reason               string
	Papers                                  []row
	Ask                                     bool // papers can be sent now
}

var carFields = []string{"veicolo", "targa", "nome-auto", "classe", "posti-auto", "deambulatore", "carrozzina", "seggiolini"}

// cars is GET /passaggi/auto.
func (p *Pages) cars(v *visit) error {
	f, ok := p.kept(v, carFields...)
	if !ok {
		f = v.blank("posti-auto", "3")
	}
	return p.showCars(v, http.StatusOK, f, v.blank(), nil)
}

func (p *Pages) showCars(v *visit, status int, f, papers *filled, why *trouble) error {
	cars, err := p.deps.Members.Vehicles(v.r.Context(), v.me.ID)
	if err != nil {
		return err
	}
	checks, err := p.deps.Trust.Mine(v.r.Context(), v.me.ID)
	if err != nil {
		return err
	}
	view := carsView{F: f, P: papers, Done: v.said(), Trouble: why, Seats: p.cfg.Limits.Seats,
		Today: string(carpool.DateOf(v.now, v.say.in)), PictureM: int(p.cfg.Picture >> 20)}
	for _, class := range slices.Sorted(maps.Keys(p.cfg.Caps.PerClass)) {
		view.Classes = append(view.Classes, option{Value: string(class), Text: p.className(v.say, class)})
	}
	for _, c := range cars {
		view.Cars = append(view.Cars, p.carRow(v, c, checks))
	}
	v.w.Header().Set("Cache-Control", "no-store")
	return p.show(v, status, "cars.html", web.View{Title: "pool.cars.title", Self: carsPath, Data: view})
}

// className is the word for a class of the union's table; its own name where
// the pages have no word for it.
func (p *Pages) className(say tongue, class carpool.VehicleClass) string {
	if key := "pool.class." + string(class); say.has(key) {
		return say.word(key)
	}
	return string(class)
}

func (p *Pages) carRow(v *visit, c carpool.Vehicle, checks []carpool.Check) carRow {
	r := carRow{ID: string(c.ID), Label: c.Label, Plate: c.Plate, Class: p.className(v.say, c.Class), Seats: v.say.word("pool.car.seats.n", c.Seats),
		Carries: v.say.needs(c.Carries), State: v.say.word("pool.papers.none"), StateClass: "state-unknown", Ask: true}
	i := slices.IndexFunc(checks, func(k carpool.Check) bool { return k.Vehicle == c.ID })
	if i < 0 {
		return r
	}
	k := checks[i]
	state := string(k.State)
	if today := carpool.DateOf(v.now, v.say.in); k.State == carpool.CheckPassed && k.Until() < today {
		state = string(carpool.CheckOver)
	}
	r.State, r.Reason = v.say.word("pool.papers."+state), k.Reason
	switch carpool.CheckState(state) {
	case carpool.CheckPassed:
		r.StateClass = "state-up"
	case carpool.CheckWaiting:
		r.StateClass, r.Ask = "state-degraded", false
	case carpool.CheckRefused, carpool.CheckOver:
		r.StateClass = "state-down"
	}
	r.Papers = []row{{v.say.word("pool.papers.licence"), v.say.date(k.Licence)}, {v.say.word("pool.papers.insurance"), v.say.date(k.Insurance)},
		{v.say.word("pool.papers.roadworthy"), v.say.date(k.Roadworthy)}}
	return r
}

// carBlame says which fields an error about a car is about.
var carBlame = map[string]string{"plate": "targa", "how to know the car": "nome-auto", "class of the car": "classe", "seats beside the driver": "posti-auto", "child seats": "seggiolini"}

// putCar is POST /passaggi/auto: a new car, or an old one changed.
func (p *Pages) putCar(v *visit) error {
	f, err := v.form(carFields...)
	if err != nil {
		return err
	}
	c := carpool.Vehicle{ID: carpool.VehicleID(f.raw("veicolo")), Driver: v.me.ID, Plate: f.must("targa", 20), Label: f.must("nome-auto", 60),
		Class: carpool.VehicleClass(f.raw("classe")), Seats: f.number("posti-auto", 1, p.cfg.Limits.Seats, 3), Carries: f.needs()}
	if _, ok := p.cfg.Caps.PerClass[c.Class]; !ok {
		f.bad("classe", "pool.wrong.choice")
	}
	if !f.ok() {
		return p.showCars(v, http.StatusBadRequest, f, v.blank(), nil)
	}
	_, err = p.sendOnce(v, f, func() (string, error) {
		_, err := p.deps.Members.PutVehicle(v.r.Context(), v.by, c)
		return carsPath, err
	})
	switch {
	case err == nil:
		return v.done(carsPath, "auto")
	case mendable(err):
		f.blame(err, carBlame)
		return p.showCars(v, web.Status(err), f, v.blank(), v.say.trouble(err))
	}
	return err
}

// dropCar is POST /passaggi/auto/togli.
func (p *Pages) dropCar(v *visit) error {
	f, err := v.form("veicolo", "certo")
	if err != nil {
		return err
	}
	if !f.on("certo") {
		return p.showCars(v, http.StatusBadRequest, v.blank("posti-auto", "3"), v.blank(), &trouble{v.say.word("pool.wrong.sure"), ""})
	}
	if err := p.deps.Members.DropVehicle(v.r.Context(), v.by, carpool.VehicleID(f.raw("veicolo"))); err != nil {
		if !mendable(err) {
			return err
		}
		return p.showCars(v, web.Status(err), v.blank("posti-auto", "3"), v.blank(), v.say.trouble(err))
	}
	return v.done(carsPath, "auto-tolta")
}
