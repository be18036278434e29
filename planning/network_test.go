package planning_test

import (
	"os"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
)

// small is two masts with a link, and a sector on one of them.
func small() *network.Network {
	g := *planning.Generic()
	s := *sectorGear()
	n := &network.Network{
		Sites: []network.Site{{ID: "west", Name: "West", At: geo.LonLat{Lon: 8.05, Lat: 44.5}}, {ID: "east", Name: "East", At: geo.LonLat{Lon: 8.12, Lat: 44.5}}},
		Devices: []network.Device{
			{ID: "west-east", Site: "west", Gear: g.ID, HeightM: 30, Settings: network.Settings{Freq: unit.Some[unit.MHz](5500), Width: unit.Some[unit.MHz](40)}},
			{ID: "east-west", Site: "east", Gear: g.ID, HeightM: 30, Settings: network.Settings{TxPower: unit.Some[unit.DBm](-6)}},
			{ID: "east-sector", Site: "east", Gear: s.ID, HeightM: 30, Azimuth: unit.Some[unit.Degrees](90), Settings: network.Settings{Width: unit.Some[unit.MHz](40)}},
		},
		Links:   []network.Link{{ID: "back", Medium: network.Radio, A: "west-east", B: "east-west"}, {ID: "fibre", Medium: network.Fibre, A: "west-east"}},
		Sectors: []network.Sector{{ID: "east-90", Device: "east-sector"}},
		Gear:    map[network.GearID]network.Gear{g.ID: g, s.ID: s},
	}
	n.Index()
	return n
}

// Each end of a link is planned with its own power; fibre is not planned.
func TestLinksOfNetwork(t *testing.T) {
	links := planning.Links(small(), flat(300))
	if len(links) != 1 {
		t.Fatalf("%d links planned", len(links))
	}
	l := links["back"]
	if l.Err != nil || l.Plan == nil {
		t.Fatal(l.Err)
	}
	if l.Plan.Freq != 5500 || l.Plan.Channel != 40 {
		t.Errorf("channel %v MHz, %v wide", l.Plan.Freq, l.Plan.Channel)
	}
	// West sends at the law's 27 dBm, East −6 dBm + 23 dBi.
	near(t, "level at A under that at B", float64(l.B.Or(0)-l.A.Or(0)), 10, 0.01)
	if l.Plan.Query.A.Height != 30 || l.Rate.Or(0) <= 0 {
		t.Errorf("%+v", l)
	}
}

func TestLinksThatCannotBePlanned(t *testing.T) {
	n := small()
	n.Devices[1].Gear = "nobody-knows"
	n.Index()
	if l := planning.Links(n, flat(300))["back"]; l.Err == nil || l.A.Known() || !strings.Contains(l.Err.Error(), `"nobody-knows", which has no sheet`) {
		t.Errorf("no sheet: %+v", l)
	}
	n = small()
	n.Sites[1].At.Lon = 12
	if l := planning.Links(n, flat(300))["back"]; fault.Of(l.Err) != fault.Invalid || l.B.Known() || !strings.Contains(l.Err.Error(), "link back") {
		t.Errorf("outside the terrain: %+v", l)
	}
}

func TestTransmittersOfNetwork(t *testing.T) {
	n := small()
	tx, err := planning.Transmitters(n)
	if err != nil || len(tx) != 1 {
		t.Fatal(tx, err)
	}
	if tx[0].ID != "east-90" || tx[0].Site != "East" || tx[0].Height != 30 || tx[0].Width != 40 || tx[0].Azimuth.Or(0) != 90 || tx[0].Gear.ID != "sector" {
		t.Errorf("%+v", tx[0])
	}
	n.Devices[2].Azimuth = unit.Opt[unit.Degrees]{}
	n.Index()
	if _, err := planning.Transmitters(n); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "azimuth_deg") {
		t.Errorf("no azimuth: %v", err)
	}
	n = small()
	n.Devices[2].Settings.Freq = unit.Some[unit.MHz](2450)
	n.Index()
	if _, err := planning.Transmitters(n); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "sector east-90: channel at 2450 MHz, 40 MHz wide: outside the bands of") {
		t.Errorf("no such band: %v", err)
	}
}

// The demo network: every radio link can be planned, and its sectors serve
// people.
func TestDemoNetwork(t *testing.T) {
	g, _, d := langa(t)
	n, err := network.Load(os.DirFS("../demo/network"), os.DirFS("../demo/gear"))
	if err != nil {
		t.Fatal(err)
	}
	holds := 0
	links := planning.Links(n, g)
	for id, l := range links {
		if l.Err != nil {
			t.Errorf("%s: %v", id, l.Err)
			continue
		}
		if l.Plan.Budget.MCS != nil && l.Plan.Budget.BackMCS != nil {
			holds++
		}
		t.Logf("%-32s %5.1f km %6.1f zones, level %6.1f and %6.1f dBm, %5.0f Mbps on the air", id, l.Plan.Dist/1000, l.Plan.Limit.Zones, float64(l.A.Or(0)), float64(l.B.Or(0)), float64(l.Rate.Or(0)))
	}
	tx, err := planning.Transmitters(n)
	if err != nil {
		t.Fatal(err)
	}
	r := share(t, g, tx, d)
	t.Logf("%d of %d links hold; %d sectors reach %d people with 30 Mbps, %d with 100", holds, len(links), len(tx), r.Covered30, r.Covered100)
	if holds < len(links)/2 || r.Covered30 == 0 {
		t.Error("the demo network does not work")
	}
}
