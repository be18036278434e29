package page

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// deskWay is what somebody was told of how they get there.
type deskWay struct {
	Text   string
	Until  string // "" where nothing is awaited
	Waits  bool
	Listed *listedRow
}

// requestView is a journey asked for, with its way.
type requestView struct {
	ID                   carpool.RequestID
	URL, Action          string
	From, To, When, Note string
	Needs                []string
	State, StateName     string
	Way                  deskWay
	Booking              *deskBooking
	CanReady, CanEnd     bool
	Back                 bool          // a way home
	More                 []requestView // of a series: those on other days, by address and time
}

// deskMatch is a lift that fits, as the operator reads it out.
type deskMatch struct {
	Ride              carpool.RideID
	From, To          string
	Leave, Arrive     string
	Walk, Detour      string
	Price             string
	Why               []string
	LastBus, BusFirst bool
}

type missView struct{ Text string }

type resultView struct {
	For        forWhom
	Trouble    *staffTrouble
	Done, Once string
	Out        requestView
	Return     *requestView
	Matches    []deskMatch
	Misses     []missView
	Buses      []deskBus
	List       []listedRow
	Searched   bool
	Estimate   bool
}

type deskBus struct {
	Line, From, To, Leave, Arrive string
	Last                          bool
}

// ways home are requests of the same rider that name the way out.
func returnOf(all []carpool.Request, out carpool.RequestID) (carpool.Request, bool) {
	i := slices.IndexFunc(all, func(q carpool.Request) bool { return q.Outward == out })
	if i < 0 {
		return carpool.Request{}, false
	}
	return all[i], true
}

// request is the one of the path, of the member of the path.
func (s *Staff) request(r *http.Request) (carpool.Member, carpool.Request, error) {
	m, err := s.member(r.Context(), carpool.MemberID(r.PathValue("member")))
	if err != nil {
		return m, carpool.Request{}, err
	}
	id := carpool.RequestID(r.PathValue("id"))
	req, err := s.deps.Bookings.RequestOf(r.Context(), deskFor(r.Context(), m.ID), id)
	if gone(err) || err == nil && req.Rider != m.ID {
		return m, req, outside("request", string(id))
	}
	return m, req, err
}

// requestPage is where the operator sees at once how somebody gets there.
func (s *Staff) requestPage(w http.ResponseWriter, r *http.Request) error {
	m, req, err := s.request(r)
	if err != nil {
		return err
	}
	return s.showRequest(w, r, s.blank(r), m, req)
}

func (s *Staff) showRequest(w http.ResponseWriter, r *http.Request, f *staffForm, m carpool.Member, req carpool.Request) error {
	ctx, p := r.Context(), s.of(r)
	v := resultView{For: p.forWhom(m), Trouble: f.trouble(), Done: p.known("desk.done." + r.URL.Query().Get("fatto")), Once: newOnce()}
	var err error
	if v.Out, err = p.requestView(ctx, m, req); err != nil {
		return err
	}
	all, err := s.deps.Bookings.RequestsFor(ctx, deskFor(ctx, m.ID), m.ID)
	if err != nil {
		return err
	}
	v.Out.More = p.others(m, open(all), req)
	if back, ok := returnOf(all, req.ID); ok {
		home, err := p.requestView(ctx, m, back)
		if err != nil {
			return err
		}
		v.Return = &home
	}
	if searching(req) {
		if err := p.search(ctx, &v, req); err != nil {
			return err
		}
	}
	list, err := s.deps.Points.Listed(ctx, m.Comune)
	if err != nil {
		return err
	}
	for _, l := range list {
		v.List = append(v.List, p.listedRow(l))
	}
	return s.html.WriteStatus(w, r, f.status(), "desk-request.html", s.deskPageView(web.View{Title: "desk.result.title", Self: requestPath(m.ID, req.ID), Data: v}))
}

// searching says whether a lift may still be chosen.
func searching(req carpool.Request) bool {
	switch req.State {
	case carpool.RequestOpen, carpool.RequestListed, carpool.RequestDesk:
		return req.Way.Kind != carpool.WayAsked && req.Way.Kind != carpool.WayRide
	}
	return false
}

// search fills in what was found.
func (p speech) search(ctx context.Context, v *resultView, req carpool.Request) error {
	if err := p.asked.take(ctx, p.shell.Now(), deskSearches); err != nil {
		return err
	}
	answer, err := p.deps.Bookings.Search(ctx, askOf(req))
	if fault.Of(err) == fault.Invalid && err != nil {
		return nil // a journey that is over is not searched
	}
	if err != nil {
		return err
	}
	v.Searched, v.Estimate = true, answer.Roads.Estimate
	for _, m := range answer.Matches {
		v.Matches = append(v.Matches, p.deskMatch(m))
	}
	for _, m := range answer.Misses {
		if text := p.miss(m); text != "" {
			v.Misses = append(v.Misses, missView{text})
		}
	}
	for _, b := range answer.Buses {
		v.Buses = append(v.Buses, p.bus(b))
	}
	return nil
}

func (p speech) clock(at time.Time) string {
	if at.IsZero() {
		return "–"
	}
	return at.In(p.shell.Location()).Format("15:04")
}

func (p speech) bus(b carpool.Bus) deskBus {
	return deskBus{Line: b.Line, From: b.From, To: b.To, Leave: p.moment(b.Depart), Arrive: p.clock(b.Arrive), Last: b.Last}
}

