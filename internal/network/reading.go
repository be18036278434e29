package network

import (
	"time"

	"github.com/crinale/crinale/internal/unit"
)

// Reading is what one end of a link measured at one moment. What is not known
// stays unknown; nothing is zero for want of a value. These twelve quantities
// are the columns of the history.
type Reading struct {
	Link   LinkID
	End    End
	Device DeviceID
	At     time.Time

	Signal    unit.Opt[unit.DBm]  // received level, all chains
	Chain0    unit.Opt[unit.DBm]  // received level, first chain
	Chain1    unit.Opt[unit.DBm]  // received level, second chain
	SNR       unit.Opt[unit.DB]   // signal to noise
	Noise     unit.Opt[unit.DBm]  // noise floor
	TxRate    unit.Opt[unit.Mbps] // PHY rate sent
	RxRate    unit.Opt[unit.Mbps] // PHY rate received
	CCQ       unit.Opt[Percent]   // client connection quality, may pass 100
	TxTraffic unit.Opt[unit.Mbps] // carried towards the peer
	RxTraffic unit.Opt[unit.Mbps] // carried from the peer
	Ethernet  unit.Opt[unit.Mbps] // negotiated rate of the cable to the radio
	Uptime    unit.Opt[Seconds]   // of the device

	Connected bool // the peer was in the device's table
}

// Percent is a share of a hundred.
type Percent float64

// Seconds is a duration as the devices count it.
type Seconds float64

// Columns are the names of the twelve quantities, in order, with their units.
var Columns = [12]string{
	"signal_dbm", "chain0_dbm", "chain1_dbm", "snr_db", "noise_dbm", "tx_rate_mbps",
	"rx_rate_mbps", "ccq_pct", "tx_mbps", "rx_mbps", "ethernet_mbps", "uptime_s",
}

// Values are the twelve quantities in the order of Columns; nil is unknown.
func (r Reading) Values() [12]*float64 {
	return [12]*float64{
		r.Signal.Ptr(), r.Chain0.Ptr(), r.Chain1.Ptr(), r.SNR.Ptr(), r.Noise.Ptr(), r.TxRate.Ptr(),
		r.RxRate.Ptr(), r.CCQ.Ptr(), r.TxTraffic.Ptr(), r.RxTraffic.Ptr(), r.Ethernet.Ptr(), r.Uptime.Ptr(),
	}
}

// SetValues is the inverse of Values.
func (r *Reading) SetValues(v [12]*float64) {
	r.Signal, r.Chain0, r.Chain1 = unit.FromPtr[unit.DBm](v[0]), unit.FromPtr[unit.DBm](v[1]), unit.FromPtr[unit.DBm](v[2])
	r.SNR, r.Noise = unit.FromPtr[unit.DB](v[3]), unit.FromPtr[unit.DBm](v[4])
	r.TxRate, r.RxRate = unit.FromPtr[unit.Mbps](v[5]), unit.FromPtr[unit.Mbps](v[6])
	r.CCQ = unit.FromPtr[Percent](v[7])
	r.TxTraffic, r.RxTraffic, r.Ethernet = unit.FromPtr[unit.Mbps](v[8]), unit.FromPtr[unit.Mbps](v[9]), unit.FromPtr[unit.Mbps](v[10])
	r.Uptime = unit.FromPtr[Seconds](v[11])
}

// Observation is everything one round of reads learned from one device.
type Observation struct {
	Device   DeviceID
	At       time.Time
	Identity string
	Version  string // "7.18.2 (stable)"
	Board    string
	Arch     string
	Uptime   unit.Opt[Seconds]
	CPU      unit.Opt[Percent]
	Voltage  unit.Opt[Volts]
	Celsius  unit.Opt[Celsius]

	Interfaces []Interface
	Radios     []RadioState
	Peers      []Peer
	Neighbours []Neighbour

	Warnings []string // what could not be read this time, a line each; empty: the observation is whole
}

// Volts of supply.
type Volts float64

// Celsius of temperature.
type Celsius float64

// Interface is one port or radio interface with its counters.
type Interface struct {
	Name      string
	Type      string // ether, wlan, wifi, w60g, bridge, vlan …
	MAC       string
	Running   bool
	Disabled  bool
	Rate      unit.Opt[unit.Mbps] // negotiated, Ethernet only
	FullDup   bool
	RxTraffic unit.Opt[unit.Mbps] // now
	TxTraffic unit.Opt[unit.Mbps]
	RxBytes   uint64
	TxBytes   uint64
	LinkDowns uint64
}

// RadioState is the state of one radio interface.
type RadioState struct {
	Interface string
	Driver    string // wireless, wifi, w60g
	Status    string // running-ap, connected-to-ess, searching …
	SSID      string
	Freq      unit.Opt[unit.MHz]
	Width     unit.Opt[unit.MHz]
	TxPower   unit.Opt[unit.DBm]
	Noise     unit.Opt[unit.DBm]
	CCQ       unit.Opt[Percent]
	Stations  int
}

// Peer is one row of a registration table: the other end of a radio link.
type Peer struct {
	Interface string
	Driver    string
	MAC       string // upper case with colons
	Name      string // radio name or identity, "" when the table has none
	Signal    unit.Opt[unit.DBm]
	Chain0    unit.Opt[unit.DBm]
	Chain1    unit.Opt[unit.DBm]
	TxSignal  unit.Opt[unit.DBm] // what the peer hears of us
	SNR       unit.Opt[unit.DB]
	TxRate    unit.Opt[unit.Mbps]
	RxRate    unit.Opt[unit.Mbps]
	TxCCQ     unit.Opt[Percent]
	RxCCQ     unit.Opt[Percent]
	TxTraffic unit.Opt[unit.Mbps]
	RxTraffic unit.Opt[unit.Mbps]
	MCS       unit.Opt[Count]
	Distance  unit.Opt[unit.Metres]
	Uptime    unit.Opt[Seconds]
}

// Count is a plain number that may be unknown.
type Count float64

// Neighbour is a device seen by discovery.
type Neighbour struct {
	Interface string
	Address   string
	MAC       string
	Identity  string
	Platform  string
	Version   string
	Board     string
}

// LinkStatus is the one word for how a link is.
type LinkStatus string

const (
	StatusUp       LinkStatus = "up"
	StatusDegraded LinkStatus = "degraded"
	StatusDown     LinkStatus = "down"
	StatusUnknown  LinkStatus = "unknown"
)

// LinkState is the last known state of a link, from both ends.
type LinkState struct {
	Link     LinkID
	Status   LinkStatus
	Since    time.Time // of this status
	At       time.Time // of the newest reading; zero when there never was one
	A, B     *Reading  // the newest of each end; nil when there never was one
	Capacity unit.Opt[unit.Mbps]
	Planned  unit.Opt[unit.DBm]
	Alerts   []string
}
