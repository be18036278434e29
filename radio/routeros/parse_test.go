package routeros

import (
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/unit"
)

// at is the line of the caller, so that a failure points at its case.
func at() int {
	_, _, line, _ := runtime.Caller(1)
	return line
}

const none = math.MaxFloat64 // unknown

func flat[T ~float64](o unit.Opt[T]) float64 {
	if v, ok := o.Get(); ok {
		return float64(v)
	}
	return none
}

func TestUnits(t *testing.T) {
	level := func(s string) float64 { return flat(level(s)) }
	ratio := func(s string) float64 { return flat(ratio(s)) }
	rate := func(s string) float64 { return flat(rate(s)) }
	duration := func(s string) float64 { return flat(duration(s)) }
	percent := func(s string) float64 { return flat(percent(s)) }
	km := func(s string) float64 { return flat(distance(s, 1000)) }
	voltage := func(s string) float64 { return flat(voltage(s)) }
	celsius := func(s string) float64 { return flat(celsius(s)) }
	freq := func(s string) float64 { return flat(frequency(s)) }
	for _, c := range []struct {
		line int
		f    func(string) float64
		in   string
		want float64
	}{
		{at(), level, "-76", -76},
		{at(), level, "-62@1Mbps", -62},
		{at(), level, "-65dBm@1Mbps", -65},
		{at(), level, "-58@MCS7", -58},
		{at(), level, "-63.1", -63.1},
		{at(), level, "10dBm", 10},
		{at(), level, "", none},
		{at(), level, "-", none},
		{at(), level, "n/a", none},
		{at(), level, "-76x", none},
		{at(), level, "@1Mbps", none},
		{at(), level, "-9999", none},
		{at(), ratio, "40", 40},
		{at(), ratio, "43dB", 43},
		{at(), ratio, "43dBm", none},
		{at(), rate, "65Mbps-20MHz/1S", 65},
		{at(), rate, "144.4Mbps-20MHz/2S/SGI", 144.4},
		{at(), rate, "2.3Gbps", 2300},
		{at(), rate, "150Mbps", 150},
		{at(), rate, "10Gbps", 10000},
		{at(), rate, "27.8kbps", 0.0278},
		{at(), rate, "54000000", 54},
		{at(), rate, "0", 0},
		{at(), rate, "1G-baseT-full", 1000},
		{at(), rate, "2.3 Gbps", 2300},
		{at(), rate, "auto", none},
		{at(), rate, "-5Mbps", none},
		{at(), rate, "5Mb", none},
		{at(), rate, "", none},
		{at(), duration, "5217w", 5217 * 7 * 86400},
		{at(), duration, "5218w", none}, // more than a hundred years
		{at(), duration, "99999999999999999w", none},
		{at(), duration, "5217w99999d", none},
		{at(), duration, "99999999:00:00", none},
		{at(), duration, "1w4d23h26m9s", 1034769},
		{at(), duration, "4s750ms", 4.75},
		{at(), duration, "453us", 0.000453},
		{at(), duration, "170ms", 0.17},
		{at(), duration, "0ms", 0},
		{at(), duration, "2d03:04:05", 2*86400 + 3*3600 + 4*60 + 5},
		{at(), duration, "00:14:09", 849},
		{at(), duration, "17", none},
		{at(), duration, "never", none},
		{at(), duration, "", none},
		{at(), duration, "1x", none},
		{at(), duration, "-5s", none},
		{at(), percent, "76", 76},
		{at(), percent, "113", 113},
		{at(), percent, "5%", 5},
		{at(), percent, "-1", none},
		{at(), km, "2", 2000},
		{at(), km, "160.9m", 160.9},
		{at(), km, "1.2km", 1200},
		{at(), km, "far", none},
		{at(), voltage, "23.8", 23.8},
		{at(), voltage, "23.8V", 23.8},
		{at(), voltage, "238", 23.8},
		{at(), voltage, "24", 24},
		{at(), voltage, "9999", none},
		{at(), celsius, "46", 46},
		{at(), celsius, "46C", 46},
		{at(), celsius, "460", 46},
		{at(), celsius, "-5", -5},
		{at(), celsius, "?", none},
		{at(), freq, "5220", 5220},
		{at(), freq, "5220MHz", 5220},
		{at(), freq, "5.22GHz", 5220},
		{at(), freq, "auto", none},
		{at(), freq, "0", none},
	} {
		if have := c.f(c.in); math.Abs(have-c.want) > 1e-9*math.Max(1, math.Abs(c.want)) {
			t.Errorf("line %d: %q gives %v, want %v", c.line, c.in, have, c.want)
		}
	}
}

