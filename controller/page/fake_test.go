package page_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/controller/page"
	"github.com/crinale/crinale/internal/bus"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/territory"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/internal/web"
)

// patience is how long anything that must happen may take, on the slowest
// machine and under the race detector. It costs nothing where it happens.
const patience = 2 * time.Minute

var now = time.Date(2026, 11, 22, 9, 47, 12, 0, time.UTC)

// world is a small network with something of everything, and a controller
// that says what it is told to.
type world struct {
	net     *network.Network
	union   *territory.Union
	mu      sync.Mutex
	states  []network.LinkState
	devs    []controller.DeviceState
	list    []controller.Alert
	changes bus.Topic[network.LinkState]
	events  bus.Topic[controller.AlertEvent]
	err     error // of the history
	changer *changer
	desk    *desk
	halls   *halls
	shell   *web.Shell
}

func (w *world) Links() []network.LinkState {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.states)
}

// set changes the status of a link and tells it.
func (w *world) set(i int, s network.LinkStatus) {
	w.mu.Lock()
	w.states[i].Status = s
	state := w.states[i]
	w.mu.Unlock()
	w.changes.Publish(state)
}

func (w *world) Link(id network.LinkID) (network.LinkState, bool) {
	for _, s := range w.Links() {
		if s.Link == id {
			return s, true
		}
	}
	return network.LinkState{}, false
}
func (w *world) Planned(id network.LinkID) controller.Planned {
	if id == "fibra-cortemilia" {
		return controller.Planned{}
	}
	return controller.Planned{A: unit.Some(unit.DBm(-58)), B: unit.Some(unit.DBm(-59))}
}
func (w *world) Devices() []controller.DeviceState { return w.devs }
func (w *world) Device(id network.DeviceID) (controller.DeviceState, bool) {
	for _, s := range w.devs {
		if s.Device == id {
			return s, true
		}
	}
	return controller.DeviceState{}, false
}
func (w *world) Alerts(open bool) []controller.Alert {
	var out []controller.Alert
	for _, a := range w.list {
		if a.IsOpen() || !open {
			out = append(out, a)
		}
	}
	return out
}
func (w *world) States() *bus.Topic[network.LinkState]          { return &w.changes }
func (w *world) AlertEvents() *bus.Topic[controller.AlertEvent] { return &w.events }

// Range is a wave with a gap of a quarter of the time.
func (w *world) Range(_ context.Context, id network.LinkID, end network.End, from, to time.Time, step time.Duration) ([]network.Reading, error) {
	var rs []network.Reading
	n := int(to.Sub(from) / step)
	for i := range n {
		at := from.Add(time.Duration(i) * step)
		if i > n/2 && i < 3*n/4 || at.After(now) {
			continue
		}
		s := math.Sin(float64(i) / 9)
		rs = append(rs, network.Reading{
			Link: id, End: end, At: at, Signal: unit.Some(unit.DBm(-60 + 2*s)), TxRate: unit.Some(unit.Mbps(120 + 30*s)), RxRate: unit.Some(unit.Mbps(90 + 10*s)),
			TxTraffic: unit.Some(unit.Mbps(4 + 3*s)), RxTraffic: unit.Some(unit.Mbps(11 + 5*s)),
		})
	}
	return rs, w.err
}

var places = []struct {
	id, name, comune string
	lat, lon         float64
}{
	{"mombarcaro", "Mombarcaro, crinale", "004122", 44.4656, 8.0870}, {"cortemilia", "Cortemilia", "004073", 44.5780, 8.1920},
	{"bossolasco", "Bossolasco", "004025", 44.5208, 8.0458}, {"serravalle-langhe", "Serravalle Langhe", "004220", 44.5600, 8.0590},
	{"torre-bormida", "Torre Bormida, campanile", "004228", 44.5620, 8.1560}, {"saliceto", "Saliceto", "004201", 44.4150, 8.1690},
	{"murazzano", "Murazzano, torre", "004145", 44.4740, 8.0210}, {"feisoglio", "Feisoglio", "004085", 44.5440, 8.1040},
	{"san-giorgio-scarampi", "San Giorgio Scarampi", "005100", 44.6110, 8.2420}, {"lequio-berria", "Lequio Berria", "004106", 44.6042, 8.0958},
}

