package login_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"image/png"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// appCode is what an authenticator app shows: RFC 4226 §5.3 with the time step
// of RFC 6238, written down here so that the library is held against it.
func appCode(secret []byte, at time.Time) string {
	h := hmac.New(sha1.New, secret)
	binary.Write(h, binary.BigEndian, uint64(at.Unix()/30))
	sum := h.Sum(nil)
	o := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[o:])&0x7fffffff)%1e6)
}

// TestAppCode: RFC 6238, appendix B, the last six of its eight digits.
func TestAppCode(t *testing.T) {
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := appCode([]byte("12345678901234567890"), time.Unix(at, 0)); got != want {
			t.Errorf("at %d: %s; want %s", at, got, want)
		}
	}
}

// withApp turns the second factor of an account on.
func withApp(t testing.TB, w *world, name string) (secret []byte, recovery []string) {
	t.Helper()
	setup, err := w.StartTOTP(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if secret, err = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(setup.Secret); err != nil || len(secret) != 20 {
		t.Fatalf("%d bytes of secret, %v", len(secret), err)
	}
	u, err := url.Parse(setup.URI)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/crinale:"+name || u.Query().Get("secret") != setup.Secret || u.Query().Get("issuer") != "crinale" {
		t.Errorf("%s, %v", setup.URI, err)
	}
	if img, err := png.Decode(bytes.NewReader(setup.QR)); err != nil || img.Bounds().Dx() != 256 {
		t.Errorf("picture: %v", err)
	}
	if recovery, err = w.ConfirmTOTP(t.Context(), name, appCode(secret, w.now)); err != nil || len(recovery) != 10 {
		t.Fatalf("%d codes, %v", len(recovery), err)
	}
	return secret, recovery
}

func TestSecondFactor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.add(t, "anna", viewer)
		secret, recovery := withApp(t, w, "anna")
		if p, err := w.Get(ctx, "anna"); err != nil || !p.SecondFactor || p.CodesLeft != 10 {
			t.Errorf("%+v, %v", p, err)
		}
		req := login.LoginRequest{Name: "anna", Password: good, Source: office}
		step := w.enter(t, req)
		if !step.NeedsCode || step.Person != "" || step.Ticket == "" || step.Device != "" {
			t.Fatalf("%+v", step)
		}
		second := login.LoginRequest{Ticket: step.Ticket, Source: office, Code: appCode(secret, w.now)}
		_, err := w.Login(ctx, second)
		kind(t, err, fault.Denied) // that code confirmed the set-up: not twice
		w.now = w.now.Add(30 * time.Second)
		second.Code = appCode(secret, w.now)
		if res := w.enter(t, second); res.Person != "anna" || res.Device == "" {
			t.Errorf("%+v", res)
		}
		_, err = w.Login(ctx, second)
		kind(t, err, fault.Denied) // nor this one
		w.now = w.now.Add(90 * time.Second)
		for _, far := range []time.Duration{-time.Minute, time.Minute} {
			second.Code = appCode(secret, w.now.Add(far))
			if _, err := w.Login(ctx, second); err == nil {
				t.Errorf("the code of %s from now is taken", far)
			}
		}
		w.now = w.now.Add(time.Hour)
		req.Code = appCode(secret, w.now.Add(-30*time.Second)) // the one before, with a space, all in one step
		req.Code = " " + req.Code[:3] + " " + req.Code[3:]
		if res := w.enter(t, req); res.Person != "anna" {
			t.Errorf("%+v", res)
		}
		req.Code = strings.ToUpper(recovery[3])
		if res := w.enter(t, req); res.Person != "anna" {
			t.Errorf("%+v", res)
		}
		_, err = w.Login(ctx, req)
		kind(t, err, fault.Denied) // a recovery code is good once
		if p, err := w.Get(ctx, "anna"); err != nil || p.CodesLeft != 9 {
			t.Errorf("%+v, %v", p, err)
		}
		fresh, err := w.NewRecovery(ctx, "anna")
		if err != nil || len(fresh) != 10 {
			t.Fatal(err)
		}
		req.Code = recovery[4]
		_, err = w.Login(ctx, req)
		kind(t, err, fault.Denied)
		if err := w.DropTOTP(ctx, "anna"); err != nil {
			t.Fatal(err)
		}
		kind(t, w.DropTOTP(ctx, "anna"), fault.NotFound)
		req.Code = ""
		if res := w.enter(t, req); res.Person != "anna" || res.NeedsCode {
			t.Errorf("%+v", res)
		}
	})
}

