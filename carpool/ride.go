package carpool

import "time"

// Offer is a driver's journey with room in the car, once or again and again.
type Offer struct {
	ID      OfferID   `json:"id"`
	Driver  MemberID  `json:"driver"`
	Vehicle VehicleID `json:"vehicle"`
	From    Spot      `json:"from"`
	To      Spot      `json:"to"`
	When    Schedule  `json:"when"`

	Seats      int           `json:"seats"`  // for passengers who book
	Aboard     int           `json:"aboard"` // passengers already in the car
	MaxDetour  time.Duration `json:"max_detour"`
	Flex       time.Duration `json:"flex"`         // how far the departure may move, either way, to take somebody in
	DoorToDoor bool          `json:"door_to_door"` // the driver consents to go to doors
	Carries    Needs         `json:"carries"`
	MilliEURKm int           `json:"milli_eur_km"` // asked of each rider; 50 is 0.05 €/km, 0 nothing
	Return     OfferID       `json:"return,omitempty"`
	Note       string        `json:"note,omitempty"`
	State      OfferState    `json:"state"`
	Created    time.Time     `json:"created"`
}

// OfferState is whether an offer lays out rides.
type OfferState string

const (
	OfferOpen   OfferState = "open"
	OfferPaused OfferState = "paused"
	OfferEnded  OfferState = "ended"
)

// Schedule says on which days an offer goes, and when.
type Schedule struct {
	Time   Clock      `json:"time"`             // of departure, local
	Date   Date       `json:"date,omitempty"`   // once; else Rule
	Rule   string     `json:"rule,omitempty"`   // RFC 5545 RRULE of days: "FREQ=WEEKLY;BYDAY=MO,TH"
	First  Date       `json:"first,omitempty"`  // of a Rule
	Last   Date       `json:"last,omitempty"`   // of a Rule; "" is open
	School SchoolDays `json:"school,omitempty"` // of a Rule
	Except []Date     `json:"except,omitempty"`
	Extra  []Date     `json:"extra,omitempty"`
}

// SchoolDays says which days of a rule count.
type SchoolDays string

const (
	AnyDay    SchoolDays = ""
	SchoolDay SchoolDays = "school"    // only on days with school
	NoSchool  SchoolDays = "no-school" // only on days without
)

// Ride is an offer on one day.
type Ride struct {
	ID      RideID    `json:"id"`
	Offer   OfferID   `json:"offer"`
	Driver  MemberID  `json:"driver"`
	Vehicle VehicleID `json:"vehicle"`
	Depart  time.Time `json:"depart"` // of the driver, UTC
	Seats   int       `json:"seats"`  // for passengers who book
	Taken   int       `json:"taken"`
	State   RideState `json:"state"`
	Risk    string    `json:"risk,omitempty"` // why it may not take place; "" for none
	Stops   []Stop    `json:"stops"`          // in order; first and last are the driver's own

	direct  time.Duration // the driver's own way without riders
	version int64         // one more with each change of the stops
}

// RideState is where a ride stands.
type RideState string

const (
	RideOpen      RideState = "open"
	RideCancelled RideState = "cancelled"
	RideUnderWay  RideState = "under-way"
	RideDone      RideState = "done"
)

// Stop is one halt of a ride: the driver's own ends, and where riders get in
// and out.
type Stop struct {
	Kind    StopKind  `json:"kind"`
	Booking BookingID `json:"booking,omitempty"` // of a pick-up or drop
	Spot    Spot      `json:"spot"`
	At      time.Time `json:"at"`    // planned, UTC
	Seats   int       `json:"seats"` // that this stop takes (pick-up) or gives back (drop)
}

// StopKind is what happens at a stop.
type StopKind string

const (
	StopStart  StopKind = "start"
	StopPickup StopKind = "pickup"
	StopDrop   StopKind = "drop"
	StopEnd    StopKind = "end"
)

// Request is somebody's need to get somewhere.
type Request struct {
	ID         RequestID     `json:"id"`
	Rider      MemberID      `json:"rider"`
	By         string        `json:"by"`                // account that wrote it: the rider's or the desk's
	Consent    string        `json:"consent,omitempty"` // of a request by the desk
	From       Spot          `json:"from"`
	To         Spot          `json:"to"`
	When       Window        `json:"when"`
	Companions int           `json:"companions"`
	Needs      Needs         `json:"needs"`
	DoorToDoor bool          `json:"door_to_door"`
	MaxWalk    time.Duration `json:"max_walk"`
	Return     ReturnKind    `json:"return"`
	Outward    RequestID     `json:"outward,omitempty"` // of a way back: the way out
	Series     SeriesID      `json:"series,omitempty"`
	Note       string        `json:"note,omitempty"`
	State      RequestState  `json:"state"`
	Way        Way           `json:"way"`
	Created    time.Time     `json:"created"`

	road, again bool      // drivers who know the road were asked; a driver fell away
	step        int64     // one more with each change of the way
	searched    time.Time // rides opened until then were looked at
	follows     bool      // being written as one of a series, not the first
}

