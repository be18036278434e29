package interop

import (
	"context"
	"math"
	"time"

	"github.com/crinale/crinale/internal/geo"
)

// Search is what an operator looks for: a way on one day.
type Search struct {
	Operator         string // who asks
	From, To         geo.LonLat
	FromKm, ToKm     float64 // radius
	At               time.Time
	Delta            time.Duration
	Count            int
	onDay            bool
	weekdays         map[string]bool // MON …
	clock            time.Duration   // since midnight
	earliest, latest time.Time       // zero: any
}

// Regular says whether a way again and again is looked for: then Days, Clock,
// Earliest and Latest count instead of At.
func (s Search) Regular() bool { return !s.onDay }

// Days are the days of the week asked for.
func (s Search) Days() map[string]bool { return s.weekdays }

// Clock is the time of day asked for, since midnight.
func (s Search) Clock() time.Duration { return s.clock }

// Span are the first and last moments asked for; zero where none is.
func (s Search) Span() (earliest, latest time.Time) { return s.earliest, s.latest }

// Portal is what the API asks of the carpooling portal. Searches may give more
// than was asked for: the API takes what fits. What a name of the portal is
// called outside is the portal's matter.
type Portal interface {
	Drivers(ctx context.Context, s Search) ([]DriverJourney, error)
	Passengers(ctx context.Context, s Search) ([]PassengerJourney, error)
	DriverTrips(ctx context.Context, s Search) ([]DriverTrip, error)
	PassengerTrips(ctx context.Context, s Search) ([]PassengerTrip, error)

	// Book asks the driver to take an operator's passenger. The same booking
	// again gives the same answer. What comes back is the booking as the portal
	// has it, with its name there.
	Book(ctx context.Context, operator string, b Booking) (ref string, made Booking, err error)
	// Status of a booking now.
	Status(ctx context.Context, ref string) (Status, error)
	// Move brings a booking to a status that the API found allowed.
	Move(ctx context.Context, operator, ref string, to Status, message string) error
	// Abandon takes back what came of a Book that did not end.
	Abandon(ctx context.Context, operator string, b Booking) error
	// Forget drops what is kept of passengers of whom nothing is left.
	Forget(ctx context.Context) error
	// Message goes from a passenger of the operator to a user of the portal; ref
	// is the booking it is about, "" for none.
	Message(ctx context.Context, operator, ref string, m Message) error
}

// free is a portal that does not hold operators to the order of statuses nor
// to their own users: the one of the standard's tester.
type free interface{ free() }

func valid(lat, lng float64) bool {
	return !math.IsNaN(lat) && !math.IsNaN(lng) && geo.LonLat{Lon: lng, Lat: lat}.Valid()
}
