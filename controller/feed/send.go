package feed

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/crinale/crinale/internal/fault"
)

const (
	farewellLimit = 2 * time.Second
	sweepTime     = 10 * time.Second // after a new connection, for what the broker retains to come
)

// send keeps a connection to the broker and carries there what is on the
// board, until ctx ends.
func (f *Feed) send(ctx context.Context) {
	name := fmt.Sprintf("crinale-%08x", rand.Uint32())
	trouble := ""
	for failed := 0; ctx.Err() == nil; failed++ {
		lost := make(chan error, 1)
		client, at, err := f.connect(ctx, name, lost)
		if err == nil {
			if trouble != "" {
				f.log.Info("the feed is published again", "broker", at, "attempts", failed)
			}
			trouble, failed = "", 0
			f.setErr(nil)
			err = f.session(ctx, client, lost)
			if err != nil {
				err = fault.New(fault.Unreachable, "publish to message broker %s: %w", at, err)
			}
		}
		if err == nil || ctx.Err() != nil {
			continue
		}
		f.setErr(err)
		if err.Error() != trouble {
			trouble = err.Error()
			f.log.Warn("the feed is not published, and tries again", "err", err)
		}
		wait(ctx, min(500*time.Millisecond<<min(failed, 6), 30*time.Second))
	}
}

// wait d, give or take a quarter, so that many do not come at once.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d*3/4 + rand.N(d/2))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// ack is what became of one retained message.
type ack struct {
	topic string
	err   error
}

// always is a channel that never makes anyone wait.
var always = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// session publishes over one connection. It gives nil when ctx ends, and the
// cause when the connection does.
func (f *Feed) session(ctx context.Context, client mqtt.Client, lost <-chan error) error {
	begun := time.Now()
	over, end := context.WithCancel(context.Background())
	acks := make(chan ack, f.cfg.Window)
	flying := 0
	defer func() {
		end()
		for ; flying > 0; flying-- {
			a := <-acks
			f.board.done(a.topic, a.err == nil)
		}
		f.board.disconnected()
		client.Disconnect(100)
	}()
	f.board.connected()
	f.board.first(StatusTopic, func(time.Time) []byte { return marshal(Status{"online", when(begun)}) })
	go f.sweep(over, client)

	for {
		next := f.board.wake
		if flying < f.cfg.Window {
			if topic, body, ok := f.board.next(time.Now()); ok {
				flying++
				go f.await(over, topic, client.Publish(topic, 1, true, body), acks)
				next = always
			}
		}
		if s, ok := f.board.nextSample(); ok {
			client.Publish(s.topic, 0, false, s.body)
			next = always
		}
		if next != always && flying == 0 && f.board.idle() {
			f.once.Do(func() { close(f.ready) })
		}
		select {
		case <-ctx.Done():
			f.farewell(client)
			return nil
		case err := <-lost:
			return err
		case a := <-acks:
			flying--
			f.board.done(a.topic, a.err == nil)
			if a.err != nil {
				return a.err
			}
		case <-next:
		}
	}
}

// await waits for the acknowledgement of one message.
func (f *Feed) await(over context.Context, topic string, token mqtt.Token, acks chan<- ack) {
	limit := time.NewTimer(f.cfg.AckLimit)
	defer limit.Stop()
	var err error
	select {
	case <-token.Done():
		err = token.Error()
	case <-over.Done():
		err = over.Err()
	case <-limit.C:
		err = fmt.Errorf("%s is not acknowledged after %s", topic, f.cfg.AckLimit)
	}
	acks <- ack{topic, err}
}

// sweep asks the broker what it retains for partners, clears what is not to be
// there (of a link that is no longer theirs, of an alert that closed while the
// feed was away), and stops asking.
func (f *Feed) sweep(over context.Context, client mqtt.Client) {
	filters := map[string]byte{}
	for _, t := range retained {
		filters[t] = 0
	}
	token := client.SubscribeMultiple(filters, func(_ mqtt.Client, m mqtt.Message) {
		if m.Retained() && len(m.Payload()) > 0 {
			f.board.clear(m.Topic())
		}
	})
	select {
	case <-token.Done():
	case <-over.Done():
		return
	}
	for filter, code := range token.(*mqtt.SubscribeToken).Result() {
		if code >= 0x80 { // the token itself has no error then
			f.log.Warn("the broker does not let the feed see what is retained; old messages of links that changed hands may stay", "filter", filter)
		}
	}
	wait(over, sweepTime)
	if over.Err() == nil {
		client.Unsubscribe(retained...)
	}
}

// farewell says that the feed ends in good order.
func (f *Feed) farewell(client mqtt.Client) {
	now := time.Now()
	client.Publish(StatusTopic, 1, true, marshal(Status{"offline", when(now)})).WaitTimeout(farewellLimit)
}
