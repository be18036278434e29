package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/territory"
)

const (
	tolerance = 30   // metres that an outline may move when simplified
	unitDeg   = 1e-5 // quantum of the outlines, about a metre
)

// makeTerritory writes the comuni and the places that lie in them.
func makeTerritory(shared, out string) error {
	u, err := readUnion(filepath.Join(shared, "data", "comuni", "alta_langa_38.geojson"))
	if err != nil {
		return err
	}
	if err := readPlaces(u, filepath.Join(shared, "data", "places", "geonames_area.csv")); err != nil {
		return err
	}
	data, err := territory.Encode(u, unitDeg)
	if err != nil {
		return err
	}
	// One comune or place a line, so that a change can be seen in a diff.
	text := strings.ReplaceAll(string(data), `{"istat"`, "\n{\"istat\"")
	text = strings.ReplaceAll(text, `{"name"`, "\n{\"name\"")
	return write(out, "territory/"+territory.File, []byte(strings.TrimPrefix(text, "\n")+"\n"))
}

// comuniFile is the part of the GeoJSON that is used.
type comuniFile struct {
	Features []struct {
		Properties struct {
			Name    string  `json:"name"`
			ISTAT   string  `json:"istat"`
			Pop2011 int     `json:"pop_2011"`
			Pop2021 int     `json:"pop_2021"`
			AreaKm2 float64 `json:"area_km2"`
			HallLat float64 `json:"hall_lat"`
			HallLon float64 `json:"hall_lon"`
		} `json:"properties"`
		Geometry struct {
			Type        string      `json:"type"`
			Coordinates orb.Polygon `json:"coordinates"`
		} `json:"geometry"`
	} `json:"features"`
}

func readUnion(path string) (*territory.Union, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var f comuniFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	var outlines []orb.Polygon
	for _, ft := range f.Features {
		if ft.Geometry.Type != "Polygon" {
			return nil, fmt.Errorf("%s is a %s, want a Polygon", ft.Properties.Name, ft.Geometry.Type)
		}
		outlines = append(outlines, ft.Geometry.Coordinates)
	}
	outlines = simplify(outlines, tolerance)
	u := &territory.Union{Name: "Unione Montana Alta Langa"}
	for i, ft := range f.Features {
		p := ft.Properties
		u.Comuni = append(u.Comuni, territory.Comune{
			ISTAT: p.ISTAT, Name: p.Name, Outline: orb.MultiPolygon{outlines[i]}, AreaKm2: p.AreaKm2,
			Hall:   geo.LonLat{Lon: p.HallLon, Lat: p.HallLat},
			People: map[int]int{2011: p.Pop2011, 2021: p.Pop2021},
		})
	}
	slices.SortFunc(u.Comuni, func(a, b territory.Comune) int { return strings.Compare(a.ISTAT, b.ISTAT) })
	u.Index()
	return u, nil
}

// readPlaces adds the GeoNames points of populated places in the union.
func readPlaces(u *territory.Union, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return err
	}
	col := map[string]int{}
	for i, name := range rows[0] {
		col[name] = i
	}
	for _, r := range rows[1:] {
		istat := r[col["istat_by_polygon"]]
		if istat == "" || r[col["class"]] != "P" {
			continue
		}
		lat, err1 := strconv.ParseFloat(r[col["lat"]], 64)
		lon, err2 := strconv.ParseFloat(r[col["lon"]], 64)
		if err1 != nil || err2 != nil {
			return fmt.Errorf("place %s: no position", r[col["name"]])
		}
		p := territory.Place{Name: r[col["name"]], At: geo.LonLat{Lon: lon, Lat: lat}, Comune: istat}
		if n, err := strconv.Atoi(r[col["population"]]); err == nil && n > 0 {
			p.People = n
		}
		c, in := u.ComuneAt(p.At)
		if !in {
			fmt.Fprintf(talk, "%s lies outside after simplification: left out\n", p.Name)
			continue
		}
		p.Comune = c.ISTAT // of the outline that is shipped
		u.Places = append(u.Places, p)
	}
	slices.SortStableFunc(u.Places, func(a, b territory.Place) int {
		return strings.Compare(a.Comune+a.Name, b.Comune+b.Name)
	})
	return nil
}
