package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/login"
)

// inMemory lets tecnica in by any password and keeps sessions in memory; the
// rest of People is not asked.
type inMemory struct {
	People
	kept map[string]kept
	full bool // nothing can be written any more
}

type kept struct {
	data  []byte
	until time.Time
}

func (m *inMemory) Login(context.Context, login.LoginRequest) (login.LoginResult, error) {
	return login.LoginResult{Person: "tecnica"}, nil
}

func (m *inMemory) Identity(_ context.Context, person string) (login.Identity, error) {
	return login.Identity{Person: person, Grants: []login.Grant{{Role: login.Technician, Scope: login.Union}}}, nil
}

func (m *inMemory) FindCtx(_ context.Context, token string) ([]byte, bool, error) {
	k, ok := m.kept[token]
	return k.data, ok && k.until.After(time.Now()), nil
}

func (m *inMemory) CommitCtx(_ context.Context, token string, b []byte, until time.Time) error {
	if m.full {
		return errors.New("disk full")
	}
	m.kept[token] = kept{b, until}
	return nil
}

func (m *inMemory) DeleteCtx(_ context.Context, token string) error {
	delete(m.kept, token)
	return nil
}

// memoryShell is a shell on it, and a request with the session got by signing in.
func memoryShell(t *testing.T) (*inMemory, func(target string) *httptest.ResponseRecorder) {
	t.Helper()
	m := &inMemory{kept: map[string]kept{}}
	s, err := New(Default(), Deps{People: m})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/entra", strings.NewReader(url.Values{"nome": {"tecnica"}, "password": {"x"}}.Encode()))
	r.Host = "localhost"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	cookie, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
	return m, func(target string) *httptest.ResponseRecorder { return ask(s, "GET", target, "Cookie", cookie) }
}

func TestSessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, get := memoryShell(t)
		time.Sleep(sessionIdle - time.Minute)
		if w := get("/api/v1/me"); w.Code != 200 {
			t.Fatalf("before it was idle too long: %d", w.Code)
		}
		time.Sleep(sessionIdle - time.Minute) // the page before put it off
		if w := get("/api/v1/me"); w.Code != 200 {
			t.Fatalf("a page did not put the end off: %d", w.Code)
		}
		time.Sleep(sessionIdle + time.Second)
		if w := get("/api/v1/me"); w.Code != 401 {
			t.Errorf("idle too long: %d", w.Code)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		_, get := memoryShell(t)
		began := time.Now()
		for time.Since(began) < sessionFor-time.Hour {
			time.Sleep(time.Hour)
			if w := get("/api/v1/me"); w.Code != 200 {
				t.Fatalf("in use, after %v: %d", time.Since(began), w.Code)
			}
		}
		time.Sleep(time.Hour + time.Second)
		if w := get("/api/v1/me"); w.Code != 401 {
			t.Errorf("in use for more than %v: %d", sessionFor, w.Code)
		}
	})
}

// TestFullDisk: what cannot be written does not keep those out who are in.
func TestFullDisk(t *testing.T) {
	m, get := memoryShell(t)
	m.full = true
	if w := get("/api/v1/me"); w.Code != 200 {
		t.Errorf("reading: %d %s", w.Code, w.Body)
	}
	s, err := New(Default(), Deps{People: m})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/entra", strings.NewReader("nome=tecnica&password=x"))
	r.Host = "localhost"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "disk") || strings.Contains(strings.Join(w.Header().Values("Set-Cookie"), " "), "crinale=") {
		t.Errorf("signing in: %d %v", w.Code, w.Header())
	}
}

func TestPostWithoutSessionSaysWhereToSignIn(t *testing.T) {
	s, err := New(Default(), Deps{People: &inMemory{kept: map[string]kept{}}})
	if err != nil {
		t.Fatal(err)
	}
	w := ask(s, "POST", "/conto/password")
	if w.Code != 401 || !strings.Contains(w.Body.String(), `href="/entra"`) || w.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
