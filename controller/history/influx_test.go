package history

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/testdata"
)

// patience is how long anything that must happen may take, on the slowest
// machine and under the race detector. It costs nothing where it happens.
const patience = 2 * time.Minute

// server stands in for InfluxDB: it takes batches, or answers as it is told.
type server struct {
	*httptest.Server
	t       *testing.T
	mu      sync.Mutex
	status  int
	lines   []string
	batches int
	pings   int
	news    chan struct{} // size one: something came
}

func newServer(t *testing.T) *server {
	s := &server{t: t, status: http.StatusNoContent, news: make(chan struct{}, 1)}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		select {
		case s.news <- struct{}{}:
		default:
		}
	}()
	if r.URL.Path == "/ping" {
		s.pings++
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if r.URL.Path != "/api/v2/write" || r.Header.Get("Content-Encoding") != "gzip" || r.URL.Query().Get("precision") != "ms" || r.URL.Query().Get("bucket") != "b" {
		s.t.Errorf("%s %v", r.URL, r.Header)
	}
	s.batches++
	if s.status == http.StatusNoContent {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			s.t.Error(err)
			return
		}
		b, err := io.ReadAll(z)
		if err != nil {
			s.t.Error(err)
		}
		s.lines = append(s.lines, strings.Split(strings.TrimSpace(string(b)), "\n")...)
	}
	w.WriteHeader(s.status)
}

func (s *server) say(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// until waits for requests until the condition holds.
func (s *server) until(what string, ok func() bool) {
	s.t.Helper()
	limit := time.After(patience)
	for {
		s.mu.Lock()
		done := ok()
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-s.news:
		case <-limit:
			s.t.Fatalf("%s: not in 20 s", what)
		}
	}
}

func sending(t *testing.T, s *server, change func(*InfluxConfig)) (x *Influx, log *strings.Builder, stop func()) {
	t.Helper()
	cfg := DefaultInflux()
	cfg.URL, cfg.Bucket, cfg.Flush, cfg.Retry = s.URL, "b", time.Millisecond, 20*time.Millisecond
	if change != nil {
		change(&cfg)
	}
	log = &strings.Builder{}
	x, err := NewInflux(cfg, Deps{Log: slog.New(slog.NewTextHandler(log, nil))})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- x.Run(ctx) }()
	return x, log, func() {
		cancel()
		must(t, <-done)
	}
}

func TestInfluxLine(t *testing.T) {
	s := newServer(t)
	x, _, stop := sending(t, s, nil)
	r := network.Reading{Link: "l-1", End: network.EndA, Device: "d", At: time.UnixMilli(1795329000123), Connected: true}
	v := [12]*float64{}
	level, rate := -61.5, 300.0
	v[0], v[5] = &level, &rate
	r.SetValues(v)
	must(t, x.Append(t.Context(), []network.Reading{r}))
	s.until("a line", func() bool { return len(s.lines) == 1 })
	stop()
	if want := "link,device=d,end=a,link=l-1 connected=true,signal_dbm=-61.5,tx_rate_mbps=300 1795329000123"; s.lines[0] != want {
		t.Errorf("got  %s\nwant %s", s.lines[0], want)
	}
}

// A server that goes away and comes back gets every reading that had room to
// wait, once, in order, and is pinged before it is written to.
func TestInfluxServerAway(t *testing.T) {
	s := newServer(t)
	s.say(http.StatusServiceUnavailable)
	x, log, stop := sending(t, s, func(c *InfluxConfig) { c.Queue, c.Batch = 100, 30 })
	rnd := rand.New(rand.NewPCG(1, 2))
	base := time.UnixMilli(1795329000000)
	for i := range 150 {
		must(t, x.Append(t.Context(), []network.Reading{reading(rnd, "l", network.EndA, base.Add(time.Duration(i)*time.Second))}))
	}
	s.until("some tries", func() bool { return s.batches >= 3 && s.pings >= 2 })
	s.say(http.StatusNoContent)
	wait(t, "all lines", func() error {
		if st := x.Stats(); st.Waiting > 0 || st.Written < 100 {
			return fmt.Errorf("%+v", st)
		}
		return nil
	})
	stop()
	if st := x.Stats(); len(s.lines) != 100 || st.Written != 100 || st.Dropped != 50 || st.Waiting != 0 || st.Rejected != 0 || st.Failed < 3 {
		t.Errorf("%d lines, %+v", len(s.lines), st)
	}
	for i, l := range s.lines {
		if want := fmt.Sprint(base.Add(time.Duration(50+i) * time.Second).UnixMilli()); !strings.HasSuffix(l, " "+want) {
			t.Fatalf("line %d is %s, want time %s", i, l, want)
		}
	}
	if strings.Count(log.String(), "level=ERROR") != 1 || !strings.Contains(log.String(), "takes readings again") {
		t.Errorf("log:\n%s", log.String())
	}
}

// What the server rejects is dropped; a wrong token or a missing database is
// waited for.
func TestInfluxRejections(t *testing.T) {
	for status, waits := range map[int]bool{400: false, 413: false, 422: false, 401: true, 404: true, 429: true, 500: true} {
		s := newServer(t)
		s.say(status)
		x, _, stop := sending(t, s, nil)
		must(t, x.Append(t.Context(), []network.Reading{reading(rand.New(rand.NewPCG(1, 2)), "l", network.EndA, time.Now())}))
		s.until("a try", func() bool { return s.batches >= 1 })
		stop()
		if st := x.Stats(); (st.Waiting == 1) != waits || (st.Rejected == 1) == waits {
			t.Errorf("status %d: %+v", status, st)
		}
	}
}

