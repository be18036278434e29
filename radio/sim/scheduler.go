package sim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// allPolicies is what an entry may do when nobody says less.
const allPolicies = "ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon"

// policies is a comma list of rights.
var policies = prop{check: func(_ *device, _ *config, name, v string) (string, *trap) {
	for _, p := range splitList(v) {
		if !slices.Contains(strings.Split(allPolicies, ","), p) {
			return "", noMatch(name)
		}
	}
	return strings.Join(splitList(v), ","), nil
}}

// wholeSeconds is a time of the scheduler: none, or one second to 35 days.
var wholeSeconds = prop{must: true, check: func(_ *device, _ *config, name, v string) (string, *trap) {
	d, ok := parseDuration(v)
	if !ok {
		return "", argument("invalid time value for argument " + name)
	}
	if d != d.Truncate(time.Second) || d > 35*24*time.Hour {
		return "", argument("value of " + name + " out of range (00:00:01..35d00:00:00)")
	}
	return duration(d), nil
}}

var startDate = prop{must: true, check: func(_ *device, _ *config, name, v string) (string, *trap) {
	if _, ok := parseMoment(v, "00:00:00"); !ok {
		return "", argument("invalid date value for argument " + name)
	}
	return v, nil
}}

var startTime = prop{must: true, check: func(_ *device, _ *config, name, v string) (string, *trap) {
	if _, ok := parseMoment("2000-01-01", v); !ok && v != "startup" {
		return "", argument("invalid time value for argument " + name)
	}
	return v, nil
}}

// What a client does not set: of these sinceProp and ranProp are kept and never
// printed: since when an entry counts, and its last run, in milliseconds of Unix
// time.
const (
	sinceProp = ".since"
	ranProp   = ".ran"
	ownerProp = "owner"
)

// schedulerMenu runs scripts by itself, with no session open (manual:
// Scheduler). An entry with an interval runs first one interval after it was
// added or changed, or after the boot, whatever the clock says. Without an
// interval it runs at its start-time, once, or three seconds after each boot.
var schedulerMenu = &menu{
	path: "/system/scheduler", noun: "schedule", table: schedulerTable, has: anyRow, addable: true, autoName: "schedule",
	props: map[string]prop{
		"name": must(text(64)), "interval": wholeSeconds, "on-event": text(maxSource), "policy": policies, "start-date": startDate, "start-time": startTime,
		"comment": text(256), "disabled": yesNo,
	},
	moving: []string{"run-count", "next-run"},
	gate: func(d *device, verb string) *trap {
		if verb == "add" && d.suffers(RefuseScheduler) {
			return &trap{"", "failure: not allowed by device-mode"}
		}
		return nil
	},
	before: func(d *device, was, next *table, by string, now time.Time) {
		for _, e := range next.Rows {
			old := was.byID(e.ID)
			for k, v := range map[string]string{"interval": "0s", "start-date": d.date(now), "start-time": d.clock(now), "policy": allPolicies, ownerProp: by} {
				if _, ok := e.Props[k]; !ok {
					e.Props[k] = v
				}
			}
			if old == nil || slices.ContainsFunc([]string{"interval", "on-event", "disabled", "start-date", "start-time"}, func(k string) bool { return old.get(k) != e.get(k) }) {
				e.Props[sinceProp] = strconv.FormatInt(now.UnixMilli(), 10)
				delete(e.Props, ranProp)
			}
		}
	},
	rows: func(d *device, now time.Time) []item {
		var out []item
		deaf := d.suffers(DeafScheduler)
		for _, e := range d.config.table(schedulerTable).Rows {
			it := item{{".id", e.id()}}
			for _, k := range []string{"name", "start-date", "start-time", "interval", "on-event", ownerProp, "policy"} {
				it.add(k, e.get(k))
			}
			runs, next := 0, time.Time{}
			if j := d.jobs[e.ID]; j != nil {
				runs, next = j.runs, j.next
			}
			it.add("run-count", strconv.Itoa(runs))
			it.add("next-run", d.moment(next))
			it.add("comment", e.get("comment"))
			if deaf {
				it = append(it, pair{".about", "inactivated, not allowed by device-mode"}, pair{"invalid", "true"})
			}
			out = append(out, append(it, pair{"disabled", boolean(e.disabled())}))
		}
		return out
	},
}

// job is what a device remembers of a scheduler entry until it boots.
type job struct {
	next    time.Time // zero: never
	runs    int
	running bool
	timer   *time.Timer
}

func milliseconds(s string) time.Time {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 {
		return time.UnixMilli(n)
	}
	return time.Time{}
}

