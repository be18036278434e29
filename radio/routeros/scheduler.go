package routeros

import (
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

const schedulerMenu = "/system/scheduler"

// The rights an entry needs to put settings back and to remove itself. A
// device refuses the entry when its user has not got them.
const schedulerPolicy = "read,write,policy,test"

// longestID keeps the name of an entry within what RouterOS takes.
const longestID = 48

// checkID refuses what is no id of a change: it becomes part of names and of a
// script.
func checkID(id string) error {
	ok := len(id) > 0 && len(id) <= longestID
	for i := 0; ok && i < len(id); i++ {
		c := id[i]
		ok = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
	}
	if !ok {
		return fault.New(fault.Invalid, "id of a change %q: give 1 to %d letters, digits, dots, dashes or underscores", line(id), longestID)
	}
	return nil
}

// The shortest and the longest time a device may wait for a confirmation.
const (
	shortestHold = time.Second
	longestHold  = 24 * time.Hour
)

// entry is one way back in the scheduler of a device.
type entry struct {
	ref    string // its .id
	name   string
	id     string // of the change
	acting bool   // its script has begun
}

// parseEntry knows a way back by its name.
func parseEntry(v row) (entry, bool) {
	e := entry{ref: v[".id"], name: v["name"]}
	var ok bool
	if e.id, ok = strings.CutPrefix(e.name, armedPrefix); ok {
		return e, true
	}
	e.id, e.acting = strings.CutPrefix(e.name, actingPrefix)
	return e, e.acting
}

// entries are the ways back on the device.
func (r *round) entries() ([]entry, error) {
	rows, err := r.must(schedulerMenu, ".id,name")
	if err != nil {
		return nil, err
	}
	var all []entry
	for _, v := range rows {
		if e, ok := parseEntry(v); ok {
			all = append(all, e)
		}
	}
	return all, nil
}

// entryProps are what is read of an entry, to see that it is there, whole and
// active.
const entryProps = ".id,name,interval,on-event,policy,start-date,start-time,next-run,run-count,disabled,invalid,inactive,.about"

// details reads the entry that a query finds; nil when it is not there.
func (r *round) details(query string) (row, error) {
	rows, err := r.must(schedulerMenu, entryProps, query)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

// wallClock is what a device takes for the date and the time, and in which form it
// writes dates. at is zero when that cannot be read.
type wallClock struct {
	at   time.Time // in the device's own zone: good for differences only
	iso  bool
	read time.Time // when it was read, by our clock
}

// start is the start-date and start-time of an entry that is to run one hold
// from the device's now. The scheduler runs an entry at its start and at every
// interval from there (manual: Scheduler). A start of today would be in the
// future for a board that has lost the time with its power, and it would wait
// for that day: so it is the first of the moments of 1970 that are whole holds
// before now. Such a board then runs it at most one hold after its boot.
func (c wallClock) start(hold time.Duration) (date, at string, ok bool) {
	if c.at.IsZero() || c.at.Unix() < 0 {
		return "", "", false
	}
	first := time.Unix(c.at.Unix()%int64(hold.Seconds()), 0).UTC()
	if c.iso {
		return first.Format("2006-01-02"), first.Format("15:04:05"), true
	}
	return strings.ToLower(first.Format("Jan/02/2006")), first.Format("15:04:05"), true
}

// left is how long until an entry acts, by its next-run; now is a reading of
// the clock.
func (c wallClock) left(v row) (time.Duration, bool) {
	next, ok := moment(v["next-run"], c.at)
	if !ok || c.at.IsZero() {
		return 0, false
	}
	return max(next.Sub(c.at), 0), true
}

// fit says what is wrong with an entry that was read back; "" when nothing is.
// now was read before the entry was added.
func fit(v row, script string, hold time.Duration, now wallClock) string {
	switch {
	case v == nil:
		return "it took the entry, and has none"
	case truth(v["disabled"]), truth(v["invalid"]), truth(v["inactive"]):
		why := "it took the entry, and keeps it inactive"
		if a := line(v[".about"]); a != "" {
			why += " (" + a + ")"
		}
		return why
	case v["on-event"] != script:
		return "it kept another script than the one it was given"
	}
	if d, ok := duration(v["interval"]).Get(); !ok || time.Duration(float64(d)*float64(time.Second)) != hold {
		return "it kept the interval as " + line(v["interval"]) + ", not " + hold.String()
	}
	const rounding = 5 * time.Second
	if left, ok := now.left(v); ok && (left < hold-rounding || left > hold+rounding+time.Since(now.read)) {
		return "it would go back after " + left.String() + ", not " + hold.String()
	}
	rights := "," + v["policy"] + ","
	if v["policy"] != "" && !(strings.Contains(rights, ",read,") && strings.Contains(rights, ",write,")) {
		return "it gives the entry the rights " + line(v["policy"]) + ", read and write are needed"
	}
	return ""
}

// wayBack is an entry for others to read.
func wayBack(e entry, v row, now wallClock) network.WayBack {
	w := network.WayBack{ID: e.id, Means: "scheduler", Script: v["on-event"]}
	if e.acting {
		w.Left = unit.Some(network.Seconds(0))
	} else if left, ok := now.left(v); ok {
		w.Left = unit.Some(network.Seconds(left.Seconds()))
	}
	return w
}

// clock reads the device's clock; what it does not tell is left zero.
func (r *round) clock() (wallClock, error) {
	rows, refused, _ := r.ask("/system/clock/print", "date,time")
	if r.err != nil {
		return wallClock{}, r.err
	}
	if refused != nil || len(rows) == 0 {
		return wallClock{}, nil
	}
	at, _ := moment(rows[0]["date"]+" "+rows[0]["time"], time.Time{})
	return wallClock{at: at, iso: !strings.Contains(rows[0]["date"], "/"), read: time.Now()}, nil
}

// moment reads a date with a time in the forms of the versions: "oct/04/2017
// 20:11:03", "2017-10-04 20:11:03"; without a date it is the next such time
// after now, without a year the year of now. It is in the device's own zone:
// good for differences only.
func moment(s string, now time.Time) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range [...]string{"2006-01-02 15:04:05", "Jan/02/2006 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	if now.IsZero() {
		return time.Time{}, false
	}
	if t, err := time.Parse("Jan/02 15:04:05", s); err == nil {
		return t.AddDate(now.Year()-t.Year(), 0, 0), true
	}
	if t, err := time.Parse("15:04:05", s); err == nil {
		t = time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
		if t.Before(now) {
			t = t.AddDate(0, 0, 1)
		}
		return t, true
	}
	return time.Time{}, false
}
