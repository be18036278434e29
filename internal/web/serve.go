package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/crinale/crinale/internal/certfile"
)

type closingKey struct{}

// Closing is closed when the shell wants long answers, event streams above
// all, to end. Requests of other servers get a channel that never closes.
func Closing(ctx context.Context) <-chan struct{} {
	c, _ := ctx.Value(closingKey{}).(chan struct{})
	return c
}

// Run serves until ctx ends, then lets the answers under way finish within
// GraceTimeout. It may be called once.
func (s *Shell) Run(ctx context.Context) error {
	scheme, serve := "http", (*http.Server).Serve
	var secured *tls.Config
	if s.cfg.CertFile != "" {
		c, err := certfile.Read(s.cfg.CertFile, s.cfg.KeyFile, s.log)
		if err != nil {
			return fmt.Errorf("web: %w", err)
		}
		scheme, secured = "https", c.Config()
		serve = func(srv *http.Server, l net.Listener) error { return srv.ServeTLS(l, "", "") }
	}
	l, err := listen(ctx, s.cfg.Addr)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.url = scheme + "://" + l.Addr().String()
	s.mu.Unlock()
	if p := s.Plain(); p != "" {
		s.log.Warn(p)
	}
	srv := &http.Server{
		Handler:           s.chain,
		TLSConfig:         secured,
		ReadHeaderTimeout: s.cfg.HeaderTimeout,
		ReadTimeout:       s.cfg.ReadTimeout,
		WriteTimeout:      s.cfg.WriteTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.WithoutCancel(ctx), closingKey{}, s.closing)
		},
	}
	served := make(chan error, 1)
	go func() { served <- serve(srv, l) }()
	s.log.Info("web listening", "url", s.URL())
	close(s.ready)

	select {
	case err := <-served:
		close(s.closing)
		return fmt.Errorf("serve %s: %w", s.URL(), err)
	case <-ctx.Done():
	}
	close(s.closing)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.GraceTimeout)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		s.log.Warn("web: answers cut off at the end", "after", s.cfg.GraceTimeout)
		_ = srv.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", s.URL(), err)
	}
	return nil
}
