package roads

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// osrmServer answers as osrm-routed does (API v1), with the ways of r.
type osrmServer struct {
	r     carpool.Roads
	asked atomic.Int32
	most  int // places of one request
	off   float64
}

func (s *osrmServer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	s.asked.Add(1)
	part := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	if len(part) != 5 || part[0] != "base" || part[2] != "v1" {
		http.Error(w, `{"code":"InvalidUrl","message":"URL string malformed"}`, http.StatusBadRequest)
		return
	}
	var at []geo.LonLat
	for _, c := range strings.Split(part[4], ";") {
		lon, lat, _ := strings.Cut(c, ",")
		x, err1 := strconv.ParseFloat(lon, 64)
		y, err2 := strconv.ParseFloat(lat, 64)
		if err1 != nil || err2 != nil {
			http.Error(w, `{"code":"InvalidQuery"}`, http.StatusBadRequest)
			return
		}
		at = append(at, geo.LonLat{Lon: x, Lat: y})
	}
	if len(at) > s.most {
		http.Error(w, `{"code":"TooBig","message":"Too many table coordinates"}`, http.StatusBadRequest)
		return
	}
	point := map[string]any{"distance": s.off, "name": "", "location": []float64{8, 44}}
	points := func(n int) []any {
		out := make([]any, n)
		for i := range out {
			out[i] = point
		}
		return out
	}
	numbers := func(l carpool.Leg) (any, any) {
		if !l.OK {
			return nil, nil
		}
		return l.Time.Seconds(), float64(l.Metres)
	}
	answer := map[string]any{"code": "Ok"}
	switch part[1] {
	case "route":
		legs, err := s.r.Legs(req.Context(), at[:1], at[1:])
		if err != nil {
			http.Error(w, `{"code":"NoSegment"}`, http.StatusBadRequest)
			return
		}
		if !legs[0][0].OK {
			http.Error(w, `{"code":"NoRoute","message":"Impossible route between points"}`, http.StatusBadRequest)
			return
		}
		t, m := numbers(legs[0][0])
		answer["routes"] = []any{map[string]any{"duration": t, "distance": m}}
		answer["waypoints"] = points(2)
	case "table":
		pick := func(key string) (out []geo.LonLat) {
			for _, kv := range strings.Split(req.URL.RawQuery, "&") {
				if v, ok := strings.CutPrefix(kv, key+"="); ok {
					for _, n := range strings.Split(v, ";") {
						i, _ := strconv.Atoi(n)
						out = append(out, at[i])
					}
				}
			}
			return out
		}
		from, to := pick("sources"), pick("destinations")
		legs, err := s.r.Legs(req.Context(), from, to)
		if err != nil {
			http.Error(w, `{"code":"NoSegment"}`, http.StatusBadRequest)
			return
		}
		var times, metres [][]any
		for i := range legs {
			var a, b []any
			for j := range legs[i] {
				t, m := numbers(legs[i][j])
				a, b = append(a, t), append(b, m)
			}
			times, metres = append(times, a), append(metres, b)
		}
		answer["durations"], answer["distances"] = times, metres
		answer["sources"], answer["destinations"] = points(len(from)), points(len(to))
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func engineOver(t *testing.T, s *osrmServer) *Engine {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	e, err := NewEngine(EngineConfig{URL: srv.URL + "/base", Foot: srv.URL + "/base", Source: "a test", Points: 7})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEngineSaysWhatItsServerSays(t *testing.T) {
	g := town(t, 6, 8)
	s := &osrmServer{r: g, most: 7}
	e := engineOver(t, s)
	rng := rand.New(rand.NewPCG(4, 4))
	for _, n := range [][2]int{{1, 1}, {1, 9}, {9, 1}, {5, 11}, {0, 3}, {3, 0}} {
		from, to := rounded(g.places(rng, n[0])), rounded(g.places(rng, n[1]))
		want, err := g.Legs(context.Background(), from, to)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Legs(context.Background(), from, to)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%d × %d:\n got %v\nwant %v", n[0], n[1], got, want)
		}
	}
	if a := e.About(); a.Kind != "engine" || a.Source != "a test" || a.Estimate {
		t.Errorf("about: %+v", a)
	}
	at := rounded(g.places(rng, 2))
	walk, err := e.Walk(context.Background(), at[0], at[1])
	if err != nil || !walk.OK {
		t.Errorf("walk: %+v, %v", walk, err)
	}
}

// rounded are places as they stand in an address.
func rounded(at []geo.LonLat) []geo.LonLat {
	for i, p := range at {
		at[i] = geo.LonLat{Lon: math.Round(p.Lon*1e6) / 1e6, Lat: math.Round(p.Lat*1e6) / 1e6}
	}
	return at
}

func TestEngineIndexEqualsLookingAtEveryRide(t *testing.T) {
	g := town(t, 7, 7)
	e := engineOver(t, &osrmServer{r: g, most: 7})
	rng := rand.New(rand.NewPCG(8, 8))
	rides := map[carpool.RideID][]geo.LonLat{}
	for i := range 8 {
		rides[rideID(i)] = rounded(g.places(rng, 2+i%3))
		if err := e.Index().Put(rideID(i), rides[rideID(i)], time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, budget := range []time.Duration{0, time.Minute, 10 * time.Minute} {
		points := rounded(g.places(rng, 5))
		got, err := e.Index().Near(context.Background(), points[:2], points[2:], budget, carpool.Window{})
		if err != nil {
			t.Fatal(err)
		}
		sameNearby(t, got, nearBySearching(t, e, rides, points[:2], points[2:], budget))
	}
}

func TestEngineOfItsOwnOrNone(t *testing.T) {
	for _, u := range []string{"", "ftp://h", "http://", "http://u:p@h", "http://h?x=1", "http://h#x", "://", "h:80"} {
		if _, err := NewEngine(EngineConfig{URL: u}); fault.Of(err) != fault.Invalid {
			t.Errorf("%q: %v", u, err)
		}
	}
	if _, err := NewEngine(EngineConfig{URL: "http://h", Points: 1}); fault.Of(err) != fault.Invalid {
		t.Errorf("one point: %v", err)
	}
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	here := []geo.LonLat{{Lon: 8.123456, Lat: 44.5}}
	stuck := make(chan struct{})
	defer close(stuck)
	for _, c := range []struct {
		name, want string
		kind       fault.Kind
		answer     http.HandlerFunc
	}{
		{"sends elsewhere", "sends elsewhere", fault.Unreachable, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusFound)
		}},
		{"never answers", "deadline", fault.Unreachable, func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-stuck:
			case <-r.Context().Done():
			}
		}},
		{"is a web page", "no answer of OSRM", fault.Refused, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "<html>")
		}},
		{"has no end", "more than 16 MB", fault.Refused, func(w http.ResponseWriter, _ *http.Request) {
			for range 17 {
				fmt.Fprint(w, strings.Repeat(" ", 1<<20))
			}
		}},
		{"is cut", "unexpected EOF", fault.Unreachable, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"code":"Ok"`)
		}},
		{"forgets the distances", "a table that is not 1 × 2", fault.Refused, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"code":"Ok","durations":[[1,2]],"sources":[{}],"destinations":[{},{}]}`)
		}},
		{"has a crooked table", "a table that is not 1 × 2", fault.Refused, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"code":"Ok","durations":[[1]],"distances":[[1,2]],"sources":[{}],"destinations":[{},{}]}`)
		}},
		{"drives back in time", "a way of -1 s", fault.Refused, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"code":"Ok","durations":[[-1,2]],"distances":[[1,2]],"sources":[{}],"destinations":[{},{}]}`)
		}},
		{"has no road there", "to[1]: 7.5 km", fault.Invalid, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"code":"Ok","durations":[[1,2]],"distances":[[1,2]],"sources":[{}],"destinations":[{},{"distance":7500}]}`)
		}},
		{"has no map there", "outside its map", fault.Invalid, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"code":"NoSegment","message":"Could not find a matching segment for coordinate 0"}`)
		}},
		{"wants less", "set fewer", fault.Refused, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"code":"TooBig"}`)
		}},
		{"says something new", `"New"`, fault.Refused, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"code":"New"}`)
		}},
	} {
		srv := httptest.NewServer(c.answer)
		wait := 30 * time.Second
		if c.name == "never answers" {
			wait = 100 * time.Millisecond
		}
		e, err := NewEngine(EngineConfig{URL: srv.URL, Wait: wait})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Legs(context.Background(), here, append(here, here...))
		if fault.Of(err) != c.kind || !refused(err, c.want) && !(c.name == "never answers" && refused(err, "imeout")) {
			t.Errorf("an engine that %s: %v of kind %v", c.name, err, fault.Of(err))
		}
		if refused(err, "8.123") {
			t.Errorf("the error says where somebody is: %v", err)
		}
		srv.CloseClientConnections()
		srv.Close()
	}
	if elsewhere.Load() != 0 {
		t.Error("another host was asked")
	}
}

// FuzzEngineAnswer: whatever an engine says, no panic, and an error or ways.
func FuzzEngineAnswer(f *testing.F) {
	for _, s := range []string{`{"code":"Ok","durations":[[1,null]],"distances":[[1,null]],"sources":[{"distance":1}],"destinations":[{},{}]}`,
		`{"code":"NoRoute"}`, `{"code":"Ok","routes":[{"duration":1,"distance":2}],"waypoints":[{},{}]}`, `{}`, `[]`, `{"code":"Ok","durations":[null]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := answer("h", 200, b)
		if (a == nil) == (err == nil) {
			t.Errorf("answer %v and error %v", a, err)
		}
	})
}
