package network

import (
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/internal/unit"
)

// written is a network's files with the gear it was loaded with.
func written(n *Network, gear fs.FS) (fstest.MapFS, []fs.FS) {
	out := fstest.MapFS{}
	for name, data := range n.Files() {
		out[name] = &fstest.MapFile{Data: data}
	}
	return out, []fs.FS{gear}
}

func sameAgain(t interface {
	Fatalf(string, ...any)
	Helper()
}, n *Network, gear fs.FS) {
	t.Helper()
	folder, sheets := written(n, gear)
	again, err := Load(folder, sheets...)
	if err != nil {
		t.Fatalf("what was written cannot be read: %v\n%s", err, n.Files())
	}
	if !reflect.DeepEqual(again, n) {
		t.Fatalf("read back it is another network:\n%+v\nwant\n%+v", again, n)
	}
}

func TestTheDemoIsWrittenAndReadBackEqual(t *testing.T) {
	gear := os.DirFS("../../demo/gear")
	n, err := Load(os.DirFS("../../demo/network"), gear)
	if err != nil {
		t.Fatal(err)
	}
	sameAgain(t, n, gear)
	for name, data := range n.Files() {
		if !strings.HasPrefix(string(data), "# ") {
			t.Errorf("%s does not say what it is", name)
		}
	}
	if files := (&Network{}).Files(); len(files) != 0 {
		t.Errorf("an empty network has files: %v", files)
	}
}

// Any text and any number that the files can hold comes back the same.
func TestFilesAreReadBackEqual(t *testing.T) {
	gear := fstest.MapFS{"dish.yaml": {Data: []byte(dish)}, "router.yaml": {Data: []byte(router)}, "wire.yaml": {Data: []byte(wire)}}
	line := rapid.Custom(func(t *rapid.T) string {
		s := rapid.OneOf(rapid.StringMatching(`[ -~]{1,20}`), rapid.StringOfN(rapid.RuneFrom([]rune("aà'\"\\#:{}[]&*!|>%@`-, \u00a0\u2028\U0001F4E1😀~0")), 1, 8, 30),
			rapid.SampledFrom([]string{"no", "yes", "null", "~", "1e3", "0x10", "010", "12:30", "- a", "? b", "2026-01-01", ".nan", "=", "<<"})).Draw(t, "line")
		return strings.TrimSpace(s)
	})
	rapid.Check(t, func(t *rapid.T) {
		n, err := Load(files(good))
		if err != nil {
			t.Fatal(err)
		}
		n.Partners[0].Name = line.Filter(func(s string) bool { return s != "" }).Draw(t, "partner")
		s := &n.Sites[0]
		s.Name, s.Access, s.Power.Notes = "x"+line.Draw(t, "name"), line.Draw(t, "access"), line.Draw(t, "notes")
		s.At.Lat += rapid.Float64Range(0, 0.04).Draw(t, "lat")
		s.At.Lon += rapid.Float64Range(-0.001, 0.001).Draw(t, "lon")
		for i := range n.Devices {
			d := &n.Devices[i]
			d.Settings.Identity = line.Draw(t, "identity")
			for j := range rapid.IntRange(0, 3).Draw(t, "addresses") {
				d.Settings.Addresses = append(d.Settings.Addresses, Address{fmt.Sprintf("10.%d.%d.1/%d", i, j, rapid.IntRange(8, 32).Draw(t, "bits")), "x" + line.Draw(t, "interface"), line.Draw(t, "comment")})
			}
			if !n.IsRadio(*d) {
				continue
			}
			d.Settings.Comment, d.Settings.SSID = line.Draw(t, "comment"), rapid.StringMatching(`[a-z#:"']{0,32}`).Draw(t, "ssid")
			d.Tilt = unit.Some(unit.Degrees(rapid.Float64Range(-90, 90).Draw(t, "tilt")))
			d.Settings.TxPower = unit.Some(unit.DBm(rapid.Float64Range(-40, 20).Draw(t, "power")))
		}
		sameAgain(t, n, gear)
	})
}

func TestSettingsThatCannotBe(t *testing.T) {
	set := func(s string) string { return strings.Replace(good, "tx_power_dbm: 4,", "tx_power_dbm: 4, "+s+",", 1) }
	for _, c := range []struct{ settings, field, want string }{
		{`identity: " a"`, "settings.identity", `begins or ends with a space`},
		{`identity: "a\nb"`, "settings.identity", `a line break`},
		{`identity: ` + strings.Repeat("x", 65), "settings.identity", `65 bytes: at most 64`},
		{`comment: ` + strings.Repeat("x", 129), "settings.comment", `129 bytes: at most 128`},
		{`addresses: [{address: 10.0.0.1, interface: ether1}]`, "addresses[1].address", `write it as 10.38.0.1/24`},
		{`addresses: [{address: 10.0.0.300/24, interface: ether1}]`, "addresses[1].address", `is no address with its prefix length`},
		{`addresses: [{address: 127.0.0.1/8, interface: ether1}]`, "addresses[1].address", `no address that an interface can have`},
		{`addresses: [{address: "fd00::1/64", interface: ether1}]`, "addresses[1].address", `only IPv4`},
		{`addresses: [{address: 10.0.0.1/24, interface: ether1}, {address: 10.0.0.1/24, interface: ether2}]`, "addresses[2].address", `is there twice`},
		{`addresses: [{address: 10.0.0.1/24, interface: ""}]`, "addresses[1].interface", `name the interface`},
		{`addresses: [{address: 10.0.0.1/24}]`, "addresses[1].interface", `missing`},
		{`adresses: []`, "settings.adresses", `did you mean addresses?`},
	} {
		_, err := Load(files(set(c.settings)))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.field) || !strings.HasPrefix(err.Error(), "net.yaml:") {
			t.Errorf("%s: want %q at %q, got:\n%v", c.settings, c.want, c.field, err)
		}
	}
	n, err := Load(files(set(`identity: Nord, comment: "verso Sud", addresses: [{address: 10.0.0.1/24, interface: ether1, comment: mgmt}]`)))
	if err != nil {
		t.Fatal(err)
	}
	d, _ := n.Device("nord-sud")
	if d.IdentityOf() != "Nord" || d.Settings.Comment != "verso Sud" || !reflect.DeepEqual(d.Settings.Addresses, []Address{{"10.0.0.1/24", "ether1", "mgmt"}}) {
		t.Errorf("got %+v", d.Settings)
	}
	if _, err := Load(files(strings.Replace(good, "gear: router", "gear: router, settings: {freq_mhz: 5500}", 1))); err == nil || !strings.Contains(err.Error(), "is a router without a radio") {
		t.Errorf("a router with a frequency: %v", err)
	}
}
