package outbox

import (
	"context"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func TestPauseDoublesUpToTheLongest(t *testing.T) {
	b := &Box{cfg: Config{First: 2 * time.Second, Longest: time.Minute}}
	want := []time.Duration{2, 4, 8, 16, 32, 60, 60}
	for tries, w := range want {
		if got := b.pause(tries); got != w*time.Second {
			t.Errorf("pause after %d tries %v, want %v", tries, got, w*time.Second)
		}
	}
	if got := b.pause(1 << 30); got != time.Minute {
		t.Errorf("pause after very many tries %v", got)
	}
}

func TestDeliveredLongAgoIsForgotten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, err := New(Default(), Deps{Store: db})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.Handle("q", func(context.Context, Message) error { return nil })
		err = db.Do(t.Context(), func(tx *store.Tx) error {
			for _, key := range []string{"old", "new", "waits"} {
				m := Message{Queue: "q", Key: key}
				if key == "waits" {
					m.Due = tx.Now.Add(time.Hour)
				}
				if err := b.Add(t.Context(), tx, m); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			_, err = b.Deliver(t.Context())
		}
		if err == nil {
			err = db.Do(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(t.Context(), `UPDATE outbox_messages SET done_ms = $1 WHERE key = 'old'`, store.Millis(tx.Now.Add(-b.cfg.Keep-time.Minute)))
				return err
			})
		}
		if err == nil {
			err = b.purge(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		var left int
		err = db.View(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM outbox_messages WHERE key IN ('new', 'waits')`).Scan(&left)
		})
		if err != nil || left != 2 {
			t.Errorf("%d of two left, %v", left, err)
		}
		err = db.View(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM outbox_messages`).Scan(&left)
		})
		if err != nil || left != 2 {
			t.Errorf("the old one stayed: %d rows, %v", left, err)
		}
	})
}

func TestOnlyOneRunAtATime(t *testing.T) {
	b, err := New(Default(), Deps{Store: storetest.SQLite(t)})
	if err != nil {
		t.Fatal(err)
	}
	b.running = true
	if err := b.Run(t.Context()); err == nil {
		t.Error("a second Run was let in")
	}
}
