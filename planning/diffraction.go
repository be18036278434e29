package planning

import (
	"math"

	"github.com/crinale/crinale/internal/unit"
)

// Diffraction is the excess loss of a path over free space by the
// delta-Bullington method (ITU-R P.526-16 §4.5.2, ITU-R P.452-18 §4.2.3), with
// its parts.
type Diffraction struct {
	Bullington unit.DB // over the actual ground
	Smooth     unit.DB // Bullington over the smooth Earth of the path
	Spherical  unit.DB // diffraction of that smooth Earth
	Loss       unit.DB // Bullington + max(Spherical − Smooth, 0)
}

// Diffract is the diffraction loss between antennas at hA and hB metres over
// sea level.
func (p *Profile) Diffract(hA, hB float64, w Wave) Diffraction {
	λ, ae, d := float64(w.Freq.Wavelength()), w.Radius(), p.Length()
	var r Diffraction
	r.Bullington = bullington(p.D, p.H, hA, hB, λ, ae)
	sA, sB := smoothEarth(p.D, p.H, hA, hB)
	// Effective heights over the smooth Earth are at least a hair: a mast
	// always stands over its own foot.
	teA, teB := math.Max(hA-sA, 0.01), math.Max(hB-sB, 0.01)
	r.Spherical = unit.DB(sphericalEarth(d, teA, teB, w))
	r.Loss = r.Bullington
	if r.Spherical > 0 {
		r.Smooth = bullington(p.D, nil, teA, teB, λ, ae)
		r.Loss += max(r.Spherical-r.Smooth, 0)
	}
	return r
}

// knifeEdge is the loss in dB of one knife edge (P.526-16 equation 31).
func knifeEdge(ν float64) float64 {
	if ν <= -0.78 {
		return 0
	}
	v := ν - 0.1
	return 6.9 + 20*math.Log10(math.Sqrt(v*v+1)+v)
}

// bullingtonLoss makes of the knife edge's loss that of the whole path, d
// metres long (P.526-16 equation 55).
func bullingtonLoss(edge, d float64) float64 {
	return edge + (1-math.Exp(-edge/6))*(10+0.02e-3*d)
}

// bullington is the Bullington part (P.526-16 §4.5.1) over the ground h at d
// metres; nil h is ground at 0.
func bullington(d, h []float64, hA, hB, λ, ae float64) unit.DB {
	last := len(d) - 1
	L := d[last]
	ground := func(i int) float64 {
		g := bulge(ae, d[i], L-d[i])
		if h != nil {
			g += h[i]
		}
		return g
	}
	slopeA := math.Inf(-1)
	for i := 1; i < last; i++ {
		slopeA = math.Max(slopeA, (ground(i)-hA)/d[i])
	}
	if slopeA < (hB-hA)/L { // line of sight: the worst edge
		ν := math.Inf(-1)
		for i := 1; i < last; i++ {
			d1, d2 := d[i], L-d[i]
			ν = math.Max(ν, (ground(i)-(hA*d2+hB*d1)/L)*math.Sqrt(2*L/(λ*d1*d2)))
		}
		return unit.DB(bullingtonLoss(knifeEdge(ν), L))
	}
	slopeB := math.Inf(-1)
	for i := 1; i < last; i++ {
		slopeB = math.Max(slopeB, (ground(i)-hB)/(L-d[i]))
	}
	return unit.DB(bullingtonLoss(knifeEdge(bullingtonEdge(slopeA, slopeB, hA, hB, L, λ)), L))
}

// bullingtonEdge is ν of the edge where the horizon rays of both ends meet.
func bullingtonEdge(slopeA, slopeB, hA, hB, L, λ float64) float64 {
	dA := (hB - hA + slopeB*L) / (slopeA + slopeB)
	// Rounding must not put the edge into an antenna.
	dA = math.Min(math.Max(dA, 1e-3), L-1e-3)
	dB := L - dA
	return (hA + slopeA*dA - (hA*dB+hB*dA)/L) * math.Sqrt(2*L/(λ*dA*dB))
}

// smoothEarth is the height over sea level, at both ends, of the smooth Earth
// used for diffraction (ITU-R P.452-18 Attachment 2 §5.1.6.2 and 5.1.6.4).
func smoothEarth(d, h []float64, hA, hB float64) (a, b float64) {
	last := len(d) - 1
	L := d[last]
	var v1, v2 float64
	for i := 1; i <= last; i++ {
		s := d[i] - d[i-1]
		v1 += s * (h[i] + h[i-1])
		v2 += s * (h[i]*(2*d[i]+d[i-1]) + h[i-1]*(d[i]+2*d[i-1]))
	}
	obs, angleA, angleB := math.Inf(-1), math.Inf(-1), math.Inf(-1)
	for i := 1; i < last; i++ {
		o := h[i] - (hA*(L-d[i])+hB*d[i])/L
		obs = math.Max(obs, o)
		angleA = math.Max(angleA, o/d[i])
		angleB = math.Max(angleB, o/(L-d[i]))
	}
	return smoothEnds(v1, v2, L, obs, angleA, angleB, h[0], h[last])
}

// smoothEnds finishes smoothEarth from the sums and the greatest obstruction
// over the straight line: its height and its angles from both ends.
func smoothEnds(v1, v2, L, obs, angleA, angleB, groundA, groundB float64) (a, b float64) {
	a = (2*v1*L - v2) / (L * L)
	b = (v2 - v1*L) / (L * L)
	if obs > 0 {
		a -= obs * angleA / (angleA + angleB)
		b -= obs * angleB / (angleA + angleB)
	}
	return math.Min(a, groundA), math.Min(b, groundB)
}
