package carpool

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crinale/crinale/internal/fault"
)

// Lengths of what people write, in signs.
const (
	maxName    = 60
	maxAddress = 200
	maxMarks   = 4 // accents one on top of the other
)

// cleanName is a text of one line as it is kept: trimmed, with single spaces.
// Letters of all scripts and emoji are welcome; what could turn a line round,
// hide in it or break out of it is refused.
func cleanName(field, s string, most int, needed bool) (string, error) {
	if len(s) > 16*most || utf8.RuneCountInString(s) > 2*most {
		return "", fault.New(fault.Invalid, "%s: at most %d letters or signs", field, most)
	}
	if !utf8.ValidString(s) {
		return "", fault.New(fault.Invalid, "%s: it holds bytes that are not text; type it again", field)
	}
	s = strings.Join(strings.Fields(s), " ")
	marks := 0
	for _, r := range s {
		if marks++; !unicode.Is(unicode.M, r) || unicode.Is(unicode.Variation_Selector, r) {
			marks = 0
		}
		if hidden(r) || marks > maxMarks {
			return "", fault.New(fault.Invalid, "%s: it holds signs that cannot be shown; type it again without them", field)
		}
	}
	if needed && !strings.ContainsFunc(s, unicode.IsGraphic) {
		return "", fault.New(fault.Invalid, "%s: write it", field)
	}
	if utf8.RuneCountInString(s) > most {
		return "", fault.New(fault.Invalid, "%s: at most %d letters or signs", field, most)
	}
	return s, nil
}

// cleanText is a text of several lines.
func cleanText(field, s string, most int, needed bool) (string, error) {
	if len(s) > 16*most {
		return "", fault.New(fault.Invalid, "%s: at most %d letters or signs", field, most)
	}
	var lines []string
	for _, l := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		l, err := cleanName(field, l, most, false)
		if err != nil {
			return "", err
		}
		lines = append(lines, l)
	}
	s = strings.TrimSpace(strings.Join(lines, "\n"))
	if needed && s == "" {
		return "", fault.New(fault.Invalid, "%s: write it", field)
	}
	if utf8.RuneCountInString(s) > most {
		return "", fault.New(fault.Invalid, "%s: at most %d letters or signs", field, most)
	}
	return s, nil
}

// joiner binds emoji and some scripts' letters.
const joiner = '\u200d'

// hidden signs have no place in a line: controls, overrides of the direction
// of writing and other formats, what is not assigned to anything.
func hidden(r rune) bool {
	return r != joiner && !unicode.IsGraphic(r) || r == '\u2028' || r == '\u2029' || r == '\u3164' || r == '\u115f'
}
