package controller

import (
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// ChangeState is where a change is.
type ChangeState string

// A change goes down this list; from any of them before Confirming it can turn
// to Undoing. Confirmed, Undone, FellBack and Failed are its ends.
const (
	ChangePlanned    ChangeState = "planned"    // written down, nothing touched
	ChangeArming     ChangeState = "arming"     // the ways back go onto the devices
	ChangeArmed      ChangeState = "armed"      // every device has its way back
	ChangeWriting    ChangeState = "writing"    // the devices take their new settings
	ChangeWritten    ChangeState = "written"    // all were told
	ChangeVerifying  ChangeState = "verifying"  // do they answer, are the links back
	ChangeWaiting    ChangeState = "waiting"    // all is well; somebody has to confirm
	ChangeConfirming ChangeState = "confirming" // it is to stay; the ways back are taken away
	ChangeConfirmed  ChangeState = "confirmed"  // it stays
	ChangeUndoing    ChangeState = "undoing"    // it is not to stay; the devices go back
	ChangeUndone     ChangeState = "undone"     // every device was sent back
	ChangeFellBack   ChangeState = "fell-back"  // a device went back by itself, the others with it
	ChangeFailed     ChangeState = "failed"     // it came to nothing, or to something that must be looked at
)

// Ended says whether nothing more will happen.
func (s ChangeState) Ended() bool {
	switch s {
	case ChangeConfirmed, ChangeUndone, ChangeFellBack, ChangeFailed:
		return true
	}
	return false
}

// ChangeCause is why a change did not stay.
type ChangeCause string

const (
	CauseUnconfirmed ChangeCause = "unconfirmed"  // nobody confirmed it within the hold
	CauseNotVerified ChangeCause = "not-verified" // a device or a link did not come back as it should
	CauseRefused     ChangeCause = "refused"      // a device gave no way back, or said no to a setting
	CauseUnreachable ChangeCause = "unreachable"  // a device did not answer before anything was changed
	CauseAsked       ChangeCause = "asked"        // somebody reverted it
	CauseInterrupted ChangeCause = "interrupted"  // the program ended in the middle of it, or could not write its journal
	CauseNotNeeded   ChangeCause = "not-needed"   // a repair that found all devices on one side
	CauseTooLate     ChangeCause = "too-late"     // it was to stay, but a device had gone back before it was told
)

// Difference is one setting that is not what the files want.
type Difference struct {
	Key  network.Key    `json:"key"`
	Want *string        `json:"want"` // null: not set
	Have *string        `json:"have"` // null: not set
	Kind DifferenceKind `json:"kind"`
}

// Change is what makes the difference go.
func (d Difference) Change() network.Change {
	return network.Change{Key: d.Key, From: d.Have, To: d.Want}
}

// DifferenceKind says who moved.
type DifferenceKind string

const (
	FilesMoved   DifferenceKind = "wanted"  // the files were changed since device and files last agreed
	DeviceMoved  DifferenceKind = "drift"   // the device was changed, by hand or by a reset
	BothMoved    DifferenceKind = "both"    // both were
	UnknownMover DifferenceKind = "unknown" // they never agreed as far as is known
)

// DeviceDifferences are those of one device, in the order of the keys.
type DeviceDifferences struct {
	Device      network.DeviceID `json:"device"`
	Driver      string           `json:"driver"` // wireless, wifi, w60g or router
	Version     string           `json:"version"`
	Differences []Difference     `json:"differences"` // empty: it is as the files want it
}

// Unread is a device whose settings could not be read.
type Unread struct {
	Device network.DeviceID `json:"device"`
	Kind   string           `json:"kind"` // of the fault: unreachable, denied, invalid …
	Reason string           `json:"reason"`
}

// Differences is how the devices differ from the files.
type Differences struct {
	At      time.Time           `json:"at"`
	Devices []DeviceDifferences `json:"devices"`     // those that were read, in the order of the files
	Unread  []Unread            `json:"unreachable"` // those that could not be
	Digest  string              `json:"digest"`      // of what differs; give it to Apply, and nothing else is applied
}

// Count is the number of settings that differ.
func (d Differences) Count() int {
	n := 0
	for _, dev := range d.Devices {
		n += len(dev.Differences)
	}
	return n
}

// ApplyRequest asks for the devices to be made what the files want.
type ApplyRequest struct {
	Devices []network.DeviceID `json:"devices"` // none: all that differ and answer
	Hold    time.Duration      `json:"-"`       // until the devices go back by themselves; 0: the usual one
	Manual  bool               `json:"manual"`  // wait for Confirm, instead of confirming when all is well
	Digest  string             `json:"digest"`  // of the Differences that were shown; "": whatever differs now
}

// ChangeDevice is one device's part in a change.
type ChangeDevice struct {
	Device  network.DeviceID `json:"device"`
	State   DeviceStep       `json:"state"`
	Hops    int              `json:"hops"` // links and cables from the gateway; the farthest is written first
	Changes []network.Change `json:"changes"`
	WayBack *network.WayBack `json:"way_back"` // as it was armed; null: none
	ArmedAt *time.Time       `json:"armed_at"` // just before it was asked for; the hold runs from here
	Written bool             `json:"written"`  // it may have taken new settings
	Error   string           `json:"error"`    // what went wrong with it, "" when nothing
	Back    []network.Change `json:"back"`     // that a further change makes, so that all devices are on one side
}

// DeviceStep is where one device of a change is.
type DeviceStep string

const (
	StepPlanned    DeviceStep = "planned"
	StepArming     DeviceStep = "arming"
	StepArmed      DeviceStep = "armed"
	StepWriting    DeviceStep = "writing"
	StepWritten    DeviceStep = "written"
	StepConfirming DeviceStep = "confirming"
	StepConfirmed  DeviceStep = "confirmed" // has the new settings for good
	StepUndoing    DeviceStep = "undoing"
	StepUndone     DeviceStep = "undone"    // was sent back, and has its former settings
	StepFellBack   DeviceStep = "fell-back" // went back by itself
	StepUntouched  DeviceStep = "untouched" // was never changed
	StepReturning  DeviceStep = "returning" // had confirmed when another had gone back: a further change takes it back
	StepLost       DeviceStep = "lost"      // does not answer; by itself it went back
	StepFailed     DeviceStep = "failed"    // is neither as before nor as wanted
)

// ended says whether the device is out of the change.
func (s DeviceStep) ended() bool {
	switch s {
	case StepConfirmed, StepUndone, StepFellBack, StepUntouched, StepReturning, StepLost, StepFailed:
		return true
	}
	return false
}

// ChangeEvent is a line of a change's journal. A step that acts on a device is
// written down before it is done.
type ChangeEvent struct {
	Seq    int              `json:"seq"` // from 1
	At     time.Time        `json:"at"`
	Device network.DeviceID `json:"device"` // "": all of them
	Step   string           `json:"step"`
	Text   string           `json:"text"`
}

// LinkBefore is how a link at a changed device was before the change.
type LinkBefore struct {
	Link    network.LinkID     `json:"link"`
	UpA     bool               `json:"up_a"` // the peer was in the table of that end
	UpB     bool               `json:"up_b"`
	SignalA unit.Opt[unit.DBm] `json:"signal_a_dbm"`
	SignalB unit.Opt[unit.DBm] `json:"signal_b_dbm"`
	LeastA  unit.Opt[unit.DBm] `json:"least_a_dbm"` // below this after the change, it is not well
	LeastB  unit.Opt[unit.DBm] `json:"least_b_dbm"`
}

// ChangeRecord is one change with all that is known of it.
type ChangeRecord struct {
	ID      string         `json:"id"`
	State   ChangeState    `json:"state"`
	Cause   ChangeCause    `json:"cause"` // why it did not stay; "" while it may, and when it did
	Why     string         `json:"why"`   // the same in words
	Who     string         `json:"who"`   // account that asked for it
	Created time.Time      `json:"created"`
	Ended   *time.Time     `json:"ended"` // null: under way
	HoldS   float64        `json:"hold_s"`
	Manual  bool           `json:"manual"`
	Until   *time.Time     `json:"until"`  // the first device goes back by itself then; null: none is armed
	Of      string         `json:"of"`     // the change that this one takes back; "" for others
	Repair  int            `json:"repair"` // Of was half confirmed, and this is the n-th try to have all devices on one side; 0: no such change
	After   *time.Time     `json:"after"`  // a repair does not begin before; null: at once
	Devices []ChangeDevice `json:"devices"`
	Others  []ChangeDevice `json:"others"` // of a repair: devices that have what Changes want, or must have it when it ends
	Links   []LinkBefore   `json:"links"`
	Outcome string         `json:"outcome"` // what happened and what to do; "" while under way
	Events  []ChangeEvent  `json:"events"`  // empty in lists
}

// HistoryQuery asks for past and present changes, the newest first.
type HistoryQuery struct {
	Device network.DeviceID // "": of all devices
	Before string           // ID of a change: only those before it; "": from the newest
	Limit  int              // at most; 0: 50, never more than 500
}
