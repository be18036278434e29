package network

import (
	"math"
	"testing"

	"github.com/crinale/crinale/internal/unit"
)

func TestGearCarries(t *testing.T) {
	g := Gear{Bands: []Band{{2400, 2483.5}, {5150, 5875}, {57240, 65880}}}
	for _, c := range []struct {
		f, width unit.MHz
		want     bool
	}{
		{5600, 20, true}, {5160, 20, true}, {5155, 20, false}, {5865, 20, true}, {5866, 20, false},
		{5180, 80, true}, // the primary channel is the lowest of the four
		{5155, 10, true}, {5600, 0, true}, {5151, 0, false},
		{2412, 20, true}, {2450, 80, true}, {2450, 160, false}, {2490, 20, false}, {4000, 20, false},
		{58320, 2160, true}, {58300, 2160, false}, {64800, 2160, true}, {65000, 2160, false},
		{unit.MHz(math.NaN()), 20, false}, {5600, unit.MHz(math.NaN()), false},
	} {
		if got := g.Carries(c.f, c.width); got != c.want {
			t.Errorf("%v, %v wide: %v", c.f, c.width, got)
		}
	}
	if !(Gear{}).Carries(5600, 20) {
		t.Error("a sheet without bands refuses")
	}
	if got := g.BandText(); got != "2400 to 2483.5 MHz, 5150 to 5875 MHz, 57240 to 65880 MHz" {
		t.Error(got)
	}
}
