package spine_test

import (
	"maps"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/crinale/crinale/internal/spine"
	"github.com/crinale/crinale/internal/spine/spinetest"
)

// user is a partner as the controller makes them.
func user(t testing.TB, name, password string) spine.User {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return spine.User{Name: name, Hash: string(h), Read: []string{"crinale/v1/partners/" + name + "/#", "crinale/v1/status"}}
}

const (
	treeA  = "crinale/v1/partners/wisp-a/"
	treeB  = "crinale/v1/partners/wisp-b/"
	fence  = treeA + "fence"
	status = "crinale/v1/status"
)

func two(t testing.TB) (s *spine.Spine, a, b, in spinetest.Login) {
	s = spinetest.Start(t, nil, user(t, "wisp-a", "pa"), user(t, "wisp-b", "pb"))
	return s, spinetest.Login{Addr: s.MQTTAddr(), User: "wisp-a", Password: "pa"},
		spinetest.Login{Addr: s.MQTTAddr(), User: "wisp-b", Password: "pb"}, spinetest.Internal(s)
}

func pub(t testing.TB, l spinetest.Login, args ...string) {
	t.Helper()
	if err := l.Pub(t, args...); err != nil {
		t.Fatal(err)
	}
}

func TestPartnerReadsItsOwnTreeOnly(t *testing.T) {
	_, a, _, in := two(t)
	pub(t, in, "-t", treeA+"links/x/state", "-r", "-q", "1", "-m", "of A")
	pub(t, in, "-t", treeB+"links/y/state", "-r", "-q", "1", "-m", "of B")
	pub(t, in, "-t", status, "-r", "-q", "1", "-m", "online")
	pub(t, in, "-t", strings.TrimSuffix(treeA, "/"), "-r", "-q", "1", "-m", "root of A")

	for _, filter := range []string{
		"#", "+/#", "crinale/#", "crinale/v1/#", "crinale/v1/partners/#", "crinale/v1/partners/+/links/y/state",
		treeB + "#", treeB + "links/y/state", "crinale/v1/partners/wisp-b", "crinale/+/partners/wisp-a/#",
		"crinale/v1/+", "$SYS/#", "$MQTT/#", "$MQTT/sub/#", "$MQTT/msgs/#", "$JS/API/#", "_INBOX/#",
	} {
		for _, qos := range []string{"0", "1"} {
			sub := a.Sub(t, "-t", filter, "-q", qos)
			if talk := sub.Ended(t); !strings.Contains(talk, "denied") {
				t.Errorf("%s at QoS %s: %q", filter, qos, talk)
			}
		}
	}
	for _, filter := range []string{treeA + "#", treeA + "+/+/state", treeA + "links/x/#"} {
		sub := a.Sub(t, "-t", filter, "-t", "#", "-t", treeB+"#", "-t", status, "-q", "1")
		got := map[string]string{}
		for len(got) < 2 {
			for _, m := range sub.Until(t, filter, func(spinetest.Msg) bool { return true }) {
				got[m.Topic] = m.Payload
				if !m.Retained {
					t.Errorf("%s: %+v is not marked retained", filter, m)
				}
			}
			if got[treeA+"links/x/state"] != "" && got[status] != "" {
				break
			}
		}
		// The fence: what B gets before it, A would have got too.
		pub(t, in, "-t", treeB+"links/y/state", "-q", "1", "-m", "live of B")
		pub(t, in, "-t", treeA+"links/x/state", "-q", "1", "-m", "fence")
		for _, m := range sub.Until(t, "fence", func(m spinetest.Msg) bool { return m.Payload == "fence" }) {
			got[m.Topic] = m.Payload
		}
		for topic := range got {
			if strings.HasPrefix(topic, treeB) {
				t.Errorf("%s: A got %s of B", filter, topic)
			}
		}
	}
}

