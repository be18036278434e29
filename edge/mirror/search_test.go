package mirror

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

var town = []string{"town"}

func search(t *testing.T, m *Mirror, groups []string, query string) (got []string) {
	t.Helper()
	hits, err := m.Search(t.Context(), groups, query, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hits {
		got = append(got, h.Path)
	}
	return got
}

func flated(s string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	io.WriteString(z, s)
	z.Close()
	return b.String()
}

func pdf(dict, stream string) string {
	return "%PDF-1.4\n1 0 obj\n<< " + dict + " >>\nstream\n" + stream + "\nendstream\nendobj\n%%EOF"
}

func samples(t testing.TB) map[string]string {
	show := "BT /F1 12 Tf 72 700 Td (Piano ) Tj [(rego) -20 (latore) -300 (comunale \\(2026\\))] TJ ET"
	return map[string]string{
		"delibere/Mobilità.txt": "La città è più bella. Perché no? Impianto fotovoltaico.",
		"latin.csv":             "nome;via\nNicol\xf2;Castello",
		"pagina.html":           "<title>Avviso pubblico</title><script>segreto()</script><p>bando per gli <b>asi</b>li &egrave; aperto</p>",
		"nota.md":               "# Fotovoltaico\nriunione",
		"lettera.docx":          zipped(t, map[string]string{"word/document.xml": `<w:document xmlns:w="w"><w:p><w:r><w:t>proto</w:t></w:r><w:r><w:t>collo</w:t></w:r></w:p><w:p>fine</w:p></w:document>`}),
		"conti.xlsx":            zipped(t, map[string]string{"xl/sharedStrings.xml": `<sst><si><t>bilancio</t></si><si><t>spese</t></si></sst>`}),
		"verbale.odt":           zipped(t, map[string]string{"content.xml": `<o:body xmlns:o="o" xmlns:t="t"><t:p>giunta</t:p></o:body>`}),
		"foglio.ods":            zipped(t, map[string]string{"content.xml": `<b xmlns:t="t"><t:p>tributi</t:p></b>`}),
		"piano.pdf":             pdf("/Length 9", show),
		"flate.pdf":             pdf("/Filter /FlateDecode", flated(strings.ReplaceAll(show, "Piano", "Secondo"))),
		"cid.pdf":               pdf("/Encoding /Identity-H", show),
		"foto.jpg":              "piano",
		"broken.docx":           "piano",
	}
}

func TestTextIsFound(t *testing.T) {
	m, c := start(t, newShelf(samples(t)))
	c.t = day.Add(time.Hour)
	copyOnce(t, m)
	for query, want := range map[string][]string{
		"CITTA":              {"delibere/Mobilità.txt"},
		"citta\u0300 piu":    {"delibere/Mobilità.txt"},
		"mobilita":           {"delibere/Mobilità.txt"},
		"perché":             {"delibere/Mobilità.txt"},
		"nicolo":             {"latin.csv"},
		"asili":              nil, // the tag parts it, as it may a word
		"avviso":             {"pagina.html"},
		"segreto":            nil,
		"protocollo":         {"lettera.docx"},
		"bilancio spe":       {"conti.xlsx"},
		"bilancio spesse":    nil,
		"bilan spese":        nil, // only the last is a beginning
		"giunta":             {"verbale.odt"},
		"tributi":            {"foglio.ods"},
		"regolatore 2026":    {"flate.pdf", "piano.pdf"},
		"secondo":            {"flate.pdf"},
		"comunale":           {"flate.pdf", "piano.pdf"},
		"foto":               {"delibere/Mobilità.txt", "foto.jpg", "nota.md"},
		"cid":                {"cid.pdf"},
		"delibere":           {"delibere/Mobilità.txt"},
		"":                   nil,
		"!!! \x00\xff":       nil,
		"impianto foto":      {"delibere/Mobilità.txt"},
		"impianto\x00foto":   {"delibere/Mobilità.txt"},
		"riunione\x00town z": nil,
	} {
		got := search(t, m, town, query)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
	if got := search(t, m, town, "piano"); len(got) != 1 || got[0] != "piano.pdf" {
		t.Errorf("piano: %q", got)
	}
	if got := search(t, m, town, "foto"); got[0] != "foto.jpg" {
		t.Errorf("the name does not come first: %q", got)
	}
	hits, err := m.Search(t.Context(), town, "avviso", 1)
	if err != nil || len(hits) != 1 || hits[0].Title != "Avviso pubblico" || !hits[0].Fetched.Equal(c.t) || !hits[0].Modified.Equal(day) || !strings.Contains(hits[0].Snippet, "bando") {
		t.Errorf("%+v, %v", hits, err)
	}
	hits, err = m.Search(t.Context(), town, "cid", 1)
	if err != nil || len(hits) != 1 || hits[0].Note != notePDF {
		t.Errorf("%+v, %v", hits, err)
	}
	if _, err := m.Search(t.Context(), town, strings.Repeat("a ", 300), 1); fault.Of(err) != fault.Invalid {
		t.Errorf("a long query: %v", err)
	}
}

// What a caller gets must be what he would get if nobody else's documents were
// there at all: the same hits, in the same order.
func TestNoGroupSeesAnothers(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	names := []string{"anagrafe", "anag", "tributi", "polizia"}
	vocabulary := []string{"acqua", "acquedotto", "bilancio", "bando", "casa", "anagrafe", "tributi"}
	for round := range 4 {
		all := newShelf(map[string]string{})
		for i := range 60 {
			p := fmt.Sprintf("%s/%d.txt", vocabulary[rng.IntN(len(vocabulary))], i)
			var text []string
			for range rng.IntN(8) {
				text = append(text, vocabulary[rng.IntN(len(vocabulary))])
			}
			all.docs[p] = strings.Join(text, " ")
			all.groups[p] = nil
			for _, g := range names {
				if rng.IntN(3) == 0 {
					all.groups[p] = append(all.groups[p], g)
				}
			}
		}
		m, _ := start(t, all)
		copyOnce(t, m)
		if round%2 == 1 { // rights that are taken away are gone with the next run
			for p := range all.groups {
				if rng.IntN(2) == 0 {
					all.groups[p] = all.groups[p][:0:0]
				}
			}
			copyOnce(t, m)
		}
		for _, g := range names {
			alone := newShelf(map[string]string{})
			for p, s := range all.docs {
				if slices.Contains(all.groups[p], g) {
					alone.docs[p], alone.groups[p] = s, []string{g}
				}
			}
			only, _ := start(t, alone)
			copyOnce(t, only)
			for _, q := range append([]string{"a", "acq", "bando c", "b"}, vocabulary...) {
				x, err := m.Search(t.Context(), []string{g}, q, 7)
				y, err2 := only.Search(t.Context(), []string{g}, q, 7)
				if err != nil || err2 != nil || !reflect.DeepEqual(x, y) {
					t.Errorf("%s asks %q: %v, alone %v (%v, %v)", g, q, x, y, err, err2)
				}
			}
			for p := range all.docs {
				d, err := m.OpenDocument(t.Context(), []string{g}, p)
				if mine := slices.Contains(all.groups[p], g); mine != (err == nil) {
					t.Errorf("%s opens %q: %v", g, p, err)
				} else if err == nil {
					d.Close()
				} else {
					_, none := m.OpenDocument(t.Context(), []string{g}, "none")
					if strings.ReplaceAll(none.Error(), "none", p) != err.Error() || fault.Of(none) != fault.Of(err) {
						t.Errorf("not there: %v, not allowed: %v", none, err)
					}
				}
			}
		}
		for _, g := range [][]string{nil, {""}, {"\x00"}, {"anag\x00rafe"}, {"ana"}} {
			if got := search(t, m, g, "a"); len(got) != 0 {
				t.Errorf("%q finds %q", g, got)
			}
		}
	}
}

func TestBombsDoNotGoOff(t *testing.T) {
	deep := strings.Repeat("<a>", 100_000)
	lol := `<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><d>&b;</d>`
	many := map[string]string{}
	for i := range maxParts + 1 {
		many[fmt.Sprint("word/header", i, ".xml")] = "<a/>"
	}
	for name, doc := range map[string]string{
		"bomb.docx": zipped(t, map[string]string{"word/document.xml": "<a " + strings.Repeat(" ", maxPart+10) + "/>"}),
		"deep.docx": zipped(t, map[string]string{"word/document.xml": deep}),
		"lol.docx":  zipped(t, map[string]string{"word/document.xml": lol}),
		"many.docx": zipped(t, many),
		"cut.docx":  zipped(t, map[string]string{"word/document.xml": "<a>text</a>"})[:40],
	} {
		if got := extract(name, []byte(doc)); got.Note != noteBroken || len(got.Words) != 0 {
			t.Errorf("%s: %q, %d words", name, got.Note, len(got.Words))
		}
	}
	if got := extract("bomb.pdf", []byte(pdf("/Filter /FlateDecode", flated(strings.Repeat(" ", maxPart+10))))); got.Note != notePDF {
		t.Errorf("a PDF that grows: %q", got.Note)
	}
	if got := extract("a.txt", bytes.Repeat([]byte("x "), maxText)); len(got.Start) > maxStart {
		t.Errorf("%d bytes are kept", len(got.Start))
	}
}

func FuzzDocx(f *testing.F) {
	f.Add([]byte(samples(f)["lettera.docx"]))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"a.docx", "a.xlsx", "a.odt", "a.html", "a.txt"} {
			if got := extract(name, data); len(got.Start) > 2*maxStart || got.Note != "" && got.Words != nil {
				t.Errorf("%s: %+v", name, got)
			}
		}
	})
}

