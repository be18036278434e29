package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crinale/crinale/edge/rivaltest"
)

// stormOrigin answers /slow… half a second after it was asked. Of /halves… it
// gives the first half, and the second when all who wait have the first, or after
// five seconds.
type stormOrigin struct {
	*httptest.Server
	body  []byte
	asked atomic.Int64
	have  chan struct{} // closed when all have the first half
}

const stormDelay = 500 * time.Millisecond

func newStormOrigin(t *testing.T) *stormOrigin {
	o := &stormOrigin{body: edgeBody(3, 64<<10)}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.asked.Add(1)
		w.Header().Set("Cache-Control", "max-age=600")
		w.Header().Set("Content-Length", fmt.Sprint(len(o.body)))
		half := len(o.body) / 2
		if strings.HasPrefix(r.URL.Path, "/slow") {
			time.Sleep(stormDelay)
			half = 0
		}
		_, _ = w.Write(o.body[:half])
		if half > 0 {
			_ = http.NewResponseController(w).Flush()
			select {
			case <-o.have:
			case <-time.After(5 * time.Second):
			}
		}
		_, _ = w.Write(o.body[half:])
	}))
	t.Cleanup(o.Close)
	return o
}

// TestProveEdgeStorm has N clients ask at once for one address that nobody asked
// for before: the origin is asked once, 99 of 100 have all of it 0.2 s after the
// origin gave it, and each has the first half before the origin gives the second.
func TestProveEdgeStorm(t *testing.T) {
	if os.Getenv("PROVE") != "edge-storm" {
		t.Skip("run by make prove-edge-storm")
	}
	n, rounds := number(t, "N", 1000), 5
	o := newStormOrigin(t)
	dir, addr := t.TempDir(), freeAddress(t)
	yaml := filepath.Join(dir, "edge.yaml")
	text := "name: bergolo\ncomune: \"004022\"\nstore: {min_free_gb: 0}\nservices:\n  - host: " + edgeHost + "\n    origin: " + o.URL + "\n    agreed: the origin of this proof\n"
	if err := os.WriteFile(yaml, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	(&edgeHall{dir: dir, yaml: yaml, addr: addr}).run(t)
	type seen struct {
		asked []int64
		p99   []time.Duration
	}
	names, urls, all := []string{"crinale"}, []string{"http://" + addr}, map[string]*seen{}
	for _, k := range rivaltest.Kinds {
		if why := k.Missing(); why != "" {
			fmt.Printf("| %-20s | %s\n", k.Name, why)
			continue
		}
		r := k.Start(t, strings.TrimPrefix(o.URL, "http://"))
		names, urls = append(names, r.Name+" "+r.Version), append(urls, r.URL)
	}
	for i := range urls { // one opens its cache after its port
		all[names[i]] = &seen{}
		awaitHit(t, urls[i], o)
	}
	for round := range rounds {
		for i, url := range urls {
			s, before := all[names[i]], o.asked.Load()
			took := storm(t, n, fmt.Sprintf("%s/slow/%d", url, round), o.body, nil)
			slices.Sort(took)
			s.p99 = append(s.p99, took[len(took)*99/100])
			s.asked = append(s.asked, o.asked.Load()-before)
		}
	}
	fmt.Println("| cache | asked of the origin, most | p99, middle of the rounds | first halves before the second |\n| --- | --- | --- | --- |")
	figure := ""
	for i, name := range names {
		s := all[name]
		var early atomic.Int64
		o.have = make(chan struct{})
		before := o.asked.Load()
		storm(t, n, urls[i]+"/halves", o.body, func() {
			if early.Add(1) == int64(n) {
				close(o.have)
			}
		})
		slices.Sort(s.p99)
		asked, p99 := slices.Max(s.asked), s.p99[len(s.p99)/2]
		streamed := "no"
		if early.Load() == int64(n) && o.asked.Load() == before+1 { // else some asked for themselves
			streamed = "yes"
		}
		fmt.Printf("| %-20s | %4d | %.2f s | %s |\n", name, asked, p99.Seconds(), streamed)
		if i == 0 {
			figure = fmt.Sprintf("%d clients at one cold address: the origin was asked at most %d times in %d rounds, p99 %.2f s (of the rounds %.2f to %.2f) for an origin of %.1f s, first halves to all before the second: %s",
				n, asked, rounds, p99.Seconds(), s.p99[0].Seconds(), s.p99[len(s.p99)-1].Seconds(), stormDelay.Seconds(), streamed)
			if asked != 1 || p99 > stormDelay+200*time.Millisecond || streamed != "yes" {
				t.Errorf("asked %d, p99 %v, streamed %s", asked, p99, streamed)
			}
		}
	}
	t.Log(figure)
}

// awaitHit asks for an address of its own until the origin is not asked.
func awaitHit(t *testing.T, url string, o *stormOrigin) {
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		before := o.asked.Load()
		storm(t, 1, url+"/slow/first", o.body, nil)
		if o.asked.Load() == before {
			return
		}
	}
	t.Fatalf("%s keeps nothing", url)
}

// storm has n clients, connected before, ask for one address at once, and says
// how long each waited for the whole. half is called by each that has the first.
func storm(t *testing.T, n int, url string, want []byte, half func()) []time.Duration {
	t.Helper()
	addr, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	took, faults := make([]time.Duration, n), make(chan error, n)
	var dialled, ended sync.WaitGroup
	go1 := make(chan struct{})
	dialled.Add(n)
	for i := range n {
		ended.Go(func() {
			c, err := net.Dial("tcp", addr)
			dialled.Done()
			if err != nil {
				faults <- err
				return
			}
			defer c.Close()
			<-go1
			begun := time.Now()
			fmt.Fprintf(c, "GET /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, edgeHost)
			got, err := readHalves(c, len(want), half)
			took[i] = time.Since(begun)
			if err == nil && !bytes.HasSuffix(got, want) {
				err = errCut
			}
			if err != nil {
				faults <- err
			}
		})
	}
	dialled.Wait()
	close(go1)
	ended.Wait()
	select {
	case err := <-faults:
		t.Fatalf("%s: %d of %d clients: %v", url, len(faults)+1, n, err)
	default:
	}
	return took
}

// readHalves reads to the end, and says when half of the body must be there.
func readHalves(c net.Conn, body int, half func()) ([]byte, error) {
	got := make([]byte, 0, body+4096)
	for {
		k, err := c.Read(got[len(got):cap(got)])
		got = got[:len(got)+k]
		if half != nil {
			if _, b, found := bytes.Cut(got, []byte("\r\n\r\n")); found && len(b) >= body/2 {
				half()
				half = nil
			}
		}
		if err == io.EOF {
			return got, nil
		}
		if err != nil || len(got) == cap(got) {
			return nil, errors.Join(err, errCut)
		}
	}
}
