package edge

import (
	"strings"
)

// mostSeconds is what a greater number of seconds is taken for (RFC 9111
// §1.2.2).
const mostSeconds = 1 << 31

// Delta is a directive's number of seconds (RFC 9111 §1.2.2). One that cannot be
// read is there, and 0: what depends on it is stale (§4.2.1).
type Delta struct {
	Seconds int64
	There   bool
}

// Directives are those of Cache-Control (RFC 9111 §5.2), in a request or an
// answer. Where one stands twice, the first counts (§4.2.1).
type Directives struct {
	NoStore, NoCache, Private, Public         bool
	MustRevalidate, ProxyRevalidate           bool
	MustUnderstand, NoTransform, OnlyIfCached bool
	Immutable                                 bool     // RFC 8246
	NoCacheFields, PrivateFields              []string // canonical names; then the directive itself is not set
	MaxAge, SMaxAge, MinFresh                 Delta
	MaxStale                                  Delta // of any length: mostSeconds
	StaleWhileRevalidate, StaleIfError        Delta // RFC 5861
	any                                       bool
}

// Any says whether there was a directive at all, known or not.
func (d Directives) Any() bool { return d.any }

// ParseCacheControl reads the lines of a Cache-Control field. What is no
// directive is passed over, but never so that a prohibition is lost: of a quote
// that does not end, what follows counts as if there were none.
func ParseCacheControl(lines []string) Directives {
	var d Directives
	for _, line := range lines {
		for line != "" {
			var name, value string
			var hasValue bool
			name, value, hasValue, line = directive(line)
			d.add(name, value, hasValue)
		}
	}
	return d
}

// directive cuts the first directive off a line: its name, its value without
// quotes, whether it has one, and what follows.
func directive(line string) (name, value string, hasValue bool, rest string) {
	end := strings.IndexAny(line, ",=")
	if end < 0 {
		return trim(line), "", false, ""
	}
	name, rest = trim(line[:end]), line[end+1:]
	if line[end] == ',' {
		return name, "", false, rest
	}
	if quoted := strings.TrimLeft(rest, " \t"); strings.HasPrefix(quoted, `"`) {
		if text, after, ok := unquote(quoted); ok {
			junk, rest, _ := strings.Cut(after, ",")
			if trim(junk) != "" {
				text += " " + junk // no number any more
			}
			return name, text, true, rest
		}
	}
	value, rest, _ = strings.Cut(rest, ",")
	return name, trim(value), true, rest
}

// unquote reads a quoted-string (RFC 9110 §5.6.4) at the start of s.
func unquote(s string) (text, rest string, ok bool) {
	if end := strings.IndexAny(s[1:], `"\`); end >= 0 && s[1+end] == '"' {
		return s[1 : 1+end], s[end+2:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

func trim(s string) string { return strings.Trim(s, " \t") }

func (d *Directives) add(name, value string, hasValue bool) {
	if name == "" {
		return
	}
	d.any, name = true, strings.ToLower(name)
	if flag := d.flag(name); flag != nil {
		*flag = true
		return
	}
	if delta := d.delta(name); delta != nil {
		if !delta.There {
			*delta = seconds(value)
			if name == "max-stale" && !hasValue {
				*delta = Delta{mostSeconds, true}
			}
		}
		return
	}
	switch whole, fields := d.partly(name); {
	case whole == nil:
	case fieldNames(value) == nil:
		*whole = true
	default:
		*fields = append(*fields, fieldNames(value)...)
	}
}

// flag is where a directive without a value stands, by its name in lower case;
// nil for others.
func (d *Directives) flag(name string) *bool {
	switch name {
	case "no-store":
		return &d.NoStore
	case "public":
		return &d.Public
	case "must-revalidate":
		return &d.MustRevalidate
	case "proxy-revalidate":
		return &d.ProxyRevalidate
	case "must-understand":
		return &d.MustUnderstand
	case "no-transform":
		return &d.NoTransform
	case "only-if-cached":
		return &d.OnlyIfCached
	case "immutable":
		return &d.Immutable
	}
	return nil
}

// delta is where a directive with seconds stands; nil for others.
func (d *Directives) delta(name string) *Delta {
	switch name {
	case "max-age":
		return &d.MaxAge
	case "s-maxage":
		return &d.SMaxAge
	case "min-fresh":
		return &d.MinFresh
	case "max-stale":
		return &d.MaxStale
	case "stale-while-revalidate":
		return &d.StaleWhileRevalidate
	case "stale-if-error":
		return &d.StaleIfError
	}
	return nil
}

// partly is where a directive stands that may be of some fields only (RFC 9111
// §5.2.2.4, §5.2.2.7); nil for others.
func (d *Directives) partly(name string) (whole *bool, fields *[]string) {
	switch name {
	case "no-cache":
		return &d.NoCache, &d.NoCacheFields
	case "private":
		return &d.Private, &d.PrivateFields
	}
	return nil, nil
}

// seconds reads delta-seconds: digits and nothing else.
func seconds(s string) Delta {
	d := Delta{There: true}
	if s == "" {
		return d
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return Delta{There: true}
		}
		d.Seconds = min(d.Seconds*10+int64(s[i]-'0'), mostSeconds)
	}
	return d
}
