package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/zone"
)

// TestProveOutage cuts N town halls off a document service, each an edge of its
// own in a network of its own, and has employees work on: they read what the
// mirror has, send forms of every class, register by hand, while edges are ended
// by kill -9 and others change the same things at the service. When the link is
// back every write has been done once, is refused with a reason, or is kept twice;
// every emergency number has its official one; nobody read what is another
// group's, and the service was never asked more than it says that it bears. The
// work of an hour is done in a minute.
func TestProveOutage(t *testing.T) {
	if os.Getenv("PROVE") != "outage" {
		t.Skip("run by make prove-outage")
	}
	n, seed := number(t, "N", 38), number(t, "SEED", 1)
	if bin := os.Getenv("OUTAGE_BINARY"); bin != "" {
		newOutage(t, n, seed, bin, true).run()
		return
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("unshare", "-rn", "ip", "link", "add", "a", "type", "veth", "peer", "name", "b").CombinedOutput(); err != nil {
		t.Logf("SKIPPED, NOT TESTED: no networks of their own can be made here (%v %s); connections that are cut stand in", err, out)
		newOutage(t, n, seed, bin, false).run()
		return
	}
	c := exec.Command("unshare", "-rn", os.Args[0], "-test.run", "^TestProveOutage$", "-test.v", "-test.timeout", "30m")
	c.Env = append(os.Environ(), "OUTAGE_BINARY="+bin)
	out, err := c.CombinedOutput()
	figure := regexp.MustCompile(`_test.go:\d+: (\d+ edges.*)`).FindStringSubmatch(string(out))
	if err != nil || figure == nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Log(figure[1])
}

const (
	ofHall   = 20 // documents of each group in a town hall
	clerkPIN = "739164"
)

type outage struct {
	t     *testing.T
	n     int
	dir   string
	bin   string
	nets  bool   // each town hall has a network of its own; else a wire that is cut stands in
	at    string // of the service
	cloud *cloud
	roots *x509.CertPool
	halls []*townHall

	opened, missing, foreign  atomic.Int64
	done, refused, twice, got atomic.Int64 // writes by how they ended; and all
	lines                     atomic.Int64
}

// townHall is one edge with its network, and its two employees.
type townHall struct {
	o          *outage
	i          int
	name, data string
	holder     *exec.Cmd // keeps the network
	wire       *backhaul // where there is none
	edge       *exec.Cmd
	ended      chan struct{}
	anna, bice *clerk
	docs       [2]map[string]string // by group: what is to be read
	wrote      []written
	register   string
}

// written is a write with a receipt.
type written struct{ number, method, path, body, expect string }

func newOutage(t *testing.T, n, seed int, bin string, nets bool) *outage {
	o := &outage{t: t, n: n, dir: t.TempDir(), bin: bin, nets: nets, at: "127.0.0.1:0"}
	if nets {
		o.at = "10.77.0.1:8443"
		o.ip("link", "set", "lo", "up")
		o.ip("addr", "add", "10.77.0.1/32", "dev", "lo")
	}
	root := filepath.Join(o.dir, "cloud")
	o.cloud = newCloud(root)
	cert := o.certificate()
	for i := range n {
		h := &townHall{o: o, i: i, name: fmt.Sprintf("e%02d", i), data: filepath.Join(o.dir, fmt.Sprintf("d%02d", i))}
		for g, group := range []string{"comune", "ragioneria"} {
			h.docs[g] = map[string]string{}
			for d := range ofHall {
				h.writeDocument(root, g, group, fmt.Sprintf("atto-%d-%d-%d", seed, i, d))
			}
		}
		o.cloud.files["/bozze/"+h.name+"-a.txt"] = "bozza a " + h.name
		o.cloud.files["/bozze/"+h.name+"-b.txt"] = "bozza b " + h.name
		o.cloud.files["/bozze/"+h.name+"-c.txt"] = "bozza c " + h.name
		o.halls = append(o.halls, h)
	}
	l, err := tls.Listen("tcp", o.at, &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	o.at = l.Addr().String()
	srv := &http.Server{Handler: o.cloud, ErrorLog: log.New(io.Discard, "", 0)}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	return o
}

func (h *townHall) writeDocument(root string, g int, group, name string) {
	path := filepath.Join(group, name+".txt")
	text := fmt.Sprintf("%s di %s: testo dell'atto %s\n", group, h.name, strings.Repeat(name+" ", 40))
	file := filepath.Join(root, h.name, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		h.o.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		h.o.t.Fatal(err)
	}
	h.docs[g][path] = text
}

func (o *outage) ip(args ...string) {
	o.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		o.t.Fatalf("ip %s: %v %s", strings.Join(args, " "), err, out)
	}
}

// certificate is one for all names of the proof, and the authority of it.
func (o *outage) certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		o.t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "proof"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"*.e.example"}, IPAddresses: []net.IP{net.ParseIP("10.77.0.1"), net.ParseIP("127.0.0.1")}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(crand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		o.t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		o.t.Fatal(err)
	}
	certPEM, keyPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
	for name, text := range map[string][]byte{"cert.pem": certPEM, "key.pem": keyPEM, "dav": []byte("dav-secret")} {
		if err := os.WriteFile(filepath.Join(o.dir, name), text, 0o600); err != nil {
			o.t.Fatal(err)
		}
	}
	o.roots = x509.NewCertPool()
	o.roots.AppendCertsFromPEM(certPEM)
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		o.t.Fatal(err)
	}
	return pair
}

