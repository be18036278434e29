package login_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/crinale/crinale/internal/login"
)

// A stranger writes one number in two ways. Whether it has an account shows in
// whether the two share a limit: a stranger without password learns whose number is here.
func TestTwoSpellingsOfANumberTellNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.own(t, "333 1234567")
		ask := func(source string, typed ...string) (slow bool) {
			var err error
			for _, name := range typed {
				_, err = w.Login(t.Context(), login.LoginRequest{Name: name, Password: "a guess of mine 7", Source: netip.MustParseAddr(source)})
			}
			return errors.As(err, new(login.Slow))
		}
		here := ask("192.0.2.77", "3331234567", "3331234567", "3331234567", "3331234567", "3331234567", "+393331234567")
		free := ask("192.0.2.78", "3331234568", "3331234568", "3331234568", "3331234568", "3331234568", "+393331234568")
		if here != free {
			t.Errorf("sixth try, the number written another way: with an account slow=%v, without one slow=%v", here, free)
		}
	})
}

// The same with an address and a number: they share a limit where they are one person's.
func TestANumberAndAnAddressShareNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.own(t, "333 1234567")
		if err := w.setAlias(t.Context(), p.Name, "anna@example.it"); err != nil {
			t.Fatal(err)
		}
		w.own(t, "altra@example.it")
		ask := func(source, mail string) bool {
			for range 5 {
				if _, err := w.Login(t.Context(), login.LoginRequest{Name: mail, Password: "a guess of mine 7", Source: netip.MustParseAddr(source)}); err == nil {
					t.Fatal("a guess was taken")
				}
			}
			_, err := w.Login(t.Context(), login.LoginRequest{Name: "3331234567", Password: "a guess of mine 7", Source: netip.MustParseAddr(source)})
			return errors.As(err, new(login.Slow))
		}
		if same, other := ask("192.0.2.77", "anna@example.it"), ask("192.0.2.78", "altra@example.it"); same != other {
			t.Errorf("mail and number of one person slow=%v, of two slow=%v", same, other)
		}
	})
}
