package page

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// Privacy gives somebody all that is kept of them, and deletes it.
type Privacy interface {
	Export(ctx context.Context, by carpool.By, member carpool.MemberID, w io.Writer) error
	Forget(ctx context.Context, by carpool.By, member carpool.MemberID) error
}

// Calendar gives a member's rides to a phone's calendar, at a secret address.
type Calendar interface {
	NewCalendar(ctx context.Context, by carpool.By) (secret string, err error) // in place of the old one
	CalendarURL(secret string) string                                          // "" where the server does not know its own name
	RevokeCalendar(ctx context.Context, by carpool.By) error
	HasCalendar(ctx context.Context, member carpool.MemberID) (bool, time.Time, error)
	Calendar(ctx context.Context, secret string) ([]byte, error)
}

var profileFields = append(slices.Clone(memberFields), "lingua", "grandi", "deambulatore", "carrozzina", "seggiolini", "canale", "anche…", "fiscale", "fidata-nome", "fidata-telefono")

// profileView is what the page of the profile shows.
type profileView struct {
	F        *filled
	Done     string
	Trouble  *trouble
	Comuni   []option
	Langs    []option
	First    []option // channels, one
	Also     []option // channels, any
	Consents []consentRow
	Looks    []lookRow
	Blocks   []string
	Calendar bool // there are calendar addresses
	HasFeed  bool
	Feed     string // told once
	Suspend  bool
	Wards    []wardRow
	Papers   bool // the police look at their papers, or have
}

// consentRow is something that may be agreed to.
type consentRow struct {
	What, Title, Text string
	Given             bool
	When              string
	Fixed             bool // ends only by leaving
}

// wardRow is a minor in the member's care.
type wardRow struct{ Name, Forget string }

// lookRow is somebody who looked at the member.
type lookRow struct{ When, Who, What string }

// profile is GET /passaggi/profilo.
func (p *Pages) profile(v *visit) error {
	f, ok := p.kept(v, profileFields...)
	if !ok {
		f = v.memberForm()
	}
	return p.showProfile(v, http.StatusOK, f, nil, "")
}

// memberForm is the form as the member filled it in last.
func (v *visit) memberForm() *filled {
	m := v.me
	f := v.blank("nome", m.First, "cognome", m.Last, "comune", m.Comune, "telefono", m.Phone, "email", m.Email, "lingua", m.Lang,
		"fiscale", m.Fiscal, "fidata-nome", m.Trusted.Name, "fidata-telefono", m.Trusted.Phone, "seggiolini", strconv.Itoa(m.Needs.ChildSeats))
	for name, on := range map[string]bool{"casa": m.Landline, "famiglia": m.Family, "grandi": m.Large, "deambulatore": m.Needs.WalkingFrame, "carrozzina": m.Needs.Wheelchair} {
		if on {
			f.values.Set(name, "si")
		}
	}
	for i, c := range m.Channels {
		if i == 0 {
			f.values.Set("canale", string(c))
		}
		f.values.Add("anche", string(c))
	}
	return f
}

var channels = []string{string(carpool.BySMS), string(carpool.ByMail), string(carpool.ByIO), string(carpool.ByVoice)}

func (p *Pages) showProfile(v *visit, status int, f *filled, why *trouble, feed string) error {
	ctx := v.r.Context()
	view := profileView{F: f, Done: v.said(), Trouble: why, Comuni: p.comuneOptions(v.say), Langs: v.say.words("pool.lang", "it", "en"),
		First: marked(v.say.words("pool.channel", channels...), f.raw("canale")), Calendar: p.deps.Calendar != nil, Feed: feed,
		Suspend: v.me.State == carpool.Suspended}
	for _, c := range v.say.words("pool.channel", channels...) {
		c.On = slices.Contains(f.all("anche"), c.Value)
		view.Also = append(view.Also, c)
	}
	consents, err := p.deps.Members.Consents(ctx, v.me.ID)
	if err != nil {
		return err
	}
	for _, what := range []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentDesk, carpool.ConsentCheck, carpool.ConsentIO} {
		r := consentRow{What: string(what), Title: v.say.word("pool.consent." + string(what)), Text: v.say.word("pool.consent." + string(what) + ".text"), Fixed: what == carpool.ConsentTerms}
		if i := slices.IndexFunc(consents, func(c carpool.Consent) bool { return c.What == what && c.Withdrawn == nil }); i >= 0 {
			r.Given, r.When = true, v.say.day(consents[i].At)
		}
		view.Consents = append(view.Consents, r)
	}
	checks, err := p.deps.Trust.Mine(ctx, v.me.ID)
	if err != nil {
		return err
	}
	view.Papers = slices.ContainsFunc(checks, func(c carpool.Check) bool { return c.State == carpool.CheckWaiting || c.State == carpool.CheckPassed })
	looks, err := p.deps.Trust.Looks(ctx, v.me.ID)
	if err != nil {
		return err
	}
	for _, l := range looks[:min(len(looks), 50)] {
		view.Looks = append(view.Looks, lookRow{v.say.day(l.At) + ", " + v.say.clockOf(l.At), l.Who, v.say.lookAt(l.What)})
	}
	wards, err := p.deps.Members.Wards(ctx, v.by, v.me.ID)
	if err != nil {
		return err
	}
	for _, m := range wards {
		view.Wards = append(view.Wards, wardRow{m.First + " " + m.Last, forgetPath + "?minore=" + url.QueryEscape(string(m.ID))})
	}
	blocks, err := p.deps.Members.Blocks(ctx, v.me.ID)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		view.Blocks = append(view.Blocks, string(b))
	}
	if p.deps.Calendar != nil {
		if view.HasFeed, _, err = p.deps.Calendar.HasCalendar(ctx, v.me.ID); err != nil {
			return err
		}
	}
	v.w.Header().Set("Cache-Control", "no-store")
	return p.show(v, status, "profile.html", web.View{Title: "pool.profile.title", Self: profilePath, Data: view})
}

