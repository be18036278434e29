package carpool_test

import (
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store/storetest"
)

// The list of meeting points is kept: a change is in it at once, and what a
// caller does to their list is in nobody else's.
func TestPlacesListedAnewAfterAChange(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	first, err := w.Places.List(t.Context(), "")
	if err != nil || len(first) == 0 {
		t.Fatalf("%d places, %v", len(first), err)
	}
	kept := first[0].Name
	first[0].Name = "somebody else's"
	added, err := w.Places.Put(t.Context(), carpool.By{Account: "office"}, carpool.Place{ID: "punto-nuovo", Comune: "004000", Name: "Punto nuovo",
		At: geo.LonLat{Lon: 8.1, Lat: 44.5}, Kind: carpool.BusStop})
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.Places.List(t.Context(), "")
	if err != nil || len(second) != len(first)+1 {
		t.Fatalf("after one more: %d of %d, %v", len(second), len(first), err)
	}
	names := map[string]bool{}
	for _, p := range second {
		names[p.Name] = true
	}
	if !names[kept] || !names[added.Name] || names["somebody else's"] {
		t.Errorf("the list holds %v", names)
	}
}
