package planning

import (
	"math"
	"slices"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// How finely and how far a profile is sampled.
const (
	profileSteps       = 32     // at least, so that a short path has a shape
	profileStepsMax    = 20000  // at most
	profileStepLongest = 100    // metres; between heights far apart the ground still bends
	pathMin            = 1.0    // metres; under it there is no path
	pathMax            = 300e3  // metres; the models and a planner's use end here
	earthMean          = 6371e3 // metres, as ITU-R P.452 and P.526 take it
)

// Profile is the ground under the great circle between two places, at equal
// steps of at most half a cell of its terrain and profileStepLongest. Heights
// are metres over sea level, without the Earth's curvature.
type Profile struct {
	A, B geo.LonLat
	At   []geo.LonLat
	D    []float64 // metres from A along the ground, first 0
	H    []float64 // metres over sea level

	Source Source // of the heights; where several answer, the coarsest
}

// Length of the path in metres.
func (p *Profile) Length() float64 { return p.D[len(p.D)-1] }

// NewProfile samples t between a and b. Where t has no height the error says
// the place and what to do.
func NewProfile(t Terrain, a, b geo.LonLat) (*Profile, error) {
	if !a.Valid() || !b.Valid() {
		return nil, fault.New(fault.Invalid, "profile %v to %v: latitude must lie in -90..90 and longitude in -180..180, in this order", a, b)
	}
	d := float64(a.Distance(b))
	if d < pathMin {
		return nil, fault.New(fault.Invalid, "profile %v to %v: both ends are the same place; give two places at least %g m apart", a, b, pathMin)
	}
	if d > pathMax {
		return nil, fault.New(fault.Invalid, "profile %v to %v: %.0f km is longer than the %.0f km the models are used for; are latitude and longitude swapped?", a, b, d/1000, pathMax/1000)
	}
	src, finest := sources(t, a, b)
	n := profileSteps
	if finest > 0 {
		n = max(n, int(math.Ceil(d/math.Min(finest/2, profileStepLongest))))
	}
	n = min(n, profileStepsMax)
	p := &Profile{A: a, B: b, At: walk(a, b, d, n), D: make([]float64, n+1), H: make([]float64, n+1), Source: src}
	for i, q := range p.At {
		h, ok := t.Height(q)
		if !ok {
			return nil, fault.New(fault.Invalid, "profile %v to %v: no height at %v, %.2f km along: load a terrain that covers it (crinale terrain info shows what is loaded)%s",
				a, b, q, d*float64(i)/float64(n)/1000, swapped(t, q))
		}
		p.D[i], p.H[i] = d*float64(i)/float64(n), h
	}
	return p, nil
}

// swapped asks whether latitude and longitude of a place outside the terrain
// are swapped, when it would lie inside so; else "".
func swapped(t Terrain, p geo.LonLat) string {
	b := t.Bounds()
	if b.Contains(p) || !b.Contains(geo.LonLat{Lon: p.Lat, Lat: p.Lon}) {
		return ""
	}
	return "; did you swap latitude and longitude?"
}

// sources gives the coarsest source of the heights on a path and the finest
// cell in metres, for terrains that join several.
func sources(t Terrain, a, b geo.LonLat) (Source, float64) {
	src := t.Source()
	joined, ok := t.(interface {
		SourceAt(geo.LonLat) (Source, bool)
	})
	if !ok {
		return src, src.CellM
	}
	const probes = 32
	coarsest, finest := Source{}, math.Inf(1)
	for i := range probes + 1 {
		f := float64(i) / probes
		s, ok := joined.SourceAt(geo.LonLat{Lon: a.Lon + (b.Lon-a.Lon)*f, Lat: a.Lat + (b.Lat-a.Lat)*f})
		if !ok {
			continue
		}
		finest = math.Min(finest, s.CellM)
		if s.CellM >= coarsest.CellM {
			coarsest = s
		}
	}
	if math.IsInf(finest, 1) {
		return src, src.CellM
	}
	return coarsest, finest
}

// walkStride is the length in metres over which the great circle is taken as
// straight in degrees: it bends by less than a decimetre there up to 70° north.
const walkStride = 1000.0

// walk gives n+1 points from a to b, d metres apart, at equal steps.
func walk(a, b geo.LonLat, d float64, n int) []geo.LonLat {
	per := max(1, int(walkStride*float64(n)/d)) // steps between exact points
	exact := (n + per - 1) / per
	antimeridian := math.Max(math.Abs(a.Lon), math.Abs(b.Lon)) > 179 // 180 and -180 are one place, and far apart in degrees
	if math.Abs(a.Lat) > 70 || antimeridian || exact < 1 || per == 1 {
		return a.Walk(b, n)
	}
	if b.Lon < a.Lon || b.Lon == a.Lon && b.Lat < a.Lat {
		// Both ways must meet the same ground, so one way is the other's reverse.
		out := walk(b, a, d, n)
		slices.Reverse(out)
		return out
	}
	out := make([]geo.LonLat, n+1)
	// Exact points stand every per steps; the last may lie beyond b.
	to := a.Toward(a.Bearing(b), unit.Metres(d*float64(exact*per)/float64(n)))
	marks := a.Walk(to, exact)
	for i := range out {
		k := i / per
		if k == exact {
			k--
		}
		f := float64(i-k*per) / float64(per)
		p, q := marks[k], marks[k+1]
		out[i] = geo.LonLat{Lon: p.Lon + (q.Lon-p.Lon)*f, Lat: p.Lat + (q.Lat-p.Lat)*f}
	}
	out[0], out[n] = a, b
	return out
}

// Clearance is how far the ray stays from the ground, at the obstacle that
// limits it: the one with the least clearance in first Fresnel radii.
type Clearance struct {
	Zones  float64 // first Fresnel radii between ray and ground; negative: blocked
	Metres float64 // the same in metres
	D      float64 // metres from A
	Ground float64 // metres over sea level of the obstacle
	At     geo.LonLat
	Index  int // in the profile
}

// fresnel1 is the radius in metres of the first Fresnel zone at d1 metres from
// one end and d2 from the other (ITU-R P.526-16 equation 2, n = 1).
func fresnel1(λ, d1, d2 float64) float64 { return math.Sqrt(λ * d1 * d2 / (d1 + d2)) }

// bulge is how high in metres the Earth of radius ae stands over the chord.
func bulge(ae, d1, d2 float64) float64 { return d1 * d2 / (2 * ae) }

// Clear finds the limiting obstacle of a ray between antennas at hA and hB
// metres over sea level.
func (p *Profile) Clear(hA, hB float64, w Wave) Clearance {
	λ, ae, d := float64(w.Freq.Wavelength()), w.Radius(), p.Length()
	best := Clearance{Zones: math.Inf(1)}
	for i := 1; i < len(p.D)-1; i++ {
		d1, d2 := p.D[i], d-p.D[i]
		c := (hA*d2+hB*d1)/d - p.H[i] - bulge(ae, d1, d2)
		if z := c / fresnel1(λ, d1, d2); z < best.Zones {
			best = Clearance{Zones: z, Metres: c, D: d1, Ground: p.H[i], Index: i}
		}
	}
	if best.Index < len(p.At) {
		best.At = p.At[best.Index]
	}
	return best
}

// MastFor is the least antenna height over ground at each end, the other one
// unchanged, that gives zones first Fresnel radii of clearance on the whole
// path.
func (p *Profile) MastFor(hA, hB, zones float64, w Wave) (a, b unit.Metres) {
	λ, ae, d, last := float64(w.Freq.Wavelength()), w.Radius(), p.Length(), len(p.D)-1
	needA, needB := math.Inf(-1), math.Inf(-1)
	for i := 1; i < last; i++ {
		d1, d2 := p.D[i], d-p.D[i]
		top := p.H[i] + bulge(ae, d1, d2) + zones*fresnel1(λ, d1, d2)
		needA = math.Max(needA, (top*d-hB*d1)/d2)
		needB = math.Max(needB, (top*d-hA*d2)/d1)
	}
	return unit.Metres(needA - p.H[0]), unit.Metres(needB - p.H[last])
}
