package controller

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
	"github.com/crinale/crinale/internal/unit"
)

// story plays in fake time with an engine over an empty database.
func story(t *testing.T, want func(network.DeviceID, *network.Settings), tell func(t *testing.T, b *bench, f *fakeFleet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		db := storetest.SQLite(t)
		f := newFakeFleet()
		tell(t, run(t, db, newAudit(t, db), f, fakeNet(want), nil), f)
	})
}

// ends checks how a change ended, and the frequencies of near, far and lone.
func ends(t *testing.T, b *bench, id string, state ChangeState, cause ChangeCause, freqs string, words ...string) ChangeRecord {
	t.Helper()
	r := b.end(id)
	if got := b.fleet.freqs("near", "far", "lone"); r.State != state || r.Cause != cause || got != freqs {
		t.Errorf("got %s (%s) and %s, want %s (%s) and %s\n%s", r.State, r.Cause, got, state, cause, freqs, told(r))
	}
	for _, w := range words {
		if !strings.Contains(r.Outcome, w) {
			t.Errorf("want %q in: %s", w, r.Outcome)
		}
	}
	return r
}

func wantKind(t *testing.T, err error, kind fault.Kind, words ...string) {
	t.Helper()
	if err == nil || fault.Of(err) != kind {
		t.Errorf("got %v (%v), want %v", err, fault.Of(err), kind)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("want %q in: %v", w, err)
		}
	}
}

func TestManualChange(t *testing.T) {
	story(t, moveBoth, func(t *testing.T, b *bench, f *fakeFleet) {
		ctx := audit.With(t.Context(), audit.Actor{Who: "tecnica", Via: "session", From: "10.1.1.1"})
		r := b.apply(ApplyRequest{Manual: true, Hold: 2 * time.Minute})
		if r.State != ChangePlanned || r.Who != "tecnica" || r.HoldS != 120 || len(r.Events) != 2 {
			t.Errorf("at first: %s", told(r))
		}
		_, err := b.c.Confirm(ctx, r.ID)
		wantKind(t, err, fault.Conflict, "not verified yet")
		b.until(r.ID, ChangeWaiting)
		if got := f.freqs("near", "far", "lone"); got != "5600* 5600* 5540" {
			t.Errorf("while it waits: %s", got)
		}
		for range 2 { // twice is no error
			if r, err = b.c.Confirm(ctx, r.ID); err != nil || r.State != ChangeConfirmed {
				t.Errorf("%v\n%s", err, told(r))
			}
		}
		ends(t, b, r.ID, ChangeConfirmed, "", "5600 5600 5540", "Confirmed")
		_, err = b.c.Confirm(ctx, "20000101-0000-none")
		wantKind(t, err, fault.NotFound, "there is no change")
		lines, err := b.audit.List(t.Context(), audit.Query{Limit: 10})
		if err != nil || len(lines) != 2 {
			t.Fatalf("%+v %v", lines, err)
		}
		for i, want := range []string{"change.confirm", "change.apply"} {
			if l := lines[i]; l.Action != want || l.Who != "tecnica" || l.Object != r.ID || l.Detail["devices"] != "near, far" {
				t.Errorf("audit: %+v", l)
			}
		}
	})
}

func TestManualChangeNeverConfirmedIsUndoneByTheDevices(t *testing.T) {
	story(t, moveBoth, func(t *testing.T, b *bench, f *fakeFleet) {
		r := b.apply(ApplyRequest{Manual: true})
		b.until(r.ID, ChangeWaiting)
		time.Sleep(80 * time.Second) // the margin before the end of the hold
		_, err := b.c.Confirm(t.Context(), r.ID)
		wantKind(t, err, fault.Unconfirmed, "too late")
		r = ends(t, b, r.ID, ChangeFellBack, CauseUnconfirmed, "5540 5540 5540", "by itself went near, far", "nobody confirmed it", "Apply again")
		if f.did("undo near")+f.did("undo far") > 0 {
			t.Errorf("undone by the engine: %v", f.calls)
		}
		_, err = b.c.Confirm(t.Context(), r.ID)
		wantKind(t, err, fault.Unconfirmed, "too late", "nobody confirmed it")
		_, err = b.c.Revert(t.Context(), r.ID)
		wantKind(t, err, fault.Conflict, "went back already")
	})
}

