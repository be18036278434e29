package sim

import (
	"encoding/csv"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-routeros/routeros/v3/proto"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/testdata"
	"github.com/crinale/crinale/internal/unit"
)

// pairNetwork is one link of 802.11.
func pairNetwork() *network.Network {
	s := network.Settings{SSID: "x", Freq: unit.Some[unit.MHz](5600), Width: unit.Some[unit.MHz](20)}
	n := &network.Network{
		Sites:   []network.Site{{ID: "s1", At: geo.LonLat{Lon: 8, Lat: 44.5}}, {ID: "s2", At: geo.LonLat{Lon: 8.05, Lat: 44.5}}},
		Gear:    map[network.GearID]network.Gear{"ac": {ID: "ac", Class: "wireless"}},
		Devices: []network.Device{{ID: "a", Site: "s1", Gear: "ac", Settings: s}, {ID: "b", Site: "s2", Gear: "ac", Settings: s}},
		Links:   []network.Link{{ID: "l", Medium: network.Radio, A: "a", B: "b"}},
	}
	n.Index()
	return n
}

// loaded is a fleet that has read its state, without listeners: for tests in
// fake time.
func loaded(t testing.TB, n *network.Network, c Config) *Fleet {
	t.Helper()
	c.StateDir, c.NoTLS = t.TempDir(), true
	f, err := New(c, Deps{Network: n, Level: func(network.LinkID, network.DeviceID) (unit.DBm, bool) { return -60, true }})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.load(); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestCounters: over a day the bytes counted are those of the rates told.
func TestCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := loaded(t, pairNetwork(), Config{})
		l := f.links[0]
		first := f.State().Links[0]
		if !first.Up {
			t.Fatal("the link is down")
		}
		start, peer := l.a.tx, l.b.rx
		var want, least, most float64
		least = math.Inf(1)
		const step = 20 * time.Second
		for range 24 * 60 * 3 {
			s := f.State().Links[0]
			want += s.AtoBMbps * 1e6 / 8 * step.Seconds()
			least, most = math.Min(least, s.AtoBMbps), math.Max(most, s.AtoBMbps)
			if s.AtoBMbps <= s.BtoAMbps || s.AtoBMbps > usable*s.RateAMbps {
				t.Fatalf("traffic %v down, %v up, on %v Mbps", s.AtoBMbps, s.BtoAMbps, s.RateAMbps)
			}
			time.Sleep(step)
		}
		f.State()
		got := l.a.tx - start
		if math.Abs(got/want-1) > 0.02 {
			t.Errorf("counted %.0f bytes in a day, the rates say %.0f", got, want)
		}
		if d := l.b.rx - peer; math.Abs(d-got) > 1 {
			t.Errorf("one sent %.0f bytes, the other received %.0f", got, d)
		}
		if most < 4*least {
			t.Errorf("the day has no shape: %v to %v Mbps", least, most)
		}
	})
}

// TestJoin: a link that fits again is back after the time of an association,
// not before, and its uptime begins there.
func TestJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := loaded(t, pairNetwork(), Config{Join: 5 * time.Second})
		id, err := f.Inject(Fault{Link: "l", Kind: Off})
		if err != nil {
			t.Fatal(err)
		}
		if f.State().Links[0].Up {
			t.Error("up in spite of the fault")
		}
		time.Sleep(time.Minute)
		f.Clear(id)
		time.Sleep(4900 * time.Millisecond)
		if f.State().Links[0].Up {
			t.Error("up before its time")
		}
		time.Sleep(100 * time.Millisecond)
		if s := f.State().Links[0]; !s.Up || time.Since(*s.Since) != 0 {
			t.Errorf("not up in time: %+v", s)
		}
	})
}

// TestFaultEnds: a fault with a duration ends by itself, and a reboot starts
// the uptime anew at its end.
func TestFaultEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := loaded(t, pairNetwork(), Config{Join: -1})
		if _, err := f.Inject(Fault{Device: "b", Kind: Reboot}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(29 * time.Second)
		if s := f.State(); s.Links[0].Up || s.Devices[1].On {
			t.Error("back too early")
		}
		time.Sleep(11 * time.Second)
		s := f.State()
		if !s.Links[0].Up || !s.Devices[1].On || len(s.Faults) != 0 || s.Devices[1].UptimeS != 10 {
			t.Errorf("after the reboot: %+v", s)
		}
	})
}

