package page

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/contact"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// StaffMembers are the people whom the desk acts for.
type StaffMembers interface {
	Register(ctx context.Context, by carpool.By, r carpool.Registration) (carpool.Member, error)
	// See reads a member and writes down the look; ComuneOf tells nothing else.
	See(ctx context.Context, by carpool.By, id carpool.MemberID, what carpool.LookAt, thing string, in func(comune string) bool) (carpool.Member, error)
	ComuneOf(ctx context.Context, id carpool.MemberID) (string, error)
	Find(ctx context.Context, by carpool.By, words string, in func(comune string) bool) ([]carpool.Member, error)
	Consent(ctx context.Context, by carpool.By, member carpool.MemberID, what carpool.ConsentTo, how string) (carpool.Consent, error)
	Consents(ctx context.Context, member carpool.MemberID) ([]carpool.Consent, error)
	Withdraw(ctx context.Context, by carpool.By, member carpool.MemberID, what carpool.ConsentTo) error
	Update(ctx context.Context, by carpool.By, m carpool.Member) (carpool.Member, error)
	Wards(ctx context.Context, by carpool.By, guardian carpool.MemberID) ([]carpool.Member, error)
}

// forWhom says on every page for whom the operator acts.
type forWhom struct {
	ID                        carpool.MemberID
	Name, Phone, Comune, Note string
	URL                       string
	On                        bool // chosen in a list
}

func personPath(id carpool.MemberID) string {
	return deskPath + "/persona/" + url.PathEscape(string(id))
}

func (p speech) forWhom(m carpool.Member) forWhom {
	f := forWhom{ID: m.ID, Name: strings.TrimSpace(m.First + " " + m.Last), Phone: m.Phone, Comune: p.comuneName(m.Comune), URL: personPath(m.ID)}
	if m.Minor {
		f.Note = p.word("desk.minor")
	}
	return f
}

// member is somebody whom the operator may act for: there, and of a comune of
// the operator's scope.
func (s *Staff) member(ctx context.Context, id carpool.MemberID) (carpool.Member, error) {
	return s.memberIn(ctx, id, carpool.LookPerson, "")
}

// memberIn is member, seen in some thing.
func (s *Staff) memberIn(ctx context.Context, id carpool.MemberID, what carpool.LookAt, thing string) (carpool.Member, error) {
	m, err := s.deps.Members.See(ctx, deskFor(ctx, ""), id, what, thing, func(comune string) bool { return within(ctx, login.DeskCarpool, comune) })
	if err != nil && fault.Of(err) == fault.NotFound {
		return carpool.Member{}, outside("member", string(id))
	}
	return m, err
}

// minSought is how much of a name or number must be typed to look somebody up.
const minSought = 3

// whoField resolves "who" of a form: chosen from a list, newly written down, or
// found by words. False: the form must be shown again, with what is asked in v.
func (s *Staff) whoField(r *http.Request, f *staffForm, v *deskView) (carpool.Member, bool, error) {
	ctx := r.Context()
	if id := f.get("persona"); id != "" && id != "nuova" {
		m, err := s.member(ctx, carpool.MemberID(id))
		return m, err == nil, err
	}
	words := f.must("chi")
	if len([]rune(words)) < minSought {
		if words != "" {
			f.bad("chi", "desk.wrong.short", minSought)
		}
		return carpool.Member{}, false, nil
	}
	if f.get("persona") == "nuova" {
		return s.newMember(r, f, v)
	}
	found, err := s.find(ctx, words)
	if err != nil {
		if err = f.mendable(err); err != nil {
			return carpool.Member{}, false, err
		}
		return carpool.Member{}, false, nil
	}
	if len(found) == 1 && isThem(found[0], words) {
		return found[0], true, nil
	}
	p := s.of(r)
	for _, m := range found {
		v.Found = append(v.Found, p.forWhom(m))
	}
	v.Choose = true
	if len(found) == 0 {
		f.bad("chi", "desk.who.none")
		s.openNew(f, words)
		v.New = true
	}
	return carpool.Member{}, false, nil
}

