package notify

import (
	"strings"
	"text/template"
	"unicode/utf16"
)

// Longest short messages: one part, in the alphabet of GSM 03.38 or, for what
// that cannot write, in UCS-2.
const (
	mostGSM  = 160
	mostUCS2 = 70
)

// The alphabet of GSM 03.38 (3GPP TS 23.038, 6.2.1), and the signs that take
// two places by its extension table. The escape itself is none of them.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmTwice = "^{}\\[~]|€"
)

// gsmNear writes with the alphabet what it has no sign for.
var gsmNear = strings.NewReplacer(
	"’", "'", "‘", "'", "`", "'", "´", "'", "“", "\"", "”", "\"", "«", "\"", "»", "\"", "–", "-", "—", "-", "‐", "-", "−", "-",
	"…", "...", "\u00a0", " ", "\t", " ", "•", "-", "·", "-",
	"À", "A", "Á", "A", "Â", "A", "Ã", "A", "á", "a", "â", "a", "ã", "a", "ā", "a", "ă", "a", "ą", "a",
	"È", "E", "Ê", "E", "Ë", "E", "ê", "e", "ë", "e", "ē", "e", "ę", "e", "ě", "e",
	"Ì", "I", "Í", "I", "Î", "I", "Ï", "I", "í", "i", "î", "i", "ï", "i", "ī", "i",
	"Ò", "O", "Ó", "O", "Ô", "O", "Õ", "O", "ó", "o", "ô", "o", "õ", "o", "ő", "o",
	"Ù", "U", "Ú", "U", "Û", "U", "ú", "u", "û", "u", "ū", "u", "ů", "u", "ű", "u",
	"ç", "c", "ć", "c", "č", "c", "Ć", "C", "Č", "C", "ď", "d", "đ", "d", "Đ", "D", "ğ", "g", "ł", "l", "Ł", "L",
	"ń", "n", "ň", "n", "ř", "r", "ś", "s", "š", "s", "ş", "s", "ș", "s", "Ś", "S", "Š", "S", "Ş", "S", "Ș", "S",
	"ť", "t", "ţ", "t", "ț", "t", "Ț", "T", "ý", "y", "ÿ", "y", "ź", "z", "ż", "z", "ž", "z", "Ź", "Z", "Ż", "Z", "Ž", "Z", "œ", "oe", "Œ", "OE",
)

// gsmLength is how many places a text takes in the alphabet; false when it has
// signs that are not in it.
func gsmLength(s string) (int, bool) {
	n := 0
	for _, r := range s {
		switch {
		case strings.ContainsRune(gsmBasic, r):
			n++
		case strings.ContainsRune(gsmTwice, r):
			n += 2
		default:
			return 0, false
		}
	}
	return n, true
}

// FitsSMS says whether a text goes in one short message: 160 places of the GSM
// alphabet, or 70 of UCS-2.
func FitsSMS(s string) bool {
	if n, ok := gsmLength(s); ok {
		return n <= mostGSM
	}
	return len(utf16.Encode([]rune(s))) <= mostUCS2
}

// smsText is a text of one short message, as near as can be to s: in the GSM
// alphabet where it can be written so, else whole in UCS-2 where it is short
// enough, else without what the alphabet lacks; and cut at the end if it is too
// long.
func smsText(s string) string {
	s = gsmNear.Replace(plainLine(s))
	if FitsSMS(s) {
		return s
	}
	if _, ok := gsmLength(s); !ok {
		s = strings.Map(func(r rune) rune {
			if strings.ContainsRune(gsmBasic, r) || strings.ContainsRune(gsmTwice, r) {
				return r
			}
			return -1
		}, s)
		s = plainLine(s)
	}
	for n := mostGSM; ; n-- {
		if c := cut(s, n); FitsSMS(c) {
			return c
		}
	}
}

// plainLine is one line.
func plainLine(s string) string { return plain(s, 4000) }

// cut is a text of at most n characters, with a full stop where it was longer.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return strings.TrimRight(string(r[:max(n-1, 0)]), " ,;:-") + "."
}

// short writes the short message: names and places get shorter until it fits,
// times and phone numbers never.
func short(t *template.Template, f facts) (string, error) {
	may := []*string{&f.WhoShort, &f.From, &f.To, &f.TripCar, &f.Listed, &f.For, &f.BusSay}
	for {
		f.bare.Car = f.TripCar
		s, err := fill(t, f)
		if err != nil {
			return "", err
		}
		s = gsmNear.Replace(plainLine(s))
		if FitsSMS(s) {
			return s, nil
		}
		if strip(may) {
			continue
		}
		longest := may[0]
		for _, p := range may {
			if len([]rune(*p)) > len([]rune(*longest)) {
				longest = p
			}
		}
		if len([]rune(*longest)) <= 4 {
			return smsText(s), nil
		}
		*longest = cut(*longest, len([]rune(*longest))-1)
	}
}

// strip takes out of names and places what the GSM alphabet cannot write, and
// says whether there was anything.
func strip(may []*string) bool {
	changed := false
	for _, p := range may {
		near := gsmNear.Replace(*p)
		if _, ok := gsmLength(near); ok {
			continue
		}
		changed = true
		*p = plainLine(strings.Map(func(r rune) rune {
			if _, ok := gsmLength(string(r)); ok {
				return r
			}
			return -1
		}, near))
	}
	return changed
}