// TestSessionInFakeTime streams over a pipe: rounds come on the second.
func TestSessionInFakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := loaded(t, pairNetwork(), Config{})
		mine, theirs := net.Pipe()
		go f.serve(t.Context(), f.devices[0], theirs)
		w, r := proto.NewWriter(mine), proto.NewReader(mine)
		send := func(words ...string) {
			w.BeginSentence()
			for _, x := range words {
				w.WriteWord(x)
			}
			if err := w.EndSentence(); err != nil {
				t.Fatal(err)
			}
		}
		next := func() *proto.Sentence {
			s, err := r.ReadSentence()
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		send("/login", "=name=crinale", "=password="+f.memory.Devices["a"].Password)
		if s := next(); s.Word != "!done" {
			t.Fatal(s)
		}
		start := time.Now()
		send("/interface/wireless/monitor", "=numbers=wlan1", "=interval=2s", "=duration=7s", "=.proplist=status", ".tag=m")
		for i := range 4 {
			s := next()
			if s.Word != "!re" || s.Map["status"] != "running-ap" || time.Since(start) != time.Duration(i)*2*time.Second {
				t.Errorf("round %d after %v: %v", i, time.Since(start), s)
			}
		}
		if s := next(); s.Word != "!done" || s.Tag != "m" || time.Since(start) != 7*time.Second {
			t.Errorf("end after %v: %v", time.Since(start), s)
		}
		f.Inject(Fault{Device: "a", Kind: Slow, DelayMS: 4000})
		start = time.Now()
		send("/system/identity/print", ".tag=late")
		if s := next(); s.Word != "!re" || time.Since(start) != 4*time.Second {
			t.Errorf("slow answer after %v: %v", time.Since(start), s)
		}
		mine.Close()
	})
}

// TestRainCoefficients against the rows of ITU-Rpy's validation of P.838-3.
func TestRainCoefficients(t *testing.T) {
	file, err := os.Open(testdata.Shared(t, "validation/itu-rpy/838/ITURP838-3_rain_specific_attenuation.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, n := csv.NewReader(file), 0
	rows.FieldsPerRecord = -1
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		v := make([]float64, 0, 7)
		for _, s := range row {
			if x, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
				v = append(v, x)
			}
		}
		if len(v) != 7 {
			continue // a header
		}
		n++
		k, a := rainCoefficients(v[1], v[0], v[3])
		if math.Abs(k-v[4]) > 1e-5 || math.Abs(a-v[5]) > 1e-5 || math.Abs(k*math.Pow(v[2], a)-v[6]) > 1e-4 {
			t.Errorf("%v: k %v alpha %v", row, k, a)
		}
	}
	if n < 40 {
		t.Errorf("only %d rows read", n)
	}
}

// The rest needs no file: 60 GHz is far worse than 24, 5 GHz feels nothing.
func TestRainLoss(t *testing.T) {
	if v := rainLoss(5.6, 100, 20); v != 0 {
		t.Errorf("5.6 GHz: %v dB", v)
	}
	a, b := rainLoss(24, 30, 2), rainLoss(60, 30, 2)
	if a < 4 || a > 10 || b < 2*a {
		t.Errorf("2 km in 30 mm/h: %v dB at 24 GHz, %v dB at 60 GHz", a, b)
	}
}

// TestChains: the two chains add up to the level.
func TestChains(t *testing.T) {
	f := loaded(t, pairNetwork(), Config{})
	c0, c1 := f.links[0].a.chains(-60)
	if sum := 10 * math.Log10(math.Pow(10, c0/10)+math.Pow(10, c1/10)); math.Abs(sum+60) > 1e-9 {
		t.Errorf("%v and %v add up to %v", c0, c1, sum)
	}
}

