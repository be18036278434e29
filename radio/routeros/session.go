package routeros

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio"
)

// session is what the driver remembers of one device: its connection and what
// it need not ask every round. turn is held by the round under way; the rest
// is guarded by it.
type session struct {
	turn   chan struct{}
	target radio.Target
	conn   *conn
	last   time.Time // end of the last round
	// Until then settings may change by themselves, and nothing remembered of
	// them is good for another round.
	unsettled time.Time
	memory
}

// memory is forgotten when the device restarts or changes its version.
type memory struct {
	version string
	uptime  float64 // seconds
	due     map[string]time.Time
	absent  map[string]bool   // menus that the device does not have
	refused map[string]string // menus that it refused, and why

	identity   string
	volts      health
	neighbours []network.Neighbour
	radios     map[string][]setting // by the path of their menu
	stations   map[string]string    // of 60 GHz: interface by remote address
	shape      string               // names of the radio interfaces, as last seen
	stats      bool                 // the registration table shows its counters only with =stats=
	meters     map[string]sample
}

// setting is the slow part of one radio interface, as the device writes it.
type setting struct {
	name, ssid, freq, width, power string
}

func (m *memory) forget() { *m = memory{} }

// ready makes the maps of a new memory.
func (m *memory) ready() {
	if m.due == nil {
		m.due = map[string]time.Time{}
		m.absent = map[string]bool{}
		m.refused = map[string]string{}
		m.radios = map[string][]setting{}
		m.meters = map[string]sample{}
	}
}

// done sets when a slow read is next due; the spread keeps a fleet started at
// one moment from asking for everything at one moment again.
func (m *memory) done(key string, now time.Time, every time.Duration) {
	m.due[key] = now.Add(every*4/5 + rand.N(every*2/5+1))
}

func (s *session) drop() {
	if s.conn != nil {
		s.conn.close()
		s.conn = nil
	}
}

func isSilent(err error) bool { return errors.Is(err, errSilent) }