func (t tongue) lookAt(what carpool.LookAt) string {
	if key := "pool.look." + string(what); t.has(key) {
		return t.word(key)
	}
	return string(what)
}

// profileBlame says which fields an error about a member is about.
var profileBlame = func() map[string]string {
	m := maps.Clone(registerBlame)
	maps.Copy(m, map[string]string{"fiscal code": "fiscale", "name of the trusted person": "fidata-nome", "phone of the trusted person": "fidata-telefono", "channels": "canale", "child seats": "seggiolini"})
	return m
}()

// saveProfile is POST /passaggi/profilo.
func (p *Pages) saveProfile(v *visit) error {
	f, err := v.form(profileFields...)
	if err != nil {
		return err
	}
	m := p.readMember(f, v.me)
	m.Lang, m.Large, m.Needs = f.oneOf("lingua", "it", "en"), f.on("grandi"), f.needs()
	m.Fiscal = f.line("fiscale", 20)
	m.Trusted = carpool.Contact{Name: f.line("fidata-nome", 60), Phone: f.line("fidata-telefono", 40)}
	m.Channels = f.channels()
	if !f.ok() {
		return p.showProfile(v, http.StatusBadRequest, f, nil, "")
	}
	if _, err := p.deps.Members.Update(v.r.Context(), v.by, m); err != nil {
		if !mendable(err) {
			return err
		}
		f.blame(err, profileBlame)
		return p.showProfile(v, web.Status(err), f, v.say.trouble(err), "")
	}
	web.SetLarge(v.w, m.Large)
	return v.done(profilePath, "profilo")
}

// channels are how somebody wants to be reached, the preferred one first.
func (f *filled) channels() []carpool.Channel {
	var out []carpool.Channel
	for _, c := range append([]string{f.raw("canale")}, f.all("anche")...) {
		if c == "" || slices.Contains(out, carpool.Channel(c)) {
			continue
		}
		if !slices.Contains(channels, c) {
			f.bad("canale", "pool.wrong.choice")
			continue
		}
		out = append(out, carpool.Channel(c))
	}
	return out
}

// consents is POST /passaggi/profilo/consensi.
func (p *Pages) consents(v *visit) error {
	f, err := v.form("consenso", "fa")
	if err != nil {
		return err
	}
	what := carpool.ConsentTo(f.raw("consenso"))
	if !slices.Contains([]carpool.ConsentTo{carpool.ConsentDesk, carpool.ConsentCheck, carpool.ConsentIO}, what) {
		return fault.New(fault.Invalid, "consenso: %.20q is none that is given or taken back here", string(what))
	}
	if f.raw("fa") == "ritira" {
		err = p.deps.Members.Withdraw(v.r.Context(), v.by, v.me.ID, what)
	} else {
		_, err = p.deps.Members.Consent(v.r.Context(), v.by, v.me.ID, what, "page")
	}
	if mendable(err) {
		return p.showProfile(v, web.Status(err), v.memberForm(), v.say.trouble(err), "")
	}
	if err != nil {
		return err
	}
	return v.done(profilePath, "consenso")
}

// unblock is POST /passaggi/profilo/blocchi.
func (p *Pages) unblock(v *visit) error {
	f, err := v.form("persona")
	if err != nil {
		return err
	}
	if err := p.deps.Members.Unblock(v.r.Context(), v.by, carpool.MemberID(f.raw("persona"))); err != nil {
		if !mendable(err) {
			return err
		}
		return p.showProfile(v, web.Status(err), v.memberForm(), v.say.trouble(err), "")
	}
	return v.done(profilePath, "sbloccato")
}

