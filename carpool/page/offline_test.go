package page_test

import (
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/web/browsertest"
)

// TestRidesWithoutANetwork: whoever looked at their rides once can read them
// when the server cannot be reached, and nothing of anybody else's.
func TestRidesWithoutANetwork(t *testing.T) {
	b := browsertest.Open(t)
	w := newWorld(t)
	driver, car := w.driver()
	w.offer(driver, car, "2026-11-25", "07:10")
	rider := w.resident()
	w.booked(rider, "2026-11-25")
	in := b.Keyboard(w.URL+"/entra?dopo=%2Fpassaggi%2Fmiei", browsertest.Way{}, step("#nome", rider.alias), step("#password", good), push("/entra"))
	if in.URL != w.URL+"/passaggi/miei" {
		t.Fatalf("sign in: %s: %s", in.URL, in.Text)
	}
	const kept = `(async () => {
		for (let i = 0; i < 200; i++) {
			if (await (await caches.open("passaggi-miei")).match("/passaggi/miei/copia")) return true;
			await new Promise((r) => setTimeout(r, 50));
		}
		return false;
	})()`
	if !browsertest.Eval[bool](b, w.URL+"/passaggi/miei", kept) {
		t.Fatal("no copy of the rides is kept")
	}
	w.down()
	const read = `document.querySelector("main").innerText`
	copied := plainText(browsertest.Eval[string](b, w.URL+"/passaggi/miei", read))
	for _, want := range []string{"07:10 Bergolo, municipio", "copia sul telefono", "112"} {
		if !strings.Contains(copied, want) {
			t.Errorf("without a network: no %q in %s", want, copied)
		}
	}
	if strings.Contains(copied, driver.name) {
		t.Errorf("the copy names the driver: %s", copied)
	}
	if other := plainText(browsertest.Eval[string](b, w.URL+"/passaggi/offerte", read)); strings.Contains(other, "07:10") || other == "" {
		t.Errorf("another page without a network: %q", other)
	}
}
