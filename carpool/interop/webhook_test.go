package interop

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// peer is another operator's server, with what it was told.
type peer struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	heard  []*http.Request
	bodies []string
}

func newPeer(t testing.TB) *peer {
	p := &peer{status: 200}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.heard, p.bodies = append(p.heard, r), append(p.bodies, string(b))
		if p.status >= 300 && p.status < 400 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(p.status)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *peer) trust(c *Config) {
	pool := x509.NewCertPool()
	pool.AddCert(p.Certificate())
	c.anywhere, c.roots, c.Hosts = true, &tls.Config{RootCAs: pool}, []string{"127.0.0.1"}
}

// told is a world whose friends are told at a peer, with one booking.
func told(t testing.TB, db *store.DB, p *peer) (*world, *village, string) {
	v := newVillage()
	w := newWorld(t, db, v, p.trust)
	if err := w.Operators.Revoke(t.Context(), friends); err != nil {
		t.Fatal(err)
	}
	k, err := w.Operators.Add(t.Context(), Operator{ID: friends, Name: "Amici", Scopes: Scopes(), Webhook: p.URL + "/api"})
	if err != nil {
		t.Fatal(err)
	}
	w.key[friends] = k.Key
	w.ask(friends, "POST", "/bookings", posted(1)).want(t, 201, "")
	return w, v, "b-" + posted(1).ID
}

// waits is how many messages wait, and how many were given up.
type waits struct{ Waiting, GivenUp int64 }

func (w *world) deliver() waits {
	w.t.Helper()
	if err := w.Round(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.box.Deliver(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	f, err := w.box.Figures(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return waits{f.Waiting, f.GivenUp}
}

// The operator is told once of each step that the portal takes, signed by its
// key, in the form of the standard.
func TestTell(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeer(t)
		w, v, ref := told(t, db, p)
		w.deliver()
		if len(p.heard) != 0 {
			t.Fatal("told of what it did itself")
		}
		v.set(ref, Confirmed)
		w.deliver()
		w.deliver()
		if len(p.heard) != 1 || p.heard[0].URL.Path != "/api/booking_events" {
			t.Fatalf("told %d times", len(p.heard))
		}
		w.ask(friends, "GET", "/bookings/"+posted(1).ID, nil).want(t, 200, "CONFIRMED")
		var ev Event
		if err := json.Unmarshal([]byte(p.bodies[0]), &ev); err != nil || ev.Data.Status != Confirmed || ev.Data.ID != posted(1).ID || ev.Data.Driver == nil || ev.Data.Price == nil || ev.Data.Passenger != nil {
			t.Errorf("%s: %v", p.bodies[0], err)
		}
		w.checkSigned(p, 0, ev)
		// What we tell, we would take: the form is that of the standard.
		if _, err := w.readEvent([]byte(p.bodies[0])); err != nil {
			t.Error(err)
		}
		v.set(ref, Completed)
		w.deliver()
		w.ask(friends, "PATCH", "/bookings/"+posted(1).ID+"?status=VALIDATED", nil).want(t, 200, "")
		w.deliver()
		if len(p.heard) != 2 || !strings.Contains(p.bodies[1], string(Completed)) {
			t.Errorf("told %d times: %v", len(p.heard), p.bodies)
		}
	})
}

// checkSigned derives the key as an operator does, and checks header and
// idToken with it.
func (w *world) checkSigned(p *peer, n int, ev Event) {
	w.t.Helper()
	secret := w.key[friends][strings.LastIndex(w.key[friends], "_")+1:]
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("crinale interop webhook 1"))
	key := hex.EncodeToString(m.Sum(nil))
	header := p.heard[n].Header.Get(Signature)
	at, sum, ok := strings.Cut(strings.TrimPrefix(header, "t="), ",v1=")
	want := hmac.New(sha256.New, []byte(key))
	want.Write([]byte(at + "." + p.bodies[n]))
	if got, err := hex.DecodeString(sum); !ok || err != nil || !hmac.Equal(got, want.Sum(nil)) {
		w.t.Errorf("signature %q does not hold", header)
	}
	parts := strings.Split(ev.IDToken, ".")
	if len(parts) != 3 {
		w.t.Fatalf("idToken %q", ev.IDToken)
	}
	want = hmac.New(sha256.New, []byte(key))
	want.Write([]byte(parts[0] + "." + parts[1]))
	claims, err1 := base64.RawURLEncoding.DecodeString(parts[1])
	got, err2 := base64.RawURLEncoding.DecodeString(parts[2])
	if err1 != nil || err2 != nil || !hmac.Equal(got, want.Sum(nil)) || !strings.Contains(string(claims), `"sub":"ospite-1"`) || !strings.Contains(string(claims), `"aud":"`+friends+`"`) {
		w.t.Errorf("idToken %s", claims)
	}
}

