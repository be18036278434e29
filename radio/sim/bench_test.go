package sim_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/go-routeros/routeros/v3"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/radio/sim"
)

// sectors is a network of n devices: sectors of nine stations each.
func sectors(n int) *network.Network {
	w := &network.Network{Gear: map[network.GearID]network.Gear{"ac": {ID: "ac", Class: "wireless"}}}
	var ap network.DeviceID
	for i := range n {
		id := network.DeviceID(fmt.Sprintf("d%d", i))
		site := network.SiteID("s-" + string(id))
		w.Sites = append(w.Sites, network.Site{ID: site, At: geo.LonLat{Lon: 8 + float64(i%50)/1000, Lat: 44.5 + float64(i)/10000}})
		w.Devices = append(w.Devices, network.Device{ID: id, Site: site, Gear: "ac", Settings: network.Settings{SSID: "x", Freq: unit.Some[unit.MHz](5600), Width: unit.Some[unit.MHz](20)}})
		if i%10 == 0 {
			ap = id
			continue
		}
		w.Links = append(w.Links, network.Link{ID: network.LinkID("l-" + string(id)), Medium: network.Radio, A: ap, B: id})
	}
	w.Index()
	return w
}

// BenchmarkFleet starts and ends fleets.
func BenchmarkFleet(b *testing.B) {
	for _, n := range []int{100, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var before, after runtime.MemStats
			for b.Loop() {
				runtime.GC()
				runtime.ReadMemStats(&before)
				f, err := sim.New(sim.Config{StateDir: b.TempDir()}, sim.Deps{Network: sectors(n), Level: flat})
				if err != nil {
					b.Fatal(err)
				}
				ctx, cancel := context.WithCancel(context.Background())
				ended := make(chan error, 1)
				go func() { ended <- f.Run(ctx) }()
				select {
				case <-f.Ready():
				case err := <-ended:
					b.Fatal(err)
				}
				runtime.ReadMemStats(&after)
				cancel()
				if err := <-ended; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(after.Sys-before.Sys+after.HeapAlloc-min(before.HeapAlloc, after.HeapAlloc))/1e6, "MB")
		})
	}
}

// BenchmarkPoll is one round of reads of one device, the client's work
// included: divide by the period of polling for the share of a core.
func BenchmarkPoll(b *testing.B) {
	b.Run("all-answer", func(b *testing.B) { poll(b, nil) })
	// The links of the whole fleet are looked at, ten times a second at most.
	b.Run("in-band", func(b *testing.B) { poll(b, []network.DeviceID{"d0"}) })
}

func poll(b *testing.B, gateways []network.DeviceID) {
	f, err := sim.New(sim.Config{StateDir: b.TempDir(), NoTLS: true, Gateways: gateways}, sim.Deps{Network: sectors(300), Level: flat})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	defer func() {
		cancel()
		<-ended
	}()
	<-f.Ready()
	e := f.Devices()[1] // a station, as most devices are
	c, err := routeros.DialTimeout(e.Address, e.User, e.Password, 10*time.Second)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	b.ResetTimer()
	for b.Loop() {
		for _, r := range reads {
			if _, err := c.RunArgs(r); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// reads are what a controller asks a device in one round.
var reads = [][]string{
	{"/system/identity/print"}, {"/system/resource/print"}, {"/system/health/print"}, {"/interface/print"},
	{"/interface/ethernet/monitor", "=numbers=ether1", "=once="}, {"/interface/monitor-traffic", "=interface=ether1,wlan1", "=once="},
	{"/interface/wireless/print"}, {"/interface/wireless/monitor", "=numbers=wlan1", "=once="},
	{"/interface/wireless/registration-table/print"}, {"/ip/neighbor/print"},
}
