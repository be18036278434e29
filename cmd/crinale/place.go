package main

import (
	"strconv"
	"strings"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// parsePlace reads LAT,LON[,HEIGHT_ABOVE_GROUND_M] as map sites print it. The
// height is unknown when it is left out.
func parsePlace(s string) (geo.LonLat, unit.Opt[unit.Metres], error) {
	var none unit.Opt[unit.Metres]
	parts := strings.Split(s, ",")
	if len(parts) < 2 || len(parts) > 3 {
		return geo.LonLat{}, none, usage("%q is no place: write LAT,LON or LAT,LON,HEIGHT with points as decimal marks, such as 44.5208,8.0458,15", s)
	}
	var v [3]float64
	for i, p := range parts {
		f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil {
			return geo.LonLat{}, none, usage("%q is no place: %q is no number", s, p)
		}
		v[i] = f
	}
	at := geo.LonLat{Lat: v[0], Lon: v[1]}
	if !at.Valid() {
		return geo.LonLat{}, none, usage("%q is no place: latitude goes from -90 to 90, longitude from -180 to 180, latitude comes first", s)
	}
	if len(parts) == 2 {
		return at, none, nil
	}
	if !(v[2] >= 0 && v[2] <= 1000) {
		return geo.LonLat{}, none, usage("%q: a height above ground of %g m is out of range, write 0 to 1000", s, v[2])
	}
	return at, unit.Some(unit.Metres(v[2])), nil
}
