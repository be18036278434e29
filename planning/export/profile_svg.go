package export

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/crinale/crinale/planning"
)

// The picture is drawn for 360 units of width, so that at 360 pixels its
// letters have their own size, and larger where there is room.
const (
	svgWidth, svgHeight     = 360.0, 278.0
	plotLeft, plotRight     = 38.0, 350.0
	plotTop, plotBottom     = 66.0, 216.0
	titleY, verdictY, obstY = 16.0, 33.0, 51.0
	ticksY, legendY, footY  = 230.0, 250.0, 269.0
	letters                 = 58 // that fit a line
)

// Colours stand as attributes, so that the picture is right where a page
// forbids styles; the style only turns them for dark screens.
const profileStyle = `<style>.cp text{font-family:"Titillium Web",system-ui,sans-serif}@media (prefers-color-scheme:dark){` +
	`.cp-back{fill:#17191c}.cp-ink{fill:#f2f2f2}.cp-faint{fill:#c5c7c9}.cp-grid{stroke:#4b4f54}.cp-ground{fill:#6b5a45;stroke:#c9b48f}` +
	`.cp-zone{fill:#7ab8ff;stroke:#7ab8ff}.cp-sixty{stroke:#7ab8ff}.cp-ray{stroke:#ffffff}.cp-bad{stroke:#ff9b8a}.cp-badtext{fill:#ff9b8a}.cp-mark{fill:#ff9b8a}}</style>`

