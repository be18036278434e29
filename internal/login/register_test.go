package login_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/store"
)

func (w *world) join(t testing.TB, alias string) login.Person {
	t.Helper()
	p, err := w.Register(t.Context(), login.Registration{Alias: alias, Password: good, Role: login.Resident, Source: office})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// own joins somebody and shows by a code that the alias is theirs.
func (w *world) own(t testing.TB, alias string) login.Person {
	t.Helper()
	p := w.join(t, alias)
	code, err := w.StartAlias(t.Context(), p.Name, alias, office)
	if err == nil {
		err = w.ConfirmAlias(t.Context(), p.Name, code)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRegisterAndSignInByAlias(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for _, c := range []struct{ alias, typed string }{
			{"Residente.12@Example.it", " residente.12@example.it "}, {"333 123 4567", "+39 333 1234567"}, {"0173 50 50 50", "0039-0173.505050"},
		} {
			p := w.own(t, c.alias)
			if !strings.HasPrefix(p.Name, "r-") || !p.Active || len(p.Grants) != 1 || p.Grants[0] != (login.Grant{Role: login.Resident, Scope: login.Union}) {
				t.Errorf("%+v", p)
			}
			for _, name := range []string{c.typed, p.Name} {
				if res := w.enter(t, login.LoginRequest{Name: name, Password: good, Source: office}); res.Person != p.Name {
					t.Errorf("%s is %s; want %s", name, res.Person, p.Name)
				}
			}
			_, err := w.Login(ctx, login.LoginRequest{Name: c.typed, Password: "another password 7", Source: office})
			kind(t, err, fault.Denied)
			if got, want := w.actions(t, p.Name), "login.refused login.ok login.ok person.alias-confirm person.alias-start person.register"; got != want {
				t.Errorf("log: %s; want %s", got, want)
			}
		}
		for _, bad := range []login.Registration{
			{Alias: "", Password: good, Role: login.Resident}, {Alias: "not an address", Password: good, Role: login.Resident},
			{Alias: "a@example.it", Password: "short", Role: login.Resident}, {Alias: "a@example.it", Password: good, Role: login.Admin},
			{Alias: "a@example.it", Password: good}, {Alias: "vecchia.quercia@example.it", Password: "vecchia.quercia1", Role: login.Resident},
			{Alias: "a@example.it\r\nBcc: b@example.it", Password: good, Role: login.Resident}, {Alias: "112", Password: good, Role: login.Resident},
		} {
			_, err := w.Register(ctx, bad)
			kind(t, err, fault.Invalid)
		}
	})
}

// A number may also be the name of an account that an admin made.
func TestNameGoesBeforeAlias(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, "3331234567", viewer)
		p := w.own(t, "3331234567")
		if res := w.enter(t, login.LoginRequest{Name: "3331234567", Password: good, Source: office}); res.Person != "3331234567" {
			t.Errorf("signed in as %s", res.Person)
		}
		if res := w.enter(t, login.LoginRequest{Name: "+393331234567", Password: good, Source: office}); res.Person != p.Name {
			t.Errorf("signed in as %s", res.Person)
		}
	})
}

// Whoever registers an alias that is taken gets the same answers as with one
// that is free, whatever they try next, and learns that it is taken only with
// the code that its owner alone receives.
func TestTakenAliasIsNotTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for _, c := range []struct{ kind, taken, free string }{
			{"mail", "residente.12@example.it", "residente.13@example.it"}, {"phone", "333 1234567", "333 1234568"},
		} {
			first := w.own(t, c.taken)
			if a, err := w.Aliases(ctx, first.Name); err != nil || len(a) != 1 || a[0] != (login.Alias{Kind: c.kind, Confirmed: true}) {
				t.Errorf("%v, %v", a, err)
			}
			const mine = "a stranger's own words 7"
			var seen [2]string
			for i, alias := range []string{c.taken, c.free} {
				p, err := w.Register(ctx, login.Registration{Alias: alias, Password: mine, Role: login.Resident, Source: office})
				if err != nil || !p.Active || len(p.Grants) != 1 {
					t.Fatalf("%s: %+v, %v", alias, p, err)
				}
				hashes := w.Figures().Hashes
				_, in := w.Login(ctx, login.LoginRequest{Name: alias, Password: mine, Source: netip.MustParseAddr("192.0.2.77")})
				kind(t, in, fault.Denied)
				had, err := w.Aliases(ctx, p.Name)
				if err != nil {
					t.Fatal(err)
				}
				code, start := w.StartAlias(ctx, p.Name, alias, office)
				wrong := w.ConfirmAlias(ctx, p.Name, "000000x")
				seen[i] = fmt.Sprint(in, w.Figures().Hashes-hashes, had, len(code), start, strings.ReplaceAll(fmt.Sprint(wrong), p.Name, "NAME"), w.actions(t, p.Name))
				if i == 0 {
					kind(t, w.ConfirmAlias(ctx, p.Name, code), fault.Conflict)
					kind(t, w.setAlias(ctx, p.Name, alias), fault.Conflict)
				}
			}
			if seen[0] != seen[1] {
				t.Errorf("a stranger tells them apart:\n%s\n%s", seen[0], seen[1])
			}
			if res := w.enter(t, login.LoginRequest{Name: c.taken, Password: good, Source: office}); res.Person != first.Name {
				t.Errorf("the alias signs in to %s", res.Person)
			}
		}
	})
}

