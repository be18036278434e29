package routeros

import (
	"slices"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// TestNormal: how the drivers write a setting, and what it is.
func TestNormal(t *testing.T) {
	for _, tt := range []struct {
		driver, field string
		raw           row
		want          string // "-": not set
	}{
		{"wireless", "freq_mhz", row{"frequency": "5540"}, "5540"},
		{"wireless", "freq_mhz", row{"frequency": "5540MHz"}, "5540"},
		{"wireless", "freq_mhz", row{"frequency": "auto"}, "-"},
		{"wireless", "freq_mhz", row{}, "-"},
		{"wifi", "freq_mhz", row{"channel.frequency": "5500-5580"}, "5500-5580"},
		{"wifi", "freq_mhz", row{"channel.frequency": "5500,5540"}, "5500,5540"},
		{"w60g", "freq_mhz", row{"frequency": "58320"}, "58320"},
		{"wireless", "width_mhz", row{"channel-width": "20mhz"}, "20"},
		{"wireless", "width_mhz", row{"channel-width": "20/40mhz-eC"}, "40"},
		{"wireless", "width_mhz", row{"channel-width": "20/40/80mhz-Ceee"}, "80"},
		{"wireless", "width_mhz", row{"channel-width": "20/40/80/160mhz-Ceeeeeee"}, "160"},
		{"wireless", "width_mhz", row{"channel-width": "40mhz-turbo"}, "40mhz-turbo"},
		{"wifi", "width_mhz", row{"channel.width": "20/40/80+80mhz"}, "20/40/80+80mhz"},
		{"wifi", "width_mhz", row{"channel.width": "20/40/80mhz"}, "80"},
		{"wifi", "width_mhz", row{}, "-"},
		{"w60g", "width_mhz", row{}, "2160"},
		{"wireless", "tx_power_dbm", row{"tx-power": "12", "tx-power-mode": "all-rates-fixed"}, "12"},
		{"wireless", "tx_power_dbm", row{"tx-power": "-3", "tx-power-mode": "all-rates-fixed"}, "-3"},
		{"wireless", "tx_power_dbm", row{"tx-power": "12", "tx-power-mode": "card-rates"}, "-"},
		{"wireless", "tx_power_dbm", row{"tx-power": "12", "tx-power-mode": "default"}, "-"},
		{"wifi", "tx_power_dbm", row{"configuration.tx-power": "12"}, "12"},
		{"wifi", "tx_power_dbm", row{}, "-"},
		{"w60g", "tx_power_dbm", row{"tx-power": "5"}, "-"},
		{"wireless", "ssid", row{"ssid": "perch\xe8 no\x00"}, "perch\xe8 no\x00"},
		{"wifi", "ssid", row{"configuration.ssid": " x "}, " x "},
		{"wireless", "comment", row{"comment": "a\nb"}, "a\nb"},
		{"wireless", "nonsense", row{"nonsense": "x"}, "-"},
	} {
		v, ok := normal(network.RadioSection, tt.driver, tt.field, tt.raw)
		if !ok {
			v = "-"
		}
		if v != tt.want {
			t.Errorf("%s %v is %s %q, want %q", tt.driver, tt.raw, tt.field, v, tt.want)
		}
	}
}

// FuzzNormal: what a device tells can be told back to it, and is then the same;
// nothing it sends is too odd to read.
func FuzzNormal(f *testing.F) {
	for _, s := range []string{"", "5540", "auto", "5500-5580", "20/40mhz-Ce", "/mhz", "mhz-", "1e9mhz", "NaN", "-0", "00012", "12dBm", "12.5", "\xff", "10.0.0.1/24", "999999999999999999999mhz"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, driver := range []string{"wireless", "wifi", "w60g"} {
			v := row{".id": a, "name": b, "default-name": a, "comment": b, "ssid": a, "configuration.ssid": a, "frequency": a, "channel.frequency": a,
				"channel-width": a, "channel.width": a, "tx-power": a, "tx-power-mode": fixedPower, "configuration.tx-power": a}
			h := &held{radios: radioItems([]row{v, v}, "/interface/"+driver, driver), address: addressItems([]row{{".id": "*1", "address": a, "interface": b, "dynamic": b, "disabled": a}, {".id": "*2", "address": a}})}
			for k, x := range h.configured().Values {
				if len(x) == 0 {
					t.Errorf("%s is empty", k)
				}
			}
			for _, field := range fieldsOf(network.RadioSection) {
				x, ok := normal(network.RadioSection, driver, field, v)
				if !ok {
					continue
				}
				set, _, err := dress(driver, field, v, &x)
				if err != nil {
					// Only what no radio can be given may not come back.
					if field != network.FieldTxPower && field != network.FieldWidth && len(x) <= longestValue {
						t.Errorf("%s %s %q: %v", driver, field, x, err)
					}
					continue
				}
				next := row{"tx-power-mode": fixedPower}
				for _, p := range set {
					next[p.name] = p.value
				}
				if y, ok := normal(network.RadioSection, driver, field, next); !ok || y != x {
					t.Errorf("%s %s %q became %v, which is %q", driver, field, x, set, y)
				}
			}
		}
	})
}

