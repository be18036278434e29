package sim

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// menu is one place of the command tree. A device has those of its version
// and drivers; a path it has not answers "no such command prefix".
type menu struct {
	path      string
	noun      string // in "already have … with such name"
	singleton bool
	table     string            // where its rows are kept; "" : nothing is
	has       func(*entry) bool // of the table's rows, those of this menu
	props     map[string]prop   // that can be set
	addable   bool
	required  []string // to add
	unique    []string // properties that no two rows have alike
	rows      func(d *device, now time.Time) []item
	moving    []string // properties whose change is no news to a listen
	monitors  map[string]*monitor
	kick      func(d *device, ref string, now time.Time) *trap
	refuse    func(d *device) *trap
	autoName  string                                                      // add without a name: this and a number
	gate      func(d *device, verb string) *trap                          // refuses a writing command; under the fleet's lock
	before    func(d *device, was, next *table, by string, now time.Time) // completes a change before it is kept; under the fleet's lock
	run       func(c *console, cmd command) *trap                         // of the verb run
	does      map[string]func(d *device, c command) *trap                 // verbs of its own, that act and answer nothing
}

// monitor reports the state of interfaces.
type monitor struct {
	arg string // "numbers" or "interface"
	of  func(*entry) bool
	row func(d *device, e *entry, now time.Time) item
}

// steady is an item without what moves by itself.
func (m *menu) steady(it item) item {
	return slices.DeleteFunc(slices.Clone(it), func(p pair) bool { return slices.Contains(m.moving, p.k) })
}

// menusOf builds the tree of a device.
func menusOf(d *device) map[string]*menu {
	list := []*menu{identityMenu, resourceMenu, routerboardMenu, healthMenu, clockMenu, systemMenu, packageMenu, updateMenu, userMenu,
		interfaceMenu, ethernetMenu, addressMenu, neighbourMenu, schedulerMenu, scriptMenu, logMenu, smsMenu, inboxMenu}
	if !d.version.before(7, 17) {
		list = append(list, deviceModeMenu)
	}
	switch d.driver {
	case wireless:
		list = append(list, wirelessMenu, wirelessTable)
	case wifi:
		list = append(list, wifiMenus(d)...)
	case w60g:
		list = append(list, w60gMenu, w60gStations)
	}
	out := make(map[string]*menu, len(list))
	for _, m := range list {
		out[m.path] = m
	}
	return out
}

func anyRow(*entry) bool { return true }

func ofType(types ...string) func(*entry) bool {
	return func(e *entry) bool { return slices.Contains(types, e.get("type")) }
}

// prop is a property that can be set.
type prop struct {
	must  bool // can not be empty or unset
	check func(d *device, c *config, name, v string) (string, *trap)
}

func noMatch(name string) *trap { return argument("input does not match any value of " + name) }

// text of a bounded length. A device keeps bytes: any will do.
func text(limit int) prop {
	return prop{check: func(_ *device, _ *config, name, v string) (string, *trap) {
		if len(v) > limit {
			return "", argument("value of " + name + " is too long (at most " + strconv.Itoa(limit) + ")")
		}
		return v, nil
	}}
}

// must is a property that can not be empty.
func must(p prop) prop {
	check := p.check
	p.must = true
	p.check = func(d *device, c *config, name, v string) (string, *trap) {
		if v == "" {
			return "", argument("value of " + name + " can not be empty")
		}
		return check(d, c, name, v)
	}
	return p
}

func oneOf(vs ...string) prop {
	return prop{must: true, check: func(_ *device, _ *config, name, v string) (string, *trap) {
		if !slices.Contains(vs, v) {
			return "", noMatch(name)
		}
		return v, nil
	}}
}

var yesNo = prop{must: true, check: func(_ *device, _ *config, name, v string) (string, *trap) {
	b, ok := parseBool(v)
	if !ok {
		return "", noMatch(name)
	}
	return boolean(b), nil
}}

// whole is an integer of a range, or one of some words.
func whole(lo, hi int, or ...string) prop {
	return prop{check: func(_ *device, _ *config, name, v string) (string, *trap) {
		if slices.Contains(or, v) {
			return v, nil
		}
		n, err := strconv.Atoi(v)
		if err != nil {
			return "", argument("invalid value for argument " + name)
		}
		if n < lo || n > hi {
			return "", argument("value of " + name + " out of range (" + strconv.Itoa(lo) + ".." + strconv.Itoa(hi) + ")")
		}
		return strconv.Itoa(n), nil
	}}
}

// frequency is in MHz, within the gear's bands where its sheet names some. A
// range "5500-5580" is held to its start.
func frequency(or ...string) prop {
	return prop{must: true, check: func(d *device, _ *config, name, v string) (string, *trap) {
		if slices.Contains(or, v) {
			return v, nil
		}
		for _, part := range strings.Split(v, "-") {
			if _, err := strconv.ParseUint(part, 10, 20); err != nil {
				return "", noMatch(name)
			}
		}
		f := leading(v)
		fits := len(d.gear.Bands) == 0 && (f >= 2192 && f <= 7125 || f >= 57000 && f <= 71000)
		for _, b := range d.gear.Bands {
			fits = fits || f >= float64(b.From) && f <= float64(b.To)
		}
		if !fits {
			return "", noMatch(name)
		}
		return v, nil
	}}
}

var interfaceRef = prop{must: true, check: func(_ *device, c *config, name, v string) (string, *trap) {
	e := c.table(interfaceTable).find(v)
	if e == nil {
		return "", noMatch(name)
	}
	return e.get("name"), nil
}}

var prefix = prop{must: true, check: func(_ *device, _ *config, name, v string) (string, *trap) {
	if p, err := netip.ParsePrefix(v); err == nil && p.Addr().Is4() {
		return p.String(), nil
	}
	if a, err := netip.ParseAddr(v); err == nil && a.Is4() {
		return a.String() + "/32", nil
	}
	return "", argument("invalid value for argument " + name)
}}
