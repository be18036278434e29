package planning

import (
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spectrum"
	"github.com/crinale/crinale/internal/unit"
)

// LinkPlan answers a LinkQuery. Its JSON is the contract of `plan link --json`;
// keys may be added, never renamed. Figures are rounded to a thousandth.
type LinkPlan struct {
	From         PlanEnd       `json:"from"`
	To           PlanEnd       `json:"to"`
	Dist         float64       `json:"dist_m"`
	Bearing      float64       `json:"bearing_deg"`      // of B from A, true north
	Tilt         float64       `json:"tilt_deg"`         // of A's antenna, up is positive
	BackBearing  float64       `json:"back_bearing_deg"` // of A from B
	BackTilt     float64       `json:"back_tilt_deg"`
	Freq         float64       `json:"freq_mhz"`
	Channel      float64       `json:"channel_mhz"`
	K            float64       `json:"k"`
	Polarisation Polarisation  `json:"polarisation"`
	Terrain      Source        `json:"terrain"`
	Clearance    PlanClearance `json:"clearance"`
	Loss         PlanLoss      `json:"loss"`
	Budget       PlanBudget    `json:"budget"`
	Verdict      PlanVerdict   `json:"verdict"`

	Query   LinkQuery `json:"-"` // with the defaults filled in
	Profile *Profile  `json:"-"` // for the picture
	Limit   Clearance `json:"-"` // unrounded

	hA, hB float64 // of the antennas, metres over sea level
	total  unit.DB
	law    *spectrum.Rule
	sendA  sender
	hearB  receiver
}

// PlanEnd is one end as planned.
type PlanEnd struct {
	Lat    float64 `json:"lat"`
	Lon    float64 `json:"lon"`
	Ground float64 `json:"ground_m"` // over sea level
	Height float64 `json:"height_m"` // of the antenna over ground
}

// PlanClearance is that of the limiting obstacle.
type PlanClearance struct {
	LineOfSight bool    `json:"line_of_sight"`
	Zones       float64 `json:"fresnel_zones"` // first Fresnel radii between ray and ground, negative: blocked
	Height      float64 `json:"height_m"`      // the same in metres: ray over ground
	At          float64 `json:"at_m"`          // from A
	Lat         float64 `json:"at_lat"`
	Lon         float64 `json:"at_lon"`
	Obstacle    float64 `json:"obstacle_m"` // ground there, over sea level
	// MastA and MastB are the antenna heights over ground which, at that end
	// alone, would clear 0.6 of the first Fresnel zone; null when it is clear.
	MastA unit.Opt[unit.Metres] `json:"mast_a_m"`
	MastB unit.Opt[unit.Metres] `json:"mast_b_m"`
}

// PlanLoss is the loss between the antennas.
type PlanLoss struct {
	FreeSpace   float64 `json:"free_space_db"`
	Diffraction float64 `json:"diffraction_db"`
	Gas         float64 `json:"gas_db"`
	Total       float64 `json:"total_db"`
}

// PlanBudget is the power budget from A to B, and back where the key says so.
type PlanBudget struct {
	GearA       string             `json:"gear_a"`
	GearB       string             `json:"gear_b"`
	EIRP        float64            `json:"eirp_dbm"`
	EIRPLimit   unit.Opt[unit.DBm] `json:"eirp_limit_dbm"` // the law's, without TPC
	RSSI        float64            `json:"rssi_dbm"`       // sum of all chains
	Noise       float64            `json:"noise_dbm"`
	NoiseFigure float64            `json:"noise_figure_db"`
	SNR         float64            `json:"snr_db"`
	MCS         *int               `json:"mcs"`
	Streams     *int               `json:"streams"`
	Rate        float64            `json:"rate_mbps"`    // on the air (PHY)
	Usable      float64            `json:"usable_mbps"`  // throughput, UsableShare of it
	UsableShare float64            `json:"usable_share"` // of the rate on the air
	Confidence  network.Confidence `json:"gear_confidence"`
	BackEIRP    float64            `json:"back_eirp_dbm"` // from B to A
	BackRSSI    float64            `json:"back_rssi_dbm"`
	BackMCS     *int               `json:"back_mcs"`
	BackRate    float64            `json:"back_rate_mbps"`
	OffA        float64            `json:"pattern_a_db"` // lost because A's antenna points elsewhere
	OffB        float64            `json:"pattern_b_db"`
}

// PlanVerdict says in words what the link is good for.
type PlanVerdict struct {
	Reaches30   bool     `json:"reaches_30_mbps"` // on usable throughput, with a way back
	Reaches100  bool     `json:"reaches_100_mbps"`
	Probability *float64 `json:"probability"` // null: not computed yet
	Text        string   `json:"text"`
}

// Heights of both antennas in metres over sea level.
func (p *LinkPlan) Heights() (a, b float64) { return p.hA, p.hB }

// Wave the link was planned with.
func (p *LinkPlan) Wave() Wave { return p.Query.wave() }
