package dem

import (
	"testing"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/testdata"
)

func BenchmarkHeight(b *testing.B) {
	for _, c := range []struct {
		name, file string
		from, to   geo.LonLat
	}{
		{"degrees-int16", "data/dem/provence_analog_srtm3/N43E005.hgt", geo.LonLat{Lon: 5.55, Lat: 43.3}, geo.LonLat{Lon: 5.8, Lat: 43.55}},
		{"degrees-float32", "data/dem/geotiff_variety/g_epsg4326_uint16_bigtiff_scaled.tif", geo.LonLat{Lon: 5.55, Lat: 43.3}, geo.LonLat{Lon: 5.8, Lat: 43.55}},
		{"utm-float32", "data/dem/geotiff_variety/b_epsg32632_float32_strip_lzw_p3.tif", geo.LonLat{Lon: 5.55, Lat: 43.3}, geo.LonLat{Lon: 5.8, Lat: 43.55}},
	} {
		m, err := Open(testdata.Shared(b, c.file))
		if err != nil {
			b.Fatal(err)
		}
		path := c.from.Walk(c.to, 4095)
		b.Run(c.name, func(b *testing.B) {
			i, sum := 0, 0.0
			for b.Loop() {
				h, _ := m.Height(path[i&4095])
				sum += h
				i++
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, c := range []struct{ name, file string }{
		{"demo-grid", "data/dem/alta_langa_30s/alta_langa_30s.tif"},
		{"hgt-3s", "data/dem/provence_analog_srtm3/N43E005.hgt"},
		{"utm-tiled", "data/dem/fine/bigtujunga_30m_epsg32611.tif"},
	} {
		file := testdata.Shared(b, c.file)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Open(file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A disc of 30 km at 3″.
func BenchmarkRaster(b *testing.B) {
	m, err := Open(testdata.Shared(b, "data/dem/provence_analog_srtm3/N43E005.hgt"))
	if err != nil {
		b.Fatal(err)
	}
	box := geo.Around(geo.LonLat{Lon: 5.5, Lat: 43.5}, 30000)
	for b.Loop() {
		if _, err := m.Raster(box, 0); err != nil {
			b.Fatal(err)
		}
	}
}
