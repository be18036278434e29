package strict

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/unit"
)

type mast struct {
	At      At
	ID      string             `yaml:"id,required"`
	HeightM unit.Metres        `yaml:"height_m"`
	Freq    unit.Opt[unit.MHz] `yaml:"freq_mhz"`
	Every   time.Duration      `yaml:"every"`
	On      bool               `yaml:"on"`
	Count   int                `yaml:"count"`
	Names   []string           `yaml:"names"`
	Hidden  string
}

type file struct {
	Masts  []mast             `yaml:"masts"`
	Sizes  map[string]float64 `yaml:"sizes"`
	Single *mast              `yaml:"single"`
}

func TestReadsWhatIsWritten(t *testing.T) {
	var f file
	err := Decode("a.yaml", []byte(`
# a comment
masts:
  - {id: nord, height_m: 12.5, freq_mhz: 5600, every: 10s, on: true, count: 3, names: [a, 004018, "x y"]}
  - id: sud
    freq_mhz:
sizes: {a: 1, b: -2.5e3}
single: {id: solo}
`), &f)
	if err != nil {
		t.Fatal(err)
	}
	n := f.Masts[0]
	if n.ID != "nord" || n.HeightM != 12.5 || n.Freq.Or(0) != 5600 || n.Every != 10*time.Second || !n.On || n.Count != 3 {
		t.Errorf("got %+v", n)
	}
	if n.Names[1] != "004018" {
		t.Errorf("a text without quotes lost its zeros: %q", n.Names[1])
	}
	if f.Masts[1].Freq.Known() {
		t.Error("an empty value must stay unknown")
	}
	if f.Sizes["b"] != -2500 || f.Single.ID != "solo" {
		t.Errorf("got %+v", f)
	}
	if n.At.String() != "a.yaml:4" || f.Masts[1].At.LineOf("freq_mhz") != 6 || f.Masts[1].At.LineOf("height_m") != 5 || !n.At.Has("on") || n.At.Path != "masts[nord]" {
		t.Errorf("positions %v %+v", n.At, f.Masts[1].At)
	}
}

// Each case is a file and the lines that must be told, in order.
func TestTellsEveryProblemWithItsLine(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"unknown key", "masts:\n  - id: a\n    heigth_m: 3\n", []string{`a.yaml:3: masts[a].heigth_m: unknown key, did you mean height_m?`}},
		{"far key", "towers: 3\n", []string{`a.yaml:1: towers: unknown key; the keys here are masts, sizes, single`}},
		{"twice", "masts:\n  - id: a\n    id: b\n", []string{`a.yaml:3: masts[a].id: key written twice, first in line 2`}},
		{"all at once", "masts:\n  - id: a\n    height_m: 12 m\n    count: 1.5\n    on: yes\n    every: soon\n  - height_m: .inf\n",
			[]string{`:3: masts[a].height_m: want a plain number`, `:4: masts[a].count: want a whole number`, `:5: masts[a].on: want true or false, found "yes"`, `:6: masts[a].every: want a duration`, `:7: masts[2].height_m: want a plain number`, `:7: masts[2].id: missing: add the key id`}},
		{"quoted number", "masts: [{id: a, freq_mhz: \"5600\"}]\n", []string{`no unit and no quotes`}},
		{"hexadecimal", "masts: [{id: a, height_m: 0x10}]\n", []string{`want a plain number`}},
		{"list wanted", "masts: {id: a}\n", []string{`:1: masts: want a list here (lines that begin with -), found keys with values`}},
		{"keys wanted", "masts: [3]\n", []string{`:1: masts[1]: want the keys id, height_m`}},
		{"text wanted", "masts: [{id: [a]}]\n", []string{`want a text here, found a list`}},
		{"two documents", "sizes: {}\n---\nsizes: {}\n", []string{`:2: a second document begins here`}},
		{"not YAML", "masts:\n - id: a\n   b c: [\n", []string{`this is not YAML`}},
		{"tag", "masts: [{id: !!binary aGk=}]\n", []string{`the tag !!binary is not read`}},
		{"merge", "single: &x {id: a}\nmasts: [{<<: *x}]\n", []string{`merging with << is not read`, `masts[1].id: missing`}},
		{"key not a word", "? [a]\n: 3\n", []string{`a key must be a plain word`}},
		{"scalar root", "hello\n", []string{`want the keys masts`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f file
			err := Decode("a.yaml", []byte(c.in), &f)
			if fault.Of(err) != fault.Invalid || err == nil {
				t.Fatalf("want an invalid fault, got %v", err)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(c.want) {
				t.Fatalf("want %d problems, got:\n%v", len(c.want), err)
			}
			for i, w := range c.want {
				if !strings.Contains(lines[i], w) {
					t.Errorf("line %d: want %q in %q", i, w, lines[i])
				}
			}
		})
	}
}

