package page

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

const (
	mineBack  = 30 * 24 * time.Hour // how far back "my rides" look
	mineAhead = 90 * 24 * time.Hour
	stillNow  = 3 * time.Hour // a ride that ended so lately stands among the next
)

// mineView is what "my rides" shows.
type mineView struct {
	F       *filled
	Done    string
	Trouble *trouble
	Suspend []suspended
	News    []newsRow // unread until now
	Ways    []wayView // requests with their stated way, the next first
	Next    []journeyView
	Past    []journeyView
	Watches []watchView
	Most    int    // signs of an appeal
	Trusted string // name of the trusted person
	Desk    Contacts
}

// wayView is a request and how its rider gets there.
type wayView struct {
	ID, From, To, When string
	Home               bool      // a way back
	Way                string    // in large words
	Call               string    // number to call
	Waiting            bool      // an open return: "the visit has ended"
	Booking            string    // page of the booking
	Again              string    // of a series: on which days
	More               []wayView // of a series: those after this one
}

// journeyView is a ride of somebody's.
type journeyView struct {
	Driver           bool
	Day, From, To    string
	Depart, Arrive   string
	State            string
	Risk, Offer      string
	Bookings         []bookingRow
	Next             bool // the very next one
	StateOK, StateNo bool
}

// bookingRow is a booking in a list.
type bookingRow struct {
	Path, ID, Who, Phone, State string
	In, Out, From, To           string
	Car, Needs                  string
	Seats                       int
	Cost                        string
	May                         []step
}

// step is something that can be done with a booking.
type step struct {
	Do, Text string
	Page     string // where it is asked again first; "" for a button
	Danger   bool
}

type watchView struct{ ID, From, To, Until string }

// mine is GET /passaggi/miei.
func (p *Pages) mine(v *visit) error { return p.showMine(v, http.StatusOK, v.blank(), nil) }

func (p *Pages) showMine(v *visit, status int, f *filled, why *trouble) error {
	view, err := p.mineView(v)
	if err != nil {
		return err
	}
	view.F, view.Trouble = f, why
	if view.Suspend, err = p.suspended(v); err != nil {
		return err
	}
	if view.News, err = p.news(v); err != nil {
		return err
	}
	v.w.Header().Set("Cache-Control", "no-store")
	return p.show(v, status, "mine.html", web.View{Title: "pool.mine.title", Self: minePath, Data: view})
}

func (p *Pages) mineView(v *visit) (mineView, error) {
	ctx := v.r.Context()
	view := mineView{Done: v.said(), Most: p.cfg.Limits.Appeal(), Trusted: v.me.Trusted.Name, Desk: p.cfg.Union}
	var err error
	if view.Ways, err = p.ways(v); err != nil {
		return view, err
	}
	journeys, err := p.deps.Bookings.Mine(ctx, v.me.ID, v.now.Add(-mineBack), v.now.Add(mineAhead))
	if err != nil {
		return view, err
	}
	for _, j := range journeys {
		one := p.journeyView(ctx, v.say, j)
		over := j.To.Before(v.now.Add(-stillNow)) || j.Ride.State == carpool.RideCancelled && j.To.Before(v.now) || j.As == carpool.AsRider && over(j)
		if over {
			view.Past = append(view.Past, one)
			continue
		}
		one.Next = len(view.Next) == 0
		view.Next = append(view.Next, one)
	}
	slices.Reverse(view.Past)
	watches, err := p.deps.Bookings.Watches(ctx, v.me.ID)
	if err != nil {
		return view, err
	}
	for _, w := range watches {
		view.Watches = append(view.Watches, watchView{w.ID, p.spotName(ctx, v.say, w.Ask.From), p.spotName(ctx, v.say, w.Ask.To), v.say.date(w.Until)})
	}
	return view, nil
}

// over says whether nothing is to come of a rider's journey.
func over(j carpool.Journey) bool {
	return !slices.ContainsFunc(j.Bookings, func(b carpool.BookingView) bool {
		switch b.State {
		case carpool.Asked, carpool.Accepted, carpool.Boarded:
			return true
		}
		return false
	})
}

// ways are the requests that are not over, with their stated way.
func (p *Pages) ways(v *visit) ([]wayView, error) {
	ctx := v.r.Context()
	requests, err := p.deps.Bookings.Requests(ctx, v.me.ID)
	if err != nil {
		return nil, err
	}
	listed, err := p.deps.Places.Listed(ctx, "")
	if err != nil {
		return nil, err
	}
	requests = slices.DeleteFunc(slices.Clone(requests), func(r carpool.Request) bool {
		return r.State == carpool.RequestDone || r.State == carpool.RequestWithdrawn
	})
	slices.SortStableFunc(requests, func(a, b carpool.Request) int { return cmp.Compare(a.When.From.Unix(), b.When.From.Unix()) })
	var out []wayView
	for _, r := range requests {
		w := wayView{ID: string(r.ID), From: p.spotName(ctx, v.say, r.From), To: p.spotName(ctx, v.say, r.To), When: v.say.windowText(r.When),
			Home: r.Outward != "", Waiting: r.State == carpool.RequestWaiting}
		if w.Waiting {
			w.When = v.say.word("pool.way.open", v.say.day(r.When.From))
		}
		w.Way, w.Call = p.wayText(v.say, r, listed)
		if r.Way.Booking != "" {
			w.Booking = minePath + "/" + string(r.Way.Booking)
		}
		out = append(out, w)
	}
	return v.say.inSeries(requests, out), nil
}

