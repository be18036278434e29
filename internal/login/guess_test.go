package login_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/store/storetest"
)

// attack is somebody who guesses ten times a second.
type attack struct {
	name   string
	try    func(i int) login.LoginRequest
	looked func(elapsed time.Duration) int64 // tries that the limits let through to the hash
}

const guessEvery = 100 * time.Millisecond

func addr(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{198, 18 + byte(i>>16&1), byte(i >> 8), byte(i)})
}

// through is a rate after some time.
func through(r login.Rate, elapsed time.Duration) int64 {
	return int64(r.Burst) + int64(elapsed/r.Every)
}

func attacks() []attack {
	l := login.DefaultLimits()
	owner := func(i int, from netip.Addr) login.LoginRequest {
		return login.LoginRequest{Name: "anna", Password: fmt.Sprint("guess ", i), Source: from}
	}
	other := func(i int, from netip.Addr) login.LoginRequest {
		return login.LoginRequest{Name: fmt.Sprint("account-", i), Password: "the same guess", Source: from}
	}
	rate := func(rs ...login.Rate) func(time.Duration) int64 { // the narrowest holds
		return func(d time.Duration) int64 {
			least := through(rs[0], d)
			for _, r := range rs {
				least = min(least, through(r, d))
			}
			return least
		}
	}
	return []attack{
		{"one account from one address", func(i int) login.LoginRequest { return owner(i, addr(1)) }, rate(l.Pair, l.Account)},
		{"one account from an IPv6 /64", func(i int) login.LoginRequest {
			return owner(i, netip.MustParseAddr(fmt.Sprintf("2001:db8:1:2::%x", i+1)))
		}, rate(l.Pair, l.Account)},
		{"one account from as many addresses", func(i int) login.LoginRequest { return owner(i, addr(i)) }, rate(l.Account)},
		{"as many accounts from one address", func(i int) login.LoginRequest { return other(i, addr(1)) }, rate(l.Source)},
		{"as many accounts from as many addresses", func(i int) login.LoginRequest { return other(i, addr(i)) }, rate(l.All)},
		{"one account from the owner's network", func(i int) login.LoginRequest { return owner(i, office) }, rate(l.Known)},
		{"one account with made-up devices", func(i int) login.LoginRequest {
			r := owner(i, addr(1))
			r.Device = fmt.Sprintf("%032d", i)
			return r
		}, rate(l.Pair, l.Account)},
	}
}

// TestGuessing makes some tries of each attack, on a clock of its own.
func TestGuessing(t *testing.T) {
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) { guess(t, a, 1500) })
	}
}

// TestProveGuessing makes 10,000 tries of each: make prove-guessing.
func TestProveGuessing(t *testing.T) {
	if os.Getenv("PROVE") != "guessing" {
		t.Skip("run by make prove-guessing")
	}
	var out []string
	for _, a := range attacks() {
		out = append(out, fmt.Sprintf("%s %d", a.name, guess(t, a, 10_000)))
	}
	if !t.Failed() {
		t.Logf("of 10,000 tries in 1,000 s the hash was reached by: %s; the owner got in each time", strings.Join(out, ", "))
	}
}