func TestEmptyFilesChangeNothing(t *testing.T) {
	for _, in := range []string{"", "\n\n", "# only a comment\n", "---\n", "null\n"} {
		f := file{Sizes: map[string]float64{"a": 1}}
		if err := Decode("a.yaml", []byte(in), &f); err != nil || len(f.Sizes) != 1 {
			t.Errorf("%q: %v %+v", in, err, f)
		}
	}
}

func TestAliasesAreFollowedAndBombsAreNot(t *testing.T) {
	var f file
	if err := Decode("a.yaml", []byte("single: &x {id: a, height_m: 3}\nmasts: [*x, *x]\n"), &f); err != nil || f.Masts[1].HeightM != 3 {
		t.Errorf("alias: %v %+v", err, f)
	}
	bomb := "a: &a [[],[],[],[],[],[],[],[],[],[]]\n"
	for c := 'b'; c <= 'j'; c++ {
		p := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+p+",", 9) + "*" + p + "]\n"
	}
	var m map[string]tree
	if err := Decode("a.yaml", []byte(bomb), &m); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("bomb: %v", err)
	}
	if err := Decode("a.yaml", []byte("a: &a [*a]\n"), &m); err == nil {
		t.Error("an alias that holds itself was read")
	}
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	if err := Decode("a.yaml", []byte("a: "+deep), &m); err == nil || !strings.Contains(err.Error(), "deep") {
		t.Errorf("deep nesting: %.200v", err)
	}
}

// tree reads lists of lists and drops their words.
type tree []tree

func TestOnlyTheFirstProblemsArePrinted(t *testing.T) {
	var f file
	err := Decode("a.yaml", []byte("sizes:\n"+strings.Repeat("  k: x\n", 200)), &f)
	ps, ok := All(err)
	if !ok || len(ps) != 200 || strings.Count(err.Error(), "\n") != shown || !strings.Contains(err.Error(), "150 more") {
		t.Errorf("%d problems, text %d lines", len(ps), strings.Count(err.Error(), "\n"))
	}
}

func TestListJoinsAndSorts(t *testing.T) {
	var l List
	if l.Err() != nil {
		t.Error("an empty list is no error")
	}
	l.Add(Problem{File: "b.yaml", Line: 1, Text: "late"})
	l.Join("a.yaml", errors.New("read: broken"))
	l.Join("a.yaml", nil)
	at := At{File: "a.yaml", Line: 9, Path: "x", lines: map[string]int{"k": 12}}
	l.Add(at.Problem("k", "bad %d", 7))
	l.Add(at.Problem("", "whole"))
	want := "a.yaml:1: read: broken\na.yaml:9: x: whole\na.yaml:12: x.k: bad 7\nb.yaml:1: late"
	if got := l.Err().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"mombarcaro-nord", "mombarcaro-sud", "murazzano", "help", "history",
		"mikrotik-ccr", "mikrotik-lhg-xl-5-ac", "mikrotik-lhg-5-ac", "mikrotik-mantbox-15s"}
	for in, want := range map[string]string{
		"mombarcaro-nrod": "mombarcaro-nord", "murazano": "murazzano", "cortemilia": "", "murazzano": "", "": "",
		"hlep": "help", "hel": "help", "el": "", "elp": "help", "xyz": "", "tor": "",
		"mikrotik-lhg": "mikrotik-lhg-5-ac", "mikrotik-cc": "mikrotik-ccr", "mantbox": "mikrotik-mantbox-15s", "lhg-xl": "mikrotik-lhg-xl-5-ac",
		"mombarcaro": "mombarcaro-sud", "zano": "murazzano", "ubiquiti-airfiber": "",
	} {
		if got := Nearest(in, names); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", "masts:\n  - {id: a, height_m: 3}\n", "a: &a [*a]", "? {}\n: 1", "!!x y", "masts: [&a {<<: *a}]", "sizes: {a: 1e999}", "\xff\xfe", "---\n---\n", "single: {id: null}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v file
		if err := Decode("f.yaml", data, &v); err != nil {
			if ps, ok := All(err); !ok || len(ps) == 0 || ps[0].File != "f.yaml" || ps[0].Line < 0 {
				t.Errorf("an error without its place: %v", err)
			}
		}
	})
}