// A peer that is down is told later; one that says no, or sends elsewhere, is
// not told again, and nobody follows it elsewhere.
func TestTellTrouble(t *testing.T) {
	for status, gives := range map[int]waits{500: {Waiting: 1}, 429: {Waiting: 1}, 400: {GivenUp: 1}, 401: {GivenUp: 1}, 302: {GivenUp: 1}, 204: {}} {
		p := newPeer(t)
		w, v, ref := told(t, storetest.SQLite(t), p)
		p.status = status
		v.set(ref, Confirmed)
		if got := w.deliver(); got != gives || len(p.heard) != 1 {
			t.Errorf("%d: %+v after %d calls, want %+v", status, got, len(p.heard), gives)
		}
	}
}

// Who has gone is not told, and the outbox does not keep on trying.
func TestTellNobody(t *testing.T) {
	p := newPeer(t)
	w, v, ref := told(t, storetest.SQLite(t), p)
	v.set(ref, Confirmed)
	if err := w.Operators.Revoke(t.Context(), friends); err != nil {
		t.Fatal(err)
	}
	if got := w.deliver(); got != (waits{}) || len(p.heard) != 0 {
		t.Errorf("%+v after %d calls", got, len(p.heard))
	}
}

// A name that resolves to this machine or to a private network is not called.
func TestTellInside(t *testing.T) {
	p := newPeer(t)
	w, v, ref := told(t, storetest.SQLite(t), p)
	w.Server.cfg.anywhere = false
	w.Server.cfg.Hosts = []string{"localhost"}
	w.Server.Operators.cfg = w.Server.cfg
	w.Server.client = w.Server.newClient()
	err := w.db.Do(t.Context(), func(tx *store.Tx) error {
		u, err := url.Parse(p.URL)
		if err != nil {
			return err
		}
		_, err = tx.Exec(t.Context(), `UPDATE interop_operators SET webhook = $1 WHERE id = $2`, "https://localhost:"+u.Port(), friends)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	v.set(ref, Confirmed)
	if got := w.deliver(); got != (waits{GivenUp: 1}) || len(p.heard) != 0 {
		t.Errorf("%+v after %d calls", got, len(p.heard))
	}
}

func TestPublic(t *testing.T) {
	for _, s := range []string{"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
		"198.18.0.1", "203.0.113.7", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1"} {
		if public(netip.MustParseAddr(s)) {
			t.Errorf("%s counts as public", s)
		}
	}
	for _, s := range []string{"8.8.8.8", "151.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"} {
		if !public(netip.MustParseAddr(s)) {
			t.Errorf("%s does not count as public", s)
		}
	}
}

// What is long past is dropped, and an anonymised booking is no trouble.
func TestRoundForgets(t *testing.T) {
	p := newPeer(t)
	w, v, ref := told(t, storetest.SQLite(t), p)
	v.mu.Lock()
	delete(v.bookings, ref)
	v.mu.Unlock()
	if err := w.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.ask(friends, "GET", "/bookings/"+posted(1).ID, nil).want(t, 200, "WAITING")
	w.now = time.Now().Add(91 * 24 * time.Hour)
	if err := w.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.ask(friends, "GET", "/bookings/"+posted(1).ID, nil).want(t, 404, "missing_booking")
	if n := w.lines("carpool.outside.forget"); n != 1 {
		t.Errorf("%d lines of it", n)
	}
}

func TestNewRefuses(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), newVillage(), nil)
	for name, spoil := range map[string]func(*Config){
		"no operator": func(c *Config) { c.Operator = "" },
		"no web":      func(c *Config) { c.Web = "passaggi" },
		"no count":    func(c *Config) { c.Count = 0 },
	} {
		cfg := w.Server.cfg
		spoil(&cfg)
		if _, err := New(cfg, w.Server.deps); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
