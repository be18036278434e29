package page

import (
	"fmt"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/audit"
)

// Who asks too often takes nothing from others, of whom many meet it in some row.
func TestNobodyPaysForAnothersSearches(t *testing.T) {
	s, now := newSearches(), time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	ask := func(from string) error {
		return s.take(audit.With(t.Context(), audit.Actor{From: from}), now, strangerSearches)
	}
	for n := range strangerSearches.Burst {
		if err := ask("192.0.2.7"); err != nil {
			t.Fatalf("search %d: %v", n, err)
		}
	}
	if ask("192.0.2.7") == nil {
		t.Fatal("one too many was let through")
	}
	for i := range 20_000 {
		from := fmt.Sprintf("10.0.%d.%d", i>>8, i&0xff)
		if err := ask(from); err != nil {
			t.Fatalf("%s: %v", from, err)
		}
	}
	if ask("192.0.2.7") == nil {
		t.Error("the others' searches freed the first")
	}
}
