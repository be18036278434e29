package dem

import (
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// readTIFF reads the heights of a GeoTIFF.
func readTIFF(in input, name string, room int) (*grid, error) {
	d, err := openTIFF(in)
	if err != nil {
		return nil, err
	}
	l, err := d.layout(name, room)
	if err != nil {
		return nil, err
	}
	g := &grid{cols: int(l.width), rows: int(l.height)}
	if err := d.place(g, name); err != nil {
		return nil, err
	}
	m, err := d.meaning()
	if err != nil {
		return nil, err
	}
	if err := d.heights(g, l, m); err != nil {
		return nil, err
	}
	return g, nil
}

// GeoKeys (OGC 19-008r4, annex B) and the values known here.
const (
	keyModel         = 1024
	keyRaster        = 1025
	keyGeographic    = 2048
	keyAngularUnits  = 2054
	keyProjected     = 3072
	keyLinearUnits   = 3076
	keyVerticalUnits = 4099

	modelProjected  = 1
	modelGeographic = 2
	rasterPoint     = 2
	unitMetre       = 9001
	unitFoot        = 9002
	unitSurveyFoot  = 9003
	unitDegree      = 9102
	userDefined     = 32767
)

// geoKeys is the short keys of the directory.
func (d *directory) geoKeys() (map[int]int, error) {
	v, err := d.uints(tagGeoKeys, maxText/8)
	if err != nil || len(v) < 4 {
		return nil, err
	}
	keys := map[int]int{}
	for v = v[4:]; len(v) >= 4; v = v[4:] {
		if v[1] == 0 { // the value stands in the entry
			keys[int(v[0])] = int(v[3])
		}
	}
	return keys, nil
}

// place reads the coordinates and where the cells lie in them.
func (d *directory) place(g *grid, name string) error {
	keys, err := d.geoKeys()
	if err != nil {
		return err
	}
	if g.proj, err = d.crs(keys, name); err != nil {
		return err
	}
	scale, err := d.floats(tagPixelScale)
	if err != nil {
		return err
	}
	tie, err := d.floats(tagTiepoint)
	if err != nil {
		return err
	}
	matrix, err := d.floats(tagTransform)
	if err != nil {
		return err
	}
	warp := "lay it straight with gdalwarp " + name + " out.tif"
	switch {
	case len(scale) >= 2 && len(tie) >= 6:
		g.dx, g.dy = scale[0], scale[1]
		g.x0, g.y0 = tie[3]-tie[0]*g.dx, tie[4]+tie[1]*g.dy
	case len(matrix) >= 8:
		if matrix[1] != 0 || matrix[4] != 0 {
			return fmt.Errorf("its grid is rotated: %s", warp)
		}
		g.dx, g.dy, g.x0, g.y0 = matrix[0], -matrix[5], matrix[3], matrix[7]
	default:
		return fmt.Errorf("it does not say where its cells lie: give it the corners with gdal_translate -a_ullr WEST NORTH EAST SOUTH %s out.tif", name)
	}
	if !(g.dx > 0 && g.dy > 0) || math.IsInf(g.dx+g.dy, 0) {
		return fmt.Errorf("cells of %v × %v: rows must go south and columns east: %s", g.dx, g.dy, warp)
	}
	if keys[keyRaster] != rasterPoint { // the corner of the cell was given
		g.x0 += g.dx / 2
		g.y0 -= g.dy / 2
	}
	return g.onEarth(name)
}

// onEarth checks that the corners are places.
func (g *grid) onEarth(name string) error {
	wrong := func(x, y float64) error {
		return fmt.Errorf("corner %.6g, %.6g does not lie on Earth in EPSG:%d: name the right coordinates with gdal_translate -a_srs EPSG:CODE %s out.tif", x, y, crsOf(g.proj), name)
	}
	for _, f := range [][2]float64{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
		x, y := g.x0+f[0]*float64(g.cols-1)*g.dx, g.y0-f[1]*float64(g.rows-1)*g.dy
		if g.proj == nil {
			if !(x >= -180.5 && x <= 180.5 && y >= -90.5 && y <= 90.5) {
				return wrong(x, y)
			}
			continue
		}
		p := g.proj.inverse(x, y)
		if !p.Valid() {
			return wrong(x, y)
		}
		// Far outside its zone a projection no longer leads back.
		if bx, by := g.proj.forward(p); !(math.Hypot(bx-x, by-y) < 0.01) {
			return wrong(x, y)
		}
	}
	return nil
}

// crsNames are those often met that are refused by name.
var crsNames = map[int]string{
	3003: "Monte Mario / Italy zone 1", 3004: "Monte Mario / Italy zone 2", 4265: "Monte Mario", 4806: "Monte Mario (Rome)",
	23032: "ED50 / UTM zone 32N", 23033: "ED50 / UTM zone 33N", 4230: "ED50", 4269: "NAD83", 4267: "NAD27",
}

// crs is the projection of the file.
func (d *directory) crs(keys map[int]int, name string) (projection, error) {
	model := keys[keyModel]
	if model == 0 && keys[keyProjected] != 0 {
		model = modelProjected
	}
	if model == 0 && keys[keyGeographic] != 0 {
		model = modelGeographic
	}
	code, units, wanted := keys[keyGeographic], keys[keyAngularUnits], unitDegree
	if model == modelProjected {
		code, units, wanted = keys[keyProjected], keys[keyLinearUnits], unitMetre
	}
	if model == 0 {
		return nil, fmt.Errorf("it names no coordinate system: name it with gdal_translate -a_srs EPSG:CODE %s out.tif", name)
	}
	warp := fmt.Sprintf("convert it with gdalwarp -t_srs EPSG:4326 -r bilinear %s out.tif", name)
	p, degrees, ok := byEPSG(code)
	if !ok || degrees != (model == modelGeographic) {
		text, err := d.text(tagGeoASCII)
		if err != nil {
			return nil, err
		}
		what := fmt.Sprintf("EPSG:%d", code)
		if n := crsNames[code]; n != "" {
			text = n
		}
		if code == 0 || code == userDefined {
			what = "coordinates of its own"
		}
		if text = printable(text); text != "" {
			what += " (" + text + ")"
		}
		return nil, fmt.Errorf("%s is not read: %s", what, warp)
	}
	if units != 0 && units != wanted {
		return nil, fmt.Errorf("EPSG:%d in units number %d is not read: %s", code, units, warp)
	}
	return p, nil
}

// printable is the first part of a text tag, short and harmless.
func printable(s string) string {
	s, _, _ = strings.Cut(s, "|")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 60)]
}

