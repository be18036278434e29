package controller

import (
	"math"
	"slices"
	"strconv"

	"github.com/crinale/crinale/internal/network"
)

// Wanted is what the files want set on a device, in the words of its present
// configuration: the radio is the first one it has. Tx power is a whole number
// of dBm, rounded down as devices take it, so that none sends more than the
// files say. What the files leave open is not there, and neither is what the
// device's driver cannot set: width and power of a 60 GHz radio.
//
// It is pure. The addresses wanted of an interface are all that it should
// have: see Compare.
func Wanted(n *network.Network, id network.DeviceID, have network.Configured) map[network.Key]string {
	d, ok := n.Device(id)
	if !ok {
		return nil
	}
	s := d.Settings
	want := map[network.Key]string{{Section: network.IdentitySection, Field: network.FieldName}: d.IdentityOf()}
	if n.IsRadio(d) && len(have.Radios) > 0 {
		radio := func(field, value string) {
			want[network.Key{Section: network.RadioSection, Name: have.Radios[0], Field: field}] = value
		}
		if s.SSID != "" {
			radio(network.FieldSSID, s.SSID)
		}
		if f, ok := s.Freq.Get(); ok {
			radio(network.FieldFreq, plain(float64(f)))
		}
		if w, ok := s.Width.Get(); ok && have.Driver != "w60g" {
			radio(network.FieldWidth, plain(float64(w)))
		}
		if p, ok := s.TxPower.Get(); ok && have.Driver != "w60g" {
			radio(network.FieldTxPower, plain(math.Floor(float64(p))))
		}
		if s.Comment != "" {
			radio(network.FieldComment, s.Comment)
		}
	}
	for _, a := range s.Addresses {
		key := network.Key{Section: network.AddressSection, Name: a.Address, Field: network.FieldInterface}
		want[key] = a.Interface
		if a.Comment != "" {
			key.Field = network.FieldComment
			want[key] = a.Comment
		}
	}
	return want
}

func plain(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// Agreed is what was set on a device when it and the files last agreed, by
// key; a null value is a setting that was not there.
type Agreed map[network.Key]*string

// Compare gives the differences between what is wanted and what a device has,
// in the order of the keys. An address that is on an interface which the files
// give addresses is not wanted there unless they name it. agreed tells who
// moved; nil: nothing is known. It is pure.
func Compare(want map[network.Key]string, have network.Configured, agreed Agreed) []Difference {
	diffs := []Difference{}
	for _, k := range ManagedKeys(want, have) {
		w, h := value(want, k), value(have.Values, k)
		if same(w, h) {
			continue
		}
		d := Difference{Key: k, Want: w, Have: h, Kind: UnknownMover}
		if a, known := agreed[k]; known {
			switch {
			case same(a, h):
				d.Kind = FilesMoved
			case same(a, w):
				d.Kind = DeviceMoved
			default:
				d.Kind = BothMoved
			}
		}
		diffs = append(diffs, d)
	}
	return diffs
}

// ManagedKeys are the settings that the files decide on: those wanted, and the
// surplus addresses of the interfaces that they give addresses.
func ManagedKeys(want map[network.Key]string, have network.Configured) []network.Key {
	keys := make([]network.Key, 0, len(want))
	full := map[string]bool{}
	for k, v := range want {
		keys = append(keys, k)
		if k.Section == network.AddressSection && k.Field == network.FieldInterface {
			full[v] = true
		}
	}
	for k, v := range have.Values {
		if k.Section != network.AddressSection || k.Field != network.FieldInterface || !full[v] {
			continue
		}
		if _, wanted := want[k]; wanted {
			continue
		}
		keys = append(keys, k)
		k.Field = network.FieldComment // goes with its address, and comes back with it
		if _, commented := have.Values[k]; commented {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, network.CompareKeys)
	return keys
}

func value(m map[network.Key]string, k network.Key) *string {
	if v, ok := m[k]; ok {
		return &v
	}
	return nil
}

func same(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// merge is agreed with what device and files agree on now; the second value
// says whether anything is new. Keys that the files no longer decide on are
// forgotten.
func (a Agreed) merge(want map[network.Key]string, have network.Configured) (Agreed, bool) {
	out, moved := Agreed{}, false
	for _, k := range ManagedKeys(want, have) {
		before, known := a[k]
		if known {
			out[k] = before
		}
		if w := value(want, k); same(w, value(have.Values, k)) && !(known && same(before, w)) {
			out[k], moved = w, true
		}
	}
	return out, moved || len(out) != len(a)
}

// agreedRow is one entry of Agreed as the store keeps it.
type agreedRow struct {
	Key   network.Key `json:"key"`
	Value *string     `json:"value"`
}

func (a Agreed) rows() []agreedRow {
	rows := make([]agreedRow, 0, len(a))
	for k, v := range a {
		c := eachValue(network.Change{Key: k, To: v}, freeze)
		rows = append(rows, agreedRow{c.Key, c.To})
	}
	slices.SortFunc(rows, func(a, b agreedRow) int { return network.CompareKeys(a.Key, b.Key) })
	return rows
}
