package roads

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// EngineConfig names an outer engine that speaks the HTTP of OSRM (API v1).
type EngineConfig struct {
	URL    string        // of the engine for cars: "https://host:port/base"; no other host is ever asked
	Foot   string        // of an engine for people on foot; "" estimates walks
	Source string        // of its map, with the year
	Wait   time.Duration // for one answer; 0 is 10 s
	Points int           // of one request; 0 is 100, the limit of osrm-routed
	Limit  unit.Metres   // how far from a road a place may be; 0 is 2 km
}

// Engine measures ways by an outer engine. It is Unreachable when it does not
// answer and Refused when it answers something else than ways.
type Engine struct {
	cfg       EngineConfig
	car, foot *url.URL
	client    *http.Client
	index     *flatIndex
}

// engineFastest is what no car is faster than, beeline: 150 km/h.
const engineFastest = 150 / 3.6

// maxAnswer is the largest body that is read.
const maxAnswer = 16 << 20

// NewEngine checks the configuration; it asks nothing.
func NewEngine(cfg EngineConfig) (*Engine, error) {
	if cfg.Wait == 0 {
		cfg.Wait = 10 * time.Second
	}
	if cfg.Points == 0 {
		cfg.Points = 100
	}
	if cfg.Limit == 0 {
		cfg.Limit = carLimit
	}
	if cfg.Points < 2 || cfg.Wait < 0 || cfg.Limit < 0 {
		return nil, fault.New(fault.Invalid, "roads engine: points, wait and limit: at least 2 points, and nothing below 0")
	}
	e := &Engine{cfg: cfg}
	var err error
	if e.car, err = engineURL("url", cfg.URL); err != nil {
		return nil, err
	}
	if cfg.Foot != "" {
		if e.foot, err = engineURL("foot", cfg.Foot); err != nil {
			return nil, err
		}
	}
	e.client = &http.Client{
		Timeout: cfg.Wait,
		Transport: &http.Transport{ // no proxy of the environment
			MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
			ResponseHeaderTimeout: cfg.Wait, TLSHandshakeTimeout: cfg.Wait,
		},
		// What is configured is asked, and nobody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("it sends elsewhere") },
	}
	e.index = newFlatIndex(engineFastest, e.Legs)
	return e, nil
}

func engineURL(name, s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.RawQuery != "", u.Fragment != "", u.User != nil:
		return nil, fault.New(fault.Invalid, "roads engine: %s: write http://HOST:PORT or https://HOST, without user, query or fragment", name)
	}
	return u, nil
}

// About says which engine answers.
func (e *Engine) About() carpool.RoadsAbout {
	source := e.cfg.Source
	if source == "" {
		source = "outer engine " + e.car.Host
	}
	return carpool.RoadsAbout{Kind: "engine", Source: source}
}

// Index is the one index of rides over the engine.
func (e *Engine) Index() carpool.StopIndex { return e.index }

