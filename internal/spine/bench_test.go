package spine

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// BenchmarkFront publishes and delivers through the front and, by turns in the
// same run, straight at the server's own listener. The ratio is the time with
// the front over the time without.
func BenchmarkFront(b *testing.B) {
	cfg := Default()
	cfg.Dir, cfg.MQTTAddr = b.TempDir(), "127.0.0.1:0"
	s, err := New(cfg, Deps{})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Ready()
	defer func() { cancel(); <-done }()
	ways := map[string]string{
		"front":  s.MQTTAddr(),
		"behind": net.JoinHostPort("127.0.0.1", fmt.Sprint(s.opts.MQTT.Port)),
	}
	connect := func(addr, id string) mqtt.Client {
		b.Helper()
		c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetUsername(internalUser).SetPassword(s.password).
			SetClientID(id).SetProtocolVersion(4).SetAutoReconnect(false))
		if tok := c.Connect(); !tok.WaitTimeout(limit) || tok.Error() != nil {
			b.Fatal(tok.Error())
		}
		return c
	}
	topic := func(way string, qos byte) string { return fmt.Sprint("bench/", way, qos) }
	// ready is a publisher and a subscriber on one way.
	ready := func(way string, qos byte) (pub mqtt.Client, got chan struct{}) {
		id := fmt.Sprint(way, qos)
		pub, sub := connect(ways[way], "pub-"+id), connect(ways[way], "sub-"+id)
		got = make(chan struct{}, 1<<16)
		if tok := sub.Subscribe(topic(way, qos), qos, func(mqtt.Client, mqtt.Message) { got <- struct{}{} }); !tok.WaitTimeout(limit) || tok.Error() != nil {
			b.Fatal(tok.Error())
		}
		b.Cleanup(func() { pub.Disconnect(0); sub.Disconnect(0) })
		return pub, got
	}
	body := make([]byte, 400) // as long as a state of a link
	compare := func(b *testing.B, run func(way string)) {
		var took = map[string]time.Duration{}
		turn := []string{"front", "behind"}
		for b.Loop() {
			slices.Reverse(turn) // who comes first finds the disk busy with the last round
			for _, way := range turn {
				begun := time.Now()
				run(way)
				took[way] += time.Since(begun)
			}
		}
		b.ReportMetric(float64(took["front"])/float64(took["behind"]), "ratio")
		b.ReportMetric(float64(took["front"].Microseconds())/float64(b.N), "µs-front")
		b.ReportMetric(float64(took["behind"].Microseconds())/float64(b.N), "µs-behind")
	}
	for qos := range byte(2) {
		pubs, gots := map[string]mqtt.Client{}, map[string]chan struct{}{}
		for way := range ways {
			pubs[way], gots[way] = ready(way, qos)
		}
		b.Run(fmt.Sprintf("qos%d/one", qos), func(b *testing.B) {
			compare(b, func(way string) {
				sent := pubs[way].Publish(topic(way, qos), qos, false, body)
				<-gots[way]
				sent.Wait()
			})
		})
		b.Run(fmt.Sprintf("qos%d/hundred", qos), func(b *testing.B) {
			compare(b, func(way string) {
				var last mqtt.Token
				for range 100 {
					last = pubs[way].Publish(topic(way, qos), qos, false, body)
				}
				for range 100 {
					<-gots[way]
				}
				last.Wait()
			})
		})
	}
	b.Run("connect", func(b *testing.B) {
		compare(b, func(way string) { connect(ways[way], "come-and-go").Disconnect(0) })
	})
}
