package page

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// pictureKinds are media types that a page may show. Others are not sent.
var pictureKinds = []string{"image/jpeg", "image/png", "image/webp"}

type pictureView struct {
	URL, Source, Kind string
	Here              bool
}

// checkPageView is one driver's and one car's papers.
type checkPageView struct {
	Trouble                        *staffTrouble
	Done, Once, Action             string
	Plate, Name, Car, What         string
	Asked                          time.Time
	Pictures                       []pictureView
	Shown                          *pictureView
	CanDecide                      bool
	Decided                        string
	Licence, Insurance, Roadworthy staffField
	Reason, Suspend                staffField
}

const mostReason = 300

// check is the one of the path, where its driver is of the officer's comuni. A
// look at it is written down.
func (s *Staff) check(r *http.Request) (carpool.CheckView, error) {
	ctx, id := r.Context(), r.PathValue("id")
	queue, err := s.queue(ctx)
	if err != nil {
		return carpool.CheckView{}, err
	}
	if !slices.ContainsFunc(queue, func(c carpool.CheckView) bool { return c.ID == id }) {
		return carpool.CheckView{}, outside("check", id)
	}
	c, err := s.deps.Trust.Look(ctx, staffBy(ctx), id)
	if gone(err) {
		return c, outside("check", id)
	}
	return c, err
}

func (s *Staff) checkPage(w http.ResponseWriter, r *http.Request) error {
	c, err := s.check(r)
	if err != nil {
		return err
	}
	f := s.blank(r, "patente", dayOf(c.Licence), "assicurazione", dayOf(c.Insurance), "revisione", dayOf(c.Roadworthy))
	return s.showCheck(w, r, f, c)
}

func (s *Staff) showCheck(w http.ResponseWriter, r *http.Request, f *staffForm, c carpool.CheckView) error {
	p := s.of(r)
	what, err := p.checkWhat(r.Context(), c)
	if err != nil {
		return err
	}
	v := checkPageView{Trouble: f.trouble(), Done: p.known("police.done." + r.URL.Query().Get("fatto")), Once: newOnce(), Action: checkPath + "/" + url.PathEscape(c.ID),
		Plate: c.Plate, Name: c.Name, Car: c.Label, What: what, Asked: c.Asked, CanDecide: c.State == carpool.CheckWaiting, Decided: p.known("police." + string(c.State))}
	open := r.URL.Query().Get("immagine")
	for i, pic := range c.Pictures {
		row := pictureView{URL: v.Action + "?immagine=" + url.QueryEscape(pic.ID) + "#immagini", Source: v.Action + "/immagine/" + url.PathEscape(pic.ID), Here: pic.ID == open,
			Kind: p.pictureKind(pic, i)}
		if row.Here {
			shown := row
			v.Shown = &shown
		}
		v.Pictures = append(v.Pictures, row)
	}
	v.Licence = f.dateField("patente", "police.licence")
	v.Insurance = f.dateField("assicurazione", "police.insurance")
	v.Roadworthy = f.dateField("revisione", "police.roadworthy")
	v.Reason = f.field("text", "motivo", "police.refusal").most(mostReason).optional()
	v.Suspend = f.field("text", "sospensione", "police.suspend.reason").most(mostReason)
	w.Header().Set("Cache-Control", "no-store")
	return s.html.WriteStatus(w, r, f.status(), "police-check.html", s.policeView(web.View{Heading: c.Plate, Self: v.Action, Data: v}))
}

// pictureKind names a picture, with its number where several are of a kind.
func (p speech) pictureKind(pic carpool.Picture, i int) string {
	name := p.known("police.picture." + string(pic.Kind))
	if name == "" {
		name = p.word("police.picture.other")
	}
	return name + " (" + strconv.Itoa(i+1) + ")"
}

// dateField is a date as papers have it, of which no word is needed twice.
func (f *staffForm) dateField(name, key string) staffField {
	d := f.field("text", name, key).most(10)
	d.Hint, d.Sometimes = f.html.Text(f.lang, "police.date.hint"), true
	return d
}

