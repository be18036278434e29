package controller

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

func TestCauseIsShortAndHasNoAddress(t *testing.T) {
	for in, want := range map[string]string{
		"observe bric-a: left alone for 12s more after 1 failures: connect to 10.0.0.7:8728: no answer within 3s":  "no answer within 3s",
		"observe bric-a: connect to [fe80::1%eth0]:8729: TLS: the device shows another key than pinned (sha256:1)": "the device shows another key than pinned (sha256:1)",
		"observe bric-a: 10.0.0.7:8728: login as crinale: invalid user name or password: check the user":           "login as crinale: invalid user name or password: check the user",
		"observe bric-a: bric-a has no account: add it, or a default, to radio.credentials_file":                   "bric-a has no account: add it, or a default, to radio.credentials_file",
		"observe bric-a: connect to radio.example:8728: connection refused: is the API service on?":                "connection refused: is the API service on?",
		"dial tcp 10.0.0.7:8728: connect: no route to host":                                                        "no route to host",
		"read tcp 10.0.0.1:4000->10.0.0.7:8728: i/o timeout.":                                                      "i/o timeout",
		"bric-a: no answer in 8s":        "no answer in 8s",
		"the device says:\n  no\tand no": "the device says: no and no",
		"connect to ":                    "connect to",
	} {
		if got := cause("bric-a", errors.New(in)); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	if got := []rune(cause("bric-a", errors.New(strings.Repeat("à", 500)))); len(got) != longestCause+1 {
		t.Errorf("a long error gives %d letters", len(got))
	}
	if cause("d", nil) != "" {
		t.Error("no error has a cause")
	}
}

// A device that nobody could ask is not called silent, and its trouble is told
// in one line; one that was asked in vain is.
func TestDeviceStateTellsTheCause(t *testing.T) {
	for kind, reach := range map[fault.Kind]Reach{fault.Invalid: ReachUnknown, fault.Denied: ReachUnreachable, fault.Unreachable: ReachUnreachable} {
		c := newCache(&network.Network{Devices: []network.Device{{ID: "d", Address: "h"}}}, DefaultRules(), nil)
		c.take(poll{device: "d", at: t0, err: fmt.Errorf("observe d: %w", fault.New(kind, "connect to 10.0.0.7:8729: because"))}, nil)
		if s := c.devices[0].state; s.Reach != reach || s.Err != "because" || s.Failures != 1 {
			t.Errorf("%v: %+v", kind, s)
		}
	}
}
