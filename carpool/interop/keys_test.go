package interop

import (
	"database/sql"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func TestOperators(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, newVillage(), func(c *Config) { c.Hosts = []string{"covoit.valle.example"} })
		status := func(key string, want int) {
			t.Helper()
			w.key["one"] = key
			w.ask("one", "GET", "/driver_journeys?"+near+onDay, nil).want(t, want, "")
		}
		first := w.key[friends]
		status(first, 200)
		for _, bad := range []string{first + "x", first[:len(first)-1], strings.ToUpper(first), "cov_", "cov__", "cov_x_y", strings.Repeat("a", 5000), first[:17] + w.key[others][17:]} {
			status(bad, 401)
		}
		if _, err := w.Operators.Add(t.Context(), Operator{ID: friends, Name: "x", Scopes: Scopes()}); fault.Of(err) != fault.Conflict {
			t.Errorf("added twice: %v", err)
		}
		second, err := w.Operators.Rotate(t.Context(), friends, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		status(first, 200)
		status(second.Key, 200)
		third, err := w.Operators.Rotate(t.Context(), friends, 0)
		if err != nil {
			t.Fatal(err)
		}
		status(first, 401)
		status(second.Key, 401)
		status(third.Key, 200)
		if err := w.Operators.Revoke(t.Context(), friends); err != nil {
			t.Fatal(err)
		}
		status(third.Key, 401)
		if err := w.Operators.Revoke(t.Context(), friends); fault.Of(err) != fault.NotFound {
			t.Errorf("revoked twice: %v", err)
		}
		if _, err := w.Operators.Rotate(t.Context(), friends, 0); fault.Of(err) != fault.NotFound {
			t.Errorf("a new key for a revoked one: %v", err)
		}
		back, err := w.Operators.Add(t.Context(), Operator{ID: friends, Name: "Di nuovo", Scopes: []Scope{ScopeBook}, Webhook: "https://covoit.valle.example/api"})
		if err != nil {
			t.Fatal(err)
		}
		status(back.Key, 401) // it may book, not search
		list, err := w.Operators.List(t.Context())
		if err != nil || len(list) != 2 || list[1].Name != "Di nuovo" || list[1].Revoked != nil || list[1].Webhook == "" || len(list[1].Scopes) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		if text, _ := json.Marshal(list); strings.Contains(string(text), "cov_") {
			t.Errorf("a key is listed: %s", text)
		}
		for action, n := range map[string]int{"carpool.operator.add": 3, "carpool.operator.rotate": 2, "carpool.operator.revoke": 1} {
			if got := w.lines(action); got != n {
				t.Errorf("%d lines of %s, want %d", got, action, n)
			}
		}
		w.noSecret(first, second.Key, third.Key, back.Key)
	})
}

// noSecret fails when a key stands in a table or in the log.
func (w *world) noSecret(keys ...string) {
	w.t.Helper()
	lines, err := w.log.List(w.t.Context(), audit.Query{Limit: 500})
	if err != nil {
		w.t.Fatal(err)
	}
	text, _ := json.Marshal(lines)
	all := string(text) + w.dump("SELECT id, operator || ' ' || hash || ' ' || sign FROM interop_keys") + w.dump("SELECT id, name || ' ' || webhook FROM interop_operators")
	for _, k := range keys {
		if secret := k[strings.LastIndex(k, "_")+1:]; strings.Contains(all, secret) {
			w.t.Errorf("a key's secret is kept")
		}
	}
}

