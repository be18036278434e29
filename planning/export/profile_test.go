package export_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/export"
)

// waves is ground made by a function.
type waves struct {
	height func(p geo.LonLat) float64
	name   string
}

func (w waves) Height(p geo.LonLat) (float64, bool) { return w.height(p), true }
func (w waves) Source() planning.Source {
	return planning.Source{Source: w.name, CellM: 927, Surface: planning.BareEarth, Coarse: true}
}
func (w waves) Bounds() geo.Bounds { return geo.Bounds{West: 7, South: 44, East: 9, North: 45} }
func (w waves) Raster(geo.Bounds, float64) (*planning.Raster, error) {
	return nil, io.ErrUnexpectedEOF
}

func hills(top float64) waves {
	return waves{func(p geo.LonLat) float64 { return 400 + top*math.Sin((p.Lon-8)*40) }, `a <b> & "c" ` + strings.Repeat("very long name ", 9)}
}

func profilePlan(t testing.TB, w waves, d float64) *planning.LinkPlan {
	t.Helper()
	a := geo.LonLat{Lon: 8, Lat: 44.5}
	p, err := planning.PlanLink(w, planning.LinkQuery{A: planning.End{At: a, Height: 15}, B: planning.End{At: geo.LonLat{Lon: 8 + d, Lat: 44.52}, Height: 6}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProfileSVG(t *testing.T) {
	for name, p := range map[string]*planning.LinkPlan{
		"blocked": profilePlan(t, hills(150), 0.15), "clear": profilePlan(t, hills(-60), 0.07),
		"flat": profilePlan(t, hills(0), 0.1), "short": profilePlan(t, hills(20), 0.0002), "deep": profilePlan(t, hills(-4000), 0.1),
	} {
		for _, lang := range []string{"it", "en", "xx"} {
			var b bytes.Buffer
			if err := export.ProfileSVG(&b, p, lang); err != nil {
				t.Fatal(name, err)
			}
			checkSVG(t, name+" "+lang, b.Bytes())
			if dir := os.Getenv("CRINALE_PICTURES"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, name+"-"+lang+".svg"), b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := export.ProfileSVG(io.Discard, &planning.LinkPlan{}, "en"); err == nil {
		t.Error("a plan without a profile is drawn")
	}
}

// checkSVG: well formed, no script, nothing loaded, nothing outside the
// picture, and no two texts over one another.
func checkSVG(t *testing.T, name string, svg []byte) {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(svg))
	type box struct {
		l, r, y float64
		text    string
	}
	var boxes []box
	var cur *box
	size, sizes := 11.0, []float64{11}
	var anchor string
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			if n := strings.ToLower(e.Name.Local); n == "script" || n == "image" || n == "foreignobject" || n == "use" || n == "a" {
				t.Errorf("%s: element %s", name, n)
			}
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" {
					t.Errorf("%s: attribute %s", name, a.Name.Local)
				}
				if a.Name.Local == "font-size" {
					size, _ = strconv.ParseFloat(a.Value, 64)
				}
			}
			sizes = append(sizes, size)
			if e.Name.Local == "text" {
				cur, anchor = &box{}, "start"
				for _, a := range e.Attr {
					switch a.Name.Local {
					case "x":
						cur.l, _ = strconv.ParseFloat(a.Value, 64)
					case "y":
						cur.y, _ = strconv.ParseFloat(a.Value, 64)
					case "text-anchor":
						anchor = a.Value
					}
				}
			}
		case xml.CharData:
			if cur != nil {
				cur.text += string(e)
			}
		case xml.EndElement:
			if e.Name.Local == "text" {
				w := 0.55 * sizes[len(sizes)-1] * float64(len([]rune(cur.text)))
				switch anchor {
				case "middle":
					cur.l -= w / 2
				case "end":
					cur.l -= w
				}
				cur.r = cur.l + w
				if cur.l < -2 || cur.r > 362 {
					t.Errorf("%s: %q stands from %.0f to %.0f of 360", name, cur.text, cur.l, cur.r)
				}
				boxes = append(boxes, *cur)
				cur = nil
			}
			sizes = sizes[:len(sizes)-1]
			size = sizes[len(sizes)-1]
		}
	}
	for i, a := range boxes {
		for _, b := range boxes[:i] {
			if math.Abs(a.y-b.y) < 9 && a.l < b.r && b.l < a.r {
				t.Errorf("%s: %q and %q overlap", name, a.text, b.text)
			}
		}
	}
	if m := regexp.MustCompile(`NaN|Inf|https?://[^w]|url\(`).Find(svg); m != nil {
		t.Errorf("%s: %q in the picture", name, m)
	}
}
