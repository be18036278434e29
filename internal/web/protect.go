package web

import (
	"context"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// csp lets a page load only our own files. Bootstrap Italia draws some signs
// as data: pictures. There is no inline script and no inline style anywhere.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// protect wraps the mux: headers, then who may ask, then how much, then
// compression, then the net under panics.
func (s *Shell) protect() http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, r, http.StatusForbidden, "cross-origin", fault.New(fault.Denied, "%s %s: asked by a page of another site", r.Method, r.URL.Path))
	}))
	inner := compress(s.recover(cross.Handler(s.guard(http.HandlerFunc(s.route)))))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if s.secure(r) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		s.timed(inner, w, r)
	})
}

// timed tells Deps.Observe how long an answer took. Event streams are left
// out: they last as long as somebody looks.
func (s *Shell) timed(next http.Handler, w http.ResponseWriter, r *http.Request) {
	begun, start := &beginning{ResponseWriter: w}, time.Now()
	next.ServeHTTP(begun, r)
	if begun.status > 0 && !strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
		s.observe(strconv.Itoa(begun.status/100)+"xx", time.Since(start))
	}
}

// guard refuses strangers' names and bodies that are too big.
func (s *Shell) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.hostAllowed(r) {
			s.answer(w, r, http.StatusMisdirectedRequest, "misdirected",
				fault.New(fault.Denied, "host %q is not one of this server: ask for it by 127.0.0.1, or add the name to the configuration", r.Host))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, s.maxBody(r))
		if Who(r.Context()).Known() { // the socket
			next.ServeHTTP(w, r)
			return
		}
		id, ctx, err := s.ask(r)
		switch {
		case err == nil:
			if ctx = s.named(ctx, r, id); id.Known() && s.who == nil {
				ctx = context.WithValue(ctx, stillKey{}, s.still(r, id))
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		case len(r.Header.Values("Authorization")) > 0 && fault.Of(err) == fault.Denied:
			w.Header().Set("WWW-Authenticate", `Bearer realm="crinale", error="invalid_token"`)
			s.answer(w, r, http.StatusUnauthorized, "unknown", err)
		default:
			s.Error(w, r, err)
		}
	})
}

// named is ctx of a request with who asks; the log names strangers by their
// address.
func (s *Shell) named(ctx context.Context, r *http.Request, id login.Identity) context.Context {
	ctx = WithIdentity(ctx, id)
	if !id.Known() {
		ctx = audit.With(ctx, audit.Actor{Who: "stranger", From: s.from(r)})
	}
	return ctx
}

// ask finds out who asks.
func (s *Shell) ask(r *http.Request) (login.Identity, context.Context, error) {
	switch {
	case s.who != nil:
		id, err := s.who(r)
		return id, r.Context(), err
	case s.people == nil, strings.HasPrefix(r.URL.Path, "/static/"):
		return login.Identity{}, r.Context(), nil
	}
	return s.identify(r)
}

// route asks the mux, and turns its bare 404 and 405 into ours.
func (s *Shell) route(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	defer func() {
		s.log.Debug("web", "method", r.Method, "path", r.URL.Path, "ms", time.Since(start).Milliseconds())
	}()
	h, pattern := s.mux.Handler(r)
	if pattern != "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	probe := &probe{header: http.Header{}}
	h.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.header.Get("Allow"))
		s.answer(w, r, probe.status, "method", fault.New(fault.Invalid, "%s is not possible on %s, only %s", r.Method, r.URL.Path, probe.header.Get("Allow")))
		return
	}
	s.Error(w, r, fault.New(fault.NotFound, "no page at %s", r.URL.Path))
}

// probe catches the status that the mux would send.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header { return p.header }
func (p *probe) WriteHeader(status int) {
	if p.status == 0 {
		p.status = status
	}
}
func (p *probe) Write(b []byte) (int, error) {
	p.WriteHeader(http.StatusOK)
	return len(b), nil
}

// recover turns a panic into the error page, or cuts the connection when the
// answer has begun.
func (s *Shell) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := &beginning{ResponseWriter: w}
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.log.Error("web: panic", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", strings.TrimSpace(string(debug.Stack())))
			if begun.status > 0 {
				panic(http.ErrAbortHandler)
			}
			s.Error(w, r, fault.New(fault.Internal, "panic: %v", p))
		}()
		next.ServeHTTP(begun, r)
	})
}

// beginning notes whether an answer has begun, and with which status.
type beginning struct {
	http.ResponseWriter
	status int // 0: it has not
}

func (b *beginning) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
	b.ResponseWriter.WriteHeader(status)
}

func (b *beginning) Write(p []byte) (int, error) {
	if b.status == 0 {
		b.status = http.StatusOK
	}
	return b.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController through.
func (b *beginning) Unwrap() http.ResponseWriter { return b.ResponseWriter }
