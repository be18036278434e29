package carpool

import (
	"context"
	"time"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// Roads says how far it is by car and on foot. carpool/roads has three of
// them: a road graph with a contraction hierarchy, an outer engine, and an
// estimate where neither is there.
type Roads interface {
	// Legs are the ways from each point to each point, legs[i][j] from from[i] to
	// to[j]. Where there is none Leg.OK is false.
	Legs(ctx context.Context, from, to []geo.LonLat) ([][]Leg, error)
	// Walk is the way on foot, with what climbs and falls cost.
	Walk(ctx context.Context, from, to geo.LonLat) (Leg, error)
	// About says what the answers rest on.
	About() RoadsAbout
	// Index keeps the stops of many rides, so that a search meets them all at
	// once.
	Index() StopIndex
}

// Leg is one way by road. The zero value is none.
type Leg struct {
	OK     bool          `json:"ok"`
	Time   time.Duration `json:"time"`
	Metres unit.Metres   `json:"metres"`
}

// RoadsAbout says what distances rest on.
type RoadsAbout struct {
	Kind     string    `json:"kind"`     // "graph", "engine", "estimate", "schematic"
	Source   string    `json:"source"`   // of the data, with its year
	Estimate bool      `json:"estimate"` // pages say that times are only about right
	Nodes    int       `json:"nodes"`
	Edges    int       `json:"edges"`
	Built    time.Time `json:"built,omitzero"`
}

// StopIndex holds the stops of rides that may take somebody along. It may be
// used by many goroutines; a search sees each ride whole or not at all.
type StopIndex interface {
	// Put adds a ride, or replaces its stops and when it leaves the first.
	Put(ride RideID, stops []geo.LonLat, leave time.Time) error
	// Drop takes a ride out; there need not be one.
	Drop(ride RideID)
	// Near gives the rides that can pass by one of from, and then or between the
	// same two stops by one of to: each by itself with a detour of at most budget,
	// and where they stand between other stops both together. The points of the
	// answer are those of from, then those of to, each with its exact times to and
	// from the stops. To take in two points costs at least as much as either, so
	// nothing that fits is left out. A way that no detour within the budget uses
	// may be missing: its Leg is not OK. Only rides are looked at that are on
	// their way at some time of during, driven from when they leave without a
	// pause; with the zero Window all are.
	Near(ctx context.Context, from, to []geo.LonLat, budget time.Duration, during Window) (Nearby, error)
	// Len is how many rides it holds.
	Len() int
}

// Nearby is the answer of a StopIndex. Rides stand in the order of their names.
type Nearby struct {
	Rides []NearRide
}

// NearRide is one ride of an answer: for point p and stop s, To[p][s] is the
// way from the stop to the point, From[p][s] from the point to the stop.
// Between[s] is the way from stop s to stop s+1.
type NearRide struct {
	Ride    RideID
	Between []Leg
	To      [][]Leg
	From    [][]Leg
}

// Buses is the timetable, so that a ride never quietly replaces the last bus
// and a near miss can name one.
type Buses interface {
	// Next are journeys without a change between places within a walk of the two
	// ends, that leave within the window, the earliest first, at most n.
	Next(ctx context.Context, from, to geo.LonLat, w Window, walk time.Duration, n int) ([]Bus, error)
}

// Bus is one journey by bus.
type Bus struct {
	Line   string     `json:"line"`
	From   string     `json:"from"` // name of the stop
	To     string     `json:"to"`
	FromAt geo.LonLat `json:"from_at"`
	ToAt   geo.LonLat `json:"to_at"`
	Depart time.Time  `json:"depart"`
	Arrive time.Time  `json:"arrive"`
	Last   bool       `json:"last"` // none later that day
}