func TestCodesThatAreNone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.add(t, "anna", viewer)
		_, err := w.ConfirmTOTP(ctx, "anna", "123456")
		kind(t, err, fault.Conflict) // none begun
		setup, err := w.StartTOTP(ctx, "anna")
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range []string{"", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-12345", strings.Repeat("1", 1<<16), "\x00\xff"} {
			_, err := w.ConfirmTOTP(ctx, "anna", code)
			kind(t, err, fault.Denied)
		}
		if p, err := w.Get(ctx, "anna"); err != nil || p.SecondFactor {
			t.Errorf("%+v, %v: on without a code", p, err)
		}
		if res := w.enter(t, login.LoginRequest{Name: "anna", Password: good}); res.NeedsCode {
			t.Error("a second factor that was only begun is asked for")
		}
		if _, err := w.StartTOTP(ctx, "anna"); err != nil { // a new secret; the one shown before is void
			t.Fatal(err)
		}
		old, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(setup.Secret)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.ConfirmTOTP(ctx, "anna", appCode(old, w.now))
		kind(t, err, fault.Denied)
	})
}

func TestOneCodeLetsInOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, "anna", viewer)
		secret, _ := withApp(t, w, "anna")
		w.now = w.now.Add(time.Minute)
		var in atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, err := w.Login(t.Context(), login.LoginRequest{Name: "anna", Password: good, Source: office, Code: appCode(secret, w.now)}); err == nil {
					in.Add(1)
				}
			})
		}
		wg.Wait()
		if in.Load() != 1 {
			t.Errorf("one code let in %d times", in.Load())
		}
	})
}

func TestTickets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.add(t, "anna", viewer)
		w.add(t, "bea", viewer)
		secret, _ := withApp(t, w, "anna")
		w.now = w.now.Add(time.Minute)
		ticket := func() string { return w.enter(t, login.LoginRequest{Name: "anna", Password: good}).Ticket }
		refused := func(what, ticket string) {
			t.Helper()
			if _, err := w.Login(ctx, login.LoginRequest{Ticket: ticket, Code: appCode(secret, w.now)}); fault.Of(err) != fault.Denied {
				t.Errorf("%s: %v", what, err)
			}
		}
		whole := ticket()
		refused("made up", "x")
		refused("too long", strings.Repeat("A", 1<<16))
		flipped := []byte(whole)
		flipped[20] ^= 1
		refused("a flipped byte", string(flipped))
		refused("a session's device", whole[:len(whole)-4])
		w.now = w.now.Add(5 * time.Minute)
		refused("too late", whole)
		whole = ticket()
		if err := w.SetPassword(ctx, "anna", good, "un altro bosco di faggi"); err != nil {
			t.Fatal(err)
		}
		refused("the password was changed", whole)
		if err := w.SetPassword(ctx, "anna", "un altro bosco di faggi", good); err != nil {
			t.Fatal(err)
		}
		whole = ticket()
		if err := w.Lock(ctx, "anna"); err != nil {
			t.Fatal(err)
		}
		refused("locked", whole)
		if err := w.Unlock(ctx, "anna"); err != nil {
			t.Fatal(err)
		}
		// Somebody else's key opens nothing: neither tickets nor second factors.
		other := newWorld(t, w.db, func(c *login.Config) { c.Key = make([]byte, login.KeySize) })
		other.now = w.now
		_, err := other.Login(ctx, login.LoginRequest{Ticket: whole, Code: appCode(secret, w.now)})
		kind(t, err, fault.Denied)
		_, err = other.Login(ctx, login.LoginRequest{Name: "anna", Password: good, Code: appCode(secret, w.now)})
		kind(t, err, fault.Internal)
		if !strings.Contains(err.Error(), "put that key back") {
			t.Error(err)
		}
	})
}
