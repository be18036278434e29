package store_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func TestClockOfTransactions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		want := time.Date(2027, 1, 31, 8, 0, 0, 0, time.UTC)
		db.SetClock(func() time.Time { return want })
		var got, viewed time.Time
		if err := db.Do(t.Context(), func(tx *store.Tx) error { got = tx.Now; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := db.View(t.Context(), func(tx *store.Tx) error { viewed = tx.Now; return nil }); err != nil {
			t.Fatal(err)
		}
		if !got.Equal(want) || !viewed.Equal(want) {
			t.Errorf("Now = %v and %v, want %v", got, viewed, want)
		}
	})
}
