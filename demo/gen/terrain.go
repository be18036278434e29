package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/dem"
)

const (
	terrainFile = "terrain/alta-langa-30s.tif"
	cellDeg     = 1.0 / 120
	nodata      = -9999
)

// cut is what is shipped: the outer edges in cells of 30" from 0°, 0°, at
// least 25 km around the union.
var cut = struct{ west, south, east, north int }{7.5 * 120, 44 * 120, 8.75 * 120, 45 * 120}

// makeTerrain rewrites the cells of the shared grid as a small GeoTIFF.
func makeTerrain(shared, out string) error {
	src, err := dem.Open(filepath.Join(shared, "data", "dem", "alta_langa_30s", "alta_langa_30s.tif"))
	if err != nil {
		return err
	}
	cols, rows := cut.east-cut.west, cut.north-cut.south
	v := make([]int16, 0, cols*rows)
	for r := range rows {
		for c := range cols {
			v = append(v, cellHeight(src, geo.LonLat{
				Lon: (float64(cut.west+c) + 0.5) * cellDeg,
				Lat: (float64(cut.north-r) - 0.5) * cellDeg,
			}))
		}
	}
	data, err := tiff(v, cols, rows, float64(cut.west)*cellDeg, float64(cut.north)*cellDeg)
	if err != nil {
		return err
	}
	if err := write(out, terrainFile, data); err != nil {
		return err
	}
	back, err := dem.Open(filepath.Join(out, filepath.FromSlash(terrainFile)))
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	return same(src, back, cols, rows)
}

// cellHeight is the value at the centre of a cell.
func cellHeight(t planning.Terrain, p geo.LonLat) int16 {
	h, ok := t.Height(p)
	if !ok {
		return nodata
	}
	return int16(math.Round(h))
}

// same compares two grids cell by cell.
func same(a, b planning.Terrain, cols, rows int) error {
	for r := range rows {
		for c := range cols {
			p := geo.LonLat{Lon: (float64(cut.west+c) + 0.5) * cellDeg, Lat: (float64(cut.north-r) - 0.5) * cellDeg}
			if x, y := cellHeight(a, p), cellHeight(b, p); x != y {
				return fmt.Errorf("cell at %v: %d written, %d read back", p, x, y)
			}
		}
	}
	return nil
}

// tiff writes one int16 band in EPSG:4326 as a single deflated strip with the
// horizontal predictor. west and north are the outer edges of the grid.
func tiff(v []int16, cols, rows int, west, north float64) ([]byte, error) {
	var packed bytes.Buffer
	z, err := zlib.NewWriterLevel(&packed, zlib.BestCompression)
	if err != nil {
		return nil, err
	}
	row := make([]byte, 2*cols)
	for r := range rows {
		last := int16(0)
		for c := range cols {
			x := v[r*cols+c]
			binary.LittleEndian.PutUint16(row[2*c:], uint16(x-last))
			last = x
		}
		if _, err := z.Write(row); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}

	doubles := func(ds ...float64) []byte {
		b := make([]byte, 0, 8*len(ds))
		for _, d := range ds {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(d))
		}
		return b
	}
	shorts := func(ss ...uint16) []byte {
		b := make([]byte, 0, 2*len(ss))
		for _, s := range ss {
			b = binary.LittleEndian.AppendUint16(b, s)
		}
		return b
	}
	long := func(n int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) }
	const ascii, short, longs, double = 2, 3, 4, 12
	type tag struct {
		id, kind uint16
		count    int
		data     []byte
	}
	text := func(id uint16, s string) tag { return tag{id, ascii, len(s) + 1, append([]byte(s), 0)} }
	tags := []tag{ // TIFF 6.0 §8; GeoTIFF 1.1 annex A; in ascending order
		{256, short, 1, shorts(uint16(cols))},
		{257, short, 1, shorts(uint16(rows))},
		{258, short, 1, shorts(16)},
		{259, short, 1, shorts(8)}, // deflate
		{262, short, 1, shorts(1)}, // black is zero
		{273, longs, 1, nil},       // strip offset, set below
		{277, short, 1, shorts(1)},
		{278, short, 1, shorts(uint16(rows))},
		{279, longs, 1, long(packed.Len())},
		{317, short, 1, shorts(2)}, // horizontal differencing
		{339, short, 1, shorts(2)}, // signed
		{33550, double, 3, doubles(cellDeg, cellDeg, 0)},
		{33922, double, 6, doubles(0, 0, 0, west, north, 0)},
		{34735, short, 16, shorts(1, 1, 1, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326)},
		text(42113, fmt.Sprint(nodata)),
	}
	const head = 8
	after := head + 2 + 12*len(tags) + 4
	strip := after
	for _, t := range tags {
		if len(t.data) > 4 {
			strip += (len(t.data) + 1) &^ 1
		}
	}
	b := binary.LittleEndian.AppendUint32([]byte{'I', 'I', 42, 0}, head)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(tags)))
	var far []byte
	for _, t := range tags {
		if t.id == 273 {
			t.data = long(strip)
		}
		b = binary.LittleEndian.AppendUint16(b, t.id)
		b = binary.LittleEndian.AppendUint16(b, t.kind)
		b = binary.LittleEndian.AppendUint32(b, uint32(t.count))
		if len(t.data) <= 4 {
			b = append(b, append(t.data, 0, 0, 0, 0)[:4]...)
			continue
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(after+len(far)))
		far = append(far, t.data...)
		if len(far)%2 == 1 {
			far = append(far, 0)
		}
	}
	b = append(b, 0, 0, 0, 0)
	b = append(b, far...)
	return append(b, packed.Bytes()...), nil
}
