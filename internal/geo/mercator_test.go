package geo

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestMercatorEqualsPROJ(t *testing.T) {
	for _, k := range []struct{ lon, lat, x, y float64 }{
		{8.1137, 44.4656, 903212.952449384, 5537779.85851704},
		{5.585255, 43.373626, 621747.742550585, 5369015.55464689},
		{-70.5, -33.4, -7848024.10092579, -3948518.42709939},
	} {
		x, y := Mercator(LonLat{k.lon, k.lat})
		if math.Hypot(x-k.x, y-k.y) > 1e-6 {
			t.Errorf("%v,%v: got %v %v", k.lat, k.lon, x, y)
		}
		if p := FromMercator(k.x, k.y); math.Hypot(p.Lon-k.lon, p.Lat-k.lat) > 1e-11 {
			t.Errorf("%v %v: got %v", k.x, k.y, p)
		}
	}
	if math.Abs(MercatorMax-20037508.342789244) > 1e-6 {
		t.Errorf("half side %v", MercatorMax)
	}
}

func TestTiles(t *testing.T) {
	world := Tile{}.Bounds()
	if math.Abs(world.North-85.0511287798) > 1e-9 || math.Abs(world.South+85.0511287798) > 1e-9 || world.West != -180 || world.East != 180 {
		t.Errorf("world %+v", world)
	}
	// A tile every web map agrees on: z 10 at 8.1137 E, 44.4656 N.
	if got, want := TileAt(LonLat{8.1137, 44.4656}, 10), (Tile{10, 535, 370}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, c := range []struct {
		tile Tile
		ok   bool
	}{
		{Tile{0, 0, 0}, true}, {Tile{0, 1, 0}, false}, {Tile{3, 7, 7}, true}, {Tile{3, 8, 0}, false},
		{Tile{3, 0, 8}, false}, {Tile{-1, 0, 0}, false}, {Tile{TileMaxZoom + 1, 0, 0}, false}, {Tile{4, -1, 0}, false},
	} {
		if c.tile.Valid() != c.ok {
			t.Errorf("%v: valid %v", c.tile, !c.ok)
		}
	}
	if a, b := (Tile{9, 267, 185}).LonLat(TileSide, 30), (Tile{9, 268, 185}).LonLat(0, 30); math.Abs(a.Lon-b.Lon) > 1e-12 || a.Lat != b.Lat {
		t.Errorf("the seam of two tiles: %v and %v", a, b)
	}
	if got := TileAt(LonLat{200, 89}, 2); got != (Tile{2, 3, 0}) {
		t.Errorf("beyond the square: %v", got)
	}
}

func TestTileHoldsItsPoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := LonLat{rapid.Float64Range(-179.9, 179.9).Draw(t, "lon"), rapid.Float64Range(-85, 85).Draw(t, "lat")}
		tile := TileAt(p, rapid.IntRange(0, TileMaxZoom).Draw(t, "z"))
		b := tile.Bounds()
		const ε = 1e-9
		b.West, b.South, b.East, b.North = b.West-ε, b.South-ε, b.East+ε, b.North+ε
		if !tile.Valid() || !b.Contains(p) {
			t.Fatalf("%v is not in %v %+v", p, tile, b)
		}
	})
}

func ExampleTileAt() {
	t := TileAt(LonLat{Lon: 8.1137, Lat: 44.4656}, 10)
	fmt.Println(t, t.Valid())
	// Output: {10 535 370} true
}
