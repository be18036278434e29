// Package spinetest starts a broker for tests, and real MQTT clients of
// another make, mosquitto_sub and mosquitto_pub, to hold it against.
package spinetest

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/spine"
)

// Limit is how long anything that must happen may take, on the slowest machine
// and under the race detector. It costs nothing where it happens.
const Limit = 2 * time.Minute

// Start runs a broker with these users on a free port of loopback and a
// folder of its own, until the test ends. change, where not nil, sets the
// configuration.
func Start(t testing.TB, change func(*spine.Config), users ...spine.User) *spine.Spine {
	t.Helper()
	cfg := spine.Default()
	cfg.Dir, cfg.MQTTAddr = t.TempDir(), "127.0.0.1:0"
	if change != nil {
		change(&cfg)
	}
	s, err := spine.New(cfg, spine.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetPartners(users); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the broker ended with: %v", err)
		}
	})
	select {
	case <-s.Ready():
	case err := <-done:
		done <- nil
		t.Fatalf("the broker did not start: %v", err)
	case <-time.After(Limit):
		t.Fatal("the broker was not ready in time")
	}
	return s
}

// Login is a user's way in.
type Login struct {
	Addr, User, Password string
}

// Internal is the login of the broker's own user.
func Internal(s *spine.Spine) Login {
	u, p := s.Internal()
	return Login{s.MQTTAddr(), u, p}
}

func (l Login) args(more ...string) []string {
	host, port, _ := net.SplitHostPort(l.Addr)
	a := []string{"-h", host, "-p", port, "-V", "mqttv311"}
	if l.User != "" {
		a = append(a, "-u", l.User, "-P", l.Password)
	}
	return append(a, more...)
}

// binary finds a program or skips the test loudly.
func binary(t testing.TB, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CRINALE_REAL") == "all" {
			t.Fatalf("%s is missing and CRINALE_REAL=all: install Debian's mosquitto-clients", name)
		}
		t.Skipf("SKIPPED, NOT TESTED: %s is missing; install Debian's mosquitto-clients", name)
	}
	return p
}

// Pub publishes once with mosquitto_pub; args are its flags after the login.
// The error holds what it said.
func (l Login) Pub(t testing.TB, args ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	out, err := exec.CommandContext(ctx, binary(t, "mosquitto_pub"), l.args(args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mosquitto_pub: %w: %s", err, out)
	}
	return nil
}

// Msg is a message as mosquitto_sub saw it.
type Msg struct {
	Topic    string
	Retained bool
	QoS      byte
	Payload  string
}

// Sub is a running mosquitto_sub.
type Sub struct {
	Messages <-chan Msg  // closed when it has ended
	Talk     chan string // what it said besides, once it has ended
	cmd      *exec.Cmd
}

// Sub runs mosquitto_sub; args are its flags after the login. It ends with the
// test, or by itself when refused.
func (l Login) Sub(t testing.TB, args ...string) *Sub {
	t.Helper()
	cmd := exec.Command(binary(t, "mosquitto_sub"), l.args(append([]string{"-F", "%r %q %t %p"}, args...)...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var talk strings.Builder
	cmd.Stderr = &talk
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := make(chan Msg, 4096)
	s := &Sub{Messages: c, Talk: make(chan string, 1), cmd: cmd}
	go func() {
		defer close(c)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			f := strings.SplitN(lines.Text(), " ", 4)
			if len(f) < 4 || len(f[1]) != 1 {
				continue
			}
			c <- Msg{f[2], f[0] == "1", f[1][0] - '0', f[3]}
		}
		cmd.Wait()
		s.Talk <- talk.String()
	}()
	t.Cleanup(s.Stop)
	return s
}

// Stop ends it as a crash would.
func (s *Sub) Stop() {
	s.cmd.Process.Kill()
	for range s.Messages {
	}
}

// Until reads messages up to the first that fits, and gives all of them. It
// fails the test when that takes longer than Limit or the subscriber ends.
func (s *Sub) Until(t testing.TB, what string, fits func(Msg) bool) []Msg {
	t.Helper()
	var seen []Msg
	late := time.After(Limit)
	for {
		select {
		case m, ok := <-s.Messages:
			if !ok {
				talk := <-s.Talk
				s.Talk <- talk
				t.Fatalf("waiting for %s: mosquitto_sub ended: %s; it had seen %v", what, talk, seen)
			}
			seen = append(seen, m)
			if fits(m) {
				return seen
			}
		case <-late:
			t.Fatalf("waiting for %s: nothing in %s; seen %v", what, Limit, seen)
		}
	}
}

// Topic fits a message of this topic and any payload but the empty one.
func Topic(topic string) func(Msg) bool {
	return func(m Msg) bool { return m.Topic == topic && m.Payload != "" }
}

// Ended waits for it to end by itself and gives what it said.
func (s *Sub) Ended(t testing.TB) string {
	t.Helper()
	late := time.After(Limit)
	for {
		select {
		case m, ok := <-s.Messages:
			if ok {
				t.Errorf("a subscriber that should be refused got %+v", m)
				continue
			}
			talk := <-s.Talk
			s.Talk <- talk
			return talk
		case <-late:
			t.Fatalf("mosquitto_sub did not end in %s", Limit)
		}
	}
}
