package dem

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

func heightAt(t *testing.T, m *Mosaic, lon, lat float64) float64 {
	t.Helper()
	h, ok := m.Height(geo.LonLat{Lon: lon, Lat: lat})
	if !ok {
		t.Fatalf("nothing known at %v,%v", lat, lon)
	}
	return h
}

func TestTIFFOrdersAndSizes(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, big := range []bool{false, true} {
			m, err := openBytes("a.tif", build(order, big, plainTags(), plainHeights(order)))
			if err != nil {
				t.Fatalf("%v big %v: %v", order, big, err)
			}
			for i := range 12 {
				lon, lat := 8.05+0.1*float64(i%4), 44.95-0.1*float64(i/4)
				if h := heightAt(t, m, lon, lat); math.Abs(h-float64(100+i)) > 1e-6 {
					t.Errorf("%v big %v: cell %d is %v m", order, big, i, h)
				}
			}
			if h := heightAt(t, m, 8.1, 44.9); math.Abs(h-102.5) > 1e-6 {
				t.Errorf("between four cells: %v m", h)
			}
		}
	}
}

// The same corner means the first cell's centre in a file of points.
func TestTIFFPixelIsPoint(t *testing.T) {
	m, err := openBytes("a.tif", little(map[uint16]any{tagGeoKeys: keys(keyModel, modelGeographic, keyRaster, rasterPoint, keyGeographic, 4326)}))
	if err != nil {
		t.Fatal(err)
	}
	if h := heightAt(t, m, 8, 45); h != 100 {
		t.Errorf("first cell %v m", h)
	}
}

func TestTIFFPlacedByMatrix(t *testing.T) {
	change := map[uint16]any{tagPixelScale: nil, tagTiepoint: nil, tagTransform: []float64{0.1, 0, 0, 8, 0, -0.1, 0, 45, 0, 0, 0, 0, 0, 0, 0, 1}}
	m, err := openBytes("a.tif", little(change))
	if err != nil {
		t.Fatal(err)
	}
	if h := heightAt(t, m, 8.05, 44.95); math.Abs(h-100) > 1e-6 {
		t.Errorf("first cell %v m", h)
	}
}

func TestTIFFVoidsAndScale(t *testing.T) {
	nw, se := geo.LonLat{Lon: 8.05, Lat: 44.95}, geo.LonLat{Lon: 8.35, Lat: 44.75}
	for _, c := range []struct {
		name   string
		change map[uint16]any
		nw, se float64 // NaN is void
	}{
		{"a declared void", map[uint16]any{tagGDALNoData: "100"}, math.NaN(), 111},
		{"a void with blanks", map[uint16]any{tagGDALNoData: " 111.0 \n"}, 100, math.NaN()},
		{"a scale", map[uint16]any{tagGDALMeta: `<GDALMetadata><Item name="SCALE" sample="0" role="scale">2</Item><Item name="OFFSET" sample="0" role="offset">5</Item></GDALMetadata>`}, 205, 227},
		{"the scale of another band", map[uint16]any{tagGDALMeta: `<GDALMetadata><Item name="SCALE" sample="1" role="scale">2</Item></GDALMetadata>`}, 100, 111},
		{"feet", map[uint16]any{tagGeoKeys: keys(keyModel, modelGeographic, keyRaster, 1, keyGeographic, 4326, keyVerticalUnits, unitFoot)}, 30.48, 33.8328},
		{"a void before the scale", map[uint16]any{tagGDALNoData: "100", tagGDALMeta: `<GDALMetadata><Item role="scale">10</Item></GDALMetadata>`}, math.NaN(), 1110},
		{"no land is so high", map[uint16]any{tagGDALMeta: `<GDALMetadata><Item role="scale">100</Item></GDALMetadata>`}, math.NaN(), math.NaN()},
		{"unsigned", map[uint16]any{tagSampleFormat: nil}, 100, 111},
	} {
		m, err := openBytes("a.tif", little(c.change))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for p, want := range map[geo.LonLat]float64{nw: c.nw, se: c.se} {
			h, ok := m.Height(p)
			if ok == math.IsNaN(want) || ok && math.Abs(h-want) > 1e-4 {
				t.Errorf("%s: %v is %v %v, want %v", c.name, p, h, ok, want)
			}
		}
	}
}

// A block that was never written is void, not 0 m.
func TestTIFFSparse(t *testing.T) {
	m, err := openBytes("a.tif", little(map[uint16]any{tagRowsPerStrip: []uint16{1}, tagStripOffsets: []uint32{16, 0, 32}, tagStripBytes: []uint32{8, 0, 8}}))
	if err != nil {
		t.Fatal(err)
	}
	if h := heightAt(t, m, 8.05, 44.95); math.Abs(h-100) > 1e-6 {
		t.Errorf("first cell %v m", h)
	}
	for _, lat := range []float64{44.90, 44.85, 44.80} {
		if h, ok := m.Height(geo.LonLat{Lon: 8.05, Lat: lat}); ok {
			t.Errorf("latitude %v is %v m", lat, h)
		}
	}
}

