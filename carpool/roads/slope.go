package roads

import (
	"math"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// Heights gives the height of the ground; false where it is not known.
type Heights func(geo.LonLat) (unit.Metres, bool)

// stretch is a part of a way with one slope.
type stretch struct{ metres, slope float64 }

// stretchLength is how long stretches are: height grids are coarser than
// roads, and over less their errors would make hills.
const stretchLength = 100

// stretches cuts a line into parts of about 100 m with the slope of each, one
// part when it is level (a bridge or a tunnel: only its ends touch the ground)
// or shorter. Unknown heights give slope 0.
func stretches(line []point, h Heights, level bool) []stretch {
	whole := 0.0
	for i := range len(line) - 1 {
		whole += float64(line[i].lonLat().Distance(line[i+1].lonLat()))
	}
	parts := max(1, int(math.Round(whole/stretchLength)))
	if h == nil || whole == 0 {
		return []stretch{{whole, 0}}
	}
	if level {
		parts = 1
	}
	step := whole / float64(parts)
	out := make([]stretch, 0, parts)
	from, known := h(line[0].lonLat())
	for k := 1; k <= parts; k++ {
		to, ok := h(along(line, float64(k)*step))
		s := stretch{metres: step}
		if known && ok {
			s.slope = float64(to-from) / step
		}
		out = append(out, s)
		from, known = to, ok
	}
	return out
}

// along is the point of a line after so many metres, its end beyond that.
func along(line []point, metres float64) geo.LonLat {
	for i := range len(line) - 1 {
		a, b := line[i].lonLat(), line[i+1].lonLat()
		d := float64(a.Distance(b))
		if metres <= d && d > 0 {
			t := metres / d
			return geo.LonLat{Lon: a.Lon + t*(b.Lon-a.Lon), Lat: a.Lat + t*(b.Lat-a.Lat)}
		}
		metres -= d
	}
	return line[len(line)-1].lonLat()
}
