package carpool_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
)

// somewhere in Piedmont and around it.
func somewhere(t *rapid.T) geo.LonLat {
	return geo.LonLat{Lon: rapid.Float64Range(6, 10).Draw(t, "lon"), Lat: rapid.Float64Range(44, 46).Draw(t, "lat")}
}

func TestCellHoldsItsPoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := somewhere(t)
		c := carpool.CellOf(p)
		m := c.Middle()
		if d := p.Distance(m); d > 710 {
			t.Fatalf("%v is %v from the middle of its cell", p, d)
		}
		if carpool.CellOf(m) != c {
			t.Fatalf("the middle of %v is in %v", c, carpool.CellOf(m))
		}
		other := somewhere(t)
		if d, far := p.Distance(other), c.Farthest(other); d > far+0.01 || far > m.Distance(other)+720 {
			t.Fatalf("%v is %v from %v, and the farthest of its cell %v", p, d, other, far)
		}
		north := carpool.Cell{Row: c.Row + 1, Col: c.Col}.Middle()
		east := carpool.Cell{Row: c.Row, Col: c.Col + 1}.Middle()
		high, wide := float64(m.Distance(geo.LonLat{Lon: m.Lon, Lat: north.Lat})), float64(m.Distance(east))
		if math.Abs(high-1000) > 10 || math.Abs(wide-1000) > 10 {
			t.Fatalf("cell %v is %.1f m wide and %.1f m high", c, wide, high)
		}
		// What is nearer to the middle than half a side is in the cell: a search
		// from there is the same search.
		q := m.Toward(0, 0)
		q.Lat += rapid.Float64Range(-0.49, 0.49).Draw(t, "up") * (north.Lat - m.Lat)
		q.Lon += rapid.Float64Range(-0.49, 0.49).Draw(t, "right") * (east.Lon - m.Lon)
		if carpool.CellOf(q) != c || (carpool.Spot{Address: "x", At: q}).Coarse() != (carpool.Spot{Address: "y", At: p}).Coarse() {
			t.Fatalf("%v is not in %v", q, c)
		}
	})
}

func TestCellsAnywhere(t *testing.T) {
	for _, p := range []geo.LonLat{{Lon: 0, Lat: 0}, {Lon: 180, Lat: 90}, {Lon: -180, Lat: -90}, {Lon: -0.001, Lat: -0.001}} {
		if c := carpool.CellOf(p); carpool.CellOf(c.Middle()) != c {
			t.Errorf("%v: the middle of %v is in %v", p, c, carpool.CellOf(c.Middle()))
		}
	}
	if got := carpool.CellOf(geo.LonLat{Lon: 8.1, Lat: 44.5}).String(); got != "4939.641" {
		t.Errorf("the cell's name is %s", got)
	}
}
