package controller

import (
	"context"
	"log/slog"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/unit"
)

// ChangesConfig is how changes are made. DefaultChanges gives every field its
// usual value.
type ChangesConfig struct {
	Hold         time.Duration // of a change that does not say; devices go back by themselves after it
	HoldMin      time.Duration // shortest hold taken
	HoldMax      time.Duration // longest
	VerifyEvery  time.Duration // between two looks at changed devices
	StepTimeout  time.Duration // of one call to one device
	Patience     time.Duration // after the hold, a device that does not answer for so long is lost
	LevelSlack   unit.DB       // a level may be so much below what is expected
	DriftEvery   time.Duration // between two readings of all settings
	Readers      int           // devices read at the same time
	Repairs      int           // times a half-confirmed change is tried to be taken back
	RepairPause  time.Duration // before the second of them; it doubles with each
	RetryJournal time.Duration // between two tries when the store fails in the middle of a change
}

// DefaultChanges holds for 90 seconds.
func DefaultChanges() ChangesConfig {
	return ChangesConfig{
		Hold: 90 * time.Second, HoldMin: 5 * time.Second, HoldMax: time.Hour,
		VerifyEvery: 2 * time.Second, StepTimeout: 20 * time.Second, Patience: 30 * time.Minute,
		LevelSlack: 6, DriftEvery: 15 * time.Minute, Readers: 64,
		Repairs: 6, RepairPause: 30 * time.Second, RetryJournal: time.Second,
	}
}

func (c ChangesConfig) check() error {
	switch {
	case c.HoldMin < time.Second || c.HoldMax < c.HoldMin:
		return fault.New(fault.Invalid, "changes: holds from %v to %v: the first must be at least 1s and not above the second", c.HoldMin, c.HoldMax)
	case c.Hold < c.HoldMin || c.Hold > c.HoldMax:
		return fault.New(fault.Invalid, "changes: hold %v: it must be between %v and %v", c.Hold, c.HoldMin, c.HoldMax)
	case c.VerifyEvery <= 0 || c.StepTimeout <= 0 || c.Patience <= 0 || c.DriftEvery <= 0 || c.RepairPause <= 0 || c.RetryJournal <= 0:
		return fault.New(fault.Invalid, "changes: every time must be more than 0")
	case c.LevelSlack < 0:
		return fault.New(fault.Invalid, "changes: level slack %v: it must not be negative", c.LevelSlack)
	case c.Readers < 1 || c.Repairs < 0:
		return fault.New(fault.Invalid, "changes: %d readers and %d repairs: give at least 1 reader and no negative number", c.Readers, c.Repairs)
	}
	return nil
}

// margin is the time before the end of a hold that is left for confirming.
func (c ChangesConfig) margin(hold time.Duration) time.Duration {
	return min(hold/5, 15*time.Second)
}

// Provisioner changes devices; radio.Fleet is one. The kinds of its errors
// matter: fault.Conflict of Arm for a setting that is not what From says or a
// way back of another change, fault.Refused for a device that says no,
// fault.Unreachable for silence, after which it is not known whether the thing
// was done, fault.NotFound of Confirm and Undo when the way back is not there.
type Provisioner interface {
	Configured(ctx context.Context, d network.DeviceID) (network.Configured, error)
	Arm(ctx context.Context, d network.DeviceID, id string, hold time.Duration, changes []network.Change) (network.WayBack, error)
	Write(ctx context.Context, d network.DeviceID, changes []network.Change) error
	Confirm(ctx context.Context, d network.DeviceID, id string) error
	Undo(ctx context.Context, d network.DeviceID, id string) error
	WaysBack(ctx context.Context, d network.DeviceID) ([]network.WayBack, error)
}

// ChangesDeps is everything that changes can do to the world.
type ChangesDeps struct {
	Store   *store.DB
	Audit   *audit.Log
	Fleet   Provisioner
	Observe func(context.Context, network.DeviceID) (network.Observation, error) // asks the device now, also when it was silent a moment ago
	Desired func(context.Context) (*network.Network, error)                      // the files as they are now
	Planned func(*network.Network, network.LinkID) Planned                       // nil: nothing is planned
	Log     *slog.Logger                                                         // nil: slog.Default
}

func (d ChangesDeps) check() error {
	if d.Store == nil || d.Audit == nil || d.Fleet == nil || d.Observe == nil || d.Desired == nil {
		return fault.New(fault.Internal, "changes: store, audit, fleet, observe and desired must be given")
	}
	return nil
}
