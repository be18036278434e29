package notify

import (
	"strings"
	"testing"
)

func TestAnswersOfShortMessages(t *testing.T) {
	for text, want := range map[string]Answer{
		"SI": Yes, "Sì": Yes, "sì": Yes, "SÌ": Yes, "si'": Yes, "Si.": Yes, " sI \n": Yes, "Sì grazie!": Yes, "sí": Yes, "Si\u0300": Yes, "S I": Other,
		"ok": Yes, "OK!": Yes, "va bene": Yes, "Va bene, grazie mille": Yes, "yes please": Yes, "Buongiorno, sì": Yes, "sì sì": Yes, "\u200bSì": Yes, "SIIII": Other,
		"NO": No, "no": No, "No, grazie": No, "nò": No, "No mi dispiace": No, "purtroppo no": No, "NO!!!": No, "No thank you": No,
		"STOP": Stop, "stop": Stop, "Stop sms": Stop, "BASTA": Stop, "basta grazie": Stop,
		"": Other, "   ": Other, "?": Other, "si o no?": Other, "si ma non domani": Other, "no sì": Other, "forse": Other, "chi sei": Other,
		"si può spostare alle 8?": Other, "non posso": Other, "nono": Other, "siamo": Other, "stop no": Other, "sì stop": Other, "👍": Other,
		"+393331234567": Other, "SI\x00": Yes, "\xff\xfe": Other, strings.Repeat("si ", 100): Other, "СИ": Other, "Ѕі": Other,
	} {
		if got := ParseAnswer(text); got != want {
			t.Errorf("%.30q is %q, want %q", text, got, want)
		}
	}
}

func FuzzParseAnswer(f *testing.F) {
	for _, s := range []string{"SI", "Sì grazie", "no", "STOP", "si no", "Si\u0300", "va bene", "\xff", "ſi", "İ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a := ParseAnswer(s)
		if a != ParseAnswer(" "+s+"\n") && len(s)+2 <= maxAnswer {
			t.Errorf("space around %q changes what it says", s)
		}
		low := fold(s)
		switch a {
		case Yes:
			if ParseAnswer(s+" no") == Yes {
				t.Errorf("%q and no is still yes", s)
			}
		case No, Stop:
			if ParseAnswer(s+" si") == Yes {
				t.Errorf("%q and yes is yes", s)
			}
		}
		if a == Yes && !strings.ContainsAny(low, "soykvab") {
			t.Errorf("%q is yes", s)
		}
	})
}