// calendar is POST /passaggi/profilo/calendario: a new secret address, or none.
func (p *Pages) calendar(v *visit) error {
	f, err := v.form("fa")
	if err != nil {
		return err
	}
	switch {
	case p.deps.Calendar == nil:
		return fault.New(fault.NotFound, "there are no calendar addresses")
	case f.raw("fa") == "togli":
		if err := p.deps.Calendar.RevokeCalendar(v.r.Context(), v.by); err != nil {
			return err
		}
		return v.done(profilePath, "calendario-tolto")
	}
	secret, err := p.deps.Calendar.NewCalendar(v.r.Context(), v.by)
	if err != nil {
		return err
	}
	address := p.deps.Calendar.CalendarURL(secret)
	if address == "" {
		address = calendarPath + secret + ".ics"
	}
	return p.showProfile(v, http.StatusOK, v.memberForm(), nil, address)
}

// feed is GET /passaggi/calendario/SECRET.ics. Whoever knows the address is let
// in: phones' calendars cannot sign in.
func (p *Pages) feed(v *visit) error {
	secret, ok := strings.CutSuffix(v.r.PathValue("file"), ".ics")
	if !ok || p.deps.Calendar == nil {
		return fault.New(fault.NotFound, "there is no such calendar")
	}
	b, err := p.deps.Calendar.Calendar(v.r.Context(), secret)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Cache-Control", "private, no-store")
	h.Set("Referrer-Policy", "no-referrer")
	_, _ = v.w.Write(b) // the peer may have gone
	return nil
}

// export is GET /passaggi/profilo/dati.json: all that is kept of the member.
func (p *Pages) export(v *visit) error {
	var b bytes.Buffer
	if err := p.deps.Privacy.Export(v.r.Context(), v.by, v.me.ID, &b); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="passaggi-dati.json"`)
	h.Set("Cache-Control", "no-store")
	_, _ = v.w.Write(b.Bytes()) // the peer may have gone
	return nil
}

// forgetView is what the page before deletion shows.
type forgetView struct {
	F       *filled
	Trouble *trouble
	Ward    string // the name of the minor who is to be deleted; "" oneself
	ID      string
	Known   bool // suspended: a mark is kept for a year
}

const forgetPath = profilePath + "/cancellami"

// forgetPage is GET /passaggi/profilo/cancellami, of oneself or of a minor in
// one's care.
func (p *Pages) forgetPage(v *visit) error {
	return p.showForget(v, http.StatusOK, v.blank("minore", v.r.URL.Query().Get("minore")), nil)
}

func (p *Pages) showForget(v *visit, status int, f *filled, why *trouble) error {
	view := forgetView{F: f, Trouble: why, ID: f.raw("minore"), Known: v.me.State == carpool.Suspended}
	if view.ID != "" {
		m, err := p.ward(v, view.ID)
		if err != nil {
			return err
		}
		view.Ward = m.First + " " + m.Last
	}
	return p.show(v, status, "forget.html", web.View{Title: "pool.forget.title", Self: forgetPath, Data: view})
}

// ward is a minor in the visitor's care.
func (p *Pages) ward(v *visit, id string) (carpool.Member, error) {
	wards, err := p.deps.Members.Wards(v.r.Context(), v.by, v.me.ID)
	if err != nil {
		return carpool.Member{}, err
	}
	if i := slices.IndexFunc(wards, func(m carpool.Member) bool { return string(m.ID) == id }); i >= 0 {
		return wards[i], nil
	}
	return carpool.Member{}, fault.New(fault.NotFound, "there is no such minor in your care")
}

// forget is POST /passaggi/profilo/cancellami. The account goes with the
// member.
func (p *Pages) forget(v *visit) error {
	f, err := v.form("certo", "minore")
	if err != nil {
		return err
	}
	if !f.on("certo") {
		f.bad("certo", "pool.wrong.sure")
		return p.showForget(v, http.StatusBadRequest, f, nil)
	}
	ctx := v.r.Context()
	whom := v.me.ID
	if id := f.raw("minore"); id != "" {
		m, err := p.ward(v, id)
		if err != nil {
			return err
		}
		whom = m.ID
	}
	if err := p.deps.Privacy.Forget(ctx, v.by, whom); err != nil {
		if !mendable(err) {
			return err
		}
		return p.showForget(v, web.Status(err), f, v.say.trouble(err))
	}
	if whom != v.me.ID {
		return v.done(profilePath, "minore-cancellato")
	}
	web.SetLarge(v.w, false)
	return v.done(searchPath, "cancellato")
}
