package planning

import (
	"math"
	"sync/atomic"

	"github.com/crinale/crinale/internal/unit"
)

// Air is the state of the air near the ground.
type Air struct {
	DryHPa    float64 // pressure of dry air, hPa
	Kelvin    float64
	VapourGM3 float64 // density of water vapour, g/m³
}

// StandardAir is the mean reference atmosphere at sea level (ITU-R P.835-6).
var StandardAir = Air{DryHPa: 1013.25, Kelvin: 288.15, VapourGM3: 7.5}

// GasPerKm is the absorption in dB/km by oxygen and by water vapour, line by
// line (ITU-R P.676-13 Annex 1), for 1 to 1000 GHz near the ground.
func (a Air) GasPerKm(f unit.MHz) (oxygen, vapour float64) {
	g, θ := f.GHz(), 300/a.Kelvin
	p, e := a.DryHPa, a.VapourGM3*a.Kelvin/216.7
	for _, l := range oxygenLines {
		S := l[1] * 1e-7 * p * θ * θ * θ * math.Exp(l[2]*(1-θ))
		Δ := l[3] * 1e-4 * (p*math.Pow(θ, 0.8-l[4]) + 1.1*e*θ)
		Δ = math.Sqrt(Δ*Δ + 2.25e-6)
		δ := (l[5] + l[6]*θ) * 1e-4 * (p + e) * math.Pow(θ, 0.8)
		oxygen += S * lineShape(g, l[0], Δ, δ)
	}
	d := 5.6e-4 * (p + e) * math.Pow(θ, 0.8)
	oxygen += g * p * θ * θ * (6.14e-5/(d*(1+(g/d)*(g/d))) + 1.4e-12*p*math.Pow(θ, 1.5)/(1+1.9e-5*math.Pow(g, 1.5)))
	for _, l := range vapourLines {
		S := l[1] * 1e-1 * e * math.Pow(θ, 3.5) * math.Exp(l[2]*(1-θ))
		Δ := l[3] * 1e-4 * (p*math.Pow(θ, l[4]) + l[5]*e*math.Pow(θ, l[6]))
		Δ = 0.535*Δ + math.Sqrt(0.217*Δ*Δ+2.1316e-12*l[0]*l[0]/θ)
		vapour += S * lineShape(g, l[0], Δ, 0)
	}
	return 0.1820 * g * oxygen, 0.1820 * g * vapour
}

// lineShape of P.676-13 equation 5, line at f0, width Δ, interference δ.
func lineShape(f, f0, Δ, δ float64) float64 {
	lo, hi := f0-f, f0+f
	return f / f0 * ((Δ-δ*lo)/(lo*lo+Δ*Δ) + (Δ-δ*hi)/(hi*hi+Δ*Δ))
}

// Gas is the absorption of the air over d metres of a path near the ground.
func (a Air) Gas(f unit.MHz, d unit.Metres) unit.DB {
	e := lastGas.Load()
	if e == nil || e.air != a || e.f != f {
		o, v := a.GasPerKm(f)
		e = &gasRate{a, f, o + v}
		lastGas.Store(e)
	}
	return unit.DB(e.perKm * d.Km())
}

// lastGas remembers the last answer: a network is planned at few frequencies,
// and the sum over the lines takes longer than the rest of a link.
var lastGas atomic.Pointer[gasRate]

type gasRate struct {
	air   Air
	f     unit.MHz
	perKm float64
}
