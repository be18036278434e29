// Package contact writes phone numbers and e-mail addresses in one way, however
// they were typed, so that the same one is known again.
package contact

import (
	"regexp"
	"strings"

	"github.com/crinale/crinale/internal/fault"
)

// Phone is a phone number as E.164 writes it, "+39…". Without a country's
// number it is an Italian one: 3… a mobile, 0… at home. What cannot be called
// from here, such as 112, is refused.
func Phone(s string) (string, error) {
	bad := fault.New(fault.Invalid, "phone: write the number with its prefix, as 0173 123456 or 333 1234567; from abroad with + and the country first")
	if len(s) > 40 {
		return "", bad
	}
	s = strings.TrimPrefix(strings.TrimSpace(s), "tel:")
	if strings.HasPrefix(s, "+") && !strings.HasPrefix(s, "+39") || strings.HasPrefix(s, "00") && !strings.HasPrefix(s, "0039") {
		s = strings.Replace(s, "(0)", "", 1) // "+44 (0)20 …": the zero is for calls inside
	}
	var digits strings.Builder
	plus := false
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case r == '+' && i == 0:
			plus = true
		case strings.ContainsRune(" -./()\u00a0\u2009\u202f\u2010\u2011\u2013", r):
		default:
			return "", bad
		}
	}
	d := digits.String()
	if !plus && strings.HasPrefix(d, "00") {
		plus, d = true, d[2:]
	}
	if !plus && len(d) == 12 && strings.HasPrefix(d, "393") {
		plus = true
	}
	if !plus {
		d = "39" + d
	}
	if home, ok := strings.CutPrefix(d, "39"); ok {
		mobile := strings.HasPrefix(home, "3") && (len(home) == 9 || len(home) == 10)
		fixed := strings.HasPrefix(home, "0") && !strings.HasPrefix(home, "00") && len(home) >= 6 && len(home) <= 11
		if !mobile && !fixed {
			return "", bad
		}
	} else if len(d) < 8 || len(d) > 15 || d[0] == '0' {
		return "", bad
	}
	return "+" + d, nil
}

var mailForm = regexp.MustCompile(`^[a-z0-9!#$%&'*+/=?^_{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_{|}~-]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}$`)

// Mail is an e-mail address as it is kept: small letters, ASCII, with a domain.
// "" stays "".
func Mail(s string) (string, error) {
	if s = strings.ToLower(strings.TrimSpace(s)); s == "" {
		return "", nil
	}
	at := strings.LastIndexByte(s, '@')
	if len(s) > 254 || at > 64 || !mailForm.MatchString(s) {
		return "", fault.New(fault.Invalid, "e-mail: write it as name@example.it")
	}
	return s, nil
}