// Nobody holds an alias by having written it down first: whoever brings the
// code gets it, and until then it signs nobody in.
func TestRegisteringFirstLocksNobodyOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for _, alias := range []string{"333 1234567", "0173 505050", "residente.12@example.it"} {
			squatter, owner := w.join(t, alias), w.join(t, alias)
			if _, err := w.StartAlias(ctx, squatter.Name, alias, office); err != nil {
				t.Fatal(err)
			}
			_, err := w.Login(ctx, login.LoginRequest{Name: alias, Password: good, Source: office})
			kind(t, err, fault.Denied)
			code, err := w.StartAlias(ctx, owner.Name, alias, office)
			if err == nil {
				err = w.ConfirmAlias(ctx, owner.Name, code[:3]+" "+code[3:])
			}
			if err != nil {
				t.Fatal(err)
			}
			if res := w.enter(t, login.LoginRequest{Name: alias, Password: good, Source: office}); res.Person != owner.Name {
				t.Errorf("signed in as %s", res.Person)
			}
			if a, err := w.Aliases(ctx, squatter.Name); err != nil || len(a) != 0 {
				t.Errorf("%v, %v", a, err)
			}
			kind(t, w.ConfirmAlias(ctx, owner.Name, code), fault.Denied) // spent
		}
	})
}

// An account that shows no alias ends after two days, and no other does.
func TestAccountsWithoutAliasAreSwept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.add(t, "marta", viewer)
		waits, owner := w.join(t, "a@example.it"), w.own(t, "b@example.it")
		other := w.own(t, "c@example.it")
		if err := w.DropAlias(ctx, other.Name, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := w.StartAlias(ctx, other.Name, "d@example.it", office); err != nil {
			t.Fatal(err)
		}
		names := func() string {
			people, err := w.List(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, p := range people {
				out = append(out, p.Name)
			}
			slices.Sort(out)
			return strings.Join(out, " ")
		}
		all := []string{"marta", waits.Name, owner.Name, other.Name}
		for _, c := range []struct {
			after time.Duration
			want  []string
		}{{47 * time.Hour, all}, {2 * time.Hour, []string{"marta", owner.Name, other.Name}}} {
			w.now = w.now.Add(c.after)
			commit(t, w, fmt.Sprint("sweep ", c.after), "")
			slices.Sort(c.want)
			if got := names(); got != strings.Join(c.want, " ") {
				t.Errorf("%s; want %s", got, c.want)
			}
		}
		lines, err := w.log.List(ctx, audit.Query{Limit: 1})
		if err != nil || len(lines) != 1 || lines[0].Action != "person.sweep" || lines[0].Who != audit.Program.Who {
			t.Errorf("%+v, %v", lines, err)
		}
	})
}

func TestAliasCodeRunsOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		p := w.join(t, "residente.12@example.it")
		code, err := w.StartAlias(ctx, p.Name, "residente.12@example.it", office)
		if err != nil || len(code) != 6 || strings.Trim(code, "0123456789") != "" {
			t.Fatalf("%q, %v", code, err)
		}
		wrong := "000000"
		if code == wrong {
			wrong = "111111"
		}
		for range 5 {
			kind(t, w.ConfirmAlias(ctx, p.Name, wrong), fault.Denied)
		}
		kind(t, w.ConfirmAlias(ctx, p.Name, code), fault.Denied) // tried too often
		code, err = w.StartAlias(ctx, p.Name, "residente.12@example.it", office)
		if err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(15 * time.Minute)
		kind(t, w.ConfirmAlias(ctx, p.Name, code), fault.Denied)
		kind(t, w.ConfirmAlias(ctx, "nobody", code), fault.Denied)
	})
}

