package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// office is a protocol system: it gives each emergency number one official
// number, and may be cut off after it has done so.
type office struct {
	given map[string]edge.Official
	cut   string // the emergency number at which the answer is lost once
	asked int
}

func (p *office) Find(_ context.Context, _, emergency string) (edge.Official, bool, error) {
	o, ok := p.given[emergency]
	return o, ok, nil
}

func (p *office) Assign(_ context.Context, _, emergency string, l edge.RegisterLine) (edge.Official, error) {
	p.asked++
	o := edge.Official{Number: fmt.Sprint(4180 + len(p.given)), Date: time.Now()}
	p.given[emergency] = o
	if p.cut == emergency {
		p.cut = ""
		return edge.Official{}, errors.New("the line was cut")
	}
	return o, nil
}

func TestRegisterFromInterruptionToClose(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		p := &office{given: map[string]edge.Official{}, cut: "RE-CARAVINO-0002"}
		c := quick(dir)
		b := opened(t, c, Deps{Protocol: p}).Books()
		r := must(b.Open("CARAVINO", "dott. Bruni", "ponte radio caduto", time.Now().Add(-time.Hour)))
		if want := "CARAVINO-2000-RE01"; r.ID != want {
			t.Errorf("it is called %s, want %s", r.ID, want)
		}
		if _, err := b.Open("CARAVINO", "Anna", "x", time.Now()); fault.Of(err) != fault.Conflict {
			t.Errorf("two are open: %v", err)
		}
		for i := range 3 {
			if l := must(b.Line(r.ID, "Anna", edge.In, "Rossi", "domanda", "")); l.Number != i+1 || !l.Date.Equal(time.Now()) {
				t.Errorf("line %+v", l)
			}
			time.Sleep(time.Minute)
		}
		if err := b.Reconcile(t.Context(), r.ID, "Anna"); fault.Of(err) != fault.Conflict {
			t.Errorf("reconciled before the end: %v", err)
		}
		if err := errors.Join(b.Annul(r.ID, "Anna", 3, "doppia"), b.Authorise(r.ID, "dott. Bruni", "determina 1", time.Now().Add(48*time.Hour)), b.Restore(r.ID, "Anna", time.Now())); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Line(r.ID, "Anna", edge.In, "x", "y", ""); fault.Of(err) != fault.Conflict {
			t.Errorf("a line after the end: %v", err)
		}
		if err := b.Reconcile(t.Context(), r.ID, "Anna"); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Fatalf("cut off at line 2: %v", err)
		}
		if err := b.Close(r.ID, "Anna"); fault.Of(err) != fault.Conflict {
			t.Errorf("closed with lines open: %v", err)
		}
		if err := b.Reconcile(t.Context(), r.ID, "Anna"); err != nil {
			t.Fatal(err)
		}
		if p.asked != 3 || len(p.given) != 3 {
			t.Errorf("%d official numbers for 3 lines", p.asked)
		}
		if err := b.Close(r.ID, "Anna"); err != nil {
			t.Fatal(err)
		}
		r = must(b.Get(r.ID))
		for i, l := range r.Lines {
			if l.Number != i+1 || l.Official.Number != fmt.Sprint(4180+i) || l.Official.ByHand {
				t.Errorf("%+v", l)
			}
		}
		// Numbers go on in the next one, and what a person typed is marked.
		next := must(b.Open("CARAVINO", "Anna", "di nuovo", time.Now()))
		if l := must(b.Line(next.ID, "Anna", edge.Out, "Verdi", "risposta", strings.Repeat("0", 64))); l.Number != 4 {
			t.Errorf("line %d of the next register", l.Number)
		}
		if err := errors.Join(b.Restore(next.ID, "Anna", time.Now()), b.Number(next.ID, "Anna", 4, "5000", time.Now())); err != nil {
			t.Fatal(err)
		}
		if next = must(b.Get(next.ID)); !next.Lines[0].Official.ByHand || next.ID != "CARAVINO-2000-RE02" {
			t.Errorf("%+v", next)
		}
		must(b.Open("BERGOLO", "Anna", "x", time.Now()))
		if len(must(b.List("CARAVINO"))) != 2 || len(must(b.List(""))) != 3 {
			t.Error("registers are not listed")
		}
	})
}

func TestRegisterSurvivesARestart(t *testing.T) {
	c := quick(t.TempDir())
	q := opened(t, c, Deps{})
	id := must(q.Books().Open("CARAVINO", "Anna", "x", time.Now())).ID
	must(q.Books().Line(id, "Anna", edge.In, "x", "y", ""))
	head := must(q.Books().Get(id)).Head()
	q.Close()
	q = opened(t, c, Deps{})
	if r := must(q.Books().Get(id)); r.Head() != head {
		t.Error("it is another")
	}
	if err := q.Books().Reconcile(t.Context(), id, "Anna"); fault.Of(err) != fault.Refused {
		t.Errorf("without a protocol system: %v", err)
	}
	if _, err := q.Books().Get("X"); fault.Of(err) != fault.NotFound {
		t.Errorf("one that is not: %v", err)
	}
	if _, err := q.Books().Open("../x", "Anna", "x", time.Now()); fault.Of(err) != fault.Invalid {
		t.Errorf("a comune that is none: %v", err)
	}
}

// TestAStepAlteredInTheDatabaseIsNamed writes a line anew with a checksum that
// holds, as one would who has the disk.
func TestAStepAlteredInTheDatabaseIsNamed(t *testing.T) {
	q := opened(t, quick(t.TempDir()), Deps{})
	id := must(q.Books().Open("CARAVINO", "Anna", "x", time.Now())).ID
	for range 3 {
		must(q.Books().Line(id, "Anna", edge.In, "Rossi", "domanda", ""))
	}
	r := must(q.Books().Get(id))
	s := r.Steps[2]
	s.Subject = "altra domanda"
	if err := q.update(func(tx *bbolt.Tx) error { return store(tx, id, 2, s) }); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Books().Get(id); err == nil || !strings.Contains(err.Error(), "line RE-CARAVINO-0002 was altered") {
		t.Errorf("%v", err)
	}
	if _, err := q.Books().Line(id, "Anna", edge.In, "x", "y", ""); err == nil {
		t.Error("a line was put behind one that was altered")
	}
}
