package planning_test

import (
	"testing"

	"github.com/crinale/crinale/internal/testdata"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/dem"
)

// The two pairs of the real area whose figures its SOURCE.md gives.
func TestAltaLangaPairs(t *testing.T) {
	m, err := dem.Open(testdata.Shared(t, "data/dem/alta_langa_30s/alta_langa_30s.tif"))
	if err != nil {
		t.Fatal(err)
	}
	blocked := plan(t, m, planning.LinkQuery{A: place(44.4656, 8.1137, 15), B: place(44.5780, 8.1920, 6), Freq: 5600})
	near(t, "distance", blocked.Dist, 13960, 13960*0.003)
	near(t, "bearing", blocked.Bearing, 26.4, 0.2)
	near(t, "obstacle at", blocked.Clearance.At, 8970, 1000)
	near(t, "obstacle height", blocked.Clearance.Obstacle, 668, 20)
	near(t, "clearance", blocked.Clearance.Zones, -25, 2)
	if blocked.Clearance.LineOfSight || blocked.Verdict.Reaches30 || !blocked.Terrain.Coarse {
		t.Errorf("%+v", blocked)
	}
	clear := plan(t, m, planning.LinkQuery{A: place(44.5208, 8.0458, 15), B: place(44.6042, 8.0958, 6), Freq: 5600})
	near(t, "distance", clear.Dist, 10080, 10080*0.003)
	near(t, "clearance", clear.Clearance.Zones, 3.6, 2)
	if !clear.Clearance.LineOfSight || clear.Loss.Diffraction > 0.01 {
		t.Errorf("%+v", clear)
	}
	t.Logf("blocked: %+v %+v %s", blocked.Clearance, blocked.Loss, blocked.Verdict.Text)
	t.Logf("clear: %+v %+v %s", clear.Clearance, clear.Loss, clear.Verdict.Text)
}
