package sim

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crinale/crinale/internal/network"
)

// The radio drivers a device can have, after network.Gear.Class.
const (
	wireless = "wireless"
	wifi     = "wifi"
	w60g     = "w60g"
	router   = "router"
)

// device is one simulated RouterOS box. What is not fixed at New is guarded by
// the fleet's lock.
type device struct {
	fleet   *Fleet
	index   int
	id      network.DeviceID
	net     network.Device
	gear    network.Gear
	driver  string
	version version
	release string // "7.18.2 (stable)"
	board   string
	arch    string
	mac     [6]byte // of the first radio
	menus   map[string]*menu
	mates   []*device // of the same site or seat
	sheets  map[float64][]network.Rate
	factory *config

	address    string
	tlsAddress *string
	config     *config
	boot       time.Time
	cut        time.Time // last time the cable changed its rate
	writes     int
	sessions   map[*session]bool
	watchers   map[chan struct{}]bool
	joined     bool          // to a gateway, when last found out
	ends       []*end        // of links, in the network's order
	jobs       map[int]*job  // of scheduler entries, by their id
	dies       chan struct{} // closed when the power goes
	scriptRuns map[int]runs  // by script id
	lines      []logLine     // of /log, the oldest first
	noted      int           // lines ever written
	modem      modem
	writing    sync.Mutex // one change after the other; taken before the fleet's lock

	wire atomic.Pointer[active] // the fault that bends the connection, if any
}

func newDevice(f *Fleet, i int, nd network.Device) *device {
	d := &device{
		fleet: f, index: i, id: nd.ID, net: nd, gear: f.deps.Network.Gear[nd.Gear],
		sheets: map[float64][]network.Rate{}, sessions: map[*session]bool{}, watchers: map[chan struct{}]bool{},
		jobs: map[int]*job{}, scriptRuns: map[int]runs{}, dies: make(chan struct{}),
	}
	switch d.gear.Class {
	case wireless, wifi, w60g, router:
		d.driver = d.gear.Class
	default:
		d.driver = wireless
		if nd.Settings.Protocol == w60g {
			d.driver = w60g
		}
	}
	if d.driver == wireless && nd.Settings.Protocol == w60g {
		d.driver = w60g
	}
	d.release = f.cfg.Versions[nd.ID]
	if d.release == "" {
		rs := releases[d.driver]
		d.release = rs[f.draw("release/"+string(nd.ID), 0)%uint64(len(rs))]
	} else if !strings.Contains(d.release, " ") {
		d.release += " (stable)"
	}
	d.version = parseVersion(d.release)
	b := boards[d.driver]
	d.board, d.arch = b.name, b.arch
	if d.gear.Product != "" {
		d.board = d.gear.Product
	}
	if d.version.major < 7 && d.arch == "arm64" {
		d.arch = "arm" // arm64 came with version 7
	}
	d.mac = hardware(f, nd)
	d.menus = menusOf(d)
	return d
}

// releases are the versions a fleet runs; which one, the seed decides. The wifi
// drivers need 7.13 or later.
var releases = map[string][]string{
	wireless: {"6.49.18 (long-term)", "6.49.18 (long-term)", "7.12.1 (stable)", "7.18.2 (stable)", "7.18.2 (stable)"},
	wifi:     {"7.16.2 (stable)", "7.18.2 (stable)", "7.18.2 (stable)"},
	w60g:     {"6.49.18 (long-term)", "7.12.1 (stable)", "7.18.2 (stable)"},
	router:   {"6.49.18 (long-term)", "7.12.1 (stable)", "7.18.2 (stable)"},
}

// boards stand in for gear without a product name.
var boards = map[string]struct{ name, arch string }{
	wireless: {"generic 802.11ac", "arm"},
	wifi:     {"generic 802.11ax", "arm64"},
	w60g:     {"generic 60 GHz", "arm"},
	router:   {"generic router", "arm64"},
}

// hardware is the MAC address of the first radio: the network's, or one drawn
// in the locally administered range.
func hardware(f *Fleet, nd network.Device) (m [6]byte) {
	if n, _ := fmt.Sscanf(nd.MAC, "%02X:%02X:%02X:%02X:%02X:%02X", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]); n == 6 {
		return m
	}
	h := f.draw("mac/"+string(nd.ID), 0)
	return [6]byte{0x02, byte(h), byte(h >> 8), byte(h >> 16), byte(h >> 24), byte(h >> 32)}
}

// macPlus is the address of an interface: the device's for 0, else one that no
// other device has, even where the network's addresses are consecutive.
func (d *device) macPlus(n int) string {
	m := d.mac
	if n > 0 {
		m[0] ^= 0x40
		m[1] += byte(n)
	}
	return fmt.Sprintf("%02X:%02X:%02X:%02X:%02X:%02X", m[0], m[1], m[2], m[3], m[4], m[5])
}

// firstUptime is how long a device has been up when its fleet is first made:
// one to sixty days.
func (d *device) firstUptime() time.Duration {
	return time.Duration((1 + 59*d.fleet.uniform("boot/"+string(d.id), 0)) * float64(24*time.Hour)).Truncate(time.Second)
}

// on says whether the device has power and has booted.
func (d *device) on() bool {
	a := d.wire.Load()
	return a == nil || a.Kind != Off && a.Kind != Reboot
}

// suffers says whether a fault of a kind is on the device. It needs the fleet's
// lock.
func (d *device) suffers(k Kind) bool {
	return d.fleet.has(func(a *active) bool { return a.Kind == k && a.Device == d.id })
}

func (d *device) uptime(now time.Time) time.Duration { return max(now.Sub(d.boot), 0) }

func (d *device) identity() string { return d.config.table(identityTable).Rows[0].get("name") }

// settle brings the links of the device up to now. It needs the fleet's lock.
func (d *device) settle(now time.Time) {
	for _, e := range d.ends {
		e.link.settle(now)
	}
}

// ip is the device's own address on the bridge.
func (d *device) ip() string {
	if t := d.config.table(addressTable); len(t.Rows) > 0 {
		a, _, _ := strings.Cut(t.Rows[0].get("address"), "/")
		return a
	}
	return ""
}
