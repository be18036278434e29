package geo

import "math"

// MercatorMax is half the side of the Web Mercator square in metres.
const MercatorMax = math.Pi * semiMajor

// Mercator is p in metres of Web Mercator (EPSG:3857): a sphere of the
// ellipsoid's semi-major axis. Beyond ±89.9° of latitude y grows without use.
func Mercator(p LonLat) (x, y float64) {
	return semiMajor * rad(p.Lon), semiMajor * math.Asinh(math.Tan(rad(p.Lat)))
}

// FromMercator is the position of x and y metres of Web Mercator.
func FromMercator(x, y float64) LonLat {
	return LonLat{Lon: deg(x / semiMajor), Lat: deg(math.Atan(math.Sinh(y / semiMajor)))}
}

// TileSide is the side of a map tile in pixels.
const TileSide = 256

// TileMaxZoom is the deepest zoom a Tile may have.
const TileMaxZoom = 22

// Tile is a square of the Web Mercator map as web maps number them: Y grows
// southward.
type Tile struct {
	Z, X, Y int
}

// Valid says whether the tile exists: Z from 0 to TileMaxZoom, X and Y from 0
// to 2^Z-1.
func (t Tile) Valid() bool {
	return t.Z >= 0 && t.Z <= TileMaxZoom && t.X >= 0 && t.Y >= 0 && t.X < 1<<t.Z && t.Y < 1<<t.Z
}

// LonLat is the position of a pixel of the tile, (0, 0) its north-west corner
// and (TileSide, TileSide) its south-east one. Pixels outside are positions in
// the neighbours.
func (t Tile) LonLat(px, py float64) LonLat {
	n := float64(int(TileSide) << t.Z)
	x := (float64(t.X*TileSide) + px) / n
	y := (float64(t.Y*TileSide) + py) / n
	return LonLat{Lon: 360*x - 180, Lat: deg(math.Atan(math.Sinh((1 - 2*y) * math.Pi)))}
}

// Bounds is the tile's box in degrees.
func (t Tile) Bounds() Bounds {
	nw, se := t.LonLat(0, 0), t.LonLat(TileSide, TileSide)
	return Bounds{West: nw.Lon, North: nw.Lat, East: se.Lon, South: se.Lat}
}

// TileAt is the tile of a zoom that holds p; points beyond the square fall in
// the nearest tile.
func TileAt(p LonLat, zoom int) Tile {
	mx, my := Mercator(p)
	n := float64(int(1) << zoom)
	at := func(v float64) int {
		return int(math.Min(math.Max(math.Floor(v*n), 0), n-1))
	}
	return Tile{Z: zoom, X: at((mx/MercatorMax + 1) / 2), Y: at((1 - my/MercatorMax) / 2)}
}
