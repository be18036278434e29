package controller

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func TestDeviceThatGivesNoWayBackIsNotChanged(t *testing.T) {
	story(t, moveBoth, func(t *testing.T, b *bench, f *fakeFleet) {
		f.before = func(op string, d network.DeviceID) error {
			if op == "arm" && d == "far" {
				return fault.New(fault.Refused, "not allowed by device-mode")
			}
			return nil
		}
		r := ends(t, b, b.apply(ApplyRequest{}).ID, ChangeFailed, CauseRefused, "5540 5540 5540", "no device was changed", "far gave no way back", "device-mode")
		if r.at("near").State != StepUntouched || f.did("write near")+f.did("write far") > 0 {
			t.Errorf("%s", told(r))
		}
	})
}

func TestSettingThatIsRefusedUndoesTheOthers(t *testing.T) {
	story(t, moveBoth, func(t *testing.T, b *bench, f *fakeFleet) {
		f.before = func(op string, d network.DeviceID) error {
			if op == "write" && d == "near" {
				return fault.New(fault.Refused, "frequency: value not in range")
			}
			return nil
		}
		ends(t, b, b.apply(ApplyRequest{}).ID, ChangeFellBack, CauseRefused, "5540 5540 5540", "near did not take its settings", "not in range")
	})
}

func TestDeviceThatVanishes(t *testing.T) {
	for _, c := range []struct {
		at    string
		state ChangeState
		cause ChangeCause
	}{
		{"arm far", ChangeFailed, CauseUnreachable},
		{"write far", ChangeFellBack, CauseNotVerified},
		{"write near", ChangeFellBack, CauseNotVerified},
	} {
		t.Run(c.at, func(t *testing.T) {
			story(t, moveBoth, func(t *testing.T, b *bench, f *fakeFleet) {
				f.before = func(op string, d network.DeviceID) error {
					if op+" "+string(d) == c.at {
						f.edit("far", func(d *fakeDevice) { d.dead = true })
					}
					return nil
				}
				r := b.apply(ApplyRequest{})
				time.Sleep(5 * time.Minute)
				f.edit("far", func(d *fakeDevice) { d.dead = false })
				ends(t, b, r.ID, c.state, c.cause, "5540 5540 5540", "far")
			})
		})
	}
}

func TestDeviceThatNeverComesBackIsLostAndHoldsUpNobody(t *testing.T) {
	story(t, moveLone, func(t *testing.T, b *bench, f *fakeFleet) {
		f.after = func(op string, d network.DeviceID) error {
			if op == "write" {
				f.edit("lone", func(d *fakeDevice) { d.dead = true })
			}
			return nil
		}
		r := b.end(b.apply(ApplyRequest{}).ID)
		if r.State != ChangeFailed || r.at("lone").State != StepLost || !strings.Contains(r.Outcome, "lone: silent since the change") {
			t.Errorf("%s", told(r))
		}
		f.on(nil, nil)
		f.edit("lone", func(d *fakeDevice) { d.dead = false })
		if r := b.end(b.apply(ApplyRequest{}).ID); r.State != ChangeConfirmed {
			t.Errorf("%s", told(r))
		}
	})
}

func TestSlowDevice(t *testing.T) {
	story(t, moveLone, func(t *testing.T, b *bench, f *fakeFleet) {
		f.edit("lone", func(d *fakeDevice) { d.slow = 4 * time.Second })
		ends(t, b, b.apply(ApplyRequest{}).ID, ChangeConfirmed, "", "5540 5540 5600")
		b.net.Store(fakeNet(func(network.DeviceID, *network.Settings) {}))
		r := b.apply(ApplyRequest{})
		f.edit("lone", func(d *fakeDevice) { d.slow = 25 * time.Second }) // longer than anybody waits
		time.Sleep(10 * time.Minute)
		f.edit("lone", func(d *fakeDevice) { d.slow = 0 })
		r = b.end(r.ID)
		if r.State != ChangeFailed || f.freqs("lone") != "5600" {
			t.Errorf("%s\n%s", f.freqs("lone"), told(r))
		}
	})
}

func TestLinkThatComesBackTooWeakIsUndone(t *testing.T) {
	story(t, moveBoth, func(t *testing.T, b *bench, f *fakeFleet) {
		f.loss = 5 // at both writes once: still within the slack
		ends(t, b, b.apply(ApplyRequest{}).ID, ChangeConfirmed, "", "5600 5600 5540")
		b.net.Store(fakeNet(func(network.DeviceID, *network.Settings) {}))
		f.edit("near", func(*fakeDevice) { f.loss = 7 })
		ends(t, b, b.apply(ApplyRequest{}).ID, ChangeUndone, CauseNotVerified, "5600 5600 5540", "link up at near", "up with -72.0 dBm, at least -71.0 dBm is expected")
	})
}

