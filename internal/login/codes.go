package login

import (
	"encoding/base32"
	"strings"
)

// letters of codes and tokens: those of Crockford's base 32, in which no two
// are easily taken for each other. Small letters; what people type is folded.
const letters = "0123456789abcdefghjkmnpqrstvwxyz"

var base = base32.NewEncoding(letters).WithPadding(base32.NoPadding)

// Lengths of codes in letters, five bits each.
const (
	inviteLetters   = 16 // 80 bits, good for days
	recoveryLetters = 10 // 50 bits, good with the password only, and few tries
	codeGroup       = 5
)

// newCode is a code of n letters in groups, as people read and type it:
// "abcde-fgh01".
func newCode(n, group int) string {
	s := base.EncodeToString(random((n*5 + 7) / 8))[:n]
	var b strings.Builder
	for i := 0; i < n; i += group {
		if i > 0 {
			b.WriteByte('-')
		}
		b.WriteString(s[i:min(i+group, n)])
	}
	return b.String()
}

// foldCode is what a typed code means: its n letters without spaces and
// hyphens, O as 0, I and L as 1. False where it is not such a code.
func foldCode(s string, n int) (string, bool) {
	if len(s) > 4*n {
		return "", false
	}
	out := make([]byte, 0, n)
	for _, c := range []byte(strings.ToLower(s)) {
		switch c {
		case ' ', '-', '\t', '\n', '\r':
			continue
		case 'o':
			c = '0'
		case 'i', 'l':
			c = '1'
		}
		if strings.IndexByte(letters, c) < 0 || len(out) == n {
			return "", false
		}
		out = append(out, c)
	}
	return string(out), len(out) == n
}
