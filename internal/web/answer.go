package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// statuses is the one table from kinds of error to HTTP. The words of a kind
// stand in the catalogs under error.KIND.title and error.KIND.text.
var statuses = map[fault.Kind]int{
	fault.Internal:    http.StatusInternalServerError,
	fault.Invalid:     http.StatusBadRequest,
	fault.NotFound:    http.StatusNotFound,
	fault.Conflict:    http.StatusConflict,
	fault.Denied:      http.StatusForbidden,
	fault.Unreachable: http.StatusGatewayTimeout,
	fault.Refused:     http.StatusBadGateway,
	fault.Stale:       http.StatusServiceUnavailable,
	fault.Unconfirmed: http.StatusConflict,
}

// Status is the HTTP status of an error.
func Status(err error) int {
	if tooBig(err) {
		return http.StatusRequestEntityTooLarge
	}
	if _, slow := slowed(err); slow {
		return http.StatusTooManyRequests
	}
	return statuses[fault.Of(err)]
}

// slowed says whether an error is about too many tries, and how long to wait.
func slowed(err error) (time.Duration, bool) {
	var s login.Slow
	if !errors.As(err, &s) {
		return 0, false
	}
	return s.After, true
}

// retryAfter tells how long to wait, in whole seconds.
func retryAfter(w http.ResponseWriter, after time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(after.Seconds())))))
}

func tooBig(err error) bool {
	var big *http.MaxBytesError
	return errors.As(err, &big)
}

// Func makes a handler of a function that may fail; the failure is answered
// in one place. The function must not have begun to answer when it fails.
func (s *Shell) Func(f func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			s.Error(w, r, err)
		}
	})
}

// Error answers with an error: problem+json under /api/, else a page.
func (s *Shell) Error(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // nobody listens any more
	}
	kind := fault.Of(err).String()
	if tooBig(err) {
		kind = "too-big"
	}
	if after, slow := slowed(err); slow {
		kind = "slow"
		retryAfter(w, after)
	}
	s.answer(w, r, Status(err), kind, err)
}

// Problem is the body of an error under /api/ (RFC 9457), in English.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Kind   string `json:"kind"` // as internal/fault names them, and a few of HTTP's own
	Ref    string `json:"ref"`  // stands in the log beside the whole error
}

// failure is what the error page shows.
type failure struct {
	Status      int
	Title, Text string
	Detail, Ref string
	SignIn      string // where to sign in, when that would help
}

// answer writes an error. The text of an internal error stays in the log;
// readers get the reference to find it there.
func (s *Shell) answer(w http.ResponseWriter, r *http.Request, status int, kind string, err error) {
	ref := rand.Text()[:8]
	level := s.log.Debug
	if status >= 500 {
		level = s.log.Error
	}
	level("web: request failed", "method", r.Method, "path", r.URL.Path, "status", status, "ref", ref, "error", err)

	detail := err.Error()
	if fault.Of(err) == fault.Internal && !tooBig(err) {
		detail = "the log of the server has the cause under this reference"
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Del("ETag")
	if forPrograms(r) {
		h.Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(Problem{
			Type: "about:blank", Title: s.own.Text(English, "error."+kind+".title"), Status: status,
			Detail: detail, Kind: kind, Ref: ref,
		})
		return
	}
	lang := LangOf(r)
	f := failure{Status: status, Title: s.own.Text(lang, "error."+kind+".title"), Text: s.own.Text(lang, "error."+kind+".text"), Ref: ref}
	if fault.Of(err) != fault.Internal {
		f.Detail = detail
	}
	if status == http.StatusUnauthorized && s.people != nil {
		f.SignIn = signInAt(r)
	}
	if werr := s.own.write(w, r, status, "error.html", View{Heading: f.Title, Data: f}); werr != nil {
		s.log.Error("web: error page", "error", werr)
		http.Error(w, f.Title, status)
	}
}
