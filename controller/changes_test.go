package controller

import (
	"testing"
	"testing/synctest"

	"github.com/crinale/crinale/internal/store/storetest"
)

func TestAChangeOfBothEndsConfirmsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.SQLite(t)
		f := newFakeFleet()
		b := run(t, db, newAudit(t, db), f, fakeNet(moveBoth), nil)
		r := b.end(b.apply(ApplyRequest{}).ID)
		if r.State != ChangeConfirmed || f.freqs("near", "far", "lone") != "5600 5600 5540" {
			t.Errorf("%s\n%s", f.freqs("near", "far", "lone"), told(r))
		}
		t.Log(told(r))
		if d, err := b.c.Diff(t.Context(), nil); err != nil || d.Count() != 0 {
			t.Errorf("%+v %v", d, err)
		}
	})
}
