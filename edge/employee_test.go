package edge

import (
	"net/http"
	"slices"
	"testing"
)

func TestTakeAuthor(t *testing.T) {
	for _, tt := range []struct {
		lines, left []string
		author      string
	}{
		{nil, nil, ""},
		{[]string{"a=1; b=2"}, []string{"a=1; b=2"}, ""},
		{[]string{"crinale_autore=X"}, nil, "X"},
		{[]string{"a=1; crinale_autore=X; b=2"}, []string{"a=1; b=2"}, "X"},
		{[]string{"crinale_autore=X; b=2"}, []string{"b=2"}, "X"},
		{[]string{"a=1", "b=2;crinale_autore=X"}, []string{"a=1", "b=2"}, "X"},
		{[]string{"crinale_autore=; a=1"}, []string{"a=1"}, ""},
		{[]string{" crinale_autore =X; crinale_autore=Y;a=1"}, []string{"a=1"}, "Y"},
		{[]string{"xcrinale_autore=X; crinale_autore2=Y"}, []string{"xcrinale_autore=X; crinale_autore2=Y"}, ""},
	} {
		h := http.Header{}
		if tt.lines != nil {
			h["Cookie"] = slices.Clone(tt.lines)
		}
		if got := TakeAuthor(h); got != tt.author || !slices.Equal(h["Cookie"], tt.left) {
			t.Errorf("%q: %q, left %q", tt.lines, got, h["Cookie"])
		}
	}
}

func FuzzTakeAuthor(f *testing.F) {
	f.Add("a=1; crinale_autore=X; b=2")
	f.Add("crinale_autore")
	f.Fuzz(func(t *testing.T, line string) {
		h := http.Header{"Cookie": {line}}
		TakeAuthor(h)
		if again := TakeAuthor(h); again != "" {
			t.Errorf("%q: %q is still there", line, again)
		}
	})
}
