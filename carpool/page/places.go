package page

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/territory"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/internal/web"
)

// StaffPlaces are the meeting points, and the union's list of whom to call.
type StaffPlaces interface {
	List(ctx context.Context, comune string) ([]carpool.Place, error)
	Get(ctx context.Context, id carpool.PlaceID) (carpool.Place, error)
	Put(ctx context.Context, by carpool.By, p carpool.Place) (carpool.Place, error)
	Listed(ctx context.Context, comune string) ([]carpool.Listed, error)
	PutListed(ctx context.Context, by carpool.By, l carpool.Listed) (carpool.Listed, error)
	DropListed(ctx context.Context, by carpool.By, id string) error
}

// placeKinds in the order of the form.
var placeKinds = []carpool.PlaceKind{carpool.BusStop, carpool.Square, carpool.CarPark, carpool.Health, carpool.SchoolGate, carpool.Station, carpool.Landmark}

// nearBorder is how far outside the outline of its comune a point may lie: the
// outlines are simplified.
const nearBorder = unit.Metres(500)

func (s *Staff) placesRoutes() staffRoutes {
	return staffRoutes{
		"GET " + placesPath:             s.placeList,
		"POST " + placesPath:            s.addPlace,
		"GET " + placesPath + "/nuovo":  s.newPlace,
		"GET " + placesPath + "/{id}":   s.onePlace,
		"POST " + placesPath + "/{id}":  s.changePlace,
		"POST " + placesPath + "/nuovo": s.addPlace,
	}
}

// mapView is a map that a script draws where it can.
type mapView struct {
	Tiles, Credit string
	Native        int
	Lat, Lon      float64 // its middle when there is nothing on it
	Pick          bool    // a click sets the position in the form
}

// placeRow is a meeting point in the list.
type placeRow struct {
	carpool.Place
	URL, ComuneName, KindName string
	Signs                     []string // what one finds there
}

type placesView struct {
	Done           string
	Rows           []placeRow
	Open, Closed   int
	Filter         staffField
	Many           bool // of several comuni
	Map            mapView
	NewURL, Comune string
}

