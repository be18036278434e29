package feed

import (
	"encoding/json"
	"math"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// Times in all messages are RFC 3339 in UTC; what is not known is null, never
// 0; keys carry their units.

// Status is the message of StatusTopic.
type Status struct {
	Status string     `json:"status"` // online, offline
	Since  *time.Time `json:"since"`  // of this connection to the broker, or of the orderly end; null in the last will
}

// Quality is how far a state may be trusted.
type Quality string

const (
	Good    Quality = "good"    // every end that is watched was read recently
	Partial Quality = "partial" // one end that is watched was not
	Stale   Quality = "stale"   // no end was read recently: the values are old
	None    Quality = "none"    // never read
)

// Quantities are the twelve of network.Columns.
type Quantities struct {
	SignalDBm    *float64 `json:"signal_dbm"`    // received level, all chains
	Chain0DBm    *float64 `json:"chain0_dbm"`    // received level, first chain
	Chain1DBm    *float64 `json:"chain1_dbm"`    // received level, second chain
	SNRDB        *float64 `json:"snr_db"`        // signal to noise
	NoiseDBm     *float64 `json:"noise_dbm"`     // noise floor
	TxRateMbps   *float64 `json:"tx_rate_mbps"`  // rate on the air, sent
	RxRateMbps   *float64 `json:"rx_rate_mbps"`  // rate on the air, received
	CCQPct       *float64 `json:"ccq_pct"`       // client connection quality
	TxMbps       *float64 `json:"tx_mbps"`       // traffic towards the peer
	RxMbps       *float64 `json:"rx_mbps"`       // traffic from the peer
	EthernetMbps *float64 `json:"ethernet_mbps"` // negotiated rate of the cable
	UptimeS      *float64 `json:"uptime_s"`      // of the device
}

// Sample is the message of SampleTopic: one reading of one end.
type Sample struct {
	Link      network.LinkID   `json:"link"`
	End       network.End      `json:"end"` // a, b
	Device    network.DeviceID `json:"device"`
	At        time.Time        `json:"at"`
	Connected bool             `json:"connected"` // the peer was in the device's table
	Quantities
}

// EndState is the newest reading of one end.
type EndState struct {
	Device    network.DeviceID `json:"device"`
	At        time.Time        `json:"at"`
	AgeS      float64          `json:"age_s"` // when published
	Connected bool             `json:"connected"`
	Quantities
}

// State is the message of StateTopic.
type State struct {
	Link             network.LinkID     `json:"link"`
	Name             string             `json:"name"`
	Medium           network.Medium     `json:"medium"` // radio, fibre, lte, satellite
	Status           network.LinkStatus `json:"status"` // up, degraded, down, unknown
	Since            *time.Time         `json:"since"`  // of this status
	At               *time.Time         `json:"at"`     // of the newest reading
	AgeS             *float64           `json:"age_s"`  // of the newest reading, when published
	Quality          Quality            `json:"quality"`
	PublishedAt      time.Time          `json:"published_at"`
	SignalDBm        *float64           `json:"signal_dbm"`    // the lower of both ends
	RateMbps         *float64           `json:"rate_mbps"`     // the least rate on the air, of both ends and directions
	CapacityMbps     *float64           `json:"capacity_mbps"` // what the link can carry now
	MinMbps          float64            `json:"min_mbps"`      // what it promises
	PlannedSignalDBm *float64           `json:"planned_signal_dbm"`
	A                *EndState          `json:"a"` // null: never read, or not ours
	B                *EndState          `json:"b"`
	Alerts           []string           `json:"alerts"` // names of the open ones, as in AlertTopic
}

// Alert is the message of AlertTopic, while it is open.
type Alert struct {
	ID       string              `json:"id"`
	Kind     controller.Kind     `json:"kind"`
	Severity controller.Severity `json:"severity"` // critical, warning, notice
	Link     *string             `json:"link"`
	End      *string             `json:"end"`
	Device   *string             `json:"device"`
	Port     *string             `json:"port"`
	Opened   time.Time           `json:"opened"`
	Measured controller.Figure   `json:"measured"` // one key with its unit, or null
	Expected controller.Figure   `json:"expected"`
	Seen     controller.Text     `json:"seen"`
	ToDo     controller.Text     `json:"to_do"`
}

// Site is the message of SiteTopic.
type Site struct {
	Site         network.SiteID      `json:"site"`
	Name         string              `json:"name"`
	Lat          float64             `json:"lat"`
	Lon          float64             `json:"lon"`
	Comune       *string             `json:"comune"` // ISTAT code
	Structure    *string             `json:"structure"`
	HeightM      *float64            `json:"height_m"`
	Power        SitePower           `json:"power"`
	SharedBy     []network.PartnerID `json:"shared_by"`     // all partners at the site
	CapacityMbps *float64            `json:"capacity_mbps"` // of the partner's own links there, together
	Links        []SiteLink          `json:"links"`         // the partner's own
	PublishedAt  time.Time           `json:"published_at"`
}

// SitePower is what keeps the site alive.
type SitePower struct {
	Source   *string  `json:"source"` // grid, solar, both
	BatteryH *float64 `json:"battery_h"`
}

// SiteLink is one of the partner's links at the site.
type SiteLink struct {
	Link         network.LinkID `json:"link"`
	CapacityMbps *float64       `json:"capacity_mbps"`
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // no type here can fail: numbers are finite, see round
		panic(err)
	}
	return b
}

