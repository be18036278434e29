package sim_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-routeros/routeros/v3"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/radio/sim"
)

// patience is how long anything that must happen may take, on the slowest
// machine and under the race detector. It costs nothing where it happens.
const patience = 2 * time.Minute

// smallNetwork has a sector with two 802.11 stations, an nv2 pair, a pair of
// wifi, one of 60 GHz, a fibre between routers and an LTE line.
func smallNetwork() *network.Network {
	n := &network.Network{Gear: map[network.GearID]network.Gear{
		"ac": {ID: "ac", Class: "wireless", Product: "Dish ac"}, "ax": {ID: "ax", Class: "wifi", Product: "Dish ax"},
		"sixty": {ID: "sixty", Class: "w60g", Product: "Cube 60"}, "rtr": {ID: "rtr", Class: "router"},
	}}
	site := func(id network.SiteID, lat, lon float64) {
		n.Sites = append(n.Sites, network.Site{ID: id, At: geo.LonLat{Lon: lon, Lat: lat}})
	}
	site("ridge", 44.50, 8.10)
	site("valley", 44.52, 8.14)
	site("near", 44.505, 8.105)
	dev := func(id network.DeviceID, s network.SiteID, g network.GearID, set network.Settings) {
		n.Devices = append(n.Devices, network.Device{ID: id, Site: s, Gear: g, Settings: set, HeightM: 10})
	}
	five := network.Settings{SSID: "alta", Freq: unit.Some[unit.MHz](5600), Width: unit.Some[unit.MHz](20), TxPower: unit.Some[unit.DBm](20)}
	nv2 := five
	nv2.SSID, nv2.Protocol, nv2.Width = "langa", "nv2", unit.Some[unit.MHz](40)
	dev("sector", "ridge", "ac", five)
	dev("cpe-1", "valley", "ac", network.Settings{})
	dev("cpe-2", "near", "ac", network.Settings{})
	dev("nv2-a", "ridge", "ac", nv2)
	dev("nv2-b", "valley", "ac", nv2)
	dev("ax-a", "ridge", "ax", network.Settings{SSID: "ax"})
	dev("ax-b", "valley", "ax", network.Settings{SSID: "ax"})
	dev("sixty-a", "ridge", "sixty", network.Settings{Protocol: "w60g"})
	dev("sixty-b", "near", "sixty", network.Settings{Protocol: "w60g"})
	dev("core-1", "ridge", "rtr", network.Settings{})
	dev("core-2", "near", "rtr", network.Settings{})
	n.Sectors = []network.Sector{{ID: "south", Device: "sector"}}
	link := func(id network.LinkID, m network.Medium, a, b network.DeviceID, s network.SectorID) {
		n.Links = append(n.Links, network.Link{ID: id, Medium: m, A: a, B: b, Sector: s})
	}
	link("l1", network.Radio, "sector", "cpe-1", "south")
	link("l2", network.Radio, "sector", "cpe-2", "south")
	link("l3", network.Radio, "nv2-a", "nv2-b", "")
	link("l4", network.Radio, "ax-a", "ax-b", "")
	link("l5", network.Radio, "sixty-a", "sixty-b", "")
	link("l6", network.Fibre, "core-1", "core-2", "")
	link("l7", network.LTE, "core-2", "", "")
	n.Index()
	return n
}

func flat(network.LinkID, network.DeviceID) (unit.DBm, bool) { return -60, true }

// started is a running fleet, which ends with the test.
func started(t *testing.T, c sim.Config) *sim.Fleet {
	t.Helper()
	f, _ := startedAs(t, c)
	return f
}

