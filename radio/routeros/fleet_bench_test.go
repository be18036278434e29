package routeros_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

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

// hundredElsewhere starts a hundred radios in another process. It gives a book of
// them and the URL of the simulator's control.
func hundredElsewhere(b *testing.B) (all map[network.DeviceID]radio.Target, book radio.Book, control string) {
	b.Helper()
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
	b.Cleanup(func() { child.Process.Signal(os.Interrupt); child.Wait() })
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		b.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "sim.json"))
	if err != nil {
		b.Fatal(err)
	}
	var list struct {
		Devices []sim.Endpoint
		Control string
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		b.Fatal(err)
	}
	all = map[network.DeviceID]radio.Target{}
	for _, e := range list.Devices {
		all[e.ID] = radio.Target{Device: e.ID, Address: e.Address, User: e.User, Password: e.Password}
	}
	return all, func(_ context.Context, d network.DeviceID) (radio.Target, error) {
		if t, ok := all[d]; ok {
			return t, nil
		}
		return radio.Target{}, fault.New(fault.NotFound, "no device %s", d)
	}, list.Control
}

// BenchmarkHundredRadios is one round of a hundred radios simulated in another
// process, all at once on kept sessions. own-cpu-ms is what the poller itself
// used; core-% is its share of one core when the round comes every ten seconds.
func BenchmarkHundredRadios(b *testing.B) {
	all, book, _ := hundredElsewhere(b)
	f := fleet(b, book, func(*routeros.Config) {})
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

// BenchmarkConfiguredOfAHundred reads all settings of a hundred radios,
// simulated in another process 20 ms away (connecting, logging in and each
// command take that long), all at once. cold has no sessions yet, kept has them.
// limit-s is what a diff may take.
func BenchmarkConfiguredOfAHundred(b *testing.B) {
	const limit, away = 3 * time.Second, 20 * time.Millisecond
	all, book, control := hundredElsewhere(b)
	for d := range all {
		body := fmt.Sprintf(`{"device": %q, "kind": "slow", "delay_ms": %d}`, d, away.Milliseconds())
		answer, err := http.Post(control+"/faults", "application/json", strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode >= 300 {
			b.Fatal(answer.Status)
		}
	}
	far := func(ctx context.Context, network, address string) (net.Conn, error) {
		t := time.NewTimer(away)
		defer t.Stop()
		select {
		case <-t.C:
			return new(net.Dialer).DialContext(ctx, network, address)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	read := func(b *testing.B, f *radio.Fleet) {
		var wg sync.WaitGroup
		for d := range all {
			wg.Go(func() {
				if c, err := f.Configured(b.Context(), d); err != nil || len(c.Values) < 4 || len(c.Radios) != 1 {
					b.Errorf("%s: %v, %d values", d, err, len(c.Values))
				}
			})
		}
		wg.Wait()
	}
	made := func(b *testing.B) *radio.Fleet {
		driver, err := routeros.New(routeros.Default(), routeros.Deps{Dial: far})
		if err != nil {
			b.Fatal(err)
		}
		f, err := radio.New(radio.Default(), radio.Deps{Driver: driver, Book: book})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { driver.Run(ctx); close(ended) }()
		b.Cleanup(func() { cancel(); <-ended })
		return f
	}
	within := func(b *testing.B) {
		each := b.Elapsed() / time.Duration(b.N)
		b.ReportMetric(each.Seconds(), "took-s")
		b.ReportMetric(limit.Seconds(), "limit-s")
		if each > limit {
			b.Errorf("%v, %v is the limit", each, limit)
		}
	}
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			read(b, made(b))
		}
		within(b)
	})
	b.Run("kept", func(b *testing.B) {
		f := made(b)
		read(b, f)
		for b.Loop() {
			read(b, f)
		}
		within(b)
	})
}
