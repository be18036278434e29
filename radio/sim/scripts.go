package sim

import (
	"errors"
	"strconv"
	"time"
)

// scriptMenu is the repository of scripts, which run on command or by the
// scheduler (manual: Scripting, Script repository).
var scriptMenu = &menu{
	path: "/system/script", noun: "script", table: scriptTable, has: anyRow, addable: true, autoName: "script",
	props: map[string]prop{
		"name": must(text(64)), "source": text(maxSource), "policy": policies, "comment": text(256), "dont-require-permissions": yesNo,
	},
	before: func(_ *device, _, next *table, by string, _ time.Time) {
		for _, e := range next.Rows {
			delete(e.Props, "disabled") // a script has none
			for k, v := range map[string]string{"policy": allPolicies, "dont-require-permissions": "false", ownerProp: by} {
				if _, ok := e.Props[k]; !ok {
					e.Props[k] = v
				}
			}
		}
	},
	rows: func(d *device, _ time.Time) []item {
		var out []item
		for _, e := range d.config.table(scriptTable).Rows {
			it := item{{".id", e.id()}}
			for _, k := range []string{"name", ownerProp, "policy", "dont-require-permissions"} {
				it.add(k, e.get(k))
			}
			r := d.scriptRuns[e.ID]
			it.add("last-started", d.moment(r.last))
			it.add("run-count", strconv.Itoa(r.count))
			it.add("source", e.get("source"))
			it.add("comment", e.get("comment"))
			_, err := parseScript(e.get("source"))
			out = append(out, append(it, pair{"invalid", boolean(err != nil)}))
		}
		return out
	},
	moving: []string{"last-started", "run-count"},
	run:    runScript,
}

// runs of a script since the boot.
type runs struct {
	count int
	last  time.Time
}

// runScript is /system/script/run: it answers when the script has ended.
func runScript(c *console, cmd command) *trap {
	if c.readOnly {
		return trapRights
	}
	if c.depth++; c.depth > maxRuns {
		return &trap{"3", "too many scripts run each other"}
	}
	defer func() { c.depth-- }()
	var name string
	for _, k := range []string{"number", ".id", "numbers"} {
		if v, ok := cmd.attr(k); ok {
			name = v
		}
	}
	d := c.dev
	d.fleet.mu.Lock()
	e := d.config.table(scriptTable).find(name)
	var src string
	if e != nil {
		src = e.get("source")
		r := d.scriptRuns[e.ID]
		d.scriptRuns[e.ID] = runs{r.count + 1, time.Now()}
	}
	d.fleet.mu.Unlock()
	if e == nil {
		return trapItem
	}
	path := c.path
	c.path = ""
	err := c.source(src)
	c.path = path
	switch t := (*trap)(nil); {
	case err == nil:
		return nil
	case errors.As(err, &t):
		return &trap{"3", t.message}
	default:
		return &trap{"3", err.Error()}
	}
}
