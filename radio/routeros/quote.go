package routeros

import "strings"

// quote writes bytes as a string of the RouterOS script language that means
// exactly them (manual: Scripting, constant escape sequences). Letters, digits
// and harmless marks stand for themselves; every other byte is \ and two
// upper-case hexadecimal digits, so that no version and no nesting of braces
// can read it otherwise.
func quote(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		if c := s[i]; harmless(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('\\')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	b.WriteByte('"')
	return b.String()
}

func harmless(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	return strings.IndexByte(" -_.:,/+@", c) >= 0
}