func TestChannels(t *testing.T) {
	for _, c := range []struct {
		line               int
		in                 string
		freq, width, power float64
	}{
		{at(), "5220/20/an", 5220, 20, none},
		{at(), "5825/20/ac(10dBm)", 5825, 20, 10},
		{at(), "5180/20-Ceee/ac/P(17dBm)", 5180, 80, 17},
		{at(), "5180/20-Ce/an/DP(27dBm)", 5180, 40, 27},
		{at(), "5500/ax/Ceee", 5500, 80, none},
		{at(), "5500/ax/eeeeCeee/D", 5500, 160, none},
		{at(), "5180/ac", 5180, 20, none},
		{at(), "5180/5/a", 5180, 5, none},
		{at(), "2412/n", 2412, 20, none},
		{at(), "5180", 5180, none, none},
		{at(), "", none, none, none},
		{at(), "auto", none, none, none},
		{at(), "/20/an", none, none, none},
	} {
		h := parseChannel(c.in)
		if flat(h.Freq) != c.freq || flat(h.Width) != c.width || flat(h.Power) != c.power {
			t.Errorf("line %d: %q gives %+v", c.line, c.in, h)
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		line     int
		in, want string
	}{
		{at(), "Mombarcaro", "Mombarcaro"},
		{at(), "perché", "perché"},
		{at(), "perch\xe9", "perché"}, // Windows-1252, as WinBox writes it
		{at(), "\x80 5 \x96 caff\xe8", "€ 5 – caffè"},
		{at(), "a\x81b", "a\uFFFDb"}, // not assigned there
		{at(), "a\nb\x00c\x1b", "a b c "},
		{at(), strings.Repeat("è", 200), strings.Repeat("è", 127)}, // cut between letters
	} {
		if have := text(c.in); have != c.want {
			t.Errorf("line %d: %q gives %q, want %q", c.line, c.in, have, c.want)
		}
	}
	for in, want := range map[string]string{
		"4c:5e:0c:0f:2b:3b": "4C:5E:0C:0F:2B:3B", "4C-5E-0C-0F-2B-3B": "4C:5E:0C:0F:2B:3B", "020000000001": "02:00:00:00:00:01",
		"4C:5E:0C:0F:2B": "", "bridge": "", "": "",
	} {
		if have := hardware(in); have != want {
			t.Errorf("hardware(%q) = %q, want %q", in, have, want)
		}
	}
	for in, want := range map[string][2]bool{"true": {true, true}, "yes": {true, true}, "false": {false, true}, "no": {false, true}, "": {}, "1": {}} {
		if v, known := yes(in); v != want[0] || known != want[1] {
			t.Errorf("yes(%q) = %v, %v", in, v, known)
		}
	}
	if tx, rx, ok := pair("407,12995"); tx != 407 || rx != 12995 || !ok {
		t.Error("pair", tx, rx, ok)
	}
	for _, s := range []string{"", "407", "a,b", "1,2,3", "-1,2", "99999999999999999999,1"} {
		if _, _, ok := pair(s); ok {
			t.Errorf("pair(%q) is known", s)
		}
	}
}
