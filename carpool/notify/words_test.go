package notify

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/crinale/crinale/carpool"
)

var show = flag.Bool("show", false, "print every message, to be read by a person")

// kinds are all that the portal tells, read from its source, so that none can
// be added without words.
func kinds(t *testing.T) []carpool.NoticeKind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../notice.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []carpool.NoticeKind
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := v.Type.(*ast.Ident); ok && name.Name == "NoticeKind" {
			s, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, carpool.NoticeKind(s))
		}
		return true
	})
	if len(out) < 20 {
		t.Fatalf("only %d kinds found", len(out))
	}
	return out
}

// renderer is a notifier that only writes.
func renderer(t *testing.T) *Notifier {
	t.Helper()
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	n := &Notifier{cfg: testConfig(), words: map[string]*catalog{}}
	n.cfg.Location = rome
	for _, lang := range Langs {
		if n.words[lang], err = readCatalog(lang); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// secret is what App IO must never get, and name a person's who writes what
// they like.
const secret = "Segretissimo"

// cases are notices of a kind in every shape.
func cases(kind carpool.NoticeKind, name string) map[string]carpool.NoticeView {
	out := map[string]carpool.NoticeView{}
	for _, by := range []string{"", "rider", "driver", "desk", "program"} {
		for _, shape := range []string{"rider", "driver", "trusted", "alarm", "bare", "wish", "door", "guardian", "bus", "bus home", "listed", "kept"} {
			v := accepted("n-1", person("m-1"))
			v.Notice.Kind = kind
			v.Notice.With = map[string]string{carpool.WithBy: by}
			v.Reach.First = name
			v.Trip.Other, v.Trip.Car, v.Trip.From, v.Trip.To = name, name, name, name
			v.Car, v.Until = name, "2026-12-05"
			switch shape {
			case "driver":
				v.Trip.Driver = true
			case "trusted":
				v.Trusted, v.For = true, name
			case "alarm":
				v.Trusted, v.For = true, name
				v.Notice.With[carpool.WithReason] = "alarm"
			case "bare":
				v.Trip, v.Car, v.Until = nil, "", ""
			case "wish":
				v.Trip.Window, v.Trip.Other, v.Trip.Phone, v.Trip.Car, v.Trip.State = true, "", "", "", ""
			case "door":
				v.Trip.From, v.Trip.FromDoor, v.Trip.FromAddress = "", true, secret
				v.Trip.Driver = true
			case "guardian":
				v.For = name
			case "kept":
				v.Notice.With[carpool.WithReason] = carpool.ReasonOfferChanged
			case "bus":
				v.Bus = &carpool.Bus{Line: name, From: name, Depart: v.Trip.Leave}
			case "bus home":
				v.Bus = &carpool.Bus{Line: name, From: name, Depart: v.Trip.Leave}
				v.Listed = &carpool.Listed{Name: name, Phone: "+390173765432", Hours: name}
			case "listed":
				v.Listed = &carpool.Listed{Name: name, Phone: "+390173765432", Hours: name}
			}
			out[shape+"/"+by] = v
		}
	}
	return out
}

func TestEveryKindHasWordsInEveryLanguage(t *testing.T) {
	n := renderer(t)
	for _, kind := range kinds(t) {
		for _, lang := range Langs {
			for shape, v := range cases(kind, "Residente") {
				v.Reach.Lang = lang
				x, err := n.text(v)
				if err != nil {
					t.Errorf("%s %s %s: %v", kind, lang, shape, err)
					continue
				}
				where := fmt.Sprintf("%s %s %s", kind, lang, shape)
				if l := units(x.Title); l < ioSubjectLeast || l > 90 {
					t.Errorf("%s: title of %d characters: %q", where, l, x.Title)
				}
				if l := units(x.Markdown); l < ioTextLeast || l > ioTextMost {
					t.Errorf("%s: text for App IO of %d characters: %q", where, l, x.Markdown)
				}
				if !FitsSMS(x.Short) || utf8.RuneCountInString(x.Short) < 20 {
					t.Errorf("%s: short message %q", where, x.Short)
				}
				if _, ok := gsmLength(x.Short); !ok {
					t.Errorf("%s: short message not of the alphabet: %q", where, x.Short)
				}
				for _, s := range []string{x.Title, x.Plain, x.Markdown, x.Short} {
					for _, bad := range []string{"<no value>", "{{", "}}", "  ", " .", " ,", "..", "\n\n\n", "%!", "()"} {
						if strings.Contains(s, bad) && !(bad == "  " && strings.Contains(s, "-- \n")) {
							t.Errorf("%s: %q in %q", where, bad, s)
						}
					}
				}
				if kind == carpool.NoticeListed && strings.HasPrefix(shape, "bus home") && (!strings.Contains(x.Short, "765432") || strings.Count(x.Plain, "Residente") < 3) {
					t.Errorf("%s: it does not say whom to call: %q %q", where, x.Short, x.Plain)
				}
				if strings.Contains(x.Plain, secret) || strings.Contains(x.HTML, secret) || strings.Contains(x.Short, secret) {
					t.Errorf("%s: an address left the house", where)
				}
			}
		}
	}
}

// The two languages must say the same things with the same facts.
func TestBothLanguagesHaveTheSameParts(t *testing.T) {
	n := renderer(t)
	it, en := n.words["it"], n.words["en"]
	for key := range it.common {
		if en.common[key] == nil {
			t.Errorf("common %s is not there in English", key)
		}
	}
	if len(it.common) != len(en.common) || len(it.kinds) != len(en.kinds) {
		t.Errorf("%d and %d common words, %d and %d kinds", len(it.common), len(en.common), len(it.kinds), len(en.kinds))
	}
	known := kinds(t)
	for kind, roles := range it.kinds {
		if !slices.Contains(known, kind) {
			t.Errorf("words for %s, which nobody tells", kind)
		}
		for r, parts := range roles {
			for part := range parts {
				if en.kinds[kind][r][part] == nil {
					t.Errorf("%s %s %s is not there in English", kind, r, part)
				}
			}
			if len(parts) != len(en.kinds[kind][r]) {
				t.Errorf("%s %s: %d parts in Italian, %d in English", kind, r, len(parts), len(en.kinds[kind][r]))
			}
			for _, part := range []string{partTitle, partIntro, partIO, partSMS} {
				if parts[part] == nil {
					t.Errorf("%s %s has no %s", kind, r, part)
				}
			}
		}
	}
}

// Whatever a name holds, it is one line of text and never more.
func TestNamesAreOnlyNames(t *testing.T) {
	n := renderer(t)
	for _, name := range []string{
		"<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "Maria\r\nBcc: x@example.org", "[qui](https://male.example)", "# Titolo", "**forte**",
		strings.Repeat("😀", 2500), strings.Repeat("Anna ", 2000), "{{.Phone}}", "a\u202etxt.exe", "https://servizi.unione.example/passaggi\" onclick=\"x", "\x00\xff", "",
	} {
		for _, kind := range kinds(t) {
			for shape, v := range cases(kind, name) {
				if !strings.HasSuffix(shape, "/") { // who did it changes no name
					continue
				}
				x, err := n.text(v)
				if err != nil {
					t.Fatalf("%s %s %.20q: %v", kind, shape, name, err)
				}
				if strings.Contains(x.HTML, "<script") || strings.Contains(x.HTML, "<img") || strings.Contains(x.HTML, "onclick=\"") {
					t.Errorf("%s %s %.20q: a mark came through: %s", kind, shape, name, x.HTML)
				}
				if strings.ContainsAny(x.Title, "\r\n") || strings.Contains(x.Plain, "\nBcc:") || strings.Contains(x.Plain, "\u202e") {
					t.Errorf("%s %s %.20q: a line came through: %q", kind, shape, name, x.Plain)
				}
				if !FitsSMS(x.Short) || strings.ContainsAny(x.Short, "\r\n") {
					t.Errorf("%s %s %.20q: short message %q", kind, shape, name, x.Short)
				}
				if strings.Contains(x.Markdown, "](") || strings.Contains(x.Markdown, "**forte") || strings.Contains(x.Markdown, "# T") {
					t.Errorf("%s %s %.20q: Markdown came through: %q", kind, shape, name, x.Markdown)
				}
			}
		}
	}
}

// App IO learns nothing of anybody else: no name, number, car, place, address.
func TestAppIOGetsNothingOfAnybodyElse(t *testing.T) {
	n := renderer(t)
	for _, kind := range kinds(t) {
		for shape, v := range cases(kind, secret) {
			v.Car, v.Reach.First = "Panda", "Residente" // one's own
			if v.Trip != nil {
				v.Trip.Phone = secret
			}
			x, err := n.text(v)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(x.Markdown, secret) || strings.Contains(x.Title, secret) && !v.Trusted && v.For == "" {
				t.Errorf("%s %s: %q %q", kind, shape, x.Title, x.Markdown)
			}
		}
	}
}

func TestMessageOfAnAcceptedBooking(t *testing.T) {
	n := renderer(t)
	v := accepted("n-1", person("m-1"))
	x, err := n.text(v)
	if err != nil {
		t.Fatal(err)
	}
	want := `Buongiorno Residente,

Il Suo passaggio è confermato. Viaggia con Autista Tre.

Quando: lunedì 23 novembre alle 7:10
Partenza: Bergolo, piazza
Arrivo: Alba, ospedale
Con: Autista Tre
Telefono: +393337654321
Auto: Panda rossa, AB123CD
Per le spese: 2,40 euro

Sia al punto di partenza qualche minuto prima. Se non può più andare, ce lo dica appena possibile.

Apra la pagina dei passaggi:
https://servizi.unione.example/passaggi/miei

Ha bisogno di aiuto? Chiami lo sportello: 0173 123456

-- 
Unione Montana, servizio Passaggi. Questo messaggio è automatico: non serve rispondere.
Per scegliere come ricevere i messaggi:
https://servizi.unione.example/passaggi/profilo
`
	if x.Plain != want {
		t.Errorf("text:\n%s\nwant:\n%s", x.Plain, want)
	}
	if want := "Passaggi: confermato lun 23/11 ore 7:10 da Bergolo, piazza a Alba, ospedale con Autista Tre +393337654321 Panda rossa, AB123CD"; x.Short != want {
		t.Errorf("short message %q, want %q", x.Short, want)
	}
	for _, want := range []string{`<a href="https://servizi.unione.example/passaggi/miei">`, `<a href="https://servizi.unione.example/passaggi/profilo">`, "font-size:18px", `lang="it"`} {
		if !strings.Contains(x.HTML, want) {
			t.Errorf("marks without %s: %s", want, x.HTML)
		}
	}
	v.Reach.Large = true
	if x, err = n.text(v); err != nil || !strings.Contains(x.HTML, "font-size:24px") {
		t.Errorf("no large type, %v", err)
	}
	if !x.Due.Equal(v.Trip.Leave) {
		t.Errorf("due %v", x.Due)
	}
}

// By voice a driver who accepted hears the address; nobody else ever does.
func TestAddressIsOnlySpoken(t *testing.T) {
	n := renderer(t)
	v := cases(carpool.NoticeAccepted, "Residente")["door/"]
	lang, m, f, err := n.say(v)
	if err != nil {
		t.Fatal(err)
	}
	if s := spoken(n.words[lang], m, f); !strings.Contains(s, secret) || strings.Contains(s, "http") {
		t.Errorf("spoken: %s", s)
	}
	v.Trip.Driver, v.Trip.FromAddress = false, ""
	if lang, m, f, err = n.say(v); err != nil {
		t.Fatal(err)
	}
	if s := spoken(n.words[lang], m, f); !strings.Contains(s, "casa Sua") {
		t.Errorf("spoken to the rider: %s", s)
	}
}

func TestTimesAreSaidAsPeopleDo(t *testing.T) {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at             time.Time
		it, en, itTime string
	}{
		{time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC), "domenica 29 marzo", "Sunday 29 March", "all’1:59"},
		{time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), "domenica 29 marzo", "Sunday 29 March", "alle 3:00"},
		{time.Date(2026, 10, 24, 22, 5, 0, 0, time.UTC), "domenica 25 ottobre", "Sunday 25 October", "alle 0:05"},
		{time.Date(2026, 12, 31, 22, 30, 0, 0, time.UTC), "giovedì 31 dicembre", "Thursday 31 December", "alle 23:30"},
	} {
		l := c.at.In(rome)
		if dayOf("it", l) != c.it || dayOf("en", l) != c.en || at("it", l) != c.itTime {
			t.Errorf("%v is %q, %q, %q", c.at, dayOf("it", l), dayOf("en", l), at("it", l))
		}
	}
}

// TestShow prints every message when it is asked to.
func TestShow(t *testing.T) {
	n := renderer(t)
	shown := 0
	for _, kind := range kinds(t) {
		for _, lang := range Langs {
			for r := range n.words[lang].kinds[kind] {
				v := cases(kind, "Maria")[map[role]string{asAll: "rider/desk", asRider: "rider/driver", asDriver: "driver/rider", asTrusted: "trusted/driver"}[r]]
				v.Reach.Lang = lang
				x, err := n.text(v)
				if err != nil {
					t.Fatal(err)
				}
				shown++
				if *show {
					fmt.Printf("== %s %s %s\n[%s]\n%s\nIO: %s\nSMS (%d): %s\n\n", kind, lang, r, x.Title, strings.SplitN(x.Plain, "\n\nApra", 2)[0], x.Markdown, utf8.RuneCountInString(x.Short), x.Short)
				}
			}
		}
	}
	if shown < 2*len(kinds(t)) {
		t.Errorf("%d messages of %d kinds in two languages", shown, len(kinds(t)))
	}
}
