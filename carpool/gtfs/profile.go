package gtfs

import (
	"io/fs"
	"strconv"
	"strings"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// atPlace is how far a stop of the feed may stand from a meeting point.
const atPlace unit.Metres = 50

// CheckProfile holds a feed against the rules for lifts, besides those of the
// specification: the carpool profile, every stop at a meeting point, and none
// near anybody's door.
func CheckProfile(fsys fs.FS, places []carpool.Place, private []geo.LonLat, limits Limits) []Finding {
	c := &checker{source: source{fsys, limits, limits.Bytes}, files: map[string][]record{}, columns: map[string][]string{}}
	for _, s := range specs {
		c.load(s)
	}
	if len(c.files["feed_info.txt"]) != 1 {
		c.found("feed_info.txt", 0, "", "profile_feed_info", "it must say who publishes the feed and until when it holds")
	}
	want := func(file, field, rule string, values ...string) {
		for _, r := range c.files[file] {
			ok := false
			for _, v := range values {
				ok = ok || r.values[field] == v
			}
			if !ok {
				c.found(file, r.line, field, rule, "%.60q, and must be %s", r.values[field], strings.Join(values, " or "))
			}
		}
	}
	want("routes.txt", "route_type", "profile_route_type", routeCarpool)
	want("trips.txt", "bikes_allowed", "profile_bikes", "2")
	want("stop_times.txt", "pickup_type", "profile_pickup", "1", "3")
	want("stop_times.txt", "drop_off_type", "profile_pickup", "1", "3")
	want("stop_times.txt", "timepoint", "profile_timepoint", "0")
	services := map[string]int{}
	for _, r := range c.files["trips.txt"] {
		if services[r.values["service_id"]]++; services[r.values["service_id"]] > 1 {
			c.found("trips.txt", r.line, "service_id", "profile_service_per_trip", "%.60q is of another trip too", r.values["service_id"])
		}
	}
	for _, r := range c.files["routes.txt"] {
		if checkURL(r.values["route_url"]) != nil || r.values["route_long_name"] == "" {
			c.found("routes.txt", r.line, "route_url", "profile_link", "a lift needs a name and the page where it is booked")
		}
	}
	c.window()
	c.doors(places, private)
	return c.findings
}

// window: no day later than what the feed says it covers, nor more than the
// window.
func (c *checker) window() {
	for _, info := range c.files["feed_info.txt"] {
		first, err1 := parseDay(info.values["feed_start_date"])
		last, err2 := parseDay(info.values["feed_end_date"])
		if err1 != nil || err2 != nil || last > first.plus(Window) {
			c.found("feed_info.txt", info.line, "feed_end_date", "profile_window", "more than %d days", Window)
			return
		}
		for _, file := range []string{"calendar.txt end_date", "calendar_dates.txt date"} {
			name, column, _ := strings.Cut(file, " ")
			for _, r := range c.files[name] {
				if d, err := parseDay(r.values[column]); err == nil && d > last {
					c.found(name, r.line, column, "profile_window", "%d is after the feed's last day %d", d, last)
				}
			}
		}
	}
}

func (c *checker) doors(places []carpool.Place, private []geo.LonLat) {
	var at []geo.LonLat
	for _, p := range places {
		at = append(at, p.At)
	}
	known, doors := newGrid(at, atPlace), newGrid(private, Clear)
	for _, r := range c.files["stops.txt"] {
		lat, err1 := strconv.ParseFloat(r.values["stop_lat"], 64)
		lon, err2 := strconv.ParseFloat(r.values["stop_lon"], 64)
		if err1 != nil || err2 != nil {
			continue // told by Check
		}
		p := geo.LonLat{Lon: lon, Lat: lat}
		if !known.within(p) {
			c.found("stops.txt", r.line, "stop_lat", "profile_meeting_point", "no meeting point within %v", atPlace)
		}
		if doors.within(p) {
			c.found("stops.txt", r.line, "stop_lat", "profile_private_address", "a private address within %v", Clear)
		}
	}
}
