package planning

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/crinale/crinale/internal/unit"
)

// TextWidth is the width of what is printed for people.
const TextWidth = 80

// Text writes the plan for people, TextWidth columns wide: first the verdict,
// then the figures it rests on.
func (p *LinkPlan) Text(w io.Writer) error {
	b := &strings.Builder{}
	answer := "does not reach 30 Mbps"
	switch {
	case p.Budget.MCS == nil || p.Budget.BackMCS == nil:
		answer = "no link"
	case p.Verdict.Reaches100:
		answer = "reaches 100 Mbps"
	case p.Verdict.Reaches30:
		answer = "reaches 30 Mbps"
	}
	fmt.Fprintf(b, "%s, %.2f km at %.0f MHz\n\n", strings.ToUpper(answer), p.Dist/1000, p.Freq)
	for _, s := range append([]string{p.sayPath(), p.sayRate()}, p.Caveats()...) {
		wrap(b, s, "", TextWidth)
	}
	b.WriteByte('\n')
	row := func(k, format string, args ...any) {
		fmt.Fprintf(b, "%-11s ", k)
		wrapHang(b, fmt.Sprintf(format, args...), 12, TextWidth)
	}
	row("A", "%.5f,%.5f, ground %.0f m, antenna %g m over it", p.From.Lat, p.From.Lon, p.From.Ground, p.From.Height)
	row("B", "%.5f,%.5f, ground %.0f m, antenna %g m over it", p.To.Lat, p.To.Lon, p.To.Ground, p.To.Height)
	row("aim A to B", "bearing %.1f°, tilt %s", p.Bearing, tiltText(p.Tilt))
	row("aim B to A", "bearing %.1f°, tilt %s", p.BackBearing, tiltText(p.BackTilt))
	row("gear", "%s", gearPair(p.Budget.GearA, p.Budget.GearB))
	row("channel", "%.0f MHz wide, %s polarisation, k = %.4g", p.Channel, p.Polarisation, p.K)
	row("loss", "%.1f dB: free space %.1f, diffraction %.1f, air %.2f", p.Loss.Total, p.Loss.FreeSpace, p.Loss.Diffraction, p.Loss.Gas)
	row("level", "EIRP %.1f dBm, received %.1f dBm, noise %.1f dBm, SNR %.1f dB", p.Budget.EIRP, p.Budget.RSSI, p.Budget.Noise, p.Budget.SNR)
	row("back", "EIRP %.1f dBm, received %.1f dBm, %s", p.Budget.BackEIRP, p.Budget.BackRSSI, mcsText(p.Budget.BackMCS, p.Budget.BackRate))
	row("rate", "%s", mcsText(p.Budget.MCS, p.Budget.Rate))
	row("terrain", "%s", p.Terrain)
	_, err := io.WriteString(w, b.String())
	return err
}

// tiltText says the direction in words too: a sign is easily overlooked on a
// mast.
func tiltText(t float64) string {
	switch {
	case t >= 0.005:
		return fmt.Sprintf("%.2f° up", t)
	case t <= -0.005:
		return fmt.Sprintf("%.2f° down", -t)
	}
	return "level"
}

func gearPair(a, b string) string {
	if a == b {
		return a + " at both ends"
	}
	return a + " (A), " + b + " (B)"
}

func mcsText(mcs *int, phy float64) string {
	if mcs == nil {
		return "no rate fits"
	}
	return fmt.Sprintf("MCS %d, %.0f Mbps on the air, about %.0f usable", *mcs, phy, float64(Usable(unit.Mbps(phy))))
}

// String says the terrain in one line.
func (s Source) String() string {
	out := fmt.Sprintf("%s, a height every %.0f m, %s", s.Source, s.CellM, s.Surface)
	if s.Surface == UnknownSurface {
		out = fmt.Sprintf("%s, a height every %.0f m, with or without trees: unknown", s.Source, s.CellM)
	}
	if s.Coarse {
		out += ", COARSE"
	}
	return out
}

// wrap writes a paragraph of at most width columns, each line after prefix.
func wrap(b *strings.Builder, s, prefix string, width int) {
	b.WriteString(prefix)
	wrapHang(b, s, utf8.RuneCountInString(prefix), width)
}

// wrapHang goes on at column col and hangs further lines there.
func wrapHang(b *strings.Builder, s string, col, width int) {
	at := col
	for i, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+n > width:
			b.WriteByte('\n')
			b.WriteString(strings.Repeat(" ", col))
			at = col
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	b.WriteByte('\n')
}

// Text writes the report for people: the sum, a line for each comune that has
// something, the worst served first, the names of those that have nothing, and
// what the figures rest on.
func (r *ShareReport) Text(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%d of %d inhabitants (%s) reach 30 Mbps, %d (%s) reach 100 Mbps\n", r.Covered30, r.Inhabitants,
		percent(r.Covered30, r.Inhabitants), r.Covered100, percent(r.Covered100, r.Inhabitants))
	sectors := "sectors"
	if r.Sectors == 1 {
		sectors = "sector"
	}
	fmt.Fprintf(b, "census of %d, %d %s\n\n", r.CensusYear, r.Sectors, sectors)
	var rows []ComuneShare
	var nothing []string
	for _, c := range r.Comuni {
		if c.Covered30 == 0 {
			nothing = append(nothing, c.Name)
			continue
		}
		rows = append(rows, c)
	}
	slices.SortStableFunc(rows, func(x, y ComuneShare) int {
		return cmp.Compare(x.Covered30*max(y.Inhabitants, 1), y.Covered30*max(x.Inhabitants, 1))
	})
	if len(rows) > 0 {
		fmt.Fprintf(b, "%-30s %11s %16s %16s\n", "comune", "inhabitants", "at 30 Mbps", "at 100 Mbps")
	}
	for _, c := range rows {
		fmt.Fprintf(b, "%-30s %11d %9d %6s %9d %6s\n", cut(c.Name, 30), c.Inhabitants, c.Covered30, percent(c.Covered30, c.Inhabitants),
			c.Covered100, percent(c.Covered100, c.Inhabitants))
	}
	if len(nothing) > 0 {
		if len(rows) > 0 {
			b.WriteByte('\n')
		}
		wrap(b, strings.Join(nothing, ", "), "nothing yet: ", TextWidth)
	}
	b.WriteByte('\n')
	for _, s := range r.Caveats {
		wrap(b, s, "", TextWidth)
	}
	fmt.Fprintf(b, "%-8s", "terrain")
	wrapHang(b, r.Terrain.String(), 8, TextWidth)
	_, err := io.WriteString(w, b.String())
	return err
}

func percent(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

// cut keeps n letters of a name.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