func (h *townHall) service() string { return "docs-" + h.name + ".e.example" }
func (h *townHall) reader() string  { return "documenti-" + h.name + ".e.example" }

// address is where the edge answers.
func (h *townHall) address() string {
	if !h.o.nets {
		return h.wire.edge
	}
	return fmt.Sprintf("10.89.%d.2:443", h.i)
}

// cut takes the backhaul away, or gives it back.
func (h *townHall) cut(down bool) {
	switch {
	case !h.o.nets:
		h.wire.cut(down)
	case down:
		h.o.ip("link", "set", "v"+h.name, "down")
	default:
		h.o.ip("link", "set", "v"+h.name, "up")
	}
}

// network makes that of a town hall, with a backhaul that can be cut and a local
// network that stays.
func (h *townHall) network() {
	o, t := h.o, h.o.t
	h.holder = exec.Command("unshare", "-n", "sh", "-c", "echo up; exec sleep 3600")
	up, err := h.holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.holder.Process.Kill(); _ = h.holder.Wait() })
	if _, err := up.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	pid := fmt.Sprint(h.holder.Process.Pid)
	for net, kind := range map[string]string{"10.88": "v", "10.89": "l"} {
		o.ip("link", "add", kind+h.name, "type", "veth", "peer", "name", "p"+kind, "netns", pid)
		o.ip("addr", "add", fmt.Sprintf("%s.%d.1/30", net, h.i), "dev", kind+h.name)
		o.ip("link", "set", kind+h.name, "up")
	}
	inside := fmt.Sprintf("ip link set lo up; ip addr add 10.88.%d.2/30 dev pv; ip link set pv up; ip addr add 10.89.%d.2/30 dev pl; ip link set pl up; ip route add default via 10.88.%d.1", h.i, h.i, h.i)
	if out, err := exec.Command("nsenter", "-t", pid, "-n", "sh", "-ec", inside).CombinedOutput(); err != nil {
		t.Fatalf("network of %s: %v %s", h.name, err, out)
	}
}

