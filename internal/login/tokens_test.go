package login_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

func TestTokens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.add(t, "tecnica", technician)
		tok, err := w.AddToken(ctx, login.TokenRequest{Person: "tecnica", Name: " the script of the mast ", Rights: []login.Right{login.ReadNetwork, login.ReadMetrics, login.ReadNetwork}, Days: 30})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(tok.Secret, "crn_"+tok.ID+"_") || len(tok.Rights) != 2 || tok.Name != "the script of the mast" || !tok.Until.Equal(w.now.AddDate(0, 0, 30)) {
			t.Errorf("%+v", tok)
		}
		id, err := w.ByToken(ctx, tok.Secret)
		if err != nil || id.Person != "tecnica" || id.Via != "token:"+tok.ID {
			t.Fatalf("%+v, %v", id, err)
		}
		if !id.May(login.ReadNetwork) || !id.May(login.ReadMetrics) || id.May(login.ChangeNetwork) || id.May(login.ReadAudit) {
			t.Errorf("a token may more or less than it was given: %+v", id)
		}
		list, err := w.Tokens(ctx, "tecnica")
		if err != nil || len(list) != 1 || list[0].Used == nil || list[0].ID != tok.ID || len(list[0].Rights) != 2 {
			t.Errorf("%+v, %v", list, err)
		}
		// A right that the person loses, the token loses.
		if err := w.Withdraw(ctx, "tecnica", technician); err != nil {
			t.Fatal(err)
		}
		if id, err := w.ByToken(ctx, tok.Secret); err != nil || id.May(login.ReadNetwork) {
			t.Errorf("%+v, %v", id, err)
		}
		for _, bad := range []string{"", "crn_", tok.ID, tok.Secret[:len(tok.Secret)-1], tok.Secret + "0", strings.ToUpper(tok.Secret), "crn_" + tok.ID + "_" + strings.Repeat("0", 32), "crn_00000000_" + strings.Repeat("0", 32), strings.Repeat("a", 1<<20)} {
			_, err := w.ByToken(ctx, bad)
			kind(t, err, fault.Denied)
			if len(bad) > 4 && strings.Contains(err.Error(), bad) {
				t.Errorf("the secret is in the error: %v", err)
			}
		}
		w.now = w.now.AddDate(0, 0, 30)
		_, err = w.ByToken(ctx, tok.Secret)
		kind(t, err, fault.Denied)
		if !strings.Contains(err.Error(), "ran out on 2026-12-22") {
			t.Error(err)
		}
		kind(t, w.RevokeToken(ctx, "somebody", tok.ID), fault.NotFound)
		if err := w.RevokeToken(ctx, "tecnica", tok.ID); err != nil {
			t.Error(err)
		}
		kind(t, w.RevokeToken(ctx, "", tok.ID), fault.NotFound)
		if got := w.actions(t, "tecnica"); !strings.HasPrefix(got, "token.revoke person.withdraw token.add") {
			t.Errorf("log: %s", got)
		}
	})
}

func TestTokensThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.add(t, "anna", viewer)
		read := []login.Right{login.ReadNetwork}
		for _, c := range []struct {
			r    login.TokenRequest
			want fault.Kind
		}{
			{login.TokenRequest{Name: "n", Rights: []login.Right{login.ChangeNetwork}}, fault.Denied},
			{login.TokenRequest{Name: "n", Rights: []login.Right{"network.all"}}, fault.Invalid},
			{login.TokenRequest{Name: "n"}, fault.Invalid},
			{login.TokenRequest{Name: " ", Rights: read}, fault.Invalid},
			{login.TokenRequest{Name: strings.Repeat("n", 61), Rights: read}, fault.Invalid},
			{login.TokenRequest{Name: "a\x00", Rights: read}, fault.Invalid},
			{login.TokenRequest{Name: "n", Rights: read, Days: -1}, fault.Invalid},
			{login.TokenRequest{Name: "n", Rights: read, Days: 366}, fault.Invalid},
		} {
			c.r.Person = "anna"
			if _, err := w.AddToken(ctx, c.r); err == nil || fault.Of(err) != c.want {
				t.Errorf("%+v: %v; want %s", c.r, err, c.want)
			}
		}
		for range 50 {
			if _, err := w.AddToken(ctx, login.TokenRequest{Person: "anna", Name: "n", Rights: read}); err != nil {
				t.Fatal(err)
			}
		}
		_, err := w.AddToken(ctx, login.TokenRequest{Person: "anna", Name: "n", Rights: read})
		kind(t, err, fault.Conflict)
		all, err := w.Tokens(ctx, "")
		if err != nil || len(all) != 50 || !all[0].Until.Equal(w.now.Add(90*24*time.Hour)) {
			t.Errorf("%d, %v", len(all), err)
		}
		if err := w.Remove(ctx, "anna"); err != nil {
			t.Fatal(err)
		}
		if all, err := w.Tokens(ctx, ""); err != nil || len(all) != 0 {
			t.Errorf("%d tokens of nobody, %v", len(all), err)
		}
	})
}
