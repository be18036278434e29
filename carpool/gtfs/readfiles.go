package gtfs

import (
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

func (b *builder) agency() error {
	zone := ""
	err := b.each("agency.txt", func(t *table) error {
		name, err := t.need("agency_name")
		if err != nil {
			return err
		}
		if b.out.Publisher == "" {
			b.out.Publisher = name
		}
		z, err := t.need("agency_timezone")
		if err != nil {
			return err
		}
		if zone != "" && z != zone {
			return t.bad("agency_timezone", "%q, and %q in a line before: all agencies must have the same", z, zone)
		}
		if zone == "" {
			loc, err := time.LoadLocation(z)
			if err != nil || z == "Local" {
				return t.bad("agency_timezone", "%.40q is not a time zone such as Europe/Rome", z)
			}
			zone, b.out.Location = z, loc
		}
		return nil
	})
	if err == nil && zone == "" {
		err = fault.New(fault.Invalid, "agency.txt: it names no agency")
	}
	return err
}

func (b *builder) feedInfo() error {
	if !b.has("feed_info.txt") {
		return nil
	}
	return b.each("feed_info.txt", func(t *table) error {
		if v := t.get("feed_publisher_name"); v != "" {
			b.out.Publisher = strings.Clone(v)
		}
		b.out.Version = strings.Clone(t.get("feed_version"))
		return nil
	})
}

func (b *builder) readStops() error {
	return b.each("stops.txt", func(t *table) error {
		id, err := t.need("stop_id")
		if err != nil {
			return err
		}
		if _, twice := b.stops[id]; twice {
			return t.bad("stop_id", "%.60q stands twice", id)
		}
		switch t.get("location_type") {
		case "", "0":
		case "1", "2", "3", "4":
			b.stops[id] = -1
			return nil
		default:
			return t.bad("location_type", "%.20q is not one of 0 to 4", t.get("location_type"))
		}
		name, err := t.need("stop_name")
		if err != nil {
			return err
		}
		p, err := parseAt(t.get("stop_lat"), t.get("stop_lon"))
		if err != nil {
			return t.bad("stop_lat", "%w", err)
		}
		b.stops[id] = int32(len(b.out.stops))
		b.out.stops = append(b.out.stops, stop{name, p})
		return nil
	})
}

func (b *builder) readRoutes() error {
	return b.each("routes.txt", func(t *table) error {
		id, err := t.need("route_id")
		if err != nil {
			return err
		}
		if _, twice := b.routes[id]; twice {
			return t.bad("route_id", "%.60q stands twice", id)
		}
		line := t.get("route_short_name")
		if line == "" {
			line = t.get("route_long_name")
		}
		if line == "" {
			return t.bad("route_short_name", "it and route_long_name are empty: one must name the line")
		}
		if _, err := parseWhole(t.get("route_type")); err != nil {
			return t.bad("route_type", "%w", err)
		}
		b.routes[id] = strings.Clone(line)
		return nil
	})
}

func (b *builder) readTrips() error {
	return b.each("trips.txt", func(t *table) error {
		id, err := t.need("trip_id")
		if err != nil {
			return err
		}
		if _, twice := b.trips[id]; twice {
			return t.bad("trip_id", "%.60q stands twice", id)
		}
		line, ok := b.routes[t.get("route_id")]
		if !ok {
			return t.bad("route_id", "%.60q is not in routes.txt", t.get("route_id"))
		}
		s, ok := b.services[t.get("service_id")]
		if !ok {
			return t.bad("service_id", "%.60q is neither in calendar.txt nor in calendar_dates.txt", t.get("service_id"))
		}
		b.trips[id] = int32(len(b.out.trips))
		b.out.trips = append(b.out.trips, trip{line: line, service: s})
		return nil
	})
}

// frequencies repeats a trip every so often; its own times only say how long
// it takes from one call to the next.
func (b *builder) frequencies() error {
	if !b.has("frequencies.txt") {
		return nil
	}
	patterns, calls := map[int32]bool{}, len(b.out.calls)
	err := b.each("frequencies.txt", func(t *table) error {
		i, ok := b.trips[t.get("trip_id")]
		if !ok {
			return t.bad("trip_id", "%.60q is not in trips.txt", t.get("trip_id"))
		}
		from, err1 := parseTime(t.get("start_time"))
		to, err2 := parseTime(t.get("end_time"))
		if err1 != nil || err2 != nil || to <= from {
			return t.bad("start_time", "start_time and end_time must be times, the end after the start")
		}
		every, err := parseWhole(t.get("headway_secs"))
		if err != nil || every < 30 {
			return t.bad("headway_secs", "%.20q is not a number of seconds from 30 on", t.get("headway_secs"))
		}
		pattern := b.out.trips[i]
		if pattern.first == pattern.last {
			return t.bad("trip_id", "%.60q has no stop_times", t.get("trip_id"))
		}
		patterns[i] = true
		for start := from; start < to; start += int32(every) {
			again := pattern
			again.later = start - b.out.calls[pattern.first].depart
			b.out.trips = append(b.out.trips, again)
			if calls += int(pattern.last - pattern.first); calls > 2*b.limits.Rows {
				return t.bad("headway_secs", "the journeys halt more than %d times", 2*b.limits.Rows)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	kept := b.out.trips[:0]
	for i, tr := range b.out.trips {
		if !patterns[int32(i)] {
			kept = append(kept, tr)
		}
	}
	b.out.trips = slices.Clip(kept)
	return nil
}
