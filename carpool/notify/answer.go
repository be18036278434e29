package notify

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Answer is what a short message says.
type Answer string

const (
	Yes   Answer = "yes"
	No    Answer = "no"
	Stop  Answer = "stop" // no more short messages
	Other Answer = ""     // anything else: nothing is done
)

// Words of answers, in small letters without accents.
var (
	yesWords  = []string{"si", "yes", "ok", "okay", "va bene", "accetto", "confermo"}
	noWords   = []string{"no", "rifiuto"}
	stopWords = []string{"stop", "basta", "unsubscribe", "cancellami"}
	// said beside an answer, they change nothing
	politeWords = []string{"grazie", "mille", "certo", "volentieri", "molto", "prego", "buongiorno", "buonasera", "ciao", "salve",
		"mi", "dispiace", "spiace", "purtroppo", "sms", "thanks", "thank", "you", "please", "hello", "sorry"}
)

// maxAnswer is more than any answer has.
const maxAnswer = 200

// ParseAnswer reads an answer: SÌ, SI, si', Sì grazie!, NO, STOP, in any case,
// with or without accents and politeness. What says two things, or anything
// more, is Other: a booking is never made by a guess.
func ParseAnswer(text string) Answer {
	if len(text) > maxAnswer || !utf8.ValidString(text) {
		return Other
	}
	words := strings.FieldsFunc(fold(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i := 0; i+1 < len(words); i++ {
		if words[i] == "va" && words[i+1] == "bene" {
			words = slices.Replace(words, i, i+2, "va bene")
		}
	}
	said := Other
	for _, w := range words {
		a := Other
		switch {
		case slices.Contains(yesWords, w):
			a = Yes
		case slices.Contains(noWords, w):
			a = No
		case slices.Contains(stopWords, w):
			a = Stop
		case slices.Contains(politeWords, w):
			continue
		default:
			return Other
		}
		if said != Other && said != a {
			return Other
		}
		said = a
	}
	return said
}

// fold is a text in small letters without accents, as far as answers need it.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) { // accents that stand for themselves
			return -1
		}
		switch r = unicode.ToLower(r); r {
		case 'à', 'á', 'â', 'ä':
			return 'a'
		case 'è', 'é', 'ê', 'ë':
			return 'e'
		case 'ì', 'í', 'î', 'ï', 'ı':
			return 'i'
		case 'ò', 'ó', 'ô', 'ö':
			return 'o'
		case 'ù', 'ú', 'û', 'ü':
			return 'u'
		case '\u200b', '\u200e', '\u200f', '\ufeff':
			return -1
		}
		return r
	}, s)
}
