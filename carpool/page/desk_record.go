package page

import (
	"net/http"
	"slices"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/contact"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// recordView is what the portal keeps of somebody whom the desk acts for: to be
// put right, taken back, or deleted, for who has no page of their own.
type recordView struct {
	For      forWhom
	Trouble  *staffTrouble
	Done     string
	Fields   []staffField
	Boxes    []staffField
	Sure     staffField
	Consents []heldConsent
	Wards    []forWhom // the minors whom they guard
	Gone     staffField
	Out      string // where the forms go
}

// heldConsent is something that somebody agreed to, and may take back.
type heldConsent struct{ What, Label, Since string }

// withdrawable are the consents that end without leaving the portal.
var withdrawable = []carpool.ConsentTo{carpool.ConsentDesk, carpool.ConsentCheck, carpool.ConsentIO, carpool.ConsentMinor}

func recordPath(id carpool.MemberID) string { return personPath(id) + "/dati" }

// recordPage is GET /passaggi/sportello/persona/ID/dati.
func (s *Staff) recordPage(w http.ResponseWriter, r *http.Request) error {
	m, err := s.member(r.Context(), carpool.MemberID(r.PathValue("member")))
	if err != nil {
		return err
	}
	f := s.blank(r, "nome", m.First, "cognome", m.Last, "telefono", m.Phone, "comune", m.Comune)
	for name, on := range map[string]bool{"casa": m.Landline, "famiglia": m.Family} {
		if on {
			f.values.Set(name, "si")
		}
	}
	return s.showRecord(w, r, f, m)
}

func (s *Staff) showRecord(w http.ResponseWriter, r *http.Request, f *staffForm, m carpool.Member) error {
	ctx, p := r.Context(), s.of(r)
	consents, err := s.deps.Members.Consents(ctx, m.ID)
	if err != nil {
		return err
	}
	held := func(what carpool.ConsentTo) int {
		return slices.IndexFunc(consents, func(c carpool.Consent) bool { return c.What == what && c.Withdrawn == nil })
	}
	if held(carpool.ConsentDesk) < 0 {
		return seeOther(w, r, personPath(m.ID)) // it is asked there
	}
	v := recordView{For: p.forWhom(m), Trouble: f.trouble(), Done: p.known("desk.done." + r.URL.Query().Get("fatto")), Out: recordPath(m.ID)}
	for _, one := range [][2]string{{"text", "nome"}, {"text", "cognome"}, {"tel", "telefono"}} {
		field := f.field(one[0], one[1], "desk.new."+one[1]).most(60)
		field.Optional = m.Minor && one[1] == "telefono"
		v.Fields = append(v.Fields, field.plain())
	}
	v.Fields = append(v.Fields, f.field("select", "comune", "desk.new.comune", p.comuneOptions(ctx, login.DeskCarpool, p.word("places.choose"))...))
	v.Boxes = []staffField{f.field("check", "casa", "desk.record.landline"), f.field("check", "famiglia", "desk.new.famiglia")}
	v.Sure, v.Gone = f.field("check", "certo", "desk.record.sure"), f.field("check", "via", "desk.record.delete.sure")
	for _, what := range withdrawable {
		if i := held(what); i >= 0 {
			v.Consents = append(v.Consents, heldConsent{string(what), p.word("desk.record.consent." + string(what)), p.day(consents[i].At)})
		}
	}
	wards, err := s.deps.Members.Wards(ctx, deskFor(ctx, m.ID), m.ID)
	if err != nil {
		return err
	}
	for _, ward := range wards {
		if within(ctx, login.DeskCarpool, ward.Comune) {
			v.Wards = append(v.Wards, p.forWhom(ward))
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.html.WriteStatus(w, r, f.status(), "desk-record.html", s.deskPageView(web.View{Heading: v.For.Name, Self: v.Out, Data: v}))
}

// ofPerson reads whom a form is about, and the form.
func (s *Staff) ofPerson(r *http.Request, known ...string) (carpool.Member, *staffForm, error) {
	m, err := s.member(r.Context(), carpool.MemberID(r.PathValue("member")))
	if err != nil {
		return m, nil, err
	}
	f, err := s.form(r, known...)
	return m, f, err
}

// correct is POST …/dati: a wrong number or name is put right.
func (s *Staff) correct(w http.ResponseWriter, r *http.Request) error {
	m, f, err := s.ofPerson(r, "nome", "cognome", "telefono", "comune", "casa", "famiglia", "certo")
	if err != nil {
		return err
	}
	ctx, now := r.Context(), m
	now.First, now.Last, now.Comune, now.Landline, now.Family = f.must("nome"), f.must("cognome"), f.must("comune"), f.on("casa"), f.on("famiglia")
	if typed := f.get("telefono"); typed == "" && !m.Minor {
		f.bad("telefono", "desk.wrong.empty")
	} else if now.Phone = ""; typed != "" {
		if now.Phone, err = contact.Phone(typed); err != nil {
			f.bad("telefono", "desk.wrong.phone")
		}
	}
	if now.Comune != "" && !within(ctx, login.DeskCarpool, now.Comune) {
		f.bad("comune", "desk.wrong.choose")
	}
	if !f.on("certo") {
		f.bad("certo", "desk.record.tick")
	}
	if !f.ok() {
		return s.showRecord(w, r, f, m)
	}
	if _, err := s.deps.Members.Update(ctx, deskFor(ctx, m.ID), now); err != nil {
		if fault.Of(err) == fault.Conflict {
			f.bad("telefono", "desk.wrong.same-phone")
		} else if err = f.mendable(err); err != nil {
			return err
		}
		return s.showRecord(w, r, f, m)
	}
	return seeOther(w, r, recordPath(m.ID)+"?fatto=corretto")
}

// takeBack is POST …/dati/consenso: somebody no longer agrees to something.
func (s *Staff) takeBack(w http.ResponseWriter, r *http.Request) error {
	m, f, err := s.ofPerson(r, "consenso")
	if err != nil {
		return err
	}
	what := carpool.ConsentTo(f.get("consenso"))
	if !slices.Contains(withdrawable, what) {
		return fault.New(fault.Invalid, "consenso: %.20q is none that is taken back here", string(what))
	}
	if err := s.deps.Members.Withdraw(r.Context(), deskFor(r.Context(), m.ID), m.ID, what); err != nil {
		if err = f.mendable(err); err != nil {
			return err
		}
		return s.showRecord(w, r, f, m)
	}
	if what == carpool.ConsentDesk {
		return seeOther(w, r, deskPath+"?fatto=ritirato") // from now on the desk knows the name alone
	}
	return seeOther(w, r, recordPath(m.ID)+"?fatto=ritirato")
}

// remove is POST …/dati/cancella: all that is kept of somebody goes.
func (s *Staff) remove(w http.ResponseWriter, r *http.Request) error {
	m, f, err := s.ofPerson(r, "via")
	if err != nil {
		return err
	}
	if !f.on("via") {
		f.bad("via", "desk.record.tick")
		return s.showRecord(w, r, f, m)
	}
	if err := s.deps.Privacy.Forget(r.Context(), deskFor(r.Context(), m.ID), m.ID); err != nil {
		if err = f.mendable(err); err != nil {
			return err
		}
		return s.showRecord(w, r, f, m)
	}
	return seeOther(w, r, deskPath+"?fatto=cancellata")
}