// placeList is /passaggi/punti.
func (s *Staff) placeList(w http.ResponseWriter, r *http.Request) error {
	ctx, p := r.Context(), s.of(r)
	mine := s.comuni(ctx, login.EditPlaces)
	only := r.URL.Query().Get("comune")
	if only != "" && !within(ctx, login.EditPlaces, only) {
		return outside("comune", only)
	}
	list, err := s.deps.Points.List(ctx, only)
	if err != nil {
		return err
	}
	v := placesView{Done: p.known("places.done." + r.URL.Query().Get("fatto")), Many: len(mine) > 1, NewURL: placesPath + "/nuovo", Comune: only}
	for _, place := range list {
		if !within(ctx, login.EditPlaces, place.Comune) {
			continue
		}
		if place.Closed {
			v.Closed++
		} else {
			v.Open++
		}
		v.Rows = append(v.Rows, p.placeRow(place))
	}
	slices.SortStableFunc(v.Rows, func(a, b placeRow) int {
		return cmp.Or(cmp.Compare(bit(a.Closed), bit(b.Closed)), strings.Compare(a.ComuneName, b.ComuneName), strings.Compare(a.Name, b.Name))
	})
	v.Filter = s.blank(r, "comune", only).field("select", "comune", "places.filter", p.comuneOptions(ctx, login.EditPlaces, p.word("places.all"))...).optional()
	v.Map = s.mapOf(mine, only, false)
	return s.html.Write(w, r, "places.html", s.mapPage(web.View{Title: "places.title", Nav: placesPath, Self: placesPath, Data: v}))
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// mapPage adds what a map needs.
func (s *Staff) mapPage(v web.View) web.View {
	v.Styles = []string{"dist/leaflet.css", "sportello/staff.css"}
	v.Scripts = []string{"dist/leaflet.js", "sportello/points.js"}
	return v
}

func (p speech) placeRow(place carpool.Place) placeRow {
	row := placeRow{Place: place, URL: placesPath + "/" + url.PathEscape(string(place.ID)), ComuneName: p.comuneName(place.Comune), KindName: p.known("places.kind." + string(place.Kind))}
	for _, sign := range []struct {
		on  bool
		key string
	}{{place.Lit, "lit"}, {place.Shelter, "shelter"}, {place.StepFree, "step-free"}, {place.Published, "published"}} {
		if sign.on {
			row.Signs = append(row.Signs, p.word("places."+sign.key))
		}
	}
	return row
}

// comuneOptions are the comuni of a right, after a first line for none.
func (p speech) comuneOptions(ctx context.Context, right login.Right, first string) []staffOption {
	mine := p.comuni(ctx, right)
	var out []staffOption
	if first != "" {
		out = append(out, staffOption{Value: "", Text: first})
	}
	slices.SortFunc(mine, byName)
	for _, c := range mine {
		out = append(out, staffOption{Value: c.ISTAT, Text: c.Name})
	}
	return out
}

// placeComuni are the comuni that may get a meeting point: those of the asker,
// and for the union those outside it that have one already, such as the town of
// the hospital.
func (p speech) placeComuni(ctx context.Context) ([]staffOption, error) {
	options := p.comuneOptions(ctx, login.EditPlaces, p.word("places.choose"))
	all, err := p.deps.Points.List(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, place := range all {
		known := slices.ContainsFunc(options, func(o staffOption) bool { return o.Value == place.Comune })
		if town, _, ok := strings.Cut(place.Name, ","); ok && !known && within(ctx, login.EditPlaces, place.Comune) {
			options = append(options, staffOption{Value: place.Comune, Text: town})
		}
	}
	return options, nil
}

// newPlace is /passaggi/punti/nuovo.
func (s *Staff) newPlace(w http.ResponseWriter, r *http.Request) error {
	f := s.blank(r, "comune", r.URL.Query().Get("comune"))
	if mine := s.comuni(r.Context(), login.EditPlaces); len(mine) == 1 {
		f.values.Set("comune", mine[0].ISTAT)
	}
	return s.showPlace(w, r, f, nil)
}

// onePlace is /passaggi/punti/{id}.
func (s *Staff) onePlace(w http.ResponseWriter, r *http.Request) error {
	place, err := s.place(r)
	if err != nil {
		return err
	}
	f := s.blank(r, "nome", place.Name, "comune", place.Comune, "tipo", string(place.Kind), "fermata", place.Stop, "nota", place.Note,
		"lat", strconv.FormatFloat(place.At.Lat, 'f', 6, 64), "lon", strconv.FormatFloat(place.At.Lon, 'f', 6, 64))
	for name, on := range map[string]bool{"luce": place.Lit, "riparo": place.Shelter, "senza-gradini": place.StepFree, "chiuso": place.Closed, "pubblico": place.Published} {
		if on {
			f.values.Set(name, "si")
		}
	}
	return s.showPlace(w, r, f, &place)
}

// place is the meeting point of the path, where it is in the asker's scope.
func (s *Staff) place(r *http.Request) (carpool.Place, error) {
	id := r.PathValue("id")
	place, err := s.deps.Points.Get(r.Context(), carpool.PlaceID(id))
	if fault.Of(err) == fault.NotFound && err != nil || err == nil && !within(r.Context(), login.EditPlaces, place.Comune) {
		return carpool.Place{}, outside("meeting point", id)
	}
	return place, err
}

var placeForm = []string{"nome", "comune", "tipo", "lat", "lon", "fermata", "luce", "riparo", "senza-gradini", "chiuso", "pubblico", "nota", "once"}

// placeView is the form of a meeting point.
type placeView struct {
	Trouble              *staffTrouble
	Action, Heading      string
	New                  bool
	Once, ComuneName     string
	Name, Comune, Kind   staffField
	Lat, Lon, Stop, Note staffField
	Boxes                []staffField
	Map                  mapView
}

func (s *Staff) showPlace(w http.ResponseWriter, r *http.Request, f *staffForm, old *carpool.Place) error {
	p, ctx := s.of(r), r.Context()
	v := placeView{Action: placesPath, Trouble: f.trouble(), New: old == nil, Once: newOnce(), Heading: p.word("places.new")}
	if old != nil {
		v.Action, v.Heading = placesPath+"/"+url.PathEscape(string(old.ID)), old.Name
	}
	var kinds []staffOption
	for _, k := range placeKinds {
		kinds = append(kinds, staffOption{Value: string(k), Text: p.word("places.kind." + string(k))})
	}
	v.Name = f.field("text", "nome", "places.name").most(80)
	options, err := p.placeComuni(ctx)
	if err != nil {
		return err
	}
	v.Comune = f.field("select", "comune", "places.comune", options...)
	if old != nil {
		v.ComuneName = s.comuneName(old.Comune)
	}
	v.Kind = f.field("select", "tipo", "places.kind", kinds...)
	v.Lat, v.Lon = f.field("text", "lat", "places.lat").most(20), f.field("text", "lon", "places.lon").most(20)
	v.Stop = f.field("text", "fermata", "places.stop").most(60).optional()
	v.Note = f.field("text", "nota", "places.note").most(200).optional()
	for _, box := range [][2]string{{"luce", "places.lit"}, {"riparo", "places.shelter"}, {"senza-gradini", "places.step-free"}, {"pubblico", "places.published"}} {
		v.Boxes = append(v.Boxes, f.field("check", box[0], box[1]))
	}
	if old != nil {
		v.Boxes = append(v.Boxes, f.field("check", "chiuso", "places.closed"))
	}
	v.Map = s.mapOf(s.comuni(ctx, login.EditPlaces), f.values.Get("comune"), true)
	return s.html.WriteStatus(w, r, f.status(), "place.html", s.mapPage(web.View{Heading: v.Heading, Nav: placesPath, Self: v.Action, Data: v}))
}

// addPlace is the form of a new meeting point.
func (s *Staff) addPlace(w http.ResponseWriter, r *http.Request) error {
	f, err := s.form(r, placeForm...)
	if err != nil {
		return err
	}
	place := s.readPlace(r.Context(), f)
	if f.ok() {
		if place.ID, err = s.freeID(r.Context(), place); err != nil {
			if err = f.mendable(err); err != nil {
				return err
			}
		}
	}
	return s.putPlace(w, r, f, place, nil)
}

// changePlace is the form of one that is there.
func (s *Staff) changePlace(w http.ResponseWriter, r *http.Request) error {
	old, err := s.place(r)
	if err != nil {
		return err
	}
	f, err := s.form(r, placeForm...)
	if err != nil {
		return err
	}
	f.values.Set("comune", old.Comune) // a point does not move to another comune
	place := s.readPlace(r.Context(), f)
	place.ID, place.Closed = old.ID, f.on("chiuso")
	return s.putPlace(w, r, f, place, &old)
}

func (s *Staff) putPlace(w http.ResponseWriter, r *http.Request, f *staffForm, place carpool.Place, old *carpool.Place) error {
	if f.ok() {
		_, err := s.deps.Points.Put(r.Context(), staffBy(r.Context()), place)
		if err == nil {
			return seeOther(w, r, placesPath+"?fatto=salvato&comune="+url.QueryEscape(place.Comune))
		}
		if errors.Is(err, carpool.ErrNearDoor) {
			f.bad("pubblico", "places.wrong.near-door")
		} else if errors.Is(err, carpool.ErrManyDoors) {
			f.bad("pubblico", "places.wrong.many-doors")
		} else if err = f.mendable(err); err != nil {
			return err
		}
	}
	return s.showPlace(w, r, f, old)
}

// readPlace reads a meeting point from its form.
func (s *Staff) readPlace(ctx context.Context, f *staffForm) carpool.Place {
	place := carpool.Place{Name: f.must("nome"), Comune: f.must("comune"), Kind: carpool.PlaceKind(f.must("tipo")), Stop: f.get("fermata"), Note: f.get("nota"),
		Lit: f.on("luce"), Shelter: f.on("riparo"), StepFree: f.on("senza-gradini"), Published: f.on("pubblico")}
	if place.Kind != "" && !slices.Contains(placeKinds, place.Kind) {
		f.bad("tipo", "desk.wrong.choose")
	}
	if place.Comune != "" && !within(ctx, login.EditPlaces, place.Comune) {
		f.bad("comune", "desk.wrong.choose")
	}
	place.At = geo.LonLat{Lon: f.degrees("lon"), Lat: f.degrees("lat")}
	if f.wrong["lat"] == "" && f.wrong["lon"] == "" && f.wrong["comune"] == "" && !s.inComune(place.At, place.Comune) {
		f.bad("lat", "places.wrong.elsewhere", s.comuneName(place.Comune))
	}
	if place.Published && s.inSettlement(place.At) {
		f.bad("pubblico", "places.wrong.near-door")
	}
	return place
}

// inSettlement says whether a point is where the portal puts whoever names a
// settlement only: there people live.
func (s *Staff) inSettlement(at geo.LonLat) bool {
	return slices.ContainsFunc(s.deps.Union.Comuni, func(c territory.Comune) bool { return at.Distance(c.Hall) <= carpool.Clear+1 }) ||
		slices.ContainsFunc(s.deps.Union.Places, func(p territory.Place) bool { return at.Distance(p.At) <= carpool.Clear+1 })
}

// degrees reads a coordinate with a point or a comma.
func (f *staffForm) degrees(name string) float64 {
	text := f.must(name)
	v, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	if text != "" && (err != nil || !(v >= -180 && v <= 180) || name == "lat" && !(v >= -90 && v <= 90)) {
		f.bad(name, "places.wrong.degrees")
		return 0
	}
	return v
}

// inComune says whether a point lies in a comune or close to its border.
func (s *Staff) inComune(at geo.LonLat, istat string) bool {
	c, ok := s.deps.Union.Comune(istat)
	if !ok {
		return true // a point outside the union, such as a hospital: nothing to hold it against
	}
	if c.Contains(at) {
		return true
	}
	for bearing := unit.Degrees(0); bearing < 360; bearing += 45 {
		if c.Contains(at.Toward(bearing, nearBorder)) {
			return true
		}
	}
	return false
}

// freeID is a name for a new meeting point, made of the words people know it
// by.
func (s *Staff) freeID(ctx context.Context, place carpool.Place) (carpool.PlaceID, error) {
	stem := strings.ReplaceAll(fold(place.Name), " ", "-")
	stem = strings.Trim(strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' {
			return c
		}
		return -1
	}, stem), "-")
	if stem == "" || stem == "nuovo" {
		stem = "punto-" + place.Comune
	}
	stem = stem[:min(len(stem), 50)]
	for n := 1; n < 100; n++ {
		id := carpool.PlaceID(stem)
		if n > 1 {
			id = carpool.PlaceID(stem + "-" + strconv.Itoa(n))
		}
		_, err := s.deps.Points.Get(ctx, id)
		if err == nil {
			continue
		}
		if fault.Of(err) == fault.NotFound {
			return id, nil
		}
		return "", err
	}
	return "", fault.New(fault.Conflict, "meeting point %.50q: there are a hundred of this name", place.Name)
}
