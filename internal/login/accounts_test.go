package login_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

func TestGrantsAreChecked(t *testing.T) {
	for _, s := range []string{"admin@union", "admin", "technician@union", "viewer@union", "viewer@comune:004132", "viewer@partner:langanet",
		"viewer@group:sindaci", "partner@partner:langanet", "police@comune:004132", "desk@union", "employee@group:anagrafe"} {
		g, err := login.ParseGrant(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
		}
		if back, err := login.ParseGrant(g.String()); err != nil || back != g {
			t.Errorf("%s reads back as %v, %v", s, back, err)
		}
	}
	for s, mend := range map[string]string{
		"": "roles are admin", "boss": "roles are admin", "Admin": "roles are admin", "admin@comune:004132": "only for union", "admin@union:x": "takes no name",
		"technician@comune:004132": "only for union", "technician@partner:x": "only for union", "partner@union": "only for partner", "partner@partner": "needs its name",
		"partner@partner:": "needs its name", "partner@partner:Langa Net": "needs its name", "viewer@comune:4132": "six digits", "viewer@comune:00413x": "six digits",
		"viewer@": "only for", "viewer@valley:x": "only for", "viewer@partner:" + strings.Repeat("x", 10000): "needs its name",
	} {
		_, err := login.ParseGrant(s)
		kind(t, err, fault.Invalid)
		if !strings.Contains(err.Error(), mend) || len(err.Error()) > 300 {
			t.Errorf("%.40s: %v", s, err)
		}
	}
}

func TestNamesAreChecked(t *testing.T) {
	for _, ok := range []string{"a", "tecnica", "anna.rossi", "wisp-1_b", strings.Repeat("a", 40)} {
		if err := login.CheckName(ok); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "Tecnica", ".a", "a.", "-a", "a b", "a/b", "à", "a\x00", strings.Repeat("a", 41), "program", "stranger", strings.Repeat("a", 1<<20)} {
		err := login.CheckName(bad)
		kind(t, err, fault.Invalid)
		if len(err.Error()) > 300 {
			t.Errorf("%d letters of error", len(err.Error()))
		}
	}
}

func TestLastAdminStays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.add(t, "prima", admin)
		if _, err := w.Invite(ctx, "invitata", []login.Grant{admin}); err != nil { // cannot sign in yet
			t.Fatal(err)
		}
		kind(t, w.Lock(ctx, "prima"), fault.Conflict)
		kind(t, w.Remove(ctx, "prima"), fault.Conflict)
		kind(t, w.Withdraw(ctx, "prima", admin), fault.Conflict)
		if p, err := w.Get(ctx, "prima"); err != nil || p.Locked || len(p.Grants) != 1 {
			t.Fatalf("%+v, %v", p, err)
		}
		w.add(t, "seconda", admin)
		if err := w.Lock(ctx, "prima"); err != nil {
			t.Error(err)
		}
		kind(t, w.Remove(ctx, "seconda"), fault.Conflict)
		if err := w.Remove(ctx, "invitata"); err != nil {
			t.Error(err)
		}
		if err := w.Unlock(ctx, "prima"); err != nil {
			t.Error(err)
		}
		if err := w.Remove(ctx, "seconda"); err != nil {
			t.Error(err)
		}
		if got := w.actions(t, "prima"); got != "person.unlock person.lock person.accept person.invite" {
			t.Errorf("log: %s", got)
		}
	})
}

func TestGrantAndWithdrawWorkAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.add(t, "anna")
		id, err := w.Identity(ctx, "anna")
		if err != nil || id.May(login.ReadNetwork) {
			t.Errorf("%+v, %v", id, err)
		}
		for range 2 { // a second time changes nothing
			if err := w.Grant(ctx, "anna", viewer); err != nil {
				t.Fatal(err)
			}
		}
		if id, err := w.Identity(ctx, "anna"); err != nil || len(id.Grants) != 1 || !id.MayIn(login.ReadNetwork, viewer.Scope) || id.MayIn(login.ReadNetwork, login.Scope{Kind: login.OfComune, ID: "004001"}) {
			t.Errorf("%+v, %v", id, err)
		}
		if err := w.Withdraw(ctx, "anna", viewer); err != nil {
			t.Error(err)
		}
		if id, err := w.Identity(ctx, "anna"); err != nil || id.May(login.ReadNetwork) {
			t.Errorf("%+v, %v", id, err)
		}
		kind(t, w.Withdraw(ctx, "anna", viewer), fault.NotFound)
		kind(t, w.Grant(ctx, "anna", login.Grant{Role: login.Partner, Scope: login.Union}), fault.Invalid)
		kind(t, w.Grant(ctx, "nessuno", viewer), fault.NotFound)
	})
}

func TestUnknownAccounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for name, call := range map[string]func(string) error{
			"get":      func(n string) error { _, err := w.Get(ctx, n); return err },
			"lock":     func(n string) error { return w.Lock(ctx, n) },
			"unlock":   func(n string) error { return w.Unlock(ctx, n) },
			"remove":   func(n string) error { return w.Remove(ctx, n) },
			"sessions": func(n string) error { return w.RevokeSessions(ctx, n) },
			"totp":     func(n string) error { return w.DropTOTP(ctx, n) },
			"recovery": func(n string) error { _, err := w.NewRecovery(ctx, n); return err },
			"password": func(n string) error { return w.SetPassword(ctx, n, good, good+"x") },
			"token": func(n string) error {
				_, err := w.AddToken(ctx, login.TokenRequest{Person: n, Name: "n", Rights: login.AllRights()})
				return err
			},
		} {
			for _, n := range []string{"nessuno", "", "a\x00b", "\xff", strings.Repeat("x", 1<<16)} {
				err := call(n)
				if err == nil || fault.Of(err) != fault.NotFound || len(err.Error()) > 300 {
					t.Errorf("%s of %.10q: %.200v", name, n, err)
				}
			}
		}
		_, err := w.Identity(ctx, "nessuno")
		kind(t, err, fault.Denied)
	})
}

func TestResetByInvitation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.add(t, "anna", viewer)
		commit(t, w, "a session", "anna")
		_, err := w.Invite(ctx, "anna", []login.Grant{admin})
		kind(t, err, fault.Conflict)
		lost, err := w.Invite(ctx, "anna", nil)
		if err != nil {
			t.Fatal(err)
		}
		inv, err := w.Invite(ctx, "anna", nil)
		if err != nil {
			t.Fatal(err)
		}
		w.enter(t, login.LoginRequest{Name: "anna", Password: good, Source: office}) // the old password till then
		_, err = w.Accept(ctx, lost.Code, "un'altra parola d'ordine")
		kind(t, err, fault.Denied)
		if _, err := w.Accept(ctx, inv.Code, "tre caprioli sul crinale"); err != nil {
			t.Fatal(err)
		}
		if _, found, err := w.FindCtx(ctx, "a session"); found || err != nil {
			t.Errorf("the session goes on: %v", err)
		}
		_, err = w.Login(ctx, login.LoginRequest{Name: "anna", Password: good, Source: office})
		kind(t, err, fault.Denied)
		w.enter(t, login.LoginRequest{Name: "anna", Password: "tre caprioli sul crinale", Source: office})
		if p, err := w.Get(ctx, "anna"); err != nil || len(p.Grants) != 1 || p.Grants[0] != viewer {
			t.Errorf("%+v, %v", p, err)
		}

		late, err := w.Invite(ctx, "anna", nil)
		if err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(7 * 24 * time.Hour)
		_, err = w.Accept(ctx, late.Code, good)
		kind(t, err, fault.Denied)
		if p, err := w.Get(ctx, "anna"); err != nil || p.InvitedUntil != nil {
			t.Errorf("%+v, %v", p, err)
		}
		locked, err := w.Invite(ctx, "anna", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Lock(ctx, "anna"); err != nil {
			t.Fatal(err)
		}
		_, err = w.Accept(ctx, locked.Code, good)
		kind(t, err, fault.Denied)
		_, err = w.Invite(ctx, "anna", nil)
		kind(t, err, fault.Conflict)
		for _, code := range []string{"", "x", strings.Repeat("0", 16), "0000-0000-0000-000é", strings.Repeat("0", 1<<20)} {
			_, err := w.Accept(ctx, code, good)
			kind(t, err, fault.Denied)
		}
	})
}

func TestLockEndsEverything(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.add(t, "anna", viewer)
		commit(t, w, "a session", "anna")
		tok, err := w.AddToken(ctx, login.TokenRequest{Person: "anna", Name: "script", Rights: []login.Right{login.ReadNetwork}})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Lock(ctx, "anna"); err != nil {
			t.Fatal(err)
		}
		_, err = w.Identity(ctx, "anna")
		kind(t, err, fault.Denied)
		_, err = w.ByToken(ctx, tok.Secret)
		kind(t, err, fault.Denied)
		_, err = w.Login(ctx, login.LoginRequest{Name: "anna", Password: good})
		kind(t, err, fault.Denied)
		if err := w.Unlock(ctx, "anna"); err != nil {
			t.Fatal(err)
		}
		if _, found, err := w.FindCtx(ctx, "a session"); found || err != nil {
			t.Errorf("the session came back: %v", err)
		}
		if _, err := w.ByToken(ctx, tok.Secret); err != nil {
			t.Error(err)
		}
		w.enter(t, login.LoginRequest{Name: "anna", Password: good})
	})
}

func TestSetPassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.add(t, "anna", viewer)
		commit(t, w, "a session", "anna")
		const next = "quattro noci nel cesto"
		kind(t, w.SetPassword(ctx, "anna", "wrong", next), fault.Denied)
		kind(t, w.SetPassword(ctx, "anna", good, "password123"), fault.Invalid)
		kind(t, w.SetPassword(ctx, "anna", good, good), fault.Invalid)
		if _, found, _ := w.FindCtx(ctx, "a session"); !found {
			t.Error("a change that was refused ended the session")
		}
		if err := w.SetPassword(ctx, "anna", good, next); err != nil {
			t.Fatal(err)
		}
		if _, found, err := w.FindCtx(ctx, "a session"); found || err != nil {
			t.Errorf("the session goes on: %v", err)
		}
		w.enter(t, login.LoginRequest{Name: "anna", Password: next})
		kind(t, w.CheckOwn(ctx, "anna", good), fault.Denied)
		if err := w.CheckOwn(ctx, "anna", next); err != nil {
			t.Error(err)
		}
	})
}

// The password of a screen left open cannot be guessed either.
func TestCheckOwnIsSlowed(t *testing.T) {
	w := newWorld(t, storeOf(t), nil)
	w.add(t, "anna", viewer)
	looked := w.Figures().Hashes
	for range 100 {
		kind(t, w.CheckOwn(t.Context(), "anna", "wrong"), fault.Denied)
	}
	if n := w.Figures().Hashes - looked; n != 10 {
		t.Errorf("%d looked at; 10 by the limit", n)
	}
	if n := strings.Count(w.actions(t, "anna"), "password.refused"); n != 10 {
		t.Errorf("%d in the log; each that was looked at is", n)
	}
	w.now = w.now.Add(time.Minute)
	if err := w.CheckOwn(t.Context(), "anna", good); err != nil {
		t.Error(err)
	}
}

func TestNewHashCostAtNextSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, "anna", viewer)
		dear := newWorld(t, w.db, func(c *login.Config) { c.Hash = login.HashCost{Passes: 2, MemoryKiB: 16} })
		for i, want := range []int64{2, 1} { // once to check and once to hash anew; then it is new
			before := dear.Figures().Hashes
			dear.enter(t, login.LoginRequest{Name: "anna", Password: good})
			if n := dear.Figures().Hashes - before; n != want {
				t.Errorf("sign-in %d: %d hashes; want %d", i+1, n, want)
			}
		}
		w.enter(t, login.LoginRequest{Name: "anna", Password: good})
	})
}

func TestConfig(t *testing.T) {
	db := storeOf(t)
	log, err := audit.New(audit.Config{}, audit.Deps{Store: db})
	if err != nil {
		t.Fatal(err)
	}
	ok := login.Default()
	ok.Key = make([]byte, login.KeySize)
	for name, change := range map[string]func(*login.Config){
		"key":      func(c *login.Config) { c.Key = c.Key[1:] },
		"no key":   func(c *login.Config) { c.Key = nil },
		"duration": func(c *login.Config) { c.InviteFor = -1 },
		"passes":   func(c *login.Config) { c.Hash.Passes = 0 },
		"memory":   func(c *login.Config) { c.Hash.MemoryKiB = 4 << 20 },
		"at once":  func(c *login.Config) { c.AtOnce = -1 },
		"limit":    func(c *login.Config) { c.Limits.Pair.Burst = 0 },
		"every":    func(c *login.Config) { c.Limits.All.Every = 0 },
	} {
		cfg := ok
		change(&cfg)
		_, err := login.New(cfg, login.Deps{Store: db, Audit: log})
		if err == nil || fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := login.New(login.Config{Key: ok.Key}, login.Deps{Store: db, Audit: log}); err != nil {
		t.Errorf("the defaults fill what is left out: %v", err)
	}
	if _, err := login.New(ok, login.Deps{Store: db}); err == nil {
		t.Error("without a log")
	}
}

// TestTypedNameIsNotTold: what was typed as a name may be a password, so no
// error says it, whatever failed.
func TestTypedNameIsNotTold(t *testing.T) {
	w := newWorld(t, storeOf(t), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.Login(ctx, login.LoginRequest{Name: "a password in the wrong field", Password: good, Source: office})
	if err == nil || strings.Contains(err.Error(), "wrong field") {
		t.Errorf("%v", err)
	}
}
