package sim_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio/sim"
)

// TestDemoFleet: the demo's network associates as its files are written, and
// every device answers.
func TestDemoFleet(t *testing.T) {
	n, err := demo.Network()
	if err != nil {
		t.Fatal(err)
	}
	f, err := sim.New(sim.Config{StateDir: t.TempDir()}, sim.Deps{Network: n, Level: flat, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	<-f.Ready()
	for _, l := range f.State().Links {
		if !l.Up {
			t.Errorf("link %s is down", l.ID)
		}
	}
	drivers := map[string]int{}
	for _, d := range f.State().Devices {
		drivers[d.Driver]++
	}
	for _, k := range []string{"wireless", "wifi", "w60g"} {
		if drivers[k] == 0 {
			t.Errorf("the demo has no device with the %s driver", k)
		}
	}
	// Whoever matches by MAC address must not be led astray.
	macs := map[string]network.DeviceID{}
	for _, d := range n.Devices {
		for _, row := range run(t, dial(t, f, d.ID), "/interface/print", "=.proplist=mac-address").Re {
			mac := row.Map["mac-address"]
			if other, taken := macs[mac]; taken && other != d.ID {
				t.Errorf("%s and %s both have %s", d.ID, other, mac)
			}
			macs[mac] = d.ID
		}
		if d.MAC != "" && macs[d.MAC] != d.ID {
			t.Errorf("%s has no interface with its own address %s", d.ID, d.MAC)
		}
	}
	for _, d := range n.Devices[:10] {
		c := dial(t, f, d.ID)
		if name := run(t, c, "/system/identity/print").Re[0].Map["name"]; network.DeviceID(name) != d.ID {
			t.Errorf("%s is called %s", d.ID, name)
		}
	}
	// What comes in by wire has a port of its own, which tells when it is cut.
	for id, port := range map[network.DeviceID]string{"cortemilia-gateway": "sfp1", "murazzano-lte": "lte1", "camerana-satellite": "satellite1"} {
		link := n.LinksAt(id)[0].ID
		for _, want := range []string{"true", "false"} {
			rows := run(t, dial(t, f, id), "/interface/print", "?name="+port).Re
			if len(rows) != 1 || rows[0].Map["running"] != want {
				t.Errorf("%s of %s: %v, want running=%s", port, id, rows, want)
			}
			if want == "true" {
				if _, err := f.Inject(sim.Fault{Link: link, Kind: sim.Off}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	t.Logf("drivers: %v", drivers)
}
