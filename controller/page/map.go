package page

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/web"
)

// chart of the land as the server draws it, for browsers without JavaScript.
// Its units are the pixels of map tiles at one zoom.
type landMap struct {
	Width, Height int
	Side          float64 // of a tile
	Tiles         []tileImage
	Lines         []mapLine
	Dots          []mapDot
}

type tileImage struct {
	URL  string
	X, Y float64
}

type mapLine struct {
	X1, Y1, X2, Y2 float64
	Status         network.LinkStatus
}

type mapDot struct {
	X, Y   float64
	Seat   bool
	Label  string // "" when it would cover another
	LX, LY float64
	Anchor string // start, middle, end
}

// spot finds room for a name beside, over or under the dot.
func (d mapDot) spot(name string, m *landMap, taken, lines []box) (box, mapDot, bool) {
	wide := float64(len([]rune(name))) * labelSize * 0.62
	type place struct {
		b  box
		at mapDot
	}
	around := []place{
		{box{d.X + 8, d.Y - 9, d.X + 8 + wide, d.Y + 7}, mapDot{LX: d.X + 9, LY: d.Y, Anchor: "start"}},
		{box{d.X - 8 - wide, d.Y - 9, d.X - 8, d.Y + 7}, mapDot{LX: d.X - 9, LY: d.Y, Anchor: "end"}},
		{box{d.X - wide/2, d.Y - 24, d.X + wide/2, d.Y - 8}, mapDot{LX: d.X, LY: d.Y - 15, Anchor: "middle"}},
		{box{d.X - wide/2, d.Y + 8, d.X + wide/2, d.Y + 24}, mapDot{LX: d.X, LY: d.Y + 16, Anchor: "middle"}},
	}
	for _, others := range [][]box{slices.Concat(taken, lines), taken} {
		for _, p := range around {
			inside := p.b.x0 > 0 && p.b.y0 > 0 && p.b.x1 < float64(m.Width) && p.b.y1 < float64(m.Height)
			if inside && p.b.free(others) {
				return p.b, p.at, true
			}
		}
	}
	return box{}, mapDot{}, false
}

// boxes are small squares along the line.
func (l mapLine) boxes() []box {
	n := int(math.Hypot(l.X2-l.X1, l.Y2-l.Y1)/6) + 1
	var bs []box
	for i := 0; i <= n; i++ {
		f := float64(i) / float64(n)
		x, y := l.X1+f*(l.X2-l.X1), l.Y1+f*(l.Y2-l.Y1)
		bs = append(bs, box{x - 3, y - 3, x + 3, y + 3})
	}
	return bs
}

const (
	mapWidth  = 900 // pixels at most, before the margin
	mapMargin = 40
	labelSize = 13
)

// pixel is where p lies on the map of a zoom, in pixels from its north-west.
func pixel(p geo.LonLat, zoom int) (x, y float64) {
	mx, my := geo.Mercator(p)
	side := float64(int(geo.TileSide) << zoom)
	return (mx/geo.MercatorMax + 1) / 2 * side, (1 - my/geo.MercatorMax) / 2 * side
}

