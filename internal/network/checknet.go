package network

import (
	"cmp"
	"slices"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/strict"
)

var (
	structures = []string{"mast", "bell tower", "water tower", "roof", "pole", "building"}
	powers     = []string{"grid", "solar", "both"}
	seatKinds  = []string{"town-hall", "school", "camera", "subscriber", "other"}
	media      = []Medium{Radio, Fibre, LTE, Satellite}
	protocols  = []string{"802.11", "nv2", "w60g"}
)

// places is what checks need to find by name.
type places struct {
	partners map[PartnerID]strict.At
	sites    map[SiteID]siteRow
	seats    map[SeatID]seatRow
	devices  map[DeviceID]deviceRow
	sectors  map[SectorID]sectorRow
	serves   map[DeviceID]sectorRow // the sector of an access point
}

// unique maps rows by name and reports names used twice, with both places.
func unique[K ~string, R any](l *loader, kind string, rows []R, id func(R) (K, strict.At)) map[K]R {
	out := make(map[K]R, len(rows))
	for _, r := range rows {
		k, at := id(r)
		l.name(at, kind, string(k))
		if first, twice := out[k]; twice {
			_, was := id(first)
			if k != "" {
				l.bad(at, "id", "%s %q is there twice, first at %v: rename or remove one", kind, k, was)
			}
			continue
		}
		out[k] = r
	}
	return out
}

// check verifies all rows and fills the network.
func (l *loader) check() {
	p := places{serves: map[DeviceID]sectorRow{}}
	partners := unique(l, "partner", l.partners, func(r partnerRow) (PartnerID, strict.At) { return r.ID, r.At })
	p.partners = make(map[PartnerID]strict.At, len(partners))
	for id, r := range partners {
		p.partners[id] = r.At
	}
	p.sites = unique(l, "site", l.sites, func(r siteRow) (SiteID, strict.At) { return r.ID, r.At })
	p.seats = unique(l, "seat", l.seats, func(r seatRow) (SeatID, strict.At) { return r.ID, r.At })
	p.devices = unique(l, "device", l.devices, func(r deviceRow) (DeviceID, strict.At) { return r.ID, r.At })
	p.sectors = unique(l, "sector", l.sectors, func(r sectorRow) (SectorID, strict.At) { return r.ID, r.At })
	unique(l, "link", l.links, func(r linkRow) (LinkID, strict.At) { return r.ID, r.At })

	for _, r := range l.partners {
		l.net.Partners = append(l.net.Partners, Partner{r.ID, r.Name, r.Contact})
	}
	for _, r := range l.sites {
		l.checkSite(r, p)
		l.net.Sites = append(l.net.Sites, r.site())
	}
	for _, r := range l.seats {
		l.position(r.At, r.Lat, r.Lon)
		l.istat(r.At, r.Comune)
		oneOf(l, r.At, "kind", r.Kind, seatKinds...)
		l.net.Seats = append(l.net.Seats, r.seat())
	}
	l.checkDevices(p)
	for _, r := range l.sectors {
		l.checkSector(&r, p)
		l.net.Sectors = append(l.net.Sectors, Sector{r.ID, r.Device, r.Use, r.Band})
	}
	l.checkLinks(p)
	l.checkApart()
}

func (l *loader) checkSite(r siteRow, p places) {
	l.position(r.At, r.Lat, r.Lon)
	l.istat(r.At, r.Comune)
	oneOf(l, r.At, "structure", r.Structure, structures...)
	l.between(r.At, "height_m", float64(r.HeightM), 0, 300)
	oneOf(l, r.Power.At, "source", r.Power.Source, powers...)
	l.between(r.Power.At, "battery_h", r.Power.BatteryH, 0, 10_000)
	l.partnersKnown(r.At, r.Partners, p.partners)
}

// where is the position of a device, false while its place is wrong.
func (p places) where(d deviceRow) (geo.LonLat, bool) {
	if s, ok := p.sites[d.Site]; ok && d.Site != "" {
		return geo.LonLat{Lon: s.Lon, Lat: s.Lat}, true
	}
	s, ok := p.seats[d.Seat]
	return geo.LonLat{Lon: s.Lon, Lat: s.Lat}, ok && d.Seat != ""
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	ks := keys(m)
	slices.Sort(ks)
	return ks
}