// meaning is what a stored number stands for: a void, or number × scale +
// offset metres.
type meaning struct {
	scale, offset float64
	nodata        float64
	hasNodata     bool
}

func (m meaning) plain() bool { return m.scale == 1 && m.offset == 0 }

// meaning reads the nodata value, scale, offset and unit of the heights.
func (d *directory) meaning() (meaning, error) {
	m := meaning{scale: 1}
	keys, err := d.geoKeys()
	if err != nil {
		return m, err
	}
	text, err := d.text(tagGDALNoData)
	if err != nil {
		return m, err
	}
	if text = strings.Trim(text, " \x00\r\n\t"); text != "" {
		if m.nodata, err = strconv.ParseFloat(text, 64); err != nil {
			return m, fmt.Errorf("nodata value %q is no number: set it with gdal_translate -a_nodata -9999", printable(text))
		}
		m.hasNodata = true
	}
	meta, err := d.text(tagGDALMeta)
	if err != nil {
		return m, err
	}
	unit := ""
	switch keys[keyVerticalUnits] {
	case unitFoot:
		unit = "ft"
	case unitSurveyFoot:
		unit = "us-ft"
	}
	if meta != "" {
		if err := m.gdal(meta, &unit); err != nil {
			return m, err
		}
	}
	switch strings.ToLower(unit) {
	case "", "m", "metre", "meter", "metres", "meters":
	case "ft", "foot", "feet":
		m.scale, m.offset = m.scale*0.3048, m.offset*0.3048
	case "us-ft", "us survey foot", "ftus":
		m.scale, m.offset = m.scale*1200/3937, m.offset*1200/3937
	default:
		return m, fmt.Errorf("heights in %q are not read: convert them to metres with gdal_calc", printable(unit))
	}
	return m, nil
}

// gdal reads GDAL's own items of the first band.
func (m *meaning) gdal(text string, unit *string) error {
	var doc struct {
		Items []struct {
			Role   string `xml:"role,attr"`
			Sample string `xml:"sample,attr"`
			Value  string `xml:",chardata"`
		} `xml:"Item"`
	}
	if err := xml.Unmarshal([]byte(text), &doc); err != nil {
		return fmt.Errorf("its GDAL metadata (tag %d): %w: drop them with gdal_translate -nomd", tagGDALMeta, err)
	}
	for _, it := range doc.Items {
		if it.Sample != "" && it.Sample != "0" {
			continue
		}
		to := map[string]*float64{"scale": &m.scale, "offset": &m.offset}[it.Role]
		if it.Role == "unittype" {
			*unit = strings.TrimSpace(it.Value)
		}
		if to == nil {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(it.Value), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || v == 0 && it.Role == "scale" {
			return fmt.Errorf("its %s %q is of no use: set it with gdal_edit", it.Role, printable(it.Value))
		}
		*to = v
	}
	return nil
}
