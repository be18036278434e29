package routeros

import (
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// The names of the scheduler entries that are ways back. The script renames
// its entry before anything else, so that taking away an entry by its first
// name is taking away one that has not begun.
const (
	armedPrefix  = "crinale-undo-"
	actingPrefix = "crinale-undoing-"
)

// MaxScript is the most bytes of an undo script. RouterOS takes more, but a
// change that needs more is better made in parts.
const MaxScript = 16 << 10

// undoScript is the way back of edits: it puts back what the properties that
// they touch are now, byte for byte. Each item stands alone, so that one that
// is refused does not stop the next; the last command removes the entry that
// ran it. Only the simplest words of the script language are used, those that
// version 6 and 7 share.
func undoScript(id string, all []*edit) (string, error) {
	var b strings.Builder
	b.WriteString("# crinale: the way back of change " + id + "\n")
	b.WriteString(":do { /system scheduler set [find name=" + quote(armedPrefix+id) + "] name=" + quote(actingPrefix+id) + " } on-error={}\n")
	for _, e := range all {
		for _, c := range e.back() {
			b.WriteString(":do { " + c + " } on-error={ :log error " + quote("crinale: change "+id+": not put back: "+plain(e.title())) + " }\n")
		}
	}
	b.WriteString(":log warning " + quote("crinale: change "+id+" was not confirmed, the former settings are back") + "\n")
	b.WriteString("/system scheduler remove [find name=" + quote(actingPrefix+id) + "]\n")
	if b.Len() > MaxScript {
		return "", fault.New(fault.Invalid, "the way back would be a script of %d bytes, %d are the most: change fewer settings at a time", b.Len(), MaxScript)
	}
	return b.String(), nil
}

// plain is ASCII for the device's log.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7E {
			return '?'
		}
		return r
	}, s)
}

// back are the script commands that put an item back.
func (e *edit) back() []string {
	menu := strings.ReplaceAll(strings.TrimPrefix(e.menu, "/"), "/", " ")
	menu = "/" + menu
	switch e.section {
	case network.IdentitySection:
		return []string{menu + " set name=" + quote(e.raw["name"])}
	case network.AddressSection:
		if _, after := e.moves(); e.raw == nil && !after {
			return nil // it was not there, and will not be
		}
		return []string{menu + " " + e.addressBack()}
	}
	where := " [find name=" + quote(e.name) + "]"
	var set []property
	var out []string
	for _, f := range e.fields {
		for _, p := range propertiesOf(e.section, e.driver, f) {
			switch v, ok := e.raw[p]; {
			case ok, p == "comment":
				set = append(set, property{p, v})
			case e.driver == "wifi": // the old menu has no unset, and needs none: its tx-power-mode says whether tx-power counts
				out = append(out, menu+" unset"+where+" value-name="+p)
			}
		}
	}
	if len(set) > 0 { // first what gives the radio its channel back
		out = append([]string{menu + " set" + where + words(set)}, out...)
	}
	return out
}

// addressBack undoes an edit of an address: adds it again, removes it, or puts
// back what was changed of it.
func (e *edit) addressBack() string {
	if e.raw == nil {
		return "remove [find address=" + quote(e.name) + " interface=" + quote(deref(e.to[network.FieldInterface])) + "]"
	}
	keep := func(names ...string) (ps []property) {
		for _, n := range names {
			if v, ok := e.raw[n]; ok || n == "comment" {
				ps = append(ps, property{n, v})
			}
		}
		return ps
	}
	if _, after := e.moves(); !after {
		return "add" + words(keep("address", "network", "interface", "comment", "disabled"))
	}
	names := []string{"interface", "disabled"}
	if _, ok := e.to[network.FieldComment]; ok || truth(e.raw["disabled"]) {
		names = append(names, "comment")
	}
	return "set [find address=" + quote(e.raw["address"]) + "]" + words(keep(names...))
}

func words(ps []property) string {
	var b strings.Builder
	for _, p := range ps {
		v := quote(p.value)
		if yes, known := yes(p.value); known && p.name == "disabled" {
			v = map[bool]string{true: "yes", false: "no"}[yes]
		}
		b.WriteString(" " + p.name + "=" + v)
	}
	return b.String()
}
