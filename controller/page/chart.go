package page

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/internal/web"
)

// chart is a line chart over time. The picture stretches with the page; its
// numbers stand beside it as text, so they stay readable on a phone. Both
// axes therefore have evenly spaced marks.
type chart struct {
	Title  string
	Unit   string
	Y      []string // marks, from the top down
	X      []string // marks, from left to right
	Grid   []float64
	Cols   []float64
	Lines  []chartLine
	Levels []chartLevel
	Empty  bool
	Says   string // the chart in one sentence, for those who do not see it
}

// chartLine is one series: its name and its path, with gaps.
type chartLine struct {
	N    int
	Name string
	Path string
	Last string
}

// chartLevel is a level to compare with: planned, promised.
type chartLevel struct {
	Name string
	Y    float64
}

// point is a value at a moment.
type point struct {
	at time.Time
	v  float64
}

type series struct {
	name   string
	points []point
}

type level struct {
	name  string
	value unit.Opt[float64]
}

// window is a stretch of time with its step and its marks.
type window struct {
	hours    int
	from, to time.Time
	step     time.Duration // of the history
	mark     time.Duration // between marks of the axis
}

// windows that can be chosen, by hours.
var windows = map[int]struct{ step, mark time.Duration }{
	1:  {30 * time.Second, 10 * time.Minute},
	6:  {2 * time.Minute, time.Hour},
	24: {10 * time.Minute, 4 * time.Hour},
}

// newWindow ends at the first mark after now, so that marks are round times.
func newWindow(now time.Time, hours int, place *time.Location) window {
	w, ok := windows[hours]
	if !ok {
		hours, w = 1, windows[1]
	}
	round := min(w.mark, time.Hour)
	_, offset := now.In(place).Zone()
	shift := time.Duration(offset) * time.Second
	to := now.Add(shift).Truncate(round).Add(round).Add(-shift)
	return window{hours, to.Add(-time.Duration(hours) * time.Hour), to, w.step, w.mark}
}

const (
	chartW = 1000.0
	chartH = 300.0
)

// draw makes the chart. least is the smallest height of the value axis, so
// that noise does not look like a storm; fromZero makes 0 its lower end.
func (t tongue) draw(title, unitName string, w window, fromZero bool, least float64, levels []level, all ...series) chart {
	c := chart{Title: title, Unit: unitName}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range all {
		for _, p := range s.points {
			lo, hi = min(lo, p.v), max(hi, p.v)
		}
	}
	c.Empty = hi < lo
	for _, l := range levels {
		if v, ok := l.value.Get(); ok {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if hi < lo {
		lo, hi = 0, least
	}
	if fromZero {
		lo, hi = 0, max(hi, least)
	} else if hi-lo < least {
		mid := (hi + lo) / 2
		lo, hi = mid-least/2, mid+least/2
	}
	lo, hi, marks := niceAxis(lo, hi)
	decimals := 0
	if marks[1]-marks[0] < 1 {
		decimals = 1
	}
	y := func(v float64) float64 { return round1((hi - v) / (hi - lo) * chartH) }
	for _, m := range slices.Backward(marks) {
		c.Y = append(c.Y, web.Number(t.lang, m, decimals))
		c.Grid = append(c.Grid, y(m))
	}
	x := func(at time.Time) float64 {
		return round1(float64(at.Sub(w.from)) / float64(w.to.Sub(w.from)) * chartW)
	}
	for at := w.from; !at.After(w.to); at = at.Add(w.mark) {
		c.X = append(c.X, at.In(t.shell.Location()).Format("15:04"))
		c.Cols = append(c.Cols, x(at))
	}
	for _, l := range levels {
		if v, ok := l.value.Get(); ok {
			c.Levels = append(c.Levels, chartLevel{l.name + " " + web.Number(t.lang, v, 0), y(v)})
		}
	}
	says := []string{}
	for i, s := range all {
		line := chartLine{N: i, Name: s.name, Path: path(s.points, w.step, x, y)}
		if n := len(s.points); n > 0 {
			low, high := math.Inf(1), math.Inf(-1)
			for _, p := range s.points {
				low, high = min(low, p.v), max(high, p.v)
			}
			num := func(v float64) string { return web.Number(t.lang, v, decimals) }
			line.Last = num(s.points[n-1].v) + "\u00a0" + unitName
			says = append(says, t.word("chart.says", s.name, num(low), num(high), line.Last))
		}
		c.Lines = append(c.Lines, line)
	}
	c.Says = title + ". " + strings.Join(says, "; ")
	if c.Empty {
		c.Says = title + ". " + t.word("chart.empty")
	}
	return c
}

// path draws the points; where more than two steps are missing it has a gap,
// and a point alone is a dot.
func path(points []point, step time.Duration, x func(time.Time) float64, y func(float64) float64) string {
	var b strings.Builder
	for i, p := range points {
		begins := i == 0 || p.at.Sub(points[i-1].at) > 5*step/2
		ends := i == len(points)-1 || points[i+1].at.Sub(p.at) > 5*step/2
		op := "L"
		if begins {
			op = "M"
		}
		fmt.Fprintf(&b, "%s%g %g", op, x(p.at), y(p.v))
		if begins && ends {
			b.WriteString("h.1")
		}
	}
	return b.String()
}

// niceAxis widens a range to evenly spaced round marks, four to seven of them.
func niceAxis(lo, hi float64) (from, to float64, marks []float64) {
	raw := (hi - lo) / 5
	mag := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * mag
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*mag >= raw {
			step = m * mag
			break
		}
	}
	first, last := math.Floor(lo/step+1e-9), math.Ceil(hi/step-1e-9)
	if last <= first {
		last = first + 1
	}
	for i := first; i <= last; i++ {
		marks = append(marks, i*step)
	}
	return first * step, last * step, marks
}
