package routeros_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio"
	"github.com/crinale/crinale/radio/routeros"
	"github.com/crinale/crinale/radio/sim"
)

// TestVanishing: the device loses its power, falls silent, takes 20 s for every
// answer or restarts after the n-th writing command, for every n of a change.
// Nobody helps it, and it ends as it was, with nothing left over.
func TestVanishing(t *testing.T) {
	t.Parallel()
	n := hundred()
	s, book := simulated(t, n, nil)
	// Patient enough for a busy machine that keeps two dozen devices on disk.
	f := fleet(t, book, func(c *routeros.Config) { c.CommandTimeout = 3 * time.Second })
	var free []network.DeviceID
	for _, d := range n.Devices {
		if d.Gear == "ac" {
			free = append(free, d.ID)
		}
	}
	next := func() network.DeviceID {
		if len(free) == 0 {
			t.Fatal("the network has too few devices")
		}
		id := free[0]
		free = free[1:]
		return id
	}

	// How many writes a change is, from one that nothing disturbs.
	first := next()
	changes := proposal(must[network.Configured](t)(f.Configured(t.Context(), first)))
	must[network.WayBack](t)(f.Arm(t.Context(), first, "whole", time.Minute, changes))
	if err := f.Write(t.Context(), first, changes); err != nil {
		t.Fatal(err)
	}
	writes := s.Writes()[first]
	if writes < 5 {
		t.Fatalf("a whole change is %d writes", writes)
	}

	var wg sync.WaitGroup
	for _, kind := range []sim.Kind{sim.Off, sim.Silent, sim.Slow, sim.Reboot} {
		for after := range writes + 1 {
			id := next()
			wg.Go(func() { vanish(t, s, f, book, id, kind, after, writes) })
		}
	}
	wg.Wait()
}

func vanish(t *testing.T, s *sim.Fleet, f *radio.Fleet, book radio.Book, id network.DeviceID, kind sim.Kind, after, writes int) {
	name := fmt.Sprintf("%s: %s after %d of %d writes", id, kind, after, writes)
	before, err := printed(book, id)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	c, err := f.Configured(t.Context(), id)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	changes := proposal(c)
	x := sim.Fault{Device: id, Kind: kind, AfterWrites: after}
	switch kind {
	case sim.Slow:
		x.DelayMS = 20_000
	case sim.Reboot:
		x.ForS = 2
	}
	trouble, err := s.Inject(x)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	const hold = 15 * time.Second
	began := time.Now()
	_, err = f.Arm(t.Context(), id, "c1", hold, changes)
	if after <= 1 {
		// The first write is the way back itself, which is then read again.
		if fault.Of(err) != fault.Unreachable {
			t.Errorf("%s: arm: %v", name, err)
		}
	} else if err != nil {
		t.Errorf("%s: arm: %v", name, err)
	} else {
		err = f.Write(t.Context(), id, changes)
		cut := errors.Is(err, radio.ErrCut)
		// Whether the last command still went out depends on who was faster.
		if fault.Of(err) != fault.Unreachable || cut && after < writes-1 || !cut && after == writes {
			t.Errorf("%s: write: %v", name, err)
		}
	}
	if took := time.Since(began); took > 41*time.Second {
		t.Errorf("%s: %v until it was given up", name, took)
	}
	if kind != sim.Reboot {
		if err := s.Clear(trouble); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	eventually(t, time.Minute, func() string {
		if missing := is(book, id, before)(); missing != "" {
			return name + ": " + missing
		}
		return ""
	})
}

// TestRebootInMidHold: the entry outlives the restart, and the hold counts from
// there.
func TestRebootInMidHold(t *testing.T) {
	t.Parallel()
	n := pairs()
	s, book := simulated(t, n, nil)
	f := fleet(t, book, func(c *routeros.Config) { c.CommandTimeout = 2 * time.Second })
	before := must[string](t)(printed(book, "ac-a"))
	changes := retune(t, f, "ac-a", "5680")
	must[network.WayBack](t)(f.Arm(t.Context(), "ac-a", "c1", 10*time.Second, changes))
	if err := f.Write(t.Context(), "ac-a", changes); err != nil {
		t.Fatal(err)
	}
	must[string](t)(s.Inject(sim.Fault{Device: "ac-a", Kind: sim.Reboot, ForS: 1}))
	up := func() string {
		all, err := f.WaysBack(t.Context(), "ac-a")
		if err != nil || len(all) != 1 || all[0].ID != "c1" {
			return fmt.Sprintf("after the restart: %v %+v", err, all)
		}
		return ""
	}
	eventually(t, 10*time.Second, up)
	if c := must[network.Configured](t)(f.Configured(t.Context(), "ac-a")); c.Values[changes[0].Key] != "5680" {
		t.Errorf("the restart alone brought %v", c.Values)
	}
	eventually(t, patience, is(book, "ac-a", before))
}

// TestSlow: a device that answers every command after 20 s is given up in time,
// and is as it was.
func TestSlow(t *testing.T) {
	t.Parallel()
	n := pairs()
	s, book := simulated(t, n, nil)
	f := fleet(t, book, nil)
	before := must[string](t)(printed(book, "ac-a"))
	changes := retune(t, f, "ac-a", "5680")
	id := must[string](t)(s.Inject(sim.Fault{Device: "ac-a", Kind: sim.Slow, DelayMS: 20_000}))
	began := time.Now()
	_, err := f.Arm(t.Context(), "ac-a", "c1", time.Minute, changes)
	if fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "arm the way back of ac-a") {
		t.Error(err)
	}
	if took := time.Since(began); took > 21*time.Second {
		t.Errorf("given up after %v", took)
	}
	if err := s.Clear(id); err != nil {
		t.Fatal(err)
	}
	if missing := is(book, "ac-a", before)(); missing != "" {
		t.Error(missing)
	}
}

