package controller

import (
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// DeviceSight is what one read of a device gave: an observation or an error.
type DeviceSight struct {
	At          time.Time
	Device      network.DeviceID
	Place       string              // site or seat, for people
	Partners    []network.PartnerID // of the links it carries
	Observation *network.Observation
	Err         error
}

// portDownToMbps is a rate no radio's cable should ever have: at 10 Mbps the
// cable is at fault even if nobody saw it faster.
const portDownToMbps = 10

func (s DeviceSight) judge(r Rules, st *State) []AlertEvent {
	evs := s.judgeReach(r, st)
	if s.Observation != nil {
		evs = append(evs, s.judgeUptime(st)...)
		evs = append(evs, s.judgeEthernet(r, st)...)
	}
	return append(evs, s.closeReboot(r, st)...)
}

func (s DeviceSight) judgeReach(r Rules, st *State) []AlertEvent {
	v := good
	if s.Observation == nil {
		v = bad
	}
	on := st.step(string(DeviceUnreachable), v, r.UnreachableHold, r.ClearHold)
	return st.settle(string(DeviceUnreachable), on, s.At, func() Alert {
		a := s.alert(DeviceUnreachable)
		a.Seen, a.ToDo = unreadWords(s.Device, s.Place, s.Err)
		if fault.Of(s.Err) == fault.Invalid { // a setting of ours: nobody asked the device
			a.Severity = Warning
		}
		return a
	})
}

// judgeUptime sees a reboot when the uptime went back. The time of the boot is
// not compared, since a step of our own clock would look like a reboot of
// every device.
func (s DeviceSight) judgeUptime(st *State) []AlertEvent {
	now, ok := s.Observation.Uptime.Get()
	if !ok {
		return nil
	}
	before, known := st.uptime.Get()
	st.uptime = s.Observation.Uptime
	if !known || now >= before {
		return nil
	}
	st.rebooted = s.At
	return st.settle(string(DeviceRebooted), true, s.At, func() Alert {
		a := s.alert(DeviceRebooted)
		a.Measured = Figure{"uptime_s", float64(now)}
		a.Expected = Figure{"uptime_s", float64(before)}
		a.Seen, a.ToDo = rebootWords(s.Device, s.Place, time.Duration(float64(now)*float64(time.Second)))
		return a
	})
}

func (s DeviceSight) closeReboot(r Rules, st *State) []AlertEvent {
	on := !st.rebooted.IsZero() && s.At.Sub(st.rebooted) < r.RebootShown
	if on {
		return nil
	}
	return st.settle(string(DeviceRebooted), false, s.At, nil)
}

// judgeEthernet compares the cable's rate with the best that this port ever
// had. A port that is not running gives no evidence.
func (s DeviceSight) judgeEthernet(r Rules, st *State) []AlertEvent {
	port, rate, ok := Cable(*s.Observation)
	if !ok {
		return nil
	}
	best, seen := st.ports[port]
	best = max(best, rate, portDownToMbps+1)
	if best > portDownToMbps+1 {
		put(&st.ports, port, best)
	}
	v := good
	if rate < best {
		v = bad
	}
	name := string(EthernetRenegotiated) + "/" + port
	on := st.step(name, v, r.EthernetHold, r.ClearHold)
	return st.settle(name, on, s.At, func() Alert {
		a := s.alert(EthernetRenegotiated)
		a.Port = port
		a.Measured = Figure{"ethernet_mbps", float64(rate)}
		if !seen {
			best = 100
		}
		a.Expected = Figure{"ethernet_mbps", float64(best)}
		a.Seen, a.ToDo = ethernetWords(s.Device, s.Place, port, rate, best)
		return a
	})
}

func (s DeviceSight) alert(k Kind) Alert {
	return Alert{Kind: k, Device: s.Device, Partners: append([]network.PartnerID{}, s.Partners...)}
}

// Cable is the port that the radio's cable is in, and its rate: the first
// running Ethernet port by name, in the natural order ether1, ether2, ether10.
// False when none runs or tells its rate.
func Cable(o network.Observation) (port string, rate unit.Mbps, ok bool) {
	for _, i := range o.Interfaces {
		v, known := i.Rate.Get()
		if i.Type != "ether" || i.Disabled || !i.Running || !known || v <= 0 {
			continue
		}
		if !ok || natural(i.Name, port) {
			port, rate, ok = i.Name, v, true
		}
	}
	return port, rate, ok
}

// natural orders names with shorter before longer, then by letter.
func natural(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}
