package controller

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store/storetest"
)

// killed is a change whose engine is killed once, at one point: before or after
// a step of the journal is on the disk, or before or after a device does what
// it is told.
type killed struct {
	devices []network.DeviceID
	want    func(network.DeviceID, *network.Settings)
	manual  bool
	confirm bool          // a technician confirms, when asked for it
	pg      string        // the URL of an empty PostgreSQL; "": SQLite
	point   int           // the n-th chance to kill; 0: never
	away    time.Duration // until the next engine starts
}

func (k killed) String() string {
	return fmt.Sprintf("%v manual=%v confirm=%v point=%d away=%v", k.devices, k.manual, k.confirm, k.point, k.away)
}

// play runs the change, with the kill, and checks how it ends. It gives the
// number of chances there were.
func (k killed) play(t *testing.T) (chances int, last ChangeRecord) {
	db := storetest.SQLite(t)
	if k.pg != "" {
		db = storetest.Open(t, k.pg)
	}
	log := newAudit(t, db)
	f := newFakeFleet()
	chance := make(chan struct{}, 1)
	chance <- struct{}{}
	var stop context.CancelFunc
	at := "never"
	hit := func(what string) {
		<-chance
		defer func() { chance <- struct{}{} }()
		if chances++; chances == k.point {
			at = what
			stop()
		}
	}
	b := run(t, db, log, f, fakeNet(k.want), func(c *Changes, s context.CancelFunc) {
		stop = s
		c.noting = func(r ChangeRecord, written bool) { hit(fmt.Sprintf("step %d written=%v", len(r.Events), written)) }
	})
	f.on(func(op string, d network.DeviceID) error {
		if strings.Contains("arm write confirm undo", op) {
			hit("before " + op)
		}
		return nil
	}, func(op string, d network.DeviceID) error {
		if strings.Contains("arm write confirm undo", op) {
			hit("after " + op)
		}
		return nil
	})
	r := b.apply(ApplyRequest{Manual: k.manual})
	id := r.ID
	for r.Manual && !r.State.Ended() { // somebody watches
		time.Sleep(time.Second)
		next, err := b.c.Change(t.Context(), id)
		if err != nil {
			break // killed
		}
		r = next
		if r.State == ChangeWaiting && k.confirm {
			b.c.Confirm(audit.With(t.Context(), audit.Actor{Who: "tecnica"}), id)
			break
		}
	}
	if k.point == 0 {
		last = b.end(id)
		b.close() // the last chance has passed
		return chances, last
	}
	select {
	case err := <-b.ended:
		b.ended <- err
	case <-time.After(time.Hour):
		t.Fatalf("%v: not killed; %d chances", k, chances)
	}
	b.close()
	f.on(nil, nil)
	time.Sleep(k.away)
	b = run(t, db, log, f, fakeNet(k.want), nil)
	all := b.quiet()
	for _, r := range all {
		if r.ID == id {
			last = b.end(id)
		}
	}
	fail := func(format string, args ...any) {
		t.Errorf("%v, killed at %s: %s\n%s", k, at, fmt.Sprintf(format, args...), told(last))
	}
	side, want := "5540", last.State
	if want == ChangeConfirmed {
		side = "5600"
	}
	for _, d := range k.devices {
		if got := f.freqs(d); got != side {
			fail("%s has %s; all: %s", d, got, f.freqs(k.devices...))
		}
		state := last.at(d).State
		if told := state == StepConfirmed; told != (side == "5600") {
			fail("the journal says of %s that it is %s", d, state)
		}
	}
	if last.Outcome == "" {
		fail("no outcome")
	}
	// Nothing stays locked: the same change can be made now.
	if side == "5540" {
		if r := b.end(b.apply(ApplyRequest{}).ID); r.State != ChangeConfirmed || f.freqs(k.devices[0]) != "5600" {
			fail("a second try: %s", told(r))
		}
	}
	if rep, err := log.Verify(t.Context()); err != nil || !rep.OK() {
		fail("audit log: %+v %v", rep, err)
	}
	return chances, last
}

// everyPoint plays a change without a kill, then once for each point and pause.
func (k killed) everyPoint(t *testing.T, postgres bool, away ...time.Duration) {
	play := func(k killed) (chances int, r ChangeRecord) {
		if postgres {
			k.pg = storetest.PostgresURL(t) // before the fake time begins
		}
		synctest.Test(t, func(t *testing.T) { chances, r = k.play(t) })
		return chances, r
	}
	chances, r := play(k)
	stays := !k.manual || k.confirm
	if stays != (r.State == ChangeConfirmed) || !stays && (r.State != ChangeFellBack || r.Cause != CauseUnconfirmed) {
		t.Errorf("without a kill: %s", told(r))
	}
	ends := map[ChangeState]int{}
	for k.point = 1; k.point <= chances; k.point += stride {
		for _, k.away = range away {
			_, r := play(k)
			ends[r.State]++
			if t.Failed() {
				return
			}
		}
	}
	t.Logf("killed at %d points: %v", chances, ends)
}

var (
	soon = time.Duration(0)
	held = 60 * time.Second // the hold is not over yet
	over = 10 * time.Minute
	one  = []network.DeviceID{"lone"}
	two  = []network.DeviceID{"near", "far"}
)

func TestKilledAtEveryStepOneDevice(t *testing.T) {
	killed{devices: one, want: moveLone}.everyPoint(t, false, soon, over)
}

func TestKilledAtEveryStepOneDeviceConfirmedByHand(t *testing.T) {
	killed{devices: one, want: moveLone, manual: true, confirm: true}.everyPoint(t, false, held, over)
}

func TestKilledAtEveryStepOneDeviceNeverConfirmed(t *testing.T) {
	killed{devices: one, want: moveLone, manual: true}.everyPoint(t, false, soon, over)
}

func TestKilledAtEveryStepBothEnds(t *testing.T) {
	killed{devices: two, want: moveBoth}.everyPoint(t, false, soon, held, over)
}

func TestKilledAtEveryStepBothEndsConfirmedByHand(t *testing.T) {
	killed{devices: two, want: moveBoth, manual: true, confirm: true}.everyPoint(t, false, held, over)
}

func TestKilledAtEveryStepBothEndsNeverConfirmed(t *testing.T) {
	killed{devices: two, want: moveBoth, manual: true}.everyPoint(t, false, held)
}

func TestKilledAtEveryStepOnPostgreSQL(t *testing.T) {
	killed{devices: two, want: moveBoth}.everyPoint(t, true, over)
}