func TestRevertOfAChangeUnderWay(t *testing.T) {
	story(t, moveBoth, func(t *testing.T, b *bench, f *fakeFleet) {
		r := b.apply(ApplyRequest{Manual: true})
		b.until(r.ID, ChangeWaiting)
		begun := time.Now()
		r, err := b.c.Revert(audit.With(t.Context(), audit.Actor{Who: "collega"}), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		ends(t, b, r.ID, ChangeUndone, CauseAsked, "5540 5540 5540", "collega asked for it")
		if took := time.Since(begun); took > 30*time.Second {
			t.Errorf("it took %v", took)
		}
		lines, _ := b.audit.List(t.Context(), audit.Query{Limit: 2})
		if len(lines) != 2 || lines[0].Action != "change.undone" || lines[0].Who != "program" || lines[1].Action != "change.revert" || lines[1].Who != "collega" {
			t.Errorf("audit: %+v", lines)
		}
	})
}

func TestRevertOfAConfirmedChange(t *testing.T) {
	story(t, moveBoth, func(t *testing.T, b *bench, f *fakeFleet) {
		r := ends(t, b, b.apply(ApplyRequest{}).ID, ChangeConfirmed, "", "5600 5600 5540")
		back, err := b.c.Revert(audit.With(t.Context(), audit.Actor{Who: "tecnica"}), r.ID)
		if err != nil || back.ID == r.ID || back.Of != r.ID || back.Repair != 0 {
			t.Fatalf("%v\n%s", err, told(back))
		}
		ends(t, b, back.ID, ChangeConfirmed, "", "5540 5540 5540")
		d, err := b.c.Diff(t.Context(), nil)
		if err != nil || d.Count() != 2 || d.Devices[0].Differences[0].Kind != FilesMoved {
			t.Errorf("the files now want what was reverted: %+v %v", d, err)
		}
		// Reverted by hand meanwhile: the devices are not what From says.
		f.edit("near", func(d *fakeDevice) { d.values[fakeFreq] = "5700" })
		f.edit("far", func(d *fakeDevice) { d.values[fakeFreq] = "5700" })
		again, err := b.c.Revert(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		ends(t, b, again.ID, ChangeFailed, CauseRefused, "5700 5700 5540", "no device was changed", "changed since")
	})
}

// inFakeTime plays on both databases.
func inFakeTime(t *testing.T, tell func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { tell(t, storetest.SQLite(t)) })
	})
	t.Run("postgres", func(t *testing.T) {
		url := storetest.PostgresURL(t) // before the fake time begins
		synctest.Test(t, func(t *testing.T) { tell(t, storetest.Open(t, url)) })
	})
}

func TestTwoAppliesAtOnce(t *testing.T) {
	inFakeTime(t, func(t *testing.T, db *store.DB) {
		f := newFakeFleet()
		b := run(t, db, newAudit(t, db), f, fakeNet(moveBoth), nil)
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() {
				ctx := audit.With(t.Context(), audit.Actor{Who: fmt.Sprintf("tecnica-%d", i)})
				_, errs[i] = b.c.Apply(ctx, ApplyRequest{Manual: true})
			})
		}
		wg.Wait()
		begun := 0
		for _, err := range errs {
			if err == nil {
				begun++
			} else {
				wantKind(t, err, fault.Conflict)
			}
		}
		if begun != 1 {
			t.Fatalf("%d changes of the same devices began: %v", begun, errs)
		}
		_, err := b.c.Apply(t.Context(), ApplyRequest{Devices: []network.DeviceID{"near"}})
		if err == nil {
			t.Fatal("a third one began")
		}
		all, err := b.c.History(t.Context(), HistoryQuery{})
		if err != nil || len(all) != 1 {
			t.Fatalf("%+v %v", all, err)
		}
		if _, err := b.c.Apply(t.Context(), ApplyRequest{}); fault.Of(err) == fault.Conflict && !strings.Contains(err.Error(), "begun by "+all[0].Who) {
			t.Errorf("it does not say who: %v", err)
		}
		if _, err := b.c.Revert(t.Context(), all[0].ID); err != nil {
			t.Error(err)
		}
	})
}