// build starts the edge of a town hall.
func (h *townHall) build() {
	o, t, origin := h.o, h.o.t, h.o.at
	if o.nets {
		h.network()
	} else {
		h.wire = newBackhaul(t, o.at)
		origin = h.wire.at
	}
	if err := os.MkdirAll(h.data, 0o700); err != nil {
		t.Fatal(err)
	}
	certs := "cert_file: " + filepath.Join(o.dir, "cert.pem") + ", key_file: " + filepath.Join(o.dir, "key.pem")
	yaml := fmt.Sprintf(`name: %[1]s
comune: "004021"
store: {min_free_gb: 0}
probe: {every_s: 2}
services:
  - {host: %[2]s, origin: "https://%[3]s", agreed: the proof, offline: {rule: until, days: 7}, %[4]s, writes: [
      {name: pratiche, methods: [PUT], path: "/pratiche/{id}", class: create, groups: [comune]},
      {name: domande, methods: [POST], path: /domande, class: create, idempotent: true, groups: [comune]},
      {name: conti, methods: [PUT], path: "/conti/{id}", class: create, groups: [ragioneria]},
      {name: bozze, methods: [PUT], path: "/bozze/{nome}", class: update, groups: [comune]},
      {name: bozze-via, methods: [DELETE], path: "/bozze/{nome}", class: delete, groups: [comune]},
      {name: eventi, methods: [POST], path: /eventi, class: append, anonymous: true},
      {name: protocollo, methods: [POST], path: /protocollo, class: number},
      {name: accesso, methods: [POST], path: /login, class: refuse, why: identity},
      {name: paga, methods: [POST], path: /paga, class: refuse, why: money}]}
reader:
  host: %[5]s
  cert_file: %[6]s
  key_file: %[7]s
  author_domain: e.example
  register: [protocollo]
  writes: [segreteria]
  archives:
    - {name: archivio, from: "https://anna@%[3]s/dav/%[1]s/", secret_file: %[8]s, every_min: 0.2, requests_per_s: 1, readers: [{groups: [comune]}, {under: ragioneria, groups: [ragioneria]}]}
`, h.name, h.service(), origin, certs, h.reader(), filepath.Join(o.dir, "cert.pem"), filepath.Join(o.dir, "key.pem"), filepath.Join(o.dir, "dav"))
	if err := os.WriteFile(filepath.Join(h.data, "edge.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	h.start()
}

func (h *townHall) start() {
	t := h.o.t
	args := []string{h.o.bin, "edge", "run", "--config", filepath.Join(h.data, "edge.yaml"), "--data", h.data, "--listen", h.address(), "--log", "error"}
	if h.o.nets {
		args = append([]string{"nsenter", "-t", fmt.Sprint(h.holder.Process.Pid), "-n"}, args...)
	}
	h.edge = exec.Command(args[0], args[1:]...)
	h.edge.Env = append(os.Environ(), "SSL_CERT_FILE="+filepath.Join(h.o.dir, "cert.pem"))
	talk, err := os.OpenFile(filepath.Join(h.data, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	h.edge.Stdout, h.edge.Stderr = talk, talk
	if err := h.edge.Start(); err != nil {
		t.Fatal(err)
	}
	p, ended := h.edge, make(chan struct{})
	h.ended = ended
	go func() { _ = p.Wait(); close(ended); talk.Close() }()
	t.Cleanup(func() { _ = p.Process.Kill(); <-ended })
	h.await("the edge", func() bool {
		return run([]string{"crinale", "edge", "status", "--data", h.data}, io.Discard, io.Discard) == exitDone
	})
}

func (h *townHall) await(what string, there func() bool) {
	for end := time.Now().Add(3 * time.Minute); !there(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(h.data, "log"))
			h.o.t.Errorf("%s: %s did not come: %s", h.name, what, log)
			return
		}
	}
}

func (h *townHall) mode() string {
	var s edgeStanding
	if err := json.Unmarshal([]byte(edgeVerb(h.o.t, 0, "status", "--data", h.data, "--json")), &s); err != nil {
		h.o.t.Error(err)
	}
	return s.Mode
}

// states are those of all writes, by number.
func (h *townHall) states() map[string]queuedWrite {
	var all struct{ Writes []queuedWrite }
	if err := json.Unmarshal([]byte(edgeVerb(h.o.t, 0, "queue", "list", "--data", h.data, "--json")), &all); err != nil {
		h.o.t.Error(err)
	}
	out := map[string]queuedWrite{}
	for _, w := range all.Writes {
		out[w.Number] = w
	}
	return out
}

// clerk is an employee at their computer.
type clerk struct {
	h  *townHall
	id string
	c  *http.Client
}

func (h *townHall) clerk(name, groups string) *clerk {
	t := h.o.t
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: h.o.roots}, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, h.address())
	}}
	t.Cleanup(tr.CloseIdleConnections)
	k := &clerk{h: h, c: &http.Client{Jar: jar, Transport: tr, Timeout: time.Minute}}
	var i invitation
	if err := json.Unmarshal([]byte(edgeVerb(t, 0, "people", "invite", "--data", h.data, "--name", name, "--groups", groups, "--json")), &i); err != nil {
		t.Fatal(err)
	}
	k.id = i.Person.ID
	if code, body := k.form("/primo-accesso", "codice", i.Code, "pin", clerkPIN, "ancora", clerkPIN); code != 200 || !strings.Contains(body, "Esci") {
		t.Errorf("%s: %s does not get in: %d", h.name, name, code)
	}
	return k
}

