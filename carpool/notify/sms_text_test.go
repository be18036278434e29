package notify

import (
	"strings"
	"testing"
	"text/template"
	"unicode/utf8"
)

func TestLengthOfShortMessages(t *testing.T) {
	for s, want := range map[string]bool{
		"":                                  true,
		strings.Repeat("a", 160):            true,
		strings.Repeat("a", 161):            false,
		strings.Repeat("è", 160):            true, // of the alphabet
		strings.Repeat("€", 80):             true, // two places each
		strings.Repeat("€", 81):             false,
		strings.Repeat("È", 70):             true, // not of the alphabet: UCS-2
		strings.Repeat("È", 71):             false,
		strings.Repeat("😀", 35):             true, // two units each
		strings.Repeat("😀", 36):             false,
		"a" + strings.Repeat("[", 79) + "b": true,
		"a" + strings.Repeat("[", 80):       false,
		"\x1b":                              true, // the escape is not a letter: UCS-2, one unit
	} {
		if got := FitsSMS(s); got != want {
			t.Errorf("%.20q of %d characters fits: %v, want %v", s, utf8.RuneCountInString(s), got, want)
		}
	}
	if n, ok := gsmLength("\x1b"); ok {
		t.Errorf("the escape is a sign of the alphabet, of length %d", n)
	}
}

func TestWritingWithTheAlphabetOfShortMessages(t *testing.T) {
	for s, want := range map[string]string{
		"È già l’ora":     "E già l'ora",
		"Niccolò – Ž":     "Niccolò - Z",
		"a\r\nSMSC: +39":  "a SMSC: +39",
		"a\u202eb\u200bc": "abc",
		"Владимир":        "Владимир", // short enough for UCS-2
		strings.Repeat("Владимир ", 20) + "SI o NO": "SI o NO",
		strings.Repeat("a", 400):                    strings.Repeat("a", 159) + ".",
	} {
		if got := smsText(s); got != want {
			t.Errorf("%.20q became %q, want %q", s, got, want)
		}
	}
}

// Names may be anything: the time and the phone number must stay whole.
func TestLongNamesGiveWayToTimeAndNumber(t *testing.T) {
	tmpl := template.Must(template.New("").Parse(`Passaggi: confermato {{.Short}} da {{.From}} a {{.To}} con {{.WhoShort}} {{.Phone}} {{.Car}}`))
	for _, name := range []string{"Maria", strings.Repeat("Anna Maria ", 900), strings.Repeat("😀", 2500), strings.Repeat("Влад", 100), strings.Repeat("[", 300), "\r\nDa: altro", strings.Repeat("\u0301", 500)} {
		f := facts{Short: "lun 23/11 ore 7:10", Phone: "+393337654321", WhoShort: plain(name, 80), From: plain(name, 60), To: plain(name, 60), TripCar: plain(name, 60)}
		got, err := short(tmpl, f)
		if err != nil {
			t.Fatal(err)
		}
		if !FitsSMS(got) || strings.ContainsAny(got, "\r\n") {
			t.Errorf("%.20q: %q does not fit", name, got)
		}
		if !strings.Contains(got, f.Short) || !strings.Contains(got, f.Phone) {
			t.Errorf("%.20q: time or number was cut: %q", name, got)
		}
	}
}

func FuzzSMSText(f *testing.F) {
	for _, s := range []string{"ciao", "È", "€[]", "😀", "a\r\nb", "\xff", strings.Repeat("Ж", 200), strings.Repeat("è€", 200)} {
		f.Add(s)
	}
	tmpl := template.Must(template.New("").Parse(`Passaggi {{.Short}}: {{.WhoShort}} {{.From}} {{.To}}`))
	f.Fuzz(func(t *testing.T, s string) {
		got := smsText(s)
		if !FitsSMS(got) || strings.ContainsAny(got, "\r\n\x00\x1b") || !utf8.ValidString(got) {
			t.Errorf("%q became %q", s, got)
		}
		got, err := short(tmpl, facts{Short: "ore 7:10", WhoShort: plain(s, 80), From: plain(s, 60), To: plain(s, 60)})
		if err != nil || !FitsSMS(got) || !strings.Contains(got, "ore 7:10") || strings.ContainsAny(got, "\r\n\x00") {
			t.Errorf("%q became %q, %v", s, got, err)
		}
	})
}