func guess(t *testing.T, a attack, n int) (looked int64) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, storetest.SQLite(t), nil)
		live(t, w)
		w.add(t, "anna", viewer)
		w.add(t, "bea", viewer)
		tablet := w.enter(t, login.LoginRequest{Name: "anna", Password: good, Source: netip.MustParseAddr("203.0.113.80")}).Device
		w.enter(t, login.LoginRequest{Name: "anna", Password: good, Source: office})
		before := w.Figures()
		began := time.Now()
		for i := range n {
			_, err := w.Login(t.Context(), a.try(i))
			if err == nil {
				t.Fatalf("try %d was let in", i)
			}
			time.Sleep(guessEvery) // of the bubble
		}
		elapsed := time.Since(began)
		f := w.Figures()
		looked = f.Hashes - before.Hashes
		if want := a.looked(elapsed); looked > want || looked < want-1 {
			t.Errorf("%d of %d tries were looked at in %s; %d by the limit", looked, n, elapsed, want)
		}
		if f.Refused-before.Refused != looked || f.Slowed-before.Slowed != int64(n)-looked {
			t.Errorf("%+v", f)
		}
		// The owner, in the midst of it: with the device they use, wherever they are.
		for range 3 {
			w.enter(t, login.LoginRequest{Name: "anna", Password: good, Source: netip.MustParseAddr("203.0.113.9"), Device: tablet})
			w.enter(t, login.LoginRequest{Name: "anna", Password: good, Source: addr(1), Device: tablet})
			w.enter(t, login.LoginRequest{Name: "ANNA ", Password: good, Source: office, Device: tablet})
		}
		if a.name != "one account from the owner's network" { // and without it, from where they were before
			for range 3 {
				w.enter(t, login.LoginRequest{Name: "anna", Password: good, Source: office})
			}
		}
		// Somebody else, from a place never seen, where the attack leaves room.
		if a.name != "as many accounts from as many addresses" {
			w.enter(t, login.LoginRequest{Name: "bea", Password: good, Source: netip.MustParseAddr("203.0.113.50")})
		}
		if lines := slowLines(t, w); lines < 1 || lines > int(elapsed/time.Minute)+2 {
			t.Errorf("%d lines in the log about slowed tries in %s", lines, elapsed)
		}
	})
	return looked
}

// live lets the world run on the clock of its bubble.
func live(t testing.TB, w *world) {
	t.Helper()
	cfg := login.Default()
	cfg.Key, cfg.Hash = []byte("a key of exactly thirty-two byte"), cheap
	var err error
	if w.People, err = login.New(cfg, login.Deps{Store: w.db, Audit: w.log}); err != nil {
		t.Fatal(err)
	}
}

func slowLines(t testing.TB, w *world) (n int) {
	t.Helper()
	for _, object := range []string{"", "anna"} {
		lines, err := w.log.List(t.Context(), audit.Query{Object: object, Who: "stranger", Limit: 500})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			if l.Action == "login.slowed" && (object != "" || l.Object == "") {
				n++
			}
		}
	}
	return n
}

func TestSlowSaysHowLong(t *testing.T) {
	w := newWorld(t, storeOf(t), nil)
	r := login.LoginRequest{Name: "nessuno", Password: "x", Source: office}
	for range 5 {
		if _, err := w.Login(t.Context(), r); errors.As(err, new(login.Slow)) {
			t.Fatal("too slow already")
		}
	}
	w.now = w.now.Add(20 * time.Second)
	var slow login.Slow
	if _, err := w.Login(t.Context(), r); !errors.As(err, &slow) || slow.After != 40*time.Second {
		t.Fatalf("%v", err)
	}
	w.now = w.now.Add(slow.After)
	if _, err := w.Login(t.Context(), r); errors.As(err, &slow) {
		t.Errorf("waited as told, and: %v", err)
	}
}

// Who signs in well has spent nothing.
func TestSuccessCostsNothing(t *testing.T) {
	w := newWorld(t, storeOf(t), func(c *login.Config) { c.Source = time.Nanosecond }) // a stranger each time
	w.add(t, "anna", viewer)
	for i := range 60 {
		if _, err := w.Login(t.Context(), login.LoginRequest{Name: "anna", Password: good, Source: office}); err != nil {
			t.Fatalf("sign-in %d: %v", i, err)
		}
	}
}

