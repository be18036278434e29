package main

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/territory"
)

// meeting is a meeting point of the demo; the form is that of carpool.Place.
type meeting struct {
	ID        string     `json:"id"`
	Comune    string     `json:"comune"`
	Name      string     `json:"name"`
	At        geo.LonLat `json:"at"`
	Kind      string     `json:"kind"`
	Stop      string     `json:"stop,omitempty"`
	Lit       bool       `json:"lit"`
	Shelter   bool       `json:"shelter"`
	StepFree  bool       `json:"step_free"`
	Published bool       `json:"published,omitempty"`
}

// outside are where people of the hills go, beyond the union. Positions are
// those of the towns, by GeoNames; that of the hospital is about right.
var outside = []meeting{
	{ID: "alba-stazione", Comune: "004003", Name: "Alba, stazione", At: geo.LonLat{Lon: 8.0347, Lat: 44.6999}, Kind: "station", Lit: true, Shelter: true, StepFree: true, Published: true},
	{ID: "verduno-ospedale", Comune: "004245", Name: "Verduno, ospedale", At: geo.LonLat{Lon: 7.9398, Lat: 44.6697}, Kind: "health", Lit: true, Shelter: true, StepFree: true, Published: true},
	{ID: "ceva-centro", Comune: "004066", Name: "Ceva, centro", At: geo.LonLat{Lon: 8.02769, Lat: 44.38505}, Kind: "square", Lit: true, StepFree: true},
	{ID: "dogliani-centro", Comune: "004081", Name: "Dogliani, centro", At: geo.LonLat{Lon: 7.9451, Lat: 44.53326}, Kind: "square", Lit: true, StepFree: true},
	{ID: "canelli-centro", Comune: "005017", Name: "Canelli, centro", At: geo.LonLat{Lon: 8.29282, Lat: 44.72084}, Kind: "square", Lit: true, StepFree: true},
	{ID: "cairo-montenotte-centro", Comune: "009015", Name: "Cairo Montenotte, centro", At: geo.LonLat{Lon: 8.27775, Lat: 44.3979}, Kind: "square", Lit: true, StepFree: true},
}

// makeCarpool writes the meeting points, the schematic roads between them and
// an invented bus timetable.
func makeCarpool(shared, out string) error {
	u, err := readUnion(filepath.Join(shared, "data", "comuni", "alta_langa_38.geojson"))
	if err != nil {
		return err
	}
	if err := readPlaces(u, filepath.Join(shared, "data", "places", "geonames_area.csv")); err != nil {
		return err
	}
	places := meetings(u)
	text, err := json.Marshal(places)
	if err != nil {
		return err
	}
	if err := write(out, "carpool/places.json", append(text, '\n')); err != nil {
		return err
	}
	text, err = json.Marshal(roadsOf(places))
	if err != nil {
		return err
	}
	if err := write(out, "carpool/roads.json", append(text, '\n')); err != nil {
		return err
	}
	for name, table := range timetable(places) {
		if err := write(out, "carpool/bus/"+name, []byte(table)); err != nil {
			return err
		}
	}
	return nil
}