func TestPublishOfAPartnerHasNoEffect(t *testing.T) {
	_, a, b, in := two(t)
	pub(t, in, "-t", treeA+"links/x/state", "-r", "-q", "1", "-m", "true")
	pub(t, in, "-t", treeB+"links/y/state", "-r", "-q", "1", "-m", "true")
	pub(t, in, "-t", status, "-r", "-q", "1", "-m", "online")
	all := in.Sub(t, "-t", "#", "-q", "1")
	all.Until(t, "retained", spinetest.Topic(treeB+"links/y/state"))
	subB := b.Sub(t, "-t", treeB+"#", "-t", status, "-q", "1")
	subB.Until(t, "retained", spinetest.Topic(treeB+"links/y/state"))

	for _, topic := range []string{
		treeA + "links/x/state", treeB + "links/y/state", treeA + "new", treeA + "ingest/x", status, "other",
		"$SYS/x", "$MQTT/msgs/crinale/v1/status", "$JS/API/STREAM/DELETE/$MQTT_rmsgs", "$MQTT/rmsgs/crinale/v1/status",
	} {
		for _, qos := range []string{"0", "1"} {
			for _, flags := range [][]string{{"-m", "forged"}, {"-r", "-m", "forged"}, {"-r", "-n"}} {
				pub(t, a, append([]string{"-t", topic, "-q", qos}, flags...)...)
			}
		}
	}
	// A last will is a publish too. Killed by a protocol error, the client
	// leaves it to the broker to publish it.
	for _, topic := range []string{status, treeB + "links/y/state"} {
		s := a.Sub(t, "-t", treeA+"#", "--will-topic", topic, "--will-payload", "forged", "--will-retain", "--will-qos", "1")
		s.Until(t, "retained", spinetest.Topic(treeA+"links/x/state"))
		s.Stop()
	}
	// QoS 2 would be stored before it is judged: it is refused.
	if err := a.Pub(t, "-t", treeB+"links/y/state", "-q", "2", "-r", "-m", "forged"); err == nil {
		t.Log("mosquitto_pub did not notice that QoS 2 was refused")
	}

	pub(t, in, "-t", treeB+"fence", "-q", "1", "-m", "fence")
	for _, sub := range []*spinetest.Sub{all, subB} {
		for _, m := range sub.Until(t, "fence", spinetest.Topic(treeB+"fence")) {
			if m.Payload != "fence" && m.Payload != "true" && m.Payload != "online" {
				t.Errorf("a publish by A arrived: %+v", m)
			}
		}
	}
	// And what is retained is what was. (A deletion would have come to the
	// subscriber of everything as an empty payload, and did not.)
	kept := map[string]string{}
	in.Sub(t, "-t", "crinale/#", "-q", "1").Until(t, "all retained", func(m spinetest.Msg) bool {
		kept[m.Topic] = m.Payload
		return len(kept) == 3
	})
	want := map[string]string{treeA + "links/x/state": "true", treeB + "links/y/state": "true", status: "online"}
	if !maps.Equal(kept, want) {
		t.Errorf("retained are now %v", kept)
	}
}

func TestWhoIsRefused(t *testing.T) {
	_, a, _, in := two(t)
	for name, l := range map[string]spinetest.Login{
		"wrong password":      {Addr: a.Addr, User: "wisp-a", Password: "wrong"},
		"no password":         {Addr: a.Addr, User: "wisp-a"},
		"nobody":              {Addr: a.Addr},
		"unknown":             {Addr: a.Addr, User: "wisp-c", Password: "pa"},
		"name with a space":   {Addr: a.Addr, User: "wisp a", Password: "pa"},
		"name with a slash":   {Addr: a.Addr, User: "wisp-a/#", Password: "pa"},
		"another's password":  {Addr: a.Addr, User: "wisp-b", Password: "pa"},
		"the hash as such":    {Addr: a.Addr, User: "wisp-a", Password: user(t, "wisp-a", "pa").Hash},
		"internal by guess":   {Addr: a.Addr, User: in.User, Password: "crinale"},
		"very long password":  {Addr: a.Addr, User: "wisp-a", Password: strings.Repeat("p", 5000)},
		"very long user name": {Addr: a.Addr, User: strings.Repeat("p", 5000), Password: "pa"},
	} {
		talk := l.Sub(t, "-t", treeA+"#").Ended(t)
		if talk == "" {
			t.Errorf("%s: let in", name)
		}
	}
	if err := a.Pub(t, "-i", "id with space", "-t", "x", "-m", "y"); err == nil {
		t.Error("a client id with a space was taken, which the server cannot keep")
	}
}

func TestUsersThatCannotBe(t *testing.T) {
	s := spinetest.Start(t, nil)
	good := user(t, "good", "p")
	for name, us := range map[string][]spine.User{
		"space":    {{Name: "wisp a", Hash: good.Hash}},
		"wildcard": {{Name: "*", Hash: good.Hash}},
		"internal": {{Name: "_crinale", Hash: good.Hash}},
		"empty":    {{Name: "", Hash: good.Hash}},
		"twice":    {good, good},
		"no hash":  {{Name: "a", Hash: "secret"}},
		"filter":   {{Name: "a", Hash: good.Hash, Read: []string{"crinale/>"}}},
		"inner #":  {{Name: "a", Hash: good.Hash, Read: []string{"crinale/#/x"}}},
		"bare #":   {{Name: "a", Hash: good.Hash, Read: []string{"#"}}},
	} {
		if err := s.SetPartners(us); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