// deskMatch says a lift. The driver's first name is all that is told before
// the driver has agreed.
func (p speech) deskMatch(m carpool.Match) deskMatch {
	row := deskMatch{Ride: m.Ride, From: p.stopName(m.Pickup), To: p.stopName(m.Drop), Leave: p.moment(m.Pickup.Time), Arrive: p.clock(m.Drop.Time),
		Walk: p.minutes(m.Pickup.Walk + m.Drop.Walk), Detour: p.minutes(m.Detour), Price: p.euro(m.Cents), LastBus: m.LastBus, BusFirst: m.BusFirst}
	for _, why := range m.Why {
		if key := "desk." + why.Key; p.known(key) != "" {
			row.Why = append(row.Why, counted(p.word, key, p.values(why.Args)...))
		}
	}
	return row
}

// values are the arguments of words, times as they are read.
func (p speech) values(args []any) []any {
	out := slices.Clone(args)
	for i, v := range out {
		if at, ok := v.(time.Time); ok {
			out[i] = p.clock(at)
		}
	}
	return out
}

func (p speech) stopName(s carpool.MatchStop) string {
	if s.Name != "" {
		return s.Name
	}
	return p.word("desk.door")
}

func (p speech) minutes(d time.Duration) string {
	return counted(p.word, "desk.minutes", wholeMinutes(d))
}

// miss is what nearly fits, in a sentence.
func (p speech) miss(m carpool.Miss) string {
	if m.Bus != nil {
		b := p.bus(*m.Bus)
		return p.word("desk.miss.bus", b.Line, b.Leave, b.From, b.To, b.Arrive)
	}
	if m.By > 0 {
		return p.known("desk.miss."+m.Why, p.minutes(m.By))
	}
	return p.known("desk.miss." + m.Why)
}

// requestView says a request and its way.
func (p speech) requestView(ctx context.Context, m carpool.Member, req carpool.Request) (requestView, error) {
	v := requestView{ID: req.ID, URL: requestPath(m.ID, req.ID), When: p.window(req.When), Note: req.Note, State: string(req.State),
		StateName: p.known("desk.request." + string(req.State)), Back: req.Outward != ""}
	v.Action = v.URL
	var err error
	if v.From, err = p.spotName(ctx, req.From); err != nil {
		return v, err
	}
	if v.To, err = p.spotName(ctx, req.To); err != nil {
		return v, err
	}
	v.Needs = p.needs(req.Needs, req.Companions, req.DoorToDoor)
	v.CanReady = req.State == carpool.RequestWaiting
	v.CanEnd = req.State != carpool.RequestDone && req.State != carpool.RequestWithdrawn
	if v.CanReady {
		v.When = p.word("desk.when-visit-ends")
	}
	if v.Way, err = p.way(ctx, req, m.Comune); err != nil {
		return v, err
	}
	if req.Way.Booking != "" {
		b, err := p.deskBooking(ctx, m, req.Way.Booking)
		if err != nil {
			return v, err
		}
		v.Booking = b
	}
	return v, nil
}

// spotName is the name of a meeting point, or the address that the desk may
// read.
func (p speech) spotName(ctx context.Context, at carpool.Spot) (string, error) {
	if at.Private() {
		if at.Address == "" {
			return p.word("desk.door"), nil
		}
		return at.Address, nil
	}
	place, err := p.deps.Points.Get(ctx, at.Place)
	if fault.Of(err) == fault.NotFound && err != nil {
		return string(at.Place), nil
	}
	return place.Name, err
}

// needs in words.
func (p speech) needs(n carpool.Needs, companions int, door bool) []string {
	var out []string
	if n.WalkingFrame {
		out = append(out, p.word("desk.need.deambulatore"))
	}
	if n.Wheelchair {
		out = append(out, p.word("desk.need.carrozzina"))
	}
	if n.ChildSeats > 0 {
		out = append(out, p.word("desk.need.seats", n.ChildSeats))
	}
	if companions > 0 {
		out = append(out, p.word("desk.need.companions", companions))
	}
	if door {
		out = append(out, p.word("desk.need.porta"))
	}
	return out
}

// way is the stated way in words.
func (p speech) way(ctx context.Context, req carpool.Request, comune string) (deskWay, error) {
	v := deskWay{Text: p.word("desk.way." + string(req.Way.Kind)), Waits: req.Way.Kind != carpool.WayRide}
	switch req.State {
	case carpool.RequestDone, carpool.RequestWithdrawn:
		return deskWay{Text: p.word("desk.request." + string(req.State))}, nil
	case carpool.RequestWaiting:
		return deskWay{Text: p.word("desk.way.waiting"), Waits: true}, nil
	}
	if req.Way.Kind == "" {
		v.Text = p.word("desk.way.search")
	}
	switch req.Way.Text {
	case carpool.WayTextRoadside, carpool.WayTextAway:
		v.Text = p.word("desk." + req.Way.Text)
		req.Way.Until = time.Time{}
	}
	if !req.Way.Until.IsZero() && (req.Way.Kind == carpool.WaySearch || req.Way.Kind == carpool.WayAsked || req.Way.Kind == carpool.WayDesk) {
		v.Until = p.word("desk.way.until", p.moment(req.Way.Until))
	}
	if req.Way.Listed == "" {
		return v, nil
	}
	list, err := p.deps.Points.Listed(ctx, "")
	if err != nil {
		return v, fmt.Errorf("the list of request %s: %w", req.ID, err)
	}
	if i := slices.IndexFunc(list, func(l carpool.Listed) bool { return l.ID == req.Way.Listed }); i >= 0 {
		row := p.listedRow(list[i])
		v.Listed = &row
	}
	return v, nil
}
