package spine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

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

// dropNameless deletes the sessions whose id does not begin with a user's name
// and a colon, and gives how many clients counted on one. Nobody can ask for
// them any more since the front stands before the server, and each of their
// subscriptions would hold every message back for those away.
func dropNameless(ctx context.Context, js jetstream.JetStream) (dropped int, err error) {
	records, err := js.Stream(ctx, sessions)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, nil // nobody has ever connected
	}
	if err != nil {
		return 0, fmt.Errorf("read sessions: %w", err)
	}
	info, err := records.Info(ctx, jetstream.WithSubjectFilter("$MQTT.sess.>"))
	if err != nil {
		return 0, fmt.Errorf("list sessions: %w", err)
	}
	for subject := range info.State.Subjects {
		msg, err := records.GetLastMsgForSubject(ctx, subject)
		if err != nil {
			return dropped, fmt.Errorf("read session %s: %w", subject, err)
		}
		var s session
		if json.Unmarshal(msg.Data, &s) != nil || s.ID == "" || strings.Contains(s.ID, ":") {
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
		if err := records.DeleteMsg(ctx, msg.Sequence); err != nil {
			return dropped, fmt.Errorf("drop session %q: %w", s.ID, err)
		}
		if !s.Clean {
			dropped++
		}
	}
	return dropped, nil
}
