package controller

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/crinale/crinale/internal/network"
)

// Devices keep bytes, not text; JSON keeps text. A value that is no UTF-8, such
// as an SSID typed in another code page, goes into the journal as asBytes and
// its base64, so that it comes out again byte for byte.
const asBytes = "\x00"

func freeze(s string) string {
	if utf8.ValidString(s) && !strings.HasPrefix(s, asBytes) {
		return s
	}
	return asBytes + base64.StdEncoding.EncodeToString([]byte(s))
}

func thaw(s string) string {
	rest, is := strings.CutPrefix(s, asBytes)
	if !is {
		return s
	}
	if b, err := base64.StdEncoding.DecodeString(rest); err == nil {
		return string(b)
	}
	return s
}

func eachValue(c network.Change, turn func(string) string) network.Change {
	c.Key.Name = turn(c.Key.Name)
	for _, v := range []**string{&c.From, &c.To} {
		if *v != nil {
			s := turn(**v)
			*v = &s
		}
	}
	return c
}

// turned is a record with every value of its devices turned.
func (r ChangeRecord) turned(turn func(string) string) ChangeRecord {
	r.Devices, r.Others = turnedDevices(r.Devices, turn), turnedDevices(r.Others, turn)
	return r
}

func turnedDevices(ds []ChangeDevice, turn func(string) string) []ChangeDevice {
	ds = slices.Clone(ds)
	for i := range ds {
		d := &ds[i]
		d.Changes = slices.Clone(d.Changes)
		for j, c := range d.Changes {
			d.Changes[j] = eachValue(c, turn)
		}
		if d.WayBack != nil {
			w := *d.WayBack
			w.Script = turn(w.Script)
			d.WayBack = &w
		}
	}
	return ds
}
