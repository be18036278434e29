package spine

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/crypto/bcrypt"
)

func TestWhichSessionsAreSurplus(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	rec := func(id string, minutes int, clean bool) record {
		return record{session: session{ID: id, Clean: clean}, at: noon.Add(time.Duration(minutes) * time.Minute)}
	}
	away := []record{
		rec("wisp-a:1", 1, false), rec("wisp-a:4", 4, false), rec("wisp-a:2", 2, false), rec("wisp-a:3", 3, false),
		rec("wisp-b:1", 0, false), rec("wisp-b:x:y", 9, false), rec("gone:1", 9, false), rec("_crinale:x", 0, false),
		rec("wisp-a:killed", 9, true), rec("of-the-server", 0, true), rec(":", 9, false),
	}
	for _, c := range []struct {
		users []string
		kept  int
		want  string
	}{
		{[]string{"_crinale", "wisp-a", "wisp-b"}, 2, ": gone:1 wisp-a:1 wisp-a:2 wisp-a:killed"},
		{[]string{"_crinale", "wisp-a", "wisp-b"}, 1, ": gone:1 wisp-a:1 wisp-a:2 wisp-a:3 wisp-a:killed wisp-b:1"},
		{[]string{"_crinale", "wisp-a"}, 20, ": gone:1 wisp-a:killed wisp-b:1 wisp-b:x:y"},
		{nil, 20, "wisp-a:killed"}, // nobody has said who the users are: none is taken for gone
		{nil, 3, "wisp-a:1 wisp-a:killed"},
	} {
		var users map[string]bool
		for _, u := range c.users {
			if users == nil {
				users = map[string]bool{}
			}
			users[u] = true
		}
		var got []string
		for _, r := range surplus(slices.Clone(away), users, c.kept) {
			got = append(got, r.ID)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != c.want {
			t.Errorf("of %v, %d kept: dropped %v, want %s", c.users, c.kept, got, c.want)
		}
	}
}

// sweeping runs a broker that sweeps at once and keeps three sessions a user.
func sweeping(t *testing.T, dir string, said *lines, users ...User) (s *Spine, stop func()) {
	t.Helper()
	cfg := Default()
	cfg.Dir, cfg.MQTTAddr, cfg.MaxSessions = dir, "127.0.0.1:0", 3
	s, err := New(cfg, Deps{Log: slog.New(slog.NewTextHandler(said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.pause = time.Millisecond
	if err := s.SetPartners(users); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Ready()
	return s, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// kept are the ids of all sessions, and the number of their subscriptions.
func kept(t *testing.T, s *Spine) string {
	t.Helper()
	js, end, err := s.jetstream(s.srv)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	all, err := readSessions(t.Context(), js)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range all {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	msgs, err := js.Stream(t.Context(), messages)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(ids, msgs.CachedInfo().State.Consumers)
}

// A partner that comes with ever new client ids keeps its newest sessions only;
// one whose client is connected is never touched, however old, and counts from
// the moment its client goes. A partner that is revoked keeps none.
func TestSessionsOfNobodyAreSwept(t *testing.T) {
	hash := func(password string) string {
		h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		return string(h)
	}
	a := User{"wisp-a", hash("pw"), []string{"a/#"}}
	b := User{"wisp-b", hash("pw"), []string{"b/#"}}
	dir, said := t.TempDir(), &lines{}
	s, stop := sweeping(t, dir, said, a, b)
	var lost atomic.Int32
	come := func(user, id string) (c mqtt.Client, present bool) {
		t.Helper()
		c = mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + s.MQTTAddr()).SetUsername(user).SetPassword("pw").
			SetClientID(id).SetCleanSession(false).SetProtocolVersion(4).SetAutoReconnect(false).
			SetConnectionLostHandler(func(mqtt.Client, error) { lost.Add(1) }))
		tok := c.Connect()
		if !tok.WaitTimeout(limit) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
		return c, tok.(*mqtt.ConnectToken).SessionPresent()
	}
	got := make(chan string, 10)
	subscribe := func(c mqtt.Client, topic string) {
		t.Helper()
		tok := c.Subscribe(topic, 1, func(_ mqtt.Client, m mqtt.Message) { got <- string(m.Payload()) })
		if !tok.WaitTimeout(limit) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
	}
	leave := func(c mqtt.Client, session string) {
		t.Helper()
		c.Disconnect(100)
		until(t, session+" is left", func() bool {
			s.front.mu.Lock()
			defer s.front.mu.Unlock()
			return s.front.held[session] == 0
		})
	}
	stay, _ := come("wisp-a", "s0")
	subscribe(stay, "a/x")
	other, _ := come("wisp-b", "noc")
	subscribe(other, "b/x")
	leave(other, "wisp-b:noc")
	for i := 1; i <= 6; i++ {
		c, present := come("wisp-a", fmt.Sprint("s", i))
		if present {
			t.Errorf("s%d: a session is there already", i)
		}
		subscribe(c, "a/x")
		leave(c, fmt.Sprint("wisp-a:s", i))
	}
	settles := func(want string) {
		t.Helper()
		for end := time.Now().Add(limit); kept(t, s) != want; {
			if time.Now().After(end) {
				t.Fatalf("kept %s, want %s\n%s", kept(t, s), want, said)
			}
			<-time.After(10 * time.Millisecond)
		}
	}
	settles("[wisp-a:s0 wisp-a:s4 wisp-a:s5 wisp-a:s6 wisp-b:noc] 5")

	// The one that stayed has lost nothing.
	in := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + s.MQTTAddr()).SetUsername(internalUser).SetPassword(s.password).SetProtocolVersion(4))
	if tok := in.Connect(); !tok.WaitTimeout(limit) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	if tok := in.Publish("a/x", 1, false, "here"); !tok.WaitTimeout(limit) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	in.Disconnect(100)
	select {
	case m := <-got:
		if m != "here" || lost.Load() != 0 {
			t.Errorf("got %q, %d connections lost", m, lost.Load())
		}
	case <-time.After(limit):
		t.Fatal("the message did not come")
	}

	// It was the first to come, and is the last to go.
	stay.Disconnect(100)
	settles("[wisp-a:s0 wisp-a:s5 wisp-a:s6 wisp-b:noc] 4")
	for id, want := range map[string]bool{"s0": true, "s6": true, "s1": false} {
		c, present := come("wisp-a", id)
		if present != want {
			t.Errorf("%s: session kept: %v", id, present)
		}
		leave(c, "wisp-a:"+id)
	}

	if err := s.SetPartners([]User{a}); err != nil {
		t.Fatal(err)
	}
	settles("[wisp-a:s0 wisp-a:s1 wisp-a:s6] 2") // s1 has come as a new one, and is subscribed to nothing
	until(t, "s1 to s5 of A, and the one of B, are counted", func() bool { return s.Figures().Swept == 6 })
	stop()
	if !strings.Contains(said.String(), "kept_per_user=3") {
		t.Errorf("log: %s", said)
	}

	// A user that went while nobody ran is swept at the next start.
	s, stop = sweeping(t, dir, said, b)
	settles("[] 0")
	stop()
}

// Whoever asks for a session in the moment in which it is dropped is asked to
// come again, and a session that is asked for is not dropped.
func TestSessionIsHeldOrDropped(t *testing.T) {
	f := newFront(usualBounds, "", "", newNames(""), func(string, ...any) {})
	here, past := net.Conn(&net.TCPConn{}), time.Now().Add(-time.Hour)
	f.conns[here] = true
	all := []record{{session: session{ID: "a:1"}}, {session: session{ID: "a:2"}}}
	if !f.hold("a:1") || f.claim("a:1", past) || len(f.away(all, past)) != 1 {
		t.Error("dropped while held")
	}
	if !f.hold("a:1") {
		t.Error("a second client may not ask")
	}
	f.release(nil, "a:1", true) // was not let in
	if f.claim("a:1", past) || len(f.left) != 0 {
		t.Error("dropped while the second holds it")
	}
	f.release(here, "a:1", true)
	if f.claim("a:1", past) {
		t.Error("dropped though its client was there since")
	}
	if f.away(nil, past); len(f.left) != 1 {
		t.Error("forgotten when it was left")
	}
	now := time.Now()
	if left := f.away(all, now); len(left) != 2 || !left[0].at.After(past) {
		t.Errorf("away %v", left)
	}
	if !f.claim("a:1", now) || f.hold("a:1") || !f.hold("a:2") || !f.hold("") {
		t.Error("held while it is dropped, or another is not")
	}
	f.unclaim("a:1")
	if !f.hold("a:1") || len(f.left) != 0 {
		t.Error("not free again")
	}
	if f.away(nil, now); len(f.left) != 0 {
		t.Errorf("remembered %v", f.left)
	}
}
