package controller

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// Config is how the controller watches. Default gives every field its usual
// value.
type Config struct {
	Interval time.Duration // between two reads of one device
	Deadline time.Duration // for one read of one device; less than Interval
	Spread   time.Duration // the first reads are spread over this time
	Patience time.Duration // after this a read no longer holds its worker
	Workers  int           // reads at work at the same time
	Rules    Rules         // of the judge
}

// Default reads each device every 10 s.
func Default() Config {
	return Config{
		Interval: 10 * time.Second,
		Deadline: 8 * time.Second,
		Spread:   10 * time.Second,
		Patience: time.Second,
		Workers:  32,
		Rules:    DefaultRules(),
	}
}

func (c Config) check() error {
	switch {
	case c.Interval < 100*time.Millisecond:
		return fault.New(fault.Invalid, "controller: interval %v is too short: give at least 100ms", c.Interval)
	case c.Deadline <= 0 || c.Deadline > c.Interval:
		return fault.New(fault.Invalid, "controller: deadline %v: it must be more than 0 and at most the interval, %v", c.Deadline, c.Interval)
	case c.Spread < 0 || c.Spread > c.Interval:
		return fault.New(fault.Invalid, "controller: spread %v: it must be between 0 and the interval, %v", c.Spread, c.Interval)
	case c.Patience <= 0:
		return fault.New(fault.Invalid, "controller: patience %v: it must be more than 0", c.Patience)
	case c.Workers < 1:
		return fault.New(fault.Invalid, "controller: %d workers: give at least 1", c.Workers)
	}
	if err := c.Rules.check(); err != nil {
		return fmt.Errorf("controller: rules: %w", err)
	}
	return nil
}

// Observer reads one device once. It must end soon after ctx does. The kind of
// its error says what an alert advises: fault.Unreachable for silence, Denied
// and Refused for a device that answered and said no (password, rights,
// certificate), Invalid for one that was not asked, as its account or address
// is missing. An error with the method Foreign() bool in its chain, true, says
// that something answered which does not speak the protocol of the device.
type Observer interface {
	Observe(ctx context.Context, d network.DeviceID) (network.Observation, error)
}

// Sink takes the readings of one device. It must not wait: it queues them, and
// says what it had to drop by its own count. An error is logged when trouble
// begins and when it ends.
type Sink interface {
	Append(ctx context.Context, rs []network.Reading) error
}

// Ledger keeps the alerts over a restart.
type Ledger interface {
	// Load gives every open alert and the most recent closed ones.
	Load(ctx context.Context) ([]Alert, error)
	// Save writes alerts, each by its ID, whether new or changed.
	Save(ctx context.Context, alerts []Alert) error
}

// Planned is what planning expects of a link; unknown where it has no answer.
type Planned struct {
	A, B unit.Opt[unit.DBm] // level received at that end
}

// At is the level expected at one end.
func (p Planned) At(e network.End) unit.Opt[unit.DBm] {
	if e == network.EndB {
		return p.B
	}
	return p.A
}

// Deps is everything the controller can do to the world.
type Deps struct {
	Network  *network.Network
	Observer Observer
	Planned  func(network.LinkID) Planned // nil: nothing is planned
	Sinks    []Sink                       // history, InfluxDB
	Ledger   Ledger                       // nil: alerts live in memory only
	Log      *slog.Logger                 // nil: slog.Default
}

func (d Deps) check() error {
	if d.Network == nil {
		return fault.New(fault.Internal, "controller: no network given")
	}
	if d.Observer == nil {
		return fault.New(fault.Internal, "controller: no observer given")
	}
	return nil
}
