package interop

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
)

// maxBody of a request.
const maxBody = 64 << 10

// handler answers a request of an operator; what it gives is the body of
// status, nil for none.
type handler func(r *http.Request, op Operator) (status int, body any, err error)

func (s *Server) routes() {
	for pattern, h := range map[string]struct {
		scope Scope
		do    handler
	}{
		"GET /driver_journeys":         {ScopeSearch, s.driverJourneys},
		"GET /passenger_journeys":      {ScopeSearch, s.passengerJourneys},
		"GET /driver_regular_trips":    {ScopeSearch, s.driverTrips},
		"GET /passenger_regular_trips": {ScopeSearch, s.passengerTrips},
		"POST /bookings":               {ScopeBook, s.postBooking},
		"GET /bookings/{id}":           {ScopeBook, s.getBooking},
		"PATCH /bookings/{id}":         {ScopeBook, s.patchBooking},
		"POST /messages":               {ScopeMessage, s.postMessage},
		"POST /booking_events":         {ScopeEvent, s.postEvent},
	} {
		method, path := split(pattern)
		s.mux.Handle(method+" "+Prefix+path, s.guard(h.scope, h.do))
	}
	s.mux.HandleFunc("GET "+Prefix+"/status", func(w http.ResponseWriter, r *http.Request) {
		if wait, ok := s.limits.take("status "+host(r), s.cfg.Minute, time.Minute, s.deps.Now()); !ok {
			tooMany(w, wait)
			return
		}
		if err := s.deps.Store.Ping(r.Context()); err != nil {
			s.deps.Log.Error("interop: status", "err", err)
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
	s.mux.HandleFunc(Prefix+"/", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusNotFound, problem("no such operation of the standard"))
	})
}

func split(pattern string) (method, path string) {
	for i := range len(pattern) {
		if pattern[i] == ' ' {
			return pattern[:i], pattern[i+1:]
		}
	}
	return "", pattern
}

// Handler answers everything under Prefix.
func (s *Server) Handler() http.Handler { return s.mux }

// guard lets an operator's request through: who it is, whether it may, how
// much it has asked.
func (s *Server) guard(need Scope, do handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		now := s.deps.Now()
		keys := r.Header.Values("X-API-Key")
		if len(keys) != 1 || keys[0] == "" {
			s.refuse(w, r, now)
			return
		}
		op, err := s.Operators.Verify(r.Context(), keys[0])
		if fault.Of(err) == fault.Denied || err == nil && !slices.Contains(op.Scopes, need) {
			s.refuse(w, r, now)
			return
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if wait, ok := s.spend(op, need, r.Method, now); !ok {
			tooMany(w, wait)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		ctx := audit.With(r.Context(), audit.Actor{Who: "operator:" + op.ID, Via: "interop", From: host(r)})
		status, body, err := do(r.WithContext(ctx), op)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		answer(w, status, body)
	})
}

// spend counts a request of an operator.
func (s *Server) spend(op Operator, need Scope, method string, now time.Time) (time.Duration, bool) {
	if wait, ok := s.limits.take("all "+op.ID, s.cfg.Minute, time.Minute, now); !ok {
		return wait, false
	}
	switch {
	case need == ScopeMessage:
		return s.limits.take("message "+op.ID, s.cfg.Messages, time.Hour, now)
	case method != http.MethodGet:
		return s.limits.take("book "+op.ID, s.cfg.Bookings, time.Hour, now)
	}
	return 0, true
}

// refuse answers 401, and 429 to who goes on trying.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, now time.Time) {
	if wait, ok := s.limits.take("wrong "+host(r), s.cfg.Wrong, time.Minute, now); !ok {
		tooMany(w, wait)
		return
	}
	w.WriteHeader(http.StatusUnauthorized)
}

func host(r *http.Request) string {
	h, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return h
}

func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int(wait/time.Second))))
	w.WriteHeader(http.StatusTooManyRequests)
}

// problem is the body that the standard gives to an error.
func problem(text string) any { return map[string]string{"error": text} }

// coded is an error whose text is one of the standard's own codes.
type coded struct {
	status int
	code   string
}

func (c coded) Error() string { return c.code }

var (
	missingBooking = coded{http.StatusNotFound, "missing_booking"}
	missingUser    = coded{http.StatusNotFound, "missing_user"}
	alreadySet     = coded{http.StatusConflict, "status_already_set"}
)

// fail answers with an error as the standard wants it. What is our own fault
// stays in the log.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var c coded
	var big *http.MaxBytesError
	switch kind := fault.Of(err); {
	case errors.As(err, &c):
		answer(w, c.status, problem(c.code))
	case errors.As(err, &big):
		answer(w, http.StatusBadRequest, problem("the body is too big"))
	case kind == fault.Invalid, kind == fault.Denied, kind == fault.Conflict, kind == fault.NotFound:
		answer(w, http.StatusBadRequest, problem(err.Error()))
	default:
		s.deps.Log.Error("interop: request failed", "method", r.Method, "path", r.Pattern, "err", err)
		w.WriteHeader(http.StatusInternalServerError)
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	b, err := json.Marshal(body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the peer may have gone
}

// body reads a request's one JSON value. Fields that the standard does not
// have are left aside, as it may gain some.
func body(r *http.Request) (json.RawMessage, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, fault.New(fault.Invalid, "want Content-Type: application/json")
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fault.New(fault.Invalid, "read the body: %w", err)
	}
	if !json.Valid(b) {
		return nil, fault.New(fault.Invalid, "the body is not JSON")
	}
	return b, nil
}
