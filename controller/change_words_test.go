package controller

import (
	"strings"
	"testing"
)

// To apply again does not take back what the files want.
func TestARevertThatCameToNothingIsRevertedAgain(t *testing.T) {
	for _, c := range []ChangeCause{CauseUnconfirmed, CauseNotVerified, CauseUnreachable} {
		text := outcome(ChangeRecord{State: ChangeFellBack, Cause: c, Of: "c1"}, nil)
		if !strings.Contains(strings.ToLower(text), "revert c1 again") || strings.Contains(strings.ToLower(text), "apply again") {
			t.Error(text)
		}
		if text := outcome(ChangeRecord{State: ChangeFellBack, Cause: c}, nil); strings.Contains(text, "evert") {
			t.Error(text)
		}
	}
}
