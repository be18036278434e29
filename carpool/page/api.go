package page

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// mountAPI puts the same under /api/v1/carpool, for programs.
func (p *Pages) mountAPI() error {
	fragment, err := files.ReadFile("api.json")
	if err != nil {
		return err
	}
	const at = "/api/v1/carpool"
	public := func(f func(w http.ResponseWriter, r *http.Request) error, known ...string) web.Route {
		return web.Route{Access: web.Public, Handler: p.shell.Taking(f, known...)}
	}
	own := func(f func(w http.ResponseWriter, r *http.Request, by carpool.By) error, known ...string) web.Route {
		return web.Route{Access: web.Needs(login.UseCarpool), Handler: p.shell.Taking(func(w http.ResponseWriter, r *http.Request) error {
			by, err := p.caller(r.Context())
			if err != nil {
				return err
			}
			return f(w, r, by)
		}, known...)}
	}
	routes := map[string]web.Route{
		"GET " + at + "/places":                  public(p.apiPlaces, "comune"),
		"GET " + at + "/search":                  public(p.apiSearch, "from", "to", "arrive", "leave", "slack_min", "seats", "max_walk_min", "walking_frame", "wheelchair", "child_seats"),
		"GET " + at + "/offers":                  own(p.apiOffers),
		"POST " + at + "/offers":                 own(p.apiAddOffer),
		"POST " + at + "/offers/{id}/{verb}":     own(p.apiTurnOffer),
		"GET " + at + "/requests":                own(p.apiRequests),
		"POST " + at + "/requests":               own(p.apiRequest),
		"GET " + at + "/requests/{id}":           own(p.apiRequestOf),
		"POST " + at + "/requests/{id}/book":     own(p.apiBook),
		"POST " + at + "/requests/{id}/ready":    own(p.apiReady),
		"POST " + at + "/requests/{id}/withdraw": own(p.apiWithdraw),
		"GET " + at + "/bookings":                own(p.apiBookings),
		"GET " + at + "/bookings/{id}":           own(p.apiBooking),
		"POST " + at + "/bookings/{id}/{verb}":   own(p.apiStep),
	}
	return p.shell.API(fragment, routes)
}

// caller is the member whose token or session asks.
func (p *Pages) caller(ctx context.Context) (carpool.By, error) {
	id := web.Who(ctx)
	m, err := p.deps.Members.ByAccount(ctx, id.Person)
	if err != nil && fault.Of(err) == fault.NotFound {
		return carpool.By{}, fault.New(fault.Denied, "%s has not joined the lifts: do it on the page %s", id.Person, registerPath)
	}
	return carpool.By{Account: id.Person, Member: m.ID}, err
}

func (p *Pages) apiPlaces(w http.ResponseWriter, r *http.Request) error {
	all, err := p.deps.Places.List(r.Context(), r.URL.Query().Get("comune"))
	if err != nil {
		return err
	}
	out := []carpool.Place{}
	for _, pl := range all {
		if !pl.Closed {
			out = append(out, pl)
		}
	}
	return web.JSON(w, r, map[string]any{"places": out})
}

// apiSearch is GET /api/v1/carpool/search. It is answered as to a stranger
// unless the asker is a member, whose blocks are kept.
func (p *Pages) apiSearch(w http.ResponseWriter, r *http.Request) error {
	if err := p.asked.take(r.Context(), p.shell.Now(), memberSearches); err != nil {
		return err
	}
	places, err := p.places(r.Context())
	if err != nil {
		return err
	}
	ask, err := p.apiAsk(r, places)
	if err != nil {
		return err
	}
	if id := web.Who(r.Context()); id.May(login.UseCarpool) {
		by, err := p.caller(r.Context())
		if err != nil && fault.Of(err) != fault.Denied {
			return err
		}
		ask.For = by.Member
	}
	answer, err := p.deps.Bookings.Search(r.Context(), ask)
	if err != nil {
		return err
	}
	return web.JSON(w, r, answerJSON(answer))
}