func startedAs(t *testing.T, c sim.Config) (*sim.Fleet, func()) {
	t.Helper()
	if c.StateDir == "" {
		c.StateDir = t.TempDir()
	}
	if c.Join == 0 {
		c.Join = -1
	}
	f, err := sim.New(c, sim.Deps{Network: smallNetwork(), Level: flat, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	select {
	case <-f.Ready():
	case err := <-ended:
		stopped = true
		t.Fatalf("run ended: %v", err)
	}
	return f, stop
}

func endpoint(t *testing.T, f *sim.Fleet, id network.DeviceID) sim.Endpoint {
	t.Helper()
	for _, e := range f.Devices() {
		if e.ID == id {
			return e
		}
	}
	t.Fatalf("no endpoint %s", id)
	return sim.Endpoint{}
}

// dial logs in with the real client. The connection has a deadline, since the
// client has none.
func dial(t *testing.T, f *sim.Fleet, id network.DeviceID) *routeros.Client {
	t.Helper()
	c, err := tryDial(t, endpoint(t, f, id))
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	return c
}

func tryDial(t *testing.T, e sim.Endpoint) (*routeros.Client, error) {
	t.Helper()
	conn, err := net.Dial("tcp", e.Address)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	c, err := routeros.NewClient(conn)
	if err != nil {
		return nil, err
	}
	c.SetLogHandler(slog.DiscardHandler)
	return c, c.Login(e.User, e.Password)
}

func run(t *testing.T, c *routeros.Client, words ...string) *routeros.Reply {
	t.Helper()
	r, err := c.RunArgs(words)
	if err != nil {
		t.Fatalf("%v: %v", words, err)
	}
	if r.Done == nil {
		t.Fatalf("%v: connection closed", words)
	}
	return r
}

// refused runs a command that must be refused with a message.
func refused(t *testing.T, c *routeros.Client, message string, words ...string) {
	t.Helper()
	_, err := c.RunArgs(words)
	if err == nil || !strings.Contains(err.Error(), message) {
		t.Errorf("%v: got %v, want a trap with %q", words, err, message)
	}
}

// within polls until ok.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		<-tick.C
	}
}

func TestAnnounce(t *testing.T) {
	dir := t.TempDir()
	f := started(t, sim.Config{StateDir: dir})
	path := filepath.Join(dir, "sim.json")
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if st.Mode().Perm() != 0o600 {
		t.Errorf("sim.json has mode %v", st.Mode())
	}
	b, _ := os.ReadFile(path)
	var got struct {
		Devices []map[string]any `json:"devices"`
		Control string           `json:"control"`
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Devices) != 11 || got.Control != f.Control() || !strings.HasPrefix(got.Control, "http://127.0.0.1:") {
		t.Errorf("sim.json: %s", b)
	}
	for _, d := range got.Devices {
		for _, k := range []string{"id", "address", "tls", "ssh", "user", "password"} {
			if _, ok := d[k]; !ok {
				t.Errorf("device without %q: %v", k, d)
			}
		}
		if d["ssh"] != nil || d["password"] == "" {
			t.Errorf("device: %v", d)
		}
	}
}