// Overviews and masks come after the full image, but some come before.
func TestTIFFSkipsOverviews(t *testing.T) {
	full := little(nil)
	over := little(map[uint16]any{tagSubfile: []uint32{1}})
	// Chain: the overview's directory, then a copy of the full file's at its end.
	at := len(over)
	dir := int(binary.LittleEndian.Uint32(full[4:]))
	n := int(binary.LittleEndian.Uint16(over[dir:]))
	binary.LittleEndian.PutUint32(over[dir+2+12*n:], uint32(at))
	moved := append([]byte(nil), full[dir:]...)
	for i := range int(binary.LittleEndian.Uint16(moved)) {
		e := moved[2+12*i:]
		if size := kindSize[binary.LittleEndian.Uint16(e[2:])] * uint64(binary.LittleEndian.Uint32(e[4:])); size > 4 {
			binary.LittleEndian.PutUint32(e[8:], binary.LittleEndian.Uint32(e[8:])+uint32(at-dir))
		}
	}
	m, err := openBytes("a.tif", append(over, moved...))
	if err != nil {
		t.Fatal(err)
	}
	if h := heightAt(t, m, 8.05, 44.95); math.Abs(h-100) > 1e-6 {
		t.Errorf("first cell %v m", h)
	}
	binary.LittleEndian.PutUint32(over[dir+2+12*n:], uint32(dir)) // round and round
	if _, err := openBytes("a.tif", over); err == nil || !strings.Contains(err.Error(), "no full image among the first") {
		t.Error(err)
	}
}

func TestTIFFRefusals(t *testing.T) {
	good := little(nil)
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "truncated"},
		{"a page of the web", []byte("<html><body>404 not found"), "not a TIFF"},
		{"cut in the heights", good[:30], "truncated: 2 bytes are wanted at byte 40, the file has 30: download or copy it again"},
		{"cut in the tags", good[:60], "image directory: truncated"},
		{"cut in the places", good[:len(good)-60], "truncated"},
		{"heights beyond the end", little(map[uint16]any{tagStripOffsets: []uint32{1 << 30}}), "block 1 of 1: truncated: 24 bytes are wanted at byte 1073741824"},
		{"too few heights", little(map[uint16]any{tagStripBytes: []uint32{10}}), "block 1 of 1: it ends before its 24 bytes are full"},
		{"a huge claim", little(map[uint16]any{tagWidth: []uint32{math.MaxUint32}, tagHeight: []uint32{math.MaxUint32}}), "are more than the"},
		{"a large claim", little(map[uint16]any{tagWidth: []uint32{16000}, tagHeight: []uint32{16000}, tagRowsPerStrip: []uint32{16000}}), "cannot be true"},
		{"a huge tile", little(map[uint16]any{tagTileWidth: []uint32{1 << 20}, tagTileHeight: []uint32{1 << 20}}), "too large to read"},
		{"a tile without height", little(map[uint16]any{tagTileWidth: []uint32{16}}), "blocks of 16 × 0"},
		{"no width", little(map[uint16]any{tagWidth: nil}), "at least 2 × 2"},
		{"no places", little(map[uint16]any{tagStripOffsets: nil}), "0 of its 1 blocks have a place"},
		{"JPEG", little(map[uint16]any{tagCompression: []uint16{7}}), "compression JPEG is not read: convert it with gdal_translate -co COMPRESS=DEFLATE a.tif"},
		{"LERC", little(map[uint16]any{tagCompression: []uint16{34887}}), "compression LERC"},
		{"an unknown compression", little(map[uint16]any{tagCompression: []uint16{1234}}), "compression number 1234"},
		{"not deflate", little(map[uint16]any{tagCompression: []uint16{8}}), "unpack deflate"},
		{"not LZW", little(map[uint16]any{tagCompression: []uint16{5}}), "block 1 of 1:"},
		{"not zstd", little(map[uint16]any{tagCompression: []uint16{50000}}), "unpack zstd"},
		{"short packbits", little(map[uint16]any{tagCompression: []uint16{32773}, tagStripBytes: []uint32{3}}), "it ends before"},
		{"three bands", little(map[uint16]any{tagSamples: []uint16{3}}), "3 bands, heights have one"},
		{"12 bits", little(map[uint16]any{tagBits: []uint16{12}}), "samples of 12 bits"},
		{"complex", little(map[uint16]any{tagSampleFormat: []uint16{6}}), "format 6, are not read"},
		{"a wrong predictor", little(map[uint16]any{tagPredictor: []uint16{3}}), "predictor 3"},
		{"bits backwards", little(map[uint16]any{tagFillOrder: []uint16{2}}), "run backwards"},
		{"no coordinates", little(map[uint16]any{tagGeoKeys: nil}), "names no coordinate system: name it with gdal_translate -a_srs"},
		{"Gauss-Boaga", little(map[uint16]any{tagGeoKeys: keys(keyModel, modelProjected, keyProjected, 3003)}), "EPSG:3003 (Monte Mario / Italy zone 1) is not read: convert it with gdalwarp -t_srs"},
		{"one's own", little(map[uint16]any{tagGeoKeys: keys(keyModel, modelProjected, keyProjected, 32767), tagGeoASCII: "My grid|x"}), "coordinates of its own (My grid)"},
		{"degrees as metres", little(map[uint16]any{tagGeoKeys: keys(keyModel, modelProjected, keyProjected, 4326)}), "EPSG:4326"},
		{"feet on the ground", little(map[uint16]any{tagGeoKeys: keys(keyModel, modelProjected, keyProjected, 32632, keyLinearUnits, 9003)}), "units number 9003"},
		{"rotated", little(map[uint16]any{tagPixelScale: nil, tagTransform: []float64{1, 0.5, 0, 8, 0.5, -1, 0, 45}}), "rotated: lay it straight with gdalwarp a.tif"},
		{"no place", little(map[uint16]any{tagTiepoint: nil}), "does not say where its cells lie"},
		{"upside down", little(map[uint16]any{tagPixelScale: []float64{0.1, -0.1, 0}}), "rows must go south"},
		{"NaN cells", little(map[uint16]any{tagPixelScale: []float64{math.NaN(), 0.1, 0}}), "cells of NaN"},
		{"off the Earth", little(map[uint16]any{tagTiepoint: []float64{0, 0, 0, 8339, 45, 0}}), "does not lie on Earth in EPSG:4326"},
		{"off its zone", little(map[uint16]any{tagGeoKeys: keys(keyModel, modelProjected, keyProjected, 32632), tagTiepoint: []float64{0, 0, 0, 1e9, 1e12, 0}}), "does not lie on Earth in EPSG:32632"},
		{"nodata in words", little(map[uint16]any{tagGDALNoData: "none"}), `nodata value "none" is no number`},
		{"scale 0", little(map[uint16]any{tagGDALMeta: `<GDALMetadata><Item role="scale">0</Item></GDALMetadata>`}), "its scale"},
		{"broken XML", little(map[uint16]any{tagGDALMeta: `<GDALMetadata><Item`}), "GDAL metadata"},
		{"heights in dBm", little(map[uint16]any{tagGDALMeta: `<GDALMetadata><Item role="unittype">dBm</Item></GDALMetadata>`}), `heights in "dBm"`},
		{"a text for the width", little(map[uint16]any{tagWidth: "wide"}), "whole numbers are wanted"},
		{"numbers for the scale", little(map[uint16]any{tagPixelScale: []uint32{1, 1, 1}}), "doubles are wanted"},
	} {
		m, err := openBytes("a.tif", c.b)
		if err == nil {
			t.Errorf("%s: read as %+v", c.name, m.Source())
			continue
		}
		if !strings.Contains(err.Error(), "read terrain a.tif: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %q", c.name, err, c.want)
		}
		if fault.Of(err) != fault.Invalid || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: kind %v, %q", c.name, fault.Of(err), err)
		}
	}
}

