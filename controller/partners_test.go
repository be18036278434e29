package controller_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spine"
	"github.com/crinale/crinale/internal/spine/spinetest"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func partnersNet() *network.Network {
	n := &network.Network{
		Partners: []network.Partner{{ID: "wisp-a", Name: "Wisp A"}, {ID: "wisp-b", Name: "Wisp B"}},
		Links:    []network.Link{{ID: "l1", Partner: []network.PartnerID{"wisp-a"}}, {ID: "l2", Partner: []network.PartnerID{"wisp-a", "wisp-b"}}},
	}
	n.Index()
	return n
}

// recorder is a broker that only remembers.
type recorder struct {
	mu    sync.Mutex
	users []spine.User
	err   error
}

func (r *recorder) SetPartners(u []spine.User) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users = u
	return r.err
}

func (r *recorder) hash(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, u := range r.users {
		if u.Name == name {
			return u.Hash
		}
	}
	return ""
}

func partnersLog(t *testing.T, db *store.DB) *audit.Log {
	t.Helper()
	log, err := audit.New(audit.Config{}, audit.Deps{Store: db})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func openPartners(t *testing.T, db *store.DB, b controller.PartnerBroker) *controller.Partners {
	t.Helper()
	log := partnersLog(t, db)
	if err := log.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	p, err := controller.NewPartners(controller.PartnersDeps{Store: db, Audit: log, Network: partnersNet(), Broker: b})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPartnersLifeOnBothDatabases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, broker := t.Context(), &recorder{}
		p := openPartners(t, db, broker)
		login, err := p.Add(ctx, "wisp-a")
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^[A-Z2-7]{24,}$`).MatchString(login.Password) || login.User != "wisp-a" || login.Warning != "" {
			t.Errorf("login %+v", login)
		}
		if bcrypt.CompareHashAndPassword([]byte(broker.hash("wisp-a")), []byte(login.Password)) != nil {
			t.Error("the broker has another password")
		}
		if _, err := p.Add(ctx, "wisp-a"); fault.Of(err) != fault.Conflict {
			t.Errorf("added twice: %v", err)
		}
		stranger, err := p.Add(ctx, "wips-a")
		if err != nil || !strings.Contains(stranger.Warning, "not in the network files") {
			t.Errorf("stranger: %+v, %v", stranger, err)
		}
		second, err := p.Rotate(ctx, "wisp-a")
		if err != nil || second.Password == login.Password {
			t.Fatalf("rotate: %+v, %v", second, err)
		}
		for password, want := range map[string]bool{login.Password: false, second.Password: true, "": false, broker.hash("wisp-a"): false} {
			if ok, err := p.Verify(ctx, "wisp-a", password); ok != want || err != nil {
				t.Errorf("verify %q: %v, %v", password, ok, err)
			}
		}
		list, err := p.List(ctx)
		if err != nil || len(list) != 2 || list[0].ID != "wips-a" || list[1].Name != "Wisp A" || list[1].Links != 2 || list[1].Rotated.Before(list[1].Added) {
			t.Fatalf("list %+v, %v", list, err)
		}
		if b, _ := json.Marshal(list); strings.Contains(string(b), "$2") || strings.Contains(string(b), second.Password) {
			t.Errorf("the list tells secrets: %s", b)
		}

		// What was refused is not in the log, and no password is.
		lines, err := partnersLog(t, db).List(ctx, audit.Query{Limit: 10})
		var told []string
		for _, l := range lines {
			told = append(told, l.Action+" "+l.Object)
		}
		if b, _ := json.Marshal(lines); err != nil || strings.Join(told, ", ") != "partner.rotate wisp-a, partner.add wips-a, partner.add wisp-a" || strings.Contains(string(b), second.Password) {
			t.Errorf("audit %q, %v", told, err)
		}

		// A restart: the broker gets all of them again.
		fresh := &recorder{}
		p = openPartners(t, db, fresh)
		if fresh.hash("wisp-a") != broker.hash("wisp-a") || len(fresh.users) != 2 {
			t.Errorf("after a restart the broker has %+v", fresh.users)
		}
		if err := p.Revoke(ctx, "wisp-a"); err != nil || fresh.hash("wisp-a") != "" {
			t.Errorf("revoke: %v, broker %+v", err, fresh.users)
		}
		for doing, err := range map[string]error{
			"revoke": p.Revoke(ctx, "wisp-a"),
			"rotate": func() error { _, err := p.Rotate(ctx, "wisp-a"); return err }(),
		} {
			if fault.Of(err) != fault.NotFound || !strings.HasPrefix(err.Error(), doing+" partner wisp-a") {
				t.Errorf("%s of a stranger: %v", doing, err)
			}
		}
		if _, err := p.Add(ctx, "wisp-a"); err != nil {
			t.Errorf("add after revoke: %v", err)
		}
	})
}

func TestPartnerNames(t *testing.T) {
	p := openPartners(t, storetest.SQLite(t), &recorder{})
	for _, id := range []network.PartnerID{"", "wisp a", "Wisp", "wisp/a", "#", "+", "wisp.a", "_crinale", "caffè", "-a", "a-", "*", ">", "a\x00b", network.PartnerID(strings.Repeat("a", 64))} {
		_, add := p.Add(t.Context(), id)
		_, rotate := p.Rotate(t.Context(), id)
		for _, err := range []error{add, rotate, p.Revoke(t.Context(), id)} {
			if fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "is not a name: use a-z, 0-9 and -") {
				t.Errorf("%q: %v", id, err)
			}
		}
	}
}

func TestBrokerThatRefusesIsSaid(t *testing.T) {
	broker := &recorder{}
	p := openPartners(t, storetest.SQLite(t), broker)
	broker.err = errors.New("reload refused")
	if _, err := p.Add(t.Context(), "wisp-a"); err == nil || !strings.Contains(err.Error(), "written, but the broker does not know yet") {
		t.Errorf("got %v", err)
	}
}

func TestManyChangesAtOnceEndAlike(t *testing.T) {
	broker := &recorder{}
	p := openPartners(t, storetest.SQLite(t), broker)
	var wg sync.WaitGroup
	for i := range 12 {
		id := network.PartnerID("wisp-" + string(rune('a'+i)))
		wg.Go(func() {
			if _, err := p.Add(t.Context(), id); err != nil {
				t.Error(err)
			}
			if i%2 == 0 {
				if err := p.Revoke(t.Context(), id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	list, err := p.List(t.Context())
	if err != nil || len(list) != 6 || len(broker.users) != 6 {
		t.Errorf("%d in the store, %d on the broker, %v", len(list), len(broker.users), err)
	}
}

// With the real broker and a client of another make.
func TestPartnersOnTheRealBroker(t *testing.T) {
	s := spinetest.Start(t, nil)
	p := openPartners(t, storetest.SQLite(t), s)
	in := spinetest.Internal(s)
	const topic = "crinale/v1/partners/wisp-a/links/l1/state"
	if err := in.Pub(t, "-t", topic, "-r", "-q", "1", "-m", "up"); err != nil {
		t.Fatal(err)
	}
	a, err := p.Add(t.Context(), "wisp-a")
	if err != nil {
		t.Fatal(err)
	}
	login := spinetest.Login{Addr: s.MQTTAddr(), User: a.User, Password: a.Password}
	live := login.Sub(t, "-t", "crinale/v1/partners/wisp-a/#", "-q", "1")
	live.Until(t, "state", spinetest.Topic(topic))
	if _, err := p.Add(t.Context(), "wisp-b"); err != nil {
		t.Fatal(err)
	}
	if err := in.Pub(t, "-t", topic, "-q", "1", "-m", "still"); err != nil {
		t.Fatal(err)
	}
	if got := live.Until(t, "still", spinetest.Topic(topic)); len(got) != 1 {
		t.Errorf("adding B disturbed A: %v", got)
	}
	if err := p.Revoke(t.Context(), "wisp-a"); err != nil {
		t.Fatal(err)
	}
	if talk := live.Ended(t); talk == "" {
		t.Error("a revoked partner stays connected")
	}
}
