package main

import (
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/controller/page"
	"github.com/crinale/crinale/demo"
)

// number is a whole number of the environment, for make prove-NAME N= SEED=.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s=%q is no number", name, s)
	}
	return n
}

// fetch reads JSON of the demo that runs on a folder.
func fetch(t *testing.T, dir, path string, into any) {
	t.Helper()
	cl, err := localClient(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := cl.call(t.Context(), http.MethodGet, path, nil, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// TestProveKill kills a demo N times at random moments and starts it again on
// the same folder. Each time the partners' passwords open the feed, the
// retained state of a link is there before the link is read anew, the alert
// that was open is the same with the same beginning, and every reading that the
// pages had shown is in the history.
func TestProveKill(t *testing.T) {
	if os.Getenv("PROVE") != "kill" {
		t.Skip("run by make prove-kill")
	}
	if _, err := exec.LookPath("mosquitto_sub"); err != nil {
		t.Skip("SKIPPED, NOT TESTED: no mosquitto_sub (make test-deps)")
	}
	n, seed := number(t, "N", 3), number(t, "SEED", 1)
	rnd := rand.New(rand.NewPCG(uint64(seed), 0))
	dir := t.TempDir()
	var alert controller.Alert
	var seen []time.Time // of readings that a page has shown
	for i := range n + 1 {
		if err := os.Remove(filepath.Join(dir, "demo.json")); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		p := start(t, "demo", "--data", dir, "--radios", "20", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0")
		var f demoFile
		p.awaitJSON(t, filepath.Join(dir, "demo.json"), &f)
		if i > 0 {
			retained(t, f)
			var as struct{ Alerts []controller.Alert }
			fetch(t, dir, "/api/v1/alerts", &as)
			if !holds(as.Alerts, alert) {
				t.Fatalf("kill %d: alert %s opened %v is not open any more", i, alert.ID, alert.Opened)
			}
			checkHistory(t, dir, seen)
		}
		if i == n {
			break
		}
		until(t, "the weak link's alert", func() bool {
			var as struct{ Alerts []controller.Alert }
			fetch(t, dir, "/api/v1/alerts", &as)
			for _, a := range as.Alerts {
				if a.Link == demo.WeakLink && a.Kind == controller.WeakSignal {
					alert = a
				}
			}
			return alert.ID != ""
		})
		select {
		case <-time.After(time.Duration(rnd.IntN(4000)) * time.Millisecond):
		case <-p.done:
			t.Fatalf("the demo ended by itself: %s", p.talk.String())
		}
		seen = append(seen, shown(t, dir)...)
		p.end(t, os.Kill)
	}
	t.Logf("%d kills: partners, retained states, the alert and %d shown readings all there after each", n, len(seen))
}

func holds(as []controller.Alert, want controller.Alert) bool {
	for _, a := range as {
		if a.ID == want.ID && a.Opened.Equal(want.Opened) {
			return true
		}
	}
	return false
}

// retained wants the state of the weak link from the broker's memory.
func retained(t *testing.T, f demoFile) {
	t.Helper()
	for _, l := range f.Partners {
		addr := strings.Split(strings.TrimPrefix(f.MQTT, "tcp://"), ":")
		out, err := exec.Command("mosquitto_sub", "-h", addr[0], "-p", addr[1], "-u", l.User, "-P", l.Password,
			"-t", "crinale/v1/partners/"+string(l.ID)+"/links/+/state", "-C", "1", "-W", "10", "-F", "%r %p").CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "1 {") {
			t.Fatalf("partner %s hears no retained state: %v %s", l.ID, err, out)
		}
	}
}

func readings(t *testing.T, dir string) []page.Reading {
	t.Helper()
	var r page.Readings
	fetch(t, dir, "/api/v1/links/"+string(demo.WeakLink)+"/readings?step=1", &r)
	return append(r.A, r.B...)
}

func shown(t *testing.T, dir string) (at []time.Time) {
	t.Helper()
	for _, r := range readings(t, dir) {
		at = append(at, r.At)
	}
	return at
}

func checkHistory(t *testing.T, dir string, seen []time.Time) {
	t.Helper()
	have := map[time.Time]bool{}
	for _, at := range shown(t, dir) {
		have[at] = true
	}
	for _, at := range seen {
		if !have[at] {
			t.Fatalf("the reading of %v was shown before the kill and is gone", at)
		}
	}
}