// nextRun is when an entry is due; zero: never. A moment that has gone is due
// now: it came while nobody simulated the device. It needs the fleet's lock.
func (d *device) nextRun(e *entry) time.Time {
	if e.disabled() || !d.on() || d.suffers(DeafScheduler) {
		return time.Time{}
	}
	since, ran := milliseconds(e.get(sinceProp)), milliseconds(e.get(ranProp))
	from := since
	for _, t := range []time.Time{ran, d.boot} {
		if t.After(from) {
			from = t
		}
	}
	if every, _ := parseDuration(e.get("interval")); every > 0 {
		return from.Add(every)
	}
	at := d.boot.Add(3 * time.Second)
	if e.get("start-time") != "startup" {
		t, ok := parseMoment(e.get("start-date"), e.get("start-time"))
		if !ok {
			return time.Time{}
		}
		at = t.Add(d.boot.Sub(d.wall(d.boot))) // from the device's clock to ours
	}
	if !at.After(since) || !ran.IsZero() && !at.After(ran) || at.Before(d.boot) {
		return time.Time{}
	}
	return at
}

// reschedule sets the timers of all entries. It needs the fleet's lock.
func (d *device) reschedule(now time.Time) {
	if d.fleet.ended {
		return
	}
	rows := d.config.table(schedulerTable).Rows
	for id, j := range d.jobs {
		if !slices.ContainsFunc(rows, func(e *entry) bool { return e.ID == id }) {
			j.stop()
			delete(d.jobs, id)
		}
	}
	for _, e := range rows {
		j := d.jobs[e.ID]
		if j == nil {
			j = &job{}
			d.jobs[e.ID] = j
		}
		if next := d.nextRun(e); !next.Equal(j.next) || next.IsZero() || j.timer == nil {
			j.stop()
			j.next = next
			if !next.IsZero() && !j.running {
				j.timer = time.AfterFunc(max(next.Sub(now), 0), func() { d.fire(e.ID, j, next) })
			}
		}
	}
}

func (j *job) stop() {
	if j.timer != nil {
		j.timer.Stop()
		j.timer = nil
	}
}

// fire runs an entry that is due, and notes that it ran. The timer may be of a
// moment that has been changed since.
func (d *device) fire(id int, j *job, due time.Time) {
	f := d.fleet
	f.mu.Lock()
	now := time.Now()
	e := d.config.table(schedulerTable).byID(id)
	if f.ended || e == nil || d.jobs[id] != j || j.running || !j.next.Equal(due) {
		f.mu.Unlock()
		return
	}
	if every, _ := parseDuration(e.get("interval")); now.Sub(due) > every {
		due = now
	}
	j.running, j.timer = true, nil
	j.runs++
	c := newConsole(d, e.get(ownerProp), !slices.Contains(splitList(e.get("policy")), "write"), d.dies)
	name, src := e.get("name"), d.config.sourceOf(e.get("on-event"))
	f.sessions.Add(1) // Run waits for it; it has not begun to, the fleet has not ended
	f.mu.Unlock()
	defer f.sessions.Done()

	f.log.Info("scheduler runs", "device", d.id, "entry", name)
	if err := c.source(src); err != nil {
		d.note("script,error", "executing script from scheduler ("+name+") failed, please check it manually: "+err.Error())
	}
	d.ran(id, j, due)
}

// sourceOf is what an event runs: the script of that name, else the text itself.
func (c *config) sourceOf(event string) string {
	if e := c.table(scriptTable).find(event); e != nil && !strings.HasPrefix(event, "*") {
		return e.get("source")
	}
	return event
}

// ran keeps when an entry was due last, so that it does not run twice after a
// restart of the fleet. An entry that removed itself has nothing to keep.
func (d *device) ran(id int, j *job, due time.Time) {
	d.writing.Lock()
	defer d.writing.Unlock()
	f := d.fleet
	f.mu.Lock()
	j.running = false
	next, t := d.config.with(schedulerTable)
	f.mu.Unlock()
	if e := t.byID(id); e != nil {
		e.Props[ranProp] = strconv.FormatInt(due.UnixMilli(), 10)
		if err := writeJSON(d.file(), kept{d.driver, next}); err != nil {
			f.log.Error("simulated device: last run not kept", "device", d.id, "err", err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	d.config = next
	d.reschedule(time.Now())
	d.notify()
}

// powerOff ends what runs on a device by itself. It needs the fleet's lock.
func (d *device) powerOff() {
	for _, j := range d.jobs {
		j.stop()
	}
	d.jobs = map[int]*job{}
	select {
	case <-d.dies:
	default:
		close(d.dies)
	}
}

// powerOn starts the scheduler after a boot. It needs the fleet's lock.
func (d *device) powerOn(now time.Time) {
	d.powerOff()
	if d.on() {
		d.dies = make(chan struct{})
		d.reschedule(now)
	}
}
