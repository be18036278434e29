package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/paulmach/orb"

	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/testdata"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/census"
	"github.com/crinale/crinale/planning/dem"
)

func heights(t *testing.T) *dem.Mosaic {
	t.Helper()
	m, err := dem.OpenFS(demo.FS, demo.Terrain)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// margin is how much land around the union the heights must hold.
const margin = 25_000

func TestHeightsReachFarEnough(t *testing.T) {
	u, err := demo.Union()
	if err != nil {
		t.Fatal(err)
	}
	b, land := u.Bounds(), heights(t).Bounds()
	for _, corner := range []geo.LonLat{{Lon: b.West, Lat: b.South}, {Lon: b.East, Lat: b.North}} {
		box := geo.Around(corner, margin)
		if corner.Lon == b.West && (box.West < land.West || box.South < land.South) || corner.Lon == b.East && (box.East > land.East || box.North > land.North) {
			t.Errorf("less than %d m of land around %v: %+v", margin, corner, land)
		}
	}
}

// Every radio link of the demo is clear on these heights and carries 30 Mbps
// both ways at the share of the air rate that is taken as usable.
func TestEveryLinkIsPlannedWell(t *testing.T) {
	m := heights(t)
	for _, size := range []int{demo.Radios, demo.MaxRadios} {
		n, err := demo.NetworkOf(size)
		if err != nil {
			t.Fatal(err)
		}
		for id, l := range planning.Links(n, m) {
			if l.Err != nil {
				t.Errorf("%s: %v", id, l.Err)
				continue
			}
			p, back := l.Plan, phyWant
			if known, _ := n.Link(id); known.MinMbps > 0 {
				back = phyHall
			}
			if !p.Clearance.LineOfSight || p.Clearance.Zones < clearZones || !p.Verdict.Reaches30 || p.Budget.BackRate < float64(back)-0.1 {
				t.Errorf("%s: %.1f Fresnel radii, %.0f Mbps usable, %.0f Mbps on the air back", id, p.Clearance.Zones, p.Budget.Usable, p.Budget.BackRate)
			}
			if limit := p.Budget.EIRPLimit.Or(0); p.Budget.EIRP > float64(limit)+0.01 || p.Budget.BackEIRP > float64(limit)+0.01 {
				t.Errorf("%s: EIRP %.1f and %.1f dBm, allowed %v", id, p.Budget.EIRP, p.Budget.BackEIRP, limit)
			}
		}
	}
}

// The share itself is the business of planning; here only that the sectors
// of the demo are worth showing.
func TestTheSectorsReachAGoodShare(t *testing.T) {
	n, err := demo.Network()
	if err != nil {
		t.Fatal(err)
	}
	u, err := demo.Union()
	if err != nil {
		t.Fatal(err)
	}
	tx, err := planning.Transmitters(n)
	if err != nil {
		t.Fatal(err)
	}
	d, err := census.Spread(u, 2021)
	if err != nil {
		t.Fatal(err)
	}
	r, err := planning.Share(t.Context(), heights(t), tx, d, planning.CoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	share := float64(r.Covered30) / float64(r.Inhabitants)
	t.Logf("%d of %d people at 30 Mbps (%.1f %%), %d at 100", r.Covered30, r.Inhabitants, 100*share, r.Covered100)
	if r.Inhabitants != 17755 || share < 0.6 || share > 0.95 {
		t.Errorf("%.1f %% of %d people", 100*share, r.Inhabitants)
	}
}

// The generic sheet and the gear that a plan takes by default are the same.
func TestTheGenericSheetIsWhatPlansTake(t *testing.T) {
	n, err := demo.Network()
	if err != nil {
		t.Fatal(err)
	}
	want := planning.Generic()
	got, ok := n.Gear[want.ID]
	if !ok || got.Antenna.Gain != want.Antenna.Gain || len(got.Rates) != len(want.Rates) {
		t.Fatalf("no sheet like %s: %d rates, want %d", want.ID, len(got.Rates), len(want.Rates))
	}
	for _, r := range want.Rates {
		found := false
		for _, s := range got.Rates {
			if s.MCS == r.MCS && s.Streams == r.Streams && s.Width == r.Width {
				found = s.Sensitivity == r.Sensitivity && s.PHY-r.PHY < 0.06 && r.PHY-s.PHY < 0.06
			}
		}
		if !found {
			t.Errorf("MCS %d, %d streams, %v: the sheet differs", r.MCS, r.Streams, r.Width)
		}
	}
	for az := unit.Degrees(0); az <= 20; az += 5 {
		if a, b := planning.Off(got.Antenna, az, 0), planning.Off(want.Antenna, az, 0); a-b > 0.2 || b-a > 0.2 {
			t.Errorf("pattern at %v: %v in the sheet, %v by default", az, a, b)
		}
	}
}

// What is in the repository is what the generator writes.
func TestFilesAreThoseOfTheGenerator(t *testing.T) {
	shared := filepath.Dir(testdata.Shared(t, "data"))
	out := t.TempDir()
	for _, part := range []string{"territory", "terrain"} {
		if err := run(shared, out, part); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"territory/union.json", terrainFile} {
		got, err := os.ReadFile(filepath.Join(out, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		want, err := demo.FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from what the generator writes: run it and commit", name)
		}
	}
}

// The network rests on the planning, which gets better with time, so the files
// may differ; but what the generator makes now must be a network that loads.
func TestTheGeneratorMakesANetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("the generator plans for some seconds")
	}
	out := t.TempDir()
	if err := os.CopyFS(out, demo.FS); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(out, "network")); err != nil {
		t.Fatal(err)
	}
	if err := run("", out, "network"); err != nil {
		t.Fatal(err)
	}
	n, err := network.Load(os.DirFS(filepath.Join(out, "network")), os.DirFS(out))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(n.Radios()); got != demo.Radios {
		t.Errorf("%d radios", got)
	}
	if _, ok := n.Link(demo.WeakLink); !ok {
		t.Error("the weak link is not there")
	}
}

func TestMain(m *testing.M) {
	talk = io.Discard
	os.Exit(m.Run())
}

func TestSimplifyKeepsNeighboursTogether(t *testing.T) {
	// Two squares share a border with a small bump at 10 m.
	bump := orb.Point{8.10013, 44.05}
	left := orb.Polygon{{{8, 44}, {8.1, 44}, bump, {8.1, 44.1}, {8, 44.1}, {8, 44}}}
	right := orb.Polygon{{{8.1, 44}, {8.2, 44}, {8.2, 44.1}, {8.1, 44.1}, bump, {8.1, 44}}}
	for _, c := range []struct {
		tol  float64
		want int
	}{{30, 5}, {5, 6}} {
		out := simplify([]orb.Polygon{left, right}, c.tol)
		for i, p := range out {
			if len(p[0]) != c.want || p[0][0] != p[0][len(p[0])-1] {
				t.Errorf("%v m, outline %d: %v", c.tol, i, p[0])
			}
		}
	}
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{"Sant'Antonino": "sant-antonino", "Pezzolo Valle Uzzone": "pezzolo-valle-uzzone"} {
		if got := slug(in); got != want || network.CheckName("seat", got) != nil {
			t.Errorf("%q: %q", in, got)
		}
	}
}
