package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/controller/page"
	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio"
	"github.com/crinale/crinale/radio/routeros"
)

// The link whose two ends are changed together in the proof.
const (
	proveNear network.DeviceID = "cortemilia-to-bric-cortemilia"
	proveFar  network.DeviceID = "bric-cortemilia-to-cortemilia"
)

const proveHold = 15 * time.Second

// ridge is a simulated fleet, and a controller that is killed and started.
type ridge struct {
	dir    string
	sim    simFile
	driver *routeros.Driver
	freq   string // that the files want
}

func newRidge(t *testing.T) *ridge {
	t.Helper()
	r := &ridge{dir: t.TempDir(), freq: "5540"}
	state := filepath.Join(r.dir, "sim")
	start(t, "radio", "sim", "--radios", "12", "--state", state).awaitJSON(t, filepath.Join(state, "sim.json"), &r.sim)
	if err := os.Mkdir(filepath.Join(r.dir, "network"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.want(t, r.freq)
	text := fmt.Sprintf("data: state\nnetwork: network\nhttp: {listen: 127.0.0.1:0}\nmqtt: {listen: 127.0.0.1:0}\n"+
		"poll: {every_s: 3, timeout_s: 2.8}\nchange: {hold_s: %g}\nradio: {sim_file: sim/sim.json}\n", proveHold.Seconds())
	if err := os.WriteFile(filepath.Join(r.dir, "crinale.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if r.driver, err = routeros.New(routeros.Default(), routeros.Deps{}); err != nil {
		t.Fatal(err)
	}
	for _, d := range []network.DeviceID{proveNear, proveFar} { // steps that can be told apart
		res, err := http.Post(r.sim.Control+"/faults", "application/json", strings.NewReader(fmt.Sprintf(`{"device": %q, "kind": "slow", "delay_ms": 15}`, d)))
		if err != nil || res.StatusCode != http.StatusCreated {
			t.Fatalf("slow %s: %v", d, err)
		}
		res.Body.Close()
	}
	return r
}

// want writes the network files with a frequency for the link.
func (r *ridge) want(t *testing.T, freq string) {
	t.Helper()
	n, err := demo.NetworkOf(12)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range n.Files() {
		s := strings.ReplaceAll(string(text), "ssid: al-cortemilia-bric-cortemilia\n      freq_mhz: 5540", "ssid: al-cortemilia-bric-cortemilia\n      freq_mhz: "+freq)
		if err := os.WriteFile(filepath.Join(r.dir, "network", name), []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r.freq = freq
}

// control starts the controller and waits until it takes changes.
func (r *ridge) control(t *testing.T) (*process, *client) {
	t.Helper()
	p := start(t, "run", "--config", filepath.Join(r.dir, "crinale.yaml"))
	cl, err := localClient(filepath.Join(r.dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the controller", func() bool {
		select {
		case <-p.done:
			t.Fatalf("the controller ended: %s", p.talk.String())
		default:
		}
		return cl.call(t.Context(), http.MethodGet, "/api/v1/changes?limit=1", nil, nil) == nil
	})
	return p, cl
}

// frequencies are what the two devices have, asked of themselves.
func (r *ridge) frequencies(t *testing.T) (near, far string) {
	t.Helper()
	one := func(id network.DeviceID) string {
		for _, e := range r.sim.Devices {
			if e.ID != id {
				continue
			}
			c, err := r.driver.Configured(t.Context(), radio.Target{Device: id, Address: e.Address, User: e.User, Password: e.Password})
			if err != nil {
				t.Fatal(err)
			}
			ways, err := r.driver.WaysBack(t.Context(), radio.Target{Device: id, Address: e.Address, User: e.User, Password: e.Password})
			if err != nil || len(ways) > 0 {
				t.Errorf("%s still has a way back: %v %v", id, ways, err)
			}
			return c.Values[network.Key{Section: network.RadioSection, Name: c.Radios[0], Field: network.FieldFreq}]
		}
		t.Fatalf("%s is not simulated", id)
		return ""
	}
	return one(proveNear), one(proveFar)
}

// TestProveChange changes both ends of a link and kills the controller, by
// SIGKILL, after a line of the journal: after each one of them in turn. The
// controller stays dead until the devices have gone back by themselves, or
// comes back at once. In the end both devices are on the same side, no way
// back is left on them, and the journal tells the truth.
func TestProveChange(t *testing.T) {
	if os.Getenv("PROVE") != "change" {
		t.Skip("run by make prove-change")
	}
	most, seed := number(t, "N", 2), number(t, "SEED", 1)
	rnd := rand.New(rand.NewPCG(uint64(seed), 0))
	r := newRidge(t)

	lines := map[bool]int{} // of the journal, by manual or not, when nobody is killed
	for _, manual := range []bool{false, true} {
		rec := r.round(t, manual, 0, false)
		lines[manual] = len(rec.Events)
		if want := map[bool]controller.ChangeState{false: controller.ChangeConfirmed, true: controller.ChangeFellBack}[manual]; rec.State != want {
			t.Fatalf("without a kill, manual %v: %s, want %s: %s", manual, rec.State, want, rec.Outcome)
		}
	}
	type kill struct {
		manual bool
		line   int
	}
	var kills []kill
	for _, manual := range []bool{false, true} {
		for line := 1; line <= lines[manual]; line++ {
			kills = append(kills, kill{manual, line})
		}
	}
	rnd.Shuffle(len(kills), func(i, j int) { kills[i], kills[j] = kills[j], kills[i] })
	ends := map[controller.ChangeState]int{}
	all := len(kills)
	for i, k := range kills[:min(most, len(kills))] {
		rec := r.round(t, k.manual, k.line, i%2 == 0)
		ends[rec.State]++
		if t.Failed() {
			t.Fatalf("kill %d, after line %d of %d, manual %v", i+1, k.line, lines[k.manual], k.manual)
		}
	}
	t.Logf("%d of %d journal lines killed after: both ends always on the same side, no way back left, journal true (%v)", min(most, all), all, ends)
}

// round makes one change, killing the controller after a line of the journal
// (0: never), and gives the change as it ended.
func (r *ridge) round(t *testing.T, manual bool, line int, stayDead bool) controller.ChangeRecord {
	t.Helper()
	before, far := r.frequencies(t)
	if before != far {
		t.Fatalf("before a round: %s and %s MHz", before, far)
	}
	other := map[string]string{"5540": "5660", "5660": "5540"}[before]
	r.want(t, other)
	p, cl := r.control(t)
	var rec controller.ChangeRecord
	until(t, "the change", func() bool { // devices may still be read for the first time
		err := cl.call(t.Context(), http.MethodPost, "/api/v1/changes", page.ApplyBody{Manual: manual, Devices: []network.DeviceID{proveNear, proveFar}}, &rec)
		return err == nil
	})
	confirming := false
	until(t, "the line of the journal", func() bool {
		if err := cl.call(t.Context(), http.MethodGet, "/api/v1/changes/"+rec.ID, nil, &rec); err != nil {
			t.Fatal(err)
		}
		for _, e := range rec.Events {
			confirming = confirming || e.Step == "confirm"
		}
		return rec.State.Ended() || line > 0 && len(rec.Events) >= line
	})
	if line > 0 {
		p.end(t, os.Kill)
		if stayDead {
			r.await(t, before, confirming)
		}
		p, cl = r.control(t)
	}
	var repair controller.ChangeRecord
	until(t, "the end of the change", func() bool {
		if err := cl.call(t.Context(), http.MethodGet, "/api/v1/changes/"+rec.ID, nil, &rec); err != nil {
			t.Fatal(err)
		}
		var l changeList
		if err := cl.call(t.Context(), http.MethodGet, "/api/v1/changes?limit=1", nil, &l); err != nil {
			t.Fatal(err)
		}
		repair = l.Changes[0] // the same one, or what takes it back
		return rec.State.Ended() && repair.State.Ended()
	})
	near, far := r.frequencies(t)
	kept := rec.State == controller.ChangeConfirmed
	switch {
	case near != far:
		t.Errorf("after %s: %s has %s MHz and %s has %s", rec.State, proveNear, near, proveFar, far)
	case kept && near != other, !kept && near != before:
		t.Errorf("the journal says %s, and the devices have %s MHz, before %s, wanted %s", rec.State, near, before, other)
	}
	var report audit.Report
	if err := cl.call(t.Context(), http.MethodGet, "/api/v1/audit/verify", nil, &report); err != nil || !report.OK() {
		t.Errorf("the audit log after a kill: %+v %v", report.Problem, err)
	}
	p.end(t, os.Interrupt)
	return rec
}

// await waits, with no controller there, until the devices have gone back by
// themselves; where it was being confirmed, until the hold is over.
func (r *ridge) await(t *testing.T, before string, confirming bool) {
	t.Helper()
	over := time.Now().Add(proveHold + 5*time.Second)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if time.Now().After(over) {
			break
		}
	}
	if near, far := r.frequencies(t); !confirming && (near != before || far != before) {
		t.Errorf("nobody confirmed and no controller was there: the devices have %s and %s MHz, before %s", near, far, before)
	}
}
