package store

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("STORE_CHILD"); dir != "" {
		child(dir)
		return
	}
	if dir := os.Getenv("STORE_LIMITED"); dir != "" {
		limited(dir)
		return
	}
	if dir := os.Getenv("STORE_MEASURED"); dir != "" {
		measured(dir)
		return
	}
	os.Exit(m.Run())
}

// versioned is the body of an address in one of its versions: the version, then
// bytes that follow from both.
func versioned(key string, version uint64) []byte {
	r := rand.New(rand.NewPCG(version, uint64(len(key))))
	n := []int{200, 3000, 70_000, mostChunk + 4000}[r.IntN(4)]
	b := content(version, n)
	binary.BigEndian.PutUint64(b, version)
	return b
}

// child writes for ever. It says what it committed, and what it deleted, on its
// standard output.
func child(dir string) {
	c := small(dir)
	c.Flush = 100 * time.Millisecond
	c.Most = 60 << 20
	s, err := New(c, Deps{})
	if err != nil {
		panic(err)
	}
	go s.Run(context.Background())
	<-s.Ready()
	seed, _ := strconv.ParseUint(os.Getenv("STORE_SEED"), 10, 64)
	r := rand.New(rand.NewPCG(seed, 3))
	out := os.Stdout
	for version := seed << 32; ; version++ {
		k := fmt.Sprint("a.example/", r.IntN(60))
		switch r.IntN(12) {
		case 0:
			fmt.Fprintf(out, "going %s 0 .\n", k)
			s.Delete(k)
			fmt.Fprintf(out, "gone %s %d .\n", k, version)
		case 1:
			for _, o := range s.Find(k) {
				s.Freshen(o, head("", "X-Key", k))
			}
		case 2:
			s.Scrub(context.Background())
		default:
			if _, err := put(s, k, head("", "X-Key", k), versioned(k, version)); err == nil {
				fmt.Fprintf(out, "kept %s %d .\n", k, version)
			}
		}
	}
}

// TestSurviveAKill kills a process that writes, at random moments, again and
// again on the same folder. No wrong or cut body is ever given, nothing that was
// deleted comes back, and of what was kept more than a second before all but one
// in a hundred is there. N rounds; 20 by default.
func TestSurviveAKill(t *testing.T) {
	t.Parallel()
	rounds := 20
	if n, err := strconv.Atoi(os.Getenv("N")); err == nil && n > 0 {
		rounds = n
	}
	if testing.Short() {
		rounds = 5
	}
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(5, 5))
	due, there, newest := 0, 0, 0
	for round := range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "STORE_CHILD="+dir, fmt.Sprint("STORE_SEED=", round+1))
		cmd.Stderr = os.Stderr
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(pipe)
		last := map[string]int64{} // → version, or less than nothing when it was deleted
		first := true
		for lines.Scan() {
			if first { // it is at work
				first = false
				after := time.Duration(20+r.IntN(350)) * time.Millisecond
				time.AfterFunc(after, func() { cmd.Process.Kill() })
			}
			f := strings.Fields(lines.Text())
			if len(f) != 4 || f[3] != "." {
				continue // cut by the kill
			}
			version, _ := strconv.ParseInt(f[2], 10, 64)
			switch f[0] {
			case "kept":
				last[f[1]] = version
			case "gone":
				last[f[1]] = -version
			case "going":
				delete(last, f[1])
			}
		}
		cmd.Wait()
		s := opened(t, small(dir), Deps{})
		for i := range 60 {
			k := fmt.Sprint("a.example/", i)
			known, ok := last[k]
			var body []byte
			if found := s.Find(k); len(found) == 1 {
				if body, err = read(found[0]); err != nil {
					t.Fatalf("round %d: %s: %v", round, k, err)
				}
				if h := found[0].Head().Header.Get("X-Key"); h != k || int64(len(body)) != found[0].Length() {
					t.Fatalf("round %d: %s is given as %s, %d bytes", round, h, k, len(body))
				}
				version := binary.BigEndian.Uint64(body)
				if !bytes.Equal(body, versioned(k, version)) {
					t.Fatalf("round %d: %s: a wrong body of %d bytes", round, k, len(body))
				}
				if ok && known < 0 && version < uint64(-known) {
					t.Fatalf("round %d: %s was deleted and is back", round, k)
				}
			} else if len(found) > 1 {
				t.Fatalf("round %d: %s is there %d times", round, k, len(found))
			}
			if ok && known >= 0 {
				due++ // all of it, not only what is older than a second
				if body != nil {
					there++
				}
				if body != nil && binary.BigEndian.Uint64(body) >= uint64(known) {
					newest++
				}
			}
		}
		if st := s.Stats(); st.Damaged+st.Write+st.Index > 0 {
			t.Errorf("round %d: %+v", round, st)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, pipe)
	}
	t.Logf("%d rounds: of %d kept answers %d were there, %d of them as last kept", rounds, due, there, newest)
	if due < rounds || there*100 < due*99 || newest*100 < due*99 {
		t.Errorf("of %d kept answers %d were there, %d as last kept", due, there, newest)
	}
}

// After a kill a draft that was not committed is nowhere.
func TestKilledDraftLeavesNothing(t *testing.T) {
	c := small(t.TempDir())
	s := opened(t, c, Deps{})
	d, err := s.Begin("a.example/x", head(""), edge.Part{Of: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write(content(1, 2*mostChunk+300_000)); err != nil {
		t.Fatal(err)
	}
	s.index.close() // as a kill does: nothing else is done
	s = opened(t, c, Deps{})
	if s.Find("a.example/x") != nil {
		t.Error("a draft is found")
	}
	if r, err := s.Scrub(t.Context()); err != nil || r.Orphans != 2 || len(filesUnder(t, c.Dir)) != 1 {
		t.Errorf("%+v, %v, left %v", r, err, filesUnder(t, c.Dir))
	}
}