func TestApplyRefuses(t *testing.T) {
	story(t, moveBoth, func(t *testing.T, b *bench, f *fakeFleet) {
		ctx := t.Context()
		d, err := b.c.Diff(ctx, nil)
		if err != nil || d.Count() != 2 || d.Digest == "" {
			t.Fatalf("%+v %v", d, err)
		}
		f.edit("lone", func(d *fakeDevice) { d.values[fakeFreq] = "5300" })
		_, err = b.c.Apply(ctx, ApplyRequest{Digest: d.Digest})
		wantKind(t, err, fault.Conflict, "look at the differences again")
		_, err = b.c.Apply(ctx, ApplyRequest{Devices: []network.DeviceID{"far"}})
		wantKind(t, err, fault.Invalid, "two ends of link up", "freq_mhz", "apply both")
		_, err = b.c.Apply(ctx, ApplyRequest{Devices: []network.DeviceID{"nobody"}})
		wantKind(t, err, fault.Invalid, `no device "nobody"`)
		_, err = b.c.Apply(ctx, ApplyRequest{Devices: []network.DeviceID{"gateway"}})
		wantKind(t, err, fault.Invalid, "no address")
		_, err = b.c.Apply(ctx, ApplyRequest{Hold: time.Second})
		wantKind(t, err, fault.Invalid, "hold 1s", "5s to 1h")
		f.edit("lone", func(d *fakeDevice) { d.dead = true })
		_, err = b.c.Apply(ctx, ApplyRequest{Devices: []network.DeviceID{"lone"}})
		wantKind(t, err, fault.Unreachable, "lone")
		f.edit("lone", func(d *fakeDevice) { d.dead, d.values[fakeFreq] = false, "5540" })
		_, err = b.c.Apply(ctx, ApplyRequest{Devices: []network.DeviceID{"lone"}})
		wantKind(t, err, fault.Invalid, "nothing differs")
		if n := f.did("arm near") + f.did("arm far") + f.did("arm lone"); n > 0 {
			t.Errorf("%d were armed", n)
		}
		_, err = b.c.History(ctx, HistoryQuery{Limit: 501})
		wantKind(t, err, fault.Invalid, "501")
		_, err = b.c.History(ctx, HistoryQuery{Before: "x"})
		wantKind(t, err, fault.NotFound)
	})
}

func TestBeforeAndAfterRunNothingBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.SQLite(t)
		f := newFakeFleet()
		c, err := NewChanges(DefaultChanges(), ChangesDeps{Store: db, Audit: newAudit(t, db), Fleet: f, Observe: f.Observe,
			Desired: func(context.Context) (*network.Network, error) { return fakeNet(moveLone), nil }})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Apply(t.Context(), ApplyRequest{})
		wantKind(t, err, fault.Unreachable, "still starting")
		b := run(t, db, newAudit(t, db), f, fakeNet(moveLone), nil)
		b.close()
		_, err = b.c.Apply(t.Context(), ApplyRequest{})
		wantKind(t, err, fault.Unreachable, "is ending")
	})
}

