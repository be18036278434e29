package controller

import (
	"slices"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// leftBehind refuses a change of what both ends of a radio link share while the
// other end cannot be read: when its power is back it would call a network that
// is gone. An end that is known to have what the files want is waited for: the
// change may be what brings it back.
func leftBehind(s survey, in []network.DeviceID) error {
	for _, u := range s.Unread {
		for _, l := range radioLinks(s.net, u.Device) {
			o := other(l, u.Device)
			if !slices.Contains(in, o) {
				continue
			}
			for _, f := range together {
				if differs(s.Devices, o, f) && !hasAlready(s, u.Device, f) {
					return fault.New(fault.Named(u.Kind), "%s, at the other end of link %s, cannot be read, and another %s of %s would leave it behind: apply when it answers; if it is gone for good, take its address out of the files (%s)",
						u.Device, l.ID, f, o, u.Reason)
				}
			}
		}
	}
	return nil
}

// hasAlready says whether a device had, when it was last seen to agree with
// the files, what they want of a setting of its radio now.
func hasAlready(s survey, id network.DeviceID, field string) bool {
	for k, v := range s.agreed[id] {
		if k.Section == network.RadioSection && k.Field == field && v != nil {
			return Wanted(s.net, id, network.Configured{Radios: []string{k.Name}})[k] == *v
		}
	}
	return false
}
