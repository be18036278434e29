package feed

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spine/spinetest"
)

// many is a network of n links of one partner.
func many(n int) *network.Network {
	net := &network.Network{Partners: []network.Partner{{ID: "wisp-a"}}}
	for i := range n {
		dev := network.DeviceID(fmt.Sprint("d", i))
		net.Devices = append(net.Devices, network.Device{ID: dev, Address: "192.0.2.1"})
		net.Links = append(net.Links, network.Link{ID: network.LinkID(fmt.Sprint("l", i)), A: dev, Partner: []network.PartnerID{"wisp-a"}})
	}
	net.Index()
	return net
}

// BenchmarkRetainedStates is how long the broker in the process, with sync
// always, takes to acknowledge one retained state of QoS 1.
func BenchmarkRetainedStates(bm *testing.B) {
	s := spinetest.Start(bm, nil, users(bm, "wisp-a")...)
	net := many(bm.N)
	bm.ResetTimer()
	f, _ := run(bm, Default(), net, &fakeWatch{}, embedded(s))
	ready(bm, f)
	bm.StopTimer()
	bm.ReportMetric(float64(bm.N)/bm.Elapsed().Seconds(), "states/s")
}

// BenchmarkRound is the watcher's work for one reading and state of one link.
func BenchmarkRound(bm *testing.B) {
	b := newBoard(1000)
	b.connected()
	w := newWatcher(Default(), many(1000), b)
	w.begin(noon, nil, nil)
	now := noon
	for i := 0; bm.Loop(); i++ {
		l := network.LinkID(fmt.Sprint("l", i%1000))
		now = now.Add(10 * time.Millisecond)
		w.reading(reading(l, "d0", now, -60))
		w.state(now, up(l, "d0", now, -60-float64(i/1000%2)))
		for topic, _, ok := b.next(now); ok; topic, _, ok = b.next(now) {
			b.done(topic, true)
		}
		b.nextSample()
	}
}

// FuzzCheckURL: whatever the URL, no panic, and no password in what is said.
func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{"tcp://localhost:1883", "ssl://u:hush@h", "tcp://[::1]", "tcp://h:99999", "%", "tcp://u:hush@h/%zz", "husH"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, prefix string) {
		if err := CheckURL(prefix + "tcp://u:hush@h"); err == nil || strings.Contains(err.Error(), "hush") && !strings.Contains(strings.ToLower(prefix), "hush") {
			t.Errorf("%q: %v", prefix, err)
		}
		CheckURL(prefix)
	})
}