// find is whom words mean, within the operator's scope.
func (s *Staff) find(ctx context.Context, words string) ([]carpool.Member, error) {
	all, err := s.deps.Members.Find(ctx, carpool.By{Account: web.Who(ctx).Person, Desk: true}, words, func(comune string) bool { return within(ctx, login.DeskCarpool, comune) })
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(m carpool.Member) bool {
		return m.State == carpool.Gone || !within(ctx, login.DeskCarpool, m.Comune)
	}), nil
}

// isThem says whether words are somebody's whole name or number, so that there
// is nothing to choose.
func isThem(m carpool.Member, words string) bool {
	if phone, err := contact.Phone(words); err == nil && phone == m.Phone {
		return !m.Family
	}
	w := fold(words)
	return w == fold(m.First+" "+m.Last) || w == fold(m.Last+" "+m.First)
}

// openNew fills the form of a new person with what was typed to find one.
func (s *Staff) openNew(f *staffForm, words string) {
	if phone, err := contact.Phone(words); err == nil {
		f.values.Set("telefono", phone)
		return
	}
	first, last, _ := strings.Cut(words, " ")
	for name, v := range map[string]string{"nome": first, "cognome": last} {
		if f.values.Get(name) == "" {
			f.values.Set(name, v)
		}
	}
}

// newMember writes somebody down who has agreed to it. Sent twice it is the
// same person.
func (s *Staff) newMember(r *http.Request, f *staffForm, v *deskView) (carpool.Member, bool, error) {
	ctx := r.Context()
	v.New = true
	how := f.get("consenso")
	m := carpool.Member{First: f.must("nome"), Last: f.must("cognome"), Phone: f.must("telefono"), Comune: f.must("comune"), Family: f.on("famiglia"), Lang: "it",
		Channels: nil}
	if m.Comune != "" && !within(ctx, login.DeskCarpool, m.Comune) {
		f.bad("comune", "desk.wrong.choose")
	}
	phone, err := contact.Phone(m.Phone)
	if err != nil && m.Phone != "" {
		f.bad("telefono", "desk.wrong.phone")
	}
	if how != "voice" && how != "paper" {
		f.bad("consenso", "desk.wrong.consent")
	}
	if !f.ok() {
		return carpool.Member{}, false, nil
	}
	m.Phone = phone
	known, err := s.find(ctx, phone)
	if err != nil {
		return carpool.Member{}, false, err
	}
	for _, old := range known {
		if old.Phone == phone && fold(old.First+" "+old.Last) == fold(m.First+" "+m.Last) {
			return old, true, nil
		}
	}
	made, err := s.deps.Members.Register(ctx, carpool.By{Account: web.Who(ctx).Person, Desk: true},
		carpool.Registration{Member: m, Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentDesk}, How: how})
	if fault.Of(err) == fault.Conflict {
		f.bad("telefono", "desk.wrong.same-phone")
		return carpool.Member{}, false, nil
	}
	if err != nil {
		if err = f.mendable(err); err != nil {
			return carpool.Member{}, false, err
		}
		return carpool.Member{}, false, nil
	}
	return made, true, nil
}

// agreed says whether somebody has agreed to take part and that the desk acts
// for them; what the form says of it now is written down. False: ask them.
func (s *Staff) agreed(ctx context.Context, f *staffForm, m carpool.Member) (bool, error) {
	missing, err := s.missing(ctx, m)
	if err != nil || len(missing) == 0 {
		return err == nil, err
	}
	how := f.get("consenso")
	if how != "voice" && how != "paper" {
		f.bad("consenso", "desk.wrong.consent")
		return false, nil
	}
	for _, what := range missing {
		if _, err := s.deps.Members.Consent(ctx, deskFor(ctx, m.ID), m.ID, what, how); err != nil {
			if err = f.mendable(err); err != nil {
				return false, err
			}
			return false, nil
		}
	}
	return true, nil
}

// missing are the consents that the desk needs and does not have; that to act
// comes first.
func (s *Staff) missing(ctx context.Context, m carpool.Member) ([]carpool.ConsentTo, error) {
	have, err := s.deps.Members.Consents(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	need := []carpool.ConsentTo{carpool.ConsentDesk, carpool.ConsentTerms}
	if m.Minor {
		need = append(need, carpool.ConsentMinor)
	}
	return slices.DeleteFunc(need, func(what carpool.ConsentTo) bool {
		return slices.ContainsFunc(have, func(c carpool.Consent) bool { return c.What == what && c.Withdrawn == nil })
	}), nil
}
