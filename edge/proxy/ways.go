package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// WaysConfig is how an edge goes to the world.
type WaysConfig struct {
	Timeout time.Duration // until the head of an answer
	// Probes are addresses, host:port, of which any that takes a connection shows
	// that a way works.
	Probes []string
	Second *SecondWay // nil: there is none
}

// SecondWay is a way that costs: what is sent over it is counted, and it is
// closed when the cap of the month is used up.
type SecondWay struct {
	Source net.IP // of this machine, on the modem's side
	Cap    int64  // bytes in a month, both directions
	File   string // where the bytes of the month are remembered
}

// Ways is the transport of an edge: requests go the way on which the edge
// stands, others wait for nothing.
type Ways struct {
	cfg   WaysConfig
	main  *transport
	other *transport // the second way; nil: there is none
	meter *meter
	stand func() edge.Stand
}

// NewWays makes the ways; stand is asked for each request.
func NewWays(c WaysConfig, stand func() edge.Stand) (*Ways, error) {
	if c.Timeout <= 0 {
		return nil, fault.New(fault.Invalid, "ways: give a time above zero")
	}
	w := &Ways{cfg: c, main: newTransport(c.Timeout, nil), stand: stand}
	if c.Second == nil {
		return w, nil
	}
	if c.Second.Source == nil || c.Second.Cap <= 0 || c.Second.File == "" {
		return nil, fault.New(fault.Invalid, "second way: give its source address, its cap and a file")
	}
	var err error
	if w.meter, err = newMeter(c.Second.File); err != nil {
		return nil, err
	}
	w.other = newTransport(c.Timeout, w.dialSecond)
	return w, nil
}

func (w *Ways) dialSecond(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: w.cfg.Timeout, LocalAddr: &net.TCPAddr{IP: w.cfg.Second.Source}}
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &metered{c, w.meter}, nil
}

// RoundTrip sends a request on the way of the moment.
func (w *Ways) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.other != nil && w.stand().Way == edge.WaySecond {
		if !w.SecondOpen() {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errCap}
		}
		return w.other.RoundTrip(r)
	}
	return w.main.RoundTrip(r)
}

var errCap = errors.New("the second way has used up its cap of this month")

// Turned lets go of the connections of the way that is left: they would keep
// requests waiting that the other could answer.
func (w *Ways) Turned(to edge.Way) {
	if to != edge.WayMain {
		w.main.CloseIdleConnections()
	}
	if w.other != nil && to != edge.WaySecond {
		w.other.CloseIdleConnections()
	}
}

// Probe sees whether a way works: nil when any of the addresses takes a
// connection.
func (w *Ways) Probe(ctx context.Context, way edge.Way) error {
	d := net.Dialer{}
	if way == edge.WaySecond {
		if w.cfg.Second == nil {
			return errors.New("there is no second way")
		}
		d.LocalAddr = &net.TCPAddr{IP: w.cfg.Second.Source}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	got := make(chan error, len(w.cfg.Probes))
	for _, addr := range w.cfg.Probes {
		go func() {
			c, err := d.DialContext(ctx, "tcp", addr)
			if err == nil {
				_ = c.Close()
			}
			got <- err
		}()
	}
	err := errors.New("there is no address to try")
	for range w.cfg.Probes {
		if err = <-got; err == nil {
			return nil
		}
	}
	return err
}

// SecondOpen says that the cap of the second way is not used up.
func (w *Ways) SecondOpen() bool {
	return w.meter != nil && w.meter.used(time.Now()) < w.cfg.Second.Cap
}

// Spent is what went over the second way this month, in bytes.
func (w *Ways) Spent() int64 {
	if w.meter == nil {
		return 0
	}
	return w.meter.used(time.Now())
}

// Run remembers what was spent until ctx ends.
func (w *Ways) Run(ctx context.Context) error {
	if w.meter == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return w.meter.save()
		case <-tick.C:
			if err := w.meter.save(); err != nil {
				return err
			}
		}
	}
}

// meter counts bytes by the month.
type meter struct {
	file  string
	mu    sync.Mutex
	now   spent
	saved spent
}

type spent struct {
	Month string `json:"month"` // "2026-11"
	Bytes int64  `json:"bytes"`
}

func newMeter(file string) (*meter, error) {
	m := &meter{file: file}
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &m.now)
	}
	if err != nil || m.now.Bytes < 0 {
		return nil, fault.New(fault.Invalid, "%s, what went over the second way this month, cannot be read: %v: correct it, or remove it to begin at zero", file, err)
	}
	m.saved = m.now
	return m, nil
}

func (m *meter) add(n int, now time.Time) {
	if n <= 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	m.now.Bytes += int64(n)
}

// turn begins a month. It needs the lock.
func (m *meter) turn(now time.Time) {
	if month := now.UTC().Format("2006-01"); month > m.now.Month {
		m.now = spent{Month: month}
	}
}

func (m *meter) used(now time.Time) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	return m.now.Bytes
}

func (m *meter) save() error {
	m.mu.Lock()
	s := m.now
	same := s == m.saved
	m.mu.Unlock()
	if same {
		return nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(m.file), ".second")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), m.file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	m.mu.Lock()
	m.saved = s
	m.mu.Unlock()
	return nil
}

// metered is a connection whose bytes are counted.
type metered struct {
	net.Conn
	m *meter
}

func (c *metered) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.m.add(n, time.Now())
	return n, err
}

func (c *metered) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.m.add(n, time.Now())
	return n, err
}
