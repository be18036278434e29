package page

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReadTable(t *testing.T) {
	lines, whole := readTable("Chi\tGenitore\tDa\tA\tOra\tRitorno\tConsenso\tSeggiolini\tNota\n"+
		"alunna 3\tgenitore 3\tBergolo, piazza\tCortemilia, scuola\t8:00\t13.30\tvoce\t1\tha lo zaino grande\r\n"+
		"\n ;; \n"+
		"alunno 4; genitore 4 ; Bergolo, piazza;Cortemilia, scuola;8;;carta\n"+
		"residente 12;;Bergolo, piazza;Cortemilia, ospedale;9h15", 10)
	if !whole || len(lines) != 3 {
		t.Fatalf("%v %+v", whole, lines)
	}
	want := []tableLine{
		{N: 2, Who: "alunna 3", Guardian: "genitore 3", From: "Bergolo, piazza", To: "Cortemilia, scuola", At: "08:00", Back: "13:30", Consent: "voice", Seats: 1, Note: "ha lo zaino grande"},
		{N: 5, Who: "alunno 4", Guardian: "genitore 4", From: "Bergolo, piazza", To: "Cortemilia, scuola", At: "08:00", Consent: "paper"},
		{N: 6, Who: "residente 12", From: "Bergolo, piazza", To: "Cortemilia, ospedale", At: "09:15"},
	}
	for i, w := range want {
		if lines[i] != w {
			t.Errorf("line %d: %+v, want %+v", i, lines[i], w)
		}
	}
}

func TestReadTableSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"a;b;c;d;8:00;;;;;x":                     "columns",
		"a;b;c;;8:00":                            "empty",
		"a;b;c;d":                                "empty",
		"a;b;c;d;25:00":                          "time",
		"a;b;c;d;otto":                           "time",
		"a;b;c;d;8:00;7:30":                      "back",
		"a;b;c;d;8:00;mai più":                   "back",
		"a;b;c;d;8:00;;forse":                    "consent",
		"a;b;c;d;8:00;;voce;cinque":              "seats",
		"a;b;c;d;8:00;;voce;-1":                  "seats",
		strings.Repeat("x", 600) + ";b;c;d;8:00": "long",
		`"alunna ""Pippi""";b;c;d;8:00`:          "",
	} {
		lines, _ := readTable(text, 5)
		if len(lines) != 1 || lines[0].Wrong != want {
			t.Errorf("%.40q: %+v, want %q", text, lines, want)
		}
	}
	if _, whole := readTable("a\nb\nc", 2); whole {
		t.Error("three lines fit into two")
	}
}

func FuzzReadTable(f *testing.F) {
	for _, seed := range []string{"", "Chi;Da\na;b;c;d;8:00;9:00;voce;1;n", "\t\t\t\t\t\t\t\t\t", "a\tb\tc\td\t8\n\r\n\x00", `"";"";;`, "é;;\u202e;x;8.00;si;c;4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines, whole := readTable(text, 20)
		if len(lines) > 20 || whole == (len(lines) > 20) {
			t.Fatalf("%d lines, whole %v", len(lines), whole)
		}
		for _, l := range lines {
			if l.Wrong != "" {
				continue
			}
			if l.Who == "" || l.From == "" || l.To == "" || l.At.Check() != nil || l.Back != "" && l.Back <= l.At || l.Seats < 0 || l.Seats > 4 || len(l.Note) > maxTyped {
				t.Fatalf("accepted: %+v", l)
			}
			if utf8.ValidString(text) && !utf8.ValidString(l.Who+l.From+l.To+l.Note) {
				t.Fatalf("cut in the middle of a sign: %+v", l)
			}
		}
	})
}
