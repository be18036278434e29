package sim

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"strconv"
	"strings"
)

type deviceListener struct {
	net.Listener
	dev *device
}

type listeners struct {
	devices []deviceListener
	control net.Listener
}

func (l *listeners) close() {
	for _, d := range l.devices {
		d.Close()
	}
	if l.control != nil {
		l.control.Close()
	}
}

// listen opens every port: the one of the last run where it is free, else the
// next of the configured range, else any.
func (f *Fleet) listen() (*listeners, error) {
	ls := &listeners{}
	host, base, _ := net.SplitHostPort(f.cfg.Listen)
	next := newPorts(host, base)
	f.mu.Lock()
	last := memory{f.memory.ControlPort, maps.Clone(f.memory.Devices)}
	f.mu.Unlock()
	for _, d := range f.devices {
		m := last.Devices[d.id]
		l, err := next.open(m.Port)
		if err != nil {
			ls.close()
			return nil, fmt.Errorf("device %s: %w", d.id, err)
		}
		ls.devices = append(ls.devices, deviceListener{l, d})
		m.Port = port(l)
		d.address = l.Addr().String()
		if !f.cfg.NoTLS {
			l, err := next.open(m.TLSPort)
			if err != nil {
				ls.close()
				return nil, fmt.Errorf("device %s: TLS: %w", d.id, err)
			}
			m.TLSPort = port(l)
			a := l.Addr().String()
			d.tlsAddress = &a
			ls.devices = append(ls.devices, deviceListener{tls.NewListener(l, f.tls), d})
		}
		f.mu.Lock()
		now := f.memory.Devices[d.id]
		now.Port, now.TLSPort = m.Port, m.TLSPort
		f.memory.Devices[d.id] = now
		f.mu.Unlock()
	}
	chost, cport, _ := net.SplitHostPort(f.cfg.Control)
	var err error
	if cport == "0" {
		ls.control, err = newPorts(chost, "0").open(last.ControlPort)
	} else {
		ls.control, err = net.Listen("tcp", f.cfg.Control)
	}
	if err != nil {
		ls.close()
		return nil, fmt.Errorf("control: %w", err)
	}
	f.mu.Lock()
	f.memory.ControlPort = port(ls.control)
	f.mu.Unlock()
	return ls, nil
}

// ports hands out listeners.
type ports struct {
	host string
	next int // 0: any
}

func newPorts(host, base string) *ports {
	n, _ := strconv.Atoi(base)
	return &ports{host, n}
}

// open tries the port of the last run, then the range, then any.
func (p *ports) open(last int) (net.Listener, error) {
	if last > 0 && p.next == 0 {
		if l, err := net.Listen("tcp", net.JoinHostPort(p.host, strconv.Itoa(last))); err == nil {
			return l, nil
		}
	}
	for p.next > 0 && p.next < 65536 {
		n := p.next
		p.next++
		if l, err := net.Listen("tcp", net.JoinHostPort(p.host, strconv.Itoa(n))); err == nil {
			return l, nil
		}
	}
	return net.Listen("tcp", net.JoinHostPort(p.host, "0"))
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// quiet hides addresses of a closed listener from logs: it is not an error.
func quiet(err error) bool {
	return errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "use of closed")
}
