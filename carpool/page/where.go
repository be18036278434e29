package page

import (
	"context"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/territory"
	"github.com/crinale/crinale/internal/web"
)

// gazetteer knows the comuni of the union and the settlements in them by name.
type gazetteer struct {
	union  *territory.Union
	byName map[string][]named // by folded name
}

// named is a spot that somebody can name who does not know the meeting points.
type named struct {
	Name   string
	Comune string // ISTAT code
	At     geo.LonLat
}

func newGazetteer(u *territory.Union) *gazetteer {
	g := &gazetteer{union: u, byName: map[string][]named{}}
	for _, c := range u.Comuni {
		g.add(named{c.Name, c.ISTAT, c.Hall})
	}
	for _, p := range u.Places {
		if !slices.ContainsFunc(g.byName[fold(p.Name)], func(n named) bool { return n.Comune == p.Comune }) {
			g.add(named{p.Name, p.Comune, p.At})
		}
	}
	return g
}

func (g *gazetteer) add(n named) {
	key := fold(n.Name)
	g.byName[key] = append(g.byName[key], n)
}

// comune is the name of a comune; its code where the union does not have it.
func (g *gazetteer) comune(istat string) string {
	if c, ok := g.union.Comune(istat); ok {
		return c.Name
	}
	return istat
}

// inUnion says whether a comune is one of the union.
func (g *gazetteer) inUnion(istat string) bool {
	_, ok := g.union.Comune(istat)
	return ok
}

// letters that people leave the accent off, or cannot type.
var unaccented = strings.NewReplacer("à", "a", "á", "a", "è", "e", "é", "e", "ì", "i", "í", "i", "ò", "o", "ó", "o", "ù", "u", "ú", "u", "ü", "u", "’", " ", "'", " ")

// fold is a name without what people write in many ways: capitals, accents,
// apostrophes, signs between words.
func fold(s string) string {
	s = unaccented.Replace(strings.ToLower(s))
	return strings.Join(strings.FieldsFunc(s, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }), " ")
}

// typed finds what somebody wrote as a place: the name of a meeting point, a
// comune or a settlement, or two numbers "44.55, 8.18". Several: they must
// choose.
func (g *gazetteer) typed(s string, places []carpool.Place) []typedPlace {
	if at, ok := readPosition(s); ok {
		return []typedPlace{{Name: s, Spot: carpool.Spot{At: at}}}
	}
	want := fold(s)
	if want == "" {
		return nil
	}
	var exact, begins []typedPlace
	note := func(name string, t typedPlace) {
		switch key := fold(name); {
		case key == want:
			exact = append(exact, t)
		case strings.HasPrefix(key, want) && len(want) >= 3:
			begins = append(begins, t)
		}
	}
	for _, p := range places {
		note(p.Name, typedPlace{p.Name, carpool.Spot{Place: p.ID, At: p.At}})
	}
	for _, all := range g.byName {
		for _, n := range all {
			name := n.Name
			if c := g.comune(n.Comune); c != n.Name {
				name += " (" + c + ")"
			}
			t := typedPlace{name, carpool.Spot{At: n.At}}
			note(n.Name, t)
			if fold(name) == want && fold(n.Name) != want {
				exact = append(exact, t)
			}
		}
	}
	if len(exact) == 0 {
		exact = begins
	}
	slices.SortFunc(exact, func(a, b typedPlace) int { return strings.Compare(a.Name, b.Name) })
	return exact
}

// typedPlace is what somebody may have meant.
type typedPlace struct {
	Name string
	Spot carpool.Spot
}

// readPosition reads "44.55, 8.18", latitude first as map sites print it.
func readPosition(s string) (geo.LonLat, bool) {
	a, b, ok := strings.Cut(s, ",")
	if !ok {
		return geo.LonLat{}, false
	}
	lat, err := strconv.ParseFloat(strings.TrimSpace(a), 64)
	if err != nil {
		return geo.LonLat{}, false
	}
	lon, err := strconv.ParseFloat(strings.TrimSpace(b), 64)
	at := geo.LonLat{Lon: lon, Lat: lat}
	return at, err == nil && at.Valid()
}

// end is one end of a journey, with the name it goes by.
type end struct {
	carpool.Spot
	Name string
}

// places are the meeting points that can be chosen.
func (p *Pages) places(ctx context.Context) ([]carpool.Place, error) {
	all, err := p.deps.Places.List(ctx, "")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(x carpool.Place) bool { return x.Closed }), nil
}

