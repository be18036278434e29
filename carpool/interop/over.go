package interop

import (
	"context"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/zone"
)

// over is the portal as the API asks it.
type over struct {
	p     *carpool.Portal
	deps  OverDeps
	cfg   Config
	names names // with its secret once the server is open
}

var _ Portal = (*over)(nil)

// OverDeps are what it takes to put the API over the portal.
type OverDeps struct {
	Roads    carpool.Roads
	Location *time.Location   // of times of day; nil: Europe/Rome
	Now      func() time.Time // nil: time.Now
}

// Over is the API's portal over the real one, of the same configuration as the
// server. It touches nothing; the server opens it.
func Over(p *carpool.Portal, cfg Config, deps OverDeps) (Portal, error) {
	if p == nil || deps.Roads == nil {
		return nil, fault.New(fault.Internal, "interop: portal and roads must be given")
	}
	if deps.Location == nil {
		deps.Location = zone.Rome()
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &over{p: p, deps: deps, cfg: cfg}, nil
}

// open gives it the secret of outside names.
func (o *over) open(secret []byte) { o.names = names{secret} }

// kinds of sealed names.
const (
	kindUser    = "user"
	kindJourney = "journey"
	kindNeed    = "need"
)

const (
	onFoot  = 1.0            // m/s: how far a radius is, for who walks it
	longest = time.Hour      // walk
	between = time.Minute    // least half of a window
	halfDay = 12 * time.Hour // most
	ahead   = 360 * 24 * time.Hour
	maxID   = 255 // characters, by the standard
)

// found are the lifts of the portal for a time, as the portal's own search
// finds them for a stranger: private ends only as the cell they lie in.
func (o *over) found(ctx context.Context, s Search, at time.Time) ([]carpool.Match, error) {
	delta := min(max(s.Delta, between), halfDay)
	now := o.deps.Now()
	if at.Add(delta).Before(now.Add(between)) || at.After(now.Add(ahead)) {
		return nil, nil
	}
	walk := min(max(time.Duration(max(s.FromKm, s.ToKm)*1000/onFoot*float64(time.Second)), 5*time.Minute), longest)
	// The portal counts the walk from the middle of the cell; the standard asks
	// for the time of the pick-up. What falls outside is left out afterwards.
	ans, err := o.p.Bookings.Search(ctx, carpool.Ask{From: carpool.Spot{At: s.From}, To: carpool.Spot{At: s.To}, Seats: 1,
		When: carpool.Window{From: at.Add(-delta - walk), To: at.Add(delta + walk)}, MaxWalk: walk})
	if fault.Of(err) == fault.Invalid && err != nil { // the same cell at both ends, or past: there is none
		return nil, nil
	}
	return ans.Matches, err
}

// lift is a match with what may be told of its driver.
type lift struct {
	match  carpool.Match
	ride   carpool.Ride
	driver User
	id     string
}

// lifts leaves out doors, what is out of reach, and what cannot be named.
func (o *over) lifts(ctx context.Context, s Search, list []carpool.Match) ([]lift, error) {
	places, err := o.p.Places.List(ctx, "")
	if err != nil {
		return nil, err
	}
	reach, operator := s.reach(places), s.Operator
	var out []lift
	for _, m := range list {
		if m.Pickup.Place == "" || m.Drop.Place == "" || !reach(m.Pickup.At, m.Drop.At) {
			continue
		}
		ride, err := o.p.Offers.Ride(ctx, m.Ride)
		if fault.Of(err) == fault.NotFound && err != nil {
			continue // gone since
		}
		if err != nil {
			return nil, err
		}
		id := o.names.seal(kindJourney, operator, string(m.Ride), string(m.Pickup.Place), string(m.Drop.Place))
		if len(id) <= maxID {
			out = append(out, lift{m, ride, o.user(operator, ride.Driver), id})
		}
	}
	return out, nil
}

// user is a driver as others know them: a name that says nothing and is another
// for each operator. Whose ride it is the rider learns with the acceptance.
func (o *over) user(operator string, id carpool.MemberID) User {
	return User{ID: o.names.seal(kindUser, operator, string(id)), Operator: o.cfg.Operator, Alias: "Conducente"}
}

func (o *over) trip(m carpool.Match) Trip {
	way := int(m.Way)
	return Trip{Operator: o.cfg.Operator, PickupLat: m.Pickup.At.Lat, PickupLng: m.Pickup.At.Lon, DropLat: m.Drop.At.Lat, DropLng: m.Drop.At.Lon,
		PickupAddress: m.Pickup.Name, DropAddress: m.Drop.Name, Duration: int(m.Drop.Time.Sub(m.Pickup.Time).Seconds()), Distance: &way, WebURL: o.cfg.Web}
}

func price(cents int) Price {
	if cents <= 0 {
		return Price{Type: "FREE"}
	}
	eur := float64(cents) / 100
	return Price{Type: "PAYING", Amount: &eur, Currency: "EUR"}
}

// Drivers are the lifts that fit a search.
func (o *over) Drivers(ctx context.Context, s Search) ([]DriverJourney, error) {
	list, err := o.found(ctx, s, s.At)
	if err != nil {
		return nil, err
	}
	all, err := o.lifts(ctx, s, list)
	if err != nil {
		return nil, err
	}
	var out []DriverJourney
	for _, l := range all {
		seats, cost := max(0, l.ride.Seats-l.ride.Taken), price(l.match.Cents)
		out = append(out, DriverJourney{Trip: o.trip(l.match), JourneySchedule: o.schedule(l), Driver: l.driver, Seats: &seats, Price: &cost})
	}
	return out, nil
}

func (o *over) schedule(l lift) JourneySchedule {
	return JourneySchedule{ID: l.id, PickupDate: Unix(l.match.Pickup.Time.Unix()), Type: "PLANNED"}
}

// weekly is a journey as one of a week's, at a local time.
func weekly(at time.Time, j JourneySchedule) Schedule {
	return Schedule{Day: weekdays[at.Weekday()], Time: at.Format(time.TimeOnly), Journeys: []JourneySchedule{j}}
}

// DriverTrips are lifts that go again and again: those of the next date of
// each day asked for, by their offer.
func (o *over) DriverTrips(ctx context.Context, s Search) ([]DriverTrip, error) {
	type key struct {
		offer      carpool.OfferID
		from, drop carpool.PlaceID
	}
	at := map[key]int{}
	var out []DriverTrip
	for _, day := range o.days(s) {
		list, err := o.found(ctx, s, day)
		if err != nil {
			return nil, err
		}
		all, err := o.lifts(ctx, s, list)
		if err != nil {
			return nil, err
		}
		for _, l := range all {
			offer, err := o.p.Offers.Get(ctx, l.ride.Offer)
			if err != nil && fault.Of(err) != fault.NotFound {
				return nil, err
			}
			if err != nil || offer.When.Rule == "" {
				continue
			}
			on := weekly(l.match.Pickup.Time.In(o.deps.Location), o.schedule(l))
			if !s.asks(on) {
				continue
			}
			k := key{l.ride.Offer, l.match.Pickup.Place, l.match.Drop.Place}
			i, there := at[k]
			if !there {
				i = len(out)
				at[k] = i
				out = append(out, DriverTrip{Trip: o.trip(l.match), Driver: l.driver})
			}
			out[i].Schedules = append(out[i].Schedules, on)
		}
	}
	return out, nil
}

// days are the next moments at the time asked for, one for each day of the
// week asked for, within the span.
func (o *over) days(s Search) []time.Time {
	earliest, latest := s.Span()
	first := o.deps.Now()
	if earliest.After(first) {
		first = earliest
	}
	local := first.In(o.deps.Location)
	var out []time.Time
	seen := map[time.Weekday]bool{}
	for n := 0; n <= 7; n++ {
		clock := s.Clock()
		at := time.Date(local.Year(), local.Month(), local.Day()+n, int(clock.Hours()), int(clock.Minutes())%60, int(clock.Seconds())%60, 0, o.deps.Location)
		day := at.Weekday()
		if !s.Days()[weekdays[day]] || seen[day] || at.Before(first) || !latest.IsZero() && at.After(latest) {
			continue
		}
		seen[day] = true
		out = append(out, at.UTC())
	}
	return out
}

// Forget drops passengers of other operators of whom nothing is left.
func (o *over) Forget(ctx context.Context) error {
	return o.p.Members.DropOutside(ctx, o.deps.Now().Add(-o.cfg.Kept))
}
