package routeros

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// unquote reads a string of the RouterOS script language as its manual tells
// (Scripting, constant escape sequences), and knows nothing of quote. rest is
// what follows the closing quote.
func unquote(s string) (v, rest string, err error) {
	if s == "" || s[0] != '"' {
		return "", s, fmt.Errorf("no quote at %q", s)
	}
	one := map[byte]byte{'"': '"', '\\': '\\', 'n': '\n', 'r': '\r', 't': '\t', '$': '$', '?': '?', '_': ' ', 'a': 7, 'b': 8, 'f': 12, 'v': 11}
	var out []byte
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return string(out), s[i+1:], nil
		case '$':
			return "", s, fmt.Errorf("a variable at %q", s[i:])
		case '\\':
			if i+2 < len(s) && strings.Trim(s[i+1:i+3], "0123456789ABCDEF") == "" {
				n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
				if err != nil {
					return "", s, err
				}
				out = append(out, byte(n))
				i += 2
			} else if i+1 < len(s) && one[s[i+1]] != 0 {
				out = append(out, one[s[i+1]])
				i++
			} else {
				return "", s, fmt.Errorf("unknown escape at %q", s[i:])
			}
		default:
			out = append(out, s[i])
		}
	}
	return "", s, fmt.Errorf("no end of %q", s)
}

func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "al-cortemilia", `say "hi" \ $x [find] {a;b} #c?`, "perché no", "\x00\n\r\t\xff\xe8", `\0A`, "a\\", "\";/system reboot;\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q := quote(s)
		v, rest, err := unquote(q)
		if err != nil || v != s || rest != "" {
			t.Errorf("%q became %s, read as %q, %q, %v", s, q, v, rest, err)
		}
		if strings.ContainsAny(q[1:len(q)-1], "\"$[]{};#?\n\r\x00") {
			t.Errorf("%s holds what a script could take for its own", q)
		}
	})
}

// FuzzUndoScript: whatever a device keeps in its settings, the script has the
// same commands, and each value comes back exactly.
func FuzzUndoScript(f *testing.F) {
	f.Add("al-cortemilia", "Raccordo", "bridge1", "cortemilia")
	f.Add("\" } ; /system reset-configuration ; :do {", "\n/user remove [find]\n", "$x", "\\")
	f.Fuzz(func(t *testing.T, ssid, comment, port, name string) {
		h := &held{
			identity: &item{section: network.IdentitySection, menu: identityMenu, raw: row{"name": name}},
			radios:   radioItems([]row{{".id": "*1", "name": port, "ssid": ssid, "comment": comment}}, "/interface/wireless", "wireless"),
		}
		if port == "" {
			return
		}
		x := "x"
		key := func(f string) network.Key { return network.Key{Section: network.RadioSection, Name: port, Field: f} }
		todo, err := edits(h, []network.Change{{Key: network.Key{Section: network.IdentitySection, Field: "name"}, To: &x}, {Key: key("ssid"), To: &x}, {Key: key("comment"), To: &x}})
		if err != nil {
			t.Fatal(err)
		}
		script, err := undoScript("c1", todo)
		if err != nil {
			if fault.Of(err) != fault.Invalid || len(ssid)+len(comment)+len(port)+len(name) < 1000 {
				t.Fatal(err)
			}
			return
		}
		lines := strings.Split(script, "\n")
		if len(lines) != 7 || lines[6] != "" {
			t.Fatalf("%d lines:\n%s", len(lines), script)
		}
		after := func(line, head string) string {
			rest, ok := strings.CutPrefix(line, head)
			if !ok {
				t.Fatalf("%s does not begin with %s", line, head)
			}
			return rest
		}
		read := func(line, head, want string) string {
			v, rest, err := unquote(after(line, head))
			if err != nil || v != want {
				t.Fatalf("%s: %q, want %q: %v", line, v, want, err)
			}
			return rest
		}
		rest := read(lines[2], ":do { /system identity set name=", name)
		after(rest, " } on-error={ :log error ")
		rest = read(lines[3], ":do { /interface wireless set [find name=", port)
		rest = read(rest, "] ssid=", ssid)
		rest = read(rest, " comment=", comment)
		after(rest, " } on-error={ :log error ")
	})
}