// TestUndoOfAnotherController: a new driver, as after a restart, finds the way
// back and undoes it.
func TestUndoOfAnotherController(t *testing.T) {
	n := pairs()
	_, book := simulated(t, n, nil)
	f := fleet(t, book, nil)
	before := must[string](t)(printed(book, "sixty-w60g-a"))
	changes := retune(t, f, "sixty-w60g-a", "60480")
	must[network.WayBack](t)(f.Arm(t.Context(), "sixty-w60g-a", "c1", time.Minute, changes))
	if err := f.Write(t.Context(), "sixty-w60g-a", changes); err != nil {
		t.Fatal(err)
	}
	g := fleet(t, book, nil)
	all := must[[]network.WayBack](t)(g.WaysBack(t.Context(), "sixty-w60g-a"))
	if len(all) != 1 || all[0].ID != "c1" {
		t.Fatalf("%+v", all)
	}
	if err := g.Undo(t.Context(), "sixty-w60g-a", all[0].ID); err != nil {
		t.Error(err)
	}
	if missing := is(book, "sixty-w60g-a", before)(); missing != "" {
		t.Error(missing)
	}
}

// TestObservationFollows: what a round tells of a radio is new as soon as a
// change was written, and again when the device has gone back by itself,
// although such settings are else read every ten minutes.
func TestObservationFollows(t *testing.T) {
	t.Parallel()
	n := pairs()
	_, book := simulated(t, n, nil)
	f := fleet(t, book, nil)
	ssid := func() string {
		o, err := f.Observe(t.Context(), "ac-a")
		if err != nil || len(o.Radios) != 1 {
			t.Fatalf("%v %+v", err, o)
		}
		return o.Radios[0].SSID
	}
	was := ssid()
	to := "altra"
	changes := []network.Change{{Key: network.Key{Section: network.RadioSection, Name: "wlan1", Field: network.FieldSSID}, From: &was, To: &to}}
	must[network.WayBack](t)(f.Arm(t.Context(), "ac-a", "c1", 8*time.Second, changes))
	if err := f.Write(t.Context(), "ac-a", changes); err != nil {
		t.Fatal(err)
	}
	if got := ssid(); got != to {
		t.Errorf("after the change %q", got)
	}
	eventually(t, patience, func() string {
		if got := ssid(); got != was {
			return "long after the hold the round says " + got
		}
		return ""
	})
}

// TestOverTheAir: the device is managed over the link that is changed. The far
// end takes the change and is cut off; the near end follows, and both can be
// confirmed. When the near end does not follow, the far end comes back.
func TestOverTheAir(t *testing.T) {
	t.Parallel()
	n := pairs()
	n.Devices = slices.DeleteFunc(n.Devices, func(d network.Device) bool { return d.ID != "ac-a" && d.ID != "ac-b" })
	n.Links = slices.DeleteFunc(n.Links, func(l network.Link) bool { return l.ID != "ac" })
	n.Index()
	_, book := simulated(t, n, nil, "ac-a")
	f := fleet(t, book, func(c *routeros.Config) { c.CommandTimeout = 2 * time.Second })
	before := must[string](t)(printed(book, "ac-b"))
	a, b := retune(t, f, "ac-a", "5680"), retune(t, f, "ac-b", "5680")
	cut := func(change string, hold time.Duration) {
		t.Helper()
		must[network.WayBack](t)(f.Arm(t.Context(), "ac-b", change, hold, b))
		// The answer may just get through before the link is down.
		if err := f.Write(t.Context(), "ac-b", b); err != nil && !errors.Is(err, radio.ErrCut) {
			t.Fatal(err)
		}
		eventually(t, 10*time.Second, func() string {
			if _, err := f.WaysBack(t.Context(), "ac-b"); fault.Of(err) != fault.Unreachable {
				return fmt.Sprintf("not cut off: %v", err)
			}
			return ""
		})
	}

	cut("alone", 15*time.Second)
	if err := f.Confirm(t.Context(), "ac-b", "alone"); fault.Of(err) != fault.Unreachable {
		t.Errorf("a device that is cut off was confirmed: %v", err)
	}
	eventually(t, patience, is(book, "ac-b", before))

	const hold = 40 * time.Second
	must[network.WayBack](t)(f.Arm(t.Context(), "ac-a", "both", hold, a))
	cut("both", hold)
	if err := f.Write(t.Context(), "ac-a", a); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, func() string {
		c, err := f.Configured(t.Context(), "ac-b")
		if err != nil || c.Values[b[0].Key] != "5680" {
			return fmt.Sprintf("the far end is not back: %v %v", err, c.Values)
		}
		return ""
	})
	for _, d := range []network.DeviceID{"ac-b", "ac-a"} {
		if err := f.Confirm(t.Context(), d, "both"); err != nil {
			t.Error(err)
		}
	}
}
