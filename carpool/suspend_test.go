package carpool_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

func TestSuspensionNeedsFourEyes(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		driver, by := w.resident(1, carpool.ConsentCheck)
		rider, _ := w.resident(2)
		v := w.checked(by)
		w.lift("x", rider.ID, driver.ID, v.ID, carpool.Accepted, 48*time.Hour)
		const reason = "ha chiesto venti euro"
		_, err := w.Trust.Propose(ctx, by, driver.ID, reason)
		refused(t, "by a resident", err, fault.Denied)
		_, err = w.Trust.Propose(ctx, carpool.By{Account: by.Account}, driver.ID, reason)
		refused(t, "of oneself", err, fault.Denied)
		_, err = w.Trust.Propose(ctx, office, driver.ID, " ")
		refused(t, "without a reason", err, fault.Invalid)
		s, err := w.Trust.Propose(ctx, office, driver.ID, reason)
		must(t, err)
		_, err = w.Trust.Propose(ctx, second, driver.ID, reason)
		refused(t, "twice", err, fault.Conflict)
		if m, _ := w.Members.Get(ctx, driver.ID); m.State != carpool.Active {
			t.Error("suspended by one account alone")
		}
		if mine, err := w.Trust.SuspensionsOf(ctx, driver.ID); err != nil || len(mine) != 0 {
			t.Errorf("%v, %v", mine, err)
		}
		_, err = w.Trust.Settle(ctx, office, s.ID, true, "")
		refused(t, "by the same account", err, fault.Denied)
		_, err = w.Trust.Settle(ctx, carpool.By{Account: by.Account}, s.ID, false, "no")
		refused(t, "by the member", err, fault.Denied)
		refused(t, "an answer before it is in force", w.Trust.Appeal(ctx, by, s.ID, "non è vero"), fault.Denied)

		must(t, w.people.CommitCtx(ctx, "token", sessionOf(t, by.Account), w.now.Add(time.Hour)))
		if got, err := w.people.SessionsOf(ctx, by.Account); err != nil || len(got) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		_, err = w.Trust.Settle(ctx, second, s.ID, true, "")
		must(t, err)
		if m, _ := w.Members.Get(ctx, driver.ID); m.State != carpool.Suspended {
			t.Errorf("%+v", m)
		}
		if got, err := w.people.SessionsOf(ctx, by.Account); err != nil || len(got) != 0 {
			t.Errorf("signed in still: %v, %v", got, err)
		}
		if st := w.texts(`SELECT state FROM carpool_rides`); len(st) != 1 || st[0] != "cancelled" {
			t.Errorf("rides %v", st)
		}
		if got := w.told(rider.ID); !strings.Contains(got, "booking.cancelled") {
			t.Errorf("the rider was told %q", got)
		}
		for _, what := range w.texts(`SELECT params || kind FROM carpool_notices WHERE member = $1`, string(rider.ID)) {
			if strings.Contains(what, "venti") || strings.Contains(what, "suspend") {
				t.Errorf("the rider reads the reason: %s", what)
			}
		}
		if got := w.told(driver.ID); !strings.HasSuffix(got, "member.suspended") && !strings.Contains(got, "member.suspended") {
			t.Errorf("the driver was told %q", got)
		}
		mine, err := w.Trust.SuspensionsOf(ctx, driver.ID)
		must(t, err)
		if len(mine) != 1 || mine[0].Reason != reason || mine[0].By != "" || mine[0].SettledBy != "" {
			t.Errorf("%+v", mine)
		}
		_, strange := w.resident(3)
		refused(t, "an answer by somebody else", w.Trust.Appeal(ctx, strange, s.ID, "x"), fault.Denied)
		must(t, w.Trust.Appeal(ctx, by, s.ID, "non è vero"))
		refused(t, "a second answer", w.Trust.Appeal(ctx, by, s.ID, "davvero"), fault.Conflict)
		_, err = w.Trust.Uphold(ctx, carpool.By{Account: by.Account}, s.ID, "no")
		refused(t, "an answer to oneself", err, fault.Denied)
		_, err = w.Trust.Uphold(ctx, office, s.ID, "resta")
		refused(t, "an answer by who proposed it", err, fault.Denied)
		_, err = w.Trust.Uphold(ctx, second, s.ID, " ")
		refused(t, "an answer without words", err, fault.Invalid)
		_, err = w.Trust.Uphold(ctx, second, s.ID, "due testimoni lo dicono")
		must(t, err)
		_, err = w.Trust.Uphold(ctx, second, s.ID, "di nuovo")
		refused(t, "two answers", err, fault.Conflict)
		if got := w.told(driver.ID); !strings.Contains(got, "member.upheld") {
			t.Errorf("the driver was told %q", got)
		}
		mine, err = w.Trust.SuspensionsOf(ctx, driver.ID)
		must(t, err)
		if len(mine) != 1 || mine[0].Answer != "due testimoni lo dicono" || mine[0].AnsweredBy != "" || mine[0].State != carpool.SuspensionInForce {
			t.Errorf("%+v", mine)
		}
		_, err = w.Trust.Lift(ctx, carpool.By{Account: by.Account}, s.ID, "basta")
		refused(t, "lifted by the member", err, fault.Denied)
		lifted, err := w.Trust.Lift(ctx, office, s.ID, "chiarito")
		must(t, err)
		if lifted.State != carpool.SuspensionLifted || lifted.Appeal != "non è vero" {
			t.Errorf("%+v", lifted)
		}
		if m, _ := w.Members.Get(ctx, driver.ID); m.State != carpool.Active {
			t.Errorf("%+v", m)
		}
		if open, err := w.Trust.Suspensions(ctx, true); err != nil || len(open) != 0 {
			t.Errorf("%v, %v", open, err)
		}
		if all, err := w.Trust.Suspensions(ctx, false); err != nil || len(all) != 1 {
			t.Errorf("%v, %v", all, err)
		}
		again, err := w.Trust.Propose(ctx, office, driver.ID, reason)
		must(t, err)
		_, err = w.Trust.Settle(ctx, second, again.ID, false, "")
		refused(t, "refused without words", err, fault.Invalid)
		_, err = w.Trust.Uphold(ctx, second, again.ID, "resta")
		refused(t, "an answer to nothing", err, fault.Conflict)
		_, err = w.Trust.Settle(ctx, second, again.ID, false, "troppo poco")
		must(t, err)
		if m, _ := w.Members.Get(ctx, driver.ID); m.State != carpool.Active {
			t.Errorf("%+v", m)
		}
	})
}

// sessionOf is the data of a session as the pages keep it.
func sessionOf(t testing.TB, account string) []byte {
	t.Helper()
	return encodeSession(t, map[string]any{login.SessionPerson: account, login.SessionFrom: "192.0.2.77", login.SessionAgent: "browser"})
}
