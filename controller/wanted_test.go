package controller_test

import (
	"maps"
	"reflect"
	"testing"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

func key(section network.Section, name, field string) network.Key {
	return network.Key{Section: section, Name: name, Field: field}
}

func text(s string) *string { return &s }

func wantedNet() *network.Network {
	n := &network.Network{
		Gear: map[network.GearID]network.Gear{"dish": {ID: "dish", Class: "wireless"}, "wire": {ID: "wire", Class: "w60g"}, "router": {ID: "router", Class: "router"}},
		Devices: []network.Device{
			{ID: "north", Gear: "dish", Settings: network.Settings{SSID: "ridge", Freq: unit.Some(unit.MHz(5540)), Width: unit.Some(unit.MHz(40)),
				TxPower: unit.Some(unit.DBm(2.5)), Addresses: []network.Address{{Address: "10.38.0.1/24", Interface: "ether1"}}}},
			{ID: "south", Gear: "dish", Settings: network.Settings{TxPower: unit.Some(unit.DBm(-2.5)), Identity: "South radio", Comment: "to north"}},
			{ID: "short", Gear: "wire", Settings: network.Settings{SSID: "w", Freq: unit.Some(unit.MHz(58320)), Width: unit.Some(unit.MHz(2160)), TxPower: unit.Some(unit.DBm(5))}},
			{ID: "core", Gear: "router", Settings: network.Settings{}},
		},
	}
	n.Index()
	return n
}

func TestWantedIsWhatTheDeviceCanBeSetTo(t *testing.T) {
	n := wantedNet()
	identity := key(network.IdentitySection, "", network.FieldName)
	for _, c := range []struct {
		device network.DeviceID
		have   network.Configured
		want   map[network.Key]string
	}{
		{"north", network.Configured{Driver: "wireless", Radios: []string{"wlan1", "wlan2"}}, map[network.Key]string{
			identity: "north", key("radio", "wlan1", "ssid"): "ridge", key("radio", "wlan1", "freq_mhz"): "5540",
			key("radio", "wlan1", "width_mhz"): "40", key("radio", "wlan1", "tx_power_dbm"): "2", key("address", "10.38.0.1/24", "interface"): "ether1"}},
		{"south", network.Configured{Driver: "wifi", Radios: []string{"wifi1"}}, map[network.Key]string{
			identity: "South radio", key("radio", "wifi1", "tx_power_dbm"): "-3", key("radio", "wifi1", "comment"): "to north"}},
		{"short", network.Configured{Driver: "w60g", Radios: []string{"w60g1"}}, map[network.Key]string{
			identity: "short", key("radio", "w60g1", "ssid"): "w", key("radio", "w60g1", "freq_mhz"): "58320"}},
		{"core", network.Configured{Driver: "router"}, map[network.Key]string{identity: "core"}},
		{"nobody", network.Configured{}, nil},
	} {
		if got := controller.Wanted(n, c.device, c.have); !maps.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.device, got, c.want)
		}
	}
}

func TestCompareTellsWhoMoved(t *testing.T) {
	freq := key("radio", "wlan1", "freq_mhz")
	want := map[network.Key]string{freq: "5560"}
	for _, c := range []struct {
		have, agreed string
		want         controller.DifferenceKind
	}{
		{"5540", "5540", controller.FilesMoved},
		{"5540", "5560", controller.DeviceMoved},
		{"5540", "5600", controller.BothMoved},
		{"5540", "", controller.UnknownMover},
	} {
		agreed := controller.Agreed{}
		if c.agreed != "" {
			agreed[freq] = text(c.agreed)
		}
		got := controller.Compare(want, network.Configured{Values: map[network.Key]string{freq: c.have}}, agreed)
		if !reflect.DeepEqual(got, []controller.Difference{{Key: freq, Want: text("5560"), Have: text(c.have), Kind: c.want}}) {
			t.Errorf("have %s, agreed on %q: got %+v", c.have, c.agreed, got)
		}
	}
	gone := controller.Compare(want, network.Configured{}, controller.Agreed{freq: nil})
	if len(gone) != 1 || gone[0].Have != nil || gone[0].Kind != controller.FilesMoved {
		t.Errorf("a setting that was agreed to be absent: %+v", gone)
	}
	if got := controller.Compare(want, network.Configured{Values: map[network.Key]string{freq: "5560", key("radio", "wlan1", "ssid"): "x"}}, nil); len(got) != 0 {
		t.Errorf("equal, and a setting nobody decides on: %+v", got)
	}
}

func TestCompareTakesAddressesOfNamedInterfacesOnly(t *testing.T) {
	iface := func(a string) network.Key { return key("address", a, "interface") }
	want := map[network.Key]string{iface("10.0.0.1/24"): "ether1", iface("10.0.1.1/24"): "ether1"}
	have := network.Configured{Values: map[network.Key]string{
		iface("10.0.0.1/24"): "ether1",                                                             // as wanted
		iface("10.0.1.1/24"): "bridge1",                                                            // elsewhere
		iface("10.9.9.9/24"): "ether1", key("address", "10.9.9.9/24", "comment"): "left by a test", // surplus
		iface("192.168.88.1/24"): "ether5", // of an interface nobody decides on
	}}
	got := controller.Compare(want, have, nil)
	wants := []controller.Difference{
		{Key: iface("10.0.1.1/24"), Want: text("ether1"), Have: text("bridge1"), Kind: controller.UnknownMover},
		{Key: key("address", "10.9.9.9/24", "comment"), Have: text("left by a test"), Kind: controller.UnknownMover},
		{Key: iface("10.9.9.9/24"), Have: text("ether1"), Kind: controller.UnknownMover},
	}
	if !reflect.DeepEqual(got, wants) {
		t.Errorf("got %+v", got)
	}
}