// ProfileSVG draws a link's profile: the ground with the Earth's bulge, the
// ray, the first Fresnel zone and the 60 % of it that should be free, and the
// obstacle that limits it. lang is "it" or "en" (also for any other). The
// picture has no script and loads nothing.
func ProfileSVG(w io.Writer, p *planning.LinkPlan, lang string) error {
	words, ok := profileLanguages[lang]
	if !ok {
		lang, words = "en", profileLanguages["en"]
	}
	if p.Profile == nil || len(p.Profile.D) < 3 {
		return fmt.Errorf("draw profile: the plan carries no profile; make it with planning.PlanLink")
	}
	d := newProfileDrawing(p, words)
	d.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="100%%" role="img" class="cp" lang="%s" aria-label="%s" font-family="sans-serif" font-size="11">`,
		svgWidth, svgHeight, lang, escape(d.title+". "+d.headline))
	d.printf("%s\n<title>%s</title>\n", profileStyle, escape(d.title))
	d.printf(`<rect class="cp-back" width="%g" height="%g" fill="#ffffff"/>`+"\n", svgWidth, svgHeight)
	d.grid()
	d.zone()
	d.terrain()
	d.ray()
	d.obstacle()
	d.texts()
	d.printf("</svg>\n")
	_, err := w.Write(d.out.Bytes())
	return err
}

// profileDrawing is one picture in the making.
type profileDrawing struct {
	out             bytes.Buffer
	p               *planning.LinkPlan
	words           profileWords
	title, headline string
	low, high       float64 // metres over sea level at the bottom and top
	hA, hB          float64
	length          float64
	ae, λ           float64
}

func newProfileDrawing(p *planning.LinkPlan, words profileWords) *profileDrawing {
	d := &profileDrawing{p: p, words: words, headline: words.headline(p), length: p.Profile.Length()}
	d.title = fmt.Sprintf(words.title, words.number(d.length/1000, 2), p.Freq)
	d.hA, d.hB = p.Heights()
	w := p.Wave()
	d.ae, d.λ = w.Radius(), float64(w.Freq.Wavelength())
	d.low, d.high = math.Inf(1), math.Inf(-1)
	for i, x := range p.Profile.D {
		g := d.groundAt(i)
		d.low = math.Min(d.low, g)
		d.high = math.Max(d.high, math.Max(g, d.rayAt(x)+d.radiusAt(x)))
	}
	room := math.Max(0.06*(d.high-d.low), 5)
	d.low, d.high = d.low-room, d.high+room
	return d
}

func (d *profileDrawing) printf(format string, args ...any) { fmt.Fprintf(&d.out, format, args...) }

// groundAt is the height of a sample with the Earth's bulge.
func (d *profileDrawing) groundAt(i int) float64 {
	x := d.p.Profile.D[i]
	return d.p.Profile.H[i] + x*(d.length-x)/(2*d.ae)
}

func (d *profileDrawing) rayAt(x float64) float64 { return d.hA + (d.hB-d.hA)*x/d.length }

// radiusAt is the radius of the first Fresnel zone.
func (d *profileDrawing) radiusAt(x float64) float64 {
	return math.Sqrt(d.λ * x * math.Max(d.length-x, 0) / d.length)
}

func (d *profileDrawing) x(m float64) float64 {
	return plotLeft + m/d.length*(plotRight-plotLeft)
}

func (d *profileDrawing) y(h float64) float64 {
	return plotBottom - (h-d.low)/(d.high-d.low)*(plotBottom-plotTop)
}

// ticks are round values from lo to hi, at most n steps.
func ticks(lo, hi float64, n int) []float64 {
	span := hi - lo
	if !(span > 0) || math.IsInf(span, 0) {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10(span/float64(n))))
	for _, m := range []float64{1, 2, 5, 10} {
		if span/(step*m) <= float64(n) {
			step *= m
			break
		}
	}
	var out []float64
	for k := math.Ceil(lo / step); k*step <= hi+step*1e-9; k++ {
		out = append(out, k*step)
	}
	return out
}

func (d *profileDrawing) grid() {
	d.printf(`<g class="cp-grid" stroke="#d9dadb" stroke-width="0.6">`)
	for _, h := range ticks(d.low, d.high, 5) {
		d.printf(`<path d="M%g %.1fH%g"/>`, plotLeft, d.y(h), plotRight)
	}
	d.printf("</g>\n" + `<g class="cp-faint" fill="#455b71">`)
	for _, h := range ticks(d.low, d.high, 5) {
		d.printf(`<text x="%g" y="%.1f" text-anchor="end">%.0f</text>`, plotLeft-4, math.Max(d.y(h)+4, plotTop+2), h)
	}
	d.printf(`<text x="%g" y="%g">m</text>`, 6.0, plotBottom+14)
	km := ticks(0, d.length/1000, 6)
	for i, v := range km {
		prec := 0
		if len(km) > 1 && km[1] < 1 {
			prec = 1
			if km[1] < 0.1 {
				prec = 2
			}
		}
		label, anchor, x := d.words.number(v, prec), "middle", d.x(v*1000)
		if i == len(km)-1 {
			label += " km"
			if x > plotRight-16 {
				anchor, x = "end", plotRight+6
			}
		}
		d.printf(`<text x="%.1f" y="%g" text-anchor="%s">%s</text>`, x, ticksY, anchor, label)
	}
	d.printf("</g>\n")
}

// curve writes the points of a line over 72 steps of the path.
func (d *profileDrawing) curve(sign, share float64) string {
	const n = 72
	var b strings.Builder
	for i := range n + 1 {
		x := d.length * float64(i) / n
		if sign > 0 { // the upper edge runs back
			x = d.length - x
		}
		fmt.Fprintf(&b, "%.1f,%.1f ", d.x(x), d.y(d.rayAt(x)+sign*share*d.radiusAt(x)))
	}
	return b.String()
}

func (d *profileDrawing) zone() {
	d.printf(`<polygon class="cp-zone" fill="#0066cc" fill-opacity="0.18" stroke="#0066cc" stroke-width="0.7" points="%s%s"/>`+"\n",
		d.curve(-1, 1), strings.TrimSpace(d.curve(1, 1)))
}

// terrain is the ground as a filled line; of many samples that fall on one
// unit of the picture the highest is drawn, so that no ridge is lost.
func (d *profileDrawing) terrain() {
	var b strings.Builder
	samples := d.p.Profile.D
	per := max(1, len(samples)/int(plotRight-plotLeft))
	for from := 0; from < len(samples); from += per {
		top := from
		for i := from; i < min(from+per, len(samples)); i++ {
			if d.groundAt(i) > d.groundAt(top) {
				top = i
			}
		}
		if from == 0 {
			top = 0
		}
		fmt.Fprintf(&b, "L%.1f %.1f", d.x(samples[top]), d.y(d.groundAt(top)))
	}
	last := len(samples) - 1
	fmt.Fprintf(&b, "L%.1f %.1f", d.x(samples[last]), d.y(d.groundAt(last)))
	d.printf(`<path class="cp-ground" fill="#c9b48f" stroke="#6b5a45" stroke-width="1" d="M%g %g%sL%g %gZ"/>`+"\n",
		plotLeft, plotBottom, b.String(), plotRight, plotBottom)
}

func (d *profileDrawing) ray() {
	d.printf(`<polyline class="cp-sixty" fill="none" stroke="#004d99" stroke-width="0.8" stroke-dasharray="3 2" points="%s"/>`+"\n", strings.TrimSpace(d.curve(-1, 0.6)))
	d.printf(`<path class="cp-ray" fill="none" stroke="#17324d" stroke-width="1.4" d="M%.1f %.1fL%.1f %.1f"/>`+"\n", d.x(0), d.y(d.hA), d.x(d.length), d.y(d.hB))
	last := len(d.p.Profile.D) - 1
	d.printf(`<path class="cp-ray" fill="none" stroke="#17324d" stroke-width="2.4" d="M%.1f %.1fV%.1fM%.1f %.1fV%.1f"/>`+"\n",
		d.x(0), d.y(d.groundAt(0)), d.y(d.hA), d.x(d.length), d.y(d.groundAt(last)), d.y(d.hB))
}

// obstacle marks the limiting one: a dot on the ground, a line to the ray, and
// a thin one up to its words.
func (d *profileDrawing) obstacle() {
	c := d.p.Limit
	x, g := d.x(c.D), d.y(d.groundAt(c.Index))
	d.printf(`<path class="cp-bad" stroke="#b3261e" stroke-width="0.7" stroke-dasharray="1 2" d="M%.1f %gV%.1f"/>`, x, obstY+4, math.Min(g, d.y(d.rayAt(c.D))))
	d.printf(`<path class="cp-bad" stroke="#b3261e" stroke-width="1.6" d="M%.1f %.1fV%.1f"/>`, x, g, d.y(d.rayAt(c.D)))
	d.printf(`<circle class="cp-mark" fill="#b3261e" cx="%.1f" cy="%.1f" r="3"/>`+"\n", x, g)
}

func (d *profileDrawing) texts() {
	c := d.p.Limit
	d.printf(`<g class="cp-ink" fill="#17324d"><text x="8" y="%g" font-size="13" font-weight="700">%s</text>`, titleY, escape(shorten(d.title, 50)))
	d.printf(`<text x="8" y="%g">%s</text></g>`+"\n", verdictY, escape(shorten(d.headline, letters)))
	// The obstacle's words stand over it, kept inside the picture.
	note := fmt.Sprintf(d.words.obstacle, c.Ground, d.words.number(c.D/1000, 2))
	half := float64(len([]rune(note))) * 5.6 / 2
	x := math.Min(math.Max(d.x(c.D), 8+half), svgWidth-8-half)
	d.printf(`<text class="cp-badtext" fill="#b3261e" x="%.1f" y="%g" text-anchor="middle">%s</text>`+"\n", x, obstY, escape(note))
	// A and B over their masts.
	d.printf(`<g class="cp-ink" fill="#17324d" font-weight="700"><text x="%g" y="%.1f">A</text><text x="%g" y="%.1f" text-anchor="end">B</text></g>`+"\n",
		plotLeft+4, math.Max(d.y(d.hA)-5, plotTop+10), plotRight-4, math.Max(d.y(d.hB)-5, plotTop+10))
	d.legend()
	foot := fmt.Sprintf("%s, %.0f m", d.p.Terrain.Source, d.p.Terrain.CellM)
	room := letters
	if d.p.Terrain.Coarse {
		room -= len([]rune(d.words.coarse)) + 3
	}
	foot = shorten(foot, room)
	if d.p.Terrain.Coarse {
		foot += " · " + d.words.coarse
	}
	d.printf(`<text class="cp-faint" fill="#455b71" x="8" y="%g" font-size="10">%s</text>`+"\n", footY, escape(foot))
}

func (d *profileDrawing) legend() {
	y := legendY - 4.0
	d.printf(`<rect class="cp-ground" fill="#c9b48f" stroke="#6b5a45" x="8" y="%g" width="14" height="8"/>`, y-4)
	d.printf(`<path class="cp-ray" stroke="#17324d" stroke-width="1.4" d="M82 %gh14"/>`, y)
	d.printf(`<rect class="cp-zone" fill="#0066cc" fill-opacity="0.18" stroke="#0066cc" stroke-width="0.7" x="146" y="%g" width="14" height="8"/>`, y-4)
	d.printf(`<path class="cp-sixty" stroke="#004d99" stroke-width="0.8" stroke-dasharray="3 2" d="M266 %gh14"/>`, y)
	d.printf(`<g class="cp-faint" fill="#455b71"><text x="26" y="%g">%s</text><text x="100" y="%g">%s</text><text x="164" y="%g">%s</text><text x="284" y="%g">%s</text></g>`+"\n",
		legendY, d.words.ground, legendY, d.words.ray, legendY, d.words.zone, legendY, d.words.sixty)
}

func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// escape makes text safe inside XML; what XML cannot hold becomes U+FFFD.
func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}