// apiAsk reads a search out of parameters.
func (p *Pages) apiAsk(r *http.Request, places []carpool.Place) (carpool.Ask, error) {
	q := r.URL.Query()
	ask := carpool.Ask{Seats: 1, MaxWalk: p.cfg.MaxWalk}
	var err error
	if ask.From, err = apiSpot("from", q.Get("from"), places); err != nil {
		return ask, err
	}
	if ask.To, err = apiSpot("to", q.Get("to"), places); err != nil {
		return ask, err
	}
	number := func(name string, least, most, usual int) int {
		if !q.Has(name) || err != nil {
			return usual
		}
		n, nerr := strconv.Atoi(q.Get(name))
		if nerr != nil || n < least || n > most {
			err = fault.New(fault.Invalid, "%s: %.20q: give a whole number from %d to %d", name, q.Get(name), least, most)
		}
		return n
	}
	flag := func(name string) bool {
		if !q.Has(name) || err != nil {
			return false
		}
		b, berr := strconv.ParseBool(q.Get(name))
		if berr != nil {
			err = fault.New(fault.Invalid, "%s: %.20q: give true or false", name, q.Get(name))
		}
		return b
	}
	slack := time.Duration(number("slack_min", 10, 720, 60)) * time.Minute
	ask.Seats = number("seats", 1, 1+p.cfg.Limits.Companions, 1)
	ask.MaxWalk = time.Duration(number("max_walk_min", 0, 60, int(p.cfg.MaxWalk.Minutes()))) * time.Minute
	ask.Needs = carpool.Needs{WalkingFrame: flag("walking_frame"), Wheelchair: flag("wheelchair"), ChildSeats: number("child_seats", 0, 4, 0)}
	if err != nil {
		return ask, err
	}
	arrive, leave := q.Get("arrive"), q.Get("leave")
	if (arrive == "") == (leave == "") {
		return ask, fault.New(fault.Invalid, "arrive, leave: give one of them, as 2026-11-23T09:00:00+01:00")
	}
	at, err := time.Parse(time.RFC3339, arrive+leave)
	if err != nil {
		return ask, fault.New(fault.Invalid, "arrive, leave: %.40q: write it as 2026-11-23T09:00:00+01:00", arrive+leave)
	}
	if now := p.shell.Now(); at.Before(now.Add(-time.Minute)) || at.After(now.AddDate(1, 0, 0)) {
		return ask, fault.New(fault.Invalid, "arrive, leave: a moment from now on, at most a year ahead")
	}
	ask.When = carpool.Window{From: at.UTC(), To: at.UTC().Add(slack)}
	if arrive != "" {
		ask.When = carpool.Window{From: at.UTC().Add(-slack), To: at.UTC(), Arrive: true}
	}
	return ask, nil
}

// apiSpot is a meeting point by its name, or "44.55,8.18".
func apiSpot(field, s string, places []carpool.Place) (carpool.Spot, error) {
	for _, pl := range places {
		if string(pl.ID) == s {
			return carpool.Spot{Place: pl.ID, At: pl.At}, nil
		}
	}
	if at, ok := readPosition(s); ok {
		return carpool.Spot{At: at}, nil
	}
	return carpool.Spot{}, fault.New(fault.Invalid, "%s: give the id of a meeting point, or LAT,LON", field) // what was given may be a home
}

func (p *Pages) apiOffers(w http.ResponseWriter, r *http.Request, by carpool.By) error {
	mine, err := p.deps.Offers.Mine(r.Context(), by.Member)
	if err != nil {
		return err
	}
	out := []offerBody{}
	for _, o := range mine {
		out = append(out, offerJSON(o))
	}
	return web.JSON(w, r, map[string]any{"offers": out})
}

func (p *Pages) apiAddOffer(w http.ResponseWriter, r *http.Request, by carpool.By) error {
	var b offerBody
	if err := web.NeededBody(r, &b); err != nil {
		return err
	}
	once, err := onceOf(r)
	if err != nil {
		return err
	}
	o, err := p.deps.Offers.Add(r.Context(), by, b.offer(by.Member), once)
	if err != nil {
		return err
	}
	return web.Made(w, http.StatusCreated, offerJSON(o))
}

// onceOf is the caller's name for what it asks, so that asking again does it
// once: the header Idempotency-Key.
func onceOf(r *http.Request) (string, error) {
	k := r.Header.Get("Idempotency-Key")
	if len(k) < 8 || len(k) > 64 || strings.ContainsFunc(k, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", fault.New(fault.Invalid, "Idempotency-Key: send a header with 8 to 64 random signs, the same when you try again")
	}
	return k, nil
}

// reasonBody is what may be sent with a step.
type reasonBody struct {
	Reason string `json:"reason"`
}

func (p *Pages) apiTurnOffer(w http.ResponseWriter, r *http.Request, by carpool.By) error {
	var b reasonBody
	if err := web.Body(r, &b); err != nil {
		return err
	}
	id, ctx := carpool.OfferID(r.PathValue("id")), r.Context()
	var err error
	switch r.PathValue("verb") {
	case "pause":
		err = p.deps.Offers.Pause(ctx, by, id)
	case "resume":
		err = p.deps.Offers.Resume(ctx, by, id)
	case "end":
		err = p.deps.Offers.End(ctx, by, id, b.Reason)
	default:
		err = fault.New(fault.NotFound, "offers/{id}/%.20s: pause, resume or end", r.PathValue("verb"))
	}
	if err != nil {
		return err
	}
	return p.apiOffers(w, r, by)
}

func (p *Pages) apiRequests(w http.ResponseWriter, r *http.Request, by carpool.By) error {
	all, err := p.deps.Bookings.Requests(r.Context(), by.Member)
	if err != nil {
		return err
	}
	out := []requestBody{}
	for _, q := range all {
		out = append(out, requestJSON(q))
	}
	return web.JSON(w, r, map[string]any{"requests": out})
}

