package page

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// What can be changed of an offer: when it goes, and for how many. Where it
// goes and by which car is another offer.
var editFields = []string{"volte", "giorno", "ora", "giorni…", "dal", "al", "scuola", "salta", "liberi", "abordo", "deviazione", "anticipo", "nota"}

// editView is what the form of a change shows.
type editView struct {
	offerView
	Offer offerRow
}

// editOffer is GET /passaggi/offerte/{id}/cambia.
func (p *Pages) editOffer(v *visit) error {
	o, err := p.openOffer(v)
	if err != nil {
		return err
	}
	f, ok := p.kept(v, editFields...)
	if !ok {
		f = v.offerForm(o)
	}
	return p.showEdit(v, http.StatusOK, o, f, nil)
}

// openOffer is the offer of the address, if it is the visitor's and goes on.
func (p *Pages) openOffer(v *visit) (carpool.Offer, error) {
	o, err := p.myOffer(v)
	if err == nil && o.State == carpool.OfferEnded {
		err = fault.New(fault.Conflict, "this offer has ended; make a new one")
	}
	return o, err
}

// offerForm is the form as an offer would have filled it in.
func (v *visit) offerForm(o carpool.Offer) *filled {
	f := v.blank("volte", timesOnce, "giorno", string(o.When.Date), "ora", string(o.When.Time), "dal", string(o.When.First), "al", string(o.When.Last),
		"scuola", string(o.When.School), "liberi", strconv.Itoa(o.Seats), "abordo", strconv.Itoa(o.Aboard),
		"deviazione", strconv.Itoa(int(o.MaxDetour.Minutes())), "anticipo", strconv.Itoa(int(o.Flex.Minutes())), "nota", o.Note)
	if o.When.Rule != "" {
		f.values.Set("volte", timesWeek)
		f.values["giorni"] = daysOf(o.When.Rule)
	}
	var skip []string
	for _, d := range o.When.Except {
		skip = append(skip, string(d))
	}
	f.values.Set("salta", strings.Join(skip, ", "))
	return f
}

// daysOf are the weekdays of a rule, as it writes them.
func daysOf(rule string) []string {
	_, by, _ := strings.Cut(rule, "BYDAY=")
	by, _, _ = strings.Cut(by, ";")
	return slices.DeleteFunc(strings.Split(by, ","), func(d string) bool { return d == "" })
}

func (p *Pages) showEdit(v *visit, status int, o carpool.Offer, f *filled, why *trouble) error {
	view := editView{p.offerChoices(v, f, why), p.offerRow(v, o)}
	v.w.Header().Set("Cache-Control", "no-store")
	return p.show(v, status, "edit-offer.html", web.View{Title: "pool.edit.title", Self: view.Offer.Path + "/cambia", Data: view})
}

// saveOffer is POST /passaggi/offerte/{id}/cambia. Days on which somebody rides
// already stay as agreed; the portal sees to it and tells them.
func (p *Pages) saveOffer(v *visit) error {
	f, err := v.form(editFields...)
	if err != nil {
		return err
	}
	o, err := p.openOffer(v)
	if err != nil {
		return err
	}
	when, _ := v.schedule(f)
	new := o
	new.When, new.Seats, new.Aboard = when, f.number("liberi", 1, p.cfg.Limits.Seats, 1), f.number("abordo", 0, p.cfg.Limits.Seats, 0)
	new.MaxDetour = time.Duration(f.number("deviazione", 0, 45, int(p.cfg.Detour.Minutes()))) * time.Minute
	new.Flex, new.Note = time.Duration(f.number("anticipo", 0, 60, 0))*time.Minute, f.text("nota", p.cfg.Limits.Note)
	for _, end := range []*carpool.Spot{&new.From, &new.To} {
		if end.Private() {
			end.Address = "" // it keeps the one it has
		}
	}
	if !f.ok() {
		return p.showEdit(v, http.StatusBadRequest, o, f, nil)
	}
	what, err := p.sendOnce(v, f, func() (string, error) {
		_, err := p.deps.Offers.Change(v.r.Context(), v.by, new)
		return "cambiato", err
	})
	switch {
	case err == nil:
		return v.done(offersPath+"/"+string(o.ID), what)
	case mendable(err):
		f.blame(err, offerBlame)
		return p.showEdit(v, web.Status(err), o, f, v.say.trouble(err))
	}
	return err
}
