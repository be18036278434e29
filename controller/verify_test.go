package controller

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

func TestUnverifiedSaysWhatIsWrong(t *testing.T) {
	n := fakeNet(moveBoth)
	level := func(v float64) unit.Opt[unit.DBm] { return unit.Some(unit.DBm(v)) }
	record := func() ChangeRecord {
		return ChangeRecord{
			Devices: []ChangeDevice{{Device: "near", Changes: []network.Change{aChange}}, {Device: "far", Changes: []network.Change{aChange}}},
			Links:   []LinkBefore{{Link: "up", UpA: true, UpB: true, SignalA: level(-60), SignalB: level(-61), LeastA: level(-66), LeastB: level(-67)}},
		}
	}
	well := func() look {
		has := func() configuration {
			return configuration{have: network.Configured{Radios: []string{"wlan1"}, Values: map[network.Key]string{fakeFreq: "5600"}}}
		}
		sees := func(id network.DeviceID, mac string, v float64) observation {
			return observation{obs: network.Observation{Device: id, At: time.Now(), Peers: []network.Peer{{Interface: "wlan1", MAC: mac, Signal: level(v)}}}}
		}
		return look{
			have: map[network.DeviceID]configuration{"near": has(), "far": has()},
			seen: map[network.DeviceID]observation{"near": sees("near", "02:00:00:00:00:02", -65), "far": sees("far", "02:00:00:00:00:01", -66)},
		}
	}
	alone := func(l *look, id network.DeviceID) { // its table of peers is empty
		o := l.seen[id]
		o.obs.Peers = nil
		l.seen[id] = o
	}
	for _, c := range []struct {
		name string
		edit func(r *ChangeRecord, l *look)
		want string // "": verified
	}{
		{"all is well", func(*ChangeRecord, *look) {}, ""},
		{"a device is silent", func(_ *ChangeRecord, l *look) { l.have["far"] = configuration{err: errors.New("no route")} }, "far does not answer: no route"},
		{"a value did not take", func(_ *ChangeRecord, l *look) { l.have["near"].have.Values[fakeFreq] = "5540" }, `near: radio wlan1 freq_mhz is "5540", not "5600"`},
		{"a value is gone", func(_ *ChangeRecord, l *look) { delete(l.have["near"].have.Values, fakeFreq) }, `freq_mhz is nothing, not "5600"`},
		{"the link is down", func(_ *ChangeRecord, l *look) { alone(l, "near"); alone(l, "far") }, "link up at near: down; link up at far: down"},
		{"the link was down before", func(r *ChangeRecord, l *look) {
			alone(l, "near")
			alone(l, "far")
			r.Links[0] = LinkBefore{Link: "up"}
		}, ""},
		{"one end was up before", func(r *ChangeRecord, l *look) {
			alone(l, "near")
			alone(l, "far")
			r.Links[0].UpA = false
		}, "link up at far: down"},
		{"the level is low at one end", func(r *ChangeRecord, l *look) { r.Links[0].LeastB = level(-65.5) }, "link up at far: up with -66.0 dBm, at least -65.5 dBm is expected"},
		{"the level is not known yet", func(_ *ChangeRecord, l *look) { l.seen["far"].obs.Peers[0].Signal = unit.Opt[unit.DBm]{} }, "its level is not known yet"},
		{"no level was known before", func(r *ChangeRecord, l *look) {
			l.seen["far"].obs.Peers[0].Signal = unit.Opt[unit.DBm]{}
			r.Links[0].LeastB = unit.Opt[unit.DBm]{}
		}, ""},
		{"the table cannot be read", func(_ *ChangeRecord, l *look) {
			o := l.seen["far"]
			o.obs.Peers, o.obs.Warnings = nil, []string{"registration-table: refused"}
			l.seen["far"] = o
		}, "link up at far: the table of its peers cannot be read"},
		{"it cannot be observed", func(_ *ChangeRecord, l *look) { l.seen["far"] = observation{err: errors.New("denied")} }, "link up at far: no answer: denied"},
		{"a link that is no longer in the files", func(r *ChangeRecord, l *look) { r.Links[0].Link = "gone"; alone(l, "near") }, ""},
		{"a repair asks nothing of links", func(r *ChangeRecord, l *look) {
			r.Repair = 1
			alone(l, "near")
		}, ""},
		{"a repair wants the others back", func(r *ChangeRecord, l *look) {
			r.Repair, r.Others, r.Devices = 1, r.Devices[1:], r.Devices[:1]
			l.have["far"] = configuration{err: errors.New("no route")}
		}, "far does not answer"},
	} {
		r, l := record(), well()
		c.edit(&r, &l)
		got := strings.Join(unverified(n, r, l), "; ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
