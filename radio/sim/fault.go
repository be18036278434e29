package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// Kind of fault.
type Kind string

// The faults that can be commanded.
const (
	Off            Kind = "off"              // no power (device), or nothing gets through (link)
	Reboot         Kind = "reboot"           // off for a while, then up with a new uptime
	Silent         Kind = "silent"           // accepts, and never answers
	Slow           Kind = "slow"             // every answer comes late
	Garbage        Kind = "garbage"          // answers random bytes
	HugeLength     Kind = "huge-length"      // announces a word of 512 MiB
	CutMidSentence Kind = "cut-mid-sentence" // hangs up in the middle of an answer
	WrongPassword  Kind = "wrong-password"   // refuses every login
	Ethernet100    Kind = "ethernet-100"     // the cable negotiated 100 Mbps
	Attenuate      Kind = "attenuate"        // db less received at both ends
	Interference   Kind = "interference"     // noise floor db higher
	ChainLoss      Kind = "chain-loss"       // second receive chain db lower

	RefuseScheduler Kind = "refuse-scheduler" // its device-mode allows no scheduler entries
	DeafScheduler   Kind = "deaf-scheduler"   // takes scheduler entries, and never runs them
	Clock1970       Kind = "clock-1970"       // does not know the time: its clock begins with 1970 at each boot
)

// scope is what a kind of fault may hit and needs.
type scope struct {
	device, link bool
	db           bool // needs db
	wire         int  // bends the connection; the greatest wins
}

var kinds = map[Kind]scope{
	Off:            {device: true, link: true, wire: 9},
	Reboot:         {device: true, wire: 8},
	Silent:         {device: true, wire: 7},
	HugeLength:     {device: true, wire: 6},
	Garbage:        {device: true, wire: 5},
	CutMidSentence: {device: true, wire: 4},
	WrongPassword:  {device: true, wire: 3},
	Slow:           {device: true, wire: 2},
	Ethernet100:    {device: true},
	Attenuate:      {device: true, link: true, db: true},
	Interference:   {device: true, db: true},
	ChainLoss:      {device: true, db: true},

	RefuseScheduler: {device: true},
	DeafScheduler:   {device: true},
	Clock1970:       {device: true},
}

// Kinds lists the faults there are.
func Kinds() []Kind { return slices.Sorted(maps.Keys(kinds)) }

// Fault is something that goes wrong. One of Device and Link is set.
type Fault struct {
	Device  network.DeviceID `json:"device,omitempty"`
	Link    network.LinkID   `json:"link,omitempty"`
	Kind    Kind             `json:"kind"`
	DB      unit.DB          `json:"db,omitempty"`       // attenuate, interference, chain-loss
	DelayMS int              `json:"delay_ms,omitempty"` // slow; 0: 2000
	ForS    float64          `json:"for_s,omitempty"`    // 0: until cleared; a reboot takes 30 s
	// AfterWrites is how many more commands that change something the device, or
	// either end of the link, gets and answers before the fault takes force.
	AfterWrites int `json:"after_writes,omitempty"` // 0: at once
}

// active is a fault that is in force. Its Fault never changes.
type active struct {
	Fault
	id    string
	left  int // writing commands until it takes force
	since time.Time
	until time.Time // zero: until cleared
	timer *time.Timer
}

func (a *active) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}

func (a *active) delay() time.Duration { return time.Duration(a.DelayMS) * time.Millisecond }

// hits says whether a fault of the air is on a link.
func (a *active) hits(l *link) bool {
	return a.Link == l.net.ID || a.Device != "" && (a.Device == l.net.A || a.Device == l.net.B)
}

// has says whether such a fault is in force. It needs the lock.
func (f *Fleet) has(what func(*active) bool) bool {
	for _, a := range f.faults {
		if what(a) {
			return true
		}
	}
	return false
}

// Bounds of what a fault may ask.
const (
	maxDB    = 200
	maxFor   = 30 * 24 * 3600
	maxDelay = 10 * 60 * 1000
	maxAfter = 1000000
)

