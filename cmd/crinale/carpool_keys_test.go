package main

import (
	"slices"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/interop"
	cplpage "github.com/crinale/crinale/carpool/page"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
)

// What the page does with a key holds in the API, at once.
func TestOperatorsOfThePage(t *testing.T) {
	if s := wired(t); s.operators() != nil {
		t.Error("keys of an API that is not there")
	}
	s := wired(t, func(c *config) { c.Carpool.Interop.Operator = "passaggi.unione.example" })
	if err := s.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	ops := s.operators()
	const id = "covoit.valle.example"
	first, err := ops.Add(t.Context(), cplpage.Operator{ID: id, Name: "Covoit Valle", Scopes: []string{"search"}})
	if err != nil {
		t.Fatal(err)
	}
	second, err := ops.Rotate(t.Context(), id, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{first, second} {
		if op, err := s.outside.Operators.Verify(t.Context(), key); err != nil || op.ID != id || !slices.Equal(op.Scopes, []interop.Scope{interop.ScopeSearch}) {
			t.Errorf("%+v, %v", op, err)
		}
	}
	if err := ops.Revoke(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := s.outside.Operators.Verify(t.Context(), second); fault.Of(err) != fault.Denied {
		t.Errorf("after it was revoked: %v", err)
	}
	list, err := ops.List(t.Context())
	if err != nil || len(list) != 1 || !list[0].Revoked || list[0].Name != "Covoit Valle" || list[0].Scopes[0] != "search" {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := ops.Add(t.Context(), cplpage.Operator{ID: "x y", Name: "x", Scopes: []string{"search"}}); fault.Of(err) != fault.Invalid {
		t.Errorf("a name that is no domain: %v", err)
	}
}

// What staff does with a message that was given up stands in the audit log;
// what could not be done does not.
func TestGivenUpIsAudited(t *testing.T) {
	s := wired(t)
	if err := s.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	g := givenUp{s.outbox, s.audit}
	err := s.audit.Do(t.Context(), audit.Entry{Action: "test", Object: "x"}, func(tx *store.Tx) error {
		if err := s.outbox.Add(t.Context(), tx, outbox.Message{Queue: carpool.Queue, Key: "k-1", Body: []byte("{}")}); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), `UPDATE outbox_messages SET given_up = 1`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := g.List(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := g.Retry(t.Context(), list[0].ID); err != nil {
		t.Fatal(err)
	}
	for _, do := range []func() error{
		func() error { return g.Retry(t.Context(), list[0].ID) }, // it waits again
		func() error { return g.Drop(t.Context(), list[0].ID) },
	} {
		if err := do(); fault.Of(err) != fault.NotFound {
			t.Errorf("%v", err)
		}
	}
	err = s.audit.Do(t.Context(), audit.Entry{Action: "test", Object: "x"}, func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE outbox_messages SET given_up = 1`)
		return err
	})
	if err == nil {
		err = g.Drop(t.Context(), list[0].ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	lines, err := s.audit.List(t.Context(), audit.Query{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, l := range lines {
		if l.Object == list[0].ID {
			n[l.Action]++
		}
	}
	if n["carpool.message.retry"] != 1 || n["carpool.message.drop"] != 1 || len(n) != 2 {
		t.Errorf("%v", n)
	}
}
