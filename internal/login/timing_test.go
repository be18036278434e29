package login_test

import (
	"math"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/store/storetest"
)

const mostLogin = 300 * time.Millisecond // on one core

// wide lets everything through, to measure what is behind the limits.
func wide(c *login.Config) {
	r := login.Rate{Burst: 1 << 20, Every: time.Nanosecond}
	c.Limits = login.Limits{Pair: r, Source: r, Account: r, All: r, Known: r, Codes: r, Join: r, Ask: r, Sent: r}
	c.Hash = login.Default().Hash
}

// BenchmarkLogin is a whole sign-in at the true cost of the hash. The limit
// holds for the processor time of the whole process, which is what it takes on
// one core that does nothing else, however busy this machine is.
func BenchmarkLogin(b *testing.B) {
	w := newWorld(b, storetest.SQLite(b), wide)
	w.add(b, "anna", viewer)
	began := processor(b)
	for b.Loop() {
		w.enter(b, login.LoginRequest{Name: "anna", Password: good, Source: office})
	}
	per := (processor(b) - began) / time.Duration(b.N)
	b.ReportMetric(float64(per.Microseconds())/1000, "cpu-ms/login")
	b.ReportMetric(float64(mostLogin.Milliseconds()), "limit-ms")
	if per > mostLogin {
		b.Errorf("%s of a core for a sign-in; %s at most", per, mostLogin)
	}
}

// processor is the time that this process has had of all cores.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkIdentity is what every request of a page costs.
func BenchmarkIdentity(b *testing.B) {
	w := newWorld(b, storetest.SQLite(b), nil)
	w.add(b, "anna", technician)
	for b.Loop() {
		if _, err := w.Identity(b.Context(), "anna"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSlowed is what a try costs that is not looked at.
func BenchmarkSlowed(b *testing.B) {
	w := newWorld(b, storetest.SQLite(b), nil)
	for b.Loop() {
		if _, err := w.Login(b.Context(), login.LoginRequest{Name: "nessuno", Password: "x", Source: office}); err == nil {
			b.Fatal("let in")
		}
	}
}

// TestProveTiming compares how long the refusal of an unknown name takes with
// that of a wrong password, turn by turn: make prove-timing N=300. At the true
// cost of the hash the medians must be close, and the ranks of the two samples
// (Mann-Whitney U) as chance mixes them. With a hash that costs next to nothing
// the rest of the way can be seen: there the medians must be within a hundredth
// of what the true hash takes.
func TestProveTiming(t *testing.T) {
	if os.Getenv("PROVE") != "timing" {
		t.Skip("run by make prove-timing")
	}
	n, err := strconv.Atoi(os.Getenv("N"))
	if err != nil || n < 20 {
		n = 150
	}
	known, unknown := refusals(t, n, login.Default().Hash)
	mk, mu, z := median(known), median(unknown), mannWhitney(known, unknown)
	noise := spread(append(slices.Clone(known), unknown...))
	bareKnown, bareUnknown := refusals(t, 10*n, cheap)
	bare := median(bareKnown) - median(bareUnknown)
	t.Logf("%d pairs: wrong password %.1f ms, unknown name %.1f ms (medians), apart %.2f ms, noise (half the middle half) %.1f ms, Mann-Whitney z %.2f; %d pairs but for the hash: %.3f and %.3f ms, apart %.3f ms",
		n, mk, mu, mk-mu, noise, z, 10*n, median(bareKnown), median(bareUnknown), bare)
	if math.Abs(z) > 3.3 { // 1 in 1000 by chance
		t.Errorf("the two can be told apart: z = %.2f", z)
	}
	if d := math.Abs(mk - mu); d > noise {
		t.Errorf("the medians are %.2f ms apart, more than the noise of %.2f ms", d, noise)
	}
	if math.Abs(bare) > min(mk, mu)/100 {
		t.Errorf("but for the hash the medians are %.3f ms apart, more than a hundredth of its %.1f ms", bare, min(mk, mu))
	}
}

// refusals are the times, in ms, that n refusals took of each kind.
func refusals(t *testing.T, n int, cost login.HashCost) (known, unknown []float64) {
	w := newWorld(t, storetest.SQLite(t), func(c *login.Config) { wide(c); c.Hash = cost })
	w.add(t, "anna", viewer)
	refuse := func(name string) float64 {
		began := time.Now()
		if _, err := w.Login(t.Context(), login.LoginRequest{Name: name, Password: "not the password", Source: office}); err == nil {
			t.Fatal("let in")
		}
		return time.Since(began).Seconds() * 1000
	}
	refuse("anna")
	for i := range n { // the order turns, so that neither is always first
		if i%2 == 0 {
			known = append(known, refuse("anna"))
			unknown = append(unknown, refuse("nessuno"))
		} else {
			unknown = append(unknown, refuse("nessuno"))
			known = append(known, refuse("anna"))
		}
	}
	return known, unknown
}

func quantile(x []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return s[int(q*float64(len(s)-1))]
}

func median(x []float64) float64 { return quantile(x, 0.5) }

// spread is half the distance between the quartiles.
func spread(x []float64) float64 { return (quantile(x, 0.75) - quantile(x, 0.25)) / 2 }

// mannWhitney is the U statistic as standard deviations from what chance gives,
// by its normal approximation, good for twenty values and more of each.
func mannWhitney(a, b []float64) float64 {
	var u float64
	for _, x := range a {
		for _, y := range b {
			switch {
			case x < y:
				u++
			case x == y:
				u += 0.5
			}
		}
	}
	n, m := float64(len(a)), float64(len(b))
	return (u - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
}

func TestMannWhitney(t *testing.T) {
	var low, high []float64
	for i := range 40 {
		low, high = append(low, float64(i)), append(high, float64(i)+15)
	}
	if z := mannWhitney(low, low); z != 0 {
		t.Errorf("alike: %.2f", z)
	}
	if z := mannWhitney(low, high); z < 3.3 {
		t.Errorf("apart: %.2f", z)
	}
}
