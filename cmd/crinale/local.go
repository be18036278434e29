package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// maxSocketPath is what a Unix socket's address can hold on every system we
// know (104 bytes on the BSDs, 108 on Linux, with the final zero).
const maxSocketPath = 100

const socketName = "crinale.sock" // in a data folder

// socketPath is where commands find the server that runs on a data folder: in
// the folder, or, where that path is too long for a socket, in a folder of our
// own among the temporary files, named after the data folder.
func socketPath(data string) (string, error) {
	abs, err := filepath.Abs(data)
	if err != nil {
		return "", fmt.Errorf("data folder %s: %w", data, err)
	}
	if p := filepath.Join(abs, socketName); len(p) <= maxSocketPath {
		return p, nil
	}
	sum := sha256.Sum256([]byte(abs))
	return filepath.Join(os.TempDir(), "crinale-"+strconv.Itoa(os.Getuid()), hex.EncodeToString(sum[:8])+".sock"), nil
}

// local is the listener for commands on this machine. Only the owner of the
// data folder can open it; that is its whole sign-in.
type local struct {
	data    string
	handler http.Handler
	log     *slog.Logger
	ready   chan struct{}
}

// newLocal serves the API alone: pages are for browsers.
func newLocal(data string, pages http.Handler, log *slog.Logger) *local {
	mux := http.NewServeMux()
	mux.Handle("/api/", asOwner(pages))
	return &local{data: data, handler: mux, log: log, ready: make(chan struct{})}
}

// asOwner lets requests in as the owner of the data folder, who may do all.
func asOwner(next http.Handler) http.Handler {
	owner := login.Identity{Person: ownerName(), Via: "socket", Grants: []login.Grant{{Role: login.Admin, Scope: login.Union}}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(web.WithIdentity(r.Context(), owner)))
	})
}

// ownerName is the name of this machine's user who runs the server: only they
// and root can open the socket.
func ownerName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "uid " + strconv.Itoa(os.Getuid())
}

// run serves until ctx ends.
func (l *local) run(ctx context.Context) error {
	path, err := socketPath(l.data)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("socket folder: %w", err)
	}
	if err := ownSocketFolder(path); err != nil {
		return err
	}
	// The data folder's lock is ours, so a socket that is there is a dead one.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("old socket: %w", err)
	}
	ln, err := listenUnix(path)
	if err != nil {
		return fmt.Errorf("socket %s: %w", path, err)
	}
	srv := &http.Server{
		Handler:           l.handler,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(l.log.Handler(), slog.LevelDebug),
	}
	close(l.ready)
	return errors.Join(serveUntil(ctx, srv, func() error { return srv.Serve(ln) }, 3*time.Second), os.Remove(path))
}

// serveUntil answers until ctx ends, then gives what is under way a moment.
func serveUntil(ctx context.Context, srv *http.Server, answer func() error, moment time.Duration) error {
	done := make(chan error, 1)
	go func() { done <- answer() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), moment)
	defer cancel()
	if srv.Shutdown(end) != nil {
		_ = srv.Close()
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// ownSocketFolder refuses a folder among the temporary files that is not ours
// alone: there anybody can make one, and with it stand between commands and the
// server. A folder that is not there is no error.
func ownSocketFolder(path string) error {
	dir := filepath.Dir(path)
	if filepath.Base(path) == socketName {
		return nil // in the data folder
	}
	st, err := os.Lstat(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("socket folder: %w", err)
	}
	owner, ok := st.Sys().(*syscall.Stat_t)
	if !ok || !st.IsDir() || int(owner.Uid) != os.Getuid() || st.Mode().Perm()&0o077 != 0 {
		return fault.New(fault.Denied, "socket folder %s is not yours alone: remove it, or choose a data folder with a shorter path", dir)
	}
	return nil
}

// listenUnix makes a socket that only its owner can open, from its first
// moment: it is born under a name that nobody knows, closed to others, and then
// moved to its place.
func listenUnix(path string) (net.Listener, error) {
	tmp := filepath.Join(filepath.Dir(path), rand.Text()[:6])
	ln, err := net.Listen("unix", tmp)
	if err != nil {
		return nil, err
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(tmp, 0o600), os.Rename(tmp, path)); err != nil {
		return nil, errors.Join(err, ln.Close(), os.Remove(tmp))
	}
	return ln, nil
}
