package controller

import "time"

// ConfirmBy is the last moment at which a change can be confirmed: what is left
// of the hold then is for telling every device. false while none is armed.
func (r ChangeRecord) ConfirmBy() (time.Time, bool) {
	if r.Until == nil {
		return time.Time{}, false
	}
	return r.Until.Add(-ChangesConfig{}.margin(r.hold())), true
}
