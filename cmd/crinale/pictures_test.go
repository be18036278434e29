package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/web/browsertest"
)

func picture(name string, width int) string { return fmt.Sprintf("%s-%d.png", name, width) }

// pageHas says whether a page answers 200 and holds a text.
func pageHas(t *testing.T, url, text string) bool {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return err == nil && res.StatusCode == http.StatusOK && strings.Contains(string(b), text)
}

// TestPicturesAreThere: each page has its picture at each width in docs/, and
// each is a PNG of some size.
func TestPicturesAreThere(t *testing.T) {
	for _, p := range slices.Concat(pages, staffPages) {
		for _, w := range browsertest.Widths {
			file := filepath.Join("../../docs/pictures", picture(p.picture, w))
			b, err := os.ReadFile(file)
			if err != nil || len(b) < 5000 || !strings.HasPrefix(string(b), "\x89PNG") {
				t.Errorf("%s is no picture: run go test ./cmd/crinale -run Browser -update (%v)", file, err)
			}
		}
	}
}
