package page

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Books are the emergency registers of the comune. Each step is on the disk when
// its call returns.
type Books interface {
	Open(officer, cause string, since time.Time) (*edge.Register, error)
	Line(id, by string, d edge.Direction, correspondent, subject string) (edge.RegisterLine, error)
	Authorise(id, by, act string, until time.Time) error
	Annul(id, by string, line int, why string) error
	Restore(id, by string, ended time.Time) error
	Number(id, by string, line int, official string, date time.Time) error
	Close(id, by string) error
	Get(id string) (*edge.Register, error)
	List() ([]*edge.Register, error)
}

func (o *Office) registerRoutes(mux *http.ServeMux) {
	officer := func(do func(*visit)) http.HandlerFunc {
		return o.in(func(v *visit) {
			if !v.officer() {
				v.fail("registro", fault.New(fault.Denied, "not an officer of the register"))
				return
			}
			do(v)
		})
	}
	mux.HandleFunc("GET /registro", officer(o.registers))
	mux.HandleFunc("POST /registro", officer(o.openRegister))
	mux.HandleFunc("GET /registro/{id}", officer(o.register))
	mux.HandleFunc("GET /registro/{id}/stampa", officer(o.printRegister))
	mux.HandleFunc("POST /registro/{id}/{step}", officer(o.registerStep))
}

type registersPage struct {
	frame
	Open bool // one takes lines
	Now  string
	Rows []registerRow
}

type registerRow struct {
	ID, Link, Cause, Since, State string
	Lines, Missing                int
}

func (o *Office) stateOf(r *edge.Register) string {
	switch {
	case !r.Closed.IsZero():
		return "chiuso " + o.at(r.Closed)
	case !r.Ended.IsZero():
		return "da riportare nel protocollo"
	}
	return "aperto"
}

// registers lists them, and opens one.
func (o *Office) registers(v *visit) {
	all, err := o.deps.Books.List()
	if err != nil {
		v.fail("registro", err)
		return
	}
	p := registersPage{frame: v.frame("registro", "Registro di emergenza"), Now: o.now().Format(typed)}
	for _, r := range slices.Backward(all) {
		p.Open = p.Open || r.Ended.IsZero()
		p.Rows = append(p.Rows, registerRow{r.ID, "/registro/" + r.ID, r.Cause, o.at(r.Since), o.stateOf(r), len(r.Lines), len(r.Open())})
	}
	send(v.w, http.StatusOK, "registers.html", p)
}

// typed is how a browser's field of day and hour writes them.
const typed = "2006-01-02T15:04"

func (v *visit) moment(name string) (time.Time, error) {
	t, err := time.ParseInLocation(typed, v.field(name), v.cfg.Zone)
	if err != nil {
		return t, fault.New(fault.Invalid, "%s: %w", name, err)
	}
	return t, nil
}

func (o *Office) openRegister(v *visit) {
	since, err := v.moment("dalle")
	if err != nil {
		v.fail("registro", err)
		return
	}
	r, err := o.deps.Books.Open(v.who.Name, v.field("causa"), since)
	if err != nil {
		v.fail("registro", err)
		return
	}
	v.back("/registro/" + r.ID)
}

type registerPage struct {
	frame
	Reg                 *edge.Register
	State, Began, Ended string
	Closed, NeedsAct    bool
	Now, Until          string
	Acts                []string
	Lines               []lineRow
	Missing             int
	Head                string
}

type lineRow struct {
	edge.RegisterLine
	Emergency, Date, Way, OfficialDate string
}

// register shows one, with what can be done about it now.
func (o *Office) register(v *visit) { o.showRegister(v, http.StatusOK, "") }

func (o *Office) showRegister(v *visit, status int, trouble string) {
	r, err := o.deps.Books.Get(v.r.PathValue("id"))
	if err != nil {
		v.fail("registro", err)
		return
	}
	now := o.now()
	p := registerPage{frame: v.frame("registro", "Registro "+r.ID), Reg: r, State: o.stateOf(r), Began: o.at(r.Since), Closed: !r.Closed.IsZero(),
		NeedsAct: r.NeedsAct(now) && r.Ended.IsZero(), Now: now.Format(typed), Until: now.AddDate(0, 0, 5).Format(typed), Missing: len(r.Open()), Head: r.Head()}
	p.Trouble = trouble
	if !r.Ended.IsZero() {
		p.Ended = o.at(r.Ended)
	}
	for _, a := range r.Authorised {
		p.Acts = append(p.Acts, a.Act+", fino al "+a.Until.In(o.cfg.Zone).Format("02/01/2006 alle 15:04"))
	}
	for _, l := range slices.Backward(r.Lines) {
		row := lineRow{RegisterLine: l, Emergency: r.LineNumber(l.Number), Date: o.at(l.Date), Way: "in uscita, a"}
		if l.Direction == edge.In {
			row.Way = "in arrivo, da"
		}
		if l.Official.Number != "" {
			row.OfficialDate = l.Official.Date.In(o.cfg.Zone).Format("02/01/2006")
		}
		p.Lines = append(p.Lines, row)
	}
	send(v.w, status, "register.html", p)
}

func (o *Office) printRegister(v *visit) {
	r, err := o.deps.Books.Get(v.r.PathValue("id"))
	if err != nil {
		v.fail("registro", err)
		return
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	if err := r.HTML(v.w, o.now()); err != nil {
		o.deps.Log.Error("office", "path", v.r.URL.Path, "err", err)
	}
}

// registerStep adds a step to a register.
func (o *Office) registerStep(v *visit) {
	id, by := v.r.PathValue("id"), v.who.Name
	line, _ := strconv.Atoi(v.field("riga"))
	var err error
	var at time.Time
	switch v.r.PathValue("step") {
	case "riga":
		d := edge.In
		if v.field("verso") == "uscita" {
			d = edge.Out
		}
		_, err = o.deps.Books.Line(id, by, d, v.field("corrispondente"), v.field("oggetto"))
	case "annulla":
		err = o.deps.Books.Annul(id, by, line, v.field("motivo"))
	case "autorizza":
		if at, err = v.moment("fino"); err == nil {
			err = o.deps.Books.Authorise(id, by, v.field("atto"), at)
		}
	case "ripristino":
		if at, err = v.moment("alle"); err == nil {
			if end, now := at.Add(time.Minute-1), o.now(); at.Before(now) && end.After(now) {
				at = now // what is typed has no seconds: a line of this minute may stand before
			} else if at.Before(now) {
				at = end
			}
			err = o.deps.Books.Restore(id, by, at)
		}
	case "protocollo":
		if at, err = time.ParseInLocation("2006-01-02", v.field("data"), o.cfg.Zone); err != nil {
			err = fault.As(fault.Invalid, err)
		} else {
			err = o.deps.Books.Number(id, by, line, v.field("numero"), at)
		}
	case "chiudi":
		err = o.deps.Books.Close(id, by)
	default:
		err = fault.New(fault.NotFound, "%q is no step", v.r.PathValue("step"))
	}
	switch fault.Of(err) {
	case fault.Invalid:
		if err != nil {
			o.showRegister(v, http.StatusBadRequest, "Manca qualcosa, o una data non è possibile: controlli quello che ha scritto.")
			return
		}
	case fault.Conflict:
		o.showRegister(v, http.StatusConflict, "Non si può fare ora: il registro è già oltre questo passo, o manca un passo prima.")
		return
	}
	if err != nil {
		v.fail("registro", err)
		return
	}
	v.back("/registro/" + id)
}
