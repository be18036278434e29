package login

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// Whatever is tried, the memory of the limits is the same.
func TestLimitsHaveBoundedMemory(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	g := newGuard(DefaultLimits(), now)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range 200_000 {
		g.take(try{name: fmt.Sprint("account-", i), source: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})}, now.Add(time.Duration(i)*time.Second))
	}
	if after := heap(); after > before+64<<10 {
		t.Errorf("%d bytes more after 200,000 tries", after-before)
	}
	runtime.KeepAlive(g)
}

// A clock that is set back keeps nobody out for longer than the limit itself.
func TestLimitsWithAClockSetBack(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC) // without a monotonic reading
	g := newGuard(DefaultLimits(), now)
	who := try{name: "anna", source: netip.MustParseAddr("192.0.2.1")}
	for g.take(who, now) == 0 {
	}
	now = now.AddDate(-50, 0, 0)
	longest := DefaultLimits().Account.Every
	if wait := g.take(who, now); wait > longest {
		t.Errorf("wait %s", wait)
	}
	if wait := g.take(who, now.Add(longest)); wait > 0 {
		t.Errorf("after %s wait %s", longest, wait)
	}
}

func TestNetworks(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "::ffff:192.0.2.7": "192.0.2.7/32", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "::1": "::/64",
	} {
		if got := network(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s: %s; want %s", in, got, want)
		}
	}
	if got := network(netip.Addr{}); got != "" {
		t.Errorf("the socket: %q", got)
	}
}

// An unknown name costs the same hash as a wrong password: once, at the same
// cost, as do an account without a password and one that is locked.
func TestEveryRefusalDoesTheSameWork(t *testing.T) {
	h := newHasher(Default().Hash, 1, 1)
	if h.nobody.cost != h.cost || len(h.nobody.salt) != saltSize || len(h.nobody.hash) != hashSize {
		t.Errorf("the stand-in costs %+v", h.nobody.cost)
	}
	cheap := newHasher(HashCost{Passes: 1, MemoryKiB: 8}, 1, 1)
	stored, err := cheap.make(t.Context(), "a password")
	if err != nil {
		t.Fatal(err)
	}
	for what, hash := range map[string]string{"wrong": stored.String(), "none": ""} {
		before := cheap.count.Load()
		if ok, err := cheap.fits(t.Context(), "another", hash); ok || err != nil {
			t.Errorf("%s: %v, %v", what, ok, err)
		}
		if n := cheap.count.Load() - before; n != 1 {
			t.Errorf("%s: %d hashes", what, n)
		}
	}
	if ok, err := cheap.fits(t.Context(), "a password", stored.String()); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

func TestStoredPasswords(t *testing.T) {
	h := phc{cost: HashCost{Passes: 3, MemoryKiB: 32768}, salt: make([]byte, saltSize), hash: make([]byte, hashSize)}
	whole := h.String()
	if back, err := parsePHC(whole); err != nil || back.String() != whole || back.cost != h.cost {
		t.Errorf("%+v, %v", back, err)
	}
	for _, bad := range []string{"", "x", "$argon2id$v=19$m=32768,t=3,p=1", whole + "$", strings.Replace(whole, "argon2id", "argon2i", 1), strings.Replace(whole, "v=19", "v=16", 1),
		strings.Replace(whole, "t=3", "t=0", 1), strings.Replace(whole, "m=32768", "m=4294967295", 1), strings.Replace(whole, "p=1", "p=4", 1), strings.Replace(whole, "t=3", "t=03", 1), whole[:len(whole)-1], whole[:len(whole)-1] + "*"} {
		if _, err := parsePHC(bad); err == nil || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Few hashes at once, few that wait, the rest are told when to come back.
func TestHashesQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(HashCost{Passes: 1, MemoryKiB: 8}, 2, 3)
		h.slots <- struct{}{} // two that take long
		h.slots <- struct{}{}
		h.waiting.Add(2)
		ctx, cancel := context.WithCancelCause(t.Context())
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := h.make(ctx, "x"); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		var s Slow
		if _, err := h.make(t.Context(), "x"); !errors.As(err, &s) || s.After < time.Second || fault.Of(err) != fault.Denied {
			t.Errorf("%v", err)
		}
		if h.count.Load() != 0 {
			t.Errorf("%d hashes made", h.count.Load())
		}
		cancel(context.Canceled)
		wg.Wait()
		<-h.slots
		h.waiting.Add(-1)
		if _, err := h.make(t.Context(), "x"); err != nil || h.count.Load() != 1 {
			t.Error(err)
		}
	})
}

