package sim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// trap is a refusal. The session goes on after it. Messages recorded in public
// fixtures are "no such command prefix", "not enough permissions (9)" and
// "interrupted"; the wording of the others is general knowledge.
type trap struct {
	category string // "" : not sent, as often
	message  string
}

// Error lets a trap pass as an error inside the package.
func (t *trap) Error() string { return t.message }

// argument is a trap about the value of an argument.
func argument(msg string) *trap { return &trap{"1", msg} }

var (
	trapPrefix  = &trap{"0", "no such command prefix"}
	trapCommand = &trap{"0", "no such command"}
	trapItem    = &trap{"0", "no such item (4)"}
	trapRights  = &trap{"", "not enough permissions (9)"}
)

// command is a sentence of a client.
type command struct {
	path    string
	by      string // whose it is
	tag     string
	tagged  bool
	attrs   []pair
	queries []string
}

func (c *command) attr(k string) (string, bool) {
	for i := len(c.attrs) - 1; i >= 0; i-- {
		if c.attrs[i].k == k {
			return c.attrs[i].v, true
		}
	}
	return "", false
}

// parseCommand sorts the words of a sentence. The tag is found even where the
// rest is refused, so that the refusal bears it.
func parseCommand(ws []string) (command, *trap) {
	c := command{path: ws[0]}
	var bad *trap
	for _, w := range ws[1:] {
		switch {
		case strings.HasPrefix(w, ".tag="):
			c.tag, c.tagged = w[5:], true
		case strings.HasPrefix(w, "."), strings.HasPrefix(w, "="):
			k, v, _ := strings.Cut(strings.TrimPrefix(w, "="), "=")
			if k == "" && bad == nil {
				bad = argument("attribute without a name")
			}
			c.attrs = append(c.attrs, pair{k, v})
		case strings.HasPrefix(w, "?"):
			c.queries = append(c.queries, w)
		case bad == nil:
			bad = argument("unknown parameter " + strconv.Quote(clip(w)))
		}
	}
	if !strings.HasPrefix(c.path, "/") {
		return c, trapPrefix
	}
	return c, bad
}

// clip keeps an echoed word short.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64]
	}
	return s
}

// replier sends the answers to one command.
type replier struct {
	out    *wire
	tag    string
	tagged bool
}

func (r *replier) row(it item) error { return r.out.sentence("!re", r.tag, r.tagged, it) }
func (r *replier) empty() error      { return r.out.sentence("!empty", r.tag, r.tagged, nil) }
func (r *replier) done(it item)      { r.out.sentence("!done", r.tag, r.tagged, it) }

// trap is always followed by !done.
func (r *replier) trap(t *trap) {
	var it item
	it.add("category", t.category)
	it.add("message", t.message)
	r.out.sentence("!trap", r.tag, r.tagged, it)
	r.done(nil)
}

// changes says whether a command asks to change the device.
func (d *device) changes(c command) bool {
	i := strings.LastIndexByte(c.path, '/')
	m, verb := d.menus[c.path[:i]], c.path[i+1:]
	return writing(verb) != nil || m != nil && (verb == "run" && m.run != nil || m.does[verb] != nil)
}

// exec runs a command that ends at once and sends its whole answer, or gives
// back one that goes on.
func (d *device) exec(c command, readOnly bool, r *replier) (*streaming, *trap) {
	i := strings.LastIndexByte(c.path, '/')
	m, verb := d.menus[c.path[:i]], c.path[i+1:]
	if d.changes(c) {
		d.fleet.mu.Lock()
		d.writes++
		dies := d.dies
		d.fleet.mu.Unlock()
		if m == nil {
			return nil, trapPrefix
		}
		if verb == "run" {
			t := m.run(newConsole(d, c.by, readOnly, dies), c)
			if t == nil {
				r.done(nil)
			}
			return nil, t
		}
		if do := m.does[verb]; do != nil {
			if readOnly {
				return nil, trapRights
			}
			t := do(d, c)
			if t == nil {
				r.done(nil)
			}
			return nil, t
		}
		ret, t := d.write(m, verb, c, readOnly)
		if t == nil {
			r.done(ret)
		}
		return nil, t
	}
	if m == nil {
		return nil, trapPrefix
	}
	if m.refuse != nil {
		if t := m.refuse(d); t != nil {
			return nil, t
		}
	}
	switch {
	case (verb == "print" || verb == "getall") && m.rows != nil:
		return d.print(m, c, r)
	case verb == "listen" && m.rows != nil && !m.singleton:
		if t := checkQueries(c.queries); t != nil {
			return nil, t
		}
		return d.listenTo(m, c), nil
	case m.monitors[verb] != nil:
		return d.monitor(m.monitors[verb], c, r)
	}
	return nil, trapCommand
}

