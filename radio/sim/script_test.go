package sim

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// at runs a script on a device as a technician at its console would.
func at(t testing.TB, d *device, src string) {
	t.Helper()
	if err := newConsole(d, "console", false, d.dies).source(src); err != nil {
		t.Fatalf("%s: %v", src, err)
	}
}

// logged is the device's log, and configOf a copy of its configuration.
func logged(d *device) []logLine {
	d.fleet.mu.Lock()
	defer d.fleet.mu.Unlock()
	return slices.Clone(d.lines)
}

func configOf(d *device) *config {
	d.fleet.mu.Lock()
	defer d.fleet.mu.Unlock()
	return d.config.clone()
}

// propOf is a configured property of an interface.
func propOf(d *device, port, name string) string {
	d.fleet.mu.Lock()
	defer d.fleet.mu.Unlock()
	return d.config.port(port).get(name)
}

// TestScript: each form of a command does what it says.
func TestScript(t *testing.T) {
	f := loaded(t, pairNetwork(), Config{})
	d := f.devices[0]
	for _, c := range []struct{ src, port, prop, want string }{
		{`/interface wireless set wlan1 ssid="a b"`, "wlan1", "ssid", "a b"},
		{`/interface/wireless/set wlan1 ssid=c`, "wlan1", "ssid", "c"},
		{`/interface/wireless set numbers=wlan1 ssid=c=d`, "wlan1", "ssid", "c=d"},
		{`/interface wireless set [find default-name=wlan1] frequency=5500 comment="mast; {north}"`, "wlan1", "comment", "mast; {north}"},
		{`/interface wireless set [ find where default-name="wlan1" and type=wlan ] ssid=no` + "\n" + `/interface set [find name=wlan1 type="wlan"] comment=x`, "wlan1", "ssid", "c=d"},
		{"/interface wireless\nset wlan1 ssid=e\nset [find] frequency=5520", "wlan1", "frequency", "5520"},
		{`/interface wireless { set wlan1 ssid=f }`, "", "", ""},
		{"# set wlan1 ssid=g\n/interface wireless set wlan1 \\\n    ssid=\"h\\\n    i\"", "wlan1", "ssid", "hi"},
		{`/interface disable ether1; /interface wireless disable "wlan1"`, "wlan1", "disabled", "true"},
		{`/interface enable [find disabled=yes]`, "wlan1", "disabled", "false"},
		{`/interface wireless unset wlan1 comment`, "wlan1", "comment", ""},
		{`/interface comment wlan1 "per \"me\""`, "wlan1", "comment", `per "me"`},
		{`/interface wireless set wlan1 comment=""`, "wlan1", "comment", ""},
		{`/interface wireless set [find name=nothing] ssid=z`, "wlan1", "ssid", "hi"},
		{`:do { /interface wireless set wlan1 frequency=1 } on-error={ :log warning "no"; /interface set wlan1 comment=caught }`, "wlan1", "comment", "caught"},
		{`:do { :do { :error "x" } ; /interface set wlan1 comment=not } on-error={ :log info message="outer" }`, "wlan1", "comment", "caught"},
		{":log info \"\\41\\_\\24\\\\\";:delay 0s", "wlan1", "comment", "caught"},
	} {
		err := newConsole(d, "console", false, d.dies).source(c.src)
		if c.port == "" {
			if err == nil {
				t.Errorf("%s: taken", c.src)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
		} else if got := propOf(d, c.port, c.prop); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.src, c.prop, got, c.want)
		}
	}
	var said []string
	for _, l := range logged(d) {
		if strings.HasPrefix(l.topics, "script,") {
			said = append(said, l.topics+" "+l.message)
		}
	}
	if got := strings.Join(said, "; "); got != `script,warning no; script,info outer; script,info A $\` {
		t.Errorf("log: %s", got)
	}
}

// TestScriptErrors: a wrong script is refused with its line, and nothing after
// the wrong command runs.
func TestScriptErrors(t *testing.T) {
	f := loaded(t, pairNetwork(), Config{})
	d := f.devices[0]
	for _, c := range []struct{ src, want string }{
		{"/interface set wlan1 comment=done\n/interface wireless set wlan1 ssid=\"x", `expected closing quote of " (line 2)`},
		{"\n:do {\n/interface", "expected closing brace of { (line 2)"},
		{"}", "} without {"},
		{`/interface set [find`, "expected closing bracket"},
		{`/interface set wlan1 comment=$x`, "variables are not simulated (line 1)"},
		{`/interface set wlan1 comment="$x"`, "variables are not simulated"},
		{`/interface set wlan1 comment=(1 + 2)`, "expressions are not simulated"},
		{`/interface set wlan1 comment="\q"`, `unknown escape \q`},
		{`/interface set wlan1 comment="\af"`, ""}, // \a and f
		{`/interface set wlan1 comment="\aF"`, ""},
		{`/interface nothing`, "bad command name nothing (line 1)"},
		{`:foreach`, "bad command name foreach"},
		{`/interface wireless set wlan9 ssid=x`, "no such item (4) (line 1)"},
		{"\n\n/interface wireless set wlan1 frequency=1", "input does not match any value of frequency (line 3)"},
		{`/interface wireless set [find name=none] colour=red`, "unknown parameter colour"},
		{`/interface wireless set ssid=x`, "missing value(s) of argument(s) .id"},
		{`/interface wireless set wlan1 wlan1 ssid=x`, "expected end of command"},
		{`/interface wireless add name=x`, "no such command"},
		{`/interface wireless print`, "bad command name print"},
		{`:delay soon`, "invalid time value soon"},
		{`:do { /interface } or-error={ }`, "expected end of command"},
		{`:error "by intent"`, "by intent (line 1)"},
		{strings.Repeat(":do {", maxNesting+2) + strings.Repeat("}", maxNesting+2), "too many nested blocks"},
		{strings.Repeat(":log info x;", maxCommands+1), "too many commands"},
		{strings.Repeat(" ", maxSource+1), "too long"},
	} {
		at(t, d, `/interface set wlan1 comment=before`)
		err := newConsole(d, "console", false, d.dies).source(c.src + "\n/interface set wlan1 comment=after")
		if c.want == "" {
			if err != nil {
				t.Errorf("%.60s: %v", c.src, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60s: %v, want %s", c.src, err, c.want)
		}
		if got := propOf(d, "wlan1", "comment"); got != "before" {
			t.Errorf("%.60s: comment is %q", c.src, got)
		}
	}
	if err := newConsole(d, "reader", true, d.dies).source(`/interface set wlan1 comment=x`); err == nil || !strings.Contains(err.Error(), "not enough permissions (9)") {
		t.Errorf("without the right to write: %v", err)
	}
}

// dump is a configuration as it is kept, for comparing.
func dump(t testing.TB, c *config) string {
	t.Helper()
	b, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
