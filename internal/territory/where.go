package territory

import (
	"math"

	"github.com/paulmach/orb"

	"github.com/crinale/crinale/internal/geo"
)

// Index prepares the look-ups by position. Load calls it, and so must whoever
// changes the comuni by hand.
func (u *Union) Index() {
	u.boxes = make([]orb.Bound, len(u.Comuni))
	for i, c := range u.Comuni {
		u.boxes[i] = c.Outline.Bound()
	}
}

// ComuneAt is the comune that holds p; false outside the union. A point on a
// border that two comuni share belongs to exactly one of them.
func (u *Union) ComuneAt(p geo.LonLat) (*Comune, bool) {
	q := orb.Point{p.Lon, p.Lat}
	for i := range u.Comuni {
		if len(u.boxes) == len(u.Comuni) && !u.boxes[i].Contains(q) {
			continue
		}
		if u.Comuni[i].Contains(p) {
			return &u.Comuni[i], true
		}
	}
	return nil, false
}

// Comune by its ISTAT code.
func (u *Union) Comune(istat string) (*Comune, bool) {
	for i := range u.Comuni {
		if u.Comuni[i].ISTAT == istat {
			return &u.Comuni[i], true
		}
	}
	return nil, false
}

// Bounds is the box that holds all comuni; the zero box for an empty union.
func (u *Union) Bounds() geo.Bounds {
	if len(u.Comuni) == 0 {
		return geo.Bounds{}
	}
	b := u.Comuni[0].Outline.Bound()
	for _, c := range u.Comuni[1:] {
		b = b.Union(c.Outline.Bound())
	}
	return bounds(b)
}

// Bounds is the box that holds the comune.
func (c *Comune) Bounds() geo.Bounds { return bounds(c.Outline.Bound()) }

func bounds(b orb.Bound) geo.Bounds {
	return geo.Bounds{West: b.Min[0], South: b.Min[1], East: b.Max[0], North: b.Max[1]}
}

// Contains says whether p lies in the outline, by the even-odd rule.
func (c *Comune) Contains(p geo.LonLat) bool {
	in := false
	for _, poly := range c.Outline {
		for _, ring := range poly {
			if crossings(ring, p.Lon, p.Lat) {
				in = !in
			}
		}
	}
	return in
}

// crossings says whether a ray to the east of the point crosses the ring an
// odd number of times. Edges count half-open from below, and are always taken
// from their lower end, so that two neighbours decide alike on a shared edge.
func crossings(ring orb.Ring, x, y float64) bool {
	odd := false
	for i := 1; i < len(ring); i++ {
		a, b := ring[i-1], ring[i]
		if a[1] > b[1] {
			a, b = b, a
		}
		if a[1] <= y && y < b[1] && x < a[0]+(y-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
			odd = !odd
		}
	}
	return odd
}

// Area of the outline in km², on the sphere whose surface equals that of the
// WGS84 ellipsoid (radius 6371007.2 m); an edge is taken as straight in
// longitude and sine of latitude, which is exact enough for edges of a few
// kilometres.
func (c *Comune) Area() float64 {
	const radius = 6371.0072
	sum := 0.0
	for _, poly := range c.Outline {
		for _, ring := range poly {
			for i := 1; i < len(ring); i++ {
				a, b := ring[i-1], ring[i]
				sum -= (b[0] - a[0]) * math.Pi / 180 * (math.Sin(a[1]*math.Pi/180) + math.Sin(b[1]*math.Pi/180)) / 2
			}
		}
	}
	return sum * radius * radius
}
