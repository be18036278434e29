// Package iotest stands in for App IO in tests: a server on loopback that
// takes what the published API takes (pagopa/io-functions-services,
// openapi/index.yaml, 0062d1c; io-functions-commons, openapi/definitions.yaml)
// and refuses the rest, with its limit of 150 requests in five seconds.
package iotest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
)

// Key is the subscription key that the server knows.
const Key = "chiave-di-prova"

// The limit of requests by one key.
const (
	Limit  = 150
	Window = 5 * time.Second
)

// Message is one that the server took.
type Message struct {
	Fiscal   string
	Subject  string
	Markdown string
	Due      string
	Live     int
}

// Server is a running stand-in. Its clock is its own, so that tests of the
// limit need not wait.
type Server struct {
	URL string // of the API, with its base path

	mu       sync.Mutex
	now      func() time.Time
	profiles map[string]bool // by fiscal code: sender_allowed
	asked    map[string]bool // profiles that were looked at
	got      []Message
	requests []time.Time
	fail     func(path string) int
	wrong    []string
	limited  int
}

// Start starts a server that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{now: time.Now, profiles: map[string]bool{}, asked: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/profiles", s.guard(s.profile))
	mux.HandleFunc("POST /api/v1/messages", s.guard(s.message))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.note("%s %s is not of the API, or a way that may show the fiscal code", r.Method, r.URL.Path)
		problem(w, http.StatusNotFound, "no such operation")
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	s.URL = srv.URL + "/api/v1"
	return s
}

// Person lets the server know somebody, and whether they take our messages.
func (s *Server) Person(fiscal string, allowed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.profiles[fiscal] = allowed
}

// Clock sets the server's time, for its limit.
func (s *Server) Clock(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// Fail lets the server answer with a status; 0: it answers rightly.
func (s *Server) Fail(f func(path string) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

// Messages that were taken so far.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// Wrong is what callers did against the specification.
func (s *Server) Wrong() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.wrong)
}

// Limited is how many requests were beyond the limit.
func (s *Server) Limited() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limited
}

func (s *Server) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// guard is what all operations ask for: the key, the limit, JSON.
func (s *Server) guard(next func(http.ResponseWriter, []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Ocp-Apim-Subscription-Key") != Key {
			s.note("%s without the right key", r.URL.Path)
			problem(w, http.StatusUnauthorized, "wrong key")
			return
		}
		if wait := s.take(); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
			problem(w, http.StatusTooManyRequests, "too many requests")
			return
		}
		s.mu.Lock()
		fail := s.fail
		s.mu.Unlock()
		if fail != nil {
			if code := fail(r.URL.Path); code != 0 {
				problem(w, code, "as told")
				return
			}
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil || r.Header.Get("Content-Type") != "application/json" {
			s.note("%s is not JSON", r.URL.Path)
			problem(w, http.StatusBadRequest, "not JSON")
			return
		}
		next(w, body)
	}
}

// take counts a request; how long to wait when there were too many.
func (s *Server) take() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.requests = slices.DeleteFunc(s.requests, func(t time.Time) bool { return now.Sub(t) >= Window })
	if len(s.requests) >= Limit {
		s.limited++
		return s.requests[0].Add(Window).Sub(now)
	}
	s.requests = append(s.requests, now)
	return 0
}

var fiscalForm = regexp.MustCompile(`^[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]$`)

func (s *Server) profile(w http.ResponseWriter, body []byte) {
	var ask struct {
		FiscalCode string `json:"fiscal_code"`
	}
	if err := json.Unmarshal(body, &ask); err != nil || !fiscalForm.MatchString(ask.FiscalCode) {
		s.note("profiles: %s is no payload with a fiscal code", body)
		problem(w, http.StatusBadRequest, "fiscal_code")
		return
	}
	s.mu.Lock()
	allowed, known := s.profiles[ask.FiscalCode]
	s.asked[ask.FiscalCode] = known && allowed
	s.mu.Unlock()
	if !known {
		problem(w, http.StatusNotFound, "no such user")
		return
	}
	reply(w, http.StatusOK, map[string]any{"sender_allowed": allowed, "preferred_languages": []string{"it_IT"}})
}

var dueForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)

func (s *Server) message(w http.ResponseWriter, body []byte) {
	var m struct {
		TimeToLive *int   `json:"time_to_live"`
		FiscalCode string `json:"fiscal_code"`
		Content    *struct {
			Subject  *string `json:"subject"`
			Markdown *string `json:"markdown"`
			DueDate  *string `json:"due_date"`
		} `json:"content"`
	}
	bad := func(what string) {
		s.note("messages: %s: %s", what, body)
		problem(w, http.StatusBadRequest, what)
	}
	if err := json.Unmarshal(body, &m); err != nil {
		bad("not a message")
		return
	}
	length := func(s *string) int {
		if s == nil {
			return -1
		}
		return len(utf16.Encode([]rune(*s)))
	}
	switch {
	case !fiscalForm.MatchString(m.FiscalCode):
		bad("fiscal_code")
	case m.Content == nil:
		bad("content")
	case length(m.Content.Subject) < 10 || length(m.Content.Subject) > 120:
		bad("content.subject")
	case length(m.Content.Markdown) < 80 || length(m.Content.Markdown) > 10000:
		bad("content.markdown")
	case m.Content.DueDate != nil && !dueForm.MatchString(*m.Content.DueDate):
		bad("content.due_date")
	case m.TimeToLive != nil && (*m.TimeToLive < 3600 || *m.TimeToLive > 604800):
		bad("time_to_live")
	default:
		s.keep(w, m.FiscalCode, *m.Content.Subject, *m.Content.Markdown, m.Content.DueDate, m.TimeToLive)
	}
}

func (s *Server) keep(w http.ResponseWriter, fiscal, subject, text string, due *string, live *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.asked[fiscal] {
		s.wrong = append(s.wrong, "messages: sent without a profile that allows it")
		problem(w, http.StatusInternalServerError, "the sender must look at the profile first")
		return
	}
	m := Message{Fiscal: fiscal, Subject: subject, Markdown: text}
	if due != nil {
		m.Due = *due
	}
	if live != nil {
		m.Live = *live
	}
	s.got = append(s.got, m)
	reply(w, http.StatusCreated, map[string]string{"id": fmt.Sprintf("01BX9NSMKVXXS5PSP2%08d", len(s.got))})
}

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(body)
}

func problem(w http.ResponseWriter, code int, what string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(map[string]any{"title": what, "status": code, "detail": what})
}