func (k *clerk) do(method, address, body string, lines ...string) (*http.Response, string) {
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		k.h.o.t.Error(err)
		return &http.Response{}, ""
	}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		r.Header.Set(name, value)
	}
	res, err := k.c.Do(r)
	if err != nil {
		return &http.Response{}, err.Error()
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return &http.Response{}, err.Error()
	}
	return res, string(text)
}

func (k *clerk) form(path string, pairs ...string) (int, string) {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	res, body := k.do("POST", "https://"+k.h.reader()+path, v.Encode(), "Content-Type: application/x-www-form-urlencoded")
	return res.StatusCode, body
}

func (k *clerk) page(path string) (int, string) {
	res, body := k.do("GET", "https://"+k.h.reader()+path, "")
	return res.StatusCode, body
}

// each does something in all town halls, some at once.
func (o *outage) each(do func(*townHall)) {
	var wg sync.WaitGroup
	turn := make(chan struct{}, 6)
	for _, h := range o.halls {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			do(h)
		})
	}
	wg.Wait()
}

func (o *outage) run() {
	for _, h := range o.halls {
		h.build()
	}
	o.each((*townHall).before)
	root := filepath.Join(o.dir, "cloud")
	for _, h := range o.halls { // written too late for the last copy
		h.writeDocument(root, 0, "comune", fmt.Sprintf("ultimo-%d", h.i))
	}
	for _, h := range o.halls {
		h.cut(true)
	}
	cut := time.Now()
	o.each(func(h *townHall) {
		h.await("to be offline", func() bool { return h.mode() == "offline" })
	})
	for _, h := range o.halls { // somebody elsewhere works on the same
		o.cloud.mu.Lock()
		o.cloud.files["/bozze/"+h.name+"-b.txt"] = "cambiata altrove " + h.name
		o.cloud.mu.Unlock()
	}
	o.each((*townHall).during)
	o.cloud.mu.Lock()
	o.cloud.limit = 3*o.n + 6 // two writes and a document a second of each
	o.cloud.mu.Unlock()
	back := time.Now()
	for _, h := range o.halls {
		h.cut(false)
	}
	o.each((*townHall).after)
	busiest := o.cloud.busiest(back)
	o.cloud.mu.Lock()
	over, seen, limit := o.cloud.refused, o.cloud.seen, o.cloud.limit
	o.cloud.mu.Unlock()
	all := o.opened.Load() + o.missing.Load()
	if o.foreign.Load() != 0 || o.opened.Load()*100 < all*95 || o.got.Load() == 0 || o.lines.Load() == 0 {
		o.t.Errorf("documents: %d of %d opened, %d across groups", o.opened.Load(), all, o.foreign.Load())
	}
	if over != 0 || busiest > limit || len(seen) != 0 {
		o.t.Errorf("the service was asked %d times in a second of %d, refused %d, and saw %q", busiest, limit, over, seen)
	}
	if o.done.Load()+o.refused.Load()+o.twice.Load() != o.got.Load() {
		o.t.Errorf("of %d writes %d were done, %d refused, %d kept twice", o.got.Load(), o.done.Load(), o.refused.Load(), o.twice.Load())
	}
	o.t.Logf("%d edges cut off for %v, %d of them killed meanwhile: %d of %d documents of the week opened (%.1f %%), %d across groups; %d writes: %d done once, %d refused with a reason, %d kept twice; %d emergency numbers, all with their official one; after the return at most %d requests in a second of %d",
		o.n, back.Sub(cut).Round(time.Second), (o.n+1)/3, o.opened.Load(), all, 100*float64(o.opened.Load())/float64(all), o.foreign.Load(), o.got.Load(), o.done.Load(), o.refused.Load(), o.twice.Load(), o.lines.Load(), busiest, limit)
}

