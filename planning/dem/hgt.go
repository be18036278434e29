package dem

import (
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
)

// SRTM tiles: a square of big-endian int16 without a header, rows from the
// north, whose outer rows and columns lie on the degree lines (point
// registration) and are shared with the neighbours; -32768 is a void. The name
// gives the south-west corner. (USGS, SRTM Topography, 2009, §§2.1.1-2.1.3.)

var hgtName = regexp.MustCompile(`(?i)^([NS])(\d{2})([EW])(\d{3})([^0-9].*)?$`)

// hgtCorner is the south-west corner in degrees.
func hgtCorner(name string) (west, south float64, err error) {
	m := hgtName.FindStringSubmatch(name)
	if m == nil {
		return 0, 0, fmt.Errorf("the name of an SRTM tile is its south-west corner, as in N44E007.hgt: rename it")
	}
	lat, _ := strconv.Atoi(m[2])
	lon, _ := strconv.Atoi(m[4])
	if m[1] == "S" || m[1] == "s" {
		lat = -lat
	}
	if m[3] == "W" || m[3] == "w" {
		lon = -lon
	}
	if lat < -90 || lat > 89 || lon < -180 || lon > 179 {
		return 0, 0, fmt.Errorf("its name says corner %d,%d, which is not on Earth: rename it", lat, lon)
	}
	return float64(lon), float64(lat), nil
}

// minHGT is the fewest heights along the side of a tile: one a minute of arc.
const minHGT = 61

// wholeHGT says whether tiles of n × n heights exist: their spacing is a whole
// number of seconds of arc, or their seconds are cut into whole parts.
func wholeHGT(n uint64) bool {
	return n >= minHGT && (3600%(n-1) == 0 || (n-1)%3600 == 0)
}

// sizeHGT is the side of the tile that a file of so many bytes holds. A file
// cut short may be a square by chance: 2097152 bytes would be 1024 × 1024.
func sizeHGT(size int64) (uint64, error) {
	n := uint64(math.Sqrt(float64(size / 2)))
	if int64(2*n*n) == size && wholeHGT(n) {
		return n, nil
	}
	high := max(n, minHGT)
	for !wholeHGT(high) || 2*high*high < uint64(size) {
		high++
	}
	right := fmt.Sprintf("%d × %d heights have %d bytes", high, high, 2*high*high)
	if low := high - 1; low >= minHGT {
		for !wholeHGT(low) {
			low--
		}
		right = fmt.Sprintf("%d × %d heights have %d bytes, ", low, low, 2*low*low) + right
	}
	return 0, fmt.Errorf("%d bytes are not a whole tile (%s): it looks truncated or still packed, download it again", size, right)
}

// readHGT reads a tile of any spacing.
func readHGT(in input, name string, room int) (*grid, error) {
	west, south, err := hgtCorner(name)
	if err != nil {
		return nil, err
	}
	n, err := sizeHGT(in.size)
	if err != nil {
		return nil, err
	}
	if err := checkCells(n, n, in.size, room); err != nil {
		return nil, err
	}
	g := &grid{
		x0: west, y0: south + 1, dx: 1 / float64(n-1), dy: 1 / float64(n-1),
		cols: int(n), rows: int(n), i16: make([]int16, n*n),
	}
	buf := make([]byte, 1<<16)
	out := g.i16
	for off := int64(0); len(out) > 0; {
		b := buf[:min(len(buf), 2*len(out))]
		if k, err := in.ReadAt(b, off); k < len(b) {
			if err == io.EOF {
				return nil, errTruncated(uint64(off), uint64(len(b)), in.size)
			}
			return nil, err
		}
		off += int64(len(b))
		for i := 0; i+1 < len(b); i += 2 {
			out[i/2] = land16(int16(uint16(b[i])<<8 | uint16(b[i+1])))
		}
		out = out[len(b)/2:]
	}
	return g, nil
}
