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

// offersView is the list of a driver's offers.
type offersView struct {
	Done   string
	Offers []offerRow
}

// offerRow is one offer.
type offerRow struct {
	ID, Path, From, To, When, Seats, Cost, State string
	Open, Paused, Ended                          bool
}

// offers is GET /passaggi/offerte.
func (p *Pages) offers(v *visit) error {
	mine, err := p.deps.Offers.Mine(v.r.Context(), v.me.ID)
	if err != nil {
		return err
	}
	view := offersView{Done: v.said()}
	for _, o := range mine {
		view.Offers = append(view.Offers, p.offerRow(v, o))
	}
	slices.SortStableFunc(view.Offers, func(a, b offerRow) int { return btoi(a.Ended) - btoi(b.Ended) })
	return p.show(v, http.StatusOK, "offers.html", web.View{Title: "pool.offers.title", Data: view})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (p *Pages) offerRow(v *visit, o carpool.Offer) offerRow {
	r := offerRow{ID: string(o.ID), Path: offersPath + "/" + string(o.ID), From: p.spotName(v.r.Context(), v.say, o.From), To: p.spotName(v.r.Context(), v.say, o.To),
		When: v.say.schedule(o.When), Seats: strconv.Itoa(o.Seats), State: v.say.word("pool.offer.state." + string(o.State)),
		Open: o.State == carpool.OfferOpen, Paused: o.State == carpool.OfferPaused, Ended: o.State == carpool.OfferEnded}
	if o.MilliEURKm > 0 {
		r.Cost = v.say.word("pool.perkm", v.say.euro(o.MilliEURKm))
	}
	return r
}

// schedule says when an offer goes.
func (t tongue) schedule(s carpool.Schedule) string {
	if s.Date != "" {
		return t.word("pool.goes.once", t.date(s.Date), string(s.Time))
	}
	var days []string
	for _, d := range weekdays {
		if slices.Contains(daysOf(s.Rule), d.Rule) {
			days = append(days, t.word("pool.weekday."+d.Word))
		}
	}
	out := t.word("pool.goes.week", strings.Join(days, ", "), string(s.Time))
	if s.Last != "" {
		out += " " + t.word("pool.goes.until", t.date(s.Last))
	}
	if s.School != carpool.AnyDay {
		out += ", " + t.word("pool.school."+string(s.School))
	}
	return out
}

// offerDays is how far ahead the page of an offer shows its days.
const offerDays = 28 * 24 * time.Hour

// oneOfferView is one offer with its days.
type oneOfferView struct {
	F       *filled
	Done    string
	Trouble *trouble
	Offer   offerRow
	Needs   string
	Note    string
	Rides   []rideRow
}

// rideRow is a day of an offer.
type rideRow struct {
	ID, Day, Time, Taken, State, Risk string
	Open                              bool
}

// offer is GET /passaggi/offerte/{id}.
func (p *Pages) offer(v *visit) error { return p.showOneOffer(v, http.StatusOK, v.blank(), nil) }

// myOffer is the offer of the address, if it is the visitor's.
func (p *Pages) myOffer(v *visit) (carpool.Offer, error) {
	id := carpool.OfferID(v.r.PathValue("id"))
	mine, err := p.deps.Offers.Mine(v.r.Context(), v.me.ID)
	if err != nil {
		return carpool.Offer{}, err
	}
	i := slices.IndexFunc(mine, func(o carpool.Offer) bool { return o.ID == id })
	if i < 0 {
		return carpool.Offer{}, fault.New(fault.NotFound, "offer %.40q: you have none of this name", string(id))
	}
	return mine[i], nil
}

func (p *Pages) showOneOffer(v *visit, status int, f *filled, why *trouble) error {
	o, err := p.myOffer(v)
	if err != nil {
		return err
	}
	rides, err := p.deps.Offers.Rides(v.r.Context(), v.me.ID, v.now.Add(-time.Hour), v.now.Add(offerDays))
	if err != nil {
		return err
	}
	view := oneOfferView{F: f, Done: v.said(), Trouble: why, Offer: p.offerRow(v, o), Needs: v.say.needs(o.Carries), Note: o.Note}
	for _, r := range rides {
		if r.Offer != o.ID {
			continue
		}
		view.Rides = append(view.Rides, rideRow{
			ID: string(r.ID), Day: v.say.day(r.Depart), Time: v.say.clockOf(r.Depart), Taken: v.say.word("pool.taken", r.Taken, r.Seats),
			State: v.say.word("pool.ride.state." + string(r.State)), Risk: p.risk(v.say, r.Risk), Open: r.State == carpool.RideOpen,
		})
	}
	return p.show(v, status, "one-offer.html", web.View{Title: "pool.offer.title", Self: view.Offer.Path, Data: view})
}

// risk says why a ride may not take place.
func (p *Pages) risk(say tongue, why string) string {
	switch {
	case why == "":
		return ""
	case say.has("pool.risk." + why):
		return say.word("pool.risk." + why)
	}
	return say.word("pool.risk")
}

// changeOffer is POST /passaggi/offerte/{id}: pause, go on, end, or leave out a
// day. What others feel is asked twice.
func (p *Pages) changeOffer(v *visit) error {
	f, err := v.form("fa", "corsa", "motivo", "certo")
	if err != nil {
		return err
	}
	o, err := p.myOffer(v)
	if err != nil {
		return err
	}
	ctx, what := v.r.Context(), f.raw("fa")
	reason := f.line("motivo", 200)
	if (what == "giorno" || what == "termina") && !f.on("certo") {
		f.bad("certo", "pool.wrong.sure")
	}
	if !f.ok() {
		return p.showOneOffer(v, http.StatusBadRequest, f, nil)
	}
	to, err := p.sendOnce(v, f, func() (string, error) {
		switch what {
		case "pausa":
			return "in-pausa", p.deps.Offers.Pause(ctx, v.by, o.ID)
		case "riprendi":
			return "ripreso", p.deps.Offers.Resume(ctx, v.by, o.ID)
		case "termina":
			return "terminato", p.deps.Offers.End(ctx, v.by, o.ID, reason)
		case "giorno":
			return "giorno-tolto", p.deps.Offers.CancelRide(ctx, v.by, carpool.RideID(f.raw("corsa")), reason)
		}
		return "", fault.New(fault.Invalid, "fa: pausa, riprendi, termina or giorno")
	})
	switch {
	case err == nil:
		return v.done(offersPath+"/"+string(o.ID), to)
	case mendable(err):
		return p.showOneOffer(v, web.Status(err), f, v.say.trouble(err))
	}
	return err
}
