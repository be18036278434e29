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

// MostFor is how many thousandths of a euro per km one of n riders (seats) may be asked in a
// vehicle: an equal share of the cost among all aboard, the driver included,
// and never above the table's limit. An unknown class gives 0.
func (c Caps) MostFor(class VehicleClass, riders int) int {
	cost, ok := c.PerClass[class]
	if !ok || riders < 1 {
		return 0
	}
	return min(cost/(riders+1), c.Most)
}

// CapOf is the most that an offer may ask of each rider, thousandths of a euro
// per km: the equal share when every seat is taken. A lower share would be
// enough while seats are free, but riders join one by one and each keeps the
// contribution they were told; only this bound makes sure that all together
// never pay the whole cost, whoever is aboard on which section.
func (c Caps) CapOf(o Offer, class VehicleClass) int {
	return c.MostFor(class, max(o.Seats, 0)+max(o.Aboard, 0))
}

// CheckRate refuses an offer that asks for more than its cap.
func (c Caps) CheckRate(o Offer, class VehicleClass) error {
	if o.MilliEURKm < 0 {
		return fault.New(fault.Invalid, "milli_eur_km: %d is below 0; write 0 to ask for nothing", o.MilliEURKm)
	}
	if _, ok := c.PerClass[class]; !ok && o.MilliEURKm > 0 {
		return fault.New(fault.Invalid, "milli_eur_km: the union has no cost for a vehicle of class %.20q; write 0, or choose a class of the table", string(class))
	}
	if most := c.CapOf(o, class); o.MilliEURKm > most {
		return fault.New(fault.Invalid, "milli_eur_km: %d is more than each rider's share of the cost; ask for at most %d (%.3f €/km) with %d places in this car",
			o.MilliEURKm, most, float64(most)/1000, max(o.Seats, 0)+max(o.Aboard, 0))
	}
	return nil
}

// Rate is what each rider of an offer is asked for, thousandths of a euro per
// km: what the driver wants, and never above the cap as it is now.
func (c Caps) Rate(o Offer, class VehicleClass) int {
	return max(min(o.MilliEURKm, c.CapOf(o, class)), 0)
}

// Contribution is what a booking of some riders (seats) is asked for, in
// cents, for a way aboard. Each rider's share is rounded down.
func (c Caps) Contribution(o Offer, class VehicleClass, riders int, way unit.Metres) int {
	return max(riders, 0) * Cents(c.Rate(o, class), way)
}

// Cents for a way of some metres at a rate, rounded down.
func Cents(milliEURKm int, way unit.Metres) int {
	if milliEURKm <= 0 || !(way > 0) || way > 1e8 {
		return 0
	}
	return int(math.Floor(float64(milliEURKm) * float64(way) / 1000 / 10))
}
