package network

import (
	"slices"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/strict"
	"github.com/crinale/crinale/internal/unit"
)

// A network is that of one region: what lies farther than farAway from its
// middle is a slip, and one that the exchange of lat and lon brings within
// closeBy of it has them swapped.
const (
	farAway unit.Metres = 500e3
	closeBy unit.Metres = 100e3
)

type place struct {
	at  strict.At
	pos geo.LonLat
}

// checkApart reports sites and seats that lie absurdly far from the others.
func (l *loader) checkApart() {
	var all []place
	add := func(at strict.At, lat, lon float64) {
		if p := (geo.LonLat{Lon: lon, Lat: lat}); p.Valid() && at.Has("lat") && at.Has("lon") && !l.told(at, "lat") && !l.told(at, "lon") {
			all = append(all, place{at, p})
		}
	}
	for _, r := range l.sites {
		add(r.At, r.Lat, r.Lon)
	}
	for _, r := range l.seats {
		add(r.At, r.Lat, r.Lon)
	}
	if len(all) < 2 {
		return
	}
	mid := middle(all)
	for _, p := range all {
		d := p.pos.Distance(mid)
		back := geo.LonLat{Lon: p.pos.Lat, Lat: p.pos.Lon}
		if d > farAway || d > 2*closeBy && back.Valid() && back.Distance(mid) < closeBy {
			l.bad(p.at, "lat", "%v lies %.0f km from the rest of the network, near %v: did you swap lat and lon?", p.pos, d.Km(), mid)
		}
	}
}

// middle is the median of latitudes and of longitudes; of two places the first.
func middle(all []place) geo.LonLat {
	if len(all) == 2 {
		return all[0].pos
	}
	lats, lons := make([]float64, len(all)), make([]float64, len(all))
	for i, p := range all {
		lats[i], lons[i] = p.pos.Lat, p.pos.Lon
	}
	slices.Sort(lats)
	slices.Sort(lons)
	return geo.LonLat{Lon: lons[len(all)/2], Lat: lats[len(all)/2]}
}
