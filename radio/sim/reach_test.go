package sim_test

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/go-routeros/routeros/v3"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio/sim"
)

// TestGateways: behind a link that is down nothing answers, and the device there
// helps itself.
func TestGateways(t *testing.T) {
	if _, err := sim.New(sim.Config{StateDir: "x", Gateways: []network.DeviceID{"nope"}}, sim.Deps{Network: smallNetwork(), Level: flat}); fault.Of(err) != fault.Invalid {
		t.Errorf("a gateway that is not there: %v", err)
	}
	f := started(t, sim.Config{Gateways: []network.DeviceID{"core-1"}})
	for _, d := range f.State().Devices {
		if !d.Joined {
			t.Errorf("%s is not joined while all links are up", d.ID)
		}
	}
	// The valley has three links, and its devices share a cable. One is left.
	for _, id := range []network.LinkID{"l3", "l4"} {
		if _, err := f.Inject(sim.Fault{Link: id, Kind: sim.Off}); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dial(t, f, "nv2-b"), "/system/identity/print")
	near, far := dial(t, f, "sector"), dial(t, f, "cpe-1")
	run(t, far, "/system/scheduler/add", "=name=undo", "=interval=2s", "=on-event=/interface wireless set wlan1 frequency=5600\n/system scheduler remove undo")
	// The change cuts the session that makes it: the answer has no way home, but
	// for the one that TCP finds when the link is back.
	answered := make(chan error, 1)
	go func() {
		_, err := far.Run("/interface/wireless/set", "=numbers=wlan1", "=frequency=5700")
		answered <- err
	}()
	within(t, "cpe-1 is cut off", func() bool { return !deviceOf(t, f, "cpe-1").Joined })
	select {
	case err := <-answered:
		t.Errorf("answered without a path: %v", err)
	default:
	}
	// Who asks now waits in vain; what he asked for is not done later.
	if err := silent(t, endpoint(t, f, "cpe-1")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("cut off, it answers %v", err)
	}
	run(t, near, "/interface/wireless/print")
	if deviceOf(t, f, "nv2-b").Joined {
		t.Error("nv2-b is reached over a cable to a device that is cut off")
	}
	within(t, "the device has gone back by itself", func() bool { return deviceOf(t, f, "cpe-1").Joined })
	select {
	case err := <-answered:
		if err != nil {
			t.Errorf("the late answer: %v", err)
		}
	case <-time.After(patience):
		t.Error("the late answer never came")
	}
	if got := frequency(t, dial(t, f, "cpe-1")); got != "5600" {
		t.Errorf("frequency is %s", got)
	}
	if n := f.Writes()["cpe-1"]; n != 2 {
		t.Errorf("%d writes on cpe-1, want 2: who gave up must not be obeyed later", n)
	}
}

// TestGatewaysTLS: what a client sends over TLS while the device is out of
// reach arrives when it is back, if the client still waits.
func TestGatewaysTLS(t *testing.T) {
	f := started(t, sim.Config{Gateways: []network.DeviceID{"core-1"}})
	for _, id := range []network.LinkID{"l1", "l3"} {
		if _, err := f.Inject(sim.Fault{Link: id, Kind: sim.Off}); err != nil {
			t.Fatal(err)
		}
	}
	e := endpoint(t, f, "cpe-1")
	c, err := routeros.DialTLS(*e.TLS, e.User, e.Password, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	id, err := f.Inject(sim.Fault{Link: "l4", Kind: sim.Off})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := c.Run("/system/identity/set", "=name=late")
		got <- err
	}()
	within(t, "cpe-1 is cut off", func() bool { return !deviceOf(t, f, "cpe-1").Joined })
	if err := f.Clear(id); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-got:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("it does not answer again")
	}
	if _, err := c.Run("/system/identity/print"); err != nil {
		t.Error(err)
	}
}

// silent sends a login and gives up soon.
func silent(t *testing.T, e sim.Endpoint) error {
	t.Helper()
	conn, err := net.Dial("tcp", e.Address)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(200 * time.Millisecond))
	conn.Write([]byte("\x06/login\x0d=name=crinale\x00"))
	_, err = conn.Read(make([]byte, 1))
	return err
}