func (p *Pages) apiRequest(w http.ResponseWriter, r *http.Request, by carpool.By) error {
	var b struct {
		requestBody
		Back *carpool.Window `json:"back"`
	}
	if err := web.NeededBody(r, &b); err != nil {
		return err
	}
	once, err := onceOf(r)
	if err != nil {
		return err
	}
	q, err := p.deps.Bookings.Request(r.Context(), by, b.request(by), b.Back, once)
	if err != nil {
		return err
	}
	return web.Made(w, http.StatusCreated, requestJSON(q))
}

func (p *Pages) apiRequestOf(w http.ResponseWriter, r *http.Request, by carpool.By) error {
	q, err := p.deps.Bookings.RequestOf(r.Context(), by, carpool.RequestID(r.PathValue("id")))
	if err != nil {
		return hidden404(err)
	}
	return web.JSON(w, r, requestJSON(q))
}

// apiBook asks the driver of a ride that fits a request.
func (p *Pages) apiBook(w http.ResponseWriter, r *http.Request, by carpool.By) error {
	var b struct {
		Ride carpool.RideID `json:"ride"`
	}
	if err := web.NeededBody(r, &b); err != nil {
		return err
	}
	once, err := onceOf(r)
	if err != nil {
		return err
	}
	q, err := p.deps.Bookings.RequestOf(r.Context(), by, carpool.RequestID(r.PathValue("id")))
	if err != nil {
		return hidden404(err)
	}
	m, err := p.matchOf(r.Context(), carpool.Ask{For: by.Member, From: q.From, To: q.To, When: q.When, Seats: q.Seats(), Needs: q.Needs, MaxWalk: q.MaxWalk, DoorToDoor: q.DoorToDoor}, b.Ride)
	if err != nil {
		return err
	}
	k, err := p.deps.Bookings.Book(r.Context(), by, q.ID, m, once)
	if err != nil {
		return err
	}
	return web.Made(w, http.StatusCreated, k)
}

func (p *Pages) apiReady(w http.ResponseWriter, r *http.Request, by carpool.By) error {
	q, err := p.deps.Bookings.Ready(r.Context(), by, carpool.RequestID(r.PathValue("id")), p.shell.Now())
	if err != nil {
		return hidden404(err)
	}
	return web.JSON(w, r, requestJSON(q))
}

func (p *Pages) apiWithdraw(w http.ResponseWriter, r *http.Request, by carpool.By) error {
	var b reasonBody
	if err := web.Body(r, &b); err != nil {
		return err
	}
	if err := p.deps.Bookings.WithdrawRequest(r.Context(), by, carpool.RequestID(r.PathValue("id")), b.Reason); err != nil {
		return hidden404(err)
	}
	return p.apiRequests(w, r, by)
}

func (p *Pages) apiBookings(w http.ResponseWriter, r *http.Request, by carpool.By) error {
	now := p.shell.Now()
	all, err := p.deps.Bookings.Mine(r.Context(), by.Member, now.Add(-mineBack), now.Add(mineAhead))
	if err != nil {
		return err
	}
	out := []carpool.BookingView{}
	for _, j := range all {
		out = append(out, j.Bookings...)
	}
	return web.JSON(w, r, map[string]any{"bookings": out})
}

func (p *Pages) apiBooking(w http.ResponseWriter, r *http.Request, by carpool.By) error {
	b, err := p.deps.Bookings.Get(r.Context(), by, carpool.BookingID(r.PathValue("id")))
	if err != nil {
		return hidden404(err)
	}
	return web.JSON(w, r, b)
}

func (p *Pages) apiStep(w http.ResponseWriter, r *http.Request, by carpool.By) error {
	var b reasonBody
	if err := web.Body(r, &b); err != nil {
		return err
	}
	steps := map[carpool.BookingEvent]func(context.Context, carpool.By, carpool.BookingID, string) (carpool.Booking, error){
		carpool.EventAccept: p.deps.Bookings.Accept, carpool.EventDecline: p.deps.Bookings.Decline, carpool.EventCancel: p.deps.Bookings.Cancel,
		carpool.EventBoard: p.deps.Bookings.Board, carpool.EventComplete: p.deps.Bookings.Complete, carpool.EventNoShow: p.deps.Bookings.NoShow,
		carpool.EventStopped: p.deps.Bookings.Stopped,
	}
	do, ok := steps[carpool.BookingEvent(r.PathValue("verb"))]
	if !ok {
		return fault.New(fault.NotFound, "bookings/{id}/%.20s: accept, decline, cancel, board, complete, stopped or no-show", r.PathValue("verb"))
	}
	id := carpool.BookingID(r.PathValue("id"))
	if _, err := do(r.Context(), by, id, b.Reason); err != nil {
		return err
	}
	return p.apiBooking(w, r, by)
}
