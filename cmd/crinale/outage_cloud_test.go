package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/webdav"
)

// cloud is a document service as comuni have it: a login with a token against
// forged forms, a session in a cookie, answers that nobody may store, versions
// told by ETag, and a limit of requests.
type cloud struct {
	dav http.Handler

	mu       sync.Mutex
	limit    int // requests in a second; beyond it 429; 0: any
	tokens   map[string]bool
	sessions map[string]bool
	files    map[string]string
	effects  map[string]int // by method, path and body: how often it was done
	keys     map[string]int // by Idempotency-Key: the answer
	times    []time.Time    // of all requests
	refused  int            // 429
	seen     []string       // headers of ours that must never come here
	protocol int
}

func newCloud(root string) *cloud {
	return &cloud{dav: &webdav.Handler{Prefix: "/dav", FileSystem: webdav.Dir(root), LockSystem: webdav.NewMemLS()},
		tokens: map[string]bool{}, sessions: map[string]bool{}, files: map[string]string{}, effects: map[string]int{}, keys: map[string]int{}, protocol: 1000}
}

func tagOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	now := time.Now()
	c.times = append(c.times, now)
	recent := 0
	for i := len(c.times) - 1; i >= 0 && now.Sub(c.times[i]) < time.Second; i-- {
		recent++
	}
	if strings.Contains(r.Header.Get("Cookie"), "crinale") {
		c.seen = append(c.seen, r.Header.Get("Cookie"))
	}
	over := c.limit > 0 && recent > c.limit
	if over {
		c.refused++
	}
	c.mu.Unlock()
	if over {
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/dav/") {
		if user, pass, ok := r.BasicAuth(); !ok || user != "anna" || pass != "dav-secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="dav"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		c.dav.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	c.answer(w, r, string(body))
}

func (c *cloud) answer(w http.ResponseWriter, r *http.Request, body string) {
	path := r.URL.Path
	switch {
	case path == "/login" && r.Method == "GET":
		token := rand.Text()
		c.tokens[token] = true
		http.SetCookie(w, &http.Cookie{Name: "csrf", Value: token, Path: "/", Secure: true})
		fmt.Fprintf(w, `<form method="post"><input name="csrf" value="%s"></form>`, token)
	case path == "/login" && r.Method == "POST":
		k, err := r.Cookie("csrf")
		if err != nil || !c.tokens[k.Value] || !strings.Contains(body, k.Value) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		delete(c.tokens, k.Value)
		id := rand.Text()
		c.sessions[id] = true
		http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", Secure: true, HttpOnly: true})
		w.WriteHeader(http.StatusNoContent)
	case strings.HasPrefix(path, "/riservato/"):
		k, err := r.Cookie("session")
		if err != nil || !c.sessions[k.Value] {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		fmt.Fprint(w, "riservato a ", k.Value)
	case r.Method == "GET" || r.Method == "HEAD":
		text, there := c.files[path]
		if !there {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Etag", tagOf(text))
		fmt.Fprint(w, text)
	default:
		c.write(w, r, body)
	}
}

// write changes what is there, if its condition holds (RFC 9110 §13).
func (c *cloud) write(w http.ResponseWriter, r *http.Request, body string) {
	path := r.URL.Path
	text, there := c.files[path]
	if k := r.Header.Get("Idempotency-Key"); k != "" {
		if status, done := c.keys[k]; done {
			w.WriteHeader(status)
			return
		}
		defer func() { c.keys[k] = http.StatusCreated }()
	}
	if m := r.Header.Get("If-None-Match"); m == "*" && there {
		w.WriteHeader(http.StatusPreconditionFailed)
		return
	}
	if m := r.Header.Get("If-Match"); m != "" && (!there || m != tagOf(text)) {
		w.WriteHeader(http.StatusPreconditionFailed)
		return
	}
	c.effects[r.Method+" "+path+" "+body]++
	switch r.Method {
	case "PUT":
		c.files[path] = body
		w.Header().Set("Etag", tagOf(body))
	case "DELETE":
		delete(c.files, path)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

// number is what the protocol office gives.
func (c *cloud) number() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.protocol++
	return fmt.Sprint(c.protocol)
}

// busiest is the greatest number of requests in any second since a moment.
func (c *cloud) busiest(since time.Time) (most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := 0
	for i, t := range c.times {
		for c.times[from].Before(since) && from < i || t.Sub(c.times[from]) >= time.Second {
			from++
		}
		if !t.Before(since) {
			most = max(most, i-from+1)
		}
	}
	return most
}
