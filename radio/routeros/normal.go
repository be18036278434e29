package routeros

import (
	"slices"
	"strconv"
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// This file knows which properties of a device a field is, and translates
// between their values and those of network.Configured.

// property is a property and its value, as the device writes them.
type property struct{ name, value string }

// propertiesOf are the raw properties that one field of a section stands for,
// by driver; the first has the value. none: the driver cannot set it.
func propertiesOf(section network.Section, driver, field string) []string {
	switch section {
	case network.IdentitySection:
		if field == network.FieldName {
			return []string{"name"}
		}
	case network.AddressSection:
		switch field {
		case network.FieldInterface:
			return []string{"interface", "disabled"}
		case network.FieldComment:
			return []string{"comment"}
		}
	case network.RadioSection:
		return radioProperties[driver][field]
	}
	return nil
}

var radioProperties = map[string]map[string][]string{
	"wireless": {
		network.FieldSSID: {"ssid"}, network.FieldFreq: {"frequency"}, network.FieldWidth: {"channel-width"},
		network.FieldTxPower: {"tx-power", "tx-power-mode"}, network.FieldComment: {"comment"},
	},
	"wifi": {
		network.FieldSSID: {"configuration.ssid"}, network.FieldFreq: {"channel.frequency"}, network.FieldWidth: {"channel.width"},
		network.FieldTxPower: {"configuration.tx-power"}, network.FieldComment: {"comment"},
	},
	"w60g": {network.FieldSSID: {"ssid"}, network.FieldFreq: {"frequency"}, network.FieldComment: {"comment"}},
}

// The channels of 60 GHz radios are this wide and no other (IEEE 802.11ad).
const width60 = "2160"

// fixedPower is the mode in which a radio of the old driver heeds its tx-power.
const fixedPower = "all-rates-fixed"

// normal is the value of a field in a row; ok is false where it is not set, or
// left to the device.
func normal(section network.Section, driver, field string, v row) (value string, ok bool) {
	if section == network.AddressSection && (v == nil || truth(v["disabled"])) {
		return "", false // a disabled address is not there
	}
	if driver == "w60g" && field == network.FieldWidth {
		return width60, true
	}
	names := propertiesOf(section, driver, field)
	if names == nil {
		return "", false
	}
	raw := v[names[0]]
	if raw == "" {
		return "", false
	}
	if section != network.RadioSection {
		return raw, true
	}
	switch field {
	case network.FieldFreq:
		if raw == "auto" {
			return "", false
		}
		if f, known := frequency(raw).Get(); known {
			return decimal(float64(f)), true
		}
	case network.FieldWidth:
		if w, known := widest(raw); known {
			return w, true
		}
	case network.FieldTxPower:
		if driver == "wireless" && v["tx-power-mode"] != fixedPower {
			return "", false
		}
		if p, known := level(raw).Get(); known {
			return decimal(float64(p)), true
		}
	}
	return raw, true // a list or a choice that has no plain value: as it is
}

// widest is the greatest width of "20/40/80mhz-Ceee".
func widest(s string) (string, bool) {
	base, ext, dashed := strings.Cut(s, "mhz")
	if !dashed || strings.Trim(ext, "-CeX") != "" {
		return "", false
	}
	base = base[strings.LastIndexByte(base, '/')+1:]
	w, err := strconv.ParseFloat(base, 64)
	if err != nil || w <= 0 || strings.Trim(base, "0123456789.") != "" {
		return "", false
	}
	return decimal(w), true
}

// decimal writes a number without needless zeros.
func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// widths are how the drivers write a width whose primary channel is the lowest.
var widths = map[string]map[string]string{
	"wireless": {"5": "5mhz", "10": "10mhz", "20": "20mhz", "40": "20/40mhz-Ce", "80": "20/40/80mhz-Ceee", "160": "20/40/80/160mhz-Ceeeeeee"},
	"wifi":     {"20": "20mhz", "40": "20/40mhz-Ce", "80": "20/40/80mhz", "160": "20/40/80/160mhz"},
}

// longestValue is the most bytes of a value that is written.
const longestValue = 1024

// dress turns the wanted value of a radio's field into what to set and what to
// unset; now is the row as it is.
func dress(driver, field string, now row, to *string) (set []property, unset []string, err error) {
	names := radioProperties[driver][field]
	if driver == "w60g" && field == network.FieldWidth {
		if to != nil && *to == width60 {
			return nil, nil, nil
		}
		return nil, nil, fault.New(fault.Refused, "%s: the channels of 60 GHz radios are %s MHz wide: give no other width", field, width60)
	}
	if names == nil {
		return nil, nil, fault.New(fault.Refused, "%s: radios of the driver %s have no such setting", field, driver)
	}
	if to == nil {
		switch {
		case field == network.FieldComment:
			return []property{{"comment", ""}}, nil, nil
		case driver == "wifi":
			return nil, names, nil
		case field == network.FieldFreq:
			return []property{{"frequency", "auto"}}, nil, nil
		case field == network.FieldTxPower:
			return []property{{"tx-power-mode", "default"}}, nil, nil
		}
		return nil, nil, fault.New(fault.Invalid, "%s: radios of the driver %s cannot be without: give a value", field, driver)
	}
	v := *to
	switch {
	case len(v) > longestValue:
		return nil, nil, fault.New(fault.Invalid, "%s: %d bytes are too long, %d are the most", field, len(v), longestValue)
	case v == "" && field != network.FieldComment:
		return nil, nil, fault.New(fault.Invalid, "%s: give a value", field)
	}
	switch field {
	case network.FieldWidth:
		if w, known := widest(now[names[0]]); known && w == v {
			v = now[names[0]] // its own way of writing it
		} else if w := widths[driver][v]; w != "" {
			v = w
		} else if _, err := strconv.ParseFloat(v, 64); err == nil {
			return nil, nil, fault.New(fault.Refused, "%s: radios of the driver %s cannot be %s MHz wide", field, driver, v)
		}
	case network.FieldTxPower:
		if _, err := strconv.Atoi(v); err != nil {
			return nil, nil, fault.New(fault.Invalid, "%s %q: radios take whole dBm", field, line(v))
		}
		if driver == "wireless" {
			return []property{{"tx-power-mode", fixedPower}, {"tx-power", v}}, nil, nil
		}
	}
	return []property{{names[0], v}}, nil, nil
}

// fieldsOf are the fields of a section in the order they are told.
func fieldsOf(s network.Section) []string {
	switch s {
	case network.IdentitySection:
		return []string{network.FieldName}
	case network.AddressSection:
		return []string{network.FieldInterface, network.FieldComment}
	case network.RadioSection:
		return []string{network.FieldSSID, network.FieldFreq, network.FieldWidth, network.FieldTxPower, network.FieldComment}
	}
	return nil
}

// natural orders names as people do: wlan2 before wlan10.
func natural(a, b string) int {
	for a != "" && b != "" {
		na, nb := leadingDigits(a), leadingDigits(b)
		if na > 0 && nb > 0 {
			x, y := strings.TrimLeft(a[:na], "0"), strings.TrimLeft(b[:nb], "0")
			if c := len(x) - len(y); c != 0 {
				return c
			}
			if c := strings.Compare(x, y); c != 0 {
				return c
			}
			a, b = a[na:], b[nb:]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func leadingDigits(s string) int {
	n := slices.IndexFunc([]byte(s), func(c byte) bool { return c < '0' || c > '9' })
	if n < 0 {
		return len(s)
	}
	return n
}
