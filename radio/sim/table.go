package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pair is one property of a row.
type pair struct{ k, v string }

// item is a row as it is printed: properties in order.
type item []pair

func (it item) get(k string) (string, bool) {
	for _, p := range it {
		if p.k == k {
			return p.v, true
		}
	}
	return "", false
}

// add appends a property; an empty value is not sent by a device.
func (it *item) add(k, v string) {
	if v != "" {
		*it = append(*it, pair{k, v})
	}
}

// entry is a configured row.
type entry struct {
	ID    int
	Props map[string]string
}

// MarshalJSON keeps every byte: values that are not UTF-8 go beside the others,
// in base64, since JSON has no bytes.
func (e *entry) MarshalJSON() ([]byte, error) {
	x := keptEntry{ID: e.ID, Props: make(map[string]string, len(e.Props))}
	for k, v := range e.Props {
		if utf8.ValidString(v) {
			x.Props[k] = v
			continue
		}
		if x.Bytes == nil {
			x.Bytes = map[string][]byte{}
		}
		x.Bytes[k] = []byte(v)
	}
	return json.Marshal(x)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *entry) UnmarshalJSON(b []byte) error {
	var x keptEntry
	if err := json.Unmarshal(b, &x); err != nil {
		return err
	}
	e.ID, e.Props = x.ID, x.Props
	for k, v := range x.Bytes {
		if e.Props != nil {
			e.Props[k] = string(v)
		}
	}
	return nil
}

type keptEntry struct {
	ID    int               `json:"id"`
	Props map[string]string `json:"props"`
	Bytes map[string][]byte `json:"bytes,omitempty"`
}

func (e *entry) id() string { return fmt.Sprintf("*%X", e.ID) }

func (e *entry) get(k string) string { return e.Props[k] }

// port is the name an interface left the factory with; no client can change it.
func (e *entry) port() string { return e.Props["default-name"] }

func (e *entry) disabled() bool { return e.Props["disabled"] == "true" }

// table is the configured rows of one menu, or of several that share them. A
// singleton has one row.
type table struct {
	Next int      `json:"next"`
	Rows []*entry `json:"rows"`
}

func (t *table) add(props map[string]string) *entry {
	t.Next++
	e := &entry{t.Next, props}
	t.Rows = append(t.Rows, e)
	return e
}

func (t *table) clone() *table {
	c := &table{Next: t.Next, Rows: make([]*entry, len(t.Rows))}
	for i, e := range t.Rows {
		c.Rows[i] = &entry{e.ID, maps.Clone(e.Props)}
	}
	return c
}

func (t *table) byID(id int) *entry {
	for _, e := range t.Rows {
		if e.ID == id {
			return e
		}
	}
	return nil
}

func (t *table) remove(id int) {
	t.Rows = slices.DeleteFunc(t.Rows, func(e *entry) bool { return e.ID == id })
}

// find looks an item up by "*1A" or by name.
func (t *table) find(ref string) *entry {
	if hex, ok := strings.CutPrefix(ref, "*"); ok {
		n, err := strconv.ParseUint(hex, 16, 31)
		if err != nil {
			return nil
		}
		return t.byID(int(n))
	}
	for _, e := range t.Rows {
		if ref != "" && e.get("name") == ref {
			return e
		}
	}
	return nil
}

// config is all that a device keeps over a power cut.
type config struct {
	Tables map[string]*table `json:"tables"`
}

func newConfig() *config { return &config{map[string]*table{}} }

// table is never nil; the one of an unknown name is empty and not kept.
func (c *config) table(name string) *table {
	if t := c.Tables[name]; t != nil {
		return t
	}
	return &table{}
}

// port is the interface that left the factory with a name; nil: none did.
func (c *config) port(name string) *entry {
	for _, e := range c.table(interfaceTable).Rows {
		if e.port() == name && name != "" {
			return e
		}
	}
	return nil
}

// adopt adds the interfaces of a factory configuration that are missing: the
// network files gave the device a further radio.
func (c *config) adopt(factory *config) {
	if c.Tables[smsTable] == nil { // kept before there were short messages
		c.Tables[smsTable] = factory.table(smsTable).clone()
	}
	t := c.table(interfaceTable)
	for _, e := range factory.table(interfaceTable).Rows {
		if e.port() == "" || c.port(e.port()) != nil {
			continue
		}
		props := maps.Clone(e.Props)
		if t.find(props["name"]) != nil {
			props["name"] += "-new"
		}
		t.add(props)
	}
}

// with is the configuration with one table replaced by a copy to be changed.
func (c *config) with(name string) (*config, *table) {
	n := &config{maps.Clone(c.Tables)}
	t := c.table(name).clone()
	n.Tables[name] = t
	return n, t
}

func (c *config) clone() *config {
	n := newConfig()
	for k, t := range c.Tables {
		n.Tables[k] = t.clone()
	}
	return n
}

// sound says whether a configuration read from disk can be used.
func (c *config) sound() bool {
	if c == nil || len(c.table(interfaceTable).Rows) == 0 || len(c.table(userTable).Rows) == 0 {
		return false
	}
	for _, single := range []string{identityTable, clockTable, updateTable} {
		if len(c.table(single).Rows) != 1 {
			return false
		}
	}
	for _, t := range c.Tables {
		if t == nil {
			return false
		}
		for _, e := range t.Rows {
			if e == nil || e.Props == nil || e.ID > t.Next {
				return false
			}
		}
	}
	return true
}

// password of a user; "" when there is none of that name.
func (c *config) password(user string) string {
	if e := c.table(userTable).find(user); e != nil {
		return e.get(passwordProp)
	}
	return ""
}

func (c *config) setPassword(user, pw string) {
	if e := c.table(userTable).find(user); e != nil {
		e.Props[passwordProp] = pw
	}
}
