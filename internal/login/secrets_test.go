package login_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func storeOf(t testing.TB) *store.DB {
	t.Helper()
	return storetest.SQLite(t)
}

func rows(t testing.TB, db *store.DB, table string) (n int) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// dump is all that stands in the tables of accounts and log.
func dump(t testing.TB, w *world) string {
	t.Helper()
	var out bytes.Buffer
	for _, table := range []string{"login_person", "login_grant", "login_invite", "login_recovery", "login_known", "login_token", "login_session", "audit_line"} {
		err := w.db.View(t.Context(), func(tx *store.Tx) error {
			rs, err := tx.Query(t.Context(), `SELECT * FROM `+table)
			if err != nil {
				return err
			}
			defer rs.Close()
			cols, err := rs.Columns()
			if err != nil {
				return err
			}
			for rs.Next() {
				vals, to := make([]any, len(cols)), make([]any, len(cols))
				for i := range vals {
					to[i] = &vals[i]
				}
				if err := rs.Scan(to...); err != nil {
					return err
				}
				for _, v := range vals {
					if b, ok := v.([]byte); ok {
						v = string(b)
					}
					fmt.Fprintf(&out, "%v\n", v)
				}
			}
			return rs.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// Whoever reads the database, or a copy of it, can sign in as nobody.
func TestNoSecretIsStored(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.add(t, "anna", technician)
		secret, recovery := withApp(t, w, "anna")
		setup, err := w.StartTOTP(ctx, "anna")
		if err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Minute)
		code := appCode(secret, w.now)
		res := w.enter(t, login.LoginRequest{Name: "anna", Password: good, Code: code, Source: office})
		tok, err := w.AddToken(ctx, login.TokenRequest{Person: "anna", Name: "script", Rights: []login.Right{login.ReadNetwork}})
		if err != nil {
			t.Fatal(err)
		}
		inv, err := w.Invite(ctx, "anna", nil)
		if err != nil {
			t.Fatal(err)
		}
		commit(t, w, "the-token-of-a-session", "anna")
		if _, err := w.Login(ctx, login.LoginRequest{Name: "a password in the wrong field", Password: "x"}); err == nil {
			t.Error("let in")
		}
		all := dump(t, w)
		if !strings.Contains(all, "anna") || !strings.Contains(all, "login.ok") || !strings.Contains(all, "$argon2id$") {
			t.Fatalf("the dump misses what it should hold:\n%s", all)
		}
		for what, s := range map[string]string{
			"password": good, "secret of the app": setup.Secret, "code of the app": code, "secret of the app, raw": string(secret), "token": tok.Secret[len(tok.Secret)-32:],
			"invitation": inv.Code, "invitation without hyphens": strings.ReplaceAll(inv.Code, "-", ""), "recovery code": recovery[0],
			"recovery code without hyphen": strings.ReplaceAll(recovery[0], "-", ""), "device": res.Device, "session": "the-token-of-a-session", "what was typed as a name": "wrong field",
		} {
			if s == "" || strings.Contains(all, s) {
				t.Errorf("%s %q is stored as it is", what, s)
			}
		}
	})
}

// Every change has a line, with who did it and from where.
func TestLogOfSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, "anna", viewer)
		w.enter(t, login.LoginRequest{Name: "anna", Password: good, Source: office})
		if _, err := w.Login(t.Context(), login.LoginRequest{Name: "anna", Password: "wrong", Source: office}); err == nil {
			t.Error("let in")
		}
		lines, err := w.log.List(t.Context(), auditQuery("anna"))
		if err != nil || len(lines) < 2 {
			t.Fatalf("%v, %v", lines, err)
		}
		if no := lines[0]; no.Action != "login.refused" || no.Who != "stranger" || no.From != "192.0.2.10" || no.Via != "sign-in" || no.Detail["wrong"] != "password" {
			t.Errorf("%+v", no)
		}
		if in := lines[1]; in.Action != "login.ok" || in.Who != "anna" || in.From != "192.0.2.10" {
			t.Errorf("%+v", in)
		}
		if r, err := w.log.Verify(t.Context()); err != nil || !r.OK() {
			t.Errorf("%+v, %v", r.Problem, err)
		}
	})
}
