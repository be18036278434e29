package sim

import (
	"slices"
	"strconv"
	"time"
)

// Inject puts a fault in force and gives the name to clear it by.
func (f *Fleet) Inject(x Fault) (id string, err error) {
	x, err = f.check(x)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.inject(x), nil
}

// inject needs the lock and a checked fault.
func (f *Fleet) inject(x Fault) string {
	f.nextID++
	a := &active{Fault: x, id: "f" + strconv.Itoa(f.nextID), left: x.AfterWrites}
	if a.left > 0 {
		f.waiting = append(f.waiting, a)
		f.log.Info("fault waits", "fault", a.id, "kind", x.Kind, "device", x.Device, "link", x.Link, "writes", a.left)
		return a.id
	}
	f.begin(a)
	return a.id
}

// wrote tells the faults that wait for it that a device has answered a command
// that changes something.
func (d *device) wrote() {
	f := d.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return
	}
	var due []*active
	f.waiting = slices.DeleteFunc(f.waiting, func(a *active) bool {
		if l := f.byLink[a.Link]; a.Device != d.id && (l == nil || l.net.A != d.id && l.net.B != d.id) {
			return false
		}
		a.left--
		if a.left == 0 {
			due = append(due, a)
		}
		return a.left == 0
	})
	for _, a := range due {
		f.begin(a)
	}
}

// begin puts a fault in force. It needs the lock.
func (f *Fleet) begin(a *active) {
	x, now := a.Fault, time.Now()
	f.settleAll(now)
	a.since = now
	if x.ForS > 0 {
		wait := time.Duration(x.ForS * float64(time.Second))
		a.until = now.Add(wait)
		if !f.ended {
			a.timer = time.AfterFunc(wait, func() { f.Clear(a.id) })
		}
	}
	f.faults[a.id] = a
	f.rewire(x.Device)
	f.walked = time.Time{}
	if d := f.byID[x.Device]; d != nil {
		if !d.on() {
			d.powerOff()
		}
		switch {
		case x.Kind == Ethernet100:
			d.cut = now
		case x.Kind == DeafScheduler, x.Kind == Clock1970:
			d.reschedule(now)
		case kinds[x.Kind].wire > kinds[Slow].wire:
			// Who is connected notices too; the spoiled answers need an open
			// connection.
			if x.Kind == Off || x.Kind == Reboot || x.Kind == WrongPassword {
				d.hangUp(nil)
			}
		}
	}
	f.settleAll(now)
	f.log.Info("fault begins", "fault", a.id, "kind", x.Kind, "device", x.Device, "link", x.Link)
}
