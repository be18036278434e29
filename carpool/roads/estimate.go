package roads

import (
	"context"
	"fmt"
	"math"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// Estimate stands in where there is no road map: the beeline times a factor,
// at one pace. What it says is labelled as an estimate.
type Estimate struct {
	winding float64 // the way over the beeline
	kmh     float64 // the pace by car
	index   *flatIndex
}

// NewEstimate is an estimate for hills: 1.4 times the beeline at 42 km/h.
func NewEstimate() *Estimate { return mustEstimate(circuity, 42) }

// NewEstimateOf is one with other figures: winding 1 to 5, pace 5 to 130 km/h.
func NewEstimateOf(winding, kmh float64) (*Estimate, error) {
	if !(winding >= 1 && winding <= 5 && kmh >= 5 && kmh <= 130) {
		return nil, fault.New(fault.Invalid, "roads: an estimate with factor %v at %v km/h: write 1 to 5, and 5 to 130 km/h", winding, kmh)
	}
	return mustEstimate(winding, kmh), nil
}

func mustEstimate(winding, kmh float64) *Estimate {
	e := &Estimate{winding: winding, kmh: kmh}
	e.index = newFlatIndex(kmh/3.6/winding, e.Legs)
	return e
}

// About says that it is an estimate.
func (e *Estimate) About() carpool.RoadsAbout {
	return carpool.RoadsAbout{Kind: "estimate", Estimate: true,
		Source: fmt.Sprintf("no road map: straight lines × %.2g at %.0f km/h", e.winding, e.kmh)}
}

// Index is the one index of rides over the estimate.
func (e *Estimate) Index() carpool.StopIndex { return e.index }

// Legs are the estimated ways from each point to each point. There is always
// one.
func (e *Estimate) Legs(ctx context.Context, from, to []geo.LonLat) ([][]carpool.Leg, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := positions("from", from); err != nil {
		return nil, err
	}
	if err := positions("to", to); err != nil {
		return nil, err
	}
	out := make([][]carpool.Leg, len(from))
	for i, f := range from {
		out[i] = make([]carpool.Leg, len(to))
		for j, t := range to {
			d := float64(f.Distance(t)) * e.winding
			out[i][j] = carpool.Leg{OK: true, Metres: unit.Metres(math.Round(d)), Time: seconds(d / (e.kmh / 3.6))}
		}
	}
	return out, nil
}

func positions(name string, at []geo.LonLat) error {
	for i, p := range at {
		if !p.Valid() {
			return fault.New(fault.Invalid, "%s[%d]: not a position: latitude is -90 to 90, longitude -180 to 180", name, i)
		}
	}
	return nil
}

// Walk is an estimated way on foot, on the flat. Over 15 km of beeline there
// is none.
func (e *Estimate) Walk(ctx context.Context, from, to geo.LonLat) (carpool.Leg, error) {
	if err := positions("walk", []geo.LonLat{from, to}); err != nil {
		return carpool.Leg{}, err
	}
	if from.Distance(to) > longestWalk {
		return carpool.Leg{}, ctx.Err()
	}
	return straightWalk(from, to), ctx.Err()
}
