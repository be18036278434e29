package login_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// cheap hashes, for tests that are not about their cost.
var cheap = login.HashCost{Passes: 1, MemoryKiB: 8}

const good = "ginepro sotto la neve 7"

var (
	admin      = login.Grant{Role: login.Admin, Scope: login.Union}
	technician = login.Grant{Role: login.Technician, Scope: login.Union}
	viewer     = login.Grant{Role: login.Viewer, Scope: login.Scope{Kind: login.OfComune, ID: "004132"}}
	office     = netip.MustParseAddr("192.0.2.10")
)

// world is a People with its log, and a clock that tests turn.
type world struct {
	*login.People
	log *audit.Log
	db  *store.DB
	now time.Time
}

// setAlias sets one in a transaction of its own.
func (w *world) setAlias(ctx context.Context, person, alias string) error {
	return w.db.Do(ctx, func(tx *store.Tx) error { return w.SetAlias(ctx, tx, person, alias) })
}

func newWorld(t testing.TB, db *store.DB, change func(*login.Config)) *world {
	t.Helper()
	w := &world{db: db, now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	var err error
	w.log, err = audit.New(audit.Config{}, audit.Deps{Store: db})
	if err == nil {
		err = w.log.Open(t.Context())
	}
	cfg := login.Default()
	cfg.Key = []byte("a key of exactly thirty-two byte")
	cfg.Hash = cheap
	if change != nil {
		change(&cfg)
	}
	if err == nil {
		w.People, err = login.New(cfg, login.Deps{Store: db, Audit: w.log, Now: func() time.Time { return w.now }})
	}
	if err == nil {
		err = w.Open(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// add makes an account with the password good.
func (w *world) add(t testing.TB, name string, grants ...login.Grant) {
	t.Helper()
	inv, err := w.Invite(t.Context(), name, grants)
	if err == nil {
		_, err = w.Accept(t.Context(), inv.Code, good)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// enter signs in and gives the device cookie.
func (w *world) enter(t testing.TB, r login.LoginRequest) login.LoginResult {
	t.Helper()
	res, err := w.Login(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func kind(t testing.TB, err error, want fault.Kind) {
	t.Helper()
	if err == nil || fault.Of(err) != want {
		t.Errorf("%v (%s); want %s", err, fault.Of(err), want)
	}
}

// actions in the log about an object, the newest first.
func (w *world) actions(t testing.TB, object string) string {
	t.Helper()
	lines, err := w.log.List(context.Background(), audit.Query{Object: object, Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, l := range lines {
		out = append(out, l.Action)
	}
	return strings.Join(out, " ")
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { test(t, newWorld(t, db, nil)) })
}

func TestInviteAcceptSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		inv, err := w.Invite(ctx, "tecnica", []login.Grant{technician})
		if err != nil {
			t.Fatal(err)
		}
		if inv.Person != "tecnica" || !inv.Until.Equal(w.now.Add(7*24*time.Hour)) || len(inv.Code) != 19 {
			t.Errorf("%+v", inv)
		}
		if p, err := w.Get(ctx, "tecnica"); err != nil || p.Active || p.InvitedUntil == nil || p.SignedIn != nil || len(p.Grants) != 1 {
			t.Errorf("%+v, %v", p, err)
		}
		req := login.LoginRequest{Name: " Tecnica ", Password: good, Source: office}
		if _, err := w.Login(ctx, req); err == nil {
			t.Error("signed in before the invitation was accepted")
		}
		_, err = w.Accept(ctx, inv.Code, "short")
		kind(t, err, fault.Invalid)
		typed := strings.ToUpper(strings.ReplaceAll(inv.Code, "-", "  "))
		if p, err := w.Accept(ctx, typed, good); err != nil || !p.Active || p.InvitedUntil != nil {
			t.Errorf("%+v, %v", p, err)
		}
		_, err = w.Accept(ctx, inv.Code, good)
		kind(t, err, fault.Denied)
		res := w.enter(t, req)
		if res.Person != "tecnica" || res.NeedsCode || res.Device == "" {
			t.Errorf("%+v", res)
		}
		id, err := w.Identity(ctx, res.Person)
		if err != nil || !id.May(login.ChangeNetwork) || id.May(login.ManagePeople) || id.Via != "session" {
			t.Errorf("%+v, %v", id, err)
		}
		if got, want := w.actions(t, "tecnica"), "login.ok person.accept login.refused person.invite"; got != want {
			t.Errorf("log: %s; want %s", got, want)
		}
		list, err := w.List(ctx)
		if err != nil || len(list) != 1 || list[0].SignedIn == nil || !list[0].SignedIn.Equal(w.now) {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestOneTextForAllRefusals(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, "tecnica", technician)
		w.add(t, "chiusa", viewer)
		if err := w.Lock(t.Context(), "chiusa"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Invite(t.Context(), "nuova", nil); err != nil {
			t.Fatal(err)
		}
		texts := map[string]bool{}
		for _, r := range []login.LoginRequest{
			{Name: "tecnica", Password: "wrong password"}, {Name: "nessuno", Password: good}, {Name: "chiusa", Password: good},
			{Name: "nuova", Password: ""}, {Name: "", Password: good}, {Name: "a'; --\x00\xff", Password: good}, {Name: strings.Repeat("n", 5000), Password: good},
			{Name: "tecnica", Password: strings.Repeat("p", 1<<20)},
		} {
			_, err := w.Login(t.Context(), r)
			kind(t, err, fault.Denied)
			if slow := (login.Slow{}); errors.As(err, &slow) {
				t.Fatalf("too slow already at %.20q", r.Name)
			}
			texts[err.Error()] = true
		}
		if len(texts) != 1 {
			t.Errorf("%d texts: %v", len(texts), texts)
		}
	})
}

func auditQuery(object string) audit.Query { return audit.Query{Object: object} }
