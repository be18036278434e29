package export

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/planning"
)

// GeoTIFFOptions says what the values of a GeoTIFF are.
type GeoTIFFOptions struct {
	// Whole rounds to whole numbers (int16) instead of float32.
	Whole bool
	// Name and Unit describe the band, as in "level" and "dBm".
	Name, Unit string
	// Terrain on which the values rest; written as metadata.
	Terrain planning.Source
}

// Voids in the file.
const (
	voidFloat = -9999
	voidWhole = math.MinInt16
)

// maxTIFF is the size a classic TIFF can address, less room for its tags.
const maxTIFF = math.MaxUint32 - 1<<20

// GeoTIFF writes a raster as GeoTIFF: WGS84 degrees (EPSG:4326), strips
// packed by deflate with a predictor, voids declared. The corner stored is
// that of the first cell's area (PixelIsArea), half a cell from its centre.
func GeoTIFF(w io.Writer, r *planning.Raster, o GeoTIFFOptions) error {
	if err := check(r); err != nil {
		return fmt.Errorf("write GeoTIFF: %w", err)
	}
	f := &tiffWriter{r: r, whole: o.Whole, size: 4}
	if o.Whole {
		f.size = 2
	}
	if err := f.strips(); err != nil {
		return fmt.Errorf("write GeoTIFF: %w", err)
	}
	meta, err := metadata(o)
	if err != nil {
		return fmt.Errorf("write GeoTIFF: %w", err)
	}
	f.describe(meta)
	if _, err := f.writeTo(w); err != nil {
		return fmt.Errorf("write GeoTIFF: %w", err)
	}
	return nil
}

// check says whether a raster is whole.
func check(r *planning.Raster) error {
	switch {
	case r == nil || r.Cols < 1 || r.Rows < 1 || len(r.V) != r.Cols*r.Rows:
		return fault.New(fault.Internal, "a raster without its values")
	case !(r.CellLon > 0 && r.CellLat > 0) || math.IsInf(r.CellLon+r.CellLat, 0):
		return fault.New(fault.Internal, "a raster with cells of %v × %v degrees", r.CellLon, r.CellLat)
	}
	return nil
}

// tiffWriter gathers strips and tags, then writes header, tags, strips.
type tiffWriter struct {
	r            *planning.Raster
	whole        bool
	size         int // bytes of a sample
	rowsPerStrip int
	packed       bytes.Buffer
	sizes        []uint32
	tags         []tiffTag
}

// tiffTag is a tag with its value in little-endian bytes.
type tiffTag struct {
	id, kind uint16
	count    uint32
	value    []byte
}

// strips packs the rows in strips of some 64 kB.
func (f *tiffWriter) strips() error {
	row := f.r.Cols * f.size
	f.rowsPerStrip = min(max(1, 1<<16/row), f.r.Rows)
	line := make([]byte, row)
	z, err := zlib.NewWriterLevel(&f.packed, 6)
	if err != nil {
		return err
	}
	for first := 0; first < f.r.Rows; first += f.rowsPerStrip {
		before := f.packed.Len()
		z.Reset(&f.packed)
		for y := first; y < min(first+f.rowsPerStrip, f.r.Rows); y++ {
			v := f.r.V[y*f.r.Cols : (y+1)*f.r.Cols]
			if f.whole {
				wholeRow(line, v)
			} else {
				floatRow(line, v)
			}
			if _, err := z.Write(line); err != nil {
				return err
			}
		}
		if err := z.Close(); err != nil {
			return err
		}
		if f.packed.Len() > maxTIFF {
			return fault.New(fault.Invalid, "%d × %d cells are more than a TIFF holds: take a smaller area or a larger cell", f.r.Cols, f.r.Rows)
		}
		f.sizes = append(f.sizes, uint32(f.packed.Len()-before))
	}
	return nil
}

// wholeRow is a row of int16 with predictor 2: differences of neighbours.
func wholeRow(b []byte, v []float32) {
	var last int16
	for i, x := range v {
		n := int16(voidWhole)
		if f := float64(x); !math.IsNaN(f) && !math.IsInf(f, 0) {
			n = int16(math.Round(math.Max(voidWhole+1, math.Min(math.MaxInt16, f))))
		}
		binary.LittleEndian.PutUint16(b[2*i:], uint16(n-last))
		last = n
	}
}

// floatRow is a row of float32 with predictor 3: the highest bytes of all
// samples first, then differences of bytes.
func floatRow(b []byte, v []float32) {
	n := len(v)
	for i, x := range v {
		if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
			x = voidFloat
		}
		u := math.Float32bits(x)
		b[i], b[n+i], b[2*n+i], b[3*n+i] = byte(u>>24), byte(u>>16), byte(u>>8), byte(u)
	}
	for i := len(b) - 1; i > 0; i-- {
		b[i] -= b[i-1]
	}
}

