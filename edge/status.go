package edge

import (
	"strconv"
	"strings"
	"time"
)

// Status is what a cache did about a request, as a member of Cache-Status (RFC
// 9211 §2).
type Status struct {
	Cache     string // name of the cache
	Hit       bool
	Fwd       Why // why the origin was asked; with Hit, WhyNot
	FwdStatus int // of the origin's answer; 0 where it is not another than that given
	TTL       *time.Duration
	Stored    bool
	Collapsed bool
	Detail    string
}

// String is the member.
func (s Status) String() string {
	var b strings.Builder
	b.WriteString(sfName(s.Cache))
	switch {
	case s.Hit:
		b.WriteString("; hit")
	case s.Fwd != WhyNot:
		b.WriteString("; fwd=" + string(s.Fwd))
	}
	if s.FwdStatus != 0 {
		b.WriteString("; fwd-status=" + strconv.Itoa(s.FwdStatus))
	}
	if s.TTL != nil {
		b.WriteString("; ttl=" + strconv.FormatInt(int64(*s.TTL/time.Second), 10))
	}
	if s.Stored {
		b.WriteString("; stored")
	}
	if s.Collapsed {
		b.WriteString("; collapsed")
	}
	if s.Detail != "" {
		b.WriteString("; detail=" + sfName(s.Detail))
	}
	return b.String()
}

// sfName is a token where the text is one, else a string without what a string
// cannot hold (RFC 9651 §3.3.3, §3.3.4).
func sfName(s string) string {
	if token(s) && letter(s[0]) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c > '~':
			b.WriteByte('?')
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
