package carpool_test

import (
	"net/netip"
	"testing"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/login"
)

// After deletion the log still says from which network address a resident came.
func TestTheLogKeepsNoAddressOfWhoLeft(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		m, by := w.resident(1)
		_, err := w.people.Login(ctx, login.LoginRequest{Name: "residente.1@example.it", Password: goodWords, Source: netip.MustParseAddr("203.0.113.77")})
		must(t, err)
		must(t, w.Privacy.Forget(ctx, by, m.ID))
		lines, err := w.log.List(ctx, audit.Query{Who: by.Account, Limit: 100})
		must(t, err)
		for _, l := range lines {
			if l.From != "" {
				t.Errorf("%s by %s from %s stays in a log that cannot be shortened", l.Action, l.Who, l.From)
			}
		}
	})
}