// wayText says how somebody gets there, and whom to call.
func (p *Pages) wayText(say tongue, r carpool.Request, listed []carpool.Listed) (text, call string) {
	var whom *carpool.Listed
	if i := slices.IndexFunc(listed, func(l carpool.Listed) bool { return l.ID == r.Way.Listed }); i >= 0 {
		whom = &listed[i]
	}
	until := ""
	if !r.Way.Until.IsZero() {
		until = say.day(r.Way.Until) + ", " + say.clockOf(r.Way.Until)
	}
	switch r.Way.Kind {
	case carpool.WayBus:
		if b := r.Way.Bus; b != nil {
			text = say.word("pool.way.bus", b.Line, b.From, say.clockOf(b.Depart), b.To, say.clockOf(b.Arrive))
			if whom != nil {
				text += " " + say.word("pool.way.bus.else", whom.Name, whom.Phone)
			}
			return text, p.cfg.Union.Desk
		}
	case carpool.WayList:
		if whom != nil {
			return say.word("pool.way.list", whom.Name, whom.Phone, whom.Hours), whom.Phone
		}
	case carpool.WayDesk:
		text := say.word("pool.way.desk", until)
		if r.Way.Text == carpool.WayTextRoadside || r.Way.Text == carpool.WayTextAway {
			text = say.word("pool." + r.Way.Text)
		}
		if whom != nil {
			return text + " " + say.word("pool.way.desk.else", whom.Name, whom.Phone), cmp.Or(p.cfg.Union.Desk, whom.Phone)
		}
		return text, p.cfg.Union.Desk
	case carpool.WayRide:
		return say.word("pool.way.ride"), ""
	case carpool.WayAsked:
		text := say.word("pool.way.asked", until)
		if whom != nil {
			return text + " " + say.word("pool.way.desk.else", whom.Name, whom.Phone), whom.Phone
		}
		return text, ""
	case carpool.WaySearch:
		key := "pool." + r.Way.Text
		if !say.has(key) {
			key = "pool.way.search"
		}
		text := say.word(key, until)
		if whom != nil {
			text += " " + say.word("pool.way.desk.else", whom.Name, whom.Phone)
		}
		return text, p.cfg.Union.Desk
	}
	return say.word("pool.way.desk", until), p.cfg.Union.Desk
}

func (p *Pages) journeyView(ctx context.Context, say tongue, j carpool.Journey) journeyView {
	out := journeyView{Driver: j.As == carpool.AsDriver, Day: say.day(j.From), Depart: say.clockOf(j.From), Arrive: say.clockOf(j.To),
		State: say.word("pool.ride.state." + string(j.Ride.State)), StateOK: j.Ride.State == carpool.RideOpen, StateNo: j.Ride.State == carpool.RideCancelled}
	if out.Driver {
		out.Risk, out.Offer = p.risk(say, j.Ride.Risk), offersPath+"/"+string(j.Ride.Offer)
		if n := len(j.Ride.Stops); n > 1 {
			out.From, out.To = p.spotName(ctx, say, j.Ride.Stops[0].Spot), p.spotName(ctx, say, j.Ride.Stops[n-1].Spot)
		}
	}
	for _, b := range j.Bookings {
		row := p.bookingRow(ctx, say, b)
		if !out.Driver && b.DriverIs.First == "" {
			row.Who = say.word("pool.mine.unnamed")
		}
		if !out.Driver {
			out.From, out.To, out.State = row.From, row.To, row.State
			out.StateOK, out.StateNo = b.State.Holds(), b.State == carpool.Cancelled || b.State == carpool.Declined || b.State == carpool.NoShow
		}
		out.Bookings = append(out.Bookings, row)
	}
	return out
}

func (p *Pages) bookingRow(ctx context.Context, say tongue, b carpool.BookingView) bookingRow {
	who := b.DriverIs
	if b.As == carpool.AsDriver {
		who = b.RiderIs
	}
	r := bookingRow{Path: minePath + "/" + string(b.ID), ID: string(b.ID), Who: personName(who), Phone: who.Phone, State: say.bookingState(b),
		In: say.clockOf(b.Pickup.At), Out: say.clockOf(b.Drop.At), From: p.stopOf(ctx, say, b.Pickup, b.PickupName), To: p.stopOf(ctx, say, b.Drop, b.DropName),
		Car: carName(b), Needs: say.needs(b.Needs), Seats: b.Seats, May: stepsOf(say, b)}
	if r.Who == "" {
		r.Who = say.word("pool.driver.unnamed")
	}
	if b.Cents > 0 {
		r.Cost = say.money(b.Cents)
	}
	return r
}

