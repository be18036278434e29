package controller

import (
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store"
)

// What was changed by hand while a change waited is not confirmed: the ways
// back stay, and bring the link back.
func TestAChangeThatIsNotWellAnyMoreIsNotConfirmed(t *testing.T) {
	story(t, moveBoth, func(t *testing.T, b *bench, f *fakeFleet) {
		id := b.apply(ApplyRequest{Manual: true}).ID
		b.until(id, ChangeWaiting)
		f.edit("near", func(d *fakeDevice) { d.values[fakeFreq] = "5580" })
		_, err := b.c.Confirm(t.Context(), id)
		wantKind(t, err, fault.Conflict, "not well any more")
		if f.did("confirm near") != 0 {
			t.Error(f.calls)
		}
		r := b.end(id)
		if r.Cause != CauseUnconfirmed || f.freqs("near", "far") != "5540 5540" {
			t.Errorf("%s\n%s", f.freqs("near", "far"), told(r))
		}
	})
}

// One that is well again is.
func TestAChangeThatIsWellAgainIsConfirmed(t *testing.T) {
	story(t, moveBoth, func(t *testing.T, b *bench, f *fakeFleet) {
		id := b.apply(ApplyRequest{Manual: true}).ID
		b.until(id, ChangeWaiting)
		f.edit("near", func(d *fakeDevice) { d.values[fakeSSID] = "other" })
		_, err := b.c.Confirm(t.Context(), id)
		wantKind(t, err, fault.Conflict, "link up")
		f.edit("near", func(d *fakeDevice) { d.values[fakeSSID] = "ridge" })
		if r, err := b.c.Confirm(t.Context(), id); err != nil || r.State != ChangeConfirmed {
			t.Errorf("%v %s", err, told(r))
		}
	})
}

func TestAHandIsNotTakenForTheWayBack(t *testing.T) {
	to := "5600"
	r := ChangeRecord{State: ChangeConfirming, Devices: []ChangeDevice{{Device: "near", State: StepConfirming, Written: true,
		Changes: []network.Change{{Key: fakeFreq, To: &to}}}}}
	d := decide(r, map[network.DeviceID]sight{"near": {other: []string{"radio wlan1 freq_mhz is \"5580\""}}}, clock{})
	if !strings.Contains(d.turn, "near was changed by hand") {
		t.Errorf("%+v", d)
	}
}

// A full disk is told to whoever asks for a change or confirms one, with what
// it means for the devices.
func TestAFullDiskIsToldToWhoAsks(t *testing.T) {
	full := func(t *testing.T, b *bench) {
		if err := b.c.deps.Store.Do(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `CREATE TRIGGER disk_full BEFORE INSERT ON changes_events BEGIN SELECT RAISE(FAIL, 'disk is full'); END`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, waiting := range []bool{false, true} {
		story(t, moveLone, func(t *testing.T, b *bench, f *fakeFleet) {
			if !waiting {
				full(t, b)
				_, err := b.c.Apply(t.Context(), ApplyRequest{})
				wantKind(t, err, fault.Refused, "nothing was changed: ")
				wantKind(t, err, fault.Refused, "disk is full")
				return
			}
			id := b.apply(ApplyRequest{Manual: true}).ID
			b.until(id, ChangeWaiting)
			full(t, b)
			_, err := b.c.Confirm(t.Context(), id)
			wantKind(t, err, fault.Unconfirmed, "go back by themselves")
			time.Sleep(2 * time.Minute)
			if f.freqs("lone") != "5540" || f.did("confirm lone") != 0 {
				t.Error(f.freqs("lone"), f.calls)
			}
		})
	}
}
