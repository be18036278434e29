package spine

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// fixed is what has no place in server.Options but in its text form. QoS 2 is
// not offered: the server would store such a message before it asks whether
// its sender may publish.
const fixed = `
mqtt {
  reject_qos2_publish: true
  downgrade_qos2_subscribe: true
}
`

// options are those of the server, with the users noted so far. The lock is
// held.
func (s *Spine) options() (*server.Options, error) {
	o := &server.Options{}
	if err := o.ProcessConfigString(fixed); err != nil {
		return nil, err
	}
	o.ServerName = "crinale"
	o.DontListen = true // no NATS clients from outside
	o.NoSigs = true
	o.NoLog = true                  // a bridge to slog is set instead
	o.MaxConn = s.cfg.MaxConns + 16 // the front keeps to MaxConns; our own connections come on top
	o.MaxPayload = int32(s.cfg.MaxPayload)
	o.MaxSubs = 1000 // of one connection
	o.MaxControlLine = 4096
	o.JetStream = true
	o.StoreDir = s.cfg.Dir
	o.JetStreamMaxStore = s.cfg.MaxStore
	o.JetStreamMaxMemory = 16 << 20
	o.SyncAlways = true // an acknowledged message survives a power cut
	o.SyncInterval = 2 * time.Minute
	o.MQTT.Host = "127.0.0.1" // for the front
	o.MQTT.Port = server.RANDOM_PORT
	o.MQTT.AckWait = s.cfg.AckWait
	o.MQTT.AuthTimeout = 5
	// For its own disk: a retained message that takes longer than this is
	// acknowledged all the same, or not sent to a new subscriber.
	o.MQTT.JSAPITimeout = 30 * time.Second
	o.Users = serverUsers(s.password, s.key, s.users)
	return o, nil
}

// limitBacklog bounds what is kept for subscribers that are away, and drops
// sessions that nobody can ask for. The server itself would keep it all without
// end, until the disk is full and nobody can publish any more. It also makes the
// server fail here, not later, when its folder cannot be used.
func (s *Spine) limitBacklog(ctx context.Context, srv *server.Server) error {
	doing := "message broker: prepare " + s.cfg.Dir
	js, end, err := s.jetstream(srv)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	defer end()
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	_, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:      messages,
		Subjects:  []string{"$MQTT.msgs.>"},
		Storage:   jetstream.FileStorage,
		Retention: jetstream.InterestPolicy,
		Replicas:  1,
		Discard:   jetstream.DiscardOld,
		MaxAge:    s.cfg.KeepOffline,
		MaxBytes:  s.cfg.MaxStore / 2,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	n, err := dropNameless(ctx, js)
	if err != nil {
		s.log.Warn("message broker: old sessions stay and cost room", "err", err)
	}
	if n > 0 {
		s.log.Warn("message broker: sessions from before ids belonged to users are dropped; their clients must subscribe again", "sessions", n)
	}
	return nil
}

// jetstream speaks to the server's store, from within the process, until end.
func (s *Spine) jetstream(srv *server.Server) (js jetstream.JetStream, end func(), err error) {
	nc, err := nats.Connect("", nats.InProcessServer(srv), nats.UserInfo(internalUser, s.password), nats.Name("crinale"),
		nats.CustomInboxPrefix("$crinale")) // what begins with $ is not in the # of MQTT
	if err != nil {
		return nil, nil, err
	}
	if js, err = jetstream.New(nc); err != nil {
		nc.Close()
		return nil, nil, err
	}
	return js, nc.Close, nil
}
