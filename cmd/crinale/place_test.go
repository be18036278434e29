package main

import (
	"strings"
	"testing"
)

func TestParsePlace(t *testing.T) {
	for _, c := range []struct {
		in       string
		lat, lon float64
		height   float64 // -1: unknown
		wrong    string
	}{
		{"44.4656,8.1137,15", 44.4656, 8.1137, 15, ""},
		{" -44.5, -8.1 ", -44.5, -8.1, -1, ""},
		{"44.5", 0, 0, 0, "is no place"},
		{"44,5,8,1", 0, 0, 0, "points as decimal marks"},
		{"north,8", 0, 0, 0, `"north" is no number`},
		{"144.5,8.1", 0, 0, 0, "latitude comes first"},
		{"NaN,8.1", 0, 0, 0, "latitude goes from"},
		{"44.5,8.1,-3", 0, 0, 0, "write 0 to 1000"},
		{"44.5,8.1,Inf", 0, 0, 0, "write 0 to 1000"},
	} {
		p, h, err := parsePlace(c.in)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) || exitCode(err) != exitUsage {
				t.Errorf("%q: got %v, want %q", c.in, err, c.wrong)
			}
			continue
		}
		if err != nil || p.Lat != c.lat || p.Lon != c.lon || float64(h.Or(-1)) != c.height {
			t.Errorf("%q: got %v %v, %v", c.in, p, h, err)
		}
	}
}
