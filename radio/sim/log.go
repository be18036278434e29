package sim

import (
	"time"
)

// maxLines is how many lines a device's log holds in its memory.
const maxLines = 1000

// logLine is one of /log.
type logLine struct {
	n       int
	at      time.Time
	topics  string
	message string
}

// note writes a line into the device's own log, which lives until it boots.
func (d *device) note(topics, message string) {
	d.fleet.mu.Lock()
	defer d.fleet.mu.Unlock()
	d.noteLocked(topics, message)
}

// noteLocked needs the fleet's lock.
func (d *device) noteLocked(topics, message string) {
	d.noted++
	d.lines = append(d.lines, logLine{d.noted, time.Now(), topics, message})
	if len(d.lines) > maxLines {
		d.lines = append([]logLine(nil), d.lines[len(d.lines)-maxLines:]...)
	}
}

// logMenu is the log in the device's memory.
var logMenu = &menu{path: "/log", rows: func(d *device, _ time.Time) []item {
	out := make([]item, 0, len(d.lines))
	for _, l := range d.lines {
		out = append(out, item{{".id", (&entry{ID: l.n}).id()}, {"time", d.moment(l.at)}, {"topics", l.topics}, {"message", l.message}})
	}
	return out
}}

// maxNote bounds the text that one line takes from a script.
const maxNote = 1000

// scriptNote is a line that a script writes.
func (d *device) scriptNote(level, text string) {
	if len(text) > maxNote {
		text = text[:maxNote]
	}
	d.note("script,"+level, text)
}

// changed notes a change of the configuration and by whom. It needs the fleet's
// lock.
func (d *device) changed(m *menu, by string) {
	what := m.noun
	if what == "" {
		what = m.table
	}
	if by == "" {
		by = "console"
	}
	d.noteLocked("system,info", what+" changed by "+by)
}