// newWorld has ten sites in a ring, one fibre, and one link of each state.
func newWorld(t testing.TB, change ...func(*page.Config, *page.Deps)) *world {
	t.Helper()
	w := &world{net: &network.Network{}, union: &territory.Union{Name: "Prova"}, changer: newChanger(), desk: &desk{}, halls: &halls{}}
	names := map[string]bool{}
	for i, p := range places {
		w.net.Sites = append(w.net.Sites, network.Site{ID: network.SiteID(p.id), Name: p.name, At: geo.LonLat{Lon: p.lon, Lat: p.lat}, Comune: p.comune, Structure: "mast", HeightM: 15})
		if !names[p.comune] {
			w.union.Comuni = append(w.union.Comuni, territory.Comune{ISTAT: p.comune, Name: p.name})
		}
		names[p.comune] = true
		for _, side := range []string{"est", "ovest"} {
			w.net.Devices = append(w.net.Devices, network.Device{ID: network.DeviceID(p.id + "-" + side), Site: network.SiteID(p.id), Gear: "radio-ac", Address: fmt.Sprintf("127.0.0.1:%d", 10000+i)})
		}
	}
	w.union.Comuni = append(w.union.Comuni, territory.Comune{ISTAT: "004999", Name: "Senza Radio"})
	w.net.Partners = []network.Partner{{ID: "wisp-uno", Name: "Partner Uno"}}
	for i, p := range places {
		next := places[(i+1)%len(places)]
		w.net.Links = append(w.net.Links, network.Link{
			ID: network.LinkID(p.id + "-" + next.id), Name: p.name + " – " + next.name, Medium: network.Radio,
			A: network.DeviceID(p.id + "-est"), B: network.DeviceID(next.id + "-ovest"), Partner: []network.PartnerID{"wisp-uno"},
		})
	}
	w.net.Links = append(w.net.Links, network.Link{ID: "fibra-cortemilia", Medium: network.Fibre, A: "cortemilia-est", MinMbps: 1000})
	w.net.Index()
	for i, l := range w.net.Links {
		s := network.LinkState{Link: l.ID, Status: network.StatusUp, Since: now.Add(-26 * time.Hour), At: now.Add(-4 * time.Second), Capacity: unit.Some(unit.Mbps(78))}
		s.A = &network.Reading{Link: l.ID, End: network.EndA, At: s.At, Signal: unit.Some(unit.DBm(-59.4)), SNR: unit.Some(unit.DB(34)), TxRate: unit.Some(unit.Mbps(130)), RxRate: unit.Some(unit.Mbps(144)), TxTraffic: unit.Some(unit.Mbps(3.2)), RxTraffic: unit.Some(unit.Mbps(12.7))}
		s.B = &network.Reading{Link: l.ID, End: network.EndB, At: s.At, Signal: unit.Some(unit.DBm(-60.1))}
		switch i {
		case 2:
			s.Status, s.Since, s.Capacity = network.StatusDown, now.Add(-40*time.Minute), unit.Opt[unit.Mbps]{}
			s.A.Signal, s.B.Signal = unit.Opt[unit.DBm]{}, unit.Opt[unit.DBm]{}
		case 5:
			s.Status, s.Since, s.Capacity = network.StatusDegraded, now.Add(-3*time.Hour), unit.Some(unit.Mbps(19))
			s.A.Signal = unit.Some(unit.DBm(-71))
		case 7, 10:
			s = network.LinkState{Link: l.ID, Status: network.StatusUnknown}
		}
		w.states = append(w.states, s)
	}
	for i, d := range w.net.Devices {
		s := controller.DeviceState{Device: d.ID, Reach: controller.ReachUp, Since: now.Add(-48 * time.Hour), At: now.Add(-4 * time.Second), Observation: &network.Observation{
			Identity: string(d.ID), Version: "7.18.2 (stable)", Board: "LHG 5 ac", Uptime: unit.Some(network.Seconds(400000)), CPU: unit.Some(network.Percent(7)), Voltage: unit.Some(network.Volts(23.9)),
			Neighbours: []network.Neighbour{{Identity: "vicino <script>", Board: "hAP ax²", Interface: "ether1"}},
		}}
		if i == 13 { // an end of saliceto-murazzano
			s.Observation.Warnings = []string{"/interface/wireless/registration-table/print: not enough permissions (9) <b>", "/system/health/print: interrupted"}
		}
		if i == 4 {
			s = controller.DeviceState{Device: d.ID, Reach: controller.ReachUnreachable, Failures: 12, Err: "connection refused"}
		}
		w.devs = append(w.devs, s)
	}
	closed := now.Add(-5 * time.Hour)
	w.list = []controller.Alert{
		{ID: "a1", Kind: controller.LinkDown, Severity: controller.Critical, Link: w.net.Links[2].ID, Opened: now.Add(-40 * time.Minute), Seen: controller.Text{IT: "Il collegamento radio è caduto: gli apparati che rispondono non vedono più l'altro capo.", EN: "The radio link is down: the devices that answer no longer see the other end."}, ToDo: controller.Text{IT: "Verificare che l'apparato all'altro capo sia alimentato.", EN: "Check that the device at the other end has power."}},
		{ID: "a2", Kind: controller.WeakSignal, Severity: controller.Warning, Link: w.net.Links[5].ID, End: network.EndA, Opened: now.Add(-3 * time.Hour), Measured: controller.Figure{Key: "signal_dbm", Value: -71}, Seen: controller.Text{IT: "Segnale <b>debole</b>.", EN: "Weak signal."}, ToDo: controller.Text{IT: "Controllare il puntamento.", EN: "Check the aim."}},
		{ID: "a3", Kind: controller.DeviceUnreachable, Severity: controller.Critical, Device: w.net.Devices[4].ID, Opened: now.Add(-2 * time.Minute), Seen: controller.Text{IT: "L'apparato non risponde.", EN: "The device does not answer."}, ToDo: controller.Text{IT: "Controllare l'alimentazione.", EN: "Check the power."}},
		{ID: "a4", Kind: controller.DeviceRebooted, Severity: controller.Notice, Device: w.net.Devices[9].ID, Opened: now.Add(-6 * time.Hour), Closed: &closed, Seen: controller.Text{IT: "Riavviato.", EN: "Rebooted."}},
	}

	cfg := web.Default()
	cfg.Addr, cfg.Demo = "127.0.0.1:0", true
	var err error
	if w.shell, err = web.New(cfg, web.Deps{Identify: identify, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}); err != nil {
		t.Fatal(err)
	}
	pcfg := page.Default()
	pcfg.Beat = 50 * time.Millisecond
	deps := page.Deps{Shell: w.shell, Network: w.net, Union: w.union, Links: w, Devices: w, Alerts: w, Changes: w, History: w, Changer: w.changer, Partners: w.desk, Edges: w.halls,
		Profile: func(context.Context, network.LinkID, string) ([]byte, error) {
			return []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 360"><path d="M0 300 300 200 600 280 900 150V360H0z" fill="#886"/></svg>`), nil
		}}
	for _, c := range change {
		c(&pcfg, &deps)
	}
	pages, err := page.New(pcfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	if err := pages.Mount(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) get(target string) *httptest.ResponseRecorder { return w.as("tecnica", "GET", target) }

// as is what somebody is answered.
func (w *world) as(who, method, target string) *httptest.ResponseRecorder {
	return w.send(who, method, target, "", "")
}

// send is as, with a body of a kind.
func (w *world) send(who, method, target, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "localhost"
	r.Header.Set("As", who)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	rec := httptest.NewRecorder()
	w.shell.Handler().ServeHTTP(rec, r)
	return rec
}

// askers are who ask in these tests. Browsers, which name nobody, are the
// technician.
var askers = map[string][]login.Grant{
	"estranea":    nil,
	"tecnica":     {{Role: login.Technician, Scope: login.Union}},
	"lettrice":    {{Role: login.Viewer, Scope: login.Union}},
	"uno":         {{Role: login.Partner, Scope: login.Scope{Kind: login.OfPartner, ID: "wisp-uno"}}},
	"due":         {{Role: login.Partner, Scope: login.Scope{Kind: login.OfPartner, ID: "wisp-due"}}},
	"comune":      {{Role: login.Viewer, Scope: login.Scope{Kind: login.OfComune, ID: "004201"}}}, // Saliceto
	"gruppo":      {{Role: login.Viewer, Scope: login.Scope{Kind: login.OfGroup, ID: "004201"}}},
	"tecnica-uno": {{Role: login.Technician, Scope: login.Scope{Kind: login.OfPartner, ID: "wisp-uno"}}},
}

func identify(r *http.Request) (login.Identity, error) {
	who := r.Header.Get("As")
	if who == "" {
		who = "tecnica"
	}
	grants, ok := askers[who]
	if !ok || grants == nil {
		return login.Identity{}, nil
	}
	return login.Identity{Person: who, Via: "session", Grants: grants}, nil
}
