package spine_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/spine"
	"github.com/crinale/crinale/internal/spine/spinetest"
)

// numbered publishes 1..n into a tree and gives what must have come.
func numbered(t testing.TB, in spinetest.Login, topic string, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		pub(t, in, "-t", topic, "-q", "1", "-m", strconv.Itoa(i))
	}
}

func TestChangeOfUsersDropsNobodyElse(t *testing.T) {
	users := []spine.User{user(t, "wisp-a", "pa"), user(t, "wisp-b", "pb")}
	// Nothing may be sent again because an answer was slow: it would look as if
	// it came twice.
	s := spinetest.Start(t, func(c *spine.Config) { c.AckWait = spinetest.Limit }, users...)
	in := spinetest.Internal(s)
	login := func(name, password string) spinetest.Login {
		return spinetest.Login{Addr: s.MQTTAddr(), User: name, Password: password}
	}
	pub(t, in, "-t", treeA+"state", "-r", "-q", "1", "-m", "0")
	pub(t, in, "-t", treeB+"state", "-r", "-q", "1", "-m", "0")
	subA := login("wisp-a", "pa").Sub(t, "-t", treeA+"#", "-q", "1")
	subA.Until(t, "retained", spinetest.Topic(treeA+"state"))
	subB := login("wisp-b", "pb").Sub(t, "-t", treeB+"#", "-q", "1")
	subB.Until(t, "retained", spinetest.Topic(treeB+"state"))

	// Add many, one at a time, with messages in between; then rotate B.
	for i := range 20 {
		numbered(t, in, treeA+"state", i+1, i+1)
		users = append(users, user(t, fmt.Sprintf("wisp-more-%d", i), "p"))
		if err := s.SetPartners(users); err != nil {
			t.Fatal(err)
		}
	}
	users[1] = user(t, "wisp-b", "new")
	if err := s.SetPartners(users); err != nil {
		t.Fatal(err)
	}
	numbered(t, in, treeA+"state", 21, 25)
	next := 1
	for _, m := range subA.Until(t, "number 25", func(m spinetest.Msg) bool { return m.Payload == "25" }) {
		if m.Payload != strconv.Itoa(next) {
			t.Fatalf("A got %+v, want %d: one was lost or came twice", m, next)
		}
		next++
	}
	// mosquitto_sub reconnects by itself, is refused, and ends.
	if talk := subB.Ended(t); talk == "" {
		t.Error("the connection with B's old password lived on")
	}
	if talk := login("wisp-b", "pb").Sub(t, "-t", treeB+"#").Ended(t); talk == "" {
		t.Error("B's old password is still good")
	}
	newB := login("wisp-b", "new").Sub(t, "-t", treeB+"#", "-q", "1")
	newB.Until(t, "retained after rotation", spinetest.Topic(treeB+"state"))
	login("wisp-more-19", "p").Sub(t, "-t", "crinale/v1/partners/wisp-more-19/#")

	// Revoke B: its connection ends, A's does not.
	if err := s.SetPartners(append(users[:1:1], users[2:]...)); err != nil {
		t.Fatal(err)
	}
	if talk := newB.Ended(t); talk == "" {
		t.Error("the connection of a revoked partner lived on")
	}
	numbered(t, in, treeA+"state", 26, 26)
	if got := subA.Until(t, "number 26", spinetest.Topic(treeA+"state")); len(got) != 1 || got[0].Payload != "26" {
		t.Errorf("A got %v", got)
	}
	// What was retained stays, although users changed.
	kept := in.Sub(t, "-t", treeB+"#", "-q", "1").Until(t, "B's state", spinetest.Topic(treeB+"state"))
	if kept[0].Payload != "0" {
		t.Errorf("retained %v", kept)
	}
}

func TestManyPartnersAtOnce(t *testing.T) {
	const n = 100
	var users []spine.User
	for i := range n {
		users = append(users, user(t, fmt.Sprintf("p%d", i), "p"))
	}
	s := spinetest.Start(t, nil, users...)
	begun := time.Now()
	if err := s.SetPartners(users[:n-1]); err != nil {
		t.Fatal(err)
	}
	t.Logf("reload with %d partners: %s", n-1, time.Since(begun))
	in := spinetest.Internal(s)
	pub(t, in, "-t", "crinale/v1/partners/p7/x", "-r", "-m", "y")
	spinetest.Login{Addr: s.MQTTAddr(), User: "p7", Password: "p"}.Sub(t, "-t", "crinale/v1/partners/p7/#").
		Until(t, "its own", spinetest.Topic("crinale/v1/partners/p7/x"))
}
