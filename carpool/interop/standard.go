package interop

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/crinale/crinale/internal/fault"
)

// The objects of the standard, with its names of fields. Pointers and omitempty
// tell what it leaves optional.

// Unix is a moment in seconds. The standard calls it a number: 1.7e9 is one.
type Unix int64

// UnmarshalJSON takes any number that is whole seconds of this age.
func (u *Unix) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseFloat(string(b), 64)
	if err != nil || v != math.Trunc(v) || v < 0 || v > farthest {
		return fault.New(fault.Invalid, "not a UNIX time in seconds")
	}
	*u = Unix(v)
	return nil
}

// Time of the moment, UTC.
func (u Unix) Time() time.Time { return time.Unix(int64(u), 0).UTC() }

// User of an operator.
type User struct {
	ID        string `json:"id"`
	Operator  string `json:"operator"`
	Alias     string `json:"alias"`
	FirstName string `json:"firstName,omitempty"`
	LastName  string `json:"lastName,omitempty"`
	Grade     int    `json:"grade,omitempty"`
	Picture   string `json:"picture,omitempty"`
	Gender    string `json:"gender,omitempty"`
	Verified  *bool  `json:"verifiedIdentity,omitempty"`
}

// bare is a user without what the portal has no need to know.
func (u User) bare() User { return User{ID: u.ID, Operator: u.Operator, Alias: u.Alias} }

// Price asked of a passenger.
type Price struct {
	Type     string   `json:"type,omitempty"` // FREE, PAYING, UNKNOWN
	Amount   *float64 `json:"amount,omitempty"`
	Currency string   `json:"currency,omitempty"`
}

// Car that people can be told of.
type Car struct {
	Model string `json:"model,omitempty"`
	Brand string `json:"brand,omitempty"`
}

// Trip is what all journeys have: the way of the passenger, from meeting point
// to meeting point.
type Trip struct {
	Operator      string  `json:"operator"`
	PickupLat     float64 `json:"passengerPickupLat"`
	PickupLng     float64 `json:"passengerPickupLng"`
	DropLat       float64 `json:"passengerDropLat"`
	DropLng       float64 `json:"passengerDropLng"`
	PickupAddress string  `json:"passengerPickupAddress,omitempty"`
	DropAddress   string  `json:"passengerDropAddress,omitempty"`
	Duration      int     `json:"duration"` // seconds
	Distance      *int    `json:"distance,omitempty"`
	WebURL        string  `json:"webUrl,omitempty"`
}

// JourneySchedule is when a journey takes place.
type JourneySchedule struct {
	ID         string `json:"id,omitempty"`
	PickupDate Unix   `json:"passengerPickupDate"`
	DriverDate *Unix  `json:"driverDepartureDate,omitempty"`
	Type       string `json:"type"` // PLANNED, DYNAMIC, LINE
}

// DriverJourney is a lift on offer.
type DriverJourney struct {
	Trip
	JourneySchedule
	Driver User   `json:"driver"`
	Car    *Car   `json:"car,omitempty"`
	Seats  *int   `json:"availableSeats,omitempty"`
	Price  *Price `json:"price,omitempty"`
}

// PassengerJourney is a lift looked for.
type PassengerJourney struct {
	Trip
	JourneySchedule
	DriverDate Unix `json:"driverDepartureDate"`
	Passenger  User `json:"passenger"`
	Seats      *int `json:"requestedSeats,omitempty"`
}

// Schedule is a day of the week and a time on which a trip takes place.
type Schedule struct {
	Day      string            `json:"passengerPickupDay,omitempty"`       // MON to SUN
	Time     string            `json:"passengerPickupTimeOfDay,omitempty"` // 07:10:00
	Journeys []JourneySchedule `json:"journeySchedules,omitempty"`
}

// DriverTrip is a lift on offer again and again.
type DriverTrip struct {
	Trip
	Driver    User       `json:"driver"`
	Car       *Car       `json:"car,omitempty"`
	Schedules []Schedule `json:"schedules,omitempty"`
}

// PassengerTrip is a lift looked for again and again.
type PassengerTrip struct {
	Trip
	Passenger User       `json:"passenger"`
	Schedules []Schedule `json:"schedules,omitempty"`
}

// Status of a booking.
type Status string

const (
	Waiting   Status = "WAITING_CONFIRMATION"
	Confirmed Status = "CONFIRMED"
	Cancelled Status = "CANCELLED"
	Completed Status = "COMPLETED_PENDING_VALIDATION"
	Validated Status = "VALIDATED"
)

// Booking of a passenger with a driver.
type Booking struct {
	ID               string  `json:"id"`
	Driver           User    `json:"driver"`
	Passenger        User    `json:"passenger"`
	PickupDate       Unix    `json:"passengerPickupDate"`
	PickupLat        float64 `json:"passengerPickupLat"`
	PickupLng        float64 `json:"passengerPickupLng"`
	DropLat          float64 `json:"passengerDropLat"`
	DropLng          float64 `json:"passengerDropLng"`
	PickupAddress    string  `json:"passengerPickupAddress,omitempty"`
	DropAddress      string  `json:"passengerDropAddress,omitempty"`
	Status           Status  `json:"status"`
	Duration         *int    `json:"duration,omitempty"`
	Distance         *int    `json:"distance,omitempty"`
	WebURL           string  `json:"webUrl,omitempty"`
	Price            Price   `json:"price"`
	Car              *Car    `json:"car,omitempty"`
	DriverJourney    string  `json:"driverJourneyId,omitempty"`
	PassengerJourney string  `json:"passengerJourneyId,omitempty"`
}

