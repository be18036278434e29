package web

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

func TestBackLeadsToOwnPagesOnly(t *testing.T) {
	for address, want := range map[string]string{
		"/rete": "/rete", "/rete/": "/rete/", "/rete?a=1&b=%2F": "/rete?a=1&b=%2F", "/": "/", "/rete/collegamenti/a%20b": "/rete/collegamenti/a%20b", "/rete#x": "/rete",
		"": "", "rete": "", "//evil.example": "", "///evil.example": "", "/\\evil.example": "", "\\\\evil.example": "", "https://evil.example/": "", "http:/evil.example": "",
		"/\t/evil.example": "", "/\n/evil.example": "", " /rete": "", "/rete ": "", "/./rete": "", "/..//evil.example": "", "/rete/../..//evil.example": "", "/rete//x": "",
		"/%2f/evil.example": "", "/%5cevil.example": "/%5cevil.example", "javascript:alert(1)": "", "/%zz": "", "/perché": "", "/entra": "", "/esci": "", "/invito": "",
		"//user@evil.example/": "", "/rete?x=//evil.example": "/rete?x=//evil.example", "/" + strings.Repeat("a", 2000): "",
	} {
		if got := back(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

// FuzzBack: wherever a browser would go by what back gives, it is this site.
func FuzzBack(f *testing.F) {
	for _, s := range []string{"/rete", "//evil.example", "/\\evil.example", "/%2f%2fevil", "/a?b=c", "/..;/x", "/\u2028/x", "/%00", "/@evil.example", "/:80", "?x", "/a/./b", "/a%2e%2e/b"} {
		f.Add(s)
	}
	base, err := url.Parse("http://127.0.0.1:8080/entra?dopo=x")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, address string) {
		got := back(address)
		if got == "" {
			return
		}
		to, err := base.Parse(got)
		if err != nil || to.Host != base.Host || to.Scheme != base.Scheme || to.User != nil {
			t.Fatalf("%q leads to %v %v", address, to, err)
		}
		if !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t \x00") {
			t.Fatalf("%q gives %q", address, got)
		}
		if again := back(got); again != got {
			t.Fatalf("%q gives %q, which gives %q", address, got, again)
		}
	})
}

// oneToken knows one token; everything else of People is not asked.
type oneToken struct {
	People
	asked []string
}

func (o *oneToken) ByToken(_ context.Context, secret string) (login.Identity, error) {
	o.asked = append(o.asked, secret)
	if secret != "crn_good" {
		return login.Identity{}, fault.New(fault.Denied, "the token is not known")
	}
	return login.Identity{Person: "tecnica", Via: "token:good"}, nil
}

// FuzzBearer: an Authorization header is the token or is refused; nobody gets
// in by another spelling.
func FuzzBearer(f *testing.F) {
	for _, s := range []string{"Bearer crn_good", "bearer crn_good", "Bearer  crn_good ", "Basic crn_good", "Bearer", "", "Bearer crn_good, Bearer x", "Bearer\tcrn_good", "Bearer crn_good\x00", "Bearer \u00e8"} {
		f.Add(s)
	}
	people := &oneToken{}
	s, err := New(Default(), Deps{People: people})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header string) {
		people.asked = nil
		r := httptest.NewRequest("GET", "/api/v1/me", nil)
		r.Host = "localhost"
		r.Header["Authorization"] = []string{header}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		scheme, rest, _ := strings.Cut(header, " ")
		right := strings.EqualFold(scheme, "bearer") && strings.Trim(rest, " ") == "crn_good"
		if right != (w.Code == http.StatusOK) || !right && w.Code != http.StatusUnauthorized {
			t.Fatalf("%q: %d %s", header, w.Code, w.Body)
		}
		for _, a := range people.asked {
			if a == "" || strings.ContainsAny(a, " \t\r\n\x00") {
				t.Fatalf("%q: asked for the token %q", header, a)
			}
		}
	})
}

// FuzzForwarded: whatever a proxy passes on, the source is an address.
func FuzzForwarded(f *testing.F) {
	for _, s := range []string{"203.0.113.9", "a, b", "[2001:db8::1]:80", "fe80::1%eth0", ",", "unknown", "203.0.113.9:99999", "::ffff:1.2.3.4"} {
		f.Add(s)
	}
	s, err := New(Config{Addr: "127.0.0.1:0", Forwarded: true}, Deps{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "127.0.0.1:1"
		r.Header["X-Forwarded-For"] = []string{header}
		if a := s.source(r); !a.IsValid() || a.Zone() != "" || a.Is4In6() {
			t.Fatalf("%q: %v", header, a)
		}
	})
}

// FuzzBody: a body is read or refused as not valid.
func FuzzBody(f *testing.F) {
	for _, s := range []string{`{"name": "x"}`, `{}`, ``, `null`, `{"name": "x"} 1`, `{"name": "x", "name": "y"}`, `[1]`, "\xff", `{"grants": [{"role": 1}]}`} {
		f.Add(s, "application/json")
	}
	f.Add("a=b", "text/plain; charset=\"")
	f.Fuzz(func(t *testing.T, body, kind string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header["Content-Type"] = []string{kind}
		var v InviteAsked
		if err := Body(r, &v); err != nil && fault.Of(err) != fault.Invalid {
			t.Fatalf("%q: %v", body, err)
		}
	})
}

// TestProxyNotTrusted: one that passes addresses on in vain is told of, once.
func TestProxyNotTrusted(t *testing.T) {
	for trusted, want := range map[bool]int{false: 1, true: 0} {
		var logged bytes.Buffer
		s, err := New(Config{Addr: "127.0.0.1:0", Forwarded: trusted}, Deps{Log: slog.New(slog.NewTextHandler(&logged, nil))})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = "127.0.0.1:4000"
			r.Header.Set("X-Forwarded-For", "192.0.2.7")
			if got := s.source(r).String(); (got == "192.0.2.7") != trusted {
				t.Errorf("trusted %v: %s", trusted, got)
			}
		}
		if n := strings.Count(logged.String(), "http.forwarded"); n != want {
			t.Errorf("trusted %v: told %d times, want %d: %s", trusted, n, want, logged.String())
		}
	}
}