// before is the work while the link is there.
func (h *townHall) before() {
	h.await("the copy of the archive", func() bool {
		files, _ := filepath.Glob(filepath.Join(h.data, "archives", "archivio", "manifests", "*.json"))
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err == nil && strings.Count(string(text), `.txt"`) == 2*ofHall {
				return true
			}
		}
		return false
	})
	h.anna = h.clerk("Anna Rossi", "comune,protocollo,segreteria")
	h.bice = h.clerk("Bice Neri", "ragioneria")
	h.await("the documents to be found", func() bool {
		_, body := h.anna.page("/cerca?q=atto")
		return strings.Contains(body, "atto-")
	})
	// The service itself, by way of the edge: sign in, read what is reserved.
	res, page := h.anna.do("GET", "https://"+h.service()+"/login", "")
	token := regexp.MustCompile(`value="(\w+)"`).FindStringSubmatch(page)
	if res.StatusCode != 200 || token == nil {
		h.o.t.Errorf("%s: login: %d", h.name, res.StatusCode)
		return
	}
	if res, _ := h.anna.do("POST", "https://"+h.service()+"/login", "csrf="+token[1]); res.StatusCode != 204 {
		h.o.t.Errorf("%s: login: %d", h.name, res.StatusCode)
	}
	if _, body := h.anna.do("GET", "https://"+h.service()+"/riservato/1", ""); !strings.HasPrefix(body, "riservato a ") {
		h.o.t.Errorf("%s: reserved: %q", h.name, body)
	}
	if _, body := h.bice.do("GET", "https://"+h.service()+"/riservato/1", ""); strings.HasPrefix(body, "riservato a ") {
		h.o.foreign.Add(1)
	}
}

// during is the work while the link is down.
func (h *townHall) during() {
	h.read(h.anna, 0)
	h.send()
	if h.i%3 == 1 {
		_ = h.edge.Process.Kill()
		<-h.ended
		h.start()
		for _, k := range []*clerk{h.anna, h.bice} {
			if code, body := k.form("/accesso", "chi", k.id, "pin", clerkPIN); code != 200 || !strings.Contains(body, "Esci") {
				h.o.t.Errorf("%s: nobody gets in again: %d", h.name, code)
			}
		}
	}
	h.read(h.bice, 1)
	if _, body := h.bice.do("GET", "https://"+h.service()+"/riservato/1", ""); strings.HasPrefix(body, "riservato a ") {
		h.o.foreign.Add(1)
	}
	h.enter()
	if h.i%4 == 0 { // Bice leaves the office while what she sent still waits
		edgeVerb(h.o.t, 0, "people", "remove", "--data", h.data, h.bice.id)
	}
}

// read opens every document of a group, and tries those of the other.
func (h *townHall) read(k *clerk, group int) {
	for path, text := range h.docs[group] {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		_, found := k.page("/cerca?q=" + url.QueryEscape(name))
		code, body := k.page("/apri?a=archivio&p=" + url.QueryEscape(path))
		if code == 200 && body == text && strings.Contains(found, name+".txt") {
			h.o.opened.Add(1)
		} else {
			h.o.missing.Add(1)
		}
	}
	for path, text := range h.docs[1-group] {
		_, found := k.page("/cerca?q=" + url.QueryEscape(strings.TrimSuffix(filepath.Base(path), ".txt")))
		_, body := k.page("/apri?a=archivio&p=" + url.QueryEscape(path))
		if strings.Contains(body, text) || strings.Contains(found, "p="+url.QueryEscape(path)) {
			h.o.foreign.Add(1)
		}
	}
}