// EventBooking is a booking as an event tells it: to a passenger's operator
// with the driver and the price, to a driver's with the passenger.
type EventBooking struct {
	ID            string  `json:"id"`
	PickupDate    Unix    `json:"passengerPickupDate"`
	PickupLat     float64 `json:"passengerPickupLat"`
	PickupLng     float64 `json:"passengerPickupLng"`
	DropLat       float64 `json:"passengerDropLat"`
	DropLng       float64 `json:"passengerDropLng"`
	PickupAddress string  `json:"passengerPickupAddress,omitempty"`
	DropAddress   string  `json:"passengerDropAddress,omitempty"`
	Status        Status  `json:"status"`
	Distance      *int    `json:"distance,omitempty"`
	Duration      *int    `json:"duration,omitempty"`
	WebURL        string  `json:"webUrl"`
	Driver        *User   `json:"driver,omitempty"`
	Price         *Price  `json:"price,omitempty"`
	Car           *Car    `json:"car,omitempty"`
	Passenger     *User   `json:"passenger,omitempty"`
}

// Event tells an operator how a booking goes on.
type Event struct {
	ID      string       `json:"id"`
	IDToken string       `json:"idToken"`
	Data    EventBooking `json:"data"`
}

// Message from a user to another.
type Message struct {
	From             User   `json:"from"`
	To               User   `json:"to"`
	Message          string `json:"message"`
	Recipient        string `json:"recipientCarpoolerType"` // DRIVER, PASSENGER
	DriverJourney    string `json:"driverJourneyId,omitempty"`
	PassengerJourney string `json:"passengerJourneyId,omitempty"`
	Booking          string `json:"bookingId,omitempty"`
}

const maxMessage = 500 // characters, by the standard

var (
	uuids   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	domains = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
)

// uuid is a UUID in small letters.
func uuid(s string) (string, error) {
	s = strings.ToLower(s)
	if !uuids.MatchString(s) {
		return "", fault.New(fault.Invalid, "id: not a UUID")
	}
	return s, nil
}

func checkDomain(s string) error {
	if len(s) > 253 || !domains.MatchString(s) {
		return fault.New(fault.Invalid, "%.60q is not a domain name such as carpool.example.org", s)
	}
	return nil
}

// required refuses a JSON object that lacks one of the fields.
func required(raw json.RawMessage, in string, fields ...string) error {
	var have map[string]json.RawMessage
	if err := json.Unmarshal(raw, &have); err != nil {
		return fault.New(fault.Invalid, "%s: not an object", in)
	}
	for _, f := range fields {
		if v, ok := have[f]; !ok || string(v) == "null" {
			return fault.New(fault.Invalid, "%s: %s is missing", in, f)
		}
	}
	for _, u := range []string{"driver", "passenger", "from", "to"} {
		if v, ok := have[u]; ok {
			if err := required(v, u, "id", "alias", "operator"); err != nil {
				return err
			}
		}
	}
	return nil
}

// bounded refuses a text that no honest operator sends.
func bounded(in, s string, most int) error {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > most || strings.ContainsRune(s, 0) {
		return fault.New(fault.Invalid, "%s: longer than %d characters, or not a text", in, most)
	}
	return nil
}

func (b Booking) check() error {
	switch b.Status {
	case Waiting, Confirmed, Cancelled, Completed, Validated:
	default:
		return fault.New(fault.Invalid, "status: not one of the standard")
	}
	switch b.Price.Type {
	case "", "FREE", "PAYING", "UNKNOWN":
	default:
		return fault.New(fault.Invalid, "price.type: not one of the standard")
	}
	for _, p := range [][2]float64{{b.PickupLat, b.PickupLng}, {b.DropLat, b.DropLng}} {
		if !valid(p[0], p[1]) {
			return fault.New(fault.Invalid, "a position is not in degrees")
		}
	}
	for _, u := range []User{b.Driver, b.Passenger} {
		if err := u.check(); err != nil {
			return err
		}
	}
	for in, s := range map[string]string{"driverJourneyId": b.DriverJourney, "passengerJourneyId": b.PassengerJourney,
		"passengerPickupAddress": b.PickupAddress, "passengerDropAddress": b.DropAddress} {
		if err := bounded(in, s, 255); err != nil {
			return err
		}
	}
	return nil
}

func (u User) check() error {
	for in, s := range map[string]string{"id": u.ID, "alias": u.Alias, "operator": u.Operator} {
		if err := bounded("user: "+in, s, 255); err != nil {
			return err
		}
	}
	return nil
}
