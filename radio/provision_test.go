package radio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio"
)

// provisioner notes what it was asked, and answers as the driver inside does.
type provisioner struct {
	*driver
	asked []string
}

func (p *provisioner) ask(ctx context.Context, t radio.Target, what string) error {
	p.asked = append(p.asked, what+" "+string(t.Device)+" as "+t.User)
	if f := p.does[t.Device]; f != nil {
		return f(ctx, t)
	}
	return nil
}

func (p *provisioner) Configured(ctx context.Context, t radio.Target) (network.Configured, error) {
	return network.Configured{Driver: "wireless"}, p.ask(ctx, t, "configured")
}

func (p *provisioner) Arm(ctx context.Context, t radio.Target, id string, hold time.Duration, changes []network.Change) (network.WayBack, error) {
	return network.WayBack{ID: id}, p.ask(ctx, t, "arm "+id+" "+hold.String()+" "+changes[0].Key.String())
}

func (p *provisioner) Write(ctx context.Context, t radio.Target, changes []network.Change) error {
	return p.ask(ctx, t, "write "+changes[0].Key.String())
}

func (p *provisioner) Confirm(ctx context.Context, t radio.Target, id string) error {
	return p.ask(ctx, t, "confirm "+id)
}

func (p *provisioner) Undo(ctx context.Context, t radio.Target, id string) error {
	return p.ask(ctx, t, "undo "+id)
}

func (p *provisioner) WaysBack(ctx context.Context, t radio.Target) ([]network.WayBack, error) {
	return []network.WayBack{{ID: "c1"}}, p.ask(ctx, t, "ways back")
}

var renamed = []network.Change{{Key: network.Key{Section: network.IdentitySection, Field: network.FieldName}}}

// calls are all that can be asked of a device about changes.
func calls(ctx context.Context, f *radio.Fleet, d network.DeviceID) map[string]error {
	_, configured := f.Configured(ctx, d)
	_, arm := f.Arm(ctx, d, "c1", time.Minute, renamed)
	_, ways := f.WaysBack(ctx, d)
	return map[string]error{
		"read the settings of": configured, "arm the way back of": arm, "read the ways back of": ways,
		"change": f.Write(ctx, d, renamed), "confirm": f.Confirm(ctx, d, "c1"), "undo": f.Undo(ctx, d, "c1"),
	}
}

func newProvisioner(t *testing.T) (*provisioner, *radio.Fleet) {
	t.Helper()
	p := &provisioner{driver: newDriver()}
	f, err := radio.New(radio.Default(), radio.Deps{Driver: p, Book: book})
	if err != nil {
		t.Fatal(err)
	}
	return p, f
}

func TestChangesGoToTheDevice(t *testing.T) {
	p, f := newProvisioner(t)
	for what, err := range calls(t.Context(), f, "bossolasco") {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	want := []string{"configured", "arm c1 1m0s identity name", "ways back", "write identity name", "confirm c1", "undo c1"}
	for i := range want {
		want[i] += " bossolasco as crinale"
	}
	if strings.Join(p.asked, "|") != strings.Join(want, "|") {
		t.Errorf("asked %q", p.asked)
	}
	if c, err := f.Configured(t.Context(), "bossolasco"); err != nil || c.Device != "bossolasco" || c.Driver != "wireless" {
		t.Errorf("%v %+v", err, c)
	}
	if w, err := f.Arm(t.Context(), "bossolasco", "c9", time.Minute, renamed); err != nil || w.ID != "c9" {
		t.Errorf("%v %+v", err, w)
	}
	if all, err := f.WaysBack(t.Context(), "bossolasco"); err != nil || len(all) != 1 {
		t.Errorf("%v %+v", err, all)
	}
}

// TestChangeErrors name what was done to which device, and keep their kind.
func TestChangeErrors(t *testing.T) {
	p, f := newProvisioner(t)
	for _, kind := range []fault.Kind{fault.Conflict, fault.Refused, fault.NotFound, fault.Unreachable} {
		p.does["bossolasco"] = func(context.Context, radio.Target) error { return fault.New(kind, "%w", radio.ErrCut) }
		for what, err := range calls(t.Context(), f, "bossolasco") {
			var cut interface{ Cut() bool }
			if !errors.As(err, &cut) || !cut.Cut() || fault.Of(err) != kind || err.Error() != what+" bossolasco: sent, then silent" || !errors.Is(err, radio.ErrCut) {
				t.Errorf("%v of kind %v", err, fault.Of(err))
			}
		}
	}
	nobody, err := radio.New(radio.Default(), radio.Deps{Driver: p, Book: func(context.Context, network.DeviceID) (radio.Target, error) {
		return radio.Target{}, fault.New(fault.NotFound, "no account")
	}})
	if err != nil {
		t.Fatal(err)
	}
	p.asked = nil
	for what, err := range calls(t.Context(), nobody, "x") {
		if fault.Of(err) != fault.Invalid || err.Error() != what+" x: no account" || len(p.asked) != 0 {
			t.Errorf("%v of kind %v", err, fault.Of(err))
		}
	}
}

// TestReadersChangeNothing: a driver that only reads refuses.
func TestReadersChangeNothing(t *testing.T) {
	f := newFleet(t, newDriver(), nil)
	for what, err := range calls(t.Context(), f, "x") {
		if fault.Of(err) != fault.Refused || !strings.Contains(err.Error(), "can be read, not changed") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestChangesAreNotHeldUp by the pause after failures, do not lengthen it, and
// end it when the device answers.
func TestChangesAreNotHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, f := newProvisioner(t)
		p.does["dead"] = silent
		f.Observe(t.Context(), "dead")
		began := time.Now()
		err := f.Confirm(t.Context(), "dead", "c1")
		if fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "no answer from dead within 20s") || time.Since(began) != 20*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		f.Observe(t.Context(), "dead")
		if p.calls["dead"] != 2 { // the pause of 5 s after the first failure is over
			t.Errorf("%d rounds", p.calls["dead"])
		}
		p.does["dead"] = nil
		if _, err := f.Observe(t.Context(), "dead"); err == nil || !strings.Contains(err.Error(), "after 2 failures") {
			t.Errorf("the failed change counted: %v", err)
		}
		if err := f.Confirm(t.Context(), "dead", "c1"); err != nil {
			t.Error(err)
		}
		if _, err := f.Observe(t.Context(), "dead"); err != nil {
			t.Errorf("it answered, and is left alone: %v", err)
		}
	})
}

// TestChangesTakeTheirTurn: one call to a device at a time, whatever its kind.
func TestChangesTakeTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, f := newProvisioner(t)
		release := make(chan struct{})
		p.does["busy"] = func(context.Context, radio.Target) error { <-release; return nil }
		done := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { done <- f.Write(ctx, "busy", renamed) }()
		synctest.Wait()
		if _, err := f.Observe(t.Context(), "busy"); fault.Of(err) != fault.Conflict {
			t.Errorf("a round in the middle of a change: %v", err)
		}
		if err := f.Confirm(t.Context(), "busy", "c1"); fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), "an earlier call is still under way") {
			t.Errorf("two changes at once: %v", err)
		}
		close(release)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
