package controller

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/network"
)

// sight is what one look at a device tells of its part in a change.
type sight struct {
	err   error            // it did not answer
	armed bool             // it still holds its way back
	new   []network.Change // that are in force
	other []string         // settings that are neither as before nor as wanted
}

// sightOf reads a look at a device. The ways back were read before the
// settings, so that settings without a way back are those that stay.
func sightOf(d ChangeDevice, id string, back []network.WayBack, have network.Configured) sight {
	s := sight{armed: slices.ContainsFunc(back, func(w network.WayBack) bool { return w.ID == id })}
	for _, c := range d.Changes {
		switch h := value(have.Values, c.Key); {
		case same(h, c.To):
			s.new = append(s.new, c)
		case !same(h, c.From):
			s.other = append(s.other, fmt.Sprintf("%s is %s", c.Key, shown(h)))
		}
	}
	return s
}

// clock is when it is, as far as a change is concerned.
type clock struct {
	now   time.Time
	until time.Time     // when the first device goes back by itself; zero: none was armed
	grace time.Duration // after until, before a device that should have gone back is looked into
	lost  time.Duration // after until, before a silent one is given up
}

func (c clock) over() bool { return c.now.After(c.until.Add(c.grace)) }
func (c clock) dead() bool { return c.now.After(c.until.Add(c.lost)) }

// end is how a device leaves a change.
type end struct {
	device network.DeviceID
	state  DeviceStep
	text   string           // what is wrong with it
	back   []network.Change // that a further change must make, so that all are on one side
}

var endWords = map[DeviceStep]string{
	StepConfirmed: "keeps its new settings", StepUndone: "has its former settings again", StepFellBack: "went back by itself",
	StepUntouched: "was not changed", StepReturning: "has its new settings for good; a further change takes them back",
	StepLost: "is given up", StepFailed: "must be looked at",
}

// said is the end in words.
func (e end) said() string {
	if e.text == "" {
		return endWords[e.state]
	}
	return endWords[e.state] + ": " + e.text
}

// decision is what to do next about a change whose devices are being confirmed
// or are going back.
type decision struct {
	turn string               // why a change that was to stay goes back after all; "": it does not
	ends []end                // devices that are where they will stay
	step DeviceStep           // what is to be done to the devices in act: StepConfirming or StepUndoing
	act  [][]network.DeviceID // in this order, those of a row together
}

// decide says what comes next, from the journal and from what the devices say.
// It is pure.
//
// A change that is to stay (ChangeConfirming) is confirmed on every device that
// still holds its way back, the nearest first and none beyond one that does not
// answer, so that a device on the new side is never beyond one that went back.
// When a device went back before that, all go back. A change that goes back is undone on every device that still holds
// its way back, the farthest first; when nobody confirmed it, that is left to
// the devices until their hold is over.
func decide(r ChangeRecord, sights map[network.DeviceID]sight, c clock) decision {
	if r.State == ChangeConfirming {
		return decideForward(r, sights, c)
	}
	return decideBack(r, sights, c)
}

func decideForward(r ChangeRecord, sights map[network.DeviceID]sight, c clock) decision {
	d := decision{step: StepConfirming}
	var armed []ChangeDevice
	var gone []string
	reach := math.MaxInt // hops of the nearest that does not answer
	for _, dev := range r.Devices {
		s, looked := sights[dev.Device]
		switch {
		case dev.State.ended():
		case !looked || s.err != nil:
			reach = min(reach, dev.Hops)
			if c.over() {
				gone = append(gone, fmt.Sprintf("%s does not answer since its hold is over", dev.Device))
			}
		case s.armed:
			armed = append(armed, dev)
		case len(s.new) == len(dev.Changes):
			d.ends = append(d.ends, end{device: dev.Device, state: StepConfirmed})
		case len(s.other) > 0:
			gone = append(gone, fmt.Sprintf("%s was changed by hand: %s", dev.Device, strings.Join(s.other, "; ")))
		default:
			gone = append(gone, fmt.Sprintf("%s had gone back by itself", dev.Device))
		}
	}
	if len(gone) > 0 {
		return decision{turn: strings.Join(gone, "; ")}
	}
	armed = slices.DeleteFunc(armed, func(dev ChangeDevice) bool { return dev.Hops > reach })
	d.act = layers(armed, false)
	return d
}

func decideBack(r ChangeRecord, sights map[network.DeviceID]sight, c clock) decision {
	d := decision{step: StepUndoing}
	var armed []ChangeDevice
	stayed := slices.ContainsFunc(r.Devices, func(dev ChangeDevice) bool {
		s, looked := sights[dev.Device]
		return dev.State == StepReturning || looked && s.err == nil && !s.armed && dev.Written && len(s.new) > 0
	})
	for _, dev := range r.Devices {
		s, looked := sights[dev.Device]
		switch {
		case dev.State == StepPlanned:
			d.ends = append(d.ends, end{device: dev.Device, state: StepUntouched})
		case dev.State.ended() && dev.State != StepConfirmed:
		case !looked || s.err != nil:
			if e, ok := givenUp(dev, s.err, c, stayed); ok {
				d.ends = append(d.ends, e)
			}
		case !s.armed:
			d.ends = append(d.ends, landed(dev, s))
		case c.dead():
			d.ends = append(d.ends, end{device: dev.Device, state: StepFailed, text: "it still holds its way back, and does not go back when told: see its log, and that its account may run scripts"})
		case r.Cause != CauseUnconfirmed || c.over():
			armed = append(armed, dev)
		}
	}
	d.act = layers(armed, true)
	return d
}

// givenUp is the end of a device that does not answer. Where another stayed on
// the new side, that may be why: it is not waited for any longer than its hold,
// so that the other is taken back.
func givenUp(d ChangeDevice, err error, c clock, stayed bool) (end, bool) {
	why := "it does not answer"
	if err != nil {
		why += ": " + err.Error()
	}
	switch {
	case !d.Written && c.over(): // what it may hold puts back what it has
		return end{device: d.Device, state: StepUntouched, text: why}, true
	case c.dead() || stayed && c.over():
		return end{device: d.Device, state: StepLost, text: why}, true
	}
	return end{}, false
}

// landed is the end of a device that holds no way back any more.
func landed(d ChangeDevice, s sight) end {
	e := end{device: d.Device, state: StepFellBack}
	switch {
	case !d.Written:
		e.state = StepUntouched
		return e
	case d.State == StepUndoing:
		e.state = StepUndone
	}
	for _, c := range s.new {
		e.back = append(e.back, c.Reverse())
	}
	switch {
	case len(s.other) > 0:
		e.state, e.text = StepFailed, strings.Join(s.other, "; ")+": neither as before nor as wanted, so changed by hand meanwhile"
	case len(e.back) > 0:
		e.state = StepReturning
	}
	return e
}

// ending is the state of a change of which every device has its end.
func ending(r ChangeRecord) ChangeState {
	has := func(s DeviceStep) bool {
		return slices.ContainsFunc(r.Devices, func(d ChangeDevice) bool { return d.State == s })
	}
	switch {
	case r.State == ChangeConfirming:
		return ChangeConfirmed
	case has(StepFailed):
		return ChangeFailed
	case has(StepReturning):
		return ChangeFellBack
	case has(StepLost):
		return ChangeFailed
	case has(StepFellBack):
		return ChangeFellBack
	case has(StepUndone) || r.Cause == CauseAsked:
		return ChangeUndone
	}
	return ChangeFailed
}
