package network

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/unit"
)

// Section is a kind of things that can be set on a device.
type Section string

const (
	IdentitySection Section = "identity" // one, without a name; field "name"
	RadioSection    Section = "radio"    // by the name of its interface; fields ssid, freq_mhz, width_mhz, tx_power_dbm, comment
	AddressSection  Section = "address"  // by the address with its prefix length, "10.38.0.1/24"; fields interface, comment
)

// Fields of the sections, with their units.
const (
	FieldName      = "name"
	FieldSSID      = "ssid"
	FieldFreq      = "freq_mhz"
	FieldWidth     = "width_mhz"
	FieldTxPower   = "tx_power_dbm"
	FieldComment   = "comment"
	FieldInterface = "interface"
)

// Key is the natural key of one setting: the same whatever the driver and the
// version of the device call it.
type Key struct {
	Section Section `json:"section"`
	Name    string  `json:"name"` // "" where the section has only one
	Field   string  `json:"field"`
}

// String is "radio wlan1 freq_mhz".
func (k Key) String() string {
	return strings.Join(slices.DeleteFunc([]string{string(k.Section), k.Name, k.Field}, func(s string) bool { return s == "" }), " ")
}

// CompareKeys orders keys by section, name and field.
func CompareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Section, b.Section), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Field, b.Field))
}

// Configured is what is set on one device now, in the words of Key. Values are
// text: numbers without unit and without needless zeros, bytes as the device
// keeps them. What a device leaves to its default has no entry.
type Configured struct {
	Device  DeviceID
	At      time.Time
	Driver  string // wireless, wifi, w60g or router
	Version string
	Radios  []string // names of its radio interfaces in natural order; the files speak of the first
	Values  map[Key]string
}

// Change is one setting that is to become another. nil is not set; an address
// whose interface is not set is not there.
type Change struct {
	Key  Key     `json:"key"`
	From *string `json:"from"`
	To   *string `json:"to"`
}

// Reverse undoes a change.
func (c Change) Reverse() Change { return Change{Key: c.Key, From: c.To, To: c.From} }

// WayBack is what a device will do by itself when nobody confirms a change.
type WayBack struct {
	ID     string            `json:"id"` // of the change it belongs to
	Device DeviceID          `json:"device"`
	Means  string            `json:"means"`  // "scheduler"
	Script string            `json:"script"` // as the device keeps it
	Left   unit.Opt[Seconds] `json:"left_s"` // until the device acts; null: not known
}
