package planning

import "math"

// Average land (ITU-R P.452-18 §4.2.2.1): relative permittivity and
// conductivity in S/m.
const (
	landPermittivity = 22.0
	landConductivity = 0.003
)

// sphericalEarth is the diffraction loss in dB over a smooth Earth between
// antennas teA and teB metres over it, L metres apart (ITU-R P.526-16 §3.2,
// ITU-R P.452-18 §4.2.2).
func sphericalEarth(L, teA, teB float64, w Wave) float64 {
	ae, λ := w.Radius(), float64(w.Freq.Wavelength())
	// The line cannot come nearer to the Earth than this, nor need more.
	if math.Min(teA, teB)-L*L/(8*ae) > 17.456/2*math.Sqrt(λ*L*1e-3) {
		return 0
	}
	if L >= math.Sqrt(2*ae)*(math.Sqrt(teA)+math.Sqrt(teB)) { // beyond the horizon
		return math.Max(firstTerm(L, teA, teB, ae, w), 0)
	}
	h, need := smoothClearance(L, teA, teB, ae, λ)
	if h > need {
		return 0
	}
	// The radius which puts L just on the horizon.
	r := L / (math.Sqrt(teA) + math.Sqrt(teB))
	loss := firstTerm(L, teA, teB, r*r/2, w)
	return math.Max(0, loss*(1-h/need))
}

// smoothClearance is the least clearance in metres between a line of sight and
// the smooth Earth, and the one that would make diffraction vanish.
func smoothClearance(L, teA, teB, ae, λ float64) (h, need float64) {
	c := (teA - teB) / (teA + teB)
	m := L * L / (4 * ae * (teA + teB))
	b := 2 * math.Sqrt((m+1)/(3*m)) * math.Cos(math.Pi/3+math.Acos(clamp1(1.5*c*math.Sqrt(3*m/((m+1)*(m+1)*(m+1)))))/3)
	dA := L / 2 * (1 + b)
	dB := L - dA
	h = ((teA-dA*dA/(2*ae))*dB + (teB-dB*dB/(2*ae))*dA) / L
	// 17.456 √(d1 d2 λ/d) with distances in km is 0.552 of the Fresnel radius.
	return h, 17.456 * math.Sqrt(dA*dB*λ/L*1e-3)
}

func clamp1(x float64) float64 { return math.Min(1, math.Max(-1, x)) }

// firstTerm is the first term of the residue series over land for an Earth of
// radius a metres (ITU-R P.526-16 §3.2.1, ITU-R P.452-18 §4.2.2.1).
func firstTerm(L, teA, teB, a float64, w Wave) float64 {
	f, aKm, dKm := w.Freq.GHz(), a/1000, L/1000
	im := 18 * landConductivity / f
	K := 0.036 * math.Pow(aKm*f, -1.0/3) * math.Pow((landPermittivity-1)*(landPermittivity-1)+im*im, -0.25)
	if w.Polarisation == Vertical {
		K *= math.Sqrt(landPermittivity*landPermittivity + im*im)
	}
	K2 := K * K
	β := (1 + 1.6*K2 + 0.67*K2*K2) / (1 + 4.5*K2 + 1.53*K2*K2)
	X := 21.88 * β * math.Cbrt(f/(aKm*aKm)) * dKm
	y := 0.9575 * β * math.Cbrt(f*f/aKm)
	return -distanceTerm(X) - heightGain(y*teA, β, K) - heightGain(y*teB, β, K)
}

func distanceTerm(X float64) float64 {
	if X >= 1.6 {
		return 11 + 10*math.Log10(X) - 17.6*X
	}
	return -20*math.Log10(X) - 5.6488*math.Pow(X, 1.425)
}

func heightGain(Y, β, K float64) float64 {
	B := β * Y
	var g float64
	if B > 2 {
		g = 17.6*math.Sqrt(B-1.1) - 5*math.Log10(B-1.1) - 8
	} else {
		g = 20 * math.Log10(B+0.1*B*B*B)
	}
	return math.Max(g, 2+20*math.Log10(K))
}