// meetings are the square before each town hall, the larger hamlets away from
// it, and the places outside.
func meetings(u *territory.Union) []meeting {
	served := lineStops()
	var out []meeting
	for _, c := range u.Comuni {
		m := meeting{ID: slug(c.Name) + "-municipio", Comune: c.ISTAT, Name: c.Name + ", municipio", At: round5(c.Hall), Kind: "square", Lit: true, StepFree: true}
		if served[m.ID] {
			m.Kind, m.Stop, m.Shelter, m.Published = "bus-stop", m.ID, true, true
		}
		out = append(out, m)
	}
	for _, p := range u.Places {
		c, ok := u.Comune(p.Comune)
		if !ok || p.People < 30 {
			continue
		}
		near := slices.ContainsFunc(out, func(m meeting) bool { return p.At.Distance(m.At) < 900 })
		id := slug(c.Name) + "-" + slug(p.Name)
		if near || slices.ContainsFunc(out, func(m meeting) bool { return m.ID == id }) {
			continue
		}
		out = append(out, meeting{ID: id, Comune: c.ISTAT, Name: c.Name + ", " + p.Name, At: round5(p.At), Kind: "landmark"})
	}
	for _, m := range outside {
		if served[m.ID] {
			m.Stop = m.ID
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b meeting) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func round5(p geo.LonLat) geo.LonLat {
	return geo.LonLat{Lon: math.Round(p.Lon*1e5) / 1e5, Lat: math.Round(p.Lat*1e5) / 1e5}
}

// schematic is the road graph of the demo: a way between neighbours, longer
// than the crow flies, at the pace of the hills.
type schematic struct {
	Source string     `json:"source"`
	Nodes  []roadNode `json:"nodes"`
	Edges  []roadEdge `json:"edges"`
}

type roadNode struct {
	ID  string  `json:"id"`
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

type roadEdge struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Metres  int    `json:"metres"`
	Seconds int    `json:"seconds"`
}

const (
	windingRoads = 1.4        // of a road in the hills to the straight line
	hillPace     = 42.0 / 3.6 // m/s
)

// roadsOf joins places whose circle over the line between them holds no other
// (the Gabriel graph: connected, and without crossings).
func roadsOf(places []meeting) schematic {
	s := schematic{Source: "schematic: straight lines between neighbouring places × 1.4 at 42 km/h, not real roads"}
	for _, p := range places {
		s.Nodes = append(s.Nodes, roadNode{p.ID, p.At.Lat, p.At.Lon})
	}
	for i, a := range places {
		for _, b := range places[i+1:] {
			mid := geo.LonLat{Lon: (a.At.Lon + b.At.Lon) / 2, Lat: (a.At.Lat + b.At.Lat) / 2}
			r := mid.Distance(a.At)
			between := slices.ContainsFunc(places, func(c meeting) bool {
				return c.ID != a.ID && c.ID != b.ID && mid.Distance(c.At) < r-1
			})
			if between {
				continue
			}
			m := float64(a.At.Distance(b.At)) * windingRoads
			s.Edges = append(s.Edges, roadEdge{a.ID, b.ID, int(math.Round(m)), int(math.Round(m / hillPace))})
		}
	}
	return s
}

// line is a bus line of the demo: invented, as are its times.
type line struct {
	id, name string
	stops    []string
	out      []string // departures from the first stop
	back     []string // and from the last
	school   bool     // only on days with school
}

var lines = []line{
	{"1", "Cortemilia – Alba", []string{"cortemilia-municipio", "castino-municipio", "borgomale-municipio", "benevello-municipio", "alba-stazione"},
		[]string{"06:20", "09:30", "13:50"}, []string{"07:40", "12:50", "17:40"}, false},
	{"2", "Murazzano – Alba", []string{"murazzano-municipio", "bossolasco-municipio", "serravalle-langhe-municipio", "albaretto-della-torre-municipio", "alba-stazione"},
		[]string{"06:10", "13:20"}, []string{"12:45", "18:00"}, false},
	{"3", "Monesiglio – Ceva", []string{"monesiglio-municipio", "camerana-municipio", "ceva-centro"},
		[]string{"06:50", "14:10"}, []string{"12:20", "17:30"}, false},
	{"4", "Santo Stefano Belbo – Canelli", []string{"cossano-belbo-municipio", "santo-stefano-belbo-municipio", "canelli-centro"},
		[]string{"07:05", "10:00", "14:00"}, []string{"08:10", "13:10", "18:10"}, false},
	{"5", "Gorzegno – Cortemilia, scuole", []string{"gorzegno-municipio", "levice-municipio", "torre-bormida-municipio", "cortemilia-municipio"},
		[]string{"07:15"}, []string{"13:10"}, true},
}

func lineStops() map[string]bool {
	out := map[string]bool{}
	for _, l := range lines {
		for _, s := range l.stops {
			out[s] = true
		}
	}
	return out
}

const busPace = 9.0 // m/s between stops, halts included

// timetable is the lines as files of GTFS.
func timetable(places []meeting) map[string]string {
	at := map[string]meeting{}
	for _, p := range places {
		at[p.ID] = p
	}
	stops, routes := "stop_id,stop_name,stop_lat,stop_lon\n", "route_id,agency_id,route_short_name,route_long_name,route_type\n"
	trips, times := "route_id,service_id,trip_id,direction_id\n", "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
	for _, p := range places {
		if p.Stop != "" {
			stops += fmt.Sprintf("%s,%q,%.5f,%.5f\n", p.ID, p.Name, p.At.Lat, p.At.Lon)
		}
	}
	for _, l := range lines {
		routes += fmt.Sprintf("%s,demo,%s,%q,3\n", l.id, l.id, l.name)
		service := "feriali"
		if l.school {
			service = "scuole"
		}
		for dir, starts := range [][]string{l.out, l.back} {
			order := slices.Clone(l.stops)
			if dir == 1 {
				slices.Reverse(order)
			}
			for n, start := range starts {
				trip := fmt.Sprintf("%s-%d-%d", l.id, dir, n+1)
				trips += fmt.Sprintf("%s,%s,%s,%d\n", l.id, service, trip, dir)
				var h, m int
				fmt.Sscanf(start, "%d:%d", &h, &m)
				t := float64(h*3600 + m*60)
				for i, s := range order {
					if i > 0 {
						t += float64(at[order[i-1]].At.Distance(at[s].At)) * windingRoads / busPace
					}
					sec := int(math.Ceil(t/60)) * 60
					clock := fmt.Sprintf("%02d:%02d:00", sec/3600, sec/60%60)
					times += fmt.Sprintf("%s,%s,%s,%s,%d\n", trip, clock, clock, s, i+1)
				}
			}
		}
	}
	return map[string]string{
		"agency.txt":     "agency_id,agency_name,agency_url,agency_timezone,agency_lang\ndemo,\"Linee d'esempio (orari inventati)\",https://example.org,Europe/Rome,it\n",
		"stops.txt":      stops,
		"routes.txt":     routes,
		"trips.txt":      trips,
		"stop_times.txt": times,
		"calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n" +
			"feriali,1,1,1,1,1,1,0,20260101,20351231\nscuole,1,1,1,1,1,0,0,20260101,20351231\n",
		"feed_info.txt": "feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date,feed_version\n" +
			"\"crinale, dati d'esempio\",https://example.org,it,20260101,20351231,1\n",
	}
}