// Legs are the ways by car from each point to each point, asked for in tables
// of as many points as the engine takes. A point too far from a road is
// Invalid.
func (e *Engine) Legs(ctx context.Context, from, to []geo.LonLat) ([][]carpool.Leg, error) {
	if len(from)*len(to) > maxPairs {
		return nil, fault.New(fault.Invalid, "roads: %d × %d ways at once: ask for fewer", len(from), len(to))
	}
	if err := errors.Join(positions("from", from), positions("to", to)); err != nil {
		return nil, fault.As(fault.Invalid, err)
	}
	out := make([][]carpool.Leg, len(from))
	for i := range out {
		out[i] = make([]carpool.Leg, len(to))
	}
	if len(to) == 0 {
		return out, nil
	}
	if len(from) == 1 && len(to) == 1 {
		var err error
		out[0][0], err = e.route(ctx, e.car, "driving", from[0], to[0])
		return out, err
	}
	// The larger share of a request goes to the longer side.
	rows := min(len(from), max(1, e.cfg.Points/2))
	cols := min(len(to), e.cfg.Points-rows)
	rows = min(len(from), e.cfg.Points-cols)
	for i := 0; i < len(from); i += rows {
		for j := 0; j < len(to); j += cols {
			i1, j1 := min(i+rows, len(from)), min(j+cols, len(to))
			if err := e.table(ctx, from[i:i1], to[j:j1], func(a, b int, l carpool.Leg) { out[i+a][j+b] = l }); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// Walk is the way on foot by the engine for that, or a straight line times a
// factor when there is none. Over 15 km of beeline there is none.
func (e *Engine) Walk(ctx context.Context, from, to geo.LonLat) (carpool.Leg, error) {
	if err := positions("walk", []geo.LonLat{from, to}); err != nil {
		return carpool.Leg{}, err
	}
	switch {
	case from.Distance(to) > longestWalk:
		return carpool.Leg{}, ctx.Err()
	case e.foot == nil:
		return straightWalk(from, to), ctx.Err()
	}
	return e.route(ctx, e.foot, "foot", from, to)
}

// osrm is the part of an answer that is read.
type osrm struct {
	Code         string       `json:"code"`
	Message      string       `json:"message"`
	Durations    [][]*float64 `json:"durations"` // seconds
	Distances    [][]*float64 `json:"distances"` // metres
	Sources      []waypoint   `json:"sources"`
	Destinations []waypoint   `json:"destinations"`
	Waypoints    []waypoint   `json:"waypoints"`
	Routes       []struct {
		Duration *float64 `json:"duration"`
		Distance *float64 `json:"distance"`
	} `json:"routes"`
}

type waypoint struct {
	Distance float64 `json:"distance"` // of the place from the road, metres
}

func (e *Engine) route(ctx context.Context, at *url.URL, profile string, from, to geo.LonLat) (carpool.Leg, error) {
	a, err := e.get(ctx, at, "route", profile, []geo.LonLat{from, to}, "overview=false&steps=false")
	if err != nil {
		return carpool.Leg{}, err
	}
	if a.Code == "NoRoute" {
		return carpool.Leg{}, nil
	}
	if len(a.Waypoints) != 2 || len(a.Routes) == 0 {
		return carpool.Leg{}, fault.New(fault.Refused, "roads engine %s: a route without its parts", at.Host)
	}
	if err := e.near("way", a.Waypoints); err != nil {
		return carpool.Leg{}, err
	}
	return e.leg(at, a.Routes[0].Duration, a.Routes[0].Distance)
}

func (e *Engine) table(ctx context.Context, from, to []geo.LonLat, set func(i, j int, l carpool.Leg)) error {
	a, err := e.get(ctx, e.car, "table", "driving", append(append([]geo.LonLat{}, from...), to...),
		"annotations=duration,distance&sources="+numbers(0, len(from))+"&destinations="+numbers(len(from), len(to)))
	if err != nil {
		return err
	}
	bad := fault.New(fault.Refused, "roads engine %s: a table that is not %d × %d times and distances", e.car.Host, len(from), len(to))
	if len(a.Durations) != len(from) || len(a.Distances) != len(from) || len(a.Sources) != len(from) || len(a.Destinations) != len(to) {
		return bad
	}
	if err := errors.Join(e.near("from", a.Sources), e.near("to", a.Destinations)); err != nil {
		return fault.As(fault.Invalid, err)
	}
	for i := range from {
		if len(a.Durations[i]) != len(to) || len(a.Distances[i]) != len(to) {
			return bad
		}
		for j := range to {
			l, err := e.leg(e.car, a.Durations[i][j], a.Distances[i][j])
			if err != nil {
				return err
			}
			set(i, j, l)
		}
	}
	return nil
}

// near checks how far the places are from the roads of the engine.
func (e *Engine) near(name string, w []waypoint) error {
	for i, p := range w {
		if !(p.Distance >= 0 && p.Distance <= float64(e.cfg.Limit)) {
			return fault.New(fault.Invalid, "%s[%d]: %.1f km from the nearest road of the map (%s), more than %.1f km: choose a place nearer to it",
				name, i, p.Distance/1000, e.About().Source, float64(e.cfg.Limit)/1000)
		}
	}
	return nil
}

// leg is one way; null is none.
func (e *Engine) leg(at *url.URL, s, m *float64) (carpool.Leg, error) {
	switch {
	case s == nil || m == nil:
		return carpool.Leg{}, nil
	case !(*s >= 0 && *s < 1e7 && *m >= 0 && *m < 1e9):
		return carpool.Leg{}, fault.New(fault.Refused, "roads engine %s: a way of %v s and %v m", at.Host, *s, *m)
	}
	return carpool.Leg{OK: true, Time: seconds(*s), Metres: unit.Metres(math.Round(*m*10) / 10)}, nil
}

func numbers(from, n int) string {
	s := make([]string, n)
	for i := range s {
		s[i] = strconv.Itoa(from + i)
	}
	return strings.Join(s, ";")
}

// get asks for one answer. Errors name the engine and never the places.
func (e *Engine) get(ctx context.Context, at *url.URL, service, profile string, places []geo.LonLat, query string) (*osrm, error) {
	text := make([]string, len(places))
	for i, p := range places {
		text[i] = fmt.Sprintf("%.6f,%.6f", p.Lon, p.Lat)
	}
	u := *at.JoinPath(service, "v1", profile, strings.Join(text, ";"))
	u.RawQuery = query
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fault.New(fault.Invalid, "roads engine %s: the address cannot be asked", at.Host)
	}
	req.Header.Set("Accept", "application/json")
	res, err := e.client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // the rest of the message is the address, with the places in it
		}
		return nil, fault.New(fault.Unreachable, "roads engine %s: %w", at.Host, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fault.New(fault.Unreachable, "roads engine %s: read its answer: %w", at.Host, err)
	case len(body) > maxAnswer:
		return nil, fault.New(fault.Refused, "roads engine %s: an answer of more than %d MB", at.Host, maxAnswer>>20)
	}
	return answer(at.Host, res.StatusCode, body)
}

// answer reads what an engine sent. OSRM says what is wrong in its code, with
// status 400.
func answer(host string, status int, body []byte) (*osrm, error) {
	var a osrm
	if err := json.Unmarshal(body, &a); err != nil || a.Code == "" {
		return nil, fault.New(fault.Refused, "roads engine %s: status %d and no answer of OSRM: is it one, and is the address right?", host, status)
	}
	switch a.Code {
	case "Ok", "NoRoute":
		return &a, nil
	case "NoSegment":
		return nil, fault.New(fault.Invalid, "roads engine %s: a place outside its map: choose one nearer to a road", host)
	case "TooBig":
		return nil, fault.New(fault.Refused, "roads engine %s: too many points in one request: set fewer", host)
	}
	return nil, fault.New(fault.Refused, "roads engine %s: it says %.40q", host, a.Code)
}
