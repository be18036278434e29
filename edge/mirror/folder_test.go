package mirror

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// parted is a shelf whose documents are of the group that their first folder
// names.
func parted(t *testing.T) *Mirror {
	files := map[string]string{}
	for _, g := range []string{"conti", "tecnico"} {
		for i := range 6 {
			files[fmt.Sprintf("%s/2026/%02d.txt", g, i)] = "atto " + g
		}
		files[g+"/indice.txt"] = "indice"
	}
	shelf := newShelf(files)
	for name := range files {
		group, _, _ := strings.Cut(name, "/")
		shelf.groups[name] = []string{group}
	}
	m, c := start(t, shelf)
	c.t = day.Add(time.Hour)
	copyOnce(t, m)
	return m
}

func TestFoldersAreOfTheirGroups(t *testing.T) {
	m := parted(t)
	conti := []string{"conti"}
	top, err := m.Folder(t.Context(), conti, "", 100)
	if err != nil || !slices.Equal(top.Folders, []string{"conti"}) || len(top.Documents) != 0 {
		t.Errorf("%+v, %v", top, err)
	}
	in, err := m.Folder(t.Context(), conti, "conti", 100)
	if err != nil || !slices.Equal(in.Folders, []string{"2026"}) || len(in.Documents) != 1 || in.Documents[0].Path != "conti/indice.txt" {
		t.Errorf("%+v, %v", in, err)
	}
	few, err := m.Folder(t.Context(), conti, "conti/2026", 4)
	if err != nil || len(few.Documents) != 4 || !few.More || few.Documents[0].Path != "conti/2026/00.txt" {
		t.Errorf("%+v, %v", few, err)
	}
	_, others := m.Folder(t.Context(), conti, "tecnico", 100)
	_, none := m.Folder(t.Context(), conti, "nothing", 100)
	if fault.Of(others) != fault.NotFound || fault.Of(none) != fault.NotFound {
		t.Errorf("another's folder: %v; one that is not there: %v", others, none)
	}
	if l, err := m.Folder(t.Context(), nil, "", 100); err != nil || len(l.Folders)+len(l.Documents) != 0 {
		t.Errorf("of no group: %+v, %v", l, err)
	}
	for limit := range 9 {
		hits, err := m.Recent(t.Context(), conti, limit)
		if err != nil || len(hits) != min(limit, 7) {
			t.Errorf("recent %d: %d, %v", limit, len(hits), err)
		}
		for _, h := range hits {
			if h.Path[:5] != "conti" {
				t.Errorf("recent: %s", h.Path)
			}
		}
	}
	if l := m.Last(); l.Documents != 14 || l.At.IsZero() {
		t.Errorf("last: %+v", l)
	}
}

// TestADamagedDocumentIsNotGiven: what was flipped on the disk is an error, not a
// document.
func TestADamagedDocumentIsNotGiven(t *testing.T) {
	m := parted(t)
	d, err := m.OpenDocument(t.Context(), []string{"conti"}, "conti/indice.txt")
	if err != nil {
		t.Fatal(err)
	}
	name := d.Name()
	d.Close()
	again, err := m.OpenDocument(t.Context(), []string{"conti"}, "conti/indice.txt") // not read whole again
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("indicf"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := m.OpenDocument(t.Context(), []string{"conti"}, "conti/indice.txt"); fault.Of(err) != fault.Internal {
		t.Errorf("%v", err)
	}
}

// TestTheIndexIsMadeAgainWithoutTheSource, and documents open meanwhile.
func TestTheIndexIsMadeAgainWithoutTheSource(t *testing.T) {
	m := parted(t)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(m.repo.path(indexForm)); err != nil {
		t.Fatal(err)
	}
	gone := newShelf(nil)
	gone.cut = errors.New("the link is down")
	again, err := New(m.cfg, Deps{Source: gone})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- again.Run(ctx) }()
	for again.Last().Documents == 0 || len(search(t, again, []string{"conti"}, "indice")) == 0 {
		if t.Context().Err() != nil {
			t.FailNow()
		}
		time.Sleep(time.Millisecond)
	}
	defer func() {
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	if got := search(t, again, []string{"conti"}, "indice"); !slices.Equal(got, []string{"conti/indice.txt"}) {
		t.Errorf("found %q", got)
	}
}

// TestProgressIsTold, up to the end, to whoever asked.
func TestProgressIsTold(t *testing.T) {
	m := parted(t)
	for what, do := range map[string]func(context.Context) error{
		"copy":   func(ctx context.Context) error { _, err := m.Copy(ctx); return err },
		"verify": func(ctx context.Context) error { _, err := m.Repo().Verify(ctx); return err },
		"restore": func(ctx context.Context) error {
			_, err := m.Repo().Restore(ctx, time.Time{}, nil, t.TempDir())
			return err
		},
	} {
		var last, of int
		if err := do(edge.WithProgress(t.Context(), func(done, total int) {
			if done < last {
				t.Errorf("%s: from %d back to %d", what, last, done)
			}
			last, of = done, total
		})); err != nil {
			t.Fatal(err)
		}
		if last == 0 || last != of {
			t.Errorf("%s: %d of %d", what, last, of)
		}
	}
}