// end reads one end of a journey from two fields: NAME, a meeting point out of
// the list, and NAME-testo, a place in the visitor's own words. What is typed
// counts, if anything is.
func (p *Pages) end(f *filled, name string, places []carpool.Place) (end, bool) {
	words := f.line(name+"-testo", longest)
	if words == "" {
		id := f.raw(name)
		if id == "" {
			f.bad(name, "pool.wrong.place")
			return end{}, false
		}
		i := slices.IndexFunc(places, func(x carpool.Place) bool { return string(x.ID) == id })
		if i < 0 {
			f.bad(name, "pool.wrong.place.gone")
			return end{}, false
		}
		return end{carpool.Spot{Place: places[i].ID, At: places[i].At}, places[i].Name}, true
	}
	switch found := p.land.typed(words, places); {
	case len(found) == 0:
		f.bad(name+"-testo", "pool.wrong.place.unknown")
	case len(found) > 1:
		names := make([]string, 0, 5)
		for _, t := range found[:min(len(found), 5)] {
			names = append(names, t.Name)
		}
		f.bad(name+"-testo", "pool.wrong.place.many", strings.Join(names, "; "))
	case found[0].Spot.Place != "":
		f.values.Set(name, string(found[0].Spot.Place))
		f.values.Del(name + "-testo")
		return end{found[0].Spot, found[0].Name}, true
	default:
		return end{found[0].Spot, found[0].Name}, true
	}
	return end{}, false
}

// placeOptions are the meeting points as the lines of a list, by comune. Two
// such lists stand in every form, and the meeting points seldom change: the
// lines are made once.
func (p *Pages) placeOptions(say tongue, places []carpool.Place) template.HTML {
	p.lists.Lock()
	defer p.lists.Unlock()
	if last, ok := p.lists.of[say.lang]; ok && slices.Equal(last.places, places) {
		return last.lines
	}
	lines := p.placeLines(say, places)
	p.lists.of[say.lang] = placeList{places, lines}
	return lines
}

// placeLists are the lists made last, by language.
type placeLists struct {
	sync.Mutex
	of map[web.Lang]placeList
}

type placeList struct {
	places []carpool.Place
	lines  template.HTML
}

func (p *Pages) placeLines(say tongue, places []carpool.Place) template.HTML {
	groups := map[string][]carpool.Place{}
	for _, x := range places {
		c := p.land.comune(x.Comune)
		groups[c] = append(groups[c], x)
	}
	var b strings.Builder
	line := func(value, text string) {
		b.WriteString(`<option value="` + template.HTMLEscapeString(value) + `">` + template.HTMLEscapeString(text) + `</option>`)
	}
	line("", say.word("pool.place.choose"))
	for _, c := range slices.Sorted(maps.Keys(groups)) {
		b.WriteString(`<optgroup label="` + template.HTMLEscapeString(c) + `">`)
		slices.SortFunc(groups[c], func(x, y carpool.Place) int { return strings.Compare(x.Name, y.Name) })
		for _, x := range groups[c] {
			line(string(x.ID), x.Name)
		}
		b.WriteString(`</optgroup>`)
	}
	return template.HTML(b.String())
}

// comuneOptions are the comuni of the union as a list.
func (p *Pages) comuneOptions(say tongue) []option {
	out := []option{{Text: say.word("pool.comune.choose")}}
	for _, c := range p.deps.Union.Comuni {
		out = append(out, option{Value: c.ISTAT, Text: c.Name})
	}
	slices.SortFunc(out[1:], func(a, b option) int { return strings.Compare(a.Text, b.Text) })
	return out
}

// spotName is what an end of a journey is called on a page: a meeting point by
// its name; an address as it is where the visitor may read it.
func (p *Pages) spotName(ctx context.Context, say tongue, s carpool.Spot) string {
	if s.Place != "" {
		pl, err := p.deps.Places.Get(ctx, s.Place)
		switch {
		case err == nil:
			return pl.Name
		case fault.Of(err) != fault.NotFound:
			p.log.Warn("carpool pages: name a meeting point", "error", err)
		}
		return string(s.Place)
	}
	if s.Address != "" {
		return s.Address
	}
	if c, ok := p.near(s.At); ok {
		return say.word("pool.near", c)
	}
	return say.word("pool.somewhere")
}

// near is the name of the settlement or comune nearest to a point, within the
// width of a few cells.
func (p *Pages) near(at geo.LonLat) (string, bool) {
	best, name := 6000.0, ""
	for _, all := range p.land.byName {
		for _, n := range all {
			if d := at.Distance(n.At); float64(d) < best || float64(d) == best && n.Name < name {
				best, name = float64(d), n.Name
			}
		}
	}
	return name, name != ""
}