// golden devices, one for each driver, as they print their settings.
func golden() *held {
	h := &held{identity: &item{section: network.IdentitySection, menu: identityMenu, raw: row{"name": "cortemilia \"nord\""}}}
	h.radios = slices.Concat(
		radioItems([]row{
			{".id": "*3", "name": "wlan2", "default-name": "wlan2", "ssid": "x", "frequency": "auto", "channel-width": "20mhz", "tx-power-mode": "default"},
			{".id": "*2", "name": "wlan1", "default-name": "wlan1", "ssid": "perch\xe8 no", "frequency": "5540", "channel-width": "20/40mhz-eC", "tx-power": "12", "tx-power-mode": "all-rates-fixed", "comment": "a\r\nb"},
		}, "/interface/wireless", "wireless"),
		radioItems([]row{{".id": "*7", "name": "wifi1", "default-name": "wifi1", "configuration.ssid": "al-ax", "channel.width": "20/40/80mhz"}}, "/interface/wifi", "wifi"),
		radioItems([]row{{".id": "*9", "name": "wlan60-1", "ssid": "sixty", "frequency": "58320"}}, "/interface/w60g", "w60g"))
	h.address = addressItems([]row{
		{".id": "*1", "address": "10.38.0.1/24", "network": "10.38.0.0", "interface": "bridge1", "disabled": "false", "comment": "gestione"},
		{".id": "*2", "address": "192.168.1.5/24", "network": "192.168.1.0", "interface": "bridge1", "disabled": "false", "dynamic": "true"},
		{".id": "*3", "address": "10.38.9.1/30", "network": "10.38.9.0", "interface": "ether1", "disabled": "true", "comment": "vecchio"},
	})
	return h
}

// one is a change of one setting; a value of "-" is none.
func one(section network.Section, name, field, from, to string) network.Change {
	c := network.Change{Key: network.Key{Section: section, Name: name, Field: field}}
	if from != "-" {
		c.From = &from
	}
	if to != "-" {
		c.To = &to
	}
	return c
}

const (
	head = "# crinale: the way back of change c1\n" +
		`:do { /system scheduler set [find name="crinale-undo-c1"] name="crinale-undoing-c1" } on-error={}` + "\n"
	foot = `:log warning "crinale: change c1 was not confirmed, the former settings are back"` + "\n" +
		`/system scheduler remove [find name="crinale-undoing-c1"]` + "\n"
)

