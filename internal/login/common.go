package login

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/crinale/crinale/internal/fault"
)

// Lengths of a password.
const (
	MinPassword = 10  // letters and signs
	maxPassword = 256 // bytes
	minDistinct = 5   // different letters and signs
)

//go:embed common.txt
var commonText string

// common words of Italian, English and keyboards, as passwords are made of.
var common = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(commonText) {
		m[w] = true
	}
	return m
})

// CheckPassword refuses what is guessed first: short, of few different signs,
// in a row of the alphabet or the keyboard, a common word with numbers and
// signs about it, or the name of the account.
func CheckPassword(name, password string) error {
	switch {
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return fault.New(fault.Invalid, "password: it holds bytes that are not text; type it again")
	case utf8.RuneCountInString(password) < MinPassword:
		return fault.New(fault.Invalid, "password: at least %d letters or signs; three or four words are easy to keep in mind", MinPassword)
	case len(password) > maxPassword:
		return fault.New(fault.Invalid, "password: at most %d bytes", maxPassword)
	}
	low := strings.ToLower(password)
	distinct := map[rune]bool{}
	for _, c := range low {
		distinct[c] = true
	}
	if len(distinct) < minDistinct || inRow(low) {
		return fault.New(fault.Invalid, "password: it repeats few signs or follows the keyboard, and is guessed first; use words that have nothing to do with each other")
	}
	if name != "" && len([]rune(strings.ReplaceAll(core(low), core(name), ""))) < minDistinct {
		return fault.New(fault.Invalid, "password: it is the name of the account; choose another")
	}
	if isCommon(low) {
		return fault.New(fault.Invalid, "password: it is a common word with something added, and is guessed first; use several words that have nothing to do with each other")
	}
	return nil
}

// rows of the alphabet and of Italian and English keyboards.
var rows = []string{"abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp"}

// inRow says whether two thirds or more of the steps go along one of the rows,
// onward or back, or stay.
func inRow(s string) bool {
	r := []rune(s)
	steps := 0
	for i := 1; i < len(r); i++ {
		pair, back := string(r[i-1:i+1]), string([]rune{r[i], r[i-1]})
		if r[i] == r[i-1] {
			steps++
			continue
		}
		for _, row := range rows {
			if strings.Contains(row, pair) || strings.Contains(row, back) {
				steps++
				break
			}
		}
	}
	return 3*steps >= 2*(len(r)-1)
}

// likeness undoes the usual swaps of letters for numbers and signs.
var likeness = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "8", "b", "@", "a", "$", "s", "!", "i", "€", "e", "+", "t",
	"à", "a", "è", "e", "é", "e", "ì", "i", "ò", "o", "ù", "u")

// core is a word without the numbers and signs that people put about it.
func core(s string) string {
	return strings.TrimFunc(s, func(c rune) bool { return !unicode.IsLetter(c) })
}

// isCommon says whether nothing but a common word, or a repeated or doubled
// one, is left of a password without what is put about it.
func isCommon(low string) bool {
	for _, s := range []string{low, core(low), likeness.Replace(low), likeness.Replace(core(low)), core(likeness.Replace(low))} {
		s = strings.Map(func(c rune) rune {
			if unicode.IsLetter(c) {
				return c
			}
			return -1
		}, s)
		if made(s, 2) {
			return true
		}
	}
	return false
}

// made says whether s is nothing but at most n common words.
func made(s string, n int) bool {
	if s == "" || common()[s] {
		return true
	}
	if n <= 1 {
		return false
	}
	for i := 3; i <= len(s)-3; i++ {
		if common()[s[:i]] && made(s[i:], n-1) {
			return true
		}
	}
	return false
}