func TestDeviceChangedByHandDuringTheHold(t *testing.T) {
	story(t, moveLone, func(t *testing.T, b *bench, f *fakeFleet) {
		r := b.apply(ApplyRequest{Manual: true})
		b.until(r.ID, ChangeWaiting)
		// Somebody takes the way back away and sets something else.
		f.edit("lone", func(d *fakeDevice) { d.way, d.values[fakeFreq] = nil, "5700" })
		r = b.end(r.ID)
		if r.State != ChangeFailed || r.at("lone").State != StepFailed || !strings.Contains(r.at("lone").Error, `freq_mhz is "5700"`) || !strings.Contains(r.Outcome, "neither as before nor as wanted") {
			t.Errorf("%s", told(r))
		}
		if f.freqs("lone") != "5700" {
			t.Errorf("what was set by hand was changed: %s", f.freqs("lone"))
		}
	})
}

func TestWayBackTakenAwayByHandIsNoConfirmation(t *testing.T) {
	story(t, moveBoth, func(t *testing.T, b *bench, f *fakeFleet) {
		r := b.apply(ApplyRequest{Manual: true})
		b.until(r.ID, ChangeWaiting)
		f.edit("near", func(d *fakeDevice) { d.way = nil })
		r = b.end(r.ID)
		if r.State != ChangeFellBack || r.at("near").State != StepReturning || !strings.Contains(r.Outcome, "Half confirmed: near") {
			t.Errorf("%s", told(r))
		}
		all := b.quiet()
		last := all[len(all)-1]
		if last.Of != r.ID || last.Repair != 1 || last.State != ChangeConfirmed || f.freqs("near", "far") != "5540 5540" {
			t.Errorf("%s\n%s\n%s", f.freqs("near", "far"), told(r), told(last))
		}
	})
}

func TestFullDiskInTheMiddleOfAChange(t *testing.T) {
	full := func(t *testing.T, db *store.DB, on bool) {
		t.Helper()
		q := `DROP TRIGGER disk_full`
		if on {
			q = `CREATE TRIGGER disk_full BEFORE INSERT ON changes_events BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END`
		}
		if err := db.Do(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(t.Context(), q); return err }); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		after string // the disk is full once this was done
		never string // and this must not be done then
		state ChangeState
		freqs string
	}{
		{"observe lone", "arm lone", ChangeFailed, "5540 5540 5540"},
		{"arm lone", "write lone", ChangeFailed, "5540 5540 5540"},
		{"write lone", "confirm lone", ChangeFellBack, "5540 5540 5540"},
		{"confirm lone", "undo lone", ChangeConfirmed, "5540 5540 5600"},
	} {
		t.Run(c.after, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := storetest.SQLite(t)
				f := newFakeFleet()
				b := run(t, db, newAudit(t, db), f, fakeNet(moveLone), nil)
				once := false
				f.after = func(op string, d network.DeviceID) error {
					if op+" "+string(d) == c.after && !once {
						once = true
						full(t, db, true)
					}
					return nil
				}
				r := b.apply(ApplyRequest{})
				time.Sleep(3 * time.Minute)
				if n := f.did(c.never); n > 0 {
					t.Errorf("%s without a journal", c.never)
				}
				if got, _ := b.c.Change(t.Context(), r.ID); got.State.Ended() {
					t.Errorf("ended on a full disk: %s", told(got))
				}
				full(t, db, false)
				r = b.end(r.ID)
				if got := f.freqs("near", "far", "lone"); r.State != c.state || got != c.freqs {
					t.Errorf("%s\n%s", got, told(r))
				}
				if c.state == ChangeFellBack && r.Cause != CauseInterrupted {
					t.Errorf("%s", told(r))
				}
			})
		})
	}
	story(t, moveLone, func(t *testing.T, b *bench, f *fakeFleet) { // full before the first line
		full(t, b.c.deps.Store, true)
		if _, err := b.c.Apply(t.Context(), ApplyRequest{}); err == nil || !strings.Contains(err.Error(), "disk is full") {
			t.Errorf("got %v", err)
		}
		if f.did("arm lone") > 0 {
			t.Error("armed without a journal")
		}
	})
}

// The first is confirmed, then the far end is silent until it has gone back.
func TestHalfConfirmedChangeIsTakenBack(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprintf("answer lost %v", lost), func(t *testing.T) {
			story(t, moveBoth, func(t *testing.T, b *bench, f *fakeFleet) {
				f.before = func(op string, d network.DeviceID) error {
					if op == "confirm" && d == "far" && !lost {
						f.edit("far", func(d *fakeDevice) { d.dead = true })
					}
					return nil
				}
				f.after = func(op string, d network.DeviceID) error {
					if op == "confirm" && d == "far" {
						f.edit("far", func(d *fakeDevice) { d.dead = true })
						return errors.New("the answer was lost")
					}
					return nil
				}
				r := b.apply(ApplyRequest{})
				time.Sleep(20 * time.Minute)
				f.on(nil, nil)
				f.edit("far", func(d *fakeDevice) { d.dead = false })
				all := b.quiet()
				r = b.end(r.ID)
				want := "5540 5540"
				if lost { // far had confirmed, which nobody could know
					want = "5600 5600"
				}
				if got := f.freqs("near", "far"); got != want || r.State == ChangeConfirmed || len(all) < 2 {
					t.Errorf("%s", got)
					for _, r := range all {
						t.Log(told(b.end(r.ID)))
					}
				}
			})
		})
	}
}
