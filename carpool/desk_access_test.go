package carpool_test

import (
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// The desk vouches for the address or number of somebody's own record, for
// nothing else, and they hear of it: all or nothing.
func TestDeskVouchesForAWayIn(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		register := func(n string, phone string, consents ...carpool.ConsentTo) carpool.By {
			acc, err := w.people.Register(ctx, login.Registration{Alias: n + "@example.it", Password: goodWords, Role: login.Resident})
			must(t, err)
			m, err := w.Members.Register(ctx, carpool.By{Account: acc.Name}, carpool.Registration{How: "page", Consents: append(consents, carpool.ConsentTerms),
				Member: carpool.Member{First: "Residente", Last: "Dodici", Phone: phone, Landline: true, Comune: bergolo}})
			must(t, err)
			return carpool.By{Account: atDesk.Account, Desk: true, Member: m.ID}
		}
		by := register("dodici", "0173 505050", carpool.ConsentDesk)
		// left counts what vouching leaves: ways in, notices, lines of the log
		left := func() [3]int {
			t.Helper()
			return [3]int{w.number(`SELECT count(*) FROM login_alias WHERE kind = 'phone' AND confirmed = 1`),
				w.number(`SELECT count(*) FROM carpool_notices WHERE kind = 'account.access' AND member = $1`, string(by.Member)),
				w.number(`SELECT count(*) FROM audit_line WHERE action IN ('carpool.member.vouch', 'person.alias-set') AND detail LIKE '%phone%'`)}
		}
		for _, table := range []string{"outbox_messages", "carpool_notices", "login_alias"} {
			w.exec(`ALTER TABLE ` + table + ` RENAME TO away`)
			err := w.Desk.Vouch(ctx, by, carpool.AccessPhone)
			w.exec(`ALTER TABLE away RENAME TO ` + table)
			if got := left(); err == nil || got != [3]int{} {
				t.Errorf("cut where it writes %s: %v, left %v", table, err, got)
			}
		}
		must(t, w.Desk.Vouch(ctx, by, carpool.AccessPhone))
		if got := left(); got != [3]int{1, 1, 2} {
			t.Errorf("left %v", got)
		}
		refused(t, "another's number", w.Desk.Vouch(ctx, register("quindici", "0173 505050", carpool.ConsentDesk), carpool.AccessPhone), fault.Conflict)
		refused(t, "an address that is not in the record", w.Desk.Vouch(ctx, by, carpool.AccessMail), fault.Invalid)
		refused(t, "something else", w.Desk.Vouch(ctx, by, "0173 999999"), fault.Invalid)
		refused(t, "by the member", w.Desk.Vouch(ctx, carpool.By{Account: "r-dodici", Member: by.Member}, carpool.AccessPhone), fault.Denied)
		refused(t, "without consent", w.Desk.Vouch(ctx, register("tredici", "0173 606060"), carpool.AccessPhone), fault.Denied)
		refused(t, "who never signs in", w.Desk.Vouch(ctx, carpool.By{Account: atDesk.Account, Desk: true, Member: w.caller(1).ID}, carpool.AccessPhone), fault.Conflict)
		if got := left(); got != [3]int{1, 1, 2} {
			t.Errorf("left %v", got)
		}
	})
}
