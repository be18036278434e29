package page

import (
	"slices"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/territory"
)

func testDeskNames() deskNames {
	at := func(lat, lon float64) geo.LonLat { return geo.LonLat{Lat: lat, Lon: lon} }
	return newDeskNames([]carpool.Place{
		{ID: "bergolo-piazza", Name: "Bergolo, piazza", At: at(44.547, 8.183)},
		{ID: "cortemilia-ospedale", Name: "Cortemilia, ospedale", At: at(44.578, 8.192)},
		{ID: "cortemilia-scuola", Name: "Cortemilia, scuola", At: at(44.579, 8.193)},
		{ID: "vecchia", Name: "Bergolo, stazione", At: at(44.5, 8.1), Closed: true},
	}, &territory.Union{
		Comuni: []territory.Comune{{ISTAT: "004017", Name: "Bergolo", Hall: at(44.5467, 8.18)}, {ISTAT: "004220", Name: "Serravalle Langhe", Hall: at(44.56, 8.05)}},
		Places: []territory.Place{{Name: "Serravalle", At: at(44.1, 8.1)}, {Name: "Niella Belbo", At: at(44.51, 8.08)}},
	})
}

func TestDeskNames(t *testing.T) {
	g := testDeskNames()
	for _, c := range []struct {
		text    string
		place   carpool.PlaceID
		address string
		rough   string
		choice  []string
		not     bool
	}{
		{text: "Bergolo, piazza", place: "bergolo-piazza"},
		{text: "BERGOLO  PIAZZA", place: "bergolo-piazza"},
		{text: "bergolo-piazza", place: "bergolo-piazza"},
		{text: "ospedale", place: "cortemilia-ospedale"},
		{text: "osp cort", place: "cortemilia-ospedale"},
		{text: "Cortemilia", choice: []string{"Cortemilia, ospedale", "Cortemilia, scuola"}},
		{text: "Bergolo, via Roma 3", address: "Bergolo, via Roma 3", rough: "Bergolo"},
		{text: "Bergolo, stazione", address: "Bergolo, stazione", rough: "Bergolo"}, // the point is closed
		{text: "cascina alta, Serravalle Langhe", address: "cascina alta, Serravalle Langhe", rough: "Serravalle Langhe"},
		{text: "via Niella Belbo 12, Niella Belbo", address: "via Niella Belbo 12, Niella Belbo", rough: "Niella Belbo"},
		{text: "cascina del bosco 44.5012, 8.1234", address: "cascina del bosco"},
		{text: "Bergolo, cascina (44.5012,8.1234)", address: "Bergolo, cascina"},
		{text: "44.5012, 8.1234", not: true}, // an address must be named
		{text: "cascina 99.9999, 8.1234", not: true},
		{text: "Atlantide", not: true},
		{text: "", not: true},
		{text: ",;", not: true},
	} {
		got, ok := g.find(c.text)
		if ok == c.not {
			t.Errorf("%q: found %v %+v", c.text, ok, got)
			continue
		}
		if got.spot.Place != c.place || got.spot.Address != c.address || got.rough != c.rough || !slices.Equal(got.choice, c.choice) {
			t.Errorf("%q: %+v", c.text, got)
		}
		if ok && len(c.choice) == 0 && !got.spot.At.Valid() {
			t.Errorf("%q lies nowhere: %+v", c.text, got)
		}
	}
}

func FuzzDeskNames(f *testing.F) {
	g := testDeskNames()
	for _, seed := range []string{"Bergolo, piazza", "x 44.5,8.1", "Bergolo 1e9.00, 8.000", "\xff", "İ", "niella belbo"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := g.find(text)
		if !ok && (got.spot != carpool.Spot{} || len(got.choice) > 0) {
			t.Fatalf("%q is not found and yet %+v", text, got)
		}
		if ok && len(got.choice) == 0 && (!got.spot.At.Valid() || got.spot.Private() == (got.spot.Address == "")) {
			t.Fatalf("%q: %+v", text, got)
		}
	})
}