func TestLogin(t *testing.T) {
	f := started(t, sim.Config{Versions: map[network.DeviceID]string{"cpe-1": "6.42.12 (long-term)"}})
	for _, id := range []network.DeviceID{"sector", "cpe-1", "ax-a", "core-2"} {
		c := dial(t, f, id)
		r := run(t, c, "/system/identity/print")
		if len(r.Re) != 1 || r.Re[0].Map["name"] != string(id) {
			t.Errorf("%s: identity %v", id, r)
		}
	}
	for id, want := range map[network.DeviceID]string{"sector": "invalid user name or password (6)", "cpe-1": "cannot log in"} {
		e := endpoint(t, f, id)
		e.Password += "x"
		if _, err := tryDial(t, e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s with a wrong password: %v", id, err)
		}
		e.User = "nobody"
		if _, err := tryDial(t, e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s as nobody: %v", id, err)
		}
	}
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	f := started(t, sim.Config{StateDir: dir})
	e := endpoint(t, f, "sector")
	pem, err := os.ReadFile(filepath.Join(dir, "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	c, err := routeros.DialTLSTimeout(*e.TLS, e.User, e.Password, &tls.Config{RootCAs: roots}, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if r := run(t, c, "/system/identity/print"); r.Re[0].Map["name"] != "sector" {
		t.Errorf("over TLS: %v", r)
	}
	none := started(t, sim.Config{NoTLS: true})
	if e := endpoint(t, none, "sector"); e.TLS != nil {
		t.Errorf("TLS is off, yet %s", *e.TLS)
	}
}

func TestPrint(t *testing.T) {
	f := started(t, sim.Config{Versions: map[network.DeviceID]string{"sector": "7.18.2", "nv2-a": "6.49.18 (long-term)", "ax-a": "7.18.2", "sixty-a": "7.12.1"}})
	c := dial(t, f, "sector")

	rows := run(t, c, "/interface/wireless/registration-table/print").Re
	if len(rows) != 2 {
		t.Fatalf("sector has %d stations, want 2", len(rows))
	}
	for _, k := range []string{".id", "interface", "radio-name", "mac-address", "rx-rate", "tx-rate", "bytes", "uptime", "signal-strength", "signal-to-noise",
		"signal-strength-ch0", "signal-strength-ch1", "tx-ccq", "distance", "last-ip"} {
		if rows[0].Map[k] == "" {
			t.Errorf("registration without %s: %v", k, rows[0])
		}
	}
	if !strings.Contains(rows[0].Map["signal-strength"], "@VHT") {
		t.Errorf("802.11 signal is %q", rows[0].Map["signal-strength"])
	}

	cut := run(t, c, "/interface/print", "=.proplist=name,type,nonsense", "?type=wlan").Re
	if len(cut) != 1 || len(cut[0].List) != 2 || cut[0].Map["name"] != "wlan1" {
		t.Errorf("proplist: %v", cut)
	}
	if r := run(t, c, "/interface/print", "=count-only="); r.Done.Map["ret"] != "3" {
		t.Errorf("count-only: %v", r.Done)
	}
	// 7.18 says !empty, which the client takes; no rows either way.
	if r := run(t, c, "/interface/print", "?name=no-such"); len(r.Re) != 0 {
		t.Errorf("no rows wanted: %v", r)
	}
	refused(t, c, "no such command prefix", "/interface/wifi/print")
	refused(t, c, "no such command", "/interface/dance")
	refused(t, c, "unknown parameter", "/interface/print", "=colour=red")
	refused(t, c, "input does not match any value of interface", "/interface/monitor-traffic", "=interface=nope", "=once=")
	refused(t, c, "no such item (4)", "/interface/wireless/monitor", "=numbers=nope", "=once=")
	if r := run(t, c, "/interface/wireless/monitor", "=numbers=wlan1", "=once="); r.Re[0].Map["status"] != "running-ap" || r.Re[0].Map["registered-clients"] != "2" {
		t.Errorf("monitor: %v", r)
	}

	v6 := dial(t, f, "nv2-a")
	nv2 := run(t, v6, "/interface/wireless/registration-table/print").Re
	if len(nv2) != 1 || strings.Contains(nv2[0].Map["signal-strength"], "@") || nv2[0].Map["tdma-retx"] == "" || nv2[0].Map["rx-ccq"] == "" {
		t.Errorf("nv2: %v", nv2)
	}
	if h := run(t, v6, "/system/health/print").Re; len(h) != 1 || h[0].Map["voltage"] == "" {
		t.Errorf("health of version 6: %v", h)
	}
	if h := run(t, c, "/system/health/print").Re; len(h) != 2 || h[0].Map["name"] == "" || h[0].Map["value"] == "" {
		t.Errorf("health of version 7: %v", h)
	}
	if d := run(t, v6, "/system/clock/print").Re[0].Map["date"]; !strings.Contains(d, "/") {
		t.Errorf("date of version 6: %s", d)
	}

	ax := dial(t, f, "ax-a")
	w := run(t, ax, "/interface/wifi/registration-table/print").Re
	if len(w) != 1 || w[0].Map["signal"] == "" || strings.Contains(w[0].Map["tx-rate"], "M") || w[0].Map["authorized"] != "true" {
		t.Errorf("wifi: %v", w)
	}
	sixty := dial(t, f, "sixty-a")
	m := run(t, sixty, "/interface/w60g/monitor", "=numbers=wlan60-1", "=once=").Re
	if len(m) != 1 || m[0].Map["connected"] != "true" || !strings.HasSuffix(m[0].Map["distance"], "m") {
		t.Errorf("w60g: %v", m)
	}
	if s := run(t, sixty, "/interface/w60g/station/print").Re; len(s) != 1 || s[0].Map["parent"] != "wlan60-1" {
		t.Errorf("w60g stations: %v", s)
	}
	core := dial(t, f, "core-2")
	if i := run(t, core, "/interface/print", "?type=lte").Re; len(i) != 1 || i[0].Map["running"] != "true" {
		t.Errorf("lte: %v", i)
	}
	for _, path := range []string{"/system/resource", "/system/routerboard", "/system/package", "/system/package/update", "/ip/address", "/ip/neighbor", "/user", "/interface/ethernet"} {
		if r := run(t, core, path+"/print"); len(r.Re) == 0 {
			t.Errorf("%s: no rows", path)
		}
	}
	if u := run(t, core, "/user/print").Re[0].Map; u["password"] != "" {
		t.Error("a password is printed")
	}
	if e := run(t, core, "/interface/ethernet/monitor", "=numbers=ether1", "=once=").Re[0].Map; e["rate"] != "1Gbps" {
		t.Errorf("ethernet: %v", e)
	}
}
