package planning

import "math"

// skyline is the ground along one ray as the models need it: all points, the
// upper hulls, and running sums. It is the scratch of one worker.
type skyline struct {
	antenna, ground float64   // over sea level
	x, y            []float64 // all points: distance, height over the curved Earth's tangent
	curved, plain   hull
	slope           float64 // greatest from the antenna, over the curved Earth
	plainSlope      float64 // the same over the straight one
	v1, v2          float64 // sums of smoothEarth
	lastX, lastH    float64
}

func (g *skyline) reset(antenna, ground float64) {
	g.antenna, g.ground = antenna, ground
	g.x, g.y = g.x[:0], g.y[:0]
	g.curved.reset()
	g.plain.reset()
	g.slope, g.plainSlope = math.Inf(-1), math.Inf(-1)
	g.v1, g.v2, g.lastX, g.lastH = 0, 0, 0, ground
}

// push adds ground of height h at d metres, further than all before. Over an
// Earth of radius ae it sinks by d²/2ae under the antenna's horizon.
func (g *skyline) push(d, h, ae float64) {
	y := h - d*d/(2*ae)
	g.x, g.y = append(g.x, d), append(g.y, y)
	g.curved.push(d, y)
	g.plain.push(d, h)
	g.slope = math.Max(g.slope, (y-g.antenna)/d)
	g.plainSlope = math.Max(g.plainSlope, (h-g.antenna)/d)
	g.v1, g.v2 = g.sums(d, h)
	g.lastX, g.lastH = d, h
}

func (g *skyline) sums(d, h float64) (v1, v2 float64) {
	s := d - g.lastX
	return g.v1 + s*(h+g.lastH), g.v2 + s*(h*(2*d+g.lastX)+g.lastH*(d+2*g.lastX))
}

// diffraction in dB to an antenna top metres over sea level, over ground, d
// metres off: the delta-Bullington of Profile.Diffract from the hulls.
func (g *skyline) diffraction(d, top, ground float64, s *server) float64 {
	if len(g.x) == 0 || d <= g.lastX {
		return 0
	}
	loss := g.bullington(d, top, s)
	a, b := g.smooth(d, top, ground)
	teA, teB := math.Max(g.antenna-a, 0.01), math.Max(top-b, 0.01)
	if sph := sphericalEarth(d, teA, teB, s.wave); sph > 0 {
		loss += math.Max(0, sph-smoothBullington(d, teA, teB, s.λ, s.ae))
	}
	return loss
}

func (g *skyline) bullington(d, top float64, s *server) float64 {
	y := top - d*d/(2*s.ae) // the far antenna over the curved Earth
	toB, toA := (y-g.antenna)/d, (g.antenna-y)/d
	back := g.curved.tangent(d, y)
	if g.slope < toB {
		gapA, gapB := toB-g.slope, toA-back
		if gapA*gapB*d >= s.λ*graze {
			return 0
		}
		return bullingtonLoss(knifeEdge(g.worst(d, y, s.λ)), d)
	}
	bend := d / (2 * s.ae)
	return bullingtonLoss(knifeEdge(bullingtonEdge(g.slope+bend, back-bend, g.antenna, top, d, s.λ)), d)
}

// graze: a ray whose clearance over first Fresnel radius is at least √graze
// everywhere has no knife-edge loss (ν = −√2·ratio ≤ −0.78). The clearance at
// d1 is at least gapA·d1 and gapB·d2, so their product bounds the ratio.
const graze = 0.78 * 0.78 / 2

// worst is the greatest ν of all points under a line of sight to (d, y).
func (g *skyline) worst(d, y, λ float64) float64 {
	slope := (y - g.antenna) / d
	best := math.Inf(1) // of clearance² / (d1 d2); clearance is positive here
	for i, x := range g.x {
		c := g.antenna + slope*x - g.y[i]
		if q := c * c / (x * (d - x)); q < best {
			best = q
		}
	}
	return -math.Sqrt(best * 2 * d / λ)
}

// smooth is smoothEarth from the sums and the hull over the straight Earth.
func (g *skyline) smooth(d, top, ground float64) (a, b float64) {
	v1, v2 := g.sums(d, ground)
	slope := (top - g.antenna) / d
	i := g.plain.support(slope)
	obs := g.plain.y[i] - (g.antenna + slope*g.plain.x[i])
	angleB := g.plain.tangent(d, top) + slope
	return smoothEnds(v1, v2, d, obs, g.plainSlope-slope, angleB, g.ground, ground)
}

// smoothBullington is the Bullington part over a smooth Earth, between antennas
// teA and teB metres over it.
func smoothBullington(L, teA, teB, λ, ae float64) float64 {
	if L < math.Sqrt(2*ae*teA)+math.Sqrt(2*ae*teB) { // in sight
		ν := func(x float64) float64 {
			return (x*(L-x)/(2*ae) - (teA*(L-x)+teB*x)/L) * math.Sqrt(2*L/(λ*x*(L-x)))
		}
		best, at := math.Inf(-1), 0.0
		lo, hi := 0.0, L
		for range 3 { // a grid that closes in on the greatest
			step := (hi - lo) / 12
			for i := 1; i < 12; i++ {
				if v := ν(lo + float64(i)*step); v > best {
					best, at = v, lo+float64(i)*step
				}
			}
			lo, hi = math.Max(at-step, 0), math.Min(at+step, L)
		}
		return bullingtonLoss(knifeEdge(best), L)
	}
	slope := func(te float64) float64 {
		x := math.Min(math.Sqrt(2*ae*te), L)
		return (L-x)/(2*ae) - te/x
	}
	return bullingtonLoss(knifeEdge(bullingtonEdge(slope(teA), slope(teB), teA, teB, L, λ)), L)
}