func FuzzParseToken(f *testing.F) {
	for _, s := range []string{"", "crn_", "crn__", "crn_00000000_00000000000000000000000000000000", "crn_0000000é_000", "CRN_00000000_0000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, secret, ok := parseToken(s)
		if ok && tokenMark+id+"_"+secret != s {
			t.Errorf("%q is read as %q and %q", s, id, secret)
		}
		if !ok && (id != "" || secret != "") {
			t.Errorf("%q gives %q, %q and is no token", s, id, secret)
		}
	})
}

func FuzzFoldCode(f *testing.F) {
	for _, s := range []string{"", "abcde-fgh01", "ABCDE FGHOI", "abcde-fgh0l-", "abcdé-fgh01", "\x00", strings.Repeat("-", 1000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		code, ok := foldCode(s, recoveryLetters)
		if !ok {
			return
		}
		if len(code) != recoveryLetters || strings.Trim(code, letters) != "" {
			t.Errorf("%q means %q", s, code)
		}
		if again, ok := foldCode(code, recoveryLetters); !ok || again != code {
			t.Errorf("%q means %q, and that %q", s, code, again)
		}
	})
}

func TestNewCodes(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		c := newCode(recoveryLetters, codeGroup)
		folded, ok := foldCode(strings.ToUpper(c), recoveryLetters)
		if !ok || len(c) != 11 || c[5] != '-' || seen[folded] {
			t.Fatalf("%q means %q, %v", c, folded, ok)
		}
		seen[folded] = true
	}
	if c := newCode(inviteLetters, 4); len(c) != 19 || strings.Count(c, "-") != 3 {
		t.Error(c)
	}
}

func TestPasswords(t *testing.T) {
	for _, p := range []string{"ginepro sotto la neve 7", "correct horse battery staple", "Xk7#qP2!mZ", "tre caprioli sul crinale", "perché la luna è tonda", "日本の山は高いですよね"} {
		if err := CheckPassword("anna", p); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
	for _, p := range []string{"", "short", "Xk7#qP2!m", "aaaaaaaaaaaa", "1234567890", "0987654321", "abcdefghijkl", "qwertyuiop", "qwertyuiop12", "asdfghjkl;", "1qaz2wsx3edc", "password123", "P@ssw0rd2026!",
		"Mikrotik2026", "juventus1897", "altalanga2026", "amministratore", "ciaociao2026", "benvenuto!!1", "welcome12345", "abababababab", "iloveyou1234", "admin-admin-1", "Settembre2026", "annaanna2026",
		"anna.anna.1", "12121212121212", "\xff\xfe1234567890", "a\x00bcdefghxyz", strings.Repeat("xK7#", 65)} {
		if err := CheckPassword("anna", p); err == nil || fault.Of(err) != fault.Invalid {
			t.Errorf("%q is taken: %v", p, err)
		} else if len(p) > 5 && strings.Contains(err.Error(), p) {
			t.Errorf("the password is in the error: %v", err)
		}
	}
}

func FuzzCheckPassword(f *testing.F) {
	f.Add("anna", "password123")
	f.Add("", "ginepro sotto la neve 7")
	f.Add("a", "\xff\x00àèìòù")
	f.Fuzz(func(t *testing.T, name, p string) {
		err := CheckPassword(name, p)
		if err == nil && len([]rune(p)) < MinPassword {
			t.Errorf("%q is taken", p)
		}
		if err != nil && fault.Of(err) != fault.Invalid {
			t.Error(err)
		}
	})
}
