package sim

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// State is what the control tells of the fleet.
type State struct {
	At      time.Time                `json:"at"`
	Weather Weather                  `json:"weather"`
	Faults  []FaultState             `json:"faults"`
	Kinds   []Kind                   `json:"fault_kinds"`
	Devices []DeviceState            `json:"devices"`
	Links   []LinkState              `json:"links"`
	Writes  map[network.DeviceID]int `json:"writes"`
}

// FaultState is a fault in force, or one that waits for writes.
type FaultState struct {
	ID string `json:"id"`
	Fault
	Since      *time.Time `json:"since"`       // null while it waits
	Until      *time.Time `json:"until"`       // null: until cleared
	WritesLeft int        `json:"writes_left"` // until it takes force; 0: it is in force
}

// DeviceState is a device as nobody outside a simulator could know it.
type DeviceState struct {
	ID       network.DeviceID `json:"id"`
	Driver   string           `json:"driver"`
	Version  string           `json:"version"`
	Board    string           `json:"board"`
	On       bool             `json:"on"`
	UptimeS  float64          `json:"uptime_s"`
	Sessions int              `json:"sessions"`
	Writes   int              `json:"writes"`
	Joined   bool             `json:"joined"` // a chain of links joins it to a gateway; always so where none is configured
}

// LinkState is the truth about a link. Levels are those without the noise of a
// sample; null where none was planned.
type LinkState struct {
	ID        network.LinkID `json:"id"`
	Up        bool           `json:"up"`
	Since     *time.Time     `json:"since"` // of the association; null while down
	SignalA   *float64       `json:"signal_a_dbm"`
	SignalB   *float64       `json:"signal_b_dbm"`
	RateAMbps float64        `json:"rate_a_mbps"` // sent by A, on the air
	RateBMbps float64        `json:"rate_b_mbps"`
	AtoBMbps  float64        `json:"a_to_b_mbps"` // carried
	BtoAMbps  float64        `json:"b_to_a_mbps"`
}

// State of the whole fleet.
func (f *Fleet) State() State {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settleAll(now)
	s := State{At: now.UTC(), Weather: f.weather, Faults: []FaultState{}, Kinds: Kinds(), Devices: []DeviceState{}, Links: []LinkState{}, Writes: map[network.DeviceID]int{}}
	for _, a := range slices.SortedFunc(maps.Values(f.faults), func(a, b *active) int { return a.since.Compare(b.since) }) {
		since := a.since.UTC()
		x := FaultState{ID: a.id, Fault: a.Fault, Since: &since}
		if !a.until.IsZero() {
			u := a.until.UTC()
			x.Until = &u
		}
		s.Faults = append(s.Faults, x)
	}
	for _, a := range f.waiting {
		s.Faults = append(s.Faults, FaultState{ID: a.id, Fault: a.Fault, WritesLeft: a.left})
	}
	for _, d := range f.devices {
		s.Writes[d.id] = d.writes
		s.Devices = append(s.Devices, DeviceState{d.id, d.driver, d.release, d.board, d.on(), round(d.uptime(now).Seconds(), 1), len(d.sessions), d.writes, f.reaches(d, now)})
	}
	for _, l := range f.links {
		x := LinkState{ID: l.net.ID, Up: l.up}
		if l.up {
			t := l.since.UTC()
			x.Since = &t
			x.AtoBMbps = l.traffic(l.a, now)
			if l.b != nil {
				x.BtoAMbps = l.traffic(l.b, now)
			}
		}
		if v, ok := l.level(l.a, now); ok {
			x.SignalA = &v
		}
		if l.b != nil {
			if v, ok := l.level(l.b, now); ok {
				x.SignalB = &v
			}
			if l.up && l.net.Medium == network.Radio {
				x.RateAMbps, x.RateBMbps = l.rate(l.a, now), l.rate(l.b, now)
			}
		}
		s.Links = append(s.Links, x)
	}
	return s
}

// Handler is the control HTTP: GET / the state, POST /faults, DELETE
// /faults/{id}, POST /weather, POST /devices/{id}/run. Only requests to a loopback name are answered,
// so that no page in a browser can steer the fleet by a name of its own.
func (f *Fleet) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { answer(w, http.StatusOK, f.State()) })
	mux.HandleFunc("POST /faults", func(w http.ResponseWriter, r *http.Request) {
		var x Fault
		if err := read(w, r, &x); err != nil {
			refuse(w, err)
			return
		}
		id, err := f.Inject(x)
		if err != nil {
			refuse(w, err)
			return
		}
		answer(w, http.StatusCreated, map[string]string{"id": id})
	})
	mux.HandleFunc("DELETE /faults/{id}", func(w http.ResponseWriter, r *http.Request) {
		if err := f.Clear(r.PathValue("id")); err != nil {
			refuse(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /weather", func(w http.ResponseWriter, r *http.Request) {
		var x struct {
			RainMMH *float64 `json:"rain_mm_h"`
		}
		err := read(w, r, &x)
		if err == nil && x.RainMMH == nil {
			err = fault.New(fault.Invalid, "weather: rain_mm_h is missing")
		}
		if err == nil {
			err = f.SetWeather(Weather{*x.RainMMH})
		}
		if err != nil {
			refuse(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /devices/{id}/run", func(w http.ResponseWriter, r *http.Request) {
		script, err := readScript(w, r)
		if err == nil {
			err = f.Console(r.Context(), network.DeviceID(r.PathValue("id")), script)
		}
		if err != nil {
			refuse(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if ip := net.ParseIP(strings.Trim(host, "[]")); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			refuse(w, fault.New(fault.Denied, "host %q: ask by 127.0.0.1 or localhost", host))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// maxBody bounds a request.
const maxBody = 64 << 10

// read takes one JSON value, no more and no unknown name.
func read(w http.ResponseWriter, r *http.Request, v any) error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return fault.New(fault.Invalid, "content type %q: send application/json", r.Header.Get("Content-Type"))
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fault.New(fault.Invalid, "body: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "body: something follows the JSON value")
	}
	return nil
}

// readScript is the body as it is, or the "script" of a JSON one. Types that a
// page in a browser can send unasked are refused.
func readScript(w http.ResponseWriter, r *http.Request) (string, error) {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && t == "application/json":
		var x struct {
			Script string `json:"script"`
		}
		return x.Script, read(w, r, &x)
	case err == nil && t == "application/octet-stream":
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			return "", fault.New(fault.Invalid, "body: %w", err)
		}
		return string(b), nil
	}
	return "", fault.New(fault.Invalid, "content type %q: send the script as application/octet-stream, or {\"script\": …} as application/json", r.Header.Get("Content-Type"))
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.Encode(v) // the client may be gone: nothing to do about it
}

func refuse(w http.ResponseWriter, err error) {
	status := map[fault.Kind]int{fault.Invalid: http.StatusBadRequest, fault.NotFound: http.StatusNotFound, fault.Denied: http.StatusForbidden,
		fault.Refused: http.StatusUnprocessableEntity, fault.Unreachable: http.StatusServiceUnavailable}[fault.Of(err)]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	answer(w, status, map[string]string{"error": err.Error()})
}
