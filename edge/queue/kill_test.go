package queue

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
)

const (
	childDir    = "CRINALE_TEST_QUEUE_DIR"
	childOrigin = "CRINALE_TEST_QUEUE_ORIGIN"
	childRun    = "CRINALE_TEST_QUEUE_RUN"
	kills       = "CRINALE_TEST_QUEUE_KILLS"
)

// TestMain accepts and sends without end when a test has started this binary
// again, so that it can be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, child(dir, os.Getenv(childOrigin), os.Getenv(childRun)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

var killKeys = keys{"CARAVINO": bytes.Repeat([]byte{3}, 32)} // BERGOLO has none

func killConfig(dir, origin string) Config {
	c := quick(dir)
	c.Origins[0].URL, _ = url.Parse(origin)
	c.RetryMin, c.RetryMax, c.Timeout = time.Millisecond, 20*time.Millisecond, 10*time.Second
	return c
}

// child says each receipt once it is acknowledged, and each line of the emergency
// register.
func child(dir, origin, run string) error {
	ctx := context.Background()
	q, err := New(killConfig(dir, origin), Deps{Link: newLink(true), Allow: allow(nil), Keys: killKeys})
	if err != nil {
		return err
	}
	if err := q.Open(ctx); err != nil {
		return err
	}
	seed, _ := strconv.ParseUint(run, 10, 64)
	var say sync.Mutex
	errs := make(chan error, 4)
	go func() { errs <- q.Run(ctx) }()
	go func() { errs <- register(q, &say) }()
	for w := range uint64(2) {
		go func() {
			r := rand.New(rand.NewPCG(seed, w))
			for i := uint64(1); ; i++ {
				body := strings.Repeat(fmt.Sprintf("%s-%d-%d ", run, w, i), 1+r.IntN(2)*r.IntN(9000))
				wr := write(edge.ClassCreate, "/a/"+uuidOf(int(seed*1e6+w*1e5+i)), body)
				switch r.IntN(3) {
				case 0:
					wr = write(edge.ClassCreate, "/offers", body, keyed(fmt.Sprintf(`"key-%s-%d-%d"`, run, w, i)))
				case 1:
					wr = write(edge.ClassAppend, "/l", body, event(fmt.Sprintf("%s-%d", run, w), i))
				}
				if r.IntN(2) == 0 {
					wr.Comune = "BERGOLO"
				}
				got, err := q.Accept(ctx, wr)
				if err != nil {
					errs <- err
					return
				}
				say.Lock()
				fmt.Printf("write %s %x\n", got.Number, sha256.Sum256([]byte(body)))
				say.Unlock()
			}
		}()
	}
	return <-errs
}

func register(q *Queue, say *sync.Mutex) error {
	b := q.Books()
	all, err := b.List("CARAVINO")
	if err != nil {
		return err
	}
	id := ""
	if len(all) > 0 {
		id = all[0].ID
	} else {
		r, err := b.Open("CARAVINO", "Anna", "prova", time.Now().Add(-time.Minute))
		if err != nil {
			return err
		}
		id = r.ID
	}
	for {
		l, err := b.Line(id, "Anna", edge.In, "Rossi", "domanda", "")
		if err != nil {
			return err
		}
		say.Lock()
		fmt.Printf("line %d %s\n", l.Number, l.Hash)
		say.Unlock()
		time.Sleep(5 * time.Millisecond) // so that it does not take the disk from the queue
	}
}

// killMidway kills the child some microseconds after some lines, and gives what
// it said.
func killMidway(t *testing.T, dir, origin string, run, after int, more time.Duration) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childOrigin+"="+origin, childRun+"="+strconv.Itoa(run))
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
			time.AfterFunc(more, func() { cmd.Process.Kill() }) // and read on: what was said before the kill counts
		}
	}
	cmd.Wait()
	if len(acked) < after {
		t.Fatalf("the child ended after %d lines: %s", len(acked), talk.String())
	}
	return acked
}

// TestAcknowledgedWritesSurviveKill kills a program that accepts and sends, again
// and again, on one folder. No acknowledged write is lost, no number is given
// twice or left out, and each write is done exactly once.
func TestAcknowledgedWritesSurviveKill(t *testing.T) {
	rounds := 20
	if n, err := strconv.Atoi(os.Getenv(kills)); err == nil {
		rounds = n
	}
	dir, o, r := t.TempDir(), newOrigin(), rand.New(rand.NewPCG(1, 2))
	var asked atomic.Int64
	o.trouble = func(*http.Request) string { // one in four is cut, before or after its effect
		return [8]string{1: "cut before", 5: "cut after"}[asked.Add(1)%8]
	}
	server := httptest.NewServer(o)
	defer server.Close()
	bodies, lines := map[string]string{}, map[string]string{}
	for run := range rounds {
		for _, said := range killMidway(t, dir, server.URL, run+1, 1+r.IntN(60), time.Duration(r.IntN(4000))*time.Microsecond) {
			f := strings.Fields(said)
			into := bodies
			if f[0] == "line" {
				into = lines
			}
			if old, there := into[f[1]]; there {
				t.Fatalf("kill %d: %s is given twice: %s, %s", run+1, f[1], old, f[2])
			}
			into[f[1]] = f[2]
		}
		q := opened(t, killConfig(dir, server.URL), Deps{Keys: killKeys})
		unharmed(t, q, bodies, lines)
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
	}
	o.troubled(nil)
	q := opened(t, killConfig(dir, server.URL), Deps{Keys: killKeys})
	for must(q.Stats()).States[edge.StateQueued] > 0 {
		drain(t, q, 1000)
	}
	all := must(q.List(Filter{}))
	for _, e := range all {
		if e.State != edge.StateAccepted || o.count(e.Number) != 1 {
			t.Errorf("%s is %s (%s) and was done %d times", e.Number, e.State, e.Reason, o.count(e.Number))
		}
	}
	t.Logf("%d kills: %d writes and %d lines acknowledged, %d writes kept, each done once", rounds, len(bodies), len(lines), len(all))
}

// unharmed holds what is in a queue against what was acknowledged.
func unharmed(t *testing.T, q *Queue, bodies, lines map[string]string) {
	t.Helper()
	there := map[string]bool{}
	next := map[string]int{}
	for _, e := range must(q.List(Filter{})) {
		there[e.Number] = true
		next[e.Comune]++
		if want := fmt.Sprintf("%s-%s-%04d", e.Comune, year(e.Accepted), next[e.Comune]); e.Number != want {
			t.Fatalf("%s follows where %s should: a number is left out", e.Number, want)
		}
		if want, acked := bodies[e.Number]; acked && e.Body.SHA256 != want {
			t.Fatalf("%s: another body than was acknowledged", e.Number)
		}
		if e.State.Waiting() {
			body, err := q.Body(e.Number, false)
			if err != nil {
				t.Fatalf("%s: %v", e.Number, err)
			}
			io.Copy(io.Discard, body) // it was checked when it was opened
			body.Close()
		}
	}
	for number := range bodies {
		if !there[number] {
			t.Fatalf("%s was acknowledged and is lost", number)
		}
	}
	if len(lines) == 0 {
		return
	}
	r := must(q.Books().List("CARAVINO"))[0] // the chain is verified as it is read
	hashes := map[string]string{}
	for _, l := range r.Lines {
		hashes[strconv.Itoa(l.Number)] = l.Hash
	}
	for number, hash := range lines {
		if hashes[number] != hash {
			t.Fatalf("line %s of the register was acknowledged and is lost", number)
		}
	}
}
