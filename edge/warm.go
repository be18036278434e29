package edge

import "time"

// Window is a time of each day, such as 22:00 to 06:00; the zero one is all day.
type Window struct{ from, to time.Duration }

// ParseWindow reads "22:00-06:00"; "" is all day.
func ParseWindow(s string) (w Window, ok bool) {
	if s == "" {
		return w, true
	}
	if !timeWindow.MatchString(s) {
		return w, false
	}
	clock := func(s string) time.Duration {
		return time.Duration(s[0]-'0')*10*time.Hour + time.Duration(s[1]-'0')*time.Hour + time.Duration(s[3]-'0')*10*time.Minute + time.Duration(s[4]-'0')*time.Minute
	}
	return Window{clock(s[:5]), clock(s[6:])}, true
}

// Of gives the day on which the window that a moment lies in began; false where it
// lies in none. The moment is in the zone of the clock on the wall.
func (w Window) Of(t time.Time) (day string, ok bool) {
	at := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	switch {
	case w.from == w.to:
	case w.from < w.to:
		ok = at >= w.from && at < w.to
		return t.Format(time.DateOnly), ok
	case at >= w.from:
	case at < w.to:
		t = t.AddDate(0, 0, -1) // it began the day before
	default:
		return "", false
	}
	return t.Format(time.DateOnly), true
}

// Background is how many bytes a second may go to what nobody waits for: half of
// what the controller says that the link carries now, nothing while the way is
// narrow, costs, or is not there, and any where nobody has said. 0 is nothing.
func (s Stand) Background() int64 {
	switch {
	case s.Mode != ModeOnline:
		return 0
	case s.Mbps <= 0:
		return 1 << 62
	}
	return max(int64(s.Mbps*1e6/8/2), 1)
}
