package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long anything that must happen may take, on the slowest
// machine and under the race detector. It costs nothing where it happens.
const patience = 2 * time.Minute

// binary builds the shipped program once for a test run.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "crinale-bin-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "crinale")
	cmd := exec.Command("make", "-s", "-C", "../..", "binary", "BIN="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &buildError{string(out), err}
	}
	return path, nil
})

type buildError struct {
	out string
	err error
}

func (e *buildError) Error() string { return e.err.Error() + ":\n" + e.out }

// process is a crinale of its own.
type process struct {
	*exec.Cmd
	talk strings.Builder
	done chan struct{}
}

// start runs the built program until the test ends.
func start(t testing.TB, args ...string) *process {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(bin, args...), done: make(chan struct{})}
	p.Stdout, p.Stderr = &p.talk, &p.talk
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.Wait(); close(p.done) }()
	t.Cleanup(func() { p.end(t, os.Interrupt) })
	return p
}

// end ends the process by a signal and waits for it.
func (p *process) end(t testing.TB, sig os.Signal) {
	_ = p.Process.Signal(sig) // it may have ended by itself
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.Process.Kill()
		<-p.done
		t.Errorf("%v did not end within %v of %v", p.Args[1:], patience, sig)
	}
}

// awaitJSON waits for a file that a process writes when it is ready.
func (p *process) awaitJSON(t testing.TB, file string, into any) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for {
		select {
		case <-tick.C:
			if b, err := os.ReadFile(file); err == nil && json.Unmarshal(b, into) == nil {
				return
			}
		case <-p.done:
			t.Fatalf("%v ended before it was ready:\n%s", p.Args[1:], p.talk.String())
		case <-limit:
			t.Fatalf("%v was not ready within %v", p.Args[1:], patience)
		}
	}
}