// TestUndoScripts are the ways back and the commands of changes, as they are
// sent.
func TestUndoScripts(t *testing.T) {
	id, radio, address := network.IdentitySection, network.RadioSection, network.AddressSection
	for _, tt := range []struct {
		name    string
		changes []network.Change
		undo    string
		write   string
	}{
		{"identity", []network.Change{one(id, "", "name", `cortemilia "nord"`, "nord")},
			`:do { /system identity set name="cortemilia \22nord\22" } on-error={ :log error "crinale: change c1: not put back: identity" }
`,
			"/system/identity/set =name=nord"},
		{"wireless, all at once", []network.Change{
			one(radio, "wlan1", "tx_power_dbm", "12", "9"), one(radio, "wlan1", "freq_mhz", "5540", "5600"), one(radio, "wlan1", "width_mhz", "40", "80"),
			one(radio, "wlan1", "ssid", "perch\xe8 no", "nuova"), one(radio, "wlan1", "comment", "a\r\nb", "-")},
			`:do { /interface wireless set [find name="wlan1"] ssid="perch\E8 no" frequency="5540" channel-width="20/40mhz-eC" tx-power="12" tx-power-mode="all-rates-fixed" comment="a\0D\0Ab" } on-error={ :log error "crinale: change c1: not put back: radio wlan1" }
`,
			"/interface/wireless/set =.id=*2 =ssid=nuova =frequency=5600 =channel-width=20/40/80mhz-Ceee =tx-power-mode=all-rates-fixed =tx-power=9 =comment="},
		{"wireless, from defaults", []network.Change{one(radio, "wlan2", "tx_power_dbm", "-", "9"), one(radio, "wlan2", "freq_mhz", "-", "5600"), one(radio, "wlan2", "comment", "-", "nuovo")},
			`:do { /interface wireless set [find name="wlan2"] frequency="auto" tx-power-mode="default" comment="" } on-error={ :log error "crinale: change c1: not put back: radio wlan2" }
`,
			"/interface/wireless/set =.id=*3 =frequency=5600 =tx-power-mode=all-rates-fixed =tx-power=9 =comment=nuovo"},
		{"wireless, to defaults", []network.Change{one(radio, "wlan1", "tx_power_dbm", "12", "-"), one(radio, "wlan1", "freq_mhz", "5540", "-")},
			`:do { /interface wireless set [find name="wlan1"] frequency="5540" tx-power="12" tx-power-mode="all-rates-fixed" } on-error={ :log error "crinale: change c1: not put back: radio wlan1" }
`,
			"/interface/wireless/set =.id=*2 =frequency=auto =tx-power-mode=default"},
		{"wifi", []network.Change{one(radio, "wifi1", "tx_power_dbm", "-", "9"), one(radio, "wifi1", "freq_mhz", "-", "5600"), one(radio, "wifi1", "width_mhz", "80", "40"), one(radio, "wifi1", "ssid", "al-ax", "-")},
			`:do { /interface wifi set [find name="wifi1"] configuration.ssid="al-ax" channel.width="20/40/80mhz" } on-error={ :log error "crinale: change c1: not put back: radio wifi1" }
:do { /interface wifi unset [find name="wifi1"] value-name=channel.frequency } on-error={ :log error "crinale: change c1: not put back: radio wifi1" }
:do { /interface wifi unset [find name="wifi1"] value-name=configuration.tx-power } on-error={ :log error "crinale: change c1: not put back: radio wifi1" }
`,
			"/interface/wifi/unset =.id=*7 =value-name=configuration.ssid\n" +
				"/interface/wifi/set =.id=*7 =channel.frequency=5600 =channel.width=20/40mhz-Ce =configuration.tx-power=9"},
		{"60 GHz", []network.Change{one(radio, "wlan60-1", "freq_mhz", "58320", "60480"), one(radio, "wlan60-1", "width_mhz", "2160", "2160")},
			`:do { /interface w60g set [find name="wlan60-1"] frequency="58320" } on-error={ :log error "crinale: change c1: not put back: radio wlan60-1" }
`,
			"/interface/w60g/set =.id=*9 =frequency=60480"},
		{"addresses, new ones first", []network.Change{
			one(address, "10.38.0.1/24", "comment", "gestione", "-"), one(address, "10.38.0.1/24", "interface", "bridge1", "-"),
			one(address, "10.38.1.1/24", "interface", "-", "bridge1"), one(address, "10.38.1.1/24", "comment", "-", "gestione")},
			`:do { /ip address remove [find address="10.38.1.1/24" interface="bridge1"] } on-error={ :log error "crinale: change c1: not put back: address 10.38.1.1/24" }
:do { /ip address add address="10.38.0.1/24" network="10.38.0.0" interface="bridge1" comment="gestione" disabled=no } on-error={ :log error "crinale: change c1: not put back: address 10.38.0.1/24" }
`,
			"/ip/address/add =address=10.38.1.1/24 =interface=bridge1 =comment=gestione\n/ip/address/remove =.id=*1"},
		{"an address to another interface", []network.Change{one(address, "10.38.0.1/24", "interface", "bridge1", "ether1")},
			`:do { /ip address set [find address="10.38.0.1/24"] interface="bridge1" disabled=no } on-error={ :log error "crinale: change c1: not put back: address 10.38.0.1/24" }
`,
			"/ip/address/set =.id=*1 =interface=ether1"},
		{"a disabled address comes back", []network.Change{one(address, "10.38.9.1/30", "interface", "-", "bridge1")},
			`:do { /ip address set [find address="10.38.9.1/30"] interface="ether1" disabled=yes comment="vecchio" } on-error={ :log error "crinale: change c1: not put back: address 10.38.9.1/30" }
`,
			"/ip/address/set =.id=*3 =interface=bridge1 =disabled=no =comment="},
		{"in the safe order", []network.Change{
			one(radio, "wlan2", "ssid", "x", "z"), one(radio, "wlan1", "ssid", "perch\xe8 no", "y"), one(address, "10.38.0.1/24", "interface", "bridge1", "-"),
			one(address, "10.38.1.1/24", "interface", "-", "bridge1"), one(id, "", "name", `cortemilia "nord"`, "nord")},
			`:do { /system identity set name="cortemilia \22nord\22" } on-error={ :log error "crinale: change c1: not put back: identity" }
:do { /ip address remove [find address="10.38.1.1/24" interface="bridge1"] } on-error={ :log error "crinale: change c1: not put back: address 10.38.1.1/24" }
:do { /ip address add address="10.38.0.1/24" network="10.38.0.0" interface="bridge1" comment="gestione" disabled=no } on-error={ :log error "crinale: change c1: not put back: address 10.38.0.1/24" }
:do { /interface wireless set [find name="wlan1"] ssid="perch\E8 no" } on-error={ :log error "crinale: change c1: not put back: radio wlan1" }
:do { /interface wireless set [find name="wlan2"] ssid="x" } on-error={ :log error "crinale: change c1: not put back: radio wlan2" }
`,
			"/system/identity/set =name=nord\n/ip/address/add =address=10.38.1.1/24 =interface=bridge1\n/ip/address/remove =.id=*1\n" +
				"/interface/wireless/set =.id=*2 =ssid=y\n/interface/wireless/set =.id=*3 =ssid=z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := golden()
			todo, err := edits(h, tt.changes)
			if err != nil {
				t.Fatal(err)
			}
			if odd := unlike(h, tt.changes, func(c network.Change) []*string { return []*string{c.From} }); odd != nil {
				t.Errorf("not as the changes say: %q", odd)
			}
			script, err := undoScript("c1", todo)
			if err != nil || script != head+tt.undo+foot {
				t.Errorf("%v\n%s\nwant\n%s", err, script, head+tt.undo+foot)
			}
			var lines []string
			for _, s := range steps(todo) {
				lines = append(lines, s.command+" "+strings.Join(s.args, " "))
			}
			if got := strings.Join(lines, "\n"); got != tt.write {
				t.Errorf("writes\n%s\nwant\n%s", got, tt.write)
			}
		})
	}
}

