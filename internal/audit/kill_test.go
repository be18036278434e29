package audit_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

const (
	childURL  = "CRINALE_TEST_AUDIT_CHILD"
	childHead = "CRINALE_TEST_AUDIT_HEAD"
	childRun  = "CRINALE_TEST_AUDIT_RUN"
)

// TestMain appends lines without end when a test has started this binary again,
// so that it can be killed.
func TestMain(m *testing.M) {
	if url := os.Getenv(childURL); url != "" {
		appendTo(url, os.Getenv(childHead), os.Getenv(childRun))
		return
	}
	os.Exit(m.Run())
}

// appendTo prints the object of each line once it is acknowledged. Eight
// append at the same time, so that groups form.
func appendTo(url, head, run string) {
	ctx := context.Background()
	db, err := store.Open(ctx, url)
	var l *audit.Log
	if err == nil {
		l, err = audit.New(audit.Config{Head: head}, audit.Deps{Store: db})
	}
	if err == nil {
		err = l.Open(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var say sync.Mutex
	for w := range 8 {
		go func() {
			for i := 0; ; i++ {
				object := fmt.Sprintf("%s-%d-%d", run, w, i)
				err := l.Do(ctx, audit.Entry{Action: "test.step", Object: object}, func(*store.Tx) error { return nil })
				say.Lock()
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Println(object)
				say.Unlock()
			}
		}()
	}
	select {}
}

// killMidway kills the writer after some lines, and gives those acknowledged.
func killMidway(t *testing.T, url, head string, run, after int) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childURL+"="+url, childHead+"="+head, childRun+"="+strconv.Itoa(run))
	var talk strings.Builder
	cmd.Stderr = &talk
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var acked []string
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a last line cut in two was not acknowledged to us
		}
		if acked = append(acked, strings.TrimSpace(line)); len(acked) == after {
			cmd.Process.Kill() // and read on: what was said before the kill counts
		}
	}
	cmd.Wait()
	if len(acked) < after {
		t.Fatalf("the writer ended after %d lines: %s", len(acked), talk.String())
	}
	return acked
}

// survive kills the writer n times on one log and counts the lines that were
// acknowledged and those that are there.
func survive(t *testing.T, url string, n int) (acked, there int64) {
	t.Helper()
	head := filepath.Join(t.TempDir(), "head")
	var want []string
	for run := range n {
		want = append(want, killMidway(t, url, head, run, 40+7*(run%9))...)
		l := open(t, storetest.Open(t, url), head)
		if r := verify(t, l); !r.OK() || r.Lines < int64(len(want)) {
			t.Fatalf("kill %d: %d lines acknowledged; %+v %+v", run+1, len(want), r, r.Problem)
		}
	}
	l := open(t, storetest.Open(t, url), head)
	var file bytes.Buffer
	if err := l.Export(t.Context(), &file); err != nil {
		t.Fatal(err)
	}
	for _, object := range want {
		if !bytes.Contains(file.Bytes(), []byte(`"object":"`+object+`"`)) {
			t.Errorf("line %s was acknowledged and is lost", object)
		}
	}
	r := verifyLines(t, file.Bytes())
	if !r.OK() {
		t.Errorf("%+v", r.Problem)
	}
	return int64(len(want)), r.Lines
}

func TestAcknowledgedLinesSurviveKill(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		survive(t, filepath.Join(t.TempDir(), "test.db"), 3)
	})
	t.Run("postgres", func(t *testing.T) {
		survive(t, storetest.PostgresURL(t), 2)
	})
}

// TestProveAudit is the same at length: make prove-audit N=50.
func TestProveAudit(t *testing.T) {
	if os.Getenv("PROVE") != "audit" {
		t.Skip("run by make prove-audit")
	}
	n, err := strconv.Atoi(os.Getenv("N"))
	if err != nil || n < 1 {
		n = 50
	}
	a1, l1 := survive(t, filepath.Join(t.TempDir(), "test.db"), n)
	a2, l2 := survive(t, storetest.PostgresURL(t), n)
	if t.Failed() {
		return
	}
	t.Logf("%d kills each: SQLite %d lines acknowledged, %d there; PostgreSQL %d acknowledged, %d there; none lost, the chain right after each", n, a1, l1, a2, l2)
}