// describe fills the tags, in growing order as TIFF 6.0 asks.
func (f *tiffWriter) describe(meta string) {
	r := f.r
	bits, format, predictor, void := uint16(32), uint16(3), uint16(3), strconv.Itoa(voidFloat)
	if f.whole {
		bits, format, predictor, void = 16, 2, 2, strconv.Itoa(voidWhole)
	}
	f.tags = []tiffTag{
		longs(256, uint32(r.Cols)),
		longs(257, uint32(r.Rows)),
		shorts(258, bits),
		shorts(259, 8), // deflate
		shorts(262, 1), // black is zero
		longs(273, make([]uint32, len(f.sizes))...),
		shorts(277, 1),
		longs(278, uint32(f.rowsPerStrip)),
		longs(279, f.sizes...),
		shorts(284, 1),
		shorts(317, predictor),
		shorts(339, format),
		doubles(33550, r.CellLon, r.CellLat, 0),
		doubles(33922, 0, 0, 0, r.West-r.CellLon/2, r.North+r.CellLat/2, 0),
		// Model geographic, raster of areas, EPSG:4326, degrees.
		shorts(34735, 1, 1, 0, 4, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326, 2054, 0, 1, 9102),
		ascii(42112, meta),
		ascii(42113, void),
	}
}

func shorts(id uint16, v ...uint16) tiffTag {
	t := tiffTag{id: id, kind: 3, count: uint32(len(v))}
	for _, x := range v {
		t.value = binary.LittleEndian.AppendUint16(t.value, x)
	}
	return t
}

func longs(id uint16, v ...uint32) tiffTag {
	t := tiffTag{id: id, kind: 4, count: uint32(len(v))}
	for _, x := range v {
		t.value = binary.LittleEndian.AppendUint32(t.value, x)
	}
	return t
}

func doubles(id uint16, v ...float64) tiffTag {
	t := tiffTag{id: id, kind: 12, count: uint32(len(v))}
	for _, x := range v {
		t.value = binary.LittleEndian.AppendUint64(t.value, math.Float64bits(x))
	}
	return t
}

func ascii(id uint16, s string) tiffTag {
	return tiffTag{id: id, kind: 2, count: uint32(len(s) + 1), value: append([]byte(s), 0)}
}

// writeTo writes the file: header, directory, long values, strips.
func (f *tiffWriter) writeTo(w io.Writer) (int64, error) {
	long := 8 + 2 + 12*len(f.tags) + 4
	at := long
	for _, t := range f.tags {
		if len(t.value) > 4 {
			at += len(t.value) + len(t.value)%2
		}
	}
	for i, off := 0, uint32(at); i < len(f.sizes); i++ {
		binary.LittleEndian.PutUint32(f.tags[5].value[4*i:], off)
		off += f.sizes[i]
	}
	b := append([]byte("II*\x00"), 8, 0, 0, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(f.tags)))
	var tail []byte
	for _, t := range f.tags {
		b = binary.LittleEndian.AppendUint16(b, t.id)
		b = binary.LittleEndian.AppendUint16(b, t.kind)
		b = binary.LittleEndian.AppendUint32(b, t.count)
		if len(t.value) <= 4 {
			b = append(b, append(t.value, 0, 0, 0, 0)[:4]...)
			continue
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(long+len(tail)))
		tail = append(tail, t.value...)
		if len(tail)%2 == 1 {
			tail = append(tail, 0)
		}
	}
	b = append(b, 0, 0, 0, 0) // no further image
	n, err := w.Write(append(b, tail...))
	if err != nil {
		return int64(n), err
	}
	m, err := f.packed.WriteTo(w)
	return int64(n) + m, err
}

// metadata is GDAL's own: the band's name and unit, and the terrain.
func metadata(o GeoTIFFOptions) (string, error) {
	type item struct {
		Name   string `xml:"name,attr"`
		Sample string `xml:"sample,attr,omitempty"`
		Role   string `xml:"role,attr,omitempty"`
		Value  string `xml:",chardata"`
	}
	doc := struct {
		XMLName xml.Name `xml:"GDALMetadata"`
		Items   []item   `xml:"Item"`
	}{}
	add := func(it item) {
		if it.Value != "" {
			doc.Items = append(doc.Items, it)
		}
	}
	if t := o.Terrain; t.Source != "" {
		add(item{Name: "TERRAIN_SOURCE", Value: t.Source})
		add(item{Name: "TERRAIN_CELL_M", Value: strconv.FormatFloat(t.CellM, 'f', -1, 64)})
		add(item{Name: "TERRAIN_SURFACE", Value: string(t.Surface)})
		add(item{Name: "TERRAIN_COARSE", Value: strconv.FormatBool(t.Coarse)})
	}
	add(item{Name: "DESCRIPTION", Sample: "0", Role: "description", Value: o.Name})
	add(item{Name: "UNITTYPE", Sample: "0", Role: "unittype", Value: o.Unit})
	b, err := xml.Marshal(doc)
	return string(b), err
}