func TestInfluxConfigs(t *testing.T) {
	for i, change := range []func(*InfluxConfig){
		func(c *InfluxConfig) { c.URL = "" }, func(c *InfluxConfig) { c.URL = "127.0.0.1:8086" }, func(c *InfluxConfig) { c.URL = "ftp://x" },
		func(c *InfluxConfig) { c.URL = "http://u:p@x" }, func(c *InfluxConfig) { c.Bucket = "" }, func(c *InfluxConfig) { c.Batch = 0 },
		func(c *InfluxConfig) { c.Timeout = time.Millisecond }, func(c *InfluxConfig) { c.Flush = 0 },
	} {
		cfg := DefaultInflux()
		cfg.URL, cfg.Bucket = "http://127.0.0.1:8086", "b"
		change(&cfg)
		if _, err := NewInflux(cfg, Deps{}); fault.Of(err) != fault.Invalid {
			t.Errorf("config %d: %v", i, err)
		} else if strings.Contains(err.Error(), "u:p") {
			t.Errorf("the password is shown: %v", err)
		}
	}
}

// influxd starts a real InfluxDB 1.8, with the settings its v2 API needs.
func influxd(t *testing.T) string {
	t.Helper()
	bin, err := exec.LookPath("influxd")
	if p := os.Getenv("CRINALE_INFLUXD"); p != "" {
		bin, err = exec.LookPath(p)
	}
	if err != nil {
		if testdata.Real() {
			t.Fatalf("no influxd: %v", err)
		}
		t.Skip("SKIPPED: NO REAL INFLUXDB: put influxd 1.8.10 on the PATH, or name it in CRINALE_INFLUXD: go install github.com/influxdata/influxdb/cmd/influxd@v1.8.10")
	}
	free := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		defer l.Close()
		return l.Addr().String()
	}
	dir, addr := t.TempDir(), free()
	conf := filepath.Join(dir, "influx.conf")
	must(t, os.WriteFile(conf, fmt.Appendf(nil, `
reporting-disabled = true
bind-address = %q
[meta]
  dir = %q
[data]
  dir = %q
  wal-dir = %q
[http]
  bind-address = %q
  flux-enabled = true
  log-enabled = false
`, free(), dir+"/meta", dir+"/data", dir+"/wal", addr), 0o600))
	out, err := os.Create(filepath.Join(dir, "log"))
	must(t, err)
	cmd := exec.Command(bin, "-config", conf)
	cmd.Stdout, cmd.Stderr = out, out
	must(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		out.Close()
	})
	base := "http://" + addr
	wait(t, "influxd", func() error {
		res, err := http.Get(base + "/ping")
		if err == nil {
			res.Body.Close()
		}
		return err
	})
	res, err := http.PostForm(base+"/query", url.Values{"q": {"CREATE DATABASE telemetry"}})
	must(t, err)
	res.Body.Close()
	return base
}

// wait asks a real server again and again.
func wait(t *testing.T, what string, ask func() error) {
	t.Helper()
	limit, again := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer again.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("%s: %v", what, err)
		}
	}
}

func TestRealInflux(t *testing.T) {
	base := influxd(t)
	cfg := DefaultInflux()
	cfg.URL, cfg.Bucket, cfg.Batch, cfg.Flush = base, "telemetry/autogen", 700, 10*time.Millisecond
	x, err := NewInflux(cfg, Deps{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- x.Run(ctx) }()
	rnd := rand.New(rand.NewPCG(1, 2))
	now := time.Now().Truncate(time.Second)
	known, total := 0, 0.0
	for i := range 3000 {
		r := reading(rnd, "l", network.EndA, now.Add(-time.Duration(i)*time.Second))
		if s, ok := r.Signal.Get(); ok {
			known++
			total += float64(s)
		}
		must(t, x.Append(t.Context(), []network.Reading{r}))
	}
	client := influxdb2.NewClient(base, "")
	defer client.Close()
	ask := func(fn string) (float64, error) {
		res, err := client.QueryAPI("").Query(t.Context(), fmt.Sprintf(`from(bucket:"telemetry/autogen") |> range(start:-2h)
			|> filter(fn:(r) => r._measurement == "link" and r.link == "l" and r.end == "a" and r._field == "signal_dbm") |> toFloat() |> %s()`, fn))
		if err != nil {
			return 0, err
		}
		defer res.Close()
		if !res.Next() {
			return 0, errors.Join(res.Err(), errors.New("no answer yet"))
		}
		switch v := res.Record().Value().(type) {
		case float64:
			return v, nil
		case int64:
			return float64(v), nil
		default:
			return 0, fmt.Errorf("a %T", v)
		}
	}
	wait(t, "every reading", func() error {
		n, err := ask("count")
		if err == nil && int(n) != known {
			err = fmt.Errorf("%v of %d are there", n, known)
		}
		return err
	})
	if sum, err := ask("sum"); err != nil || sum-total > 1e-6 || total-sum > 1e-6 {
		t.Errorf("the sum is %v, want %v: %v", sum, total, err)
	}
	cancel()
	must(t, <-done)
	if st := x.Stats(); st.Written != 3000 || st.Dropped+st.Rejected+st.Waiting != 0 {
		t.Errorf("%+v", st)
	}
}