func personName(x carpool.Person) string {
	if x.Last == "" {
		return x.First
	}
	return x.First + " " + x.Last
}

func carName(b carpool.BookingView) string {
	if b.Car == "" || b.Plate == "" {
		return b.Car
	}
	return b.Car + ", " + b.Plate
}

// stopOf is what a stop is called: the meeting point, or the door.
func (p *Pages) stopOf(ctx context.Context, say tongue, s carpool.Stop, name string) string {
	if name != "" {
		return name
	}
	return p.spotName(ctx, say, s.Spot)
}

func (t tongue) bookingState(b carpool.BookingView) string {
	if b.State == carpool.Asked && !b.Deadline.IsZero() {
		return t.word("pool.booking.asked", t.day(b.Deadline)+", "+t.clockOf(b.Deadline))
	}
	return t.word("pool.booking." + string(b.State))
}

// stepsOf are the buttons of a booking, in the order of the portal.
func stepsOf(say tongue, b carpool.BookingView) []step {
	var out []step
	for _, e := range b.May {
		s := step{Do: string(e), Text: say.word("pool.step." + string(e))}
		switch e {
		case carpool.EventCancel:
			s.Page, s.Danger = minePath+"/"+string(b.ID)+"/annulla", true
		case carpool.EventStopped:
			s.Page, s.Danger = minePath+"/"+string(b.ID)+"/annulla?fa="+string(e), true
		case carpool.EventDecline:
			s.Danger = true
		case carpool.EventNoShow:
			s.Danger = true
			if b.State != carpool.Accepted && b.As == carpool.AsRider {
				s.Text = say.word("pool.step.never-in")
			}
		}
		out = append(out, s)
	}
	return out
}

// copyMine is GET /passaggi/miei/copia: one's own next rides without anybody
// else in them, which a phone keeps to read without a network.
func (p *Pages) copyMine(v *visit) error {
	view, err := p.mineView(v)
	if err != nil {
		return err
	}
	v.w.Header().Set("Cache-Control", "no-store")
	return p.show(v, http.StatusOK, "copy.html", web.View{Title: "pool.mine.title", Self: minePath, Data: view})
}

// actRequest is POST /passaggi/richieste/{id}: the visit has ended, or
// the request is not needed any more.
func (p *Pages) actRequest(v *visit) error {
	f, err := v.form("fa", "certo")
	if err != nil {
		return err
	}
	id, ctx := carpool.RequestID(v.r.PathValue("id")), v.r.Context()
	if strings.HasPrefix(f.raw("fa"), "ritira") && !f.on("certo") {
		return p.showMine(v, http.StatusBadRequest, v.blank(), &trouble{v.say.word("pool.wrong.sure"), ""})
	}
	what, err := p.sendOnce(v, f, func() (string, error) {
		switch f.raw("fa") {
		case "pronto":
			_, err := p.deps.Bookings.Ready(ctx, v.by, id, v.now)
			return "pronto", err
		case "ritira":
			return "ritirato", p.deps.Bookings.WithdrawRequest(ctx, v.by, id, "")
		case "ritira-tutti":
			return "ritirati", p.deps.Bookings.WithdrawSeries(ctx, v.by, id, "")
		}
		return "", fault.New(fault.Invalid, "fa: pronto, ritira or ritira-tutti")
	})
	switch {
	case err == nil:
		return v.done(minePath, what)
	case mendable(err):
		return p.showMine(v, web.Status(err), v.blank(), v.say.trouble(err))
	}
	return err
}

// watch is POST /passaggi/miei/avviso: tell me when a lift appears.
func (p *Pages) watch(v *visit) error {
	f, err := v.form(searchFields...)
	if err != nil {
		return err
	}
	places, err := p.places(v.r.Context())
	if err != nil {
		return err
	}
	ask, _, _, ok := p.readAsk(v, f, places)
	if !ok {
		return p.show(v, http.StatusBadRequest, "search.html", web.View{Title: "pool.title", Self: searchPath, Data: p.searchView(v, f, places, nil)})
	}
	_, err = p.sendOnce(v, f, func() (string, error) {
		_, err := p.deps.Bookings.Watch(v.r.Context(), v.by, ask, carpool.DateOf(ask.When.To, v.say.in))
		return "", err
	})
	switch {
	case err == nil:
		return v.done(minePath, "avviso")
	case mendable(err):
		return p.showMine(v, web.Status(err), v.blank(), v.say.trouble(err))
	}
	return err
}

// unwatch is POST /passaggi/miei/avviso/togli.
func (p *Pages) unwatch(v *visit) error {
	f, err := v.form("avviso")
	if err != nil {
		return err
	}
	if err := p.deps.Bookings.Unwatch(v.r.Context(), v.by, f.raw("avviso")); err != nil {
		if !mendable(err) {
			return err
		}
		return p.showMine(v, web.Status(err), v.blank(), v.say.trouble(err))
	}
	return v.done(minePath, "avviso-tolto")
}
