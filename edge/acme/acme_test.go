package acme_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/edge/acme"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/testdata"
)

// The test program is the hook too: it sets the record at the DNS server of the
// authority's own test suite.
func TestMain(m *testing.M) {
	if at := os.Getenv("ACME_TEST_DNS"); at != "" && len(os.Args) > 3 {
		if err := setRecord(at, os.Args[len(os.Args)-3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func setRecord(at string, words []string) error {
	do, say := "/set-txt", map[string]string{"host": words[1] + ".", "value": words[2]}
	if words[0] == "cleanup" {
		do, say = "/clear-txt", map[string]string{"host": words[1] + "."}
	}
	b, err := json.Marshal(say)
	if err != nil {
		return err
	}
	res, err := http.Post("http://"+at+do, "application/json", bytes.NewReader(b))
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", do, res.Status)
	}
	return nil
}

// authority is Pebble, the test server of Let's Encrypt, with its DNS server.
type authority struct {
	directory, dns string
	http           *http.Client
}

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		out, _ := exec.Command("go", "env", "GOPATH").Output()
		path = filepath.Join(strings.TrimSpace(string(out)), "bin", name)
	}
	if _, err := os.Stat(path); err != nil {
		if testdata.Real() {
			t.Fatalf("%s is missing and CRINALE_REAL=all: make test-deps builds it", name)
		}
		t.Skipf("SKIPPED: %s is not here; make test-deps builds it", name)
	}
	return path
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func start(t *testing.T, name string, env []string, args ...string) {
	t.Helper()
	cmd := exec.Command(program(t, name), args...)
	cmd.Env = append(os.Environ(), env...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, b []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	cert := put("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	keyFile := put("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
	at, management, dns := free(t), free(t), free(t)
	conf, err := json.Marshal(map[string]any{"pebble": map[string]any{"listenAddress": at, "managementListenAddress": free(t), "certificate": cert, "privateKey": keyFile,
		"httpPort": 1, "tlsPort": 1, "externalAccountBindingRequired": false, "retryAfter": map[string]int{"authz": 1, "order": 1}}})
	if err != nil {
		t.Fatal(err)
	}
	start(t, "pebble-challtestsrv", nil, "-dnsserver", dns, "-management", management, "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "")
	start(t, "pebble", []string{"PEBBLE_VA_NOSLEEP=1"}, "-config", put("config.json", conf), "-dnsserver", dns, "-strict")
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	a := &authority{directory: "https://" + at + "/dir", dns: management, http: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}}
	for range 200 {
		res, err := a.http.Get(a.directory)
		if err == nil {
			res.Body.Close()
			other, err := net.Dial("tcp", management)
			if err == nil {
				other.Close()
				return a
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the authority does not answer")
	return nil
}

func (a *authority) keeper(t *testing.T, dir string, now func() time.Time, hook string, names ...string) *acme.Keeper {
	t.Helper()
	t.Setenv("ACME_TEST_DNS", a.dns)
	k, err := acme.New(acme.Config{Dir: dir, Names: names, Directory: a.directory, Email: "rete@unione.example", Hook: []string{hook, "-"}, Settle: time.Millisecond},
		acme.Deps{HTTP: a.http, Now: now, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// run keeps certificates until a condition holds.
func run(t *testing.T, k *acme.Keeper, until func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	for !until() && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
	}
	failed := ctx.Err()
	cancel()
	if err := <-ended; err != nil || failed != nil {
		t.Fatalf("%v, %v", err, failed)
	}
}

// Certificates are got by the record alone, kept over a restart, and had anew when
// a third of their time is left; the names that have one are given meanwhile.
func TestCertificatesByTheRecord(t *testing.T) {
	a := newAuthority(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "acme")
	names := []string{"docs.bergolo.example", "stato.bergolo.example"}
	k := a.keeper(t, dir, nil, self, names...)
	if k.Get(names[0]) != nil || !k.Until(names[0]).IsZero() {
		t.Error("there is a certificate before any was asked for")
	}
	run(t, k, func() bool { return k.Get(names[0]) != nil && k.Get(names[1]) != nil })
	for _, name := range names {
		if err := k.Get(name).Leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
		st, err := os.Stat(filepath.Join(dir, name+".pem"))
		if err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%v %v: the key can be read by others", st, err)
		}
	}
	first := k.Get(names[0]).Leaf

	again := a.keeper(t, dir, nil, self, names...)
	if c := again.Get(names[0]); c == nil || !c.Leaf.Equal(first) {
		t.Error("what was got is not there after a restart")
	}
	late := func() time.Time { return first.NotAfter.Add(-first.NotAfter.Sub(first.NotBefore) / 4) }
	renewed := a.keeper(t, dir, late, self, names...)
	run(t, renewed, func() bool { return !renewed.Get(names[0]).Leaf.Equal(first) })
	if bytes.Equal(renewed.Get(names[0]).Leaf.RawSubjectPublicKeyInfo, first.RawSubjectPublicKeyInfo) {
		t.Error("renewed with the old key")
	}

	// A damaged file is asked for again; a damaged account says what to do.
	if err := os.WriteFile(filepath.Join(dir, names[1]+".pem"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	mended := a.keeper(t, dir, nil, self, names...)
	run(t, mended, func() bool { return mended.Get(names[1]) != nil })
}

// A hook that fails is named, with what it said; nothing is kept.
func TestAHookThatFails(t *testing.T) {
	a := newAuthority(t)
	var said bytes.Buffer
	k, err := acme.New(acme.Config{Dir: t.TempDir(), Names: []string{"docs.bergolo.example"}, Directory: a.directory, Hook: []string{"/bin/sh", "-c", "echo zona chiusa >&2; exit 3"}},
		acme.Deps{HTTP: a.http, Log: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := k.Run(ctx); err != nil {
		t.Error(err)
	}
	if got := said.String(); !strings.Contains(got, "zona chiusa") || !strings.Contains(got, "present _acme-challenge.docs.bergolo.example") || !strings.Contains(got, "tried again later") {
		t.Errorf("said %s", got)
	}
	if k.Get("docs.bergolo.example") != nil {
		t.Error("a certificate without a record")
	}
}

func TestNamesThatAreNone(t *testing.T) {
	for _, name := range []string{"../etc/passwd", ".hidden", "a/b"} {
		if _, err := acme.New(acme.Config{Dir: t.TempDir(), Names: []string{name}, Directory: "https://ca.example", Hook: []string{"/bin/true"}}, acme.Deps{}); fault.Of(err) != fault.Invalid {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := acme.New(acme.Config{Dir: t.TempDir(), Names: []string{"a.example"}, Directory: "https://ca.example"}, acme.Deps{}); fault.Of(err) != fault.Invalid {
		t.Errorf("without a hook: %v", err)
	}
}
