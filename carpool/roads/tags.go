package roads

import (
	"math"
	"strconv"
	"strings"
)

// carSpeeds are what a car makes on a class of road where no limit is tagged,
// in km/h: figures of our own for hill country, below the legal limits. A road
// of a class that is not here is not for cars; a track is only when a tag of
// vehicles says so.
var carSpeeds = map[string]float64{
	"motorway": 110, "motorway_link": 60, "trunk": 80, "trunk_link": 50,
	"primary": 65, "primary_link": 45, "secondary": 55, "secondary_link": 40,
	"tertiary": 45, "tertiary_link": 35, "unclassified": 35, "road": 30,
	"residential": 28, "living_street": 10, "service": 15, "track": 12,
}

// What a tagged limit does: nobody drives it all the time, nor does a high
// limit straighten a road.
const (
	ofLimit   = 0.9
	overClass = 1.3
)

// limits of words that stand for a number, km/h (Codice della strada, art. 142).
var limits = map[string]float64{"walk": 7, "living_street": 10, "urban": 50, "rural": 90, "trunk": 110, "motorway": 130}

// lane is one direction of a way for one kind of traffic: speed in metres a
// second, 0 when it is closed.
type lane struct{ ahead, back float64 }

func (l lane) open() bool { return l.ahead > 0 || l.back > 0 }

// carLane is how cars use a way.
func carLane(t tags) lane {
	class := t.Find("highway")
	speed, ok := carSpeeds[class]
	if !ok || t.Find("area") == "yes" || t.Find("impassable") == "yes" || t.Find("service") == "emergency_access" {
		return lane{}
	}
	right := carAccess(t)
	if class == "track" && access(t, "motorcar", "motor_vehicle", "vehicle") == unsaid {
		right = forbidden // that everybody may walk there opens no track to cars
	}
	if right == forbidden {
		return lane{}
	}
	switch t.Find("surface") {
	case "unpaved", "gravel", "fine_gravel", "compacted", "dirt", "earth", "ground", "grass", "mud", "sand", "pebblestone":
		speed = math.Min(speed, 25)
	}
	l := lane{drive(speed, t, "maxspeed:forward"), drive(speed, t, "maxspeed:backward")}
	if right == visitors {
		// Open to who goes there, not through: slow enough that no way leads
		// through that has another.
		l.ahead, l.back = l.ahead/2, l.back/2
	}
	switch oneWay(t, class) {
	case 1:
		l.back = 0
	case -1:
		l.ahead = 0
	case 2:
		l = lane{}
	}
	return l
}

// drive is the speed in one direction, metres a second.
func drive(class float64, t tags, key string) float64 {
	limit, ok := speedLimit(t.Find(key))
	if !ok {
		limit, ok = speedLimit(t.Find("maxspeed"))
	}
	if ok {
		return math.Min(limit*ofLimit, class*overClass) / 3.6
	}
	return class / 3.6
}

// speedLimit reads a value of maxspeed in km/h: "50", "30 mph", "IT:urban".
func speedLimit(s string) (float64, bool) {
	s = strings.TrimSpace(strings.ToLower(s))
	if _, zone, ok := strings.Cut(s, ":"); ok {
		s = zone
	}
	if v, ok := limits[s]; ok {
		return v, true
	}
	factor := 1.0
	if mph, ok := strings.CutSuffix(s, "mph"); ok {
		s, factor = strings.TrimSpace(mph), 1.609344
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(s, "km/h")), 64)
	v *= factor
	return v, err == nil && v >= 5 && v <= 150
}

// oneWay is 1 when a way is driven only as it is drawn, -1 only against that,
// 0 both ways, 2 when the direction changes and nobody can rely on it.
func oneWay(t tags, class string) int {
	for _, key := range []string{"oneway:motorcar", "oneway:motor_vehicle", "oneway:vehicle", "oneway"} {
		switch t.Find(key) {
		case "yes", "true", "1":
			return 1
		case "-1", "reverse":
			return -1
		case "reversible":
			return 2
		case "no", "false", "0", "alternating":
			return 0
		}
	}
	switch j := t.Find("junction"); {
	case j == "roundabout", j == "circular", class == "motorway":
		return 1
	}
	return 0
}

// right is whether somebody may pass.
type right uint8

const (
	unsaid    right = iota
	allowed         // yes
	visitors        // only to get there
	forbidden       // no
)

// rights of the values of access tags. A private way is closed: whoever lives
// there is met where it begins.
var rights = map[string]right{
	"yes": allowed, "permissive": allowed, "designated": allowed, "official": allowed, "public": allowed, "true": allowed,
	"destination": visitors, "customers": visitors, "residents": visitors, "delivery": visitors, "discouraged": visitors,
	"no": forbidden, "private": forbidden, "agricultural": forbidden, "forestry": forbidden, "permit": forbidden,
	"military": forbidden, "emergency": forbidden, "use_sidepath": forbidden, "psv": forbidden, "bus": forbidden,
	"restricted": forbidden, "unsuitable": forbidden, "limited": forbidden, "hov": forbidden, "false": forbidden,
}

// access is the right that the most special of the keys gives; the first of
// several values counts, as does a value nobody knows count for nothing.
func access(t tags, keys ...string) right {
	for _, key := range keys {
		value, _, _ := strings.Cut(t.Find(key), ";")
		if r := rights[strings.TrimSpace(value)]; r != unsaid {
			return r
		}
	}
	return unsaid
}

func carAccess(t tags) right {
	return access(t, "motorcar", "motor_vehicle", "vehicle", "access")
}

// carStops says whether a node stops cars.
func carStops(t tags) bool {
	barrier := t.Find("barrier")
	if barrier == "" && t.Find("highway") == "" {
		return false
	}
	switch carAccess(t) {
	case forbidden:
		return true
	case allowed, visitors:
		return false
	}
	switch barrier {
	case "bollard", "block", "chain", "cycle_barrier", "debris", "jersey_barrier", "kissing_gate", "log",
		"motorcycle_barrier", "planter", "rock", "boulder", "stile", "step_over", "turnstile", "full-height_turnstile",
		"horse_stile", "bus_trap", "car_trap", "post", "wedge", "wicket_gate", "hampshire_gate", "barrier_board",
		"fence", "wall", "hedge", "guard_rail":
		return true
	}
	return false // gates, toll booths, cattle grids and the like open
}
