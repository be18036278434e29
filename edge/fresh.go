package edge

import (
	"net/http"
	"time"
)

// understood are the status codes that this cache knows how to cache (RFC 9111
// §3, must-understand): those that may be cached without being told so, and
// those whose meaning asks nothing special of a cache.
var understood = map[int]bool{
	200: true, 203: true, 204: true, 206: true, 300: true, 301: true, 302: true, 303: true, 307: true, 308: true,
	400: true, 401: true, 403: true, 404: true, 405: true, 410: true, 414: true, 500: true, 501: true, 502: true, 503: true, 504: true,
}

// heuristic are the status codes of which a lifetime may be guessed (RFC 9110
// §15.1).
var heuristic = map[int]bool{
	200: true, 203: true, 204: true, 206: true, 300: true, 301: true, 308: true, 404: true, 405: true, 410: true, 414: true, 501: true,
}

// Directives are those of an answer that count for this cache: of the first
// target field that is there and can be read, else of Cache-Control. targeted
// says that they are of a target field, and Expires counts for nothing (RFC 9213
// §2.2).
func (r Rules) Directives(h http.Header) (d Directives, targeted bool) {
	for _, name := range r.Targets {
		if lines := h[name]; len(lines) > 0 {
			if d, ok := ParseTargeted(lines); ok && d.Any() {
				return d, true
			}
		}
	}
	return ParseCacheControl(h["Cache-Control"]), false
}

// Lifetime is how long an answer is fresh (RFC 9111 §4.2.1), for a shared cache.
// explicit is false when the origin said nothing and it was guessed (§4.2.2).
func (r Rules) Lifetime(status int, h http.Header, got time.Time) (lifetime time.Duration, explicit bool) {
	d, targeted := r.Directives(h)
	return r.lifetime(d, targeted, status, h, got)
}

func (r Rules) lifetime(d Directives, targeted bool, status int, h http.Header, got time.Time) (time.Duration, bool) {
	switch {
	case d.SMaxAge.There:
		return d.SMaxAge.duration(), true
	case d.MaxAge.There:
		return d.MaxAge.duration(), true
	}
	from := dated(h, got)
	if expires, there, ok := date(h, "Expires", got); there && !targeted {
		if !ok {
			return 0, true
		}
		return max(expires.Sub(from), 0), true
	}
	modified, _, ok := date(h, "Last-Modified", got)
	if !ok || r.Heuristic == 0 || !heuristic[status] && !d.Public {
		return 0, false
	}
	return min(max(from.Sub(modified), 0)/10, r.Heuristic), false
}

func (d Delta) duration() time.Duration { return time.Duration(d.Seconds) * time.Second }

// dated is the Date of an answer; when it came, where it says none that can be
// read (RFC 9110 §6.6.1).
func dated(h http.Header, got time.Time) time.Time {
	if t, _, ok := date(h, "Date", got); ok {
		return t
	}
	return got
}

// Age is how old a stored answer is at a time (RFC 9111 §4.2.3). known is false
// when the clock stands before the time at which it came: then it may be of any
// age.
func (s *Stored) Age(now time.Time) (age time.Duration, known bool) {
	return s.later(s.initial(), now)
}

// initial is how old a stored answer was when it came.
func (s *Stored) initial() time.Duration {
	initial := max(s.Got.Sub(dated(s.Header, s.Got)), 0)
	value := Delta{}
	if lines := s.Header["Age"]; len(lines) > 0 {
		if all := members(lines[:1]); len(all) > 0 {
			value = seconds(all[0])
		}
	}
	return max(initial, value.duration()+max(s.Got.Sub(s.Asked), 0))
}

// later is how old it is at a time, of its age when it came.
func (s *Stored) later(initial time.Duration, now time.Time) (age time.Duration, known bool) {
	resident := now.Sub(s.Got)
	if resident < 0 {
		return initial, resident > -clockSlack
	}
	return initial + resident, true
}

// clockSlack is by how much a clock may be set back without any age being in
// doubt.
const clockSlack = 2 * time.Second
