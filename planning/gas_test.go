package planning_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/crinale/crinale/internal/testdata"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
)

// Line by line against the ITU-R P.676-13 validation rows.
func TestGasAgainstITU(t *testing.T) {
	dir := testdata.Shared(t, "validation/itu-rpy/676")
	n := 0
	for _, c := range rows(t, filepath.Join(dir, "ITURP676-13_gamma.csv"), 1) {
		if c["f"] == "" {
			continue
		}
		air := planning.Air{DryHPa: num(t, c, "P"), Kelvin: num(t, c, "T"), VapourGM3: num(t, c, "rho")}
		o, v := air.GasPerKm(unit.MHz(1000 * num(t, c, "f")))
		wo, wv := num(t, c, "gamma0"), num(t, c, "gammaw")
		near(t, "oxygen at "+c["f"]+" GHz", o, wo, 1e-6*(1+wo))
		near(t, "vapour at "+c["f"]+" GHz", v, wv, 1e-6*(1+wv))
		n++
	}
	if n < 200 {
		t.Fatalf("only %d rows", n)
	}
}

// Free space and gas against P.452-18's Lbfsg.
func TestFreeSpaceAndGasAgainstP452(t *testing.T) {
	file := testdata.Shared(t, "validation/eeveetza-p452/results/test_result_land_70km.csv")
	for i, c := range rows(t, file, 0) {
		f, d := unit.MHz(1000*num(t, c, "f (GHz)")), unit.Metres(1000*num(t, c, "dtot"))
		slant := unit.Metres(math.Hypot(float64(d), num(t, c, "hts")-num(t, c, "hrs")))
		air := planning.Air{DryHPa: num(t, c, "press (hPa)"), Kelvin: 273.15 + num(t, c, "temp (deg C)"), VapourGM3: 7.5}
		got := planning.FreeSpace(f, slant) + air.Gas(f, slant)
		near(t, fmt.Sprintf("row %d at %v", i+1, f), float64(got), num(t, c, "Lbfsg"), 0.06)
	}
}

func TestFreeSpaceExample(t *testing.T) {
	// 32.4 + 20 log 5600 + 20 log 10 (P.525-4 equation 5), rounded there.
	near(t, "10 km at 5600 MHz", float64(planning.FreeSpace(5600, 10000)), 32.45+20*math.Log10(5600)+20, 0.01)
}