func FuzzPDF(f *testing.F) {
	for name, s := range samples(f) {
		if strings.HasSuffix(name, ".pdf") {
			f.Add([]byte(s))
		}
	}
	f.Add([]byte("%PDF-stream\n(\\"))
	f.Add([]byte("%PDF-stream\nBT<a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, ok := pdfText(data); ok && !letters(s) {
			t.Errorf("%q is taken for text", s)
		}
	})
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"acqua b", "\x00", "È", "ﬁ", strings.Repeat("a", 100)} {
		f.Add(s, "town")
	}
	shelf := newShelf(map[string]string{"a.txt": "acqua bando", "secret.txt": "acqua"})
	shelf.groups["secret.txt"] = []string{"other"}
	cfg := Default()
	cfg.Dir = f.TempDir()
	m, err := New(cfg, Deps{Source: shelf})
	if err != nil {
		f.Fatal(err)
	}
	if err := m.Open(); err != nil {
		f.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Copy(f.Context()); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, q, g string) {
		if g == "other" {
			return
		}
		hits, err := m.Search(t.Context(), []string{g}, q, 10)
		if err != nil && fault.Of(err) != fault.Invalid {
			t.Error(err)
		}
		for _, h := range hits {
			if h.Path != "a.txt" || g != "town" {
				t.Errorf("%q of %q finds %+v", q, g, h)
			}
		}
	})
}
