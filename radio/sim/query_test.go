package sim

import (
	"testing"
	"time"
)

func TestQueries(t *testing.T) {
	it := item{{".id", "*1"}, {"name", "wlan1"}, {"type", "wlan"}, {"disabled", "false"}, {"comment", ""}, {"signal", "-62@6Mbps"}, {"n", "9"}, {"uptime", "1d2h"}}
	cases := []struct {
		why  string
		q    []string
		want bool
	}{
		{"no query passes all", nil, true},
		{"has", []string{"?name"}, true},
		{"has not", []string{"?nope"}, false},
		{"lacks", []string{"?-nope"}, true},
		{"lacks what is there", []string{"?-name"}, false},
		{"equal", []string{"?name=wlan1"}, true},
		{"equal, long form", []string{"?=name=wlan1"}, true},
		{"not equal", []string{"?name=wlan2"}, false},
		{"equal to nothing", []string{"?comment="}, true},
		{"by id", []string{"?.id=*1"}, true},
		{"a boolean in any spelling", []string{"?disabled=no"}, true},
		{"a boolean that differs", []string{"?disabled=yes"}, false},
		{"less, as numbers", []string{"?<n=10"}, true},
		{"greater, as numbers", []string{"?>n=10"}, false},
		{"less, a level with its rate", []string{"?<signal=-60"}, true},
		{"greater, as durations", []string{"?>uptime=1d"}, true},
		{"greater, as bytes", []string{"?>name=wlan0"}, true},
		{"non-empty", []string{"?>name="}, true},
		{"non-empty, but it is", []string{"?>comment="}, false},
		{"less, of what is missing", []string{"?<nope=1"}, false},
		{"all must be true", []string{"?name=wlan1", "?type=ether"}, false},
		{"or", []string{"?type=ether", "?type=wlan", "?#|"}, true},
		{"or of two falses", []string{"?type=ether", "?type=vlan", "?#|"}, false},
		{"and", []string{"?type=wlan", "?name=wlan1", "?#&"}, true},
		{"not", []string{"?type=ether", "?#!"}, true},
		{"not, of a true", []string{"?type=wlan", "?#!"}, false},
		{"manual's example: ether or vlan", []string{"?type=ether", "?type=vlan", "?#|"}, false},
		{"several operations in one word", []string{"?type=ether", "?name=x", "?name=wlan1", "?#||"}, true},
		{"or over the bottom finds a true", []string{"?nope", "?#|"}, true},
		{"and over the bottom", []string{"?nope", "?#&"}, false},
		{"operations on an empty stack", []string{"?#&|"}, true},
		{"not of the bottom", []string{"?#!"}, false},
		{"copy of the top", []string{"?type=wlan", "?#."}, true},
		{"copy of a false, one negated", []string{"?type=ether", "?#.!"}, false},
		{"index pushes a copy", []string{"?type=wlan", "?nope", "?#1|"}, true},
		{"index with a dot pushes once", []string{"?type=wlan", "?nope", "?#1.|"}, true},
		{"index at the end replaces all", []string{"?type=wlan", "?nope", "?#1"}, true},
		{"index at the end replaces all by a false", []string{"?type=wlan", "?nope", "?#0"}, false},
		{"index below the stack is true", []string{"?nope", "?#7"}, true},
		{"index of many digits", []string{"?nope", "?#99999999999999999999999"}, true},
		{"false below a true still fails", []string{"?nope", "?name"}, false},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			if tr := checkQueries(c.q); tr != nil {
				t.Fatalf("refused: %s", tr.message)
			}
			if got := matches(it, c.q); got != c.want {
				t.Errorf("%v gives %v, want %v", c.q, got, c.want)
			}
		})
	}
	for _, q := range []string{"?", "?=", "?-", "?<", "?#x", "?# "} {
		if checkQueries([]string{q}) == nil {
			t.Errorf("query %q is taken", q)
		}
	}
}

func TestDurations(t *testing.T) {
	for s, want := range map[string]time.Duration{"4d15h19m47s": 4*24*time.Hour + 15*time.Hour + 19*time.Minute + 47*time.Second, "170ms": 170 * time.Millisecond,
		"453us": 453 * time.Microsecond, "1w4d": 11 * 24 * time.Hour, "00:01:30": 90 * time.Second, "1": time.Second, "0.2": 200 * time.Millisecond, "0s": 0} {
		got, ok := parseDuration(s)
		if !ok || got != want {
			t.Errorf("%q is %v %v, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "x", "1x", "-1s", "1m2", "9999999999999w", "1:2", "00:61:00", "NaN", "Inf"} {
		if d, ok := parseDuration(s); ok {
			t.Errorf("%q is taken for %v", s, d)
		}
	}
	for d, want := range map[time.Duration]string{0: "0s", 170 * time.Millisecond: "170ms", 90 * time.Second: "1m30s", 8 * 24 * time.Hour: "1w1d"} {
		if got := duration(d); got != want {
			t.Errorf("%v prints %q, want %q", d, got, want)
		}
	}
}

func TestVersions(t *testing.T) {
	for s, want := range map[string]version{"7.18.2 (stable)": {7, 18, 2}, "6.49": {6, 49, 0}, "7.19beta4 (testing)": {7, 19, 0}, "": {}, "x": {}, "-1.2": {}} {
		if got := parseVersion(s); got != want {
			t.Errorf("%q is %v, want %v", s, got, want)
		}
	}
	if !(version{6, 42, 12}).before(6, 43) || (version{7, 1, 0}).before(6, 43) || (version{7, 18, 0}).before(7, 18) {
		t.Error("order of versions")
	}
}
