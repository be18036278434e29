package sim

import (
	"slices"
	"strconv"
	"time"
)

// change applies fn to a copy of the menu's table, keeps the result on disk,
// and only then lets it take effect. Refused, nothing changed.
func (d *device) change(m *menu, by string, fn func(c *config, t *table) *trap) *trap {
	d.writing.Lock()
	defer d.writing.Unlock()
	f := d.fleet
	f.mu.Lock()
	now := d.config
	f.mu.Unlock()
	next, t := now.with(m.table)
	if tr := fn(next, t); tr != nil {
		return tr
	}
	if m.before != nil {
		f.mu.Lock()
		m.before(d, now.table(m.table), t, by, time.Now())
		f.mu.Unlock()
	}
	if err := writeJSON(d.file(), kept{d.driver, next}); err != nil {
		f.log.Error("simulated device: configuration not kept", "device", d.id, "err", err)
		return &trap{"4", "failure: configuration could not be saved"}
	}
	f.mu.Lock()
	at := time.Now()
	d.settle(at) // what was carried until now, was so with the old settings
	d.config = next
	if m.table == schedulerTable || m.table == scriptTable {
		d.reschedule(at)
	}
	d.settle(at)
	d.changed(m, by)
	d.notify()
	f.mu.Unlock()
	if m.table == userTable {
		if err := f.announce(); err != nil {
			f.log.Error("simulated fleet: sim.json not updated", "err", err)
		}
	}
	return nil
}

// refs is what a command is about: .id or numbers, a comma list of "*1A" or
// names.
func refs(c command) ([]string, *trap) {
	for _, k := range []string{".id", "numbers"} {
		if v, ok := c.attr(k); ok {
			if l := splitList(v); len(l) > 0 {
				return l, nil
			}
			return nil, trapItem
		}
	}
	return nil, argument("missing value(s) of argument(s) .id")
}

// items are the rows a command is about, within the menu.
func (m *menu) items(t *table, c command) ([]*entry, *trap) {
	if m.singleton {
		return t.Rows, nil
	}
	names, tr := refs(c)
	if tr != nil {
		return nil, tr
	}
	var out []*entry
	for _, n := range names {
		e := t.find(n)
		if e == nil || !m.has(e) {
			return nil, trapItem
		}
		out = append(out, e)
	}
	return out, nil
}

// assign puts the attributes of a command into a row.
func (m *menu) assign(d *device, c *config, t *table, e *entry, attrs []pair) *trap {
	for _, a := range attrs {
		if a.k == ".id" || a.k == "numbers" {
			continue
		}
		p, ok := m.props[a.k]
		if !ok {
			return argument("unknown parameter " + clip(a.k))
		}
		if a.v == "" && !p.must {
			delete(e.Props, a.k)
			continue
		}
		v, tr := p.check(d, c, a.k, a.v)
		if tr != nil {
			return tr
		}
		if a.k == "name" && !m.singleton {
			if o := t.find(v); o != nil && o != e {
				return &trap{"", "failure: already have " + m.noun + " with such name"}
			}
		}
		e.Props[a.k] = v
	}
	if m.unique != nil && slices.ContainsFunc(t.Rows, func(o *entry) bool {
		return o != e && !slices.ContainsFunc(m.unique, func(k string) bool { return o.get(k) != e.get(k) })
	}) {
		return &trap{"", "failure: already have such " + m.noun}
	}
	return nil
}

func set(d *device, m *menu, c command) (item, *trap) {
	if m.props == nil {
		return nil, trapCommand
	}
	return nil, d.change(m, c.by, func(cfg *config, t *table) *trap {
		es, tr := m.items(t, c)
		if tr != nil {
			return tr
		}
		for _, e := range es {
			if tr := m.assign(d, cfg, t, e, c.attrs); tr != nil {
				return tr
			}
		}
		return nil
	})
}

func unset(d *device, m *menu, c command) (item, *trap) {
	if m.props == nil || m.singleton {
		return nil, trapCommand
	}
	name, _ := c.attr("value-name")
	p, ok := m.props[name]
	if !ok || p.must {
		return nil, argument("input does not match any value of value-name")
	}
	return nil, d.change(m, c.by, func(_ *config, t *table) *trap {
		es, tr := m.items(t, c)
		for _, e := range es {
			delete(e.Props, name)
		}
		return tr
	})
}

func able(d *device, m *menu, c command, disabled string) (item, *trap) {
	if _, ok := m.props["disabled"]; !ok {
		return nil, trapCommand
	}
	return nil, d.change(m, c.by, func(_ *config, t *table) *trap {
		es, tr := m.items(t, c)
		for _, e := range es {
			e.Props["disabled"] = disabled
		}
		return tr
	})
}

func setComment(d *device, m *menu, c command) (item, *trap) {
	if _, ok := m.props["comment"]; !ok {
		return nil, trapCommand
	}
	text, _ := c.attr("comment")
	return nil, d.change(m, c.by, func(cfg *config, t *table) *trap {
		es, tr := m.items(t, c)
		if tr != nil {
			return tr
		}
		for _, e := range es {
			if tr := m.assign(d, cfg, t, e, []pair{{"comment", text}}); tr != nil {
				return tr
			}
		}
		return nil
	})
}

// maxRows bounds a table that a client fills.
const maxRows = 3000

func add(d *device, m *menu, c command) (item, *trap) {
	if !m.addable {
		return nil, trapCommand
	}
	var id string
	tr := d.change(m, c.by, func(cfg *config, t *table) *trap {
		if len(t.Rows) >= maxRows {
			return &trap{"4", "failure: too many items"}
		}
		for _, k := range m.required {
			if v, ok := c.attr(k); !ok || v == "" {
				return argument("missing value(s) of argument(s) " + k)
			}
		}
		e := t.add(map[string]string{"disabled": "false"})
		id = e.id()
		if _, ok := c.attr("name"); !ok && m.autoName != "" {
			n := 1
			for t.find(m.autoName+strconv.Itoa(n)) != nil {
				n++
			}
			e.Props["name"] = m.autoName + strconv.Itoa(n)
		}
		return m.assign(d, cfg, t, e, c.attrs)
	})
	if tr != nil {
		return nil, tr
	}
	return item{{"ret", id}}, nil
}

func remove(d *device, m *menu, c command) (item, *trap) {
	if m.kick != nil {
		names, tr := refs(c)
		if tr != nil {
			return nil, tr
		}
		d.fleet.mu.Lock()
		defer d.fleet.mu.Unlock()
		for _, n := range names {
			if tr := m.kick(d, n, time.Now()); tr != nil {
				return nil, tr
			}
		}
		return nil, nil
	}
	if !m.addable {
		return nil, trapCommand
	}
	return nil, d.change(m, c.by, func(_ *config, t *table) *trap {
		es, tr := m.items(t, c)
		if tr != nil {
			return tr
		}
		for _, e := range slices.Clone(es) {
			t.remove(e.ID)
		}
		if m.table == userTable && len(t.Rows) == 0 {
			return &trap{"", "failure: last full user can not be removed"}
		}
		return nil
	})
}

// reboot is off for the usual time of a boot. The answer goes out before.
func reboot(d *device, m *menu, c command) (item, *trap) {
	if m.path != "/system" {
		return nil, trapCommand
	}
	time.AfterFunc(100*time.Millisecond, func() {
		d.fleet.mu.Lock()
		defer d.fleet.mu.Unlock()
		if !d.fleet.ended {
			d.fleet.inject(Fault{Device: d.id, Kind: Reboot, ForS: 30})
		}
	})
	return nil, nil
}
