package carpool

import "time"

// What the way home keeps to beside Config: round figures, so that they can be
// told to people.
const (
	aboardMost   = time.Hour        // taken for a way inside the union where only the arrival is bounded
	searchMost   = time.Hour        // of a search that begins late
	searchLeast  = 5 * time.Minute  // of any search
	choose       = 10 * time.Minute // for the rider of a late request to choose a lift
	listLeast    = 15 * time.Minute // before the desk follows the list
	deskAgain    = time.Hour        // before the desk is called a second time, at least
	closedAfter  = 12 * time.Hour   // after its window a request is over
	roadKept     = 24 * time.Hour   // longer, while nobody has spoken with its rider on the road
	openReturnTo = 5 * time.Hour    // after the way out's window, when an open return says nothing
)

// Words of a Way's Text.
const (
	WayTextSearch   = "way.search"       // looked for; drivers who know the road are asked at Until
	WayTextRoad     = "way.search.road"  // those drivers were asked
	WayTextAgain    = "way.search.again" // a driver fell away, another is looked for
	WayTextWaiting  = "way.waiting"      // say when the visit has ended
	WayTextAsked    = "way.asked"
	WayTextRide     = "way.ride"
	WayTextBus      = "way.bus"
	WayTextList     = "way.list"
	WayTextDesk     = "way.desk"
	WayTextDesk2    = "way.desk.again" // called a second time
	WayTextRoadside = "way.desk.road"  // the car stopped on the way
	WayTextAway     = "way.desk.away"  // suspended while away
)

// WayFacts are what is known when the way of a request is decided.
type WayFacts struct {
	Ride   *Booking // accepted, or aboard
	Asked  *Booking // waits for a driver's answer
	Road   bool     // drivers who know the road were asked already
	Again  bool     // a driver fell away, and the search for another found nobody now
	Bus    *Bus     // that the rider can take
	Listed []Listed // of the union's list, for where they are; the first is told
	Calls  bool     // the desk still has to call whoever only it can bring home
	Spoken bool     // it did
}

// WayNext is what is decided: the state and the way of a request, and what is to
// be done about it.
type WayNext struct {
	State   RequestState
	Way     Way
	AskRoad bool       // ask the drivers who know the road
	Tell    NoticeKind // to the rider; "" for nothing
	Call    bool       // the desk gets a task
	Note    string     // for whoever makes the call
}

// NextWay decides how the rider of a request gets there, or what is done about
// it and until when. While a request is not over its way always ends after
// now.
//
// The order is: a lift, a driver who was asked, the search, a bus, the union's
// list, the desk, the desk again. A way that still runs stays.
func NextWay(r Request, f WayFacts, now time.Time, cfg Config) WayNext {
	switch {
	case r.State == RequestDone || r.State == RequestWithdrawn:
		return WayNext{State: r.State}
	case f.Ride != nil:
		until := later(f.Ride.Drop.At.Add(CompletedAfter), now.Add(searchLeast))
		return WayNext{State: RequestBooked, Way: Way{Kind: WayRide, Booking: f.Ride.ID, Until: until, Text: WayTextRide}}
	case r.onTheRoad():
		return onTheRoad(r, f, now)
	case f.Asked != nil && now.Before(f.Asked.Deadline):
		return WayNext{State: RequestOpen, Way: Way{Kind: WayAsked, Booking: f.Asked.ID, Until: f.Asked.Deadline, Text: WayTextAsked}}
	case !now.Before(r.When.To.Add(closedAfter)):
		return WayNext{State: RequestDone}
	case r.State == RequestWaiting:
		if now.Before(r.When.To) {
			return WayNext{State: RequestWaiting, Way: Way{Kind: WaySearch, Until: r.When.To, Text: WayTextWaiting}}
		}
		return desk(r, now)
	case runs(r, f, now):
		return WayNext{State: r.State, Way: r.Way}
	}
	n := afterSearch(r, f, now, cfg)
	n.AskRoad = !f.Road && r.Way.Kind != "" && !now.Before(leaves(r.When).Add(-cfg.AskDrivers)) && now.Before(r.When.To)
	return n
}

// onTheRoad says whether only the desk can bring the rider of a request home.
func (r Request) onTheRoad() bool {
	return r.Way.Kind == WayDesk && (r.Way.Text == WayTextRoadside || r.Way.Text == WayTextAway)
}

