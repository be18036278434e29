package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

const childEnv = "CRINALE_TEST_STORE_CHILD"

// TestMain writes rows without end when a test has started this binary again,
// so that it can be killed.
func TestMain(m *testing.M) {
	if url := os.Getenv(childEnv); url != "" {
		writeOn(url)
		return
	}
	os.Exit(m.Run())
}

// writeOn prints each id once its transaction is acknowledged.
func writeOn(url string) {
	ctx := context.Background()
	db, err := store.Open(ctx, url)
	if err == nil {
		err = db.Migrate(ctx, "test", seats)
	}
	for i := 0; err == nil; i++ {
		err = db.Do(ctx, func(tx *store.Tx) error {
			for half := range 2 {
				if _, err := tx.Exec(ctx, `INSERT INTO test_ride (id, seats) VALUES ($1, $2)`, fmt.Sprintf("%d-%d", i, half), i); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			fmt.Println(i)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// killMidway kills the writer after some rows and gives how many were
// acknowledged.
func killMidway(t *testing.T, url string) (acked int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+url)
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
		if acked++; acked == 50 {
			cmd.Process.Kill() // and read on: what was said before the kill counts
		}
	}
	cmd.Wait()
	if acked < 50 {
		t.Fatalf("the writer ended after %d rows: %s", acked, talk.String())
	}
	return acked
}

func afterKill(t *testing.T, url string, acked int) {
	t.Helper()
	db := storetest.Open(t, url)
	rows := count(t, db, `SELECT count(*) FROM test_ride`)
	if rows%2 != 0 {
		t.Errorf("%d rows: half a transaction stayed", rows)
	}
	if rows < 2*acked || rows > 2*acked+2 {
		t.Errorf("%d transactions acknowledged, %d rows there", acked, rows)
	}
	write(t, db, `INSERT INTO test_ride (id, seats) VALUES ('after', 1)`)
}

func TestAcknowledgedSurvivesKill(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		url := filepath.Join(t.TempDir(), "test.db")
		afterKill(t, url, killMidway(t, url))
	})
	t.Run("postgres", func(t *testing.T) {
		url := storetest.PostgresURL(t)
		afterKill(t, url, killMidway(t, url))
	})
}