// printArgs are those of print that change nothing here; true where they take
// effect below.
var printArgs = map[string]bool{
	".proplist": true, "count-only": true, "interval": true, "follow": true, "follow-only": true,
	"detail": false, "stats": false, "stats-detail": false, "without-paging": false, "terse": false, "brief": false,
	"from": false, "where": false, "value-list": false, "show-ids": false, "as-value": false, "bytes": false, "packets": false, "rate": false,
}

func (d *device) print(m *menu, c command, r *replier) (*streaming, *trap) {
	for _, a := range c.attrs {
		if _, ok := printArgs[a.k]; !ok {
			return nil, argument("unknown parameter " + clip(a.k))
		}
	}
	if t := checkQueries(c.queries); t != nil {
		return nil, t
	}
	for _, k := range []string{"follow", "follow-only"} {
		if _, ok := c.attr(k); ok {
			st := d.listenTo(m, c)
			st.all = k == "follow"
			return st, nil
		}
	}
	if _, ok := c.attr("interval"); ok {
		every, t := c.interval()
		if t != nil {
			return nil, t
		}
		return &streaming{every: every, dev: d, round: func() []item { return d.pick(m, c) }}, nil
	}
	rows := d.pick(m, c)
	if _, ok := c.attr("count-only"); ok {
		r.done(item{{"ret", strconv.Itoa(len(rows))}})
		return nil, nil
	}
	for _, it := range rows {
		if r.row(it) != nil {
			return nil, nil
		}
	}
	if len(rows) == 0 && d.saysEmpty() {
		r.empty()
	}
	r.done(nil)
	return nil, nil
}

// pick is the rows that pass the queries, cut to the property list.
func (d *device) pick(m *menu, c command) []item {
	rows := d.rowsOf(m)
	if len(c.queries) > 0 {
		rows = slices.DeleteFunc(rows, func(it item) bool { return !matches(it, c.queries) })
	}
	return only(rows, c)
}

// rowsOf takes the fleet's lock.
func (d *device) rowsOf(m *menu) []item {
	now := time.Now()
	d.fleet.mu.Lock()
	defer d.fleet.mu.Unlock()
	d.settle(now)
	return m.rows(d, now)
}

// only keeps the properties of .proplist, where there is one.
func only(rows []item, c command) []item {
	list, ok := c.attr(".proplist")
	if !ok || list == "" {
		return rows
	}
	names := strings.Split(list, ",")
	for i, it := range rows {
		kept := make(item, 0, len(names))
		for _, p := range it {
			if slices.Contains(names, p.k) {
				kept = append(kept, p)
			}
		}
		rows[i] = kept
	}
	return rows
}

// interval is how often a continuous command reports: at least ten times a
// second, at most once an hour.
func (c *command) interval() (time.Duration, *trap) {
	s, ok := c.attr("interval")
	if !ok || s == "" {
		return time.Second, nil
	}
	every, ok := parseDuration(s)
	if !ok || every < 100*time.Millisecond || every > time.Hour {
		return 0, argument("value of interval out of range (00:00:00.1..01:00:00)")
	}
	return every, nil
}

// saysEmpty: 7.18 and later answer !empty where there are no rows.
func (d *device) saysEmpty() bool { return !d.version.before(7, 18) }