// check fills defaults in and refuses what makes no sense.
func (f *Fleet) check(x Fault) (Fault, error) {
	k, ok := kinds[x.Kind]
	if !ok {
		names := make([]string, 0, len(kinds))
		for _, k := range Kinds() {
			names = append(names, string(k))
		}
		return x, fault.New(fault.Invalid, "fault kind %q is not known: use one of %s", x.Kind, strings.Join(names, ", "))
	}
	switch {
	case (x.Device == "") == (x.Link == ""):
		return x, fault.New(fault.Invalid, "fault %s: name a device or a link, one of the two", x.Kind)
	case x.Device != "" && !k.device, x.Link != "" && !k.link:
		return x, fault.New(fault.Invalid, "fault %s: it is a fault of a device, not of a link", x.Kind)
	case x.Device != "" && f.byID[x.Device] == nil:
		return x, fault.New(fault.NotFound, "fault %s: no device %q in the fleet", x.Kind, x.Device)
	case x.Link != "" && f.byLink[x.Link] == nil:
		return x, fault.New(fault.NotFound, "fault %s: no link %q in the fleet", x.Kind, x.Link)
	case x.Kind == Attenuate && x.Link != "" && f.byLink[x.Link].net.Medium != network.Radio:
		return x, fault.New(fault.Invalid, "fault %s: link %s is not a radio link", x.Kind, x.Link)
	case k.db && !(x.DB > 0 && x.DB <= maxDB):
		return x, fault.New(fault.Invalid, "fault %s: db must be over 0 and at most %d, not %v", x.Kind, maxDB, float64(x.DB))
	case !k.db && x.DB != 0:
		return x, fault.New(fault.Invalid, "fault %s takes no db", x.Kind)
	case x.Kind != Slow && x.DelayMS != 0:
		return x, fault.New(fault.Invalid, "fault %s takes no delay_ms", x.Kind)
	case x.DelayMS < 0 || x.DelayMS > maxDelay:
		return x, fault.New(fault.Invalid, "fault %s: delay_ms must be 1 to %d, not %d", x.Kind, maxDelay, x.DelayMS)
	case !(x.ForS >= 0 && x.ForS <= maxFor):
		return x, fault.New(fault.Invalid, "fault %s: for_s must be 0 (until cleared) to %d, not %v", x.Kind, maxFor, x.ForS)
	case x.AfterWrites < 0 || x.AfterWrites > maxAfter:
		return x, fault.New(fault.Invalid, "fault %s: after_writes must be 0 (at once) to %d, not %d", x.Kind, maxAfter, x.AfterWrites)
	}
	if x.Kind == Slow && x.DelayMS == 0 {
		x.DelayMS = 2000
	}
	if x.Kind == Reboot && x.ForS == 0 {
		x.ForS = 30
	}
	return x, nil
}

// Clear ends a fault, or one that waits.
func (f *Fleet) Clear(id string) error {
	a, save := f.clear(id)
	if a == nil {
		return fault.New(fault.NotFound, "there is no fault %q", id)
	}
	f.log.Info("fault ends", "fault", a.id, "kind", a.Kind, "device", a.Device, "link", a.Link)
	if save {
		defer f.sessions.Done()
		if err := f.announce(); err != nil {
			f.log.Error("boot time not kept", "device", a.Device, "err", err)
		}
	}
	return nil
}

// clear takes a fault out of force; nil where there is none. Where a device
// booted, its new boot time is to be saved, and Run waits for that.
func (f *Fleet) clear(id string) (a *active, save bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a = f.faults[id]
	if a == nil {
		if i := slices.IndexFunc(f.waiting, func(a *active) bool { return a.id == id }); i >= 0 {
			a = f.waiting[i]
			f.waiting = slices.Delete(f.waiting, i, i+1)
		}
		return a, false
	}
	now := time.Now()
	f.settleAll(now)
	a.stop()
	delete(f.faults, id)
	f.rewire(a.Device)
	f.walked = time.Time{}
	if d := f.byID[a.Device]; d != nil {
		switch a.Kind {
		case Reboot, Off:
			f.booted(d, now)
			if save = f.running && !f.ended; save {
				f.sessions.Add(1)
			}
		case Ethernet100:
			d.cut = now
		case DeafScheduler, Clock1970:
			d.reschedule(now)
		}
		d.hangUp(func(s *session) bool { return s.out.tainted.Load() })
	}
	f.settleAll(now)
	return a, save
}

// booted starts a device's counters and uptime anew.
func (f *Fleet) booted(d *device, now time.Time) {
	d.boot = now
	d.cut = time.Time{}
	d.lines, d.scriptRuns = nil, map[int]runs{}
	d.noteLocked("system,info", "router rebooted")
	d.powerOn(now)
	m := f.memory.Devices[d.id]
	m.Boot = now
	if f.memory.Devices != nil {
		f.memory.Devices[d.id] = m
	}
	for _, e := range d.ends {
		e.tx, e.rx, e.downs = 0, 0, 0
		e.wentOff = time.Time{}
	}
}

// rewire finds the fault that bends a device's connections: the strongest.
func (f *Fleet) rewire(id network.DeviceID) {
	d := f.byID[id]
	if d == nil {
		return
	}
	var best *active
	for _, a := range f.faults {
		if w := kinds[a.Kind].wire; a.Device == id && w > 0 && (best == nil || w > kinds[best.Kind].wire) {
			best = a
		}
	}
	d.wire.Store(best)
}

func (f *Fleet) settleAll(now time.Time) {
	for _, l := range f.links {
		l.settle(now)
	}
}

// MaxRain is the greatest rain rate the weather takes, mm/h.
const MaxRain = 300

// SetWeather changes the weather over the whole fleet.
func (f *Fleet) SetWeather(w Weather) error {
	if !(w.RainMMH >= 0 && w.RainMMH <= MaxRain) {
		return fault.As(fault.Invalid, fmt.Errorf("weather: rain_mm_h must be 0 to %d, not %v", MaxRain, w.RainMMH))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	f.settleAll(now)
	f.weather = w
	f.settleAll(now)
	return nil
}