// Seats that a request takes.
func (r Request) Seats() int { return 1 + r.Companions }

// ReturnKind says whether there is a way back to find.
type ReturnKind string

const (
	NoReturn   ReturnKind = ""
	ReturnAt   ReturnKind = "at"   // a request of its own, with its own window
	ReturnOpen ReturnKind = "open" // "when the visit ends": its window opens by a word of the rider
)

// RequestState is where a request stands.
type RequestState string

const (
	RequestOpen      RequestState = "open"    // a way is looked for
	RequestWaiting   RequestState = "waiting" // an open return whose visit has not ended
	RequestBooked    RequestState = "booked"  // a driver has accepted
	RequestListed    RequestState = "listed"  // by the union's list or a bus: told whom to call
	RequestDesk      RequestState = "desk"    // the desk finds a way
	RequestDone      RequestState = "done"
	RequestWithdrawn RequestState = "withdrawn"
)

// Way is what somebody was told of how they get there. There is always one
// while a request is open.
type Way struct {
	Kind    WayKind   `json:"kind"`
	Booking BookingID `json:"booking,omitempty"`
	Listed  string    `json:"listed,omitempty"` // of the union's list
	Bus     *Bus      `json:"bus,omitempty"`
	Until   time.Time `json:"until,omitzero"` // what comes next happens then, at the latest
	Text    string    `json:"text,omitempty"` // key of the words that say it
}

// WayKind is how.
type WayKind string

const (
	WaySearch WayKind = "search" // looked for, until Until
	WayAsked  WayKind = "asked"  // a driver was asked and answers by Until
	WayRide   WayKind = "ride"
	WayBus    WayKind = "bus"
	WayList   WayKind = "list"
	WayDesk   WayKind = "desk"
)

// Listed is a way home that does not depend on a neighbour: an association, a
// bus on call, a taxi. The union keeps the list.
type Listed struct {
	ID     string `json:"id"`
	Comune string `json:"comune,omitempty"` // ISTAT code it serves; "" all
	Name   string `json:"name"`
	Phone  string `json:"phone"`
	Kind   string `json:"kind"`  // "association", "on-call-bus", "taxi"
	Hours  string `json:"hours"` // as people say it
	Order  int    `json:"order"`
}

// Booking is a request on a ride.
type Booking struct {
	ID       BookingID    `json:"id"`
	Request  RequestID    `json:"request"`
	Ride     RideID       `json:"ride"`
	Rider    MemberID     `json:"rider"`
	Driver   MemberID     `json:"driver"`
	Seats    int          `json:"seats"`
	Pickup   Stop         `json:"pickup"`
	Drop     Stop         `json:"drop"`
	Cents    int          `json:"cents"`  // contribution of the whole booking, 0 for none
	Metres   int          `json:"metres"` // aboard
	State    BookingState `json:"state"`
	EndedBy  Party        `json:"ended_by,omitempty"` // who declined, cancelled, waited in vain or said it is done
	Reason   string       `json:"reason,omitempty"`   // of a decline or cancellation: a key of words, or what somebody wrote
	Deadline time.Time    `json:"deadline,omitzero"`  // of the driver's answer
	Created  time.Time    `json:"created"`
	Changed  time.Time    `json:"changed"`

	walk   [2]time.Duration // to the pick-up, from the drop
	aboard time.Duration    // as promised
	unseen bool             // the driver is not asked, since one of the ride and the rider keep each other away
}

// BookingState is where a booking stands.
type BookingState string

const (
	Asked     BookingState = "asked"
	Accepted  BookingState = "accepted"
	Declined  BookingState = "declined"
	Cancelled BookingState = "cancelled"
	Boarded   BookingState = "boarded"
	Completed BookingState = "completed"
	NoShow    BookingState = "no-show"
)

// Holds says whether a booking in this state has its seats.
func (s BookingState) Holds() bool { return s == Accepted || s == Boarded || s == Completed }