// Every cut of a good file is refused with its name, none hangs or panics.
func TestTIFFCutAnywhere(t *testing.T) {
	good := little(nil)
	for n := range good {
		if _, err := openBytes("a.tif", good[:n]); err == nil || !strings.Contains(err.Error(), "a.tif") {
			t.Fatalf("%d of %d bytes: %v", n, len(good), err)
		}
	}
}

func FuzzTIFF(f *testing.F) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, big := range []bool{false, true} {
			for _, compression := range []uint16{1, 5, 8, 32773, 50000} {
				f.Add(build(order, big, with(map[uint16]any{tagCompression: []uint16{compression}, tagGDALNoData: "-9999"}), plainHeights(order)))
			}
		}
	}
	f.Add(little(map[uint16]any{tagTileWidth: []uint16{2}, tagTileHeight: []uint16{2}, tagTileOffsets: []uint32{16, 24, 16, 24}, tagTileBytes: []uint32{8, 8, 8, 0}, tagPredictor: []uint16{2}}))
	f.Add(little(map[uint16]any{tagBits: []uint16{32}, tagSampleFormat: []uint16{3}, tagPredictor: []uint16{3}, tagHeight: []uint16{2}, tagWidth: []uint16{3}, tagGeoKeys: keys(keyModel, modelProjected, keyProjected, 32632)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := readTIFF(input{strings.NewReader(string(b)), int64(len(b))}, "a.tif", 1<<16)
		if err != nil {
			return
		}
		if (len(g.i16) == 0) == (len(g.f32) == 0) || len(g.i16)+len(g.f32) != g.cols*g.rows {
			t.Fatalf("%d × %d cells, %d and %d heights", g.cols, g.rows, len(g.i16), len(g.f32))
		}
		m := Config{}.mosaic([]*grid{g})
		box := m.Bounds()
		for _, p := range []geo.LonLat{{Lon: box.West, Lat: box.South}, {Lon: box.East, Lat: box.North}, {Lon: (box.West + box.East) / 2, Lat: (box.South + box.North) / 2}} {
			if h, ok := m.Height(p); ok && !(h >= lowest-1 && h <= highest+1) {
				t.Fatalf("%v is %v m", p, h)
			}
		}
	})
}
