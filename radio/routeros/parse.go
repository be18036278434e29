package routeros

import (
	"strconv"
	"strings"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// This file is the one place that knows how RouterOS writes quantities. The
// same quantity comes in several dresses by version, driver and menu; what is
// not understood is unknown, never 0 and never an error.

// number splits a leading decimal number from what follows it, without the
// space between. No exponents, no hexadecimal.
func number(s string) (v float64, rest string, ok bool) {
	s = strings.TrimSpace(s)
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	digits, dot := 0, false
	for ; i < len(s); i++ {
		if s[i] >= '0' && s[i] <= '9' {
			digits++
		} else if s[i] == '.' && !dot {
			dot = true
		} else {
			break
		}
	}
	if digits == 0 || digits > 18 {
		return 0, "", false
	}
	v, err := strconv.ParseFloat(s[:i], 64)
	if err != nil {
		return 0, "", false
	}
	return v, strings.TrimLeft(s[i:], " "), true
}

// scalar reads a number that stands alone or with one of the suffixes.
func scalar(s string, suffixes ...string) (float64, bool) {
	v, rest, ok := number(s)
	if !ok {
		return 0, false
	}
	rest = strings.TrimSpace(rest)
	if rest == "" {
		return v, true
	}
	for _, x := range suffixes {
		if strings.EqualFold(rest, x) {
			return v, true
		}
	}
	return 0, false
}

// level reads a power: "-76", "-65dBm", "-62@1Mbps", "-65dBm@1Mbps",
// "-58@MCS7". What follows @ is the rate of the last frame.
func level(s string) unit.Opt[unit.DBm] {
	s, _, _ = strings.Cut(s, "@")
	if v, ok := scalar(s, "dBm"); ok && v >= -200 && v <= 100 {
		return unit.Some(unit.DBm(v))
	}
	return unit.Opt[unit.DBm]{}
}

// ratio reads decibels: "40", "43dB".
func ratio(s string) unit.Opt[unit.DB] {
	if v, ok := scalar(s, "dB"); ok && v >= -200 && v <= 200 {
		return unit.Some(unit.DB(v))
	}
	return unit.Opt[unit.DB]{}
}

// rate reads a rate: "65Mbps-20MHz/1S/SGI", "2.3Gbps", "150Mbps", "1G-baseT",
// and plain bit/s, as the wifi menus write it: "54000000".
func rate(s string) unit.Opt[unit.Mbps] {
	v, rest, ok := number(s)
	if !ok || v < 0 {
		return unit.Opt[unit.Mbps]{}
	}
	factor := 1e-6
	if rest != "" {
		switch rest[0] {
		case 'k', 'K':
			factor, rest = 1e-3, rest[1:]
		case 'M', 'm':
			factor, rest = 1, rest[1:]
		case 'G', 'g':
			factor, rest = 1e3, rest[1:]
		case 'T', 't':
			factor, rest = 1e6, rest[1:]
		}
		after := strings.ToLower(rest)
		if b, found := strings.CutPrefix(after, "bps"); found {
			if b != "" && !strings.ContainsRune("-/ ", rune(b[0])) {
				return unit.Opt[unit.Mbps]{}
			}
		} else if !strings.HasPrefix(after, "-base") {
			return unit.Opt[unit.Mbps]{}
		}
	}
	return unit.Some(unit.Mbps(v * factor))
}

// durations are the seconds of each unit a duration is written in.
var durations = map[string]float64{
	"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9,
}

// longestDuration is 100 years: no device counts longer.
const longestDuration = 36525 * 86400

// duration reads "1w4d23h26m9s", "4s750ms", "453us", "00:14:09" and
// "2d03:04:05". A plain number has no unit and is unknown, as is more than a
// hundred years.
func duration(s string) unit.Opt[network.Seconds] {
	var none unit.Opt[network.Seconds]
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 64 {
		return none
	}
	total := 0.0
	for s != "" {
		if strings.Contains(s, ":") && !strings.ContainsAny(s, "wdhms") {
			v, ok := clock(s)
			if total += v; !ok || total > longestDuration {
				return none
			}
			return unit.Some(network.Seconds(total))
		}
		v, rest, ok := number(s)
		if !ok || v < 0 || s[0] == '+' {
			return none
		}
		n := 0
		for n < len(rest) && rest[n] >= 'a' && rest[n] <= 'z' {
			n++
		}
		f, known := durations[rest[:n]]
		if !known {
			return none
		}
		if total += v * f; total > longestDuration {
			return none
		}
		s = rest[n:]
	}
	return unit.Some(network.Seconds(total))
}

// clock reads hh:mm:ss or mm:ss, seconds with a fraction or not.
func clock(s string) (float64, bool) {
	parts := strings.Split(s, ":")
	if len(parts) != 2 && len(parts) != 3 {
		return 0, false
	}
	total := 0.0
	for i, p := range parts {
		v, rest, ok := number(p)
		if !ok || rest != "" || v < 0 || (i > 0 && v >= 60) {
			return 0, false
		}
		total = total*60 + v
	}
	return total, true
}

// percent reads "76" and "5%". A connection quality may pass 100.
func percent(s string) unit.Opt[network.Percent] {
	if v, ok := scalar(s, "%"); ok && v >= 0 {
		return unit.Some(network.Percent(v))
	}
	return unit.Opt[network.Percent]{}
}

// distance reads "160.9m", "1.2km" and a plain number in the unit given: the
// wireless tables count kilometres.
func distance(s string, plain unit.Metres) unit.Opt[unit.Metres] {
	v, rest, ok := number(s)
	if !ok || v < 0 {
		return unit.Opt[unit.Metres]{}
	}
	switch strings.ToLower(strings.TrimSpace(rest)) {
	case "":
		return unit.Some(unit.Metres(v) * plain)
	case "m":
		return unit.Some(unit.Metres(v))
	case "km":
		return unit.Some(unit.Metres(v) * 1000)
	}
	return unit.Opt[unit.Metres]{}
}

// voltage reads "23.8", "23.8V" and tenths, "238": no board takes 100 V, so a
// whole number from there on is tenths.
func voltage(s string) unit.Opt[network.Volts] {
	v, ok := scalar(s, "V")
	if !ok || v < 0 {
		return unit.Opt[network.Volts]{}
	}
	if v >= 100 && !strings.Contains(s, ".") {
		v /= 10
	}
	if v >= 100 {
		return unit.Opt[network.Volts]{}
	}
	return unit.Some(network.Volts(v))
}

// celsius reads "46", "46C", "46.5" and tenths, "460": no board lives at
// 150 °C, so a whole number from there on is tenths.
func celsius(s string) unit.Opt[network.Celsius] {
	v, ok := scalar(s, "C", "°C")
	if !ok {
		return unit.Opt[network.Celsius]{}
	}
	if (v >= 150 || v <= -100) && !strings.Contains(s, ".") {
		v /= 10
	}
	if v >= 150 || v <= -100 {
		return unit.Opt[network.Celsius]{}
	}
	return unit.Some(network.Celsius(v))
}

// frequency reads "5220", "58320", "5220MHz" and "5.22GHz"; "auto" is unknown.
func frequency(s string) unit.Opt[unit.MHz] {
	if v, rest, ok := number(s); ok && v > 0 {
		switch strings.ToLower(strings.TrimSpace(rest)) {
		case "", "mhz":
			return unit.Some(unit.MHz(v))
		case "ghz":
			return unit.Some(unit.MHz(v * 1000))
		}
	}
	return unit.Opt[unit.MHz]{}
}

// yes reads a boolean; known is false for anything else.
func yes(s string) (v, known bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "yes":
		return true, true
	case "false", "no":
		return false, true
	}
	return false, false
}