// land draws the network at the deepest zoom that fits.
func (s sight) land() *landMap {
	type dot struct {
		at    geo.LonLat
		name  string
		seat  bool
		links int
	}
	var dots []dot
	degree := map[string]int{}
	for _, l := range s.net.Links {
		for _, id := range []network.DeviceID{l.A, l.B} {
			if d, ok := s.net.Device(id); ok {
				degree[string(d.Site)+"/"+string(d.Seat)]++
			}
		}
	}
	for _, at := range s.net.Sites {
		dots = append(dots, dot{at.At, at.Name, false, degree[string(at.ID)+"/"]})
	}
	for _, at := range s.net.Seats {
		if n := degree["/"+string(at.ID)]; n > 0 {
			dots = append(dots, dot{at.At, at.Name, true, n})
		}
	}
	if len(dots) == 0 {
		return nil
	}
	zoom := 12
	var x0, y0, x1, y1 float64
	for ; zoom > 3; zoom-- {
		x0, y0, x1, y1 = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
		for _, d := range dots {
			x, y := pixel(d.at, zoom)
			x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
		}
		if x1-x0 <= mapWidth && y1-y0 <= mapWidth {
			break
		}
	}
	// Tiles are enlarged until the map has its width, so that names keep their
	// size.
	k := min(mapWidth/max(x1-x0, y1-y0, 1), 2)
	x0, y0 = x0-mapMargin/k, y0-mapMargin/k
	place := func(p geo.LonLat) (x, y float64) {
		x, y = pixel(p, zoom)
		return round1((x - x0) * k), round1((y - y0) * k)
	}
	m := &landMap{Width: int(math.Ceil((x1-x0)*k)) + mapMargin, Height: int(math.Ceil((y1-y0)*k)) + mapMargin, Side: round1(geo.TileSide * k)}
	if s.cfg.Tiles != "" {
		for ty := int(y0) / geo.TileSide; float64(ty*geo.TileSide) < y1+mapMargin/k; ty++ {
			for tx := int(x0) / geo.TileSide; float64(tx*geo.TileSide) < x1+mapMargin/k; tx++ {
				m.Tiles = append(m.Tiles, tileImage{tileURL(s.cfg.Tiles, zoom, tx, ty), round1((float64(tx*geo.TileSide) - x0) * k), round1((float64(ty*geo.TileSide) - y0) * k)})
			}
		}
	}
	for _, state := range s.linkStates() {
		l, _ := s.net.Link(state.Link)
		a, b, ok := s.ends(l)
		if !ok {
			continue
		}
		ax, ay := place(a)
		bx, by := place(b)
		m.Lines = append(m.Lines, mapLine{ax, ay, bx, by, state.Status})
	}
	// The best connected places are named first, where the name touches
	// nothing, else where it touches only lines; otherwise it is left out.
	slices.SortStableFunc(dots, func(a, b dot) int { return b.links - a.links })
	var taken, lines []box
	for _, d := range dots {
		x, y := place(d.at)
		taken = append(taken, box{x - 6, y - 6, x + 6, y + 6})
	}
	for _, l := range m.Lines {
		lines = append(lines, l.boxes()...)
	}
	for _, d := range dots {
		x, y := place(d.at)
		md := mapDot{X: x, Y: y, Seat: d.seat}
		if !d.seat {
			if b, at, ok := md.spot(d.name, m, taken, lines); ok {
				md.Label, md.LX, md.LY, md.Anchor = d.name, at.LX, at.LY, at.Anchor
				taken = append(taken, b)
			}
		}
		m.Dots = append(m.Dots, md)
	}
	return m
}

type box struct{ x0, y0, x1, y1 float64 }

func (b box) free(others []box) bool {
	for _, o := range others {
		if b.x0 < o.x1 && o.x0 < b.x1 && b.y0 < o.y1 && o.y0 < b.y1 {
			return false
		}
	}
	return true
}

func round1(v float64) float64 { return math.Round(v*10) / 10 }

func tileURL(pattern string, z, x, y int) string {
	return strings.NewReplacer("{z}", strconv.Itoa(z), "{x}", strconv.Itoa(x), "{y}", strconv.Itoa(y)).Replace(pattern)
}

// overview is /rete.
func (p *Pages) overview(w http.ResponseWriter, r *http.Request) error {
	t := p.of(r)
	rows := t.rows()
	count := map[network.LinkStatus]int{}
	for _, row := range rows {
		count[row.Status]++
	}
	open := t.alertList(true)
	var worst []alertRow
	for _, a := range open {
		if a.Severity == "critical" && len(worst) < 5 {
			worst = append(worst, t.alertRow(a))
		}
	}
	return p.html.Write(w, r, "rete.html", web.View{
		Title: "map.title", Nav: "/rete",
		Styles:  []string{"dist/leaflet.css"},
		Scripts: []string{"dist/leaflet.js", "rete/live.js", "rete/map.js"},
		Data: struct {
			Rows                              []linkRow
			Map                               *landMap
			Legend                            []network.LinkStatus
			Up, Degraded, Down, Unknown, Open int
			Native                            int
			Tiles, Credit, Now                string
		}{rows, t.land(), statuses, count[network.StatusUp], count[network.StatusDegraded], count[network.StatusDown], count[network.StatusUnknown],
			len(open), p.cfg.Native, p.cfg.Tiles, p.cfg.Credit, p.clock()},
	})
}

func (p *Pages) clock() string {
	return p.shell.Now().In(p.shell.Location()).Format("15:04:05")
}

// viewBox of the map.
func (m *landMap) ViewBox() string { return fmt.Sprintf("0 0 %d %d", m.Width, m.Height) }
