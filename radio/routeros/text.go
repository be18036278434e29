package routeros

import (
	"strings"
	"unicode/utf8"
)

// longest is how many bytes of a name are kept.
const longest = 255

// windows1252 are the bytes 0x80 to 0x9F of that code page; the rest is
// Latin-1. Five are not assigned.
var windows1252 = [32]rune{
	'€', utf8.RuneError, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', utf8.RuneError, 'Ž', utf8.RuneError,
	utf8.RuneError, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', utf8.RuneError, 'ž', 'Ÿ',
}

// text makes text of the bytes a device stores: UTF-8 where it is valid, else
// Windows-1252, which WinBox writes on most PCs. Control characters become
// spaces, what is longer than 255 bytes is cut. It never fails.
func text(s string) string {
	valid := utf8.ValidString(s)
	plain := valid && len(s) <= longest
	for i := 0; plain && i < len(s); i++ {
		plain = s[i] >= 0x20 && s[i] < 0x7F
	}
	if plain {
		return s
	}
	var b strings.Builder
	put := func(r rune) bool {
		if r < 0x20 || r >= 0x7F && r < 0xA0 {
			r = ' '
		}
		if b.Len()+utf8.RuneLen(r) > longest {
			return false
		}
		b.WriteRune(r)
		return true
	}
	if valid {
		for _, r := range s {
			if !put(r) {
				break
			}
		}
		return b.String()
	}
	for i := 0; i < len(s); i++ {
		r := rune(s[i])
		if r >= 0x80 && r < 0xA0 {
			r = windows1252[r-0x80]
		}
		if !put(r) {
			break
		}
	}
	return b.String()
}
