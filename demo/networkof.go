package demo

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// The least and the greatest number of radios that NetworkOf gives.
const (
	MinRadios = 10
	MaxRadios = 2000
)

// hallPromise is what the link of an added town hall promises: 30 Mbps reach
// it, but less comes back over the sector's smaller antenna.
const hallPromise unit.Mbps = 10

// extras are the stations that can be added, in their order: the numbers of
// sector and gear in the lists, longitude and latitude in 0.00001°, and the
// ISTAT code as a number. All are planned to work, as those of the files are.
type extras struct {
	Sectors []network.SectorID `json:"sectors"`
	Gear    []network.GearID   `json:"gear"`
	Halls   [][5]int           `json:"halls"`
	Houses  [][5]int           `json:"houses"`
}

var readExtras = sync.OnceValues(func() (x extras, err error) {
	data, err := FS.ReadFile("subscribers.json")
	if err == nil {
		err = json.Unmarshal(data, &x)
	}
	return x, err
})

// NetworkOf is the demo network with exactly n radios, from MinRadios to
// MaxRadios. Fewer than Radios: the links that stand last in the files are
// left out, each with both ends. More: subscribers are added to the sectors,
// first the town halls that have no radio yet. The same n gives the same
// network, and each call one of its own. All 38 town halls are always seats.
func NetworkOf(n int) (*network.Network, error) {
	if n < MinRadios || n > MaxRadios {
		return nil, fault.New(fault.Invalid, "a demo with %d radios: from %d to %d are possible", n, MinRadios, MaxRadios)
	}
	full, err := parsed()
	if err != nil {
		return nil, fmt.Errorf("demo network: %w", err)
	}
	x, err := readExtras()
	if err != nil {
		return nil, fmt.Errorf("demo subscribers: %w", err)
	}
	c := cutter{full: full, net: &network.Network{Partners: slices.Clone(full.Partners), Gear: maps.Clone(full.Gear)},
		devices: map[network.DeviceID]bool{}, sectors: map[network.SectorID]network.Sector{}}
	c.cut(n)
	if err := c.extend(x, n); err != nil {
		return nil, err
	}
	c.net.Index()
	return c.net, nil
}

type cutter struct {
	full, net *network.Network
	radios    int
	devices   map[network.DeviceID]bool
	sectors   map[network.SectorID]network.Sector
}

// cut takes the links in order while their radios fit, and what they need.
func (c *cutter) cut(n int) {
	for _, l := range c.full.Links {
		need := 0
		for _, d := range []network.DeviceID{l.A, l.B} {
			if l.Medium == network.Radio && !c.devices[d] {
				need++
			}
		}
		if c.radios+need > n {
			continue
		}
		c.radios += need
		c.devices[l.A] = true
		if l.B != "" {
			c.devices[l.B] = true
		}
		l.Partner = slices.Clone(l.Partner)
		c.net.Links = append(c.net.Links, l)
	}
	sites, seats := map[network.SiteID]bool{}, map[network.SeatID]bool{}
	for _, d := range c.full.Devices {
		if c.devices[d.ID] {
			c.net.Devices = append(c.net.Devices, d)
			sites[d.Site], seats[d.Seat] = true, true
		}
	}
	for _, s := range c.full.Sites {
		if sites[s.ID] {
			s.Shared = slices.Clone(s.Shared)
			c.net.Sites = append(c.net.Sites, s)
		}
	}
	for _, s := range c.full.Seats {
		if seats[s.ID] || s.Kind == "town-hall" {
			c.net.Seats = append(c.net.Seats, s)
		}
	}
	for _, s := range c.full.Sectors {
		if c.devices[s.Device] {
			c.net.Sectors = append(c.net.Sectors, s)
			c.sectors[s.ID] = s
		}
	}
}

// extend adds stations to the sectors that are there.
func (c *cutter) extend(x extras, n int) error {
	used := map[network.SeatID]bool{}
	for _, d := range c.net.Devices {
		used[d.Seat] = true
	}
	for i, e := range slices.Concat(x.Halls, x.Houses) {
		if c.radios == n {
			return nil
		}
		if e[0] < 0 || e[0] >= len(x.Sectors) || e[1] < 0 || e[1] >= len(x.Gear) {
			return fmt.Errorf("demo subscribers: row %d names no sector or gear", i+1)
		}
		sector, there := c.sectors[x.Sectors[e[0]]]
		if !there {
			continue
		}
		istat := fmt.Sprintf("%06d", e[4])
		var seat network.Seat
		height, promise := unit.Metres(6), unit.Mbps(0)
		if i < len(x.Halls) {
			k := slices.IndexFunc(c.net.Seats, func(s network.Seat) bool { return s.Kind == "town-hall" && s.Comune == istat })
			if k < 0 || used[c.net.Seats[k].ID] {
				continue
			}
			seat, height, promise = c.net.Seats[k], 10, hallPromise
		} else {
			number := i - len(x.Halls) + 1
			seat = network.Seat{ID: network.SeatID(fmt.Sprintf("house-%04d", number)), Name: fmt.Sprintf("Utenza %04d", number), Kind: "subscriber",
				At: geo.LonLat{Lon: float64(e[2]) / 1e5, Lat: float64(e[3]) / 1e5}, Comune: istat}
			c.net.Seats = append(c.net.Seats, seat)
		}
		c.add(seat, height, sector, x.Gear[e[1]], i, promise)
	}
	if c.radios != n {
		return fmt.Errorf("demo subscribers: only %d of %d radios found", c.radios, n)
	}
	return nil
}

// add puts a station at a seat; row numbers its address.
func (c *cutter) add(seat network.Seat, height unit.Metres, sector network.Sector, gear network.GearID, row int, promise unit.Mbps) {
	ap, _ := c.full.Device(sector.Device)
	set := ap.Settings
	set.TxPower = unit.Some(27 - unit.DBm(c.full.Gear[gear].Antenna.Gain))
	d := network.Device{
		ID: network.DeviceID("cpe-" + string(seat.ID)), Seat: seat.ID, Gear: gear, HeightM: height, Settings: set,
		Address: fmt.Sprintf("10.38.%d.%d", 1+row/250, 1+row%250),
		MAC:     fmt.Sprintf("02:A2:00:00:%02X:%02X", row>>8, row&255),
	}
	var partners []network.PartnerID
	for _, l := range c.full.Links {
		if l.Sector == sector.ID {
			partners = slices.Clone(l.Partner)
			break
		}
	}
	c.net.Devices = append(c.net.Devices, d)
	c.net.Links = append(c.net.Links, network.Link{ID: network.LinkID("access-" + string(seat.ID)), Name: seat.Name, Medium: network.Radio,
		A: sector.Device, B: d.ID, Sector: sector.ID, Partner: partners, MinMbps: promise})
	c.radios++
}