// TestChangesThatMeanNothing are refused before the device is asked for more.
func TestChangesThatMeanNothing(t *testing.T) {
	id, radio, address := network.IdentitySection, network.RadioSection, network.AddressSection
	for _, tt := range []struct {
		kind    fault.Kind
		text    string
		changes []network.Change
	}{
		{fault.Invalid, "no changes are given", nil},
		{fault.Invalid, "is no setting", []network.Change{one("route", "", "gateway", "-", "10.0.0.1")}},
		{fault.Invalid, "identity ssid is no setting", []network.Change{one(id, "", "ssid", "-", "x")}},
		{fault.Invalid, "identity other name is no setting", []network.Change{one(id, "other", "name", "-", "x")}},
		{fault.Invalid, "a name of 1 to", []network.Change{one(id, "", "name", "-", "-")}},
		{fault.NotFound, "no radio wlan9: it has wlan1, wlan2, wifi1, wlan60-1", []network.Change{one(radio, "wlan9", "ssid", "-", "x")}},
		{fault.Invalid, "changed twice", []network.Change{one(radio, "wlan1", "ssid", "-", "x"), one(radio, "wlan1", "ssid", "-", "y")}},
		{fault.Invalid, "cannot be without", []network.Change{one(radio, "wlan1", "ssid", "x", "-")}},
		{fault.Invalid, "whole dBm", []network.Change{one(radio, "wlan1", "tx_power_dbm", "12", "2.5")}},
		{fault.Invalid, "give a value", []network.Change{one(radio, "wlan1", "freq_mhz", "5540", "")}},
		{fault.Refused, "cannot be 30 MHz wide", []network.Change{one(radio, "wlan1", "width_mhz", "40", "30")}},
		{fault.Refused, "cannot be 10 MHz wide", []network.Change{one(radio, "wifi1", "width_mhz", "80", "10")}},
		{fault.Refused, "2160 MHz wide", []network.Change{one(radio, "wlan60-1", "width_mhz", "2160", "1080")}},
		{fault.Refused, "radio wlan60-1: tx_power_dbm: radios of the driver w60g have no such setting", []network.Change{one(radio, "wlan60-1", "tx_power_dbm", "-", "5")}},
		{fault.Invalid, "a comment is given, but no interface", []network.Change{one(address, "10.9.9.9/24", "comment", "-", "x")}},
		{fault.Invalid, "give 1 to", []network.Change{one(address, "10.9.9.9/24", "interface", "-", "")}},
		{fault.Invalid, "2000 bytes are too long", []network.Change{one(radio, "wlan1", "comment", "-", strings.Repeat("x", 2000))}},
	} {
		if _, err := edits(golden(), tt.changes); fault.Of(err) != tt.kind || err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%v of kind %v, want %q of kind %v", err, fault.Of(err), tt.text, tt.kind)
		}
	}
	twice := golden()
	twice.address = addressItems([]row{
		{".id": "*1", "address": "10.38.0.1/24", "interface": "ether1", "disabled": "true"}, {".id": "*2", "address": "10.38.0.1/24", "interface": "bridge1", "disabled": "false"}})
	if _, err := edits(twice, []network.Change{one(address, "10.38.0.1/24", "interface", "bridge1", "ether1")}); fault.Of(err) != fault.Conflict {
		t.Error(err)
	}
	if v := twice.configured().Values[network.Key{Section: address, Name: "10.38.0.1/24", Field: "interface"}]; v != "bridge1" {
		t.Errorf("of two addresses the one in use is on %q", v)
	}
}

