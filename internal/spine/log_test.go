package spine

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// A start and an end in good order are silent but for our own line, and no
// line holds a password, whatever clients do.
func TestLogIsQuietAndTellsNoSecret(t *testing.T) {
	var out bytes.Buffer // written by the server's goroutines, read once it has ended
	cfg := Default()
	cfg.Dir, cfg.MQTTAddr = t.TempDir(), "127.0.0.1:0"
	s, err := New(cfg, Deps{Log: slog.New(slog.NewTextHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Ready()
	for range 30 {
		c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + s.MQTTAddr()).SetProtocolVersion(4).
			SetUsername("intruder").SetPassword("hush-hush"))
		if tok := c.Connect(); tok.Wait() && tok.Error() == nil {
			t.Error("the intruder was let in")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	log := out.String()
	for _, secret := range []string{"hush", s.password} {
		if strings.Contains(log, secret) {
			t.Errorf("the log tells %s", secret)
		}
	}
	// Lines of our own in-process client ("pipe - …"), which setting the users
	// during a slow start can bring, are not about the refusals counted here.
	if n := strings.Count(log, "\n") - strings.Count(log, "line=\"pipe - "); n > 3 {
		t.Errorf("%d lines of log:\n%s", n, log)
	}
	if !strings.Contains(log, "intruder") {
		t.Errorf("the log does not say who was refused:\n%s", log)
	}
}

func TestRepeatedLinesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := newBridge(slog.New(slog.NewTextHandler(&out, nil)))
		for i := range 100 {
			b.Errorf("127.0.0.1:%d - mid:%d - Publish Violation - Subject %q", 1000+i, i, strings.Repeat("x", i))
		}
		time.Sleep(quiet)
		b.Errorf("127.0.0.1:1 - mid:1 - Publish Violation - Subject %q", "y")
		b.Errorf("disk full")
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 3 || !strings.Contains(lines[1], "alike_left_out=99") || !strings.Contains(lines[1], "WARN") || !strings.Contains(lines[2], "ERROR") {
			t.Errorf("log:\n%s", out.String())
		}
	})
}

func TestFatalKeepsItsCause(t *testing.T) {
	b := newBridge(slog.New(slog.DiscardHandler))
	cause := errors.New("cause")
	b.Fatalf("Can't start JetStream: %v", cause)
	b.Fatalf("another")
	if err := <-b.fatal; !errors.Is(err, cause) || err.Error() != "Can't start JetStream: cause" {
		t.Errorf("got %v", err)
	}
}

// The rebuilding of an index after a kill is no warning; a missing block is.
func TestRecoveryIsNoWarning(t *testing.T) {
	for format, warns := range map[string]bool{
		"Filestore [$MQTT_msgs] Stream state outdated, last block has additional entries, will rebuild": false,
		"Filestore [$MQTT_rmsgs] Stream state outdated, found extra blocks, will rebuild":               false,
		"Filestore [a] TTL state is outdated; attempting to recover using linear scan (seq %d to %d)":   false,
		"Filestore [a] Stream state detected prior state, could not locate msg block %d":                true,
		"Filestore [$MQTT_msgs] Stream state detected prior state, could not locate msg block %d":       true,
		"Filestore [$MQTT_sess] Stream state detected prior state, could not locate msg block %d":       false,
		"Filestore [a] Recovering stream state from index errored: prior state file":                    false,
		"Filestore [a] Recovering stream state from index errored: corrupt state file":                  true,
		"Filestore [a] Stream state checksum did not match":                                             true,
		"Filestore [Stream state outdated, ] loadBlock error: %v":                                       true,
		"Stream state outdated, said by something else":                                                 true,
		"JetStream resource limits exceeded for server":                                                 true,
	} {
		var out bytes.Buffer
		newBridge(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))).Warnf(format, 1, 2)
		if got := strings.Contains(out.String(), "level=WARN"); got != warns || !warns && !strings.Contains(out.String(), "level=DEBUG") {
			t.Errorf("%q: %s", format, out.String())
		}
	}
}
