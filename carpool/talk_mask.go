package carpool

import (
	"regexp"
	"strings"
	"unicode"
)

// masked stands for what two people may tell each other only after they have
// agreed on a lift.
const masked = "[…]"

const numberWord = `(?:zero|uno|due|tre|quattro|cinque|sei|sette|otto|nove|dieci|one|two|three|four|five|six|seven|eight|nine|\d)`

var (
	maskMail   = regexp.MustCompile(`(?i)[^\s<>()\[\],;]+\s?(?:@|\(at\)|\[at\]|\bchiocciola\b|\bat\b\s?(?:gmail|libero|hotmail|outlook|yahoo|tiscali|icloud))\s?[^\s<>()\[\],;]*`)
	maskLink   = regexp.MustCompile(`(?i)(?:https?:|www\.|t\.me|wa\.me)[^\s]*|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:it|com|net|org|eu|me|info|io|app|link|ly|gg|be|fr|de|ch|uk|co|shop|xyz|top|online|site)\b[^\s]*`)
	maskDigits = regexp.MustCompile(`\+?\(?\d(?:[ \t().,/_*+\-–·]{0,3}\d){5,}`)
	maskWords  = regexp.MustCompile(`(?i)\b` + numberWord + `(?:[\s,.\-]+` + numberWord + `\b){5,}`)
)

// mask takes phone numbers, addresses of mail and links out of a text, and the
// words given (surnames).
func mask(s string, words ...string) string {
	s = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || !unicode.IsDigit(r) {
			return r
		}
		return rune('0' + digitValue(r))
	}, s)
	for _, m := range []*regexp.Regexp{maskMail, maskLink, maskDigits, maskWords} {
		s = m.ReplaceAllString(s, masked)
	}
	for _, w := range words {
		if len([]rune(w)) >= 3 {
			s = regexp.MustCompile(`(?i)`+regexp.QuoteMeta(w)).ReplaceAllString(s, masked)
		}
	}
	return s
}

// digitValue of a decimal digit of any script: they stand in rows of ten.
func digitValue(r rune) int {
	for v := range 10 {
		if !unicode.IsDigit(r-rune(v)-1) || v == 9 {
			return v
		}
	}
	return 0
}
