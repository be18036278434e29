package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// source is the address a request came from; invalid for the socket of the
// data folder. Where a proxy on this machine is trusted it is the last one in
// X-Forwarded-For: the one that the proxy itself saw.
func (s *Shell) source(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	from := peer.Addr().Unmap().WithZone("")
	if !s.proxied(r) {
		if from.IsLoopback() && !s.cfg.Forwarded && r.Header.Get("X-Forwarded-For") != "" {
			s.unproxied.Do(func() {
				s.log.Warn("web: visitors come through a proxy that is not trusted, so that limits on guessing and the log take all of them for one: set http.forwarded")
			})
		}
		return from
	}
	lines := r.Header.Values("X-Forwarded-For")
	if len(lines) == 0 {
		return from
	}
	last := lines[len(lines)-1]
	last = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
	if ap, err := netip.ParseAddrPort(last); err == nil { // some proxies add the port
		return ap.Addr().Unmap().WithZone("")
	}
	if a, err := netip.ParseAddr(strings.Trim(last, "[]")); err == nil {
		return a.Unmap().WithZone("")
	}
	return from
}

// proxied says whether a request came through the trusted proxy of this
// machine.
func (s *Shell) proxied(r *http.Request) bool {
	if !s.cfg.Forwarded {
		return false
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

// secure says whether the browser speaks TLS, to us or to the proxy.
func (s *Shell) secure(r *http.Request) bool {
	return r.TLS != nil || s.proxied(r) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}
