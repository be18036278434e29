package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// version is a RouterOS version; the zero one is not known.
type version struct{ major, minor, patch int }

func parseVersion(s string) version {
	var v version
	head, _, _ := strings.Cut(s, " ")
	for i, p := range strings.SplitN(head, ".", 3) {
		digits := 0
		for digits < len(p) && p[digits] >= '0' && p[digits] <= '9' {
			digits++
		}
		n, err := strconv.Atoi(p[:digits]) // "19beta4" is 19
		if err != nil {
			return version{}
		}
		*[]*int{&v.major, &v.minor, &v.patch}[i] = n
	}
	return v
}

func (v version) before(major, minor int) bool {
	return v.major < major || v.major == major && v.minor < minor
}

// duration prints as a device does: "4d15h19m47s", "170ms"; whole seconds from
// one second on.
func duration(d time.Duration) string {
	if d <= 0 {
		return "0s"
	}
	if d < time.Second {
		return fmt.Sprintf("%dms", d.Milliseconds())
	}
	s := int64(d / time.Second)
	var b strings.Builder
	for _, u := range []struct {
		n int64
		c string
	}{{7 * 86400, "w"}, {86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}} {
		if s >= u.n {
			fmt.Fprintf(&b, "%d%s", s/u.n, u.c)
			s %= u.n
		}
	}
	return b.String()
}

var durationUnits = []struct {
	c string
	d time.Duration
}{{"ms", time.Millisecond}, {"us", time.Microsecond}, {"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

// parseDuration reads what duration prints, "00:01:30", and plain seconds.
func parseDuration(s string) (time.Duration, bool) {
	if s == "" || len(s) > 40 {
		return 0, false
	}
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		return time.Duration(v * float64(time.Second)), v >= 0 && v < 1e9
	}
	if p := strings.Split(s, ":"); len(p) == 3 {
		h, err1 := strconv.Atoi(p[0])
		m, err2 := strconv.Atoi(p[1])
		sec, err3 := strconv.ParseFloat(p[2], 64)
		ok := err1 == nil && err2 == nil && err3 == nil && h >= 0 && h < 1e5 && m >= 0 && m < 60 && sec >= 0 && sec < 60
		return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec*float64(time.Second)), ok
	}
	var total time.Duration
next:
	for s != "" {
		i := 0
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		n, err := strconv.Atoi(s[:i])
		if err != nil || n > 1e9 {
			return 0, false
		}
		s = s[i:]
		for _, u := range durationUnits {
			if strings.HasPrefix(s, u.c) {
				s = s[len(u.c):]
				if total += time.Duration(n) * u.d; total < 0 || total > 1e5*24*time.Hour || n > 1e6 && u.d > time.Second {
					return 0, false
				}
				continue next
			}
		}
		return 0, false
	}
	return total, true
}

func parseBool(s string) (v, ok bool) {
	switch s {
	case "yes", "true":
		return true, true
	case "no", "false":
		return false, true
	}
	return false, false
}

func boolean(v bool) string { return strconv.FormatBool(v) }

func splitList(s string) []string {
	var out []string
	for p := range strings.SplitSeq(s, ",") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// wall is a moment by the device's own clock. A device that never learnt the
// time begins with 1970 at each boot. It needs the fleet's lock.
func (d *device) wall(t time.Time) time.Time {
	if d.suffers(Clock1970) {
		return time.Unix(0, 0).Add(t.Sub(d.boot)).UTC()
	}
	return t.UTC()
}

// moment prints a date and time: "oct/04/2017 20:11:03" before 7.10, ISO after.
func (d *device) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return d.date(t) + " " + d.clock(t)
}

func (d *device) date(t time.Time) string {
	if d.version.before(7, 10) {
		return strings.ToLower(d.wall(t).Format("Jan/02/2006"))
	}
	return d.wall(t).Format("2006-01-02")
}

func (d *device) clock(t time.Time) string { return d.wall(t).Format("15:04:05") }

// parseMoment reads what date and clock print, in either form: a moment
// by the device's clock.
func parseMoment(date, clock string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02", "Jan/02/2006"} {
		if t, err := time.ParseInLocation(layout+" 15:04:05", date+" "+clock, time.UTC); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// mbps prints a rate as the wireless table does: "26Mbps", "72.2Mbps".
func mbps(v float64) string { return strconv.FormatFloat(round(v, 1), 'f', -1, 64) + "Mbps" }

func integer(v float64) string { return strconv.FormatInt(int64(round(v, 0)), 10) }

func counter(v float64) string { return strconv.FormatUint(uint64(max(v, 0)), 10) }
