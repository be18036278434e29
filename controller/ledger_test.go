package controller_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func TestLedgerGivesBackWhatItWasGiven(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := controller.NewLedger(db)
		if as, err := l.Load(t.Context()); err != nil || len(as) != 0 {
			t.Fatalf("a new ledger has %v: %v", as, err)
		}
		opened := time.Date(2026, 11, 22, 6, 30, 0, 123456789, time.UTC)
		a := controller.Alert{
			ID: "weak-signal-l-20261122t063000z", Kind: controller.WeakSignal, Severity: controller.Warning, Link: "l", End: network.EndB, Device: "d",
			Partners: []network.PartnerID{"p", "q"}, Opened: opened,
			Measured: controller.Figure{Key: "signal_dbm", Value: -84.5}, Expected: controller.Figure{Key: "signal_dbm", Value: -62},
			Seen: controller.Text{IT: "perché è così.", EN: "so it is."}, ToDo: controller.Text{IT: "niente.", EN: "nothing."},
		}
		b := controller.Alert{ID: "device-unreachable-d-1", Kind: controller.DeviceUnreachable, Device: "d", Partners: []network.PartnerID{}, Opened: opened.Add(time.Second)}
		if err := l.Save(t.Context(), []controller.Alert{a, b}); err != nil {
			t.Fatal(err)
		}
		closed := opened.Add(time.Hour)
		b.Closed = &closed
		for range 2 { // saving again changes nothing
			if err := l.Save(t.Context(), []controller.Alert{b}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := controller.NewLedger(db).Load(t.Context())
		if err != nil || !reflect.DeepEqual(got, []controller.Alert{a, b}) {
			t.Errorf("%v\ngot  %+v\nwant %+v", err, got, []controller.Alert{a, b})
		}
	})
}
