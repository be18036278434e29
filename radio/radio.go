// Package radio reads and changes the union's radios and routers. A [Fleet]
// knows who to ask (a [Book] of targets) and how (a [Driver]), and sees to it
// that a dead device costs little and never holds up another. A driver that is
// a [Provisioner] can change a device, always under a way back that the device
// itself holds. The drivers live in the folders below: routeros speaks to
// MikroTik devices, sim is a fleet of simulated ones for tests and for the
// demo.
//
// The package decides nothing about links, alerts or changes: it hands back a
// [network.Observation] or a [network.Configured], and the controller judges
// it.
//
// Errors carry a kind of package fault: Unreachable for silence, a broken
// line or bytes that are no protocol, Refused for a device that said no,
// Denied for a wrong password, certificate or a missing right, Invalid for a
// device that the book has no address or account for: it was not asked.
package radio

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/crinale/crinale/internal/network"
)

// Target is where one device is managed and with which account. Printing it
// never shows the password.
type Target struct {
	Device     network.DeviceID
	Address    string // host:port of the plain protocol
	TLSAddress string // host:port of the protocol inside TLS; where set it is the one used
	User       string
	Password   string `json:"-"`
	Pin        string // "sha256:" and 64 hex digits of the TLS certificate's public key; "": a known authority must have signed it
}

// String shows who and where, not the password.
func (t Target) String() string {
	where := t.Address
	if t.TLSAddress != "" {
		where = "tls " + t.TLSAddress
	}
	return fmt.Sprintf("%s (%s@%s)", t.Device, t.User, where)
}

// GoString is String, so that %#v shows no password either.
func (t Target) GoString() string { return t.String() }

// LogValue is String as a log attribute.
func (t Target) LogValue() slog.Value { return slog.StringValue(t.String()) }

// Driver speaks one vendor's protocol. Observe ends soon after ctx does. It is
// safe for concurrent use, and one slow device must not delay another.
type Driver interface {
	Observe(ctx context.Context, t Target) (network.Observation, error)
}

// Book finds the target of a device. Whatever error it gives, the Fleet makes
// it one of kind fault.Invalid.
type Book func(ctx context.Context, d network.DeviceID) (Target, error)
