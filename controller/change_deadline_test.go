package controller

import (
	"testing"
	"time"
)

func TestConfirmBy(t *testing.T) {
	until := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		hold   float64
		before time.Duration
	}{{60, 12 * time.Second}, {90, 15 * time.Second}, {600, 15 * time.Second}, {5, time.Second}} {
		by, ok := ChangeRecord{HoldS: c.hold, Until: &until}.ConfirmBy()
		if want := until.Add(-c.before); !ok || !by.Equal(want) {
			t.Errorf("a hold of %g s: %v, want %v", c.hold, by, want)
		}
	}
	if by, ok := (ChangeRecord{HoldS: 90}).ConfirmBy(); ok {
		t.Errorf("nothing is armed: %v", by)
	}
}
