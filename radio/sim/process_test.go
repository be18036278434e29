package sim_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-routeros/routeros/v3"

	"github.com/crinale/crinale/radio/sim"
)

// childEnv names the state folder of a fleet in a process of its own.
const childEnv = "SIM_CHILD_STATE"

// TestChild is the fleet of BenchmarkProcess: it runs until its input ends.
// Without a parent it has nothing to do.
func TestChild(t *testing.T) {
	dir := os.Getenv(childEnv)
	if dir == "" {
		return
	}
	f, err := sim.New(sim.Config{StateDir: dir}, sim.Deps{Network: sectors(100), Level: flat})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if err := f.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkProcess reads all of 100 devices of a fleet in another process over
// kept connections, and reports the share of a core that process takes at one
// such round every ten seconds.
func BenchmarkProcess(b *testing.B) {
	dir := b.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestChild$")
	child.Env = append(os.Environ(), childEnv+"="+dir)
	stop, err := child.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	defer child.Process.Kill()
	var fleet struct{ Devices []sim.Endpoint }
	for end := time.Now().Add(patience); ; <-time.After(20 * time.Millisecond) {
		text, err := os.ReadFile(filepath.Join(dir, "sim.json"))
		if err == nil && json.Unmarshal(text, &fleet) == nil {
			break
		}
		if time.Now().After(end) {
			b.Fatal("the fleet did not start")
		}
	}
	var clients []*routeros.Client
	for _, e := range fleet.Devices {
		c, err := routeros.DialTimeout(e.Address, e.User, e.Password, patience)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		clients = append(clients, c)
	}
	rounds := 0
	for b.Loop() {
		rounds++
		for _, c := range clients {
			for _, r := range reads {
				if _, err := c.RunArgs(r); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	stop.Close()
	if err := child.Wait(); err != nil {
		b.Fatal(err)
	}
	cpu := child.ProcessState.SystemTime() + child.ProcessState.UserTime()
	b.ReportMetric(cpu.Seconds()/float64(rounds)/10*100, "%core@10s")
}
