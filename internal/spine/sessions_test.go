package spine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A session made before ids belonged to users is gone after the next start,
// with what it was subscribed to; one of a user stays.
func TestSessionsFromBeforeAreDropped(t *testing.T) {
	dir := t.TempDir()
	life := func(work func(s *Spine, js jetstream.JetStream)) string {
		t.Helper()
		said := &lines{}
		cfg := Default()
		cfg.Dir, cfg.MQTTAddr = dir, "127.0.0.1:0"
		s, err := New(cfg, Deps{Log: slog.New(slog.NewTextHandler(said, nil))})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		<-s.Ready()
		nc, err := nats.Connect("", nats.InProcessServer(s.srv), nats.UserInfo(internalUser, s.password))
		if err != nil {
			t.Fatal(err)
		}
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		work(s, js)
		nc.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		return said.String()
	}
	state := func(js jetstream.JetStream) (ids []string, consumers int) {
		t.Helper()
		st, err := js.Stream(t.Context(), sessions)
		if err != nil {
			t.Fatal(err)
		}
		info, err := st.Info(t.Context(), jetstream.WithSubjectFilter(">"))
		if err != nil {
			t.Fatal(err)
		}
		for subject := range info.State.Subjects {
			m, err := st.GetLastMsgForSubject(t.Context(), subject)
			if errors.Is(err, jetstream.ErrMsgNotFound) {
				continue // it was dropped since the list was read
			}
			if err != nil {
				t.Fatal(err)
			}
			_, id, _ := strings.Cut(string(m.Data), `"id":"`)
			id, _, _ = strings.Cut(id, `"`)
			ids = append(ids, id)
		}
		msgs, err := js.Stream(t.Context(), messages)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(ids)
		return ids, msgs.CachedInfo().State.Consumers
	}
	subscribe := func(s *Spine, addr, id string) {
		t.Helper()
		c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetUsername(internalUser).SetPassword(s.password).
			SetClientID(id).SetCleanSession(false).SetProtocolVersion(4))
		if tok := c.Connect(); !tok.WaitTimeout(limit) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
		if tok := c.Subscribe("a/"+id, 1, nil); !tok.WaitTimeout(limit) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
		c.Disconnect(100)
	}
	life(func(s *Spine, js jetstream.JetStream) {
		// Behind the front ids are as they were before there was one.
		behind := net.JoinHostPort("127.0.0.1", fmt.Sprint(s.opts.MQTT.Port))
		subscribe(s, behind, "noc-old")
		subscribe(s, behind, "noc-older")
		subscribe(s, s.MQTTAddr(), "noc-new")
		if ids, n := state(js); len(ids) != 3 || n != 3 {
			t.Fatalf("at first %v, %d subscriptions", ids, n)
		}
	})
	said := life(func(_ *Spine, js jetstream.JetStream) {
		until(t, "old sessions dropped", func() bool {
			ids, n := state(js)
			return len(ids) == 1 && ids[0] == internalUser+":noc-new" && n == 1
		})
	})
	if !strings.Contains(said, "sessions=2") {
		t.Errorf("log: %s", said)
	}
	begun := time.Now()
	if said := life(func(*Spine, jetstream.JetStream) {}); strings.Contains(said, "dropped") {
		t.Errorf("log of a third life: %s", said)
	}
	t.Logf("a start and an end with one session: %s", time.Since(begun))
}
