package network

import (
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/spectrum"
	"github.com/crinale/crinale/internal/strict"
	"github.com/crinale/crinale/internal/unit"
)

// The rows as they stand in network/*.yaml. Keys carry their units.

type networkFile struct {
	Partners []partnerRow `yaml:"partners"`
	Sites    []siteRow    `yaml:"sites"`
	Seats    []seatRow    `yaml:"seats"`
	Devices  []deviceRow  `yaml:"devices"`
	Sectors  []sectorRow  `yaml:"sectors"`
	Links    []linkRow    `yaml:"links"`
}

type partnerRow struct {
	At      strict.At
	ID      PartnerID `yaml:"id,required"`
	Name    string    `yaml:"name,required"`
	Contact string    `yaml:"contact"`
}

type siteRow struct {
	At        strict.At
	ID        SiteID      `yaml:"id,required"`
	Name      string      `yaml:"name,required"`
	Lat       float64     `yaml:"lat,required"`
	Lon       float64     `yaml:"lon,required"`
	Comune    string      `yaml:"comune"`
	Structure string      `yaml:"structure"`
	HeightM   unit.Metres `yaml:"height_m"`
	Power     powerRow    `yaml:"power"`
	Access    string      `yaml:"access"`
	Partners  []PartnerID `yaml:"partners"`
}

type powerRow struct {
	At       strict.At
	Source   string  `yaml:"source"`
	BatteryH float64 `yaml:"battery_h"`
	Notes    string  `yaml:"notes"`
}

type seatRow struct {
	At     strict.At
	ID     SeatID  `yaml:"id,required"`
	Name   string  `yaml:"name,required"`
	Kind   string  `yaml:"kind,required"`
	Lat    float64 `yaml:"lat,required"`
	Lon    float64 `yaml:"lon,required"`
	Comune string  `yaml:"comune"`
}

type deviceRow struct {
	At       strict.At
	ID       DeviceID               `yaml:"id,required"`
	Site     SiteID                 `yaml:"site"`
	Seat     SeatID                 `yaml:"seat"`
	Gear     GearID                 `yaml:"gear,required"`
	Address  string                 `yaml:"address"`
	MAC      string                 `yaml:"mac"`
	HeightM  unit.Metres            `yaml:"height_m"`
	Azimuth  unit.Opt[unit.Degrees] `yaml:"azimuth_deg"`
	Tilt     unit.Opt[unit.Degrees] `yaml:"tilt_deg"`
	Settings settingsRow            `yaml:"settings"`
}

type settingsRow struct {
	At        strict.At
	SSID      string             `yaml:"ssid"`
	Freq      unit.Opt[unit.MHz] `yaml:"freq_mhz"`
	Width     unit.Opt[unit.MHz] `yaml:"width_mhz"`
	TxPower   unit.Opt[unit.DBm] `yaml:"tx_power_dbm"`
	Protocol  string             `yaml:"protocol"`
	Identity  string             `yaml:"identity"`
	Comment   string             `yaml:"comment"`
	Addresses []addressRow       `yaml:"addresses"`
}

type addressRow struct {
	At        strict.At
	Address   string `yaml:"address,required"`
	Interface string `yaml:"interface,required"`
	Comment   string `yaml:"comment"`
}

type sectorRow struct {
	At     strict.At
	ID     SectorID     `yaml:"id,required"`
	Device DeviceID     `yaml:"device,required"`
	Use    spectrum.Use `yaml:"use"`
	Band   string       `yaml:"band"`
}

type linkRow struct {
	At       strict.At
	ID       LinkID      `yaml:"id,required"`
	Name     string      `yaml:"name"`
	Medium   Medium      `yaml:"medium,required"`
	A        DeviceID    `yaml:"a,required"`
	B        DeviceID    `yaml:"b"`
	Sector   SectorID    `yaml:"sector"`
	Partners []PartnerID `yaml:"partners"`
	MinMbps  unit.Mbps   `yaml:"min_mbps"`
}

func (r siteRow) site() Site {
	return Site{ID: r.ID, Name: r.Name, At: geo.LonLat{Lon: r.Lon, Lat: r.Lat}, Comune: r.Comune, Structure: r.Structure,
		HeightM: r.HeightM, Power: Power{r.Power.Source, r.Power.BatteryH, r.Power.Notes}, Access: r.Access, Shared: r.Partners}
}

func (r seatRow) seat() Seat {
	return Seat{ID: r.ID, Name: r.Name, Kind: r.Kind, At: geo.LonLat{Lon: r.Lon, Lat: r.Lat}, Comune: r.Comune}
}

func (r deviceRow) device() Device {
	return Device{ID: r.ID, Site: r.Site, Seat: r.Seat, Gear: r.Gear, Address: r.Address, MAC: r.MAC, HeightM: r.HeightM,
		Azimuth: r.Azimuth, Tilt: r.Tilt, Settings: r.Settings.settings()}
}

func (s settingsRow) settings() Settings {
	out := Settings{SSID: s.SSID, Freq: s.Freq, Width: s.Width, TxPower: s.TxPower, Protocol: s.Protocol, Identity: s.Identity, Comment: s.Comment}
	for _, a := range s.Addresses {
		out.Addresses = append(out.Addresses, Address{a.Address, a.Interface, a.Comment})
	}
	return out
}