// send sends a form of each class.
func (h *townHall) send() {
	uuid := func(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%06x%06x", h.i, n) }
	put := func(k *clerk, expect, method, path, body string, lines ...string) {
		res, text := k.do(method, "https://"+h.service()+path, body, lines...)
		number := res.Header.Get("Crinale-Receipt")
		if expect == "no" {
			h.o.got.Add(1)
			if res.StatusCode != http.StatusServiceUnavailable || number != "" || !strings.Contains(text, "reason") {
				h.o.t.Errorf("%s: %s %s: %d %s", h.name, method, path, res.StatusCode, text)
				return
			}
			h.o.refused.Add(1)
			return
		}
		if res.StatusCode != http.StatusAccepted || number == "" {
			h.o.t.Errorf("%s: %s %s: %d %s", h.name, method, path, res.StatusCode, text)
			return
		}
		h.o.got.Add(1)
		h.wrote = append(h.wrote, written{number, method, path, body, expect})
	}
	for n := range 2 {
		put(h.anna, "done", "PUT", "/pratiche/"+uuid(n), fmt.Sprint("pratica ", n, h.name), "If-None-Match: *")
		put(h.anna, "done", "POST", "/eventi", fmt.Sprint("evento ", n, h.name), "Crinale-Source: sportello-"+h.name, fmt.Sprint("Crinale-Sequence: ", n+1))
	}
	put(h.anna, "done", "POST", "/domande", "domanda "+h.name)
	put(h.anna, "done", "PUT", "/bozze/"+h.name+"-a.txt", "nuova a "+h.name, "If-Match: "+tagOf("bozza a "+h.name))
	put(h.anna, "twice", "PUT", "/bozze/"+h.name+"-b.txt", "nuova b "+h.name, "If-Match: "+tagOf("bozza b "+h.name))
	put(h.anna, "done", "DELETE", "/bozze/"+h.name+"-c.txt", "", "If-Match: "+tagOf("bozza c "+h.name))
	bice := "done"
	if h.i%4 == 0 {
		bice = "stopped"
	}
	put(h.bice, bice, "PUT", "/conti/"+uuid(9), "conto "+h.name, "If-None-Match: *")
	put(h.bice, "no", "PUT", "/pratiche/"+uuid(8), "non di Bice", "If-None-Match: *")
	put(h.anna, "no", "POST", "/paga", "100 euro")
	put(h.anna, "no", "POST", "/login", "csrf=x")
	put(h.anna, "no", "POST", "/protocollo", "un numero, subito")
	put(h.anna, "no", "POST", "/altro", "di nessuna regola")
}

// enter keeps the emergency register.
func (h *townHall) enter() {
	k := h.anna
	if code, _ := k.form("/registro", "causa", "linea radio interrotta", "dalle", time.Now().In(zone.Rome()).Add(-time.Minute).Format("2006-01-02T15:04")); code != 200 {
		h.o.t.Errorf("%s: the register does not open: %d", h.name, code)
		return
	}
	_, page := k.page("/registro")
	m := regexp.MustCompile(`href="(/registro/[A-Z0-9-]+)"`).FindStringSubmatch(page)
	if m == nil {
		h.o.t.Errorf("%s: no register", h.name)
		return
	}
	h.register = m[1]
	for n := range 3 {
		if code, body := k.form(h.register+"/riga", "verso", "arrivo", "corrispondente", "Carlo Verdi", "oggetto", fmt.Sprint("lettera ", n)); code != 200 || !strings.Contains(body, fmt.Sprintf("RE-%s-%04d", strings.ToUpper(h.name), n+1)) {
			h.o.t.Errorf("%s: line %d: %d", h.name, n, code)
		}
	}
	if code, _ := h.bice.page(h.register); code == 200 {
		h.o.foreign.Add(1)
	}
}

// after is what comes when the link is back.
func (h *townHall) after() {
	waits := func() bool {
		for _, w := range h.states() {
			if w.State.Waiting() {
				return true
			}
		}
		return false
	}
	h.await("the queue to be empty", func() bool { return h.mode() != "offline" && !waits() })
	k := h.anna
	for number, w := range h.states() {
		if w.State == edge.StateConflict {
			if code, _ := k.form("/invii/"+number+"/scegli", "tieni", "entrambe"); code != 200 {
				h.o.t.Errorf("%s: %s is not decided: %d", h.name, number, code)
			}
		}
	}
	h.await("the decided to be sent", func() bool { return !waits() })
	states := h.states()
	c := h.o.cloud
	for _, w := range h.wrote {
		e := states[w.number]
		c.mu.Lock()
		times, theirs := c.effects[w.method+" "+w.path+" "+w.body], c.files[w.path]
		ours := c.files[strings.TrimSuffix(w.path, ".txt")+"."+w.number+".txt"]
		c.mu.Unlock()
		switch {
		case w.expect == "done" && e.State == edge.StateAccepted && times == 1:
			h.o.done.Add(1)
		case w.expect == "stopped" && e.State == edge.StateStopped && times == 0 && e.Reason != "":
			h.o.refused.Add(1)
		case w.expect == "twice" && e.State == edge.StateAccepted && ours == w.body && theirs == "cambiata altrove "+h.name:
			h.o.twice.Add(1)
		default:
			h.o.t.Errorf("%s: %s %s %s, to be %s: %s (%s), done %d times", h.name, w.number, w.method, w.path, w.expect, e.State, e.Reason, times)
		}
	}
	now := time.Now().In(zone.Rome())
	if code, _ := k.form(h.register+"/ripristino", "alle", now.Format("2006-01-02T15:04")); code != 200 {
		h.o.t.Errorf("%s: the end of the outage is not noted: %d", h.name, code)
	}
	var numbers []string
	for n := range 3 {
		numbers = append(numbers, c.number())
		if code, _ := k.form(h.register+"/protocollo", "riga", fmt.Sprint(n+1), "numero", numbers[n], "data", now.Format("2006-01-02")); code != 200 {
			h.o.t.Errorf("%s: line %d has no number: %d", h.name, n+1, code)
		}
	}
	_, page := k.form(h.register + "/chiudi")
	if strings.Contains(page, "chiuso") && !slices.ContainsFunc(numbers, func(n string) bool { return !strings.Contains(page, n) }) {
		h.o.lines.Add(3)
	} else {
		h.o.t.Errorf("%s: the register is not reconciled", h.name)
	}
}

// backhaul stands in where no network of its own can be had: connections to the
// service go through it, and none can be made while it is cut.
type backhaul struct {
	t    *testing.T
	at   string // where it listens
	to   string
	edge string // where the edge behind it answers

	mu  sync.Mutex
	l   net.Listener // nil while it is cut
	all map[net.Conn]bool
}

func newBackhaul(t *testing.T, to string) *backhaul {
	w := &backhaul{t: t, at: freeAddress(t), to: to, edge: freeAddress(t), all: map[net.Conn]bool{}}
	w.cut(false)
	t.Cleanup(func() { w.cut(true) })
	return w
}

func (w *backhaul) cut(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if down {
		if w.l != nil {
			w.l.Close()
		}
		for c := range w.all {
			c.Close()
		}
		w.l, w.all = nil, map[net.Conn]bool{}
		return
	}
	l, err := net.Listen("tcp", w.at)
	if err != nil {
		w.t.Error(err)
		return
	}
	w.l = l
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
}

// hold remembers a connection, to cut it.
func (w *backhaul) hold(c net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.l == nil {
		c.Close()
		return false
	}
	w.all[c] = true
	return true
}

func (w *backhaul) carry(c net.Conn) {
	defer c.Close()
	if !w.hold(c) {
		return
	}
	far, err := net.Dial("tcp", w.to)
	if err != nil || !w.hold(far) {
		return
	}
	defer far.Close()
	go func() { _, _ = io.Copy(far, c); far.Close() }()
	_, _ = io.Copy(c, far)
}
