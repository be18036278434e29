package spine

import (
	"context"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What the promise "acknowledged is on the disk" and the refusal of QoS 2 rest
// on must be in the options of the server, and stay through a reload.
func TestOptionsHoldThePromises(t *testing.T) {
	cfg := Default()
	cfg.Dir = t.TempDir()
	s, err := New(cfg, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.options()
	if err != nil {
		t.Fatal(err)
	}
	if !o.SyncAlways || !o.DontListen || o.HTTPPort != 0 || o.Cluster.Port != 0 || o.LeafNode.Port != 0 || o.MQTT.NoAuthUser != "" {
		t.Errorf("options: %+v", o)
	}
	if o.MQTT.JSAPITimeout < 30*time.Second { // a slow disk may not make a retained message be lost
		t.Errorf("the server waits %v for its disk", o.MQTT.JSAPITimeout)
	}
	if len(o.Users) != 1 || o.Users[0].Username != internalUser {
		t.Errorf("users: %+v", o.Users)
	}
}

func TestRunningServerSyncsAlwaysAndBoundsTheBacklog(t *testing.T) {
	cfg := Default()
	cfg.Dir, cfg.MQTTAddr = t.TempDir(), "127.0.0.1:0"
	s, err := New(cfg, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Ready()
	if err := s.SetPartners(nil); err != nil {
		t.Fatal(err)
	}
	if js := s.srv.JetStreamConfig(); js == nil || !js.SyncAlways || js.MaxStore != cfg.MaxStore {
		t.Errorf("JetStream runs with %+v", js)
	}
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + s.MQTTAddr()).SetUsername(internalUser).SetPassword(s.password))
	if tok := client.Connect(); tok.Wait() && tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	client.Disconnect(0) // the server has made what it needs for MQTT by now
	nc, err := nats.Connect("", nats.InProcessServer(s.srv), nats.UserInfo(internalUser, s.password))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(ctx, "$MQTT_msgs")
	if err != nil {
		t.Fatal(err)
	}
	if c := stream.CachedInfo().Config; c.MaxAge != cfg.KeepOffline || c.MaxBytes != cfg.MaxStore/2 {
		t.Errorf("messages for those away are kept %v and %d bytes", c.MaxAge, c.MaxBytes)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestSubjectsOfAFilter(t *testing.T) {
	for filter, want := range map[string]string{
		"a/b/#":   "a.b.> a.b",
		"a/+/c":   "a.*.c",
		"a":       "a",
		"a-b/c/#": "a-b.c.> a-b.c",
	} {
		if got := strings.Join(subjects(filter), " "); got != want {
			t.Errorf("%s: got %q, want %q", filter, got, want)
		}
	}
}
