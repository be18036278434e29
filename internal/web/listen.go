package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"

	"github.com/crinale/crinale/internal/fault"
)

// checkAddr refuses an address that other machines can reach where there is no
// certificate: passwords would travel in the clear.
func checkAddr(cfg Config) error {
	host, _, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return fault.New(fault.Invalid, "web address %q: want HOST:PORT, for example 127.0.0.1:8080: %w", cfg.Addr, err)
	}
	if (cfg.CertFile == "") != (cfg.KeyFile == "") {
		return fault.New(fault.Invalid, "web: a certificate needs both its file and the file of its key: one is missing")
	}
	if cfg.CertFile == "" && !loopbackName(host) {
		return fault.New(fault.Invalid, "web address %q: without a certificate pages are served to this machine only: give a certificate and its key, or use 127.0.0.1 or [::1] behind a proxy that has one", cfg.Addr)
	}
	return nil
}

// hostOf is the name or address of a listener that a browser may ask for; a
// wildcard is none.
func hostOf(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		return ""
	}
	return host
}

// loopbackName says whether a host without port names this machine.
func loopbackName(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fault.New(fault.Invalid, "web address %q: %w", addr, err)
	}
	if _, err := netip.ParseAddr(host); err != nil && loopbackName(host) { // localhost: never ask a name server
		addr = net.JoinHostPort("127.0.0.1", port)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fault.New(fault.Conflict, "web: listen on %s: another program uses this port: end it, or choose another port (0 takes any free one)", addr)
	case errors.Is(err, syscall.EACCES):
		return nil, fault.New(fault.Denied, "web: listen on %s: not allowed to use this port: choose one above 1023", addr)
	}
	return nil, fault.New(fault.Invalid, "web: listen on %s: %w", addr, err)
}

// hostAllowed guards against DNS rebinding: a page of a stranger whose name
// was pointed at this machine asks with the stranger's Host header.
func (s *Shell) hostAllowed(r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(strings.TrimSuffix(strings.ToLower(host), "."), "[]")
	return host != "" && (loopbackName(host) || s.hosts[host])
}
