package controller

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/network"
)

// outcome says what became of a change and what to do. next is the change that
// follows it by itself; nil: none.
func outcome(r ChangeRecord, next *ChangeRecord) string {
	which := func(states ...DeviceStep) string {
		var ids []network.DeviceID
		for _, d := range r.Devices {
			if slices.Contains(states, d.State) {
				ids = append(ids, d.Device)
			}
		}
		return listed(ids)
	}
	text := ""
	switch r.State {
	case ChangeConfirmed:
		return "Confirmed: the new settings stay."
	case ChangeUndone:
		text = "Undone: every device has its former settings."
	case ChangeFellBack:
		text = "Gone back: every device has its former settings; by itself went " + nonEmpty(which(StepFellBack), "none") + "."
		if back := which(StepReturning); back != "" {
			text = "Half confirmed: " + back + " had its new settings for good when another device had gone back, or did not answer any more."
		}
	case ChangeFailed:
		text = "It came to nothing: no device was changed."
		if lost, failed := which(StepLost), which(StepFailed); lost+failed != "" {
			text = "Look at these devices."
			if lost != "" {
				text += fmt.Sprintf(" %s: silent since the change, though the way back was to act by itself; look at the power and at the link.", lost)
			}
			for _, d := range r.Devices {
				if d.State == StepFailed {
					text += fmt.Sprintf(" %s: %s; see the differences, then apply again.", d.Device, d.Error)
				}
			}
		}
	}
	if r.Why != "" {
		text += " Cause: " + r.Why + "."
	}
	switch {
	case next != nil:
		text += fmt.Sprintf(" Change %s takes back what stayed, so that both ends of each link agree.", next.ID)
	case r.Repair > 0 && r.Cause != CauseNotNeeded && r.Cause != CauseAsked:
		text += " It was tried often enough: see the differences, and apply when all devices answer."
	case which(StepReturning) != "":
		text += " See the differences, and apply when all devices answer."
	}
	todo := advice(r.Cause)
	if r.Of != "" && r.Repair == 0 { // the files do not ask for it, so that applying does nothing
		todo = strings.NewReplacer("apply again", "revert "+r.Of+" again", "Apply again", "Revert "+r.Of+" again").Replace(todo)
	}
	return text + todo
}

func advice(c ChangeCause) string {
	switch c {
	case CauseUnconfirmed:
		return " Apply again and confirm within the hold, or give a longer one."
	case CauseNotVerified:
		return " Mend the cause or the files, then apply again."
	case CauseRefused:
		return " Do what the device asks for, then apply again."
	case CauseUnreachable, CauseInterrupted:
		return " Apply again when all devices answer."
	}
	return ""
}
