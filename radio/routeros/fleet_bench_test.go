package routeros_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/radio"
	"github.com/crinale/crinale/radio/routeros"
	"github.com/crinale/crinale/radio/sim"
)

// simulateIn names the folder in which this test binary, started a second
// time, is nothing but a simulator.
const simulateIn = "CRINALE_TEST_SIMULATE_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(simulateIn); dir != "" {
		if err := simulate(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// hundred is a network of a hundred radios.
func hundred() *network.Network {
	all := &network.Network{}
	for i := range 13 {
		n := pairs()
		all.Gear, all.Sites = n.Gear, n.Sites
		for _, d := range n.Devices {
			if d.Gear == "rtr" {
				continue
			}
			d.ID += network.DeviceID(fmt.Sprint("-", i))
			d.Settings.SSID += fmt.Sprint("-", i)
			all.Devices = append(all.Devices, d)
		}
		for _, l := range n.Links {
			if l.Medium != network.Radio {
				continue
			}
			l.ID, l.A, l.B = l.ID+network.LinkID(fmt.Sprint("-", i)), l.A+network.DeviceID(fmt.Sprint("-", i)), l.B+network.DeviceID(fmt.Sprint("-", i))
			all.Links = append(all.Links, l)
		}
	}
	all.Devices, all.Links = all.Devices[:100], all.Links[:50]
	all.Index()
	return all
}

func simulate(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	c := sim.Default()
	c.StateDir, c.Join = dir, -1
	f, err := sim.New(c, sim.Deps{Network: hundred(), Level: func(network.LinkID, network.DeviceID) (unit.DBm, bool) { return -60, true }})
	if err != nil {
		return err
	}
	go func() {
		<-f.Ready()
		fmt.Println("ready")
	}()
	return f.Run(ctx)
}

// BenchmarkHundredRadios is one round of a hundred radios simulated in another
// process, all at once on kept sessions. own-cpu-ms is what the poller itself
// used; core-% is its share of one core when the round comes every ten seconds.
func BenchmarkHundredRadios(b *testing.B) {
	dir := b.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), simulateIn+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { child.Process.Signal(os.Interrupt); child.Wait() }()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		b.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "sim.json"))
	if err != nil {
		b.Fatal(err)
	}
	var list struct{ Devices []sim.Endpoint }
	if err := json.Unmarshal(raw, &list); err != nil {
		b.Fatal(err)
	}
	all := map[network.DeviceID]radio.Target{}
	for _, e := range list.Devices {
		all[e.ID] = radio.Target{Device: e.ID, Address: e.Address, User: e.User, Password: e.Password}
	}
	f := fleet(b, func(_ context.Context, d network.DeviceID) (radio.Target, error) {
		if t, ok := all[d]; ok {
			return t, nil
		}
		return radio.Target{}, fault.New(fault.NotFound, "no device %s", d)
	}, func(*routeros.Config) {})
	round := func() {
		var wg sync.WaitGroup
		for d := range all {
			wg.Go(func() {
				if o, err := f.Observe(b.Context(), d); err != nil || len(o.Peers) != 1 {
					b.Errorf("%s: %v, %d peers", d, err, len(o.Peers))
				}
			})
		}
		wg.Wait()
	}
	round() // sessions and slow reads
	var before, after syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	for b.Loop() {
		round()
	}
	syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	own := float64(after.Utime.Nano()+after.Stime.Nano()-before.Utime.Nano()-before.Stime.Nano()) / float64(b.N) / 1e6
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(own, "own-cpu-ms")
	b.ReportMetric(own/10_000*100, "core-%")
	b.ReportMetric(float64(m.HeapAlloc)/1e6, "heap-MB")
}
