package roads

import (
	"math"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// toblerSpeed is how fast people walk on a path, metres a second, where it
// climbs by slope (rise over run, negative when it falls): 6 exp(-3.5 |s +
// 0.05|) km/h. Tobler, "Three presentations on geographical analysis and
// modeling", NCGIA technical report 93-1, 1993. On the flat that is 5.04 km/h.
func toblerSpeed(slope float64) float64 {
	return toblerBest * math.Exp(-3.5*math.Abs(slope+0.05))
}

// toblerBest is the most it gives, on a path that falls by 5 %.
const toblerBest = 6 / 3.6

// A way on foot where no path is known: the beeline times this. Ballou,
// Rahardja and Sakai ("Selected country circuity factors for road travel
// distance estimation", 2002) give 1.15 to 1.46 for roads of European
// countries; hills are at the upper end.
const circuity = 1.4

// straightWalk estimates a walk on the flat.
func straightWalk(from, to geo.LonLat) carpool.Leg {
	d := float64(from.Distance(to)) * circuity
	return carpool.Leg{OK: true, Metres: unit.Metres(math.Round(d)), Time: seconds(d / toblerSpeed(0))}
}

// seconds is a duration to the millisecond.
func seconds(s float64) time.Duration {
	return time.Duration(math.Round(s*1000)) * time.Millisecond
}

func unitMetres(m float64) unit.Metres { return unit.Metres(m) }
