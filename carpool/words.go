package carpool

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/geo"
)

// Each thing has its own kind of name. They are random, so that none can be
// counted up to the next.
type (
	MemberID  string // "m-…"
	VehicleID string // "v-…"
	PlaceID   string // as the comune names it, "bergolo-piazza"
	OfferID   string // "o-…"
	RideID    string // "r-…": an offer on one day
	RequestID string // "q-…"
	BookingID string // "b-…"
)

// newID is a letter and 16 signs of 80 random bits.
func newID(kind string) string {
	var b [10]byte
	rand.Read(b[:])
	return kind + "-" + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// Spot is one end of a journey: a meeting point, or a private address that
// only its owner, the accepted driver and the desk may read.
type Spot struct {
	Place   PlaceID    `json:"place,omitempty"`
	Address string     `json:"address,omitempty"` // private; "" at a meeting point
	At      geo.LonLat `json:"at"`                // exact
	kept    string     // name of the address in its table; At is then coarse
}

// Private says whether it is somebody's address.
func (s Spot) Private() bool { return s.Place == "" }

// Coarse is where others may think it is: the meeting point itself, or the
// middle of the cell that holds the address.
func (s Spot) Coarse() geo.LonLat {
	if s.Private() {
		return CellOf(s.At).Middle()
	}
	return s.At
}

// Place is a meeting point that a comune keeps: a bus stop, a lit square.
type Place struct {
	ID        PlaceID    `json:"id"`
	Comune    string     `json:"comune"` // ISTAT code
	Name      string     `json:"name"`   // "Bergolo, piazza"
	At        geo.LonLat `json:"at"`
	Kind      PlaceKind  `json:"kind"`
	Stop      string     `json:"stop,omitempty"` // id of the bus stop in the timetable
	Lit       bool       `json:"lit"`
	Shelter   bool       `json:"shelter"`
	StepFree  bool       `json:"step_free"` // for a wheelchair
	Note      string     `json:"note,omitempty"`
	Closed    bool       `json:"closed"`    // not offered any more; rides that use it go on
	Published bool       `json:"published"` // a stop of the open timetable: nobody lives within Clear of it
}

// NearPlace is a meeting point and the walk between it and somebody.
type NearPlace struct {
	Place `json:"place"`
	Walk  Leg `json:"walk"`
}

// PlaceKind is what a meeting point is.
type PlaceKind string

const (
	BusStop    PlaceKind = "bus-stop"
	Square     PlaceKind = "square"
	CarPark    PlaceKind = "car-park"
	Health     PlaceKind = "health" // hospital, surgery
	SchoolGate PlaceKind = "school"
	Station    PlaceKind = "station"
	Landmark   PlaceKind = "landmark"
)

// Needs are what a rider cannot go without.
type Needs struct {
	WalkingFrame bool `json:"walking_frame,omitempty"`
	Wheelchair   bool `json:"wheelchair,omitempty"`
	ChildSeats   int  `json:"child_seats,omitempty"`
}

// Met says whether what a car offers is enough.
func (n Needs) Met(by Needs) bool {
	return (!n.WalkingFrame || by.WalkingFrame || by.Wheelchair) && (!n.Wheelchair || by.Wheelchair) && n.ChildSeats <= by.ChildSeats
}

// Window is a span of time that a journey must fit. With Arrive it bounds the
// arrival, else the departure.
type Window struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Arrive bool      `json:"arrive"`
}
