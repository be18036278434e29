package network

import (
	"math"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/strict"
	"github.com/crinale/crinale/internal/unit"
)

var (
	namePattern  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	istatPattern = regexp.MustCompile(`^[0-9]{6}$`)
	macPattern   = regexp.MustCompile(`^[0-9A-F]{2}(:[0-9A-F]{2}){5}$`)
	hostPattern  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$`)
)

// CheckName says why a name cannot be one, nil when it can: names are
// a-z, 0-9 and -, at most 63 long, and begin and end with a letter or digit.
// kind is the word for the message: "partner", "site".
func CheckName(kind, name string) error {
	if namePattern.MatchString(name) {
		return nil
	}
	if name == "" {
		return fault.New(fault.Invalid, "the %s has no name: give it one of a-z, 0-9 and -", kind)
	}
	if len(name) > 63 {
		return fault.New(fault.Invalid, "the %s name %.20q… has %d letters: at most 63", kind, name, len(name))
	}
	text := ""
	if p := proposal(name); p != "" {
		text = ", such as " + strconv.Quote(p)
	}
	return fault.New(fault.Invalid, "the %s name %q is not allowed: write a-z, 0-9 and - only%s", kind, name, text)
}

// proposal makes a name out of a title.
func proposal(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if b.Len() > 0 {
			b.WriteByte('-')
		}
	}
	return regexp.MustCompile(`-+`).ReplaceAllString(strings.Trim(b.String(), "-"), "-")
}

func (l *loader) name(at strict.At, kind, name string) {
	if name == "" && !at.Has("id") {
		return // told already as missing
	}
	if err := CheckName(kind, name); err != nil {
		l.bad(at, "id", "%v", err)
		if l.refused == nil {
			l.refused = map[string]bool{}
		}
		l.refused[kind] = true
	}
}

// missing reports a reference to a name that is not there. Where a name of the
// kind was refused, the reference most likely means that one: one slip, one
// line.
func missing[K ~string](l *loader, at strict.At, key, kind string, name K, known []K, more string) {
	if l.refused[kind] {
		return
	}
	l.bad(at, key, "there is no %s %q%s%s", kind, name, meant(name, known), more)
}

// between checks a number that was written.
func (l *loader) between(at strict.At, key string, v, low, high float64) {
	if at.Has(key) && !(v >= low && v <= high) {
		l.bad(at, key, "%v is out of range: write a number from %v to %v", v, low, high)
	}
}

func (l *loader) power(at strict.At, key string, p unit.Opt[unit.DBm]) {
	if v, ok := p.Get(); ok {
		l.between(at, key, float64(v), -40, 50)
	}
}

func (l *loader) position(at strict.At, lat, lon float64) {
	okLat, okLon := math.Abs(lat) <= 90, math.Abs(lon) <= 180
	switch {
	case !at.Has("lat") || !at.Has("lon"):
	case !okLat && okLon && math.Abs(lon) <= 90:
		l.bad(at, "lat", "%v is no latitude: -90 to 90; are lat and lon swapped?", lat)
	case !okLat:
		l.bad(at, "lat", "%v is no latitude: write degrees from -90 to 90", lat)
	case !okLon:
		l.bad(at, "lon", "%v is no longitude: write degrees from -180 to 180", lon)
	case lat == 0 && lon == 0:
		l.bad(at, "lat", "0, 0 lies in the Gulf of Guinea: write the true position")
	}
}

func (l *loader) istat(at strict.At, code string) {
	if code != "" && !istatPattern.MatchString(code) {
		l.bad(at, "comune", "%q is no ISTAT code: write six digits, province first, such as 004124", code)
	}
}

// partnersKnown checks a list of partners.
func (l *loader) partnersKnown(at strict.At, list []PartnerID, known map[PartnerID]strict.At) {
	seen := map[PartnerID]bool{}
	for _, p := range list {
		if _, ok := known[p]; !ok {
			missing(l, at, "partners", "partner", p, sortedKeys(known), "")
		}
		if seen[p] {
			l.bad(at, "partners", "partner %q is listed twice: remove one", p)
		}
		seen[p] = true
	}
}

// mac gives the address as upper case with colons.
func (l *loader) mac(at strict.At, mac string) string {
	if mac == "" {
		return ""
	}
	m := strings.ToUpper(strings.ReplaceAll(mac, "-", ":"))
	if !macPattern.MatchString(m) {
		l.bad(at, "mac", "%q is no MAC address: write it as 4C:5E:0C:0F:2B:3B", mac)
		return mac
	}
	if b, err := strconv.ParseUint(m[:2], 16, 8); err == nil && b&1 == 1 {
		l.bad(at, "mac", "%s is a group address, not that of one radio", m)
	}
	return m
}

func (l *loader) address(at strict.At, addr string) {
	if addr == "" {
		return
	}
	host, port := addr, ""
	if strings.ContainsAny(addr, "/@ ") {
		l.bad(at, "address", "%q is no management address: write a host or host:port, without http:// or a path", addr)
		return
	}
	if net.ParseIP(addr) == nil {
		if h, p, err := net.SplitHostPort(addr); err == nil {
			host, port = h, p
			if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
				l.bad(at, "address", "%q has no port from 1 to 65535 behind the colon", addr)
				return
			}
		}
	}
	if net.ParseIP(host) == nil && !hostPattern.MatchString(host) {
		l.bad(at, "address", "%q is no management address: write a host or host:port", addr)
	}
}

func keys[K comparable, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}
