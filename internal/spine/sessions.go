package spine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Names of the server's own streams.
const (
	messages = "$MQTT_msgs" // QoS 1 messages on their way
	sessions = "$MQTT_sess" // a record for each session
)

// session is what is needed here of the server's record of one.
type session struct {
	ID    string `json:"id"`
	Clean bool   `json:"clean"`
	Cons  map[string]*struct {
		Durable string `json:"durable_name"`
	} `json:"cons"`
}

// record is a session as the server has it on the disk.
type record struct {
	session
	seq uint64    // in its stream
	at  time.Time // of the last connection, or change of a subscription
}

// readSessions gives the records of all sessions. What cannot be read as one
// is left out.
func readSessions(ctx context.Context, js jetstream.JetStream) ([]record, error) {
	stream, err := js.Stream(ctx, sessions)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil // nobody has ever connected
	}
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter("$MQTT.sess.>"))
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	var all []record
	for subject := range info.State.Subjects {
		msg, err := stream.GetLastMsgForSubject(ctx, subject)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // it has just ended
		}
		if err != nil {
			return nil, fmt.Errorf("read session %s: %w", subject, err)
		}
		r := record{seq: msg.Sequence, at: msg.Time}
		if json.Unmarshal(msg.Data, &r.session) == nil && r.ID != "" {
			all = append(all, r)
		}
	}
	return all, nil
}

// dropNameless deletes the sessions whose id does not begin with a user's name
// and a colon, and gives how many clients counted on one. Nobody can ask for
// them any more since the front stands before the server, and each of their
// subscriptions would hold every message back for those away. Nobody may be
// connected yet.
func dropNameless(ctx context.Context, js jetstream.JetStream) (dropped int, err error) {
	all, err := readSessions(ctx, js)
	if err != nil {
		return 0, err
	}
	for _, s := range all {
		if strings.Contains(s.ID, ":") {
			continue
		}
		for _, c := range s.Cons {
			if c == nil {
				continue
			}
			if err := js.DeleteConsumer(ctx, messages, c.Durable); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
				return dropped, fmt.Errorf("drop a subscription of session %q: %w", s.ID, err)
			}
		}
		stream, err := js.Stream(ctx, sessions)
		if err == nil {
			err = stream.DeleteMsg(ctx, s.seq)
		}
		if err != nil {
			return dropped, fmt.Errorf("drop session %q: %w", s.ID, err)
		}
		if !s.Clean {
			dropped++
		}
	}
	return dropped, nil
}
