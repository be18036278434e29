package main

import (
	"fmt"
	"math"

	"github.com/paulmach/orb"

	"github.com/crinale/crinale/internal/geo"
)

// simplify drops corners of outlines that tile, so that they still do: the
// borders are cut into arcs where three outlines meet (or an inner border
// reaches the outer one), and each arc is simplified once, by the method of
// Douglas and Peucker, for both its neighbours. tol is in metres.
func simplify(polys []orb.Polygon, tol float64) []orb.Polygon {
	near := map[orb.Point]map[orb.Point]bool{}
	add := func(a, b orb.Point) {
		if near[a] == nil {
			near[a] = map[orb.Point]bool{}
		}
		near[a][b] = true
	}
	for _, p := range polys {
		for _, r := range p {
			for i := 1; i < len(r); i++ {
				add(r[i-1], r[i])
				add(r[i], r[i-1])
			}
		}
	}
	node := func(p orb.Point) bool { return len(near[p]) != 2 }
	done := map[string][]orb.Point{}
	arc := func(pts []orb.Point) []orb.Point {
		turn := false
		if a, b := pts[0], pts[len(pts)-1]; a[0] > b[0] || a[0] == b[0] && a[1] > b[1] {
			turn = true
			pts = reversed(pts)
		}
		key := fmt.Sprint(pts)
		if _, ok := done[key]; !ok {
			done[key] = douglasPeucker(pts, tol)
		}
		if turn {
			return reversed(done[key])
		}
		return done[key]
	}
	out := make([]orb.Polygon, len(polys))
	for i, p := range polys {
		for _, r := range p {
			out[i] = append(out[i], simplifyRing(r, node, arc))
		}
	}
	return out
}

func simplifyRing(r orb.Ring, node func(orb.Point) bool, arc func([]orb.Point) []orb.Point) orb.Ring {
	open := r[:len(r)-1]
	start := 0
	for i, p := range open {
		if node(p) {
			start = i
			break
		}
	}
	turned := append(append([]orb.Point{}, open[start:]...), open[:start]...)
	turned = append(turned, turned[0])
	var out orb.Ring
	from := 0
	for i := 1; i < len(turned); i++ {
		if i < len(turned)-1 && !node(turned[i]) {
			continue
		}
		pts := arc(turned[from : i+1])
		out = append(out, pts[:len(pts)-1]...)
		from = i
	}
	return append(out, out[0])
}

func reversed(pts []orb.Point) []orb.Point {
	out := make([]orb.Point, len(pts))
	for i, p := range pts {
		out[len(pts)-1-i] = p
	}
	return out
}

// douglasPeucker keeps the ends and every corner that is needed for none of
// the others to lie farther than tol metres from the line.
func douglasPeucker(pts []orb.Point, tol float64) []orb.Point {
	if len(pts) < 3 {
		return pts
	}
	worst, at := -1.0, 0
	for i := 1; i < len(pts)-1; i++ {
		if d := offLine(pts[i], pts[0], pts[len(pts)-1]); d > worst {
			worst, at = d, i
		}
	}
	if worst <= tol {
		return []orb.Point{pts[0], pts[len(pts)-1]}
	}
	left, right := douglasPeucker(pts[:at+1], tol), douglasPeucker(pts[at:], tol)
	return append(append([]orb.Point{}, left...), right[1:]...)
}

// offLine is the distance in metres of p from the stretch from a to b.
func offLine(p, a, b orb.Point) float64 {
	m := geo.Radius * math.Pi / 180
	c := math.Cos(p[1] * math.Pi / 180)
	px, py := (p[0]-a[0])*m*c, (p[1]-a[1])*m
	bx, by := (b[0]-a[0])*m*c, (b[1]-a[1])*m
	t := 0.0
	if l := bx*bx + by*by; l > 0 {
		t = math.Max(0, math.Min(1, (px*bx+py*by)/l))
	}
	return math.Hypot(px-t*bx, py-t*by)
}
