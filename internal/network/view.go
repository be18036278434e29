package network

import (
	"slices"

	"github.com/crinale/crinale/internal/unit"
)

// View is the network as JSON, keys with units, for `network show --json`.
// What is not known is null or left out as an empty string, never 0.
type View struct {
	Sites    []SiteView    `json:"sites"`
	Seats    []SeatView    `json:"seats"`
	Devices  []DeviceView  `json:"devices"`
	Links    []LinkView    `json:"links"`
	Sectors  []SectorView  `json:"sectors"`
	Partners []PartnerView `json:"partners"`
}

// SiteView is one site.
type SiteView struct {
	ID        SiteID      `json:"id"`
	Name      string      `json:"name"`
	Lat       float64     `json:"lat"`
	Lon       float64     `json:"lon"`
	Comune    string      `json:"comune"`
	Structure string      `json:"structure"`
	HeightM   unit.Metres `json:"height_m"`
	Power     string      `json:"power"`
	BatteryH  float64     `json:"battery_h"`
	Access    string      `json:"access"`
	Partners  []PartnerID `json:"partners"`
}

// SeatView is one seat.
type SeatView struct {
	ID     SeatID  `json:"id"`
	Name   string  `json:"name"`
	Kind   string  `json:"kind"`
	Lat    float64 `json:"lat"`
	Lon    float64 `json:"lon"`
	Comune string  `json:"comune"`
}

// DeviceView is one device.
type DeviceView struct {
	ID       DeviceID               `json:"id"`
	Site     SiteID                 `json:"site"`
	Seat     SeatID                 `json:"seat"`
	Gear     GearID                 `json:"gear"`
	Address  string                 `json:"address"`
	MAC      string                 `json:"mac"`
	HeightM  unit.Metres            `json:"height_m"`
	Azimuth  unit.Opt[unit.Degrees] `json:"azimuth_deg"`
	Tilt     unit.Opt[unit.Degrees] `json:"tilt_deg"`
	SSID     string                 `json:"ssid"`
	Freq     unit.Opt[unit.MHz]     `json:"freq_mhz"`
	Width    unit.Opt[unit.MHz]     `json:"width_mhz"`
	TxPower  unit.Opt[unit.DBm]     `json:"tx_power_dbm"`
	Protocol string                 `json:"protocol"`
	Identity string                 `json:"identity"` // that it should tell
	Comment  string                 `json:"comment"`

	Addresses []AddressView `json:"addresses"`
}

// AddressView is one address of a device.
type AddressView struct {
	Address   string `json:"address"`
	Interface string `json:"interface"`
	Comment   string `json:"comment"`
}

// LinkView is one link.
type LinkView struct {
	ID       LinkID      `json:"id"`
	Name     string      `json:"name"`
	Medium   Medium      `json:"medium"`
	A        DeviceID    `json:"a"`
	B        DeviceID    `json:"b"`
	Sector   SectorID    `json:"sector"`
	Partners []PartnerID `json:"partners"`
	MinMbps  unit.Mbps   `json:"min_mbps"` // 30 where the files say nothing
}

// SectorView is one sector.
type SectorView struct {
	ID     SectorID `json:"id"`
	Device DeviceID `json:"device"`
	Use    string   `json:"use"`
	Band   string   `json:"band_mhz"`
}

// PartnerView is one partner.
type PartnerView struct {
	ID      PartnerID `json:"id"`
	Name    string    `json:"name"`
	Contact string    `json:"contact"`
}

// View makes the JSON form.
func (n *Network) View() View {
	v := View{[]SiteView{}, []SeatView{}, []DeviceView{}, []LinkView{}, []SectorView{}, []PartnerView{}}
	for _, s := range n.Sites {
		v.Sites = append(v.Sites, SiteView{s.ID, s.Name, s.At.Lat, s.At.Lon, s.Comune, s.Structure, s.HeightM, s.Power.Source, s.Power.BatteryHours, s.Access, list(s.Shared)})
	}
	for _, s := range n.Seats {
		v.Seats = append(v.Seats, SeatView{s.ID, s.Name, s.Kind, s.At.Lat, s.At.Lon, s.Comune})
	}
	for _, d := range n.Devices {
		s := d.Settings
		row := DeviceView{d.ID, d.Site, d.Seat, d.Gear, d.Address, d.MAC, d.HeightM, d.Azimuth, d.Tilt, s.SSID, s.Freq, s.Width, s.TxPower, s.Protocol,
			d.IdentityOf(), s.Comment, []AddressView{}}
		for _, a := range s.Addresses {
			row.Addresses = append(row.Addresses, AddressView(a))
		}
		v.Devices = append(v.Devices, row)
	}
	for _, l := range n.Links {
		least := l.MinMbps
		if least == 0 {
			least = 30
		}
		v.Links = append(v.Links, LinkView{l.ID, l.Name, l.Medium, l.A, l.B, l.Sector, list(l.Partner), least})
	}
	for _, s := range n.Sectors {
		v.Sectors = append(v.Sectors, SectorView{s.ID, s.Device, string(s.Use), s.Band})
	}
	for _, p := range n.Partners {
		v.Partners = append(v.Partners, PartnerView(p))
	}
	return v
}

// list is a copy that is never null in JSON.
func list[T any](s []T) []T { return append([]T{}, slices.Clip(s)...) }
