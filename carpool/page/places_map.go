package page

import (
	"strings"

	"github.com/crinale/crinale/internal/territory"
)

func byName(a, b territory.Comune) int { return strings.Compare(a.Name, b.Name) }

// mapOf is the map of some comuni, or of one of them.
func (s *Staff) mapOf(mine []territory.Comune, only string, pick bool) mapView {
	v := mapView{Tiles: s.cfg.Tiles, Credit: s.cfg.Credit, Native: s.cfg.Native, Pick: pick}
	n := 0.0
	for _, c := range mine {
		if only != "" && c.ISTAT != only {
			continue
		}
		v.Lat, v.Lon, n = v.Lat+c.Hall.Lat, v.Lon+c.Hall.Lon, n+1
	}
	if n > 0 {
		v.Lat, v.Lon = v.Lat/n, v.Lon/n
	}
	return v
}