// checkPicture sends one picture, and no cache keeps it.
func (s *Staff) checkPicture(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("id")
	queue, err := s.queue(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(queue, func(c carpool.CheckView) bool { return c.ID == id }) {
		return outside("check", id)
	}
	pic, err := s.deps.Trust.Picture(ctx, staffBy(ctx), id, r.PathValue("picture"))
	if gone(err) || err == nil && !slices.Contains(pictureKinds, pic.Media) {
		return outside("picture", r.PathValue("picture"))
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", pic.Media)
	h.Set("Content-Length", strconv.Itoa(len(pic.Data)))
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", "inline")
	_, _ = w.Write(pic.Data) // the peer may have gone
	return nil
}

// decide passes or refuses the papers.
func (s *Staff) decide(w http.ResponseWriter, r *http.Request) error {
	c, err := s.check(r)
	if err != nil {
		return err
	}
	f, err := s.form(r, "patente", "assicurazione", "revisione", "motivo", "esito", "once")
	if err != nil {
		return err
	}
	said := f.get("esito")
	if said != "si" && said != "no" {
		return fault.New(fault.Invalid, "outcome %.20q of a check: want si or no", said)
	}
	d := carpool.Decision{Pass: said == "si", Reason: f.get("motivo")}
	today := s.of(r).today()
	for name, at := range map[string]*carpool.Date{"patente": &d.Licence, "assicurazione": &d.Insurance, "revisione": &d.Roadworthy} {
		*at = f.date(name, d.Pass, today)
	}
	if !d.Pass && d.Reason == "" {
		f.bad("motivo", "police.wrong.reason")
	}
	if f.ok() {
		_, err := s.deps.Trust.Decide(r.Context(), staffBy(r.Context()), c.ID, d)
		if err == nil {
			return seeOther(w, r, policePath+"?fatto=deciso")
		}
		if err = f.mendable(err); err != nil {
			return err
		}
	}
	return s.showCheck(w, r, f, c)
}

// date reads a day; where papers are to be in order it must be there and not
// over.
func (f *staffForm) date(name string, needed bool, today carpool.Date) carpool.Date {
	typed := f.get(name)
	if typed == "" {
		if needed {
			f.bad(name, "desk.wrong.empty")
		}
		return ""
	}
	d, err := readDate(typed)
	switch {
	case err != nil:
		f.bad(name, "police.wrong.date")
	case needed && d < today:
		f.bad(name, "police.wrong.expired")
	}
	return d
}

// dayOf is a day as papers have it: "31/03/2027".
func dayOf(d carpool.Date) string {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return ""
	}
	return t.Format("02/01/2006")
}

// policePropose proposes a suspension of the driver of a check.
func (s *Staff) policePropose(w http.ResponseWriter, r *http.Request) error {
	c, err := s.check(r)
	if err != nil {
		return err
	}
	f, err := s.form(r, "sospensione", "once")
	if err != nil {
		return err
	}
	reason := f.must("sospensione")
	if f.ok() {
		_, err := s.deps.Trust.Propose(r.Context(), staffBy(r.Context()), c.Driver, reason)
		if err == nil {
			return seeOther(w, r, policePath+"?fatto=proposta")
		}
		if err = f.mendable(err); err != nil {
			return err
		}
	}
	return s.showCheck(w, r, f, c)
}

// CarpoolCheck is a check as scripts read it: no name stands in it.
type CarpoolCheck struct {
	ID         string             `json:"id"`
	Driver     carpool.MemberID   `json:"driver"`
	Plate      string             `json:"plate"`
	State      carpool.CheckState `json:"state"`
	Licence    carpool.Date       `json:"licence_until"`
	Insurance  carpool.Date       `json:"insurance_until"`
	Roadworthy carpool.Date       `json:"roadworthy_until"`
	Asked      time.Time          `json:"asked"`
}

// apiChecks is the queue of the officer's comuni.
func (s *Staff) apiChecks(w http.ResponseWriter, r *http.Request) error {
	all, err := s.queue(r.Context())
	if err != nil {
		return err
	}
	page, next, err := web.Page(w, r, all, func(c carpool.CheckView) string { return c.ID })
	if err != nil {
		return err
	}
	out := []CarpoolCheck{}
	for _, c := range page {
		out = append(out, CarpoolCheck{c.ID, c.Driver, c.Plate, c.State, c.Licence, c.Insurance, c.Roadworthy, c.Asked.UTC()})
	}
	w.Header().Set("Cache-Control", "no-store")
	return web.JSON(w, r, map[string]any{"checks": out, "next": next})
}

// inScope says whether a member is of a comune in which the asker has a right.
func (s *Staff) inScope(ctx context.Context, right login.Right, id carpool.MemberID) (bool, error) {
	comune, err := s.deps.Members.ComuneOf(ctx, id)
	if gone(err) {
		return false, nil
	}
	return err == nil && within(ctx, right, comune), err
}
