package gtfs

import (
	"cmp"
	"slices"
	"strconv"
)

// calendars: one of the two files says when there is service, spans do not run
// backwards, and every trip's service is in one of them.
func (c *checker) calendars() {
	_, week := c.files["calendar.txt"]
	_, dates := c.files["calendar_dates.txt"]
	if !week && !dates {
		c.found("calendar.txt", 0, "", "missing_calendar_and_calendar_date_files", "one of them must be there")
	}
	services := c.ids("calendar.txt", "service_id")
	for id := range c.ids("calendar_dates.txt", "service_id") {
		services[id] = true
	}
	for _, r := range c.files["trips.txt"] {
		if v := r.values["service_id"]; v != "" && !services[v] {
			c.found("trips.txt", r.line, "service_id", "foreign_key_violation", "%.60q is in no calendar", v)
		}
	}
	for _, r := range c.files["calendar.txt"] {
		first, err1 := parseDay(r.values["start_date"])
		last, err2 := parseDay(r.values["end_date"])
		if err1 == nil && err2 == nil && last < first {
			c.found("calendar.txt", r.line, "end_date", "start_and_end_range_out_of_order", "before start_date")
		}
	}
}

// agencies: one time zone for all; a feed of more than one names them
// everywhere.
func (c *checker) agencies() {
	rows := c.files["agency.txt"]
	if _, there := c.files["agency.txt"]; there && len(rows) == 0 {
		c.found("agency.txt", 1, "", "missing_agency", "it must name one")
	}
	for _, r := range rows {
		if z := r.values["agency_timezone"]; z != rows[0].values["agency_timezone"] {
			c.found("agency.txt", r.line, "agency_timezone", "inconsistent_agency_timezone", "%q", z)
		}
		if len(rows) > 1 && r.values["agency_id"] == "" {
			c.found("agency.txt", r.line, "agency_id", "missing_required_field", "there is more than one agency")
		}
	}
	for _, r := range c.files["routes.txt"] {
		if len(rows) > 1 && r.values["agency_id"] == "" {
			c.found("routes.txt", r.line, "agency_id", "missing_required_field", "there is more than one agency")
		}
	}
}

// names: a route has one of its two, its colours can be told apart; a stop
// where somebody gets in has a name and a place.
func (c *checker) names() {
	for _, r := range c.files["routes.txt"] {
		short, long := r.values["route_short_name"], r.values["route_long_name"]
		if short == "" && long == "" {
			c.found("routes.txt", r.line, "route_long_name", "route_both_short_and_long_name_missing", "one must be there")
		}
		if short != "" && short == long {
			c.found("routes.txt", r.line, "route_long_name", "route_short_and_long_name_equal", "%.60q", short)
		}
		back, front := cmp.Or(r.values["route_color"], "FFFFFF"), cmp.Or(r.values["route_text_color"], "000000")
		if isColour(back) == nil && isColour(front) == nil && abs(brightness(back)-brightness(front)) < 72 {
			c.found("routes.txt", r.line, "route_text_color", "route_color_contrast", "%s cannot be read on %s", front, back)
		}
	}
	types := map[string]string{}
	for _, r := range c.files["stops.txt"] {
		types[r.values["stop_id"]] = cmp.Or(r.values["location_type"], "0")
	}
	for _, r := range c.files["stops.txt"] {
		kind, parent := cmp.Or(r.values["location_type"], "0"), r.values["parent_station"]
		for _, f := range []string{"stop_name", "stop_lat", "stop_lon"} {
			if kind <= "2" && r.values[f] == "" {
				c.found("stops.txt", r.line, f, "missing_required_field", "it is empty")
			}
		}
		switch {
		case kind == "1" && parent != "":
			c.found("stops.txt", r.line, "parent_station", "station_with_parent_station", "a station has none")
		case kind >= "2" && parent == "":
			c.found("stops.txt", r.line, "parent_station", "location_without_parent_station", "it must have one")
		case kind != "4" && parent != "" && types[parent] != "" && types[parent] != "1":
			c.found("stops.txt", r.line, "parent_station", "wrong_parent_location_type", "%.60q is not a station", parent)
		}
		if _, err := parseAt(r.values["stop_lat"], r.values["stop_lon"]); err != nil && r.values["stop_lat"] != "" {
			c.found("stops.txt", r.line, "stop_lat", "point_near_origin", "%v", err)
		}
	}
	for _, r := range c.files["stop_times.txt"] {
		if kind := types[r.values["stop_id"]]; kind != "" && kind != "0" {
			c.found("stop_times.txt", r.line, "stop_id", "location_with_unexpected_stop_time", "%.60q is not a stop", r.values["stop_id"])
		}
	}
}

// brightness of a colour from 0 to 255 (W3C AERT, section 2.2).
func brightness(rgb string) int {
	n, _ := strconv.ParseUint(rgb, 16, 32)
	return int(n>>16*299+n>>8&255*587+n&255*114) / 1000
}

func abs(n int) int { return max(n, -n) }

// times of each trip go forward, are there at both ends, and a trip has two
// stops at least.
func (c *checker) times() {
	byTrip := map[string][]record{}
	for _, r := range c.files["stop_times.txt"] {
		byTrip[r.values["trip_id"]] = append(byTrip[r.values["trip_id"]], r)
	}
	for _, r := range c.files["trips.txt"] {
		calls := byTrip[r.values["trip_id"]]
		if len(calls) < 2 {
			c.found("trips.txt", r.line, "trip_id", "unusable_trip", "%.60q has fewer than two stops", r.values["trip_id"])
			continue
		}
		slices.SortStableFunc(calls, func(a, b record) int {
			x, _ := parseWhole(a.values["stop_sequence"])
			y, _ := parseWhole(b.values["stop_sequence"])
			return cmp.Compare(x, y)
		})
		c.trip(calls)
	}
}

func (c *checker) trip(calls []record) {
	before := unknown
	for i, r := range calls {
		arrive, err1 := maybeTime(r.values["arrival_time"])
		depart, err2 := maybeTime(r.values["departure_time"])
		if err1 != nil || err2 != nil {
			continue // told already
		}
		end := i == 0 || i == len(calls)-1
		exact := r.values["timepoint"] == "1"
		if (end || exact) && (arrive == unknown || depart == unknown) {
			c.found("stop_times.txt", r.line, "arrival_time", "stop_time_without_time", "a time is empty at an end of the trip, or at a timepoint")
		}
		if arrive != unknown && depart != unknown && depart < arrive {
			c.found("stop_times.txt", r.line, "departure_time", "stop_time_with_departure_before_arrival", "%s before %s", r.values["departure_time"], r.values["arrival_time"])
		}
		if arrive != unknown && before != unknown && arrive < before {
			c.found("stop_times.txt", r.line, "arrival_time", "stop_time_with_arrival_before_previous_departure", "%s", r.values["arrival_time"])
		}
		before = max(before, arrive, depart)
	}
}

// info: at most one row, dates in order.
func (c *checker) info() {
	rows := c.files["feed_info.txt"]
	if len(rows) > 1 {
		c.found("feed_info.txt", rows[1].line, "", "more_than_one_entity", "it must have one row")
	}
	for _, r := range rows {
		first, err1 := parseDay(r.values["feed_start_date"])
		last, err2 := parseDay(r.values["feed_end_date"])
		if err1 == nil && err2 == nil && last < first {
			c.found("feed_info.txt", r.line, "feed_end_date", "start_and_end_range_out_of_order", "before feed_start_date")
		}
	}
}
