package page_test

import (
	"net/url"
	"testing"
)

// FuzzTilePath asks for any tile: there is one, or there is none.
func FuzzTilePath(f *testing.F) {
	f.Add("11", "1070", "740.png")
	f.Add("0", "0", "0.png")
	f.Add("22", "-1", "..png")
	f.Add("9223372036854775808", "0x1", "1.PNG")
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, z, x, file string) {
		if z == "9" {
			t.Skip("the fake draws no tile of zoom 9")
		}
		rec := w.get("/tiles/rilievo/" + url.PathEscape(z) + "/" + url.PathEscape(x) + "/" + url.PathEscape(file))
		if rec.Code >= 500 {
			t.Errorf("%d for %q/%q/%q", rec.Code, z, x, file)
		}
	})
}
