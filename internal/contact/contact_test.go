package contact_test

import (
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/contact"
	"github.com/crinale/crinale/internal/fault"
)

func TestPhone(t *testing.T) {
	for in, want := range map[string]string{
		"333 123 4567": "+393331234567", "+39 333-123.4567": "+393331234567", "0039 3331234567": "+393331234567", "393331234567": "+393331234567",
		"392 1234567": "+393921234567", "0173 50 50 50": "+390173505050", "(0173) 505050": "+390173505050", "+39 (0)173 505050": "+390173505050",
		"tel:+393331234567": "+393331234567", "+44 (0)20 7946 0018": "+442079460018", "0033 1 99 00 12 34": "+33199001234", "+41 44 668 18 00": "+41446681800",
		"333\u00a01234567": "+393331234567", "06 1234": "+39061234",
	} {
		if got, err := contact.Phone(in); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "112", "118", "800 123456", "333", "33312345678901", "++393331234567", "+39 112", "12345", "+0123456789", "0", "00",
		"3331234567x", "３３３1234567", "333\r\n1234567", "+39333\u202e1234567", "; DROP", strings.Repeat("3", 5000), "\x00", "+393", "+1234567890123456"} {
		if got, err := contact.Phone(in); err == nil || fault.Of(err) != fault.Invalid {
			t.Errorf("%.40q: %q, %v; want it refused", in, got, err)
		}
	}
}

func TestMail(t *testing.T) {
	for in, want := range map[string]string{"": "", " Residente.12@Example.IT ": "residente.12@example.it", "o'altra+x@mail.example.it": "o'altra+x@mail.example.it"} {
		if got, err := contact.Mail(in); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"a", "a@b", "@example.it", "a@", "a b@example.it", "a@example.it\nBcc: b@example.it", "a@example.it,b@example.it", "<a@example.it>",
		"a@@example.it", ".a@example.it", "a..b@example.it", "a@-example.it", "è@example.it", "a@exämple.it", strings.Repeat("a", 65) + "@example.it", strings.Repeat("a.", 5000) + "@example.it"} {
		if got, err := contact.Mail(in); err == nil || fault.Of(err) != fault.Invalid {
			t.Errorf("%.40q: %q, %v; want it refused", in, got, err)
		}
	}
}

// What is accepted is written in one way: reading it again changes nothing.
func FuzzPhone(f *testing.F) {
	for _, s := range []string{"333 1234567", "+44 (0)20 7946 0018", "0173/505050", "0039", "(0)", "+39(0)", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := contact.Phone(s)
		if err != nil {
			return
		}
		if len(p) < 8 || len(p) > 16 || p[0] != '+' || strings.Trim(p[1:], "0123456789") != "" {
			t.Errorf("%q: %q is not E.164", s, p)
		}
		if again, err := contact.Phone(p); err != nil || again != p {
			t.Errorf("%q: %q, then %q, %v", s, p, again, err)
		}
	})
}

func FuzzMail(f *testing.F) {
	for _, s := range []string{"a@example.it", "a@b", "\r\n@", "A@EXAMPLE.IT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := contact.Mail(s)
		if err != nil || m == "" {
			return
		}
		if again, err := contact.Mail(m); err != nil || again != m || strings.ContainsAny(m, " \r\n\t,;<>\"") {
			t.Errorf("%q: %q, then %q, %v", s, m, again, err)
		}
	})
}
