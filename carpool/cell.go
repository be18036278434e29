package carpool

import (
	"fmt"
	"math"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// Cell is a square of about a kilometre. Where somebody lives is told to
// others no finer than that, and every search from inside a cell is a search
// from its middle, so that no series of searches can find a door.
//
// Rows are 1/111 of a degree of latitude; within a row, columns are as wide as
// they are high at the row's middle.
type Cell struct {
	Row, Col int
}

const rowDeg = 1.0 / 111

// CellOf is the cell that holds a point.
func CellOf(p geo.LonLat) Cell {
	row := int(math.Floor(p.Lat / rowDeg))
	return Cell{row, int(math.Floor(p.Lon / colDeg(row)))}
}

// colDeg is the width of the columns of a row in degrees.
func colDeg(row int) float64 {
	lat := (float64(row) + 0.5) * rowDeg
	return rowDeg / math.Max(math.Cos(lat*math.Pi/180), 0.01)
}

// Middle of the cell.
func (c Cell) Middle() geo.LonLat {
	return geo.LonLat{Lon: (float64(c.Col) + 0.5) * colDeg(c.Row), Lat: (float64(c.Row) + 0.5) * rowDeg}
}

// Farthest is how far a point is from the part of the cell that is farthest
// from it.
func (c Cell) Farthest(p geo.LonLat) unit.Metres {
	var most unit.Metres
	for _, row := range []int{c.Row, c.Row + 1} {
		for _, col := range []int{c.Col, c.Col + 1} {
			corner := geo.LonLat{Lon: float64(col) * colDeg(c.Row), Lat: float64(row) * rowDeg}
			most = max(most, corner.Distance(p))
		}
	}
	return most
}

// String is "ROW.COL".
func (c Cell) String() string { return fmt.Sprintf("%d.%d", c.Row, c.Col) }
