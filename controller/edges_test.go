package controller_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spine/spinetest"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// openEdges opens both registries on one broker, as the program does.
func openEdges(t *testing.T, db *store.DB, b controller.PartnerBroker) (*controller.Partners, *controller.Edges) {
	t.Helper()
	guests := controller.NewGuests(b)
	p := openPartners(t, db, guests.Of("partners"))
	n := partnersNet()
	n.Devices = []network.Device{{ID: "hall-bergolo"}}
	n.Index()
	e, err := controller.NewEdges(controller.EdgesDeps{Store: db, Audit: partnersLog(t, db), Network: n, Broker: guests.Of("edges")})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, n := range e.Now() {
		if r, ok := b.(*recorder); ok && r.hash(n.ID.User()) != "" {
			t.Errorf("%s is let in before it is admitted", n.ID)
		}
	}
	if err := e.Admit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p, e
}

func TestEdgesLifeOnBothDatabases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, broker := t.Context(), &recorder{}
		p, e := openEdges(t, db, broker)
		if _, err := p.Add(ctx, "wisp-a"); err != nil {
			t.Fatal(err)
		}
		l, err := e.Enrol(ctx, "bergolo", "hall-bergolo")
		if err != nil || l.User != "edge-bergolo" || bcrypt.CompareHashAndPassword([]byte(broker.hash(l.User)), []byte(l.Password)) != nil {
			t.Fatalf("%+v, %v", l, err)
		}
		if broker.hash("wisp-a") == "" {
			t.Error("enrolling an edge took the partner off the broker")
		}
		if _, err := p.Add(ctx, "wisp-b"); err != nil || broker.hash("edge-bergolo") == "" || len(broker.users) != 3 {
			t.Errorf("adding a partner took the edge off the broker: %v, %+v", err, broker.users)
		}
		select {
		case <-e.Changed():
		default:
			t.Error("nobody was told")
		}
		for name, err := range map[string]error{
			"twice":           second(e.Enrol(ctx, "bergolo", "hall-bergolo")),
			"no device":       second(e.Enrol(ctx, "other", "nowhere")),
			"partner as edge": second(p.Add(ctx, "edge-other")),
		} {
			if k := fault.Of(err); k != fault.Conflict && k != fault.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, id := range []controller.EdgeID{"", "a b", "A", "a/b", "#", "+", "-a", "a_b", controller.EdgeID(strings.Repeat("a", 59))} {
			if err := second(e.Enrol(ctx, id, "hall-bergolo")); fault.Of(err) != fault.Invalid {
				t.Errorf("%q: %v", id, err)
			}
		}

		for i, o := range [][2]string{{"tag", "albo"}, {"url", "https://Docs.Example/albo/è?x=è"}, {"prefix", "http://docs.example"}, {"all", ""}} {
			given, err := e.Order(ctx, "", controller.PurgeKind(o[0]), o[1])
			if err != nil || len(given) != 1 || given[0].Edge != "bergolo" || given[0].Seq != int64(i+1) || given[0].At.IsZero() {
				t.Fatalf("%v: %+v, %v", o, given, err)
			}
		}
		news := e.Now()
		if len(news) != 1 || news[0].Head != 4 || len(news[0].Orders) != 4 || news[0].Orders[1].What != "docs.example/albo/%C3%A8?x=%C3%A8" || news[0].Orders[2].What != "docs.example/" {
			t.Errorf("%+v", news)
		}
		for _, o := range [][2]string{{"tag", ""}, {"tag", "a b"}, {"all", "x"}, {"url", "docs.example/a"}, {"url", ""}, {"prefix", "ftp://a/b"}, {"url", "https://u:p@a/b"}, {"url", "https://a/" + strings.Repeat("x", 3000)}, {"url", "https://a/\x01"}, {"sideways", "x"}} {
			if _, err := e.Order(ctx, "", controller.PurgeKind(o[0]), o[1]); fault.Of(err) != fault.Invalid {
				t.Errorf("%v: %v", o, err)
			}
		}
		if _, err := e.Order(ctx, "stranger", controller.PurgeAll, ""); fault.Of(err) != fault.NotFound {
			t.Errorf("an edge that is not enrolled: %v", err)
		}
		list, err := e.List(ctx)
		if b, _ := json.Marshal(list); err != nil || len(list) != 1 || list[0].Orders != 4 || strings.Contains(string(b), "$2") {
			t.Errorf("%+v, %v", list, err)
		}

		// The count goes on over a removal, and what was missed is made good.
		if err := e.Remove(ctx, "bergolo"); err != nil || broker.hash("edge-bergolo") != "" || len(e.Now()) != 0 {
			t.Errorf("remove: %v", err)
		}
		if err := e.Remove(ctx, "bergolo"); fault.Of(err) != fault.NotFound {
			t.Errorf("remove twice: %v", err)
		}
		if given, err := e.Order(ctx, "", controller.PurgeAll, ""); err != nil || given == nil || len(given) != 0 {
			t.Errorf("an order to nobody: %+v, %v", given, err)
		}
		again, err := e.Enrol(ctx, "bergolo", "hall-bergolo")
		if n := e.Now(); err != nil || again.Password == l.Password || n[0].Head != 5 || n[0].Orders[4].Kind != controller.PurgeAll {
			t.Errorf("again: %v, %+v", err, n)
		}

		lines, err := partnersLog(t, db).List(ctx, audit.Query{Limit: 20})
		var told []string
		for _, l := range lines {
			told = append(told, fmt.Sprint(l.Action, " ", l.Object, " ", l.Detail))
		}
		if b, _ := json.Marshal(lines); err != nil || !strings.Contains(strings.Join(told, "\n"), "edge.order all map[kind:tag what:albo]\npartner.add wisp-b map[]\nedge.enrol bergolo map[device:hall-bergolo]") ||
			strings.Contains(string(b), l.Password) || strings.Contains(string(b), again.Password) {
			t.Errorf("audit %q, %v", told, err)
		}
		fresh := &recorder{}
		if _, e := openEdges(t, db, fresh); len(fresh.users) != 3 || e.Now()[0].Head != 5 {
			t.Errorf("after a restart the broker has %+v", fresh.users)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestOrdersAreKeptWithinBounds(t *testing.T) {
	_, e := openEdges(t, storetest.SQLite(t), &recorder{})
	if _, err := e.Enrol(t.Context(), "bergolo", "hall-bergolo"); err != nil {
		t.Fatal(err)
	}
	for i := range 205 {
		if _, err := e.Order(t.Context(), "bergolo", controller.PurgeTag, fmt.Sprint("t", i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := e.Now()[0]; n.Head != 205 || len(n.Orders) != 200 || n.Orders[0].Seq != 6 || n.Orders[199].Seq != 205 {
		t.Errorf("head %d, %d orders from %d", n.Head, len(n.Orders), n.Orders[0].Seq)
	}
}

// A list that the broker refuses spoils nothing of the other registry.
func TestGuestsKeepApart(t *testing.T) {
	broker := &recorder{}
	p, e := openEdges(t, storetest.SQLite(t), broker)
	broker.err = errors.New("no")
	if _, err := e.Enrol(t.Context(), "bergolo", "hall-bergolo"); err == nil || !strings.Contains(err.Error(), "the broker does not know yet") {
		t.Errorf("%v", err)
	}
	broker.err = nil
	if _, err := p.Add(t.Context(), "wisp-a"); err != nil || len(broker.users) != 1 {
		t.Errorf("%v, %+v", err, broker.users)
	}
}

// With the real broker: an edge reads its own two topics, and neither another's
// nor a partner's; a partner and a stranger read none of an edge.
func TestEdgesOnTheRealBroker(t *testing.T) {
	s := spinetest.Start(t, nil)
	p, e := openEdges(t, storetest.SQLite(t), s)
	in := spinetest.Internal(s)
	for _, topic := range []string{"edge/bergolo/way", "edge/bergolo/orders", "edge/bergolo/more", "edge/levice/way", "partners/wisp-a/sites/x", "status"} {
		if err := in.Pub(t, "-t", "crinale/v1/"+topic, "-r", "-q", "1", "-m", topic); err != nil {
			t.Fatal(err)
		}
	}
	edge, err := e.Enrol(t.Context(), "bergolo", "hall-bergolo")
	if err != nil {
		t.Fatal(err)
	}
	partner, err := p.Add(t.Context(), "wisp-a")
	if err != nil {
		t.Fatal(err)
	}
	as := func(user, password string) spinetest.Login {
		return spinetest.Login{Addr: s.MQTTAddr(), User: user, Password: password}
	}
	all := []string{"-t", "#", "-t", "crinale/v1/edge/#", "-t", "crinale/v1/edge/+/way", "-t", "crinale/v1/edge/levice/way", "-t", "crinale/v1/edge/bergolo/more", "-t", "crinale/v1/status", "-q", "1"}
	mine := append(all, "-t", "crinale/v1/edge/bergolo/way", "-t", "crinale/v1/edge/bergolo/orders")
	seen := 0
	for _, m := range as(edge.User, edge.Password).Sub(t, mine...).Until(t, "its own", func(spinetest.Msg) bool { seen++; return seen == 2 }) {
		if !strings.HasPrefix(m.Topic, "crinale/v1/edge/bergolo/") || m.Topic == "crinale/v1/edge/bergolo/more" {
			t.Errorf("the edge got %+v", m)
		}
	}
	sub := as(partner.User, partner.Password).Sub(t, append(mine, "-t", "crinale/v1/partners/wisp-a/#")...)
	seen = 0
	for _, m := range sub.Until(t, "the partner's own", func(spinetest.Msg) bool { seen++; return seen == 2 }) {
		if strings.Contains(m.Topic, "/edge/") {
			t.Errorf("a partner got %+v", m)
		}
	}
	if talk := as("edge-levice", edge.Password).Sub(t, mine...).Ended(t); talk == "" {
		t.Error("a stranger was let in")
	}
	// It may publish nothing: what is retained stays.
	_ = as(edge.User, edge.Password).Pub(t, "-t", "crinale/v1/edge/bergolo/way", "-r", "-q", "1", "-m", "forged")
	for _, m := range in.Sub(t, "-t", "crinale/v1/edge/bergolo/way", "-q", "1").Until(t, "what is retained", func(spinetest.Msg) bool { return true }) {
		if m.Payload != "edge/bergolo/way" {
			t.Errorf("an edge published %+v", m)
		}
	}
}
