// Package gtfs reads the bus timetable and writes the lifts as one, in the
// carpool profile of GTFS.
package gtfs
