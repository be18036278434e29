package export

import (
	"image/color"

	"github.com/crinale/crinale/internal/unit"
)

// Class is a step of the coverage legend.
type Class struct {
	ID     string    // none, under-30, 30-100, from-100
	From   unit.Mbps // included, but for "none"
	To     unit.Mbps // excluded; 0 is without end
	Label  string    // in English
	Colour color.NRGBA
}

// The colours keep to orange and blue, which people with any kind of colour
// blindness can tell apart (Okabe and Ito, Color Universal Design, 2008), and
// darken as the rate grows, so that they survive a grey printer too.
var classes = [...]Class{
	{"none", 0, 0, "no coverage", color.NRGBA{0xdc, 0xdc, 0xdc, 0xff}},
	{"under-30", 0, 30, "under 30 Mbps", color.NRGBA{0xe6, 0x9f, 0x00, 0xff}},
	{"30-100", 30, 100, "30 to 100 Mbps", color.NRGBA{0x3a, 0x92, 0xc8, 0xff}},
	{"from-100", 100, 0, "100 Mbps and more", color.NRGBA{0x00, 0x48, 0x78, 0xff}},
}

// Classes is the legend of coverage maps, from nothing to the best.
func Classes() []Class { return append([]Class(nil), classes[:]...) }

// classOf is the index of a rate in the legend; -1 where it is not known.
func classOf(rate float32) int {
	switch {
	case rate != rate:
		return -1
	case rate <= 0:
		return 0
	case rate < 30:
		return 1
	case rate < 100:
		return 2
	}
	return 3
}
