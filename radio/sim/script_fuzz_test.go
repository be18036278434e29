package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// FuzzScript runs any text on a device: it never panics, what can not be read
// changes nothing, and what it wrote is taken after a restart.
func FuzzScript(f *testing.F) {
	for _, s := range []string{
		`/interface wireless set [find default-name="wlan1"] ssid="\00\FF\"" frequency=5500`,
		"/ip address\nadd address=10.1.1.1/24 interface=bridge1\nremove [find address=\"10.1.1.1/24\"]",
		`:do { /system scheduler add name=x interval=1h on-event=y } on-error={ :log error "no" }; /system scheduler remove [find]`,
		`/system script add name=a source="/system script run a"; /system script run a`,
		`/user set [find] name=x password="\_"; /interface set numbers=wlan1,ether1 comment=a\` + "\n b",
		"set x", "/", "//", "[", "{", `"`, ":do", ":do{}", ":do {} on-error={}", "/interface set [/interface find] name=", `/system clock set time-zone-name="\"`, "a=b=c", "\\\n",
		`/interface comment wlan1 "x"; unset wlan1 value-name=comment`, "/log info x", "# only a comment",
	} {
		f.Add(s)
	}
	fleet := loaded(f, pairNetwork(), Config{})
	d := fleet.devices[0]
	f.Fuzz(func(t *testing.T, src string) {
		if strings.Contains(src, "delay") || strings.Contains(src, "reboot") {
			return
		}
		fleet.mu.Lock()
		before := d.config
		fleet.mu.Unlock()
		_, parsed := parseScript(src)
		err := newConsole(d, "fuzz", false, d.dies).source(src)
		if parsed != nil && (err == nil || d.config != before) {
			t.Fatalf("a script that can not be read was run: %v", parsed)
		}
		if err != nil && !strings.Contains(err.Error(), "(line ") {
			t.Fatalf("no line in %q", err)
		}
		fleet.mu.Lock()
		defer fleet.mu.Unlock()
		if !d.config.sound() {
			t.Fatal("the configuration would not be taken after a restart")
		}
		b, err := json.Marshal(d.config)
		if err != nil {
			t.Fatal(err)
		}
		var back config
		if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(back.Tables, d.config.Tables) {
			t.Fatalf("kept otherwise than it is: %v", err)
		}
		d.config = d.factory.clone() // each script finds the same device
		d.reschedule(d.boot)
	})
}

// TestUndoExactly: whatever was changed, a script of the old values gives back
// the old configuration, to the byte, and touches nothing else.
func TestUndoExactly(t *testing.T) {
	f := loaded(t, pairNetwork(), Config{})
	d := f.devices[0]
	r := rand.New(rand.NewPCG(1, 2))
	noise := func() string {
		b := make([]byte, 1+r.IntN(20))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return string(b)
	}
	hex := func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, "\\%02X", s[i])
		}
		return b.String()
	}
	for range 50 {
		at(t, d, fmt.Sprintf(`/interface wireless set wlan1 ssid="%s" comment="%s" frequency=%d tx-power-mode=all-rates-fixed tx-power=%d
/system identity set name="%s"
/ip address set [find] comment="%s"`, hex(noise()), hex(noise()), 5500+r.IntN(10)*10, r.IntN(20), hex(noise()), hex(noise())))
		want := dump(t, d.config)
		w, addr := d.config.port("wlan1"), d.config.table(addressTable).Rows[0]
		undo := fmt.Sprintf(`:do { /system identity set name="%s" } on-error={ :log error "identity" }
:do { /ip address set [find address="%s"] comment="%s" } on-error={ :log error "address" }
:do { /interface wireless set [find default-name="wlan1"] ssid="%s" comment="%s" frequency=%s channel-width=%s tx-power-mode=%s tx-power=%s } on-error={ :log error "radio" }`,
			hex(d.identity()), addr.get("address"), hex(addr.get("comment")), hex(w.get("ssid")), hex(w.get("comment")), w.get("frequency"), w.get("channel-width"), w.get("tx-power-mode"), w.get("tx-power"))
		at(t, d, `/interface wireless set wlan1 ssid=new comment=new frequency=5700 channel-width=20/40mhz-Ce tx-power=1; /system identity set name=new; /ip address set [find] comment=new`)
		if dump(t, d.config) == want {
			t.Fatal("nothing was changed")
		}
		at(t, d, undo)
		if got := dump(t, d.config); got != want {
			t.Fatalf("after %s\nthe configuration is\n%s\nwant\n%s", undo, got, want)
		}
	}
	for _, l := range d.lines {
		if l.topics == "script,error" {
			t.Errorf("log: %v", l)
		}
	}
}