func TestDriftIsToldFromWhatIsWanted(t *testing.T) {
	story(t, func(network.DeviceID, *network.Settings) {}, func(t *testing.T, b *bench, f *fakeFleet) {
		if d, err := b.c.Diff(t.Context(), nil); err != nil || d.Count() != 0 || len(d.Unread) != 0 {
			t.Fatalf("%+v %v", d, err)
		}
		f.edit("lone", func(d *fakeDevice) { d.values[fakePower] = "17" }) // by hand
		b.net.Store(fakeNet(moveBoth))                                     // in the files
		f.edit("near", func(d *fakeDevice) { d.values[fakeFreq], d.values[fakeSSID] = "5580", "x" })
		f.edit("far", func(d *fakeDevice) { d.dead = true })
		time.Sleep(16 * time.Minute)
		d, ok := b.c.Drift()
		if !ok {
			t.Fatal("no round of reading yet")
		}
		kinds := map[string]DifferenceKind{}
		for _, dev := range d.Devices {
			for _, x := range dev.Differences {
				kinds[string(dev.Device)+" "+x.Key.Field] = x.Kind
			}
		}
		want := map[string]DifferenceKind{"lone tx_power_dbm": DeviceMoved, "near freq_mhz": BothMoved, "near ssid": DeviceMoved}
		if !reflect.DeepEqual(kinds, want) {
			t.Errorf("got %v, want %v", kinds, want)
		}
		if len(d.Unread) != 1 || d.Unread[0].Device != "far" || d.Unread[0].Kind != "unreachable" {
			t.Errorf("unread: %+v", d.Unread)
		}
		if fig := b.c.Figures(); fig.Drifted != 2 || fig.Unread != 1 {
			t.Errorf("figures %+v", fig)
		}
	})
}

func TestHistoryIsPaged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := run(t, db, newAudit(t, db), newFakeFleet(), fakeNet(moveLone), nil)
		for i := range 7 {
			d := network.DeviceID([]string{"near", "lone"}[i%2])
			r := ChangeRecord{ID: fmt.Sprintf("c%d", i), State: ChangeFailed, Devices: []ChangeDevice{{Device: d, State: StepUntouched}}}
			err := db.Do(t.Context(), func(tx *store.Tx) error { return b.c.enter(t.Context(), tx, &r) })
			if err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		q := HistoryQuery{Device: "near", Limit: 3}
		for {
			page, err := b.c.History(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page {
				got = append(got, r.ID)
				q.Before = r.ID
			}
			if len(page) < 3 {
				break
			}
		}
		if !reflect.DeepEqual(got, []string{"c6", "c4", "c2", "c0"}) {
			t.Errorf("got %v", got)
		}
	})
}

// What is no UTF-8 goes through the journal byte for byte.
func TestBytesSurviveTheJournal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := run(t, db, newAudit(t, db), newFakeFleet(), fakeNet(moveLone), nil)
		odd := []string{"citt\xe0", "\x00b64", "", "perché"}
		r := ChangeRecord{ID: "bytes", State: ChangeFailed, Devices: []ChangeDevice{{Device: "lone", State: StepUntouched, WayBack: &network.WayBack{Script: "a\xff"}}}}
		for i := range odd {
			k := fakeSSID
			k.Name = "wlan\xe8"
			r.Devices[0].Changes = append(r.Devices[0].Changes, network.Change{Key: k, From: &odd[i]})
		}
		if err := db.Do(t.Context(), func(tx *store.Tx) error { return b.c.enter(t.Context(), tx, &r) }); err != nil {
			t.Fatal(err)
		}
		got, err := b.c.Change(t.Context(), "bytes")
		if err != nil || !reflect.DeepEqual(got.Devices, r.Devices) {
			t.Errorf("%v\ngot  %+v\nwant %+v", err, got.Devices, r.Devices)
		}
	})
}

func TestLeastLevel(t *testing.T) {
	db := func(v float64) unit.Opt[unit.DBm] { return unit.Some(unit.DBm(v)) }
	var none unit.Opt[unit.DBm]
	for _, c := range []struct {
		now, then, level unit.Opt[unit.DBm]
		power            unit.DB
		want             unit.Opt[unit.DBm]
	}{
		{db(-60), db(-60), db(-62), 0, db(-68)},   // nothing moves
		{db(-66), db(-60), db(-62), 0, db(-74)},   // the plan expects 6 dB less
		{db(-54), db(-60), db(-58), 0, db(-60)},   // no more than the new plan
		{none, none, db(-62), -10, db(-78)},       // no plan: the power tells
		{db(-60), none, db(-50), 0, db(-66)},      // a level above the plan is no promise
		{db(-60), db(-60), none, 0, none},         // nothing was heard before
		{db(-60), db(-60), db(-85), 0, db(-91)},   // weak before, weak after
		{db(-50), db(-60), db(-62), -10, db(-58)}, // with both plans the power counts in them
	} {
		if got := least(c.now, c.then, c.level, c.power, 6); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}
