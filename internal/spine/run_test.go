package spine_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/spine"
	"github.com/crinale/crinale/internal/spine/spinetest"
)

func TestNewSaysWhatIsWrong(t *testing.T) {
	for name, change := range map[string]func(*spine.Config){
		"no folder":   func(c *spine.Config) { c.Dir = "" },
		"no port":     func(c *spine.Config) { c.MQTTAddr = "localhost" },
		"port name":   func(c *spine.Config) { c.MQTTAddr = "localhost:mqtt" },
		"port 70000":  func(c *spine.Config) { c.MQTTAddr = "localhost:70000" },
		"no ack wait": func(c *spine.Config) { c.AckWait = 0 },
	} {
		cfg := spine.Default()
		cfg.Dir = "x"
		change(&cfg)
		if _, err := spine.New(cfg, spine.Deps{}); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestStartThatCannotBeSaysTheMend(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, dir, addr, want string
	}{
		{"port in use", t.TempDir(), taken.Addr().String(), "the port is in use; end the other program"},
		{"not our address", t.TempDir(), "192.0.2.1:0", "this machine does not have that address"},
		{"folder is a file", file, "127.0.0.1:0", "cannot be written"},
		{"folder below a file", filepath.Join(file, "x"), "127.0.0.1:0", "cannot be written"},
	} {
		cfg := spine.Default()
		cfg.Dir, cfg.MQTTAddr = c.dir, c.addr
		s, err := spine.New(cfg, spine.Deps{})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v", c.name, err)
		}
		select {
		case <-s.Ready():
			t.Errorf("%s: ready all the same", c.name)
		default:
		}
	}
}

// A second life on the same folder keeps what is retained, and gives the
// internal user a new password.
func TestSecondStartKeepsWhatIsRetained(t *testing.T) {
	cfg := spine.Default()
	cfg.Dir, cfg.MQTTAddr = t.TempDir(), "127.0.0.1:0"
	life := func(work func(in spinetest.Login)) string {
		s, err := spine.New(cfg, spine.Deps{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		select {
		case <-s.Ready():
		case err := <-done:
			t.Fatalf("the broker did not start: %v", err)
		}
		work(spinetest.Internal(s))
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_, p := s.Internal()
		return p
	}
	first := life(func(in spinetest.Login) { pub(t, in, "-t", status, "-r", "-q", "1", "-m", "kept") })
	second := life(func(in spinetest.Login) {
		got := in.Sub(t, "-t", status).Until(t, "retained", spinetest.Topic(status))
		if got[0].Payload != "kept" || !got[0].Retained {
			t.Errorf("got %v", got)
		}
	})
	if first == second {
		t.Error("the internal password is the same in both lives")
	}
}
