package edge

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
)

func TestCheckPath(t *testing.T) {
	for _, p := range []string{"a", "a/b.txt", "delibere/2026/n° 12.pdf", "perche\u0301", "perché", "..a", "a..", "a/...", "con", "a:b", " ", "日本"} {
		if err := CheckPath(p); err != nil {
			t.Error(err)
		}
	}
	for _, p := range []string{"", "/", "/etc/passwd", "..", "../a", "a/..", "a/../b", "./a", "a//b", "a/", "a\\b", "a\x00b", "a\xff", strings.Repeat("x", MaxPath+1)} {
		if err := CheckPath(p); fault.Of(err) != fault.Invalid || err == nil {
			t.Errorf("%.40q: %v", p, err)
		}
	}
}

func FuzzCheckPath(f *testing.F) {
	for _, s := range []string{"a/b", "../x", "a/./b", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if CheckPath(s) == nil && (!filepath.IsLocal(s) || filepath.Clean(s) != s) {
			t.Errorf("%q is taken", s)
		}
	})
}
