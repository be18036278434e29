// Package network holds the words for the union's network: sites, seats,
// devices, links, sectors, partners, gear, and what is read from them. It
// decides nothing and touches nothing but the files it loads; radio, planning,
// controller, carpool and edge all speak these words with one another.
package network

import (
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/spectrum"
	"github.com/crinale/crinale/internal/unit"
)

// Each kind of name is a type of its own. All are [a-z0-9-], at most 63 long,
// and unique within their kind.
type (
	SiteID    string
	SeatID    string
	DeviceID  string
	LinkID    string
	SectorID  string
	PartnerID string
	GearID    string
)

// Network is the network as its files describe it.
type Network struct {
	Sites    []Site
	Seats    []Seat
	Devices  []Device
	Links    []Link
	Sectors  []Sector
	Partners []Partner
	Gear     map[GearID]Gear

	index index
}

// Site is a place where radios stand.
type Site struct {
	ID        SiteID
	Name      string
	At        geo.LonLat
	Comune    string // ISTAT code, "" when outside the union
	Structure string // mast, bell tower, water tower, roof, pole, building
	HeightM   unit.Metres
	Power     Power
	Access    string // how to get there: key, road, who to call
	Shared    []PartnerID
}

// Power is what keeps a site alive.
type Power struct {
	Source       string // grid, solar, both
	BatteryHours float64
	Notes        string
}

// Seat is a place that uses the network: a town hall, a school, a camera, a
// subscriber.
type Seat struct {
	ID     SeatID
	Name   string
	Kind   string // town-hall, school, camera, subscriber, other
	At     geo.LonLat
	Comune string
}

// Device is one radio or router.
type Device struct {
	ID       DeviceID
	Site     SiteID // one of Site and Seat is set
	Seat     SeatID
	Gear     GearID
	Address  string // host or host:port of its management; "" when planned only
	MAC      string // of its radio, upper case with colons; "" when not known
	HeightM  unit.Metres
	Azimuth  unit.Opt[unit.Degrees] // of the antenna; unknown: aimed at its peer
	Tilt     unit.Opt[unit.Degrees]
	Settings Settings
}

// Settings is what the technicians want a device to be set to. What is open is
// left as the device has it.
type Settings struct {
	SSID      string
	Freq      unit.Opt[unit.MHz] // centre of the primary channel
	Width     unit.Opt[unit.MHz]
	TxPower   unit.Opt[unit.DBm] // at the antenna port, all chains
	Protocol  string             // "802.11", "nv2", "w60g"; "" is 802.11
	Identity  string             // the name the device tells; "": its name in the files
	Comment   string             // of its first radio
	Addresses []Address          // all that the interfaces named here have; other interfaces are left alone
}

// Address is an IP address of a device on one of its interfaces.
type Address struct {
	Address   string // with its prefix length: "10.38.0.1/24"
	Interface string
	Comment   string // "": left as the device has it
}

// IdentityOf is the name that a device should tell of itself.
func (d Device) IdentityOf() string {
	if d.Settings.Identity != "" {
		return d.Settings.Identity
	}
	return string(d.ID)
}

// Medium is what a link runs over.
type Medium string

const (
	Radio     Medium = "radio"
	Fibre     Medium = "fibre"
	LTE       Medium = "lte"
	Satellite Medium = "satellite"
)

// End names one side of a link.
type End string

const (
	EndA End = "a"
	EndB End = "b"
)

// Link joins two devices. A fibre, LTE or satellite link that ends outside the
// network has an empty B.
type Link struct {
	ID      LinkID
	Name    string
	Medium  Medium
	A, B    DeviceID
	Sector  SectorID // set when A is the access point of a sector
	Partner []PartnerID
	MinMbps unit.Mbps // promise; 0: 30
}

// Sector is an access point with an antenna that covers an area.
type Sector struct {
	ID     SectorID
	Device DeviceID
	Use    spectrum.Use
	Band   string
}

// Partner is a WISP that shares the network and sees its own links.
type Partner struct {
	ID      PartnerID
	Name    string
	Contact string // an office, never a person
}