// round keeps two decimals; what is not a number is not known.
func round(v float64) *float64 {
	r := math.Round(v*100) / 100
	if math.IsNaN(r) || math.IsInf(r, 0) {
		return nil
	}
	return &r
}

func opt[T ~float64](o unit.Opt[T]) *float64 {
	if v, ok := o.Get(); ok {
		return round(float64(v))
	}
	return nil
}

// known is nil for what the files do not say.
func known[T ~float64](v T) *float64 {
	if v == 0 {
		return nil
	}
	return round(float64(v))
}

func text[T ~string](v T) *string {
	if v == "" {
		return nil
	}
	s := string(v)
	return &s
}

func utc(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = utc(t)
	return &t
}

func age(now, at time.Time) float64 {
	return math.Round(max(0, now.Sub(at).Seconds())*10) / 10
}

func quantities(r network.Reading) Quantities {
	return Quantities{
		SignalDBm: opt(r.Signal), Chain0DBm: opt(r.Chain0), Chain1DBm: opt(r.Chain1),
		SNRDB: opt(r.SNR), NoiseDBm: opt(r.Noise), TxRateMbps: opt(r.TxRate), RxRateMbps: opt(r.RxRate),
		CCQPct: opt(r.CCQ), TxMbps: opt(r.TxTraffic), RxMbps: opt(r.RxTraffic),
		EthernetMbps: opt(r.Ethernet), UptimeS: opt(r.Uptime),
	}
}

func sampleOf(r network.Reading) Sample {
	return Sample{Link: r.Link, End: r.End, Device: r.Device, At: utc(r.At), Connected: r.Connected, Quantities: quantities(r)}
}

func endOf(now time.Time, r *network.Reading) *EndState {
	if r == nil {
		return nil
	}
	return &EndState{Device: r.Device, At: utc(r.At), AgeS: age(now, r.At), Connected: r.Connected, Quantities: quantities(*r)}
}

// least is the smallest known value.
func least[T ~float64](vs ...unit.Opt[T]) *float64 {
	var best unit.Opt[T]
	for _, v := range vs {
		if f, ok := v.Get(); ok && (!best.Known() || f < best.Or(f)) {
			best = v
		}
	}
	return opt(best)
}

func stateOf(now time.Time, l network.Link, s network.LinkState, q Quality) State {
	m := State{
		Link: l.ID, Name: l.Name, Medium: l.Medium, Status: s.Status, Since: when(s.Since), At: when(s.At),
		Quality: q, PublishedAt: utc(now), CapacityMbps: opt(s.Capacity), MinMbps: float64(l.MinMbps),
		PlannedSignalDBm: opt(s.Planned), A: endOf(now, s.A), B: endOf(now, s.B), Alerts: append([]string{}, s.Alerts...),
	}
	if m.MinMbps == 0 {
		m.MinMbps = 30
	}
	if !s.At.IsZero() {
		a := age(now, s.At)
		m.AgeS = &a
	}
	var a, b network.Reading
	if s.A != nil {
		a = *s.A
	}
	if s.B != nil {
		b = *s.B
	}
	m.SignalDBm = least(a.Signal, b.Signal)
	m.RateMbps = least(a.TxRate, a.RxRate, b.TxRate, b.RxRate)
	return m
}

func alertOf(a controller.Alert) Alert {
	return Alert{
		ID: a.ID, Kind: a.Kind, Severity: a.Severity, Link: text(a.Link), End: text(a.End), Device: text(a.Device), Port: text(a.Port),
		Opened: utc(a.Opened), Measured: a.Measured, Expected: a.Expected,
		Seen: controller.Text{IT: hideAddresses(a.Seen.IT), EN: hideAddresses(a.Seen.EN)}, ToDo: a.ToDo,
	}
}

var word = regexp.MustCompile(`[0-9A-Za-z.:%\[\]-]*[0-9A-Za-z\]]`)

// hideAddresses takes the addresses of management out of a sentence: its cause
// may be an error of the network, and a partner has no use for them.
func hideAddresses(s string) string {
	return word.ReplaceAllStringFunc(s, func(w string) string {
		if _, err := netip.ParseAddr(strings.Trim(w, "[]")); err == nil {
			return "…"
		}
		if _, err := netip.ParseAddrPort(w); err == nil {
			return "…"
		}
		return w
	})
}
