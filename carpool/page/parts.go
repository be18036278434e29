package page

import (
	"context"
	"time"

	"github.com/crinale/crinale/carpool"
)

// Members are the people of the portal and their cars.
type Members interface {
	Register(ctx context.Context, by carpool.By, r carpool.Registration) (carpool.Member, error)
	ByAccount(ctx context.Context, account string) (carpool.Member, error)
	Update(ctx context.Context, by carpool.By, m carpool.Member) (carpool.Member, error)
	Wards(ctx context.Context, by carpool.By, guardian carpool.MemberID) ([]carpool.Member, error)
	Consents
	Vehicles
	Blocks
	News
}

// News are what a member was told, and that they have read it.
type News interface {
	Notices(ctx context.Context, member carpool.MemberID, limit int) ([]carpool.Notice, error)
	SeenNotice(ctx context.Context, member carpool.MemberID, id string) error
}

// Consents are what a member agreed to.
type Consents interface {
	Consent(ctx context.Context, by carpool.By, member carpool.MemberID, what carpool.ConsentTo, how string) (carpool.Consent, error)
	Withdraw(ctx context.Context, by carpool.By, member carpool.MemberID, what carpool.ConsentTo) error
	Consents(ctx context.Context, member carpool.MemberID) ([]carpool.Consent, error)
}

// Vehicles are a driver's cars.
type Vehicles interface {
	Vehicles(ctx context.Context, driver carpool.MemberID) ([]carpool.Vehicle, error)
	PutVehicle(ctx context.Context, by carpool.By, v carpool.Vehicle) (carpool.Vehicle, error)
	DropVehicle(ctx context.Context, by carpool.By, id carpool.VehicleID) error
}

// Blocks are whom a member does not want to meet.
type Blocks interface {
	Block(ctx context.Context, by carpool.By, other carpool.MemberID) error
	Unblock(ctx context.Context, by carpool.By, other carpool.MemberID) error
	Blocks(ctx context.Context, member carpool.MemberID) ([]carpool.MemberID, error)
}

// Places are the meeting points, and the list of who to call.
type Places interface {
	List(ctx context.Context, comune string) ([]carpool.Place, error)
	Get(ctx context.Context, id carpool.PlaceID) (carpool.Place, error)
	Listed(ctx context.Context, comune string) ([]carpool.Listed, error)
}

// Offers are lifts on offer.
type Offers interface {
	Add(ctx context.Context, by carpool.By, o carpool.Offer, once string) (carpool.Offer, error)
	Get(ctx context.Context, id carpool.OfferID) (carpool.Offer, error)
	Mine(ctx context.Context, driver carpool.MemberID) ([]carpool.Offer, error)
	OfferStates
	Rides
}

// OfferStates are what a driver does with an offer.
type OfferStates interface {
	Change(ctx context.Context, by carpool.By, o carpool.Offer) (carpool.Offer, error)
	Pause(ctx context.Context, by carpool.By, id carpool.OfferID) error
	Resume(ctx context.Context, by carpool.By, id carpool.OfferID) error
	End(ctx context.Context, by carpool.By, id carpool.OfferID, reason string) error
}

// Rides are the days of offers.
type Rides interface {
	Rides(ctx context.Context, driver carpool.MemberID, from, to time.Time) ([]carpool.Ride, error)
	CancelRide(ctx context.Context, by carpool.By, id carpool.RideID, reason string) error
}

// Bookings are searches, requests and bookings.
type Bookings interface {
	Search(ctx context.Context, a carpool.Ask) (carpool.Answer, error)
	Requests
	Journeys
	BookingSteps
	Alerts
}

// Requests are somebody's needs to get somewhere.
type Requests interface {
	requester
	Book(ctx context.Context, by carpool.By, request carpool.RequestID, m carpool.Match, once string) (carpool.Booking, error)
	Ready(ctx context.Context, by carpool.By, request carpool.RequestID, from time.Time) (carpool.Request, error)
	WithdrawRequest(ctx context.Context, by carpool.By, id carpool.RequestID, reason string) error
	WithdrawSeries(ctx context.Context, by carpool.By, id carpool.RequestID, reason string) error
	Requests(ctx context.Context, rider carpool.MemberID) ([]carpool.Request, error)
	RequestOf(ctx context.Context, by carpool.By, id carpool.RequestID) (carpool.Request, error)
}

// Talk is the messages of a booking, and what to do when something is wrong.
type Talk interface {
	Send(ctx context.Context, by carpool.By, b carpool.BookingID, text string) error
	Read(ctx context.Context, by carpool.By, b carpool.BookingID) ([]carpool.Message, error)
	Report(ctx context.Context, by carpool.By, r carpool.Report) (carpool.Report, error)
	Alarm(ctx context.Context, by carpool.By, b carpool.BookingID) error
}

// Journeys are the rides of a member.
type Journeys interface {
	Get(ctx context.Context, by carpool.By, id carpool.BookingID) (carpool.BookingView, error)
	Mine(ctx context.Context, member carpool.MemberID, from, to time.Time) ([]carpool.Journey, error)
}

// BookingSteps are what the two sides of a booking do.
type BookingSteps interface {
	Accept(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error)
	Decline(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error)
	Cancel(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error)
	Board(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error)
	Complete(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error)
	NoShow(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error)
	Stopped(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error)
}

// Alerts tell somebody when a lift appears.
type Alerts interface {
	Watch(ctx context.Context, by carpool.By, a carpool.Ask, until carpool.Date) (carpool.Watch, error)
	Watches(ctx context.Context, member carpool.MemberID) ([]carpool.Watch, error)
	Unwatch(ctx context.Context, by carpool.By, id string) error
}