// onTheRoad is the next way of such a request: the desk's, and nobody else's,
// until it has called.
func onTheRoad(r Request, f WayFacts, now time.Time) WayNext {
	n := WayNext{State: RequestDesk, Way: r.Way}
	closed := r.When.To.Add(closedAfter)
	switch {
	case now.Before(r.Way.Until):
	case f.Calls:
		n.Way.Until = now.Add(listLeast)
	case f.Spoken && now.Before(closed):
		n.Way.Until = closed
	case f.Spoken || !now.Before(closed.Add(roadKept)):
		return WayNext{State: RequestDone}
	default: // nobody answered, or the number was wrong: once more
		n.Way.Until, n.Call = now.Add(deskAgain), true
	}
	return n
}

// afterSearch is the next way of a request that has neither a lift nor a driver
// who was asked.
func afterSearch(r Request, f WayFacts, now time.Time, cfg Config) WayNext {
	leave := leaves(r.When)
	road, last := leave.Add(-cfg.AskDrivers), leave.Add(-cfg.LastCall)
	left := r.When.To.Sub(now)
	search := func(until time.Time, text string, tell NoticeKind) WayNext {
		return WayNext{State: RequestOpen, Way: Way{Kind: WaySearch, Until: until, Text: text}, Tell: tell}
	}
	switch kind := r.Way.Kind; {
	case kind == WayBus || kind == WayDesk && r.Way.Text == WayTextDesk2: // the bus has gone with its rider; the desk knows
		return WayNext{State: RequestDone}
	case kind == WayDesk:
		n := desk(r, now)
		n.Way.Text, n.Way.Until, n.Tell = WayTextDesk2, r.When.To.Add(closedAfter), ""
		return n
	case kind == WayList:
		return desk(r, now)
	case f.Again && now.Before(road) && !f.Road:
		return search(road, WayTextAgain, "") // told when the driver fell away
	case f.Again && now.Before(last):
		return search(last, WayTextAgain, "")
	case f.Again:
	case now.Before(road):
		return search(road, WayTextSearch, NoticeSearching)
	case kind == "": // so late that the rider chooses now
		return search(now.Add(min(grace(left), choose)), WayTextSearch, NoticeSearching)
	case !f.Road:
		return search(later(last, now.Add(grace(left))), WayTextRoad, NoticeSearching)
	case now.Before(last):
		return search(last, WayTextRoad, NoticeSearching)
	}
	switch {
	case f.Bus != nil && f.Bus.Depart.After(now) && !r.Needs.Wheelchair:
		n := WayNext{State: RequestListed, Way: Way{Kind: WayBus, Bus: f.Bus, Until: later(f.Bus.Arrive, f.Bus.Depart), Text: WayTextBus}, Tell: NoticeListed}
		if r.Outward != "" && len(f.Listed) > 0 { // who misses it is away from home
			n.Way.Listed = f.Listed[0].ID
		}
		return n
	case len(f.Listed) > 0:
		return WayNext{State: RequestListed, Tell: NoticeListed,
			Way: Way{Kind: WayList, Listed: f.Listed[0].ID, Until: now.Add(max(listLeast, min(left/2, cfg.LastCall))), Text: WayTextList}}
	}
	return desk(r, now)
}

// runs says whether the way that was told still holds.
func runs(r Request, f WayFacts, now time.Time) bool {
	switch r.Way.Kind {
	case "", WayAsked, WayRide: // the booking that it named is gone
		return false
	case WaySearch:
		return now.Before(r.Way.Until) && !f.Again
	}
	return now.Before(r.Way.Until)
}

func desk(r Request, now time.Time) WayNext {
	return WayNext{State: RequestDesk, Tell: NoticeDesk, Call: true,
		Way: Way{Kind: WayDesk, Until: later(r.When.To, now.Add(deskAgain)), Text: WayTextDesk}}
}

// leaves is when somebody must be on the way at the earliest.
func leaves(w Window) time.Time {
	if w.Arrive {
		return w.From.Add(-aboardMost)
	}
	return w.From
}

// grace is how long a search that begins late goes on: a quarter of the time
// left.
func grace(left time.Duration) time.Duration {
	return max(searchLeast, min(left/4, searchMost))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
