package gtfs

import (
	"errors"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// What the GTFS Schedule reference says of the files and fields that occur in
// timetables like ours (gtfs.org/documentation/schedule/reference, "Field
// definitions" and "Field types").

// presence of a field.
type presence uint8

const (
	optional    presence = iota
	required             // the column must be there and each value filled
	conditional          // whether it must be there is a rule of its own
)

// field of a file: what its values look like, and which file they point to.
type field struct {
	name     string
	presence presence
	kind     func(string) error
	refers   string // "stops.txt stop_id"
}

// fileSpec of a file: its fields and which of them name a row.
type fileSpec struct {
	name     string
	presence presence
	fields   []field
	key      []string
}

var specs = []fileSpec{
	{"agency.txt", required, []field{
		{"agency_id", conditional, isID, ""}, {"agency_name", required, isText, ""}, {"agency_url", required, checkURL, ""},
		{"agency_timezone", required, isZone, ""}, {"agency_lang", optional, isLang, ""}, {"agency_phone", optional, isText, ""},
		{"agency_fare_url", optional, checkURL, ""}, {"agency_email", optional, isMail, ""},
	}, []string{"agency_id"}},
	{"stops.txt", required, []field{
		{"stop_id", required, isID, ""}, {"stop_code", optional, isText, ""}, {"stop_name", conditional, isText, ""}, {"stop_desc", optional, isText, ""},
		{"stop_lat", conditional, isLat, ""}, {"stop_lon", conditional, isLon, ""}, {"zone_id", optional, isID, ""}, {"stop_url", optional, checkURL, ""},
		{"location_type", optional, oneOf(0, 1, 2, 3, 4), ""}, {"parent_station", conditional, isID, "stops.txt stop_id"},
		{"stop_timezone", optional, isZone, ""}, {"wheelchair_boarding", optional, oneOf(0, 1, 2), ""},
	}, []string{"stop_id"}},
	{"routes.txt", required, []field{
		{"route_id", required, isID, ""}, {"agency_id", conditional, isID, "agency.txt agency_id"}, {"route_short_name", conditional, isText, ""},
		{"route_long_name", conditional, isText, ""}, {"route_desc", optional, isText, ""}, {"route_type", required, isRouteType, ""},
		{"route_url", optional, checkURL, ""}, {"route_color", optional, isColour, ""}, {"route_text_color", optional, isColour, ""},
		{"route_sort_order", optional, isWhole, ""},
	}, []string{"route_id"}},
	{"trips.txt", required, []field{
		{"route_id", required, isID, "routes.txt route_id"}, {"service_id", required, isID, ""}, {"trip_id", required, isID, ""},
		{"trip_headsign", optional, isText, ""}, {"trip_short_name", optional, isText, ""}, {"direction_id", optional, oneOf(0, 1), ""},
		{"block_id", optional, isID, ""}, {"shape_id", optional, isID, "shapes.txt shape_id"},
		{"wheelchair_accessible", optional, oneOf(0, 1, 2), ""}, {"bikes_allowed", optional, oneOf(0, 1, 2), ""},
	}, []string{"trip_id"}},
	{"stop_times.txt", required, []field{
		{"trip_id", required, isID, "trips.txt trip_id"}, {"arrival_time", conditional, isTime, ""}, {"departure_time", conditional, isTime, ""},
		{"stop_id", required, isID, "stops.txt stop_id"}, {"stop_sequence", required, isWhole, ""}, {"stop_headsign", optional, isText, ""},
		{"pickup_type", optional, oneOf(0, 1, 2, 3), ""}, {"drop_off_type", optional, oneOf(0, 1, 2, 3), ""}, {"timepoint", optional, oneOf(0, 1), ""},
	}, []string{"trip_id", "stop_sequence"}},
	{"calendar.txt", conditional, []field{
		{"service_id", required, isID, ""}, {"monday", required, oneOf(0, 1), ""}, {"tuesday", required, oneOf(0, 1), ""},
		{"wednesday", required, oneOf(0, 1), ""}, {"thursday", required, oneOf(0, 1), ""}, {"friday", required, oneOf(0, 1), ""},
		{"saturday", required, oneOf(0, 1), ""}, {"sunday", required, oneOf(0, 1), ""}, {"start_date", required, isDay, ""}, {"end_date", required, isDay, ""},
	}, []string{"service_id"}},
	{"calendar_dates.txt", conditional, []field{
		{"service_id", required, isID, ""}, {"date", required, isDay, ""}, {"exception_type", required, oneOf(1, 2), ""},
	}, []string{"service_id", "date"}},
	{"feed_info.txt", conditional, []field{
		{"feed_publisher_name", required, isText, ""}, {"feed_publisher_url", required, checkURL, ""}, {"feed_lang", required, isLang, ""},
		{"default_lang", optional, isLang, ""}, {"feed_start_date", optional, isDay, ""}, {"feed_end_date", optional, isDay, ""},
		{"feed_version", optional, isText, ""}, {"feed_contact_email", optional, isMail, ""}, {"feed_contact_url", optional, checkURL, ""},
	}, nil},
}

var (
	langs   = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	colours = regexp.MustCompile(`^[0-9A-Fa-f]{6}$`)
	markup  = regexp.MustCompile(`<[A-Za-z!/][^>]*>|&(#\d+|[a-zA-Z]+);|\\[nrt]`)
	numbers = regexp.MustCompile(`^-?\d+(\.\d+)?$`)
)

func isID(string) error { return nil }

// isText refuses HTML and escapes, which the specification forbids in values.
func isText(s string) error {
	if markup.MatchString(s) {
		return errors.New("it holds HTML or an escape sequence")
	}
	return nil
}

func isLat(s string) error { return within(s, 90) }
func isLon(s string) error { return within(s, 180) }

func within(s string, bound float64) error {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !numbers.MatchString(s) || v < -bound || v > bound {
		return errors.New("not a position in degrees")
	}
	return nil
}

func isZone(s string) error {
	if _, err := time.LoadLocation(s); err != nil || s == "Local" || s == "" {
		return errors.New("not a time zone such as Europe/Rome")
	}
	return nil
}

func isLang(s string) error {
	if !langs.MatchString(s) {
		return errors.New("not a language such as it")
	}
	return nil
}

func isMail(s string) error {
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
		return errors.New("not an e-mail address")
	}
	return nil
}

func isColour(s string) error {
	if !colours.MatchString(s) {
		return errors.New("not a colour such as 0066CC")
	}
	return nil
}

func isWhole(s string) error { _, err := parseWhole(s); return err }
func isDay(s string) error   { _, err := parseDay(s); return err }
func isTime(s string) error  { _, err := parseTime(s); return err }

// isRouteType takes the basic types and the extended ones, of which 1551 is
// the lifts'.
func isRouteType(s string) error {
	n, err := parseWhole(s)
	if err != nil || !(n <= 7 || n == 11 || n == 12 || n >= 100 && n < 1800) {
		return errors.New("not a type of route")
	}
	return nil
}

func oneOf(allowed ...int) func(string) error {
	return func(s string) error {
		n, err := parseWhole(s)
		if err != nil || len(s) != 1 || !slices.Contains(allowed, n) {
			return errors.New("not one of the values that the specification allows")
		}
		return nil
	}
}
