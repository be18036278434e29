package carpool

import (
	"time"

	"github.com/crinale/crinale/internal/geo"
)

// Ask is a search: who looks for a lift, from where to where, when. From and
// To are taken to the middle of their cells, unless they are meeting points.
type Ask struct {
	For        MemberID      `json:"-"` // "": a stranger; their own rides are left out
	From       Spot          `json:"from"`
	To         Spot          `json:"to"`
	When       Window        `json:"when"`
	Seats      int           `json:"seats"`
	Needs      Needs         `json:"needs"`
	MaxWalk    time.Duration `json:"max_walk"`
	DoorToDoor bool          `json:"door_to_door"`
}

// Answer is what a search found.
type Answer struct {
	Matches []Match    `json:"matches"` // the best first
	Misses  []Miss     `json:"misses"`  // what nearly fits, and why it does not
	Buses   []Bus      `json:"buses"`
	Roads   RoadsAbout `json:"roads"`
}

// Match is a ride that fits a search, with where and when to get in and out.
type Match struct {
	Ride    RideID        `json:"ride"`
	Pickup  MatchStop     `json:"pickup"`
	Drop    MatchStop     `json:"drop"`
	Detour  time.Duration `json:"detour"` // of the driver
	Aboard  time.Duration `json:"aboard"`
	Way     float64       `json:"way_m"` // metres aboard
	Cents   int           `json:"cents"` // contribution asked, all seats
	After   [2]int        `json:"-"`     // stops of the ride after which the pick-up and the drop stand
	Why     []Reason      `json:"why"`
	Score   time.Duration `json:"-"`        // what ranks it: minutes that it costs all, weighted
	LastBus bool          `json:"last_bus"` // it goes at the time of the last bus: say so

	BusFirst bool `json:"bus_first"` // and that bus is as good: show it before the ride
}

// MatchStop is where a rider gets in or out.
type MatchStop struct {
	Place PlaceID       `json:"place,omitempty"` // "" at a door
	Name  string        `json:"name"`
	At    geo.LonLat    `json:"at"` // coarse
	Time  time.Time     `json:"time"`
	Walk  time.Duration `json:"walk"` // from the middle of the rider's cell
}

// Reason is one line of "why this match", as a key of words and its values.
type Reason struct {
	Key  string `json:"key"`
	Args []any  `json:"args,omitempty"`
}

// Miss is what nearly fits.
type Miss struct {
	Ride RideID        `json:"ride,omitempty"`
	Bus  *Bus          `json:"bus,omitempty"`
	Why  string        `json:"why"` // one of MissKeys
	By   time.Duration `json:"by"`  // too late, too early, too far; 0 for "full" and "needs"
}