func (w *world) dump(query string) string {
	w.t.Helper()
	var out strings.Builder
	err := w.db.View(w.t.Context(), func(tx *store.Tx) error {
		out.Reset()
		rows, err := tx.Query(w.t.Context(), query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var a, b sql.NullString
			if err := rows.Scan(&a, &b); err != nil {
				return err
			}
			out.WriteString(a.String + " " + b.String + "\n")
		}
		return rows.Err()
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.String()
}

func TestOperatorsRefuse(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), newVillage(), func(c *Config) { c.Hosts = []string{"covoit.valle.example", "127.0.0.1"} })
	good := Operator{ID: "nuovi.colle.example", Name: "Nuovi", Scopes: Scopes(), Webhook: "https://covoit.valle.example/api"}
	for name, spoil := range map[string]func(*Operator){
		"no domain":              func(o *Operator) { o.ID = "nuovi" },
		"big letters":            func(o *Operator) { o.ID = "Nuovi.example" },
		"a path":                 func(o *Operator) { o.ID = "nuovi.example/x" },
		"ourselves":              func(o *Operator) { o.ID = ours },
		"a long name":            func(o *Operator) { o.Name = strings.Repeat("n", 101) },
		"no scope":               func(o *Operator) { o.Scopes = nil },
		"unknown scope":          func(o *Operator) { o.Scopes = []Scope{"all"} },
		"http":                   func(o *Operator) { o.Webhook = "http://covoit.valle.example/api" },
		"another host":           func(o *Operator) { o.Webhook = "https://other.example/api" },
		"a host that ends so":    func(o *Operator) { o.Webhook = "https://evil.covoit.valle.example/api" },
		"a name and password":    func(o *Operator) { o.Webhook = "https://covoit.valle.example@evil.example/api" },
		"a query":                func(o *Operator) { o.Webhook = "https://covoit.valle.example/api?x=1" },
		"an address":             func(o *Operator) { o.Webhook = "https://127.0.0.1/api" },
		"an address as a number": func(o *Operator) { o.Webhook = "https://2130706433/api" },
		"a file":                 func(o *Operator) { o.Webhook = "file:///etc/passwd" },
	} {
		op := good
		spoil(&op)
		if _, err := w.Operators.Add(t.Context(), op); fault.Of(err) != fault.Invalid && fault.Of(err) != fault.Denied {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Operators.Add(t.Context(), good); err != nil {
		t.Error(err)
	}
	if _, err := w.Operators.Rotate(t.Context(), good.ID, -1); fault.Of(err) != fault.Invalid {
		t.Errorf("an old key until yesterday: %v", err)
	}
}

// Who asks too much is told how long to wait, and is let in again after it.
func TestLimits(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), newVillage(), func(c *Config) { c.Minute, c.Wrong, c.Messages, c.Bookings = 5, 3, 2, 2 })
	search := "/driver_journeys?" + near + onDay
	for range 5 {
		w.ask(friends, "GET", search, nil).want(t, 200, "")
	}
	got := w.ask(friends, "GET", search, nil)
	got.want(t, 429, "")
	if got.header.Get("Retry-After") != "12" || got.body != "" {
		t.Errorf("wait %s, body %q", got.header.Get("Retry-After"), got.body)
	}
	w.ask(others, "GET", search, nil).want(t, 200, "")
	w.now = w.now.Add(12 * time.Second)
	w.ask(friends, "GET", search, nil).want(t, 200, "")
	w.ask(friends, "GET", search, nil).want(t, 429, "")
	for range 3 {
		w.ask("cov_wrong_key", "GET", search, nil).want(t, 401, "")
	}
	w.ask("cov_wrong_key", "GET", search, nil).want(t, 429, "")
	w.ask(others, "GET", search, nil).want(t, 200, "") // one's own wrong keys do not shut out who has a good one
	w.now = w.now.Add(time.Hour)
	m := Message{From: User{ID: "o", Operator: friends, Alias: "O"}, To: User{ID: "autista", Operator: ours, Alias: "A"}, Message: "Ciao", Recipient: "DRIVER"}
	w.ask(friends, "POST", "/messages", m).want(t, 201, "")
	w.ask(friends, "POST", "/messages", m).want(t, 201, "")
	w.ask(friends, "POST", "/messages", m).want(t, 429, "")
	w.ask(friends, "POST", "/bookings", posted(1)).want(t, 201, "")
	w.ask(friends, "POST", "/bookings", posted(2)).want(t, 201, "")
	w.now = w.now.Add(time.Minute)
	w.ask(friends, "POST", "/bookings", posted(3)).want(t, 429, "")
	w.ask(friends, "GET", "/bookings/"+posted(2).ID, nil).want(t, 200, "")
}

// Ten thousand strangers do not fill the memory.
func TestLimitsBounded(t *testing.T) {
	l := newLimits()
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for i := range 3 * maxBuckets {
		l.take(strings.Repeat("x", i%7)+string(rune(i)), 1, time.Minute, now)
	}
	if len(l.buckets) > maxBuckets {
		t.Errorf("%d buckets", len(l.buckets))
	}
}

func TestNames(t *testing.T) {
	n := names{[]byte("a secret of exactly thirty-two b")}
	a := n.seal("user", friends, "m-abc")
	if a != n.seal("user", friends, "m-abc") || len(a) > 100 {
		t.Errorf("the same member has two names, or a long one: %s", a)
	}
	if got, ok := n.open("user", friends, a, 1); !ok || got[0] != "m-abc" {
		t.Errorf("got %v", got)
	}
	for _, other := range []string{n.seal("user", others, "m-abc"), n.seal("ride", friends, "m-abc"), n.seal("user", friends, "m-abd")} {
		if other == a {
			t.Error("another has the same name")
		}
	}
	for name, open := range map[string]func() ([]string, bool){
		"of another operator": func() ([]string, bool) { return n.open("user", others, a, 1) },
		"of another kind":     func() ([]string, bool) { return n.open("ride", friends, a, 1) },
		"of other parts":      func() ([]string, bool) { return n.open("user", friends, a, 2) },
		"changed":             func() ([]string, bool) { return n.open("user", friends, "A"+a[1:], 1) },
		"short":               func() ([]string, bool) { return n.open("user", friends, "AAAA", 1) },
		"not one":             func() ([]string, bool) { return n.open("user", friends, "m-abc", 1) },
		"with another secret": func() ([]string, bool) { return names{[]byte("other")}.open("user", friends, a, 1) },
	} {
		if got, ok := open(); ok {
			t.Errorf("%s: opened as %v", name, got)
		}
	}
}

func TestSecretIsKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		newWorld(t, db, newVillage(), nil)
		a, err := secretOf(t.Context(), db)
		if err != nil || len(a) != 32 {
			t.Fatal(len(a), err)
		}
		b, err := secretOf(t.Context(), db)
		if err != nil || string(a) != string(b) {
			t.Errorf("two secrets, %v", err)
		}
	})
}
