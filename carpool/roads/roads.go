// Package roads measures ways by car and on foot for the carpool. It has three
// ways to do it, each a carpool.Roads:
//
//   - Graph: a road graph read from an OpenStreetMap extract (Import), from a
//     file that was built before (Read) or from a schematic (ReadSchematic),
//     with a contraction hierarchy over it: exact, and fast enough to meet every
//     open offer in a search;
//   - Engine: an outer engine that speaks the HTTP of OSRM;
//   - Estimate: straight lines times a factor, labelled so.
//
// Switch holds one of them and changes it for another while others ask.
//
// What the graph leaves out: turn restrictions, waiting at lights and
// crossings, opening hours, ferries.
package roads

import "github.com/crinale/crinale/carpool"

var (
	_ carpool.Roads     = (*Graph)(nil)
	_ carpool.Roads     = (*Engine)(nil)
	_ carpool.Roads     = (*Estimate)(nil)
	_ carpool.Roads     = (*Switch)(nil)
	_ carpool.StopIndex = (*stopIndex)(nil)
	_ carpool.StopIndex = (*flatIndex)(nil)
	_ carpool.StopIndex = (*switchIndex)(nil)
)