// TestSeed: one seed is one fleet, another another.
func TestSeed(t *testing.T) {
	draw := func(seed uint64) string {
		f := loaded(t, pairNetwork(), Config{Seed: seed})
		return f.devices[0].release + f.devices[0].macPlus(0) + strconv.FormatFloat(f.links[0].demand, 'g', -1, 64)
	}
	if one := draw(1); one != draw(1) || one == draw(2) {
		t.Error("the seed does not decide")
	}
}

// TestRates: more level is never a slower rate, more rain never a faster one.
func TestRates(t *testing.T) {
	n := pairNetwork()
	f := loaded(t, n, Config{})
	l, now := f.links[0], time.Now()
	last := 0.0
	for level := unit.DBm(-95); level <= -40; level++ {
		l.a.planned, l.b.planned = unit.Some(level), unit.Some(level)
		r := l.rate(l.a, now)
		if r < last {
			t.Errorf("%v dBm gives %v Mbps, less than a fainter level", level, r)
		}
		last = r
	}
	if last != 156 {
		t.Errorf("the best rate of 20 MHz and two streams is %v", last)
	}
}

func FuzzSession(f *testing.F) {
	word := func(ws ...string) string {
		var b strings.Builder
		w := proto.NewWriter(&b)
		w.BeginSentence()
		for _, x := range ws {
			w.WriteWord(x)
		}
		w.EndSentence()
		return b.String()
	}
	for _, s := range []string{
		word("/interface/print", "=.proplist=name,type", "?type=ether", "?name=wlan1", "?#|!.0"),
		word("/interface/wireless/set", "=numbers=wlan1,*1", "=frequency=5500", "=tx-power=7"),
		word("/ip/address/add", "=address=10.0.0.1/24", "=interface=ether1", ".tag=7") + word("/ip/address/remove", "=.id=*2"),
		word("/interface/monitor-traffic", "=interface=ether1", "=interval=0.1", "=duration=0.1", ".tag=x") + word("/cancel", "=tag=x"),
		word("/interface/listen", ".tag=l") + word("/cancel"), word("/interface/wireless/unset", "=.id=*3", "=value-name=comment"),
		word("/user/set", "=numbers=crinale", "=password="), word("/user/remove", "=numbers=crinale"), word("/login", "=name=x", "=password=y"),
		word("/quit"), "\xf0\x20\x00\x00\x00", "\x80", "\xff", "\x00\x00", word("?", "=", ".", "/"), word("/"), word("//print"),
	} {
		f.Add([]byte(s))
	}
	fleet := loaded(f, pairNetwork(), Config{})
	f.Fuzz(func(t *testing.T, b []byte) {
		d := fleet.devices[0]
		in := newWords(strings.NewReader(string(b)))
		conn := &sink{}
		s := &session{dev: d, conn: conn, out: newWire(d, conn), streams: map[*stream]bool{}, user: "crinale"}
		for {
			ws, err := in.sentence(users)
			if err != nil {
				break
			}
			if len(ws) == 0 {
				continue
			}
			c, tr := parseCommand(ws)
			r := &replier{out: s.out, tag: c.tag, tagged: c.tagged}
			if tr != nil {
				r.trap(tr)
				continue
			}
			switch c.path {
			case "/quit", "/login", "/cancel", "/system/reboot", "/system/script/run":
				continue
			}
			st, tr := d.exec(c, false, r)
			switch {
			case tr != nil:
				r.trap(tr)
			case st != nil && st.round != nil:
				st.round()
			}
		}
		if err := s.out.flush(); err != nil {
			t.Fatal(err)
		}
		// Whatever was written, the device can still be asked and kept.
		d.fleet.mu.Lock()
		sound := d.config.sound()
		d.fleet.mu.Unlock()
		if !sound {
			t.Fatal("the configuration would not be taken after a restart")
		}
		for _, m := range d.menus {
			if m.rows != nil {
				d.rowsOf(m)
			}
		}
	})
}

// sink is a connection that takes everything.
type sink struct{ net.Conn }

func (*sink) Write(p []byte) (int, error)      { return len(p), nil }
func (*sink) SetWriteDeadline(time.Time) error { return nil }
func (*sink) Close() error                     { return nil }
