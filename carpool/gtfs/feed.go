package gtfs

import (
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/unit"
)

// Feed is what is published of the lifts: which offers go from which meeting
// point to which, on which days of the next month. Of a ride only the driver's
// own two ends are told, never who gets in where; an end at somebody's door
// becomes the nearest meeting point that is published.
type Feed struct {
	Publisher string         // name of the union
	URL       string         // of the portal, absolute
	Email     string         // to write to about the feed; "" for none
	Location  *time.Location // of the times
	Today     carpool.Date   // the window is Today and the Window days after it

	// Link is the page of an offer, absolute: there people book.
	Link func(carpool.OfferID) string

	// Places of which those that their comune has published are stops. No address
	// decides it: the portal keeps doors and published places apart.
	Places []carpool.Place
	Offers []carpool.Offer
	Rides  []carpool.Ride
}

const (
	// Window of days after today.
	Window = 31
	// Clear of every private address that a stop must be.
	Clear = carpool.Clear
	// MaxSnap from an end to the meeting point that stands for it.
	MaxSnap unit.Metres = 3000
	// minTrip between two published stops: a shorter one says too much about
	// where its ends are, and helps nobody.
	minTrip unit.Metres = 1000

	// routeCarpool is the route_type of lifts that trip planners know.
	routeCarpool = "1551"
)

func (f Feed) check() error {
	switch {
	case f.Publisher == "":
		return fault.New(fault.Invalid, "feed: publisher: name the union")
	case checkURL(f.URL) != nil:
		return fault.New(fault.Invalid, "feed: url %q: %w", f.URL, checkURL(f.URL))
	case f.Location == nil || f.Link == nil:
		return fault.New(fault.Internal, "feed: location and link must be given")
	}
	return f.Today.Check()
}

// Left counts why rides are not in a feed.
type Left struct {
	Outside int `json:"outside"`  // of the window, or not open, or full
	NoStop  int `json:"no_stop"`  // no published meeting point near an end
	TooNear int `json:"too_near"` // the two stops would be the same, or less than a kilometre apart
	Written int `json:"written"`
}

// run is a ride as it is told.
type run struct {
	offer    carpool.OfferID
	from, to int // places
	depart   int // minutes of the service day
	minutes  int // on the way
	day      Day
}

// runs are the rides that are told, and why others are not.
func (f Feed) runs() ([]run, Left) {
	s := newSnap(f)
	offers := map[carpool.OfferID]carpool.Offer{}
	for _, o := range f.Offers {
		offers[o.ID] = o
	}
	var out []run
	var left Left
	for _, r := range f.Rides {
		o, known := offers[r.Offer]
		day := carpool.DateOf(r.Depart, f.Location)
		if !known || r.State != carpool.RideOpen || r.Risk != "" || o.State != carpool.OfferOpen || r.Taken >= r.Seats ||
			len(r.Stops) < 2 || day < f.Today || day > f.Today.Plus(Window) {
			left.Outside++
			continue
		}
		first, last := r.Stops[0], r.Stops[len(r.Stops)-1]
		from, ok1 := s.place(first.Spot)
		to, ok2 := s.place(last.Spot)
		if !ok1 || !ok2 {
			left.NoStop++
			continue
		}
		if from == to || f.Places[from].At.Distance(f.Places[to].At) < minTrip {
			left.TooNear++
			continue
		}
		d, err := parseDay(compact(day))
		took := last.At.Sub(first.At)
		if err != nil || took <= 0 || took > 24*time.Hour {
			left.Outside++
			continue
		}
		since := r.Depart.Sub(d.at(0, f.Location))
		if since < 0 { // the night that winter time begins: its first hour is the day before's 25th
			d = d.plus(-1)
			since = r.Depart.Sub(d.at(0, f.Location))
		}
		out = append(out, run{r.Offer, from, to, int(since.Minutes()), max(1, int(took.Round(time.Minute).Minutes())), d})
	}
	left.Written = len(out)
	return out, left
}

// compact is a date as GTFS writes it.
func compact(d carpool.Date) string {
	s := string(d)
	if len(s) != 10 {
		return ""
	}
	return s[:4] + s[5:7] + s[8:]
}
