package page

import (
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/network"
)

// Link is a link in /api/v1/links. What is not known is null.
type Link struct {
	ID           network.LinkID      `json:"id"`
	Name         string              `json:"name"`
	Medium       network.Medium      `json:"medium"`
	Partners     []network.PartnerID `json:"partners"`
	Status       network.LinkStatus  `json:"status"`
	Since        *time.Time          `json:"since"`
	At           *time.Time          `json:"at"` // of the newest reading
	AgeS         *float64            `json:"age_s"`
	CapacityMbps *float64            `json:"capacity_mbps"`
	PromisedMbps float64             `json:"promised_mbps"`
	DistM        *float64            `json:"dist_m"`
	A            LinkEnd             `json:"a"`
	B            LinkEnd             `json:"b"`
	Alerts       []string            `json:"alerts"` // IDs of the open ones
}

// LinkEnd is one end of a Link.
type LinkEnd struct {
	Device     network.DeviceID `json:"device"` // "" where the link leaves the network
	Place      string           `json:"place"`
	Lat        *float64         `json:"lat"`
	Lon        *float64         `json:"lon"`
	PlannedDBm *float64         `json:"planned_dbm"`
	Reading    *Reading         `json:"reading"` // the newest; null when there never was one
}

// Reading is what one end of a link measured, or the mean of a step.
type Reading struct {
	At           time.Time `json:"at"`
	SignalDBm    *float64  `json:"signal_dbm"`
	Chain0DBm    *float64  `json:"chain0_dbm"`
	Chain1DBm    *float64  `json:"chain1_dbm"`
	SNRDB        *float64  `json:"snr_db"`
	NoiseDBm     *float64  `json:"noise_dbm"`
	TxRateMbps   *float64  `json:"tx_rate_mbps"`
	RxRateMbps   *float64  `json:"rx_rate_mbps"`
	CCQPct       *float64  `json:"ccq_pct"`
	TxMbps       *float64  `json:"tx_mbps"`
	RxMbps       *float64  `json:"rx_mbps"`
	EthernetMbps *float64  `json:"ethernet_mbps"`
	UptimeS      *float64  `json:"uptime_s"`
}

// Readings is the answer of /api/v1/links/{id}/readings.
type Readings struct {
	Link  network.LinkID `json:"link"`
	From  time.Time      `json:"from"`
	To    time.Time      `json:"to"`
	StepS float64        `json:"step_s"`
	A     []Reading      `json:"a"`
	B     []Reading      `json:"b"`
}

// Device is a device in /api/v1/devices.
type Device struct {
	ID           network.DeviceID `json:"id"`
	Site         *string          `json:"site"` // one of site and seat is set
	Seat         *string          `json:"seat"`
	Place        string           `json:"place"`
	Gear         network.GearID   `json:"gear"`
	Reach        controller.Reach `json:"reach"`
	Since        *time.Time       `json:"since"`
	At           *time.Time       `json:"at"` // of the newest observation
	AgeS         *float64         `json:"age_s"`
	FailedReads  int              `json:"failed_reads"`
	Error        *string          `json:"error"` // of the last read
	Identity     *string          `json:"identity"`
	Version      *string          `json:"version"`
	Board        *string          `json:"board"`
	UptimeS      *float64         `json:"uptime_s"`
	CPUPct       *float64         `json:"cpu_pct"`
	SupplyV      *float64         `json:"supply_v"`
	TemperatureC *float64         `json:"temperature_c"`
	Links        []network.LinkID `json:"links"`
	Alerts       []string         `json:"alerts"`
	Warnings     []string         `json:"warnings"` // what the newest observation could not read, "menu: reason"
}

// Site is a site in /api/v1/sites.
type Site struct {
	ID        network.SiteID     `json:"id"`
	Name      string             `json:"name"`
	Lat       float64            `json:"lat"`
	Lon       float64            `json:"lon"`
	Comune    *string            `json:"comune_istat"`
	Structure string             `json:"structure"`
	HeightM   float64            `json:"height_m"`
	BatteryH  float64            `json:"battery_h"`
	Devices   []network.DeviceID `json:"devices"`
}
