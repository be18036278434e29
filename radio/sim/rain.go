package sim

import "math"

// Weather over the whole fleet.
type Weather struct {
	RainMMH float64 `json:"rain_mm_h"`
}

// rainFrom is the frequency in GHz below which rain is not felt.
const rainFrom = 10

// gauss is a term of equations (2) and (3) of ITU-R P.838-3.
type gauss struct{ a, b, c float64 }

// regression is a table of ITU-R P.838-3: the terms, slope and constant.
type regression struct {
	terms []gauss
	m, c  float64
}

func (r regression) at(logF float64) float64 {
	v := r.m*logF + r.c
	for _, t := range r.terms {
		v += t.a * math.Exp(-math.Pow((logF-t.b)/t.c, 2))
	}
	return v
}

// ITU-R P.838-3, tables 1 to 4.
var (
	kH = regression{[]gauss{{-5.33980, -0.10008, 1.13098}, {-0.35351, 1.26970, 0.45400}, {-0.23789, 0.86036, 0.15354}, {-0.94158, 0.64552, 0.16817}}, -0.18961, 0.71147}
	kV = regression{[]gauss{{-3.80595, 0.56934, 0.81061}, {-3.44965, -0.22911, 0.51059}, {-0.39902, 0.73042, 0.11899}, {0.50167, 1.07319, 0.27195}}, -0.16398, 0.63297}
	aH = regression{[]gauss{{-0.14318, 1.82442, -0.55187}, {0.29591, 0.77564, 0.19822}, {0.32177, 0.63773, 0.13164}, {-5.37610, -0.96230, 1.47828}, {16.1721, -3.29980, 3.43990}}, 0.67849, -1.95537}
	aV = regression{[]gauss{{-0.07771, 2.33840, -0.76284}, {0.56727, 0.95545, 0.54039}, {-0.20238, 1.14520, 0.26809}, {-48.2991, 0.791669, 0.116226}, {48.5833, 0.791459, 0.116479}}, -0.053739, 0.83433}
)

// rainCoefficients are k and alpha of ITU-R P.838-3 equations (2) to (5) for a
// path elevation and a polarisation tilt (0 horizontal, 90 vertical), degrees.
func rainCoefficients(fGHz, elevation, tilt float64) (k, alpha float64) {
	l := math.Log10(fGHz)
	kh, kv := math.Pow(10, kH.at(l)), math.Pow(10, kV.at(l))
	ah, av := aH.at(l), aV.at(l)
	g := math.Pow(math.Cos(elevation*math.Pi/180), 2) * math.Cos(2*tilt*math.Pi/180)
	k = (kh + kv + (kh-kv)*g) / 2
	alpha = (kh*ah + kv*av + (kh*ah-kv*av)*g) / (2 * k)
	return k, alpha
}

// rainLoss in dB on a level path with vertical polarisation: k·R^alpha over the
// effective length d/(1+d/d0), d0 = 35·exp(-0.015·R), R at most 100 mm/h there:
// the form of ITU-R P.530 before its 2013 revision, from general knowledge.
func rainLoss(fGHz, rainMMH, km float64) float64 {
	if fGHz <= rainFrom || rainMMH <= 0 || km <= 0 {
		return 0
	}
	k, alpha := rainCoefficients(fGHz, 0, 90)
	d0 := 35 * math.Exp(-0.015*math.Min(rainMMH, 100))
	return k * math.Pow(rainMMH, alpha) * km / (1 + km/d0)
}