// TestScriptHasAnEnd: too many settings at once are refused with what to do.
func TestScriptHasAnEnd(t *testing.T) {
	h := &held{}
	var changes []network.Change
	var rows []row
	for n := range 200 {
		name := fmt.Sprint("wlan", n)
		rows = append(rows, row{".id": fmt.Sprintf("*%X", n), "name": name, "default-name": name, "ssid": strings.Repeat("\xff", 32)})
		changes = append(changes, one(network.RadioSection, name, "ssid", strings.Repeat("\xff", 32), "x"))
	}
	h.radios = radioItems(rows, "/interface/wireless", "wireless")
	todo, err := edits(h, changes)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := undoScript("c1", todo); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "16384 are the most") {
		t.Error(err)
	}
	if h.radios[2].name != "wlan2" || h.radios[10].name != "wlan10" {
		t.Errorf("order %s, %s", h.radios[2].name, h.radios[10].name)
	}
}

// TestDoneStepsAreNotRepeated: what is as wanted is left alone.
func TestDoneStepsAreNotRepeated(t *testing.T) {
	todo, err := edits(golden(), []network.Change{
		one(network.RadioSection, "wlan1", "freq_mhz", "5500", "5540"), one(network.RadioSection, "wlan1", "width_mhz", "20", "40"),
		one(network.AddressSection, "10.9.9.9/24", "interface", "bridge1", "-"), one(network.RadioSection, "wlan2", "ssid", "x", "x")})
	if err != nil || len(steps(todo)) != 0 {
		t.Errorf("%v %+v", err, steps(todo))
	}
}
