package page

import (
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/territory"
)

func TestReadDate(t *testing.T) {
	for in, want := range map[string]string{
		"2026-11-23": "2026-11-23", "23/11/2026": "2026-11-23", "3/1/26": "2026-01-03", "23.11.2026": "2026-11-23", "29-02-2028": "2028-02-29",
		"": "", "ieri": "", "31/02/2026": "", "2026-13-01": "", "23/11": "", "23/11/2026/1": "", "-1/2/2026": "", "023/11/2026": "", "23/11/12026": "", "+3/+1/26": "",
	} {
		got, err := readDate(in)
		if (err == nil) != (want != "") || string(got) != want {
			t.Errorf("readDate(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestReadClock(t *testing.T) {
	for in, want := range map[string]string{
		"07:10": "07:10", "7:10": "07:10", "7.10": "07:10", "7,10": "07:10", "7": "07:00", "710": "07:10", "1930": "19:30", "ore 9": "09:00", "Ore 9:05": "09:05", "00:00": "00:00", "23:59": "23:59",
		"": "", "24:00": "", "7:60": "", "mattina": "", "7:": "", ":30": "", "-7:10": "", "123456": "", "07:10:00": "",
	} {
		got, err := readClock(in)
		if (err == nil) != (want != "") || string(got) != want {
			t.Errorf("readClock(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func FuzzReadDateAndClock(f *testing.F) {
	for _, s := range []string{"23/11/2026", "2026-11-23", "7.10", "ore 7", "1930", "a/b/c", "１２/１/２６"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := readDate(s); err == nil && d.Check() != nil {
			t.Errorf("readDate(%q) gives %q, which is no day", s, d)
		}
		if c, err := readClock(s); err == nil && c.Check() != nil {
			t.Errorf("readClock(%q) gives %q, which is no time", s, c)
		}
		if at, ok := readPosition(s); ok && !at.Valid() {
			t.Errorf("readPosition(%q) gives %v", s, at)
		}
	})
}

// What is tidied stays so, and holds nothing that breaks out of a line or turns
// it round.
func TestTidy(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		once := tidy(rapid.String().Draw(rt, "s"))
		if tidy(once) != once {
			rt.Fatalf("tidied twice %q becomes %q", once, tidy(once))
		}
		if strings.ContainsAny(once, "\x00\r\x1b\u202e\u2066") {
			rt.Fatalf("%q", once)
		}
	})
}

func TestFieldsAreKnown(t *testing.T) {
	v := &visit{}
	for what, given := range map[string]url.Values{
		"an unknown field": {"altro": {"x"}},
		"a field twice":    {"nome": {"x", "y"}},
	} {
		if _, err := v.fill(given, []string{"nome", "giorni…"}); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
	f, err := v.fill(url.Values{"nome": {" a\u202eb "}, "giorni": {"MO", "TU"}, "volta": {"0123456789abcdef"}}, []string{"nome", "giorni…", "volta"})
	if err != nil || f.raw("nome") != "ab" || len(f.all("giorni")) != 2 || f.once != "0123456789abcdef" || f.raw("volta") != "" {
		t.Errorf("%+v %v", f, err)
	}
}

func TestSentOnce(t *testing.T) {
	s := newSentForms()
	var ran atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			to, err := s.do("k", time.Now(), func() (string, error) { ran.Add(1); return "/there", nil })
			if to != "/there" || err != nil {
				t.Errorf("%q %v", to, err)
			}
		})
	}
	all.Wait()
	if ran.Load() != 1 {
		t.Errorf("done %d times", ran.Load())
	}
	fail := func() (string, error) { return "", errTest }
	if _, err := s.do("f", time.Now(), fail); err != errTest {
		t.Error(err)
	}
	if to, err := s.do("f", time.Now(), func() (string, error) { return "/again", nil }); to != "/again" || err != nil {
		t.Errorf("what failed cannot be tried again: %q %v", to, err)
	}
}

type testError string

func (e testError) Error() string { return string(e) }

const errTest = testError("no")

// A form that was sealed for one account, path or time opens for no other.
func TestSealedForms(t *testing.T) {
	seal, err := newSealer([]byte("another key of thirty-two bytes!"))
	if err != nil {
		t.Fatal(err)
	}
	box := seal.close([]byte("residente-1"), "per")
	if got, ok := seal.open(box, "per"); !ok || string(got) != "residente-1" {
		t.Errorf("%q %v", got, ok)
	}
	if strings.Contains(box, "residente") {
		t.Error("it can be read")
	}
	other, err := newSealer(nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, open := range map[string]func() ([]byte, bool){
		"another purpose": func() ([]byte, bool) { return seal.open(box, "modulo") },
		"another key":     func() ([]byte, bool) { return other.open(box, "per") },
		"a sign changed":  func() ([]byte, bool) { return seal.open(box[:len(box)-2]+"AA", "per") },
		"nothing":         func() ([]byte, bool) { return seal.open("", "per") },
		"no base64":       func() ([]byte, bool) { return seal.open("%%%", "per") },
	} {
		if b, ok := open(); ok {
			t.Errorf("%s opens: %q", what, b)
		}
	}
	if _, err := newSealer([]byte("short")); err == nil {
		t.Error("a short key was taken")
	}
}

func FuzzUnpack(f *testing.F) {
	seal, err := newSealer([]byte("another key of thirty-two bytes!"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("")
	f.Add(seal.close([]byte("not deflated"), "modulo"))
	f.Add(seal.close(nil, "per"))
	f.Fuzz(func(t *testing.T, s string) {
		if b, ok := seal.open(s, "modulo"); ok && string(b) != "not deflated" {
			t.Errorf("%q opens to %q", s, b)
		}
	})
}

func TestTypedPlaces(t *testing.T) {
	u := &territory.Union{Comuni: []territory.Comune{{ISTAT: "004021", Name: "Bergolo", Hall: geo.LonLat{Lon: 8.18, Lat: 44.55}}, {ISTAT: "004157", Name: "Niella Belbo", Hall: geo.LonLat{Lon: 8.08, Lat: 44.51}}},
		Places: []territory.Place{{Name: "Bergolo", Comune: "004021"}, {Name: "Valle", Comune: "004021", At: geo.LonLat{Lon: 8.1, Lat: 44.5}}, {Name: "Valle", Comune: "004157", At: geo.LonLat{Lon: 8.2, Lat: 44.6}}, {Name: "Sant’Eufemià", Comune: "004157"}}}
	u.Index()
	g := newGazetteer(u)
	for typed, want := range map[string]int{"bergolo": 1, " BERGOLO ": 1, "niella": 1, "Niella-Belbo": 1, "valle": 2, "Valle (Bergolo)": 1, "sant eufemia": 1, "SANT'EUFEMIA": 1, "Parigi": 0, "": 0, "be": 0, "44.55, 8.18": 1, "144, 8": 0} {
		if got := g.typed(typed, nil); len(got) != want {
			t.Errorf("%q: %v, want %d", typed, got, want)
		}
	}
}
