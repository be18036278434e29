package spine_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/crinale/crinale/internal/spine"
	"github.com/crinale/crinale/internal/spine/spinetest"
)

const childEnv = "CRINALE_TEST_SPINE_CHILD"

// TestMain runs the broker alone when a test has started this binary again, so
// that it can be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(dir)
		return
	}
	os.Exit(m.Run())
}

// child prints its address and password once ready, and runs until killed or
// until its input ends.
func child(dir string) {
	cfg := spine.Default()
	cfg.Dir, cfg.MQTTAddr = dir, "127.0.0.1:0"
	s, err := spine.New(cfg, spine.Deps{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err == nil {
		err = s.SetPartners([]spine.User{{
			Name: "wisp-a", Hash: os.Getenv(childEnv + "_HASH"), Read: []string{treeA + "#", status},
		}})
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-s.Ready()
		_, p := s.Internal()
		fmt.Println(s.MQTTAddr(), p)
		bufio.NewReader(os.Stdin).ReadString('\n')
		cancel()
	}()
	if err == nil {
		err = s.Run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// startChild starts the broker alone; its errors and its log go to errs. stop
// ends it in good order.
func startChild(t *testing.T, dir, hash string, errs io.Writer) (cmd *exec.Cmd, stop func(), addr, password string) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir, childEnv+"_HASH="+hash)
	cmd.Stderr = errs
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the broker's process ended: %v", err)
	}
	addr, password, _ = strings.Cut(strings.TrimSpace(line), " ")
	return cmd, func() { in.Close(); cmd.Wait() }, addr, password
}

// Whatever the broker acknowledged before it was killed is there after: the
// retained message, and each QoS 1 message for a subscriber that was away.
func TestAcknowledgedMessagesSurviveKill(t *testing.T) {
	dir, hash := t.TempDir(), user(t, "wisp-a", "pa").Hash
	cmd, _, addr, password := startChild(t, dir, hash, io.Discard)
	a := spinetest.Login{Addr: addr, User: "wisp-a", Password: "pa"}
	in := spinetest.Login{Addr: addr, User: "_crinale", Password: password}
	pub(t, in, "-t", treeA+"links/x/state", "-r", "-q", "1", "-m", "retained")
	session := []string{"-i", "noc-a", "-c", "-q", "1", "-t", treeA + "links/+/events"}
	first := a.Sub(t, session...)
	for len(first.Messages) == 0 { // until the subscription is known to stand
		pub(t, in, "-t", treeA+"links/x/events", "-q", "1", "-m", "0")
	}
	first.Stop()

	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetUsername("_crinale").
		SetPassword(password).SetClientID("feed").SetAutoReconnect(false))
	if tok := client.Connect(); !tok.WaitTimeout(spinetest.Limit) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	acked := map[string]bool{}
	begun, killing := time.Now(), false
	for n := 1; client.IsConnectionOpen(); n++ {
		if !killing && len(acked) >= 10 && time.Since(begun) > 400*time.Millisecond {
			killing = true
			go cmd.Process.Kill() // in the midst of it
		}
		tok := client.Publish(treeA+"links/x/events", 1, false, strconv.Itoa(n))
		if tok.WaitTimeout(2*time.Second) && tok.Error() == nil && client.IsConnectionOpen() {
			acked[strconv.Itoa(n)] = true
		}
	}
	client.Disconnect(0)
	cmd.Wait()
	if len(acked) < 10 {
		t.Fatalf("only %d messages were acknowledged before the kill", len(acked))
	}
	t.Logf("%d QoS 1 messages acknowledged one by one in %s", len(acked), time.Since(begun).Round(time.Millisecond))

	_, _, a.Addr, _ = startChild(t, dir, hash, io.Discard)
	again := a.Sub(t, session...)
	left := len(acked)
	again.Until(t, "all acknowledged", func(m spinetest.Msg) bool {
		if acked[m.Payload] {
			acked[m.Payload] = false
			left--
		}
		return left == 0
	})
	got := a.Sub(t, "-t", treeA+"links/x/state").Until(t, "retained", spinetest.Topic(treeA+"links/x/state"))
	if got[0].Payload != "retained" || !got[0].Retained {
		t.Errorf("after the kill: %v", got)
	}
}

// A kill after a good end leaves an index older than the messages. Making it
// again is no trouble to tell at the usual level.
func TestRecoveryAfterKillIsNotToldAsTrouble(t *testing.T) {
	dir, hash := t.TempDir(), user(t, "wisp-a", "pa").Hash
	said := &log{}
	for i := range 3 {
		cmd, stop, addr, password := startChild(t, dir, hash, said)
		pub(t, spinetest.Login{Addr: addr, User: "_crinale", Password: password}, "-t", treeA+"links/x/state", "-r", "-q", "1", "-m", strconv.Itoa(i))
		if i == 1 {
			cmd.Process.Kill()
			cmd.Wait()
			continue
		}
		stop()
	}
	text := said.String()
	for line := range strings.Lines(text) {
		slow := strings.Contains(line, "Readloop processing time") // of the machine, not of the recovery
		if !slow && (strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR")) {
			t.Errorf("the recovery is told as trouble: %s", line)
		}
	}
	if !strings.Contains(text, "Stream state outdated") {
		t.Errorf("nothing had to be recovered:\n%s", text)
	}
}

// log is what a child wrote so far.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
