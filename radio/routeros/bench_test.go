package routeros

import (
	"bufio"
	"fmt"
	"net"
	"syscall"
	"testing"

	"github.com/crinale/crinale/radio"
)

// listen serves a script on loopback TCP until the end of the test.
func listen(tb testing.TB, s script) radio.Target {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	d := newScripted(s)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				p := &peer{c, bufio.NewReader(c)}
				for {
					words, tag, ok := p.hear()
					if !ok {
						return
					}
					lines, known := s[words[0]]
					switch {
					case words[0] == "/login":
						lines = [][]string{{"!done"}}
					case !known:
						lines = [][]string{{"!trap", "=message=no such command prefix"}, {"!done"}}
					}
					var all []byte
					for _, l := range lines {
						all = append(all, sentence(append(l[:len(l):len(l)], ".tag="+tag)...)...)
					}
					if _, err := c.Write(all); err != nil {
						return
					}
				}
			}()
		}
	}()
	d.target.Address = l.Addr().String()
	return d.target
}

// crowd is an nv2 access point with so many clients.
func crowd(clients int) script {
	s := script{}
	for k, v := range nv2 {
		s[k] = v
	}
	var lines []string
	for i := range clients {
		lines = append(lines, fmt.Sprintf("interface=wlan1 radio-name=cpe-%d mac-address=4C:5E:0C:0F:2B:%02X rx-rate=26Mbps-20MHz/2S tx-rate=60Mbps-40MHz/2S/SGI bytes=5000000,3000000 uptime=4d15h19m47s signal-strength=-76 signal-to-noise=40 signal-strength-ch0=-77 signal-strength-ch1=-82 tx-signal-strength=-75 tx-ccq=76 rx-ccq=33 distance=2", i, i))
	}
	s["/interface/wireless/registration-table/print"] = rows(lines...)
	return s
}

// cpu is the time this process has used.
func cpu() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e3
}

// BenchmarkRound is one usual round of an access point over loopback: six
// commands on a kept session. cpu-µs includes the scripted peer, which lives
// in the same process.
func BenchmarkRound(b *testing.B) {
	for _, clients := range []int{1, 10, 60} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			t := listen(b, crowd(clients))
			driver, err := New(Default(), Deps{})
			if err != nil {
				b.Fatal(err)
			}
			defer driver.reap(0)
			if _, err := driver.Observe(b.Context(), t); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			before := cpu()
			for b.Loop() {
				if _, err := driver.Observe(b.Context(), t); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpu()-before)/float64(b.N), "cpu-µs/op")
		})
	}
}

// BenchmarkFirstRound connects, logs in and reads everything.
func BenchmarkFirstRound(b *testing.B) {
	t := listen(b, crowd(10))
	driver, err := New(Default(), Deps{})
	if err != nil {
		b.Fatal(err)
	}
	before := cpu()
	for b.Loop() {
		clear(driver.sessions)
		if _, err := driver.Observe(b.Context(), t); err != nil {
			b.Fatal(err)
		}
		driver.reap(0)
	}
	b.ReportMetric((cpu()-before)/float64(b.N), "cpu-µs/op")
}