// TestRadiosInOrder: the first is the one with the first factory name, however
// it is called; virtual ones come last.
func TestRadiosInOrder(t *testing.T) {
	var names []string
	for _, i := range radioItems([]row{
		{".id": "*9", "name": "guests"}, {".id": "*2", "name": "wlan10", "default-name": "wlan10"}, {".id": "*3", "name": "alpha", "default-name": "wlan2"},
		{".id": "*4", "name": "zeta", "default-name": "wlan1"}, {".id": "*5"}, {"name": "ghost"}}, "/interface/wireless", "wireless") {
		names = append(names, i.name)
	}
	if !slices.Equal(names, []string{"zeta", "alpha", "wlan10", "guests"}) {
		t.Errorf("%v", names)
	}
	for _, pair := range [][2]string{{"wlan2", "wlan10"}, {"a", "b"}, {"a", "a1"}, {"a1b2", "a1b10"}, {"", "a"}, {"a01", "a2"}} {
		if natural(pair[0], pair[1]) >= 0 || natural(pair[1], pair[0]) <= 0 || natural(pair[0], pair[0]) != 0 {
			t.Errorf("%q is not before %q", pair[0], pair[1])
		}
	}
}

// TestAddresses: what the device has by itself is left out, disabled ones are
// not there.
func TestAddresses(t *testing.T) {
	h := &held{address: addressItems([]row{
		{".id": "*1", "address": "10.38.0.1/24", "interface": "bridge1", "comment": "gestione"},
		{".id": "*2", "address": "10.38.2.1/24", "interface": "bridge1", "disabled": "true", "comment": "vecchio"},
		{".id": "*3", "address": "192.168.1.7/24", "interface": "ether1", "dynamic": "true"}, {".id": "*4"}})}
	got := h.configured().Values
	if len(got) != 2 || got[network.Key{Section: network.AddressSection, Name: "10.38.0.1/24", Field: "interface"}] != "bridge1" ||
		got[network.Key{Section: network.AddressSection, Name: "10.38.0.1/24", Field: "comment"}] != "gestione" {
		t.Errorf("%v", got)
	}
}

// TestDressKeepsItsOwnWay: a width that stays is written as the device has it.
func TestDressKeepsItsOwnWay(t *testing.T) {
	v := "40"
	set, _, err := dress("wireless", network.FieldWidth, row{"channel-width": "20/40mhz-eC"}, &v)
	if err != nil || len(set) != 1 || set[0].value != "20/40mhz-eC" {
		t.Errorf("%v %v", set, err)
	}
	if _, _, err := dress("wireless", network.FieldWidth, row{}, &v); err != nil {
		t.Error(err)
	}
	v = "160"
	if _, _, err := dress("wifi", network.FieldWidth, row{"channel.width": "20mhz"}, &v); err != nil {
		t.Error(err)
	}
	v = strings.Repeat("9", 40)
	if _, _, err := dress("wifi", network.FieldWidth, row{"channel.width": "20mhz"}, &v); fault.Of(err) != fault.Refused {
		t.Error(err)
	}
}
