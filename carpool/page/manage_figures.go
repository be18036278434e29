package page

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/crinale/crinale/internal/web"
)

// PortalFigures say how well the portal serves, without a name in them.
type PortalFigures struct {
	Requests []CountOf // by state, in the order to show
	Bookings []CountOf
	Needed   int     // requests whose day has come and that were not withdrawn
	Served   int     // of them: by a neighbour's car
	Stated   int     // of them: told of a bus, the list or the desk
	CO2Kg    float64 // saved
	Method   string  // how that is reckoned, with its source
	Months   []MonthFigures
}

// CountOf is how many there are of a state.
type CountOf struct {
	State string
	Count int
}

// MonthFigures are those of one month, "2026-11".
type MonthFigures struct {
	Month          string
	Needed, Served int
	CO2Kg          float64
}

// Figures reckons them for a span of time.
type Figures interface {
	Figures(ctx context.Context, from, to time.Time) (PortalFigures, error)
}

// figuresBack is how far back the page looks.
const figuresBack = 12

type figuresView struct {
	Ready              bool
	Share, Needed      string
	Served, Stated     string
	CO2, Method        string
	Requests, Bookings []countRow
	Months             []monthRow
	Chart              barChart
}

type countRow struct {
	Name  string
	Count int
}

type monthRow struct {
	Name           string
	Needed, Served int
	Share, CO2     string
}

// barChart is requests and those served by month; the table below it says the
// same.
type barChart struct {
	Width, Height, Base float64
	Bars                []bar
	Top                 int // of the scale
	Says                string
}

type bar struct {
	X, W             float64
	Y, H             float64 // needed
	YServed, HServed float64
	Label            string
	LabelX           float64
	Needed, Served   int
}

// managePage is /passaggi/gestione: the figures.
func (s *Staff) managePage(w http.ResponseWriter, r *http.Request) error {
	p := s.of(r)
	v := figuresView{Ready: s.deps.Figures != nil}
	if v.Ready {
		now := s.shell.Now().In(s.shell.Location())
		from := time.Date(now.Year(), now.Month()-figuresBack+1, 1, 0, 0, 0, 0, s.shell.Location())
		f, err := s.deps.Figures.Figures(r.Context(), from, now)
		if err != nil {
			return err
		}
		v = p.figures(f)
	}
	return s.managed(w, r, http.StatusOK, "manage.html", "manage.title", v)
}

// figures are those of the portal, as the page says them.
func (p speech) figures(f PortalFigures) figuresView {
	num := func(n int) string { return web.Number(p.lang, float64(n), 0) }
	v := figuresView{Ready: true, Share: p.share(f.Served, f.Needed), Needed: num(f.Needed), Served: num(f.Served), Stated: num(f.Stated),
		CO2: web.Number(p.lang, f.CO2Kg, 0) + "\u00a0kg", Method: f.Method}
	for _, c := range f.Requests {
		v.Requests = append(v.Requests, countRow{p.word("desk.request." + c.State), c.Count})
	}
	for _, c := range f.Bookings {
		v.Bookings = append(v.Bookings, countRow{p.word("desk.booking." + c.State), c.Count})
	}
	for _, m := range f.Months {
		v.Months = append(v.Months, monthRow{p.month(m.Month), m.Needed, m.Served, p.share(m.Served, m.Needed), web.Number(p.lang, m.CO2Kg, 0) + "\u00a0kg"})
	}
	v.Chart = p.barChart(f.Months)
	return v
}

// share is a part in percent; none of none is no share.
func (p speech) share(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	percent := 100 * float64(part) / float64(whole)
	switch { // 99.6 is not told as 100, nor 0.3 as 0
	case part < whole:
		percent = min(percent, 99)
	}
	if part > 0 {
		percent = max(percent, 1)
	}
	return web.Number(p.lang, math.Floor(percent+0.5), 0) + "\u00a0%"
}

// month is "novembre 2026".
func (p speech) month(text string) string {
	t, err := time.Parse("2006-01", text)
	if err != nil {
		return text
	}
	return fmt.Sprintf("%s %d", p.word("desk.month."+monthKeys[t.Month()-1]), t.Year())
}

const (
	barsWidth  = 640.0
	barsHeight = 260.0
	barsFoot   = 40.0
)

func (p speech) barChart(months []MonthFigures) barChart {
	c := barChart{Width: barsWidth, Height: barsHeight, Base: barsHeight - barsFoot, Top: 1}
	most, served := 0, 0
	for _, m := range months {
		c.Top, most, served = max(c.Top, m.Needed), most+m.Needed, served+m.Served
	}
	if len(months) == 0 {
		return c
	}
	step := barsWidth / float64(len(months))
	high := func(n int) float64 { return math.Round(float64(n)/float64(c.Top)*(c.Base-20)*10) / 10 }
	for i, m := range months {
		label := m.Month
		if t, err := time.Parse("2006-01", m.Month); err == nil {
			label = string([]rune(p.word("desk.month." + monthKeys[t.Month()-1]))[:3])
		}
		b := bar{X: math.Round(float64(i)*step + step*0.15), W: math.Round(step * 0.7), Label: label, Needed: m.Needed, Served: m.Served, LabelX: math.Round(float64(i)*step + step/2)}
		b.H, b.HServed = high(m.Needed), high(m.Served)
		b.Y, b.YServed = c.Base-b.H, c.Base-b.HServed
		c.Bars = append(c.Bars, b)
	}
	c.Says = p.word("manage.chart.says", len(months), most, served)
	return c
}

// ViewBox of the chart.
func (c barChart) ViewBox() string { return fmt.Sprintf("0 0 %g %g", c.Width, c.Height) }
