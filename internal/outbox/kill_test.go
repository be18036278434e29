package outbox_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

const (
	childEnv = "CRINALE_TEST_OUTBOX_CHILD" // URL of the database
	fileEnv  = "CRINALE_TEST_OUTBOX_FILE"  // where deliveries are written down
)

// TestMain tells and delivers without end when a test has started this binary
// again, so that it can be killed.
func TestMain(m *testing.M) {
	if url := os.Getenv(childEnv); url != "" {
		fmt.Fprintln(os.Stderr, child(context.Background(), url, os.Getenv(fileEnv)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// child prints each event once its transaction is acknowledged, and writes
// each delivery to a file.
func child(ctx context.Context, url, file string) error {
	db, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	cfg := outbox.Default()
	cfg.Every, cfg.First, cfg.Longest, cfg.Tries = 5*time.Millisecond, time.Millisecond, 5*time.Millisecond, 1000
	b, err := outbox.New(cfg, outbox.Deps{Store: db, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if err := b.Open(ctx); err != nil {
		return err
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	n := 0
	b.Handle("q", func(_ context.Context, m outbox.Message) error {
		if n++; n%7 == 0 {
			return fmt.Errorf("the seventh fails")
		}
		_, err := fmt.Fprintln(out, m.Key)
		return err
	})
	go b.Run(ctx)
	for i := 0; ; i++ {
		key := fmt.Sprintf("%d-%d", os.Getpid(), i)
		err := db.Do(ctx, func(tx *store.Tx) error {
			if _, err := tx.Exec(ctx, `INSERT INTO test_event (id) VALUES ($1)`, key); err != nil {
				return err
			}
			return b.Add(ctx, tx, outbox.Message{Queue: "q", Key: key, Body: []byte(key)})
		})
		if err != nil {
			return err
		}
		fmt.Println(key)
	}
}

// killAfter lets a child tell so many events and kills it; what it told comes
// back.
func killAfter(t *testing.T, url, file string, n int) (told []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+url, fileEnv+"="+file)
	var talk strings.Builder
	cmd.Stderr = &talk
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if told = append(told, lines.Text()); len(told) == n {
			cmd.Process.Kill() // and read on: what was said before the kill counts
		}
	}
	cmd.Wait()
	if len(told) < n {
		t.Fatalf("the child ended after %d events: %s", len(told), talk.String())
	}
	return told
}

func TestEveryEventIsDeliveredAcrossKills(t *testing.T) {
	test := func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		b := open(t, db, quick())
		err := db.Do(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `CREATE TABLE test_event (id TEXT NOT NULL PRIMARY KEY)`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "delivered")
		told := map[string]bool{}
		for round := range 10 {
			for _, key := range killAfter(t, url, file, 5+7*round) {
				told[key] = true
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		times := map[string]int{}
		for line := range strings.Lines(string(text)) {
			times[strings.TrimSpace(line)]++
		}
		killed := len(times)
		b.Handle("q", func(_ context.Context, m outbox.Message) error { times[m.Key]++; return nil })
		until(t, "all delivered", func() bool {
			if _, err := b.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
			return figures(t, b).Waiting == 0
		})
		again := 0
		for key := range told {
			if times[key] == 0 {
				t.Errorf("%s was acknowledged and never delivered", key)
			}
			if times[key] > 1 {
				again++
			}
		}
		events := map[string]bool{}
		err = db.View(t.Context(), func(tx *store.Tx) error {
			rows, err := tx.Query(t.Context(), `SELECT id FROM test_event`)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var id string
				if err := rows.Scan(&id); err != nil {
					return err
				}
				events[id] = true
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		for key := range times {
			if !events[key] {
				t.Errorf("%s was delivered, but its event is not there", key)
			}
		}
		for key := range events {
			if times[key] == 0 {
				t.Errorf("event %s is there and was never delivered", key)
			}
		}
		if again > 20 { // at most one of each kill, and a torn line
			t.Errorf("%d delivered more than once after 10 kills", again)
		}
		t.Logf("%d events, %d delivered by the killed, %d more than once", len(events), killed, again)
	}
	t.Run("sqlite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "test.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, storetest.PostgresURL(t)) })
}