// truth is yes without the doubt.
func truth(s string) bool {
	v, _ := yes(s)
	return v
}

// counter reads a whole number.
func counter(s string) (uint64, bool) {
	v, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	return v, err == nil
}

// pair reads two counters, "407,12995": sent first, then received.
func pair(s string) (tx, rx uint64, ok bool) {
	a, b, found := strings.Cut(s, ",")
	tx, okA := counter(a)
	rx, okB := counter(b)
	if !found || !okA || !okB {
		return 0, 0, false
	}
	return tx, rx, true
}

// count reads a small number, such as an MCS or how many clients there are.
func count(s string) unit.Opt[network.Count] {
	if v, ok := counter(s); ok && v < 1<<32 {
		return unit.Some(network.Count(v))
	}
	return unit.Opt[network.Count]{}
}

// hardware reads a MAC address: upper case with colons, "" if it is none.
func hardware(s string) string {
	var hex []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'F':
			hex = append(hex, c)
		case c >= 'a' && c <= 'f':
			hex = append(hex, c-'a'+'A')
		case c == ':' || c == '-' || c == '.' || c == ' ':
		default:
			return ""
		}
	}
	if len(hex) != 12 {
		return ""
	}
	out := make([]byte, 0, 17)
	for i := 0; i < 12; i += 2 {
		if i > 0 {
			out = append(out, ':')
		}
		out = append(out, hex[i], hex[i+1])
	}
	return string(out)
}

// list splits the values that a menu gives for several stations at once.
func list(s string) []string {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' })
}
