package roads

import (
	"math"
)

// walked are the classes of way that people use on foot unless a tag says
// otherwise.
var walked = map[string]bool{
	"primary": true, "primary_link": true, "secondary": true, "secondary_link": true, "tertiary": true, "tertiary_link": true,
	"unclassified": true, "residential": true, "living_street": true, "service": true, "road": true, "track": true,
	"footway": true, "path": true, "steps": true, "pedestrian": true, "cycleway": true, "platform": true, "corridor": true,
}

// bySign are classes that people use on foot only where a tag says so.
var bySign = map[string]bool{"trunk": true, "trunk_link": true, "bridleway": true}

// stairSpeed is the most that people make along stairs, metres a second on the
// map: half a flat path.
const stairSpeed = 0.7

// footLane is how people on foot use a way: both ways, at most so fast.
func footLane(t tags) lane {
	class := t.Find("highway")
	if !walked[class] && !bySign[class] {
		return lane{}
	}
	switch r := access(t, "foot", "access"); {
	case r == forbidden, r == unsaid && bySign[class]:
		return lane{}
	}
	switch t.Find("sac_scale") {
	case "", "hiking", "strolling":
	default:
		return lane{} // a mountain path is no way to a lift
	}
	l := lane{toblerBest, toblerBest}
	if class == "steps" {
		l = lane{stairSpeed, stairSpeed}
	}
	switch t.Find("oneway:foot") {
	case "yes", "1":
		l.back = 0
	case "-1":
		l.ahead = 0
	}
	return l
}

// footStops says whether a node stops people on foot.
func footStops(t tags) bool {
	return t.Find("barrier") != "" && access(t, "foot", "access") == forbidden
}

// walkTime is the milliseconds of a stretch on foot.
func walkTime(metres, slope, most float64) float64 {
	slope = math.Max(-0.5, math.Min(0.5, slope))
	return metres / math.Min(most, toblerSpeed(slope)) * 1000
}

// driveTime is the milliseconds of a stretch by car. A rule of our own: up to
// 5 % the slope is not felt; above, steep roads wind and each further percent
// takes 4 % of the speed, up and down alike, down to a half.
func driveTime(metres, slope, speed float64) float64 {
	return metres / (speed * math.Max(0.5, 1-4*math.Max(0, math.Abs(slope)-0.05))) * 1000
}
