package routeros

import (
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// edit is what is to become of one item: its fields that change, with the
// values wanted.
type edit struct {
	*item
	fields []string           // in the order of fieldsOf
	to     map[string]*string // by field
}

// about tells which settings an edit changes: "radio wlan1 (ssid, freq_mhz)".
func (e *edit) about() string { return e.title() + " (" + strings.Join(e.fields, ", ") + ")" }

// title is "radio wlan1".
func (i *item) title() string {
	if i.name == "" {
		return string(i.section)
	}
	return string(i.section) + " " + line(i.name)
}

// moves says whether an edit of an address brings it or takes it away; after
// is whether it is there in the end.
func (e *edit) moves() (before, after bool) {
	before = e.value(network.FieldInterface) != nil
	after = before
	if to, ok := e.to[network.FieldInterface]; ok {
		after = to != nil
	}
	return before, after
}

// rank orders edits: what cannot cut the line first, new addresses before old
// ones go, radios last.
func (e *edit) rank() int {
	switch e.section {
	case network.IdentitySection:
		return 0
	case network.AddressSection:
		if _, after := e.moves(); after {
			return 1
		}
		return 2
	}
	return 3
}

// edits gathers changes by the item they are about, in the order in which they
// are to be written, and refuses what means nothing.
func edits(h *held, changes []network.Change) ([]*edit, error) {
	if len(changes) == 0 {
		return nil, fault.New(fault.Invalid, "no changes are given")
	}
	byItem := map[*item]*edit{}
	var all []*edit
	for _, c := range changes {
		if !slices.Contains(fieldsOf(c.Key.Section), c.Key.Field) {
			return nil, fault.New(fault.Invalid, "%s is no setting", line(c.Key.String()))
		}
		i, err := h.find(c.Key)
		if err != nil {
			return nil, err
		}
		e := byItem[i]
		if e == nil {
			e = &edit{item: i, to: map[string]*string{}}
			byItem[i] = e
			all = append(all, e)
		}
		if _, twice := e.to[c.Key.Field]; twice {
			return nil, fault.New(fault.Invalid, "%s is changed twice: give it once", line(c.Key.String()))
		}
		e.to[c.Key.Field] = c.To
	}
	for _, e := range all {
		for _, f := range fieldsOf(e.section) {
			if _, ok := e.to[f]; ok {
				e.fields = append(e.fields, f)
			}
		}
		if err := e.sound(); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(all, func(a, b *edit) int {
		if c := a.rank() - b.rank(); c != 0 {
			return c
		}
		return slices.Index(h.radios, a.item) - slices.Index(h.radios, b.item)
	})
	return all, nil
}

// sound checks what can be known before the device is asked to do it.
func (e *edit) sound() error {
	switch e.section {
	case network.IdentitySection:
		if to := e.to[network.FieldName]; to == nil || *to == "" || len(*to) > longestValue {
			return fault.New(fault.Invalid, "identity: a name of 1 to %d bytes is needed", longestValue)
		}
	case network.AddressSection:
		if e.twice {
			return fault.New(fault.Conflict, "address %s is more than once on the device: remove the ones that are not wanted by hand", line(e.name))
		}
		if _, after := e.moves(); !after && e.to[network.FieldComment] != nil {
			return fault.New(fault.Invalid, "address %s: a comment is given, but no interface", line(e.name))
		}
		for _, f := range e.fields {
			if to := e.to[f]; to != nil && (len(*to) > longestValue || *to == "" && f == network.FieldInterface) {
				return fault.New(fault.Invalid, "address %s: %s of %d bytes: give 1 to %d", line(e.name), f, len(*to), longestValue)
			}
		}
	case network.RadioSection:
		for _, f := range e.fields {
			if _, _, err := dress(e.driver, f, e.raw, e.to[f]); err != nil {
				return fault.New(fault.Of(err), "radio %s: %w", line(e.name), err)
			}
		}
	}
	return nil
}

// unlike are the changes whose setting is now none of the values allowed.
func unlike(h *held, changes []network.Change, allowed func(network.Change) []*string) []string {
	var out []string
	for _, c := range changes {
		i, err := h.find(c.Key)
		if err != nil {
			continue // told by edits
		}
		now := i.value(c.Key.Field)
		if !slices.ContainsFunc(allowed(c), func(v *string) bool { return same(v, now) }) {
			out = append(out, line(c.Key.String())+" is "+show(now)+", not "+show(allowed(c)[0]))
		}
	}
	return out
}

func same(a, b *string) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// show is a value in a message.
func show(v *string) string {
	if v == nil {
		return "not set"
	}
	return `"` + line(*v) + `"`
}

// step is one command of a change.
type step struct {
	about   string // which item, for whoever reads why it stopped
	command string
	args    []string
}

// steps are the commands that make the edits; settings that are as wanted
// already are left alone.
func steps(all []*edit) []step {
	var out []step
	for _, e := range all {
		if e.done() {
			continue
		}
		switch e.section {
		case network.IdentitySection:
			out = append(out, e.set(property{"name", *e.to[network.FieldName]}))
		case network.AddressSection:
			out = append(out, e.addressStep())
		case network.RadioSection:
			out = append(out, e.radioSteps()...)
		}
	}
	return out
}

// done says whether every field is as wanted.
func (e *edit) done() bool {
	return !slices.ContainsFunc(e.fields, func(f string) bool { return !same(e.value(f), e.to[f]) })
}

func (e *edit) step(verb string, ps ...property) step {
	s := step{about: e.about(), command: e.menu + "/" + verb}
	if id := e.raw[".id"]; id != "" {
		s.args = append(s.args, "=.id="+id)
	}
	for _, p := range ps {
		s.args = append(s.args, "="+p.name+"="+p.value)
	}
	return s
}

func (e *edit) set(ps ...property) step { return e.step("set", ps...) }

// addressStep adds, changes or removes one address. One that is there but
// disabled is taken into use again.
func (e *edit) addressStep() step {
	_, after := e.moves()
	if !after {
		return e.step("remove")
	}
	var ps []property
	if to := e.to[network.FieldInterface]; to != nil {
		ps = append(ps, property{"interface", *to})
	}
	if to, ok := e.to[network.FieldComment]; ok {
		ps = append(ps, property{"comment", deref(to)})
	}
	if e.raw == nil {
		return e.step("add", append([]property{{"address", e.name}}, ps...)...)
	}
	if truth(e.raw["disabled"]) {
		ps = append(ps, property{"disabled", "no"})
		if _, ok := e.to[network.FieldComment]; !ok { // the comment it had does not count
			ps = append(ps, property{"comment", ""})
		}
	}
	return e.set(ps...)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// radioSteps are one set command, after what must be unset.
func (e *edit) radioSteps() []step {
	var out []step
	var ps []property
	for _, f := range e.fields {
		if same(e.value(f), e.to[f]) {
			continue
		}
		set, unset, _ := dress(e.driver, f, e.raw, e.to[f]) // checked by sound
		ps = append(ps, set...)
		for _, u := range unset {
			out = append(out, e.step("unset", property{"value-name", u}))
		}
	}
	if len(ps) > 0 {
		out = append(out, e.set(ps...))
	}
	return out
}
