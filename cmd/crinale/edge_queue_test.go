package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
)

// TestEdgeQueue: a form that is sent while the link is down gets a receipt, is
// there after a sudden end, and reaches the service once when the link is back;
// what may not wait is refused in words.
func TestEdgeQueue(t *testing.T) {
	var mu sync.Mutex
	files, times := map[string]string{}, 0
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPut {
			if _, there := files[r.URL.Path]; there && r.Header.Get("If-None-Match") == "*" {
				w.WriteHeader(http.StatusPreconditionFailed)
				return
			}
			files[r.URL.Path] = string(body)
			times++
			w.WriteHeader(http.StatusCreated)
			return
		}
		http.NotFound(w, r)
	}))
	defer origin.Close()
	h := newEdgeHall(t, `    writes:
      - {name: segnalazioni, methods: [PUT], path: "/segnalazioni/{id}", class: create, anonymous: true}
      - {name: pagamenti, methods: [POST], path: "/paga", class: refuse, why: money}
`)
	text, err := os.ReadFile(h.yaml)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i, l := range lines {
		if strings.Contains(l, "origin: http") {
			lines[i] = "    origin: " + origin.URL
		}
	}
	if err := os.WriteFile(h.yaml, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	p := h.run(t)
	verb := func(code int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if got := run(append([]string{"crinale", "edge"}, args...), &out, &errs); got != code {
			t.Fatalf("edge %v: %d, want %d: %s", args, got, code, errs.String())
		}
		return out.String()
	}
	send := func(method, path, body string, lines ...string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest(method, "http://"+h.addr+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = edgeHost
		for _, l := range lines {
			k, v, _ := strings.Cut(l, ": ")
			r.Header.Set(k, v)
		}
		res, err := edgeClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res, string(b)
	}
	const id = "/segnalazioni/0f9a6b1e-7a30-4a63-9d0b-3a8f1f2f6b01"
	verb(0, "tell", "down", "--data", h.data())
	res, body := send("PUT", id, "la strada è franata", "If-None-Match: *", "Accept: text/html", "Content-Type: text/plain")
	number := res.Header.Get("Crinale-Receipt")
	if res.StatusCode != 202 || !strings.HasPrefix(number, "BERGOLO-") || !strings.Contains(body, number) || !strings.Contains(body, "Non è un numero di protocollo") {
		t.Fatalf("%d %v %s", res.StatusCode, res.Header, body)
	}
	if res, _ := send("PUT", id, "la strada è franata", "If-None-Match: *"); res.StatusCode != 202 || res.Header.Get("Crinale-Receipt") != number {
		t.Errorf("the same again: %d %q, want %q", res.StatusCode, res.Header.Get("Crinale-Receipt"), number)
	}
	if res, body := send("POST", "/paga", "10", "Accept: text/html"); res.StatusCode != 503 || !strings.Contains(body, "Nulla è stato addebitato") || !strings.Contains(body, "non sono stati registrati") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, body := send("POST", "/altro", "x"); res.StatusCode != 503 || !strings.Contains(body, `"reason":"no-rule"`) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if out := verb(0, "queue", "list", "--data", h.data()); !strings.Contains(out, number) || !strings.Contains(out, "queued") {
		t.Errorf("%s", out)
	}
	_ = p.Process.Kill()
	<-p.done
	h.run(t)
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		var e queuedWrite
		if err := json.Unmarshal([]byte(verb(0, "queue", "show", number, "--data", h.data(), "--json")), &e); err != nil {
			t.Fatal(err)
		}
		if e.State == edge.StateAccepted {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%+v", e)
		}
	}
	mu.Lock()
	if files[id] != "la strada è franata" || times != 1 {
		t.Errorf("%v, %d times", files, times)
	}
	mu.Unlock()
	if out := verb(0, "queue", "show", number, "--data", h.data()); !strings.Contains(out, "accepted") {
		t.Errorf("%s", out)
	}
	verb(1, "queue", "cancel", number, "--data", h.data())
	verb(1, "queue", "show", "BERGOLO-2026-9999", "--data", h.data())
	verb(2, "queue", "resolve", number, "--data", h.data())
}
