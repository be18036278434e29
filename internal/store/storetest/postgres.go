package storetest

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	startLimit = 4 * time.Minute
	// Password of the superuser "postgres" of the server started here.
	Password = "only-on-loopback"
)

// server is the one PostgreSQL of this test process.
var server struct {
	once sync.Once
	port int
	err  error
	keep io.Closer // the server lives until this closes, at the latest with the process
	seq  atomic.Int64
}

// PostgresURL makes an empty database on the PostgreSQL server of this test
// process, starting the server at the first call, and drops it at the end of
// the test.
func PostgresURL(t testing.TB) string {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		missing(t, err.Error())
	}
	server.once.Do(func() { server.port, server.keep, server.err = start(bin) })
	if server.err != nil {
		t.Fatalf("start PostgreSQL: %v", server.err)
	}
	name := fmt.Sprintf("t%d_%d", os.Getpid(), server.seq.Add(1))
	admin(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { admin(t, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	return URL(name, Password)
}

// URL of a database on the started server, by a password right or wrong.
func URL(name, password string) string {
	return fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%d/%s?sslmode=disable", password, server.port, name)
}

func admin(t testing.TB, query string) {
	t.Helper()
	ctx, cancel := background()
	defer cancel()
	db, err := sql.Open("pgx", URL("postgres", Password))
	if err == nil {
		defer db.Close()
		_, err = db.ExecContext(ctx, query)
	}
	if err != nil {
		t.Errorf("%s: %v", query, err)
	}
}

// binaries is the folder of initdb and postgres.
func binaries() (string, error) {
	if dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin"); len(dirs) > 0 {
		return dirs[len(dirs)-1], nil
	}
	if p, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(p), nil
	}
	return "", fmt.Errorf("no initdb in /usr/lib/postgresql/*/bin nor in PATH; install Debian's postgresql-15")
}

func missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CRINALE_REAL") == "all" {
		t.Fatalf("PostgreSQL is missing and CRINALE_REAL=all: %s", why)
	}
	t.Skipf("SKIPPED, NOT TESTED on PostgreSQL: %s", why)
}

// script makes a cluster in $1 on port $2 and runs it until its own input
// ends, which the death of the test process brings about too, however it
// dies. Its folder goes with it. Sync to the disk is off: tests kill
// processes, never the machine.
const script = `
set -e
export LC_ALL=C
cd "$1"
printf %s "$3" >pw
initdb -D data -U postgres -A scram-sha-256 --pwfile=pw -E UTF8 --no-sync >initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
pg_ctl -D data -l log -s -w -t 50 -o "-p $2 -h 127.0.0.1 -k '$1' -c fsync=off -c max_connections=60 -c shared_buffers=16MB" start || { cat log >&2; exit 1; }
trap '' INT TERM HUP
echo ready
read x || true
pg_ctl -D data -s -m immediate stop
rm -rf "$1"
`

// start makes and starts a cluster. Not as root, which PostgreSQL refuses:
// then as the user postgres.
func start(bin string) (port int, keep io.Closer, err error) {
	dir, err := os.MkdirTemp("", "crinale-pg-")
	if err != nil {
		return 0, nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	for try := 0; ; try++ {
		if port, err = freePort(); err != nil {
			return 0, nil, err
		}
		cmd := exec.Command("/bin/sh", "-c", script, "sh", dir, strconv.Itoa(port), Password)
		cmd.Dir = "/"
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if os.Geteuid() == 0 {
			if err := becomePostgres(cmd, dir); err != nil {
				return 0, nil, err
			}
		}
		keep, err = run(cmd)
		if err == nil || try == 2 || !strings.Contains(err.Error(), "Address already in use") {
			return port, keep, err
		}
		os.RemoveAll(filepath.Join(dir, "data"))
	}
}

func becomePostgres(cmd *exec.Cmd, dir string) error {
	u, err := user.Lookup("postgres")
	if err != nil {
		return fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres: %w", err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return err
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(dir, uid, gid)
}

// run starts the script and waits for its word.
func run(cmd *exec.Cmd) (io.Closer, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var talk bytes.Buffer
	cmd.Stderr = &talk
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	word := make([]byte, len("ready"))
	if _, err := io.ReadFull(out, word); err != nil {
		in.Close()
		cmd.Wait()
		return nil, fmt.Errorf("it did not start: %s", strings.TrimSpace(talk.String()))
	}
	return in, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