func TestTooManyAccountsAndCodes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		made := 0
		var err error
		for ; made < 100; made++ {
			if _, err = w.Register(ctx, login.Registration{Alias: "a@example.it", Password: good, Role: login.Resident, Source: office}); err != nil {
				break
			}
		}
		if slow := (login.Slow{}); !errors.As(err, &slow) || fault.Of(err) != fault.Denied || made != login.DefaultLimits().Join.Burst {
			t.Errorf("%d accounts, then %v", made, err)
		}
		elsewhere := netip.MustParseAddr("2001:db8::1")
		p, err := w.Register(ctx, login.Registration{Alias: "b@example.it", Password: good, Role: login.Resident, Source: elsewhere})
		if err != nil {
			t.Fatal("another source:", err)
		}
		sent := 0
		for ; sent < 100; sent++ {
			if _, err = w.StartAlias(ctx, p.Name, "b@example.it", office); err != nil {
				break
			}
		}
		if slow := (login.Slow{}); !errors.As(err, &slow) || sent != login.DefaultLimits().Ask.Burst {
			t.Errorf("%d codes, then %v", sent, err)
		}
	})
}

// A stranger who asks for codes to somebody's alias, with as many accounts as
// they like, does not keep its owner from one; a crowd of strangers does not
// flood the owner's phone.
func TestCodesOfAStrangerLeaveTheOwnerTheirs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, limits := t.Context(), login.DefaultLimits()
		const alias = "333 1234567"
		account := func(from netip.Addr) string {
			p, err := w.Register(ctx, login.Registration{Alias: alias, Password: good, Role: login.Resident, Source: from})
			if err != nil {
				t.Fatal(err)
			}
			return p.Name
		}
		network := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, n}) }
		sent := 0
		for range 3 * limits.Ask.Burst {
			if _, err := w.StartAlias(ctx, account(network(1)), alias, network(1)); err == nil {
				sent++
			} else if slow := (login.Slow{}); !errors.As(err, &slow) {
				t.Fatal(err)
			}
		}
		if sent != limits.Ask.Burst {
			t.Errorf("a stranger had %d codes sent", sent)
		}
		owner := account(office)
		code, err := w.StartAlias(ctx, owner, alias, office)
		if err == nil {
			err = w.ConfirmAlias(ctx, owner, code)
		}
		if err != nil {
			t.Fatal("the owner:", err)
		}
		for n := byte(2); n < 40; n++ {
			if _, err := w.StartAlias(ctx, account(network(n)), alias, network(n)); err == nil {
				sent++
			}
		}
		if sent+1 != limits.Sent.Burst {
			t.Errorf("%d codes went to one phone at once", sent+1)
		}
		if res := w.enter(t, login.LoginRequest{Name: alias, Password: good, Source: office}); res.Person != owner {
			t.Errorf("the owner signs in as %q", res.Person)
		}
	})
}

// Nothing of an alias is in any table, the log included, and nothing at all of
// it after the account is gone.
func TestAliasStandsNowhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		p := w.join(t, "sentinella@example.it")
		if _, err := w.StartAlias(ctx, p.Name, "333 7654321", office); err != nil {
			t.Fatal(err)
		}
		if err := w.setAlias(ctx, p.Name, "0173 987654"); err != nil {
			t.Fatal(err)
		}
		kind(t, w.DropAlias(ctx, p.Name, "0173 111111"), fault.NotFound)
		lines, err := w.log.List(ctx, audit.Query{Limit: 500})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			for _, v := range append([]string{l.Object, l.Who}, values(l.Detail)...) {
				if strings.Contains(v, "sentinella") || strings.Contains(v, "7654321") || strings.Contains(v, "987654") {
					t.Errorf("log: %+v", l)
				}
			}
		}
		if w.db.Kind() == store.SQLite {
			for _, f := range []string{w.db.Name(), w.db.Name() + "-wal"} {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range []string{"sentinella", "3337654321", "0173987654"} {
					if strings.Contains(string(b), s) {
						t.Errorf("%s holds %s", f, s)
					}
				}
			}
		}
		if err := w.DropAlias(ctx, p.Name, "0173 987654"); err != nil {
			t.Error(err)
		}
		if err := w.Remove(ctx, p.Name); err != nil {
			t.Fatal(err)
		}
		if err := w.db.View(ctx, func(tx *store.Tx) error {
			var n, m int
			if err := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM login_alias), (SELECT count(*) FROM login_alias_code)`).Scan(&n, &m); err != nil {
				return err
			}
			if n+m != 0 {
				t.Errorf("%d aliases and %d codes are left", n, m)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		_, err = w.Login(ctx, login.LoginRequest{Name: "sentinella@example.it", Password: good, Source: office})
		kind(t, err, fault.Denied)
	})
}

func values(m map[string]string) []string {
	var out []string
	for _, v := range m {
		out = append(out, v)
	}
	return out
}