// Somebody who has the password guesses codes: few, and the owner's own place
// is not slowed by them.
func TestGuessingCodes(t *testing.T) {
	w := newWorld(t, storeOf(t), nil)
	w.add(t, "anna", viewer)
	secret, _ := withApp(t, w, "anna")
	w.now = w.now.Add(time.Minute)
	tablet := w.enter(t, login.LoginRequest{Name: "anna", Password: good, Source: office, Code: appCode(secret, w.now)}).Device
	wrong := func(i int) string { return fmt.Sprintf("%06d", i) }
	looked := 0
	var ticket string
	for i := range 300 {
		if ticket == "" {
			ticket = w.enter(t, login.LoginRequest{Name: "anna", Password: good, Source: addr(i)}).Ticket
		}
		_, err := w.Login(t.Context(), login.LoginRequest{Ticket: ticket, Source: addr(i), Code: wrong(i)})
		if err == nil {
			t.Fatal("guessed")
		}
		if !errors.As(err, new(login.Slow)) {
			looked++
		}
	}
	if looked != 5 {
		t.Errorf("%d codes looked at; 5 by the limit", looked)
	}
	w.now = w.now.Add(31 * time.Second)
	w.enter(t, login.LoginRequest{Name: "anna", Password: good, Source: addr(1), Device: tablet, Code: appCode(secret, w.now)})
}

// Tries at the same moment are counted before they are looked at.
func TestGuessingAllAtOnce(t *testing.T) {
	w := newWorld(t, storeOf(t), nil)
	w.add(t, "anna", viewer)
	before := w.Figures().Hashes
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if _, err := w.Login(t.Context(), login.LoginRequest{Name: "anna", Password: fmt.Sprint("guess ", i), Source: office}); err == nil {
				t.Error("let in")
			}
		})
	}
	wg.Wait()
	if n := w.Figures().Hashes - before; n != 5 {
		t.Errorf("%d of 50 looked at; 5 by the limit", n)
	}
}

// A device is known for whoever signed in on it, and the ten last of them.
func TestKnownDevices(t *testing.T) {
	w := newWorld(t, storeOf(t), nil)
	w.add(t, "anna", viewer)
	w.add(t, "bea", viewer)
	var devices []string
	for i := range 12 {
		w.now = w.now.Add(time.Hour)
		devices = append(devices, w.enter(t, login.LoginRequest{Name: "anna", Password: good, Source: addr(i)}).Device)
	}
	last := devices[11]
	if again := w.enter(t, login.LoginRequest{Name: "anna", Password: good, Source: addr(40), Device: last}); again.Device != last {
		t.Error("a known device is given another cookie")
	}
	if made := w.enter(t, login.LoginRequest{Name: "anna", Password: good, Source: addr(41), Device: "made up"}); made.Device == "made up" || made.Device == "" {
		t.Error("a cookie that we did not make is kept")
	}
	for i := range 100 { // both accounts under attack
		for _, name := range []string{"anna", "bea"} {
			if _, err := w.Login(t.Context(), login.LoginRequest{Name: name, Password: "x", Source: addr(1000 + i)}); err == nil {
				t.Fatal("let in")
			}
		}
		w.now = w.now.Add(time.Second)
	}
	from := 2000
	slowed := func(name, device string) bool {
		from++ // a network that a sign-in has made known is another matter
		_, err := w.Login(t.Context(), login.LoginRequest{Name: name, Password: good, Source: addr(from), Device: device})
		return errors.As(err, new(login.Slow))
	}
	if slowed("anna", last) {
		t.Error("the owner is kept out on a known device")
	}
	for what, d := range map[string]string{"none": "", "made up": "made up", "the first of twelve": devices[0]} {
		if !slowed("anna", d) {
			t.Errorf("device %s passes for known", what)
		}
	}
	if !slowed("bea", last) {
		t.Error("the device of one account is known for another")
	}
	w.now = w.now.Add(91 * 24 * time.Hour)
	for range 30 {
		w.Login(t.Context(), login.LoginRequest{Name: "anna", Password: "x", Source: addr(3000)})
	}
	if _, err := w.Login(t.Context(), login.LoginRequest{Name: "anna", Password: good, Source: addr(3000), Device: last}); !errors.As(err, new(login.Slow)) {
		t.Errorf("a device is known for longer than 90 days: %v", err)
	}
}
