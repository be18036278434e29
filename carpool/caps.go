package carpool

import (
	"math"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/unit"
)

// Caps is the table of what a kilometre costs, which the union enters, by
// class of vehicle, and the most that a rider may be asked for. Costs are
// shared, nothing is earned: all riders and the driver together bear the cost.
type Caps struct {
	Default  int                  `yaml:"default" json:"default"` // thousandths of a euro per km that an offer asks when the driver says nothing
	Most     int                  `yaml:"most" json:"most"`       // never more per rider and km, whatever the class
	PerClass map[VehicleClass]int `yaml:"classes" json:"classes"` // whole cost of a km, thousandths of a euro
}

// DefaultCaps ask 0.05 €/km, and know one cautious class until the union
// enters its table.
func DefaultCaps() Caps {
	return Caps{Default: 50, Most: 150, PerClass: map[VehicleClass]int{"car": 300}}
}

// Check refuses a table that would let somebody earn.
func (c Caps) Check() error {
	if c.Default < 0 || c.Most < 0 || c.Default > c.Most {
		return fault.New(fault.Invalid, "carpool.caps: default %d must lie between 0 and most %d", c.Default, c.Most)
	}
	if len(c.PerClass) == 0 {
		return fault.New(fault.Invalid, "carpool.caps.classes: name at least one class of vehicle with its cost per km")
	}
	for k, v := range c.PerClass {
		if v <= 0 || v > 2000 {
			return fault.New(fault.Invalid, "carpool.caps.classes.%s: %d thousandths of a euro per km is not a cost of a car", k, v)
		}
	}
	return nil
}

// Most thousandths of a euro per km that one of n riders (seats) may be asked in a
// vehicle: an equal share of the cost among all aboard, the driver included,
// and never above the table's limit. An unknown class gives 0.
func (c Caps) MostFor(class VehicleClass, riders int) int {
	cost, ok := c.PerClass[class]
	if !ok || riders < 1 {
		return 0
	}
	return min(cost/(riders+1), c.Most)
}

// Cents for a way of some metres at a rate, rounded down.
func Cents(milliEURKm int, way unit.Metres) int {
	return int(math.Floor(float64(milliEURKm) * float64(way) / 1000 / 10))
}
