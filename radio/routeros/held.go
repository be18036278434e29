package routeros

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// item is one thing that has settings, as the device prints it now.
type item struct {
	section network.Section
	name    string // of the keys of its settings
	menu    string // "/interface/wireless"
	driver  string // of a radio
	raw     row    // nil: an address that is not there
	twice   bool   // an address that is there more than once
}

// value is one setting of an item, nil where it is not set.
func (i *item) value(field string) *string {
	if v, ok := normal(i.section, i.driver, field, i.raw); ok {
		return &v
	}
	return nil
}

// held is what is set on a device, as it prints it.
type held struct {
	version  string
	identity *item // nil: not read
	radios   []*item
	address  []*item
}

// configured is held in the words of network.Key.
func (h *held) configured() network.Configured {
	c := network.Configured{Driver: "router", Version: h.version, Values: map[network.Key]string{}}
	for n, i := range h.radios {
		c.Radios = append(c.Radios, i.name)
		if n == 0 {
			c.Driver = i.driver
		}
	}
	for _, i := range h.all() {
		for _, f := range fieldsOf(i.section) {
			if v := i.value(f); v != nil {
				c.Values[network.Key{Section: i.section, Name: i.name, Field: f}] = *v
			}
		}
	}
	return c
}

func (h *held) all() []*item {
	all := slices.Concat(h.radios, h.address)
	if h.identity != nil {
		all = append(all, h.identity)
	}
	return all
}

// find is the item of a key; an address that is not there is made.
func (h *held) find(k network.Key) (*item, error) {
	for _, i := range h.all() {
		if i.section == k.Section && i.name == k.Name {
			return i, nil
		}
	}
	switch k.Section {
	case network.AddressSection:
		i := &item{section: k.Section, name: k.Name, menu: addressMenu}
		h.address = append(h.address, i)
		return i, nil
	case network.RadioSection:
		var names []string
		for _, r := range h.radios {
			names = append(names, line(r.name))
		}
		has := "it has none"
		if names != nil {
			has = "it has " + strings.Join(names, ", ")
		}
		return nil, fault.New(fault.NotFound, "the device has no radio %s: %s", line(k.Name), has)
	}
	return nil, fault.New(fault.Invalid, "%s is no setting", line(k.String()))
}

const (
	identityMenu = "/system/identity"
	addressMenu  = "/ip/address"
)

// holds reads the sections of a device; every read must be answered, or else
// nothing is known. resource comes first, so that a restarted device is known
// for one.
func (r *round) holds(want func(network.Section) bool) (*held, error) {
	r.resource()
	h := &held{version: r.obs.Version}
	if want(network.IdentitySection) {
		rows, err := r.must(identityMenu, "name")
		if err != nil {
			return nil, err
		}
		if len(rows) != 1 {
			return nil, fault.New(fault.Refused, "%s: %d rows, there must be one", identityMenu, len(rows))
		}
		h.identity = &item{section: network.IdentitySection, menu: identityMenu, raw: rows[0]}
	}
	if want(network.RadioSection) {
		for _, d := range drivers {
			rows, path, err := r.radioRows(d.paths, d.name)
			if err != nil {
				return nil, err
			}
			h.radios = append(h.radios, radioItems(rows, path, d.name)...)
		}
	}
	if want(network.AddressSection) {
		rows, err := r.must(addressMenu, ".id,address,network,interface,comment,disabled,dynamic")
		if err != nil {
			return nil, err
		}
		h.address = addressItems(rows)
	}
	return h, r.err
}

// must reads a menu that every device has.
func (r *round) must(menu, props string, args ...string) ([]row, error) {
	rows, refused, _ := r.ask(menu+"/print", props, args...)
	if r.err != nil {
		return nil, r.err
	}
	if refused != nil {
		return nil, fault.New(refused.kind(), "%s/print: %w", menu, refused)
	}
	return rows, nil
}

// radioRows reads the first of the paths that the device has; "" if none.
func (r *round) radioRows(paths []string, driver string) ([]row, string, error) {
	props := ".id,name,default-name"
	for _, f := range fieldsOf(network.RadioSection) {
		for _, p := range radioProperties[driver][f] {
			props += "," + p
		}
	}
	for _, p := range paths {
		if r.s.absent[p+"/print"] {
			continue
		}
		rows, refused, _ := r.ask(p+"/print", props)
		switch {
		case r.err != nil:
			return nil, "", r.err
		case refused == nil:
			return rows, p, nil
		case refused.absent():
			r.s.absent[p+"/print"] = true
		default:
			return nil, "", fault.New(refused.kind(), "%s/print: %w", p, refused)
		}
	}
	return nil, "", nil
}

// radioItems are radios in the order of their factory names; those without
// one, which are virtual, come last.
func radioItems(rows []row, menu, driver string) []*item {
	var all []*item
	for _, v := range rows {
		if v["name"] != "" && v[".id"] != "" {
			all = append(all, &item{section: network.RadioSection, name: v["name"], menu: menu, driver: driver, raw: v})
		}
	}
	slices.SortStableFunc(all, func(a, b *item) int {
		x, y := a.raw["default-name"], b.raw["default-name"]
		if (x == "") != (y == "") {
			return len(y) - len(x)
		}
		if c := natural(x, y); c != 0 {
			return c
		}
		return natural(a.name, b.name)
	})
	return all
}

// addressItems leaves out what the device made by itself. Of an address that
// is there twice the first that is in use stands for it.
func addressItems(rows []row) []*item {
	var all []*item
	for _, v := range rows {
		if truth(v["dynamic"]) || v["address"] == "" || v[".id"] == "" {
			continue
		}
		i := &item{section: network.AddressSection, name: v["address"], menu: addressMenu, raw: v}
		if p, err := netip.ParsePrefix(v["address"]); err == nil {
			i.name = p.String()
		}
		same := slices.IndexFunc(all, func(o *item) bool { return o.name == i.name })
		if same < 0 {
			all = append(all, i)
			continue
		}
		all[same].twice = true
		if truth(all[same].raw["disabled"]) && !truth(v["disabled"]) {
			all[same].raw = v
		}
	}
	return all
}
