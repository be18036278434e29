package carpool_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

func idOf(list []carpool.CodeCall, account string) string {
	for _, c := range list {
		if c.Account == account {
			return c.ID
		}
	}
	return ""
}

// Who joins by a telephone at home is called by one operator, who alone learns
// the number; after a day nothing of it is left.
func TestCallsWithACode(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		other := carpool.By{Account: "operatore-b", Desk: true}
		must(t, w.Desk.AskCode(ctx, "r-1", "0173 505050", "004021"))
		must(t, w.Desk.AskCode(ctx, "r-1", "0173 505050", "004021"))
		list, err := w.Desk.CodeCalls(ctx, atDesk)
		must(t, err)
		if len(list) != 1 || list[0].Phone != "" || list[0].Account != "r-1" || list[0].Comune != "004021" {
			t.Fatalf("%+v", list)
		}
		id := list[0].ID
		_, err = w.Desk.CodeCalls(ctx, carpool.By{Account: "r-2"})
		refused(t, "the list for a resident", err, fault.Denied)
		_, err = w.Desk.TakeCode(ctx, carpool.By{Account: "r-2"}, id)
		refused(t, "a call for a resident", err, fault.Denied)
		refused(t, "an outcome before taking", w.Desk.EndCode(ctx, atDesk, id, carpool.CallReached), fault.Conflict)
		got, err := w.Desk.TakeCode(ctx, atDesk, id)
		must(t, err)
		if got.Phone != "+390173505050" || got.Account != "r-1" {
			t.Errorf("%+v", got)
		}
		_, err = w.Desk.TakeCode(ctx, other, id)
		refused(t, "a colleague has it", err, fault.Conflict)
		refused(t, "a colleague's outcome", w.Desk.EndCode(ctx, other, id, carpool.CallReached), fault.Conflict)
		refused(t, "an outcome of other calls", w.Desk.EndCode(ctx, atDesk, id, carpool.CallLater), fault.Invalid)
		w.now = w.now.Add(carpool.CallLease)
		for try := 1; try <= 3; try++ {
			_, err = w.Desk.TakeCode(ctx, other, id)
			must(t, err)
			must(t, w.Desk.EndCode(ctx, other, id, carpool.CallNoAnswer))
		}
		_, err = w.Desk.TakeCode(ctx, other, id)
		refused(t, "after three tries", err, fault.NotFound)

		refused(t, "a fourth", w.Desk.AskCode(ctx, "r-1", "0173 505050", "004021"), fault.Conflict)

		// Whose code came too late is called again; who asked for none is not.
		for _, c := range []struct {
			account string
			outcome carpool.CallOutcome
			again   bool
		}{{"r-late", carpool.CallReached, true}, {"r-prank", carpool.CallWrong, false}} {
			must(t, w.Desk.AskCode(ctx, c.account, "0173 8080"+fmt.Sprint(len(c.account)), "004021"))
			list, err := w.Desk.CodeCalls(ctx, atDesk)
			must(t, err)
			taken, err := w.Desk.TakeCode(ctx, atDesk, idOf(list, c.account))
			must(t, err)
			must(t, w.Desk.EndCode(ctx, atDesk, taken.ID, c.outcome))
			if err := w.Desk.AskCode(ctx, c.account, "0173 8080"+fmt.Sprint(len(c.account)), "004021"); (err == nil) != c.again {
				t.Errorf("%s asks again: %v", c.account, err)
			}
		}

		// A number is called twice in a day at most, whoever writes it down.
		must(t, w.Desk.AskCode(ctx, "r-3", "0173505050", "004021"))
		refused(t, "a third call to a number", w.Desk.AskCode(ctx, "r-4", "+39 0173 505050", "004021"), fault.Conflict)
		for n := range 28 {
			must(t, w.Desk.AskCode(ctx, fmt.Sprint("r-1", n), fmt.Sprint("0173 6000", 10+n), "004021"))
		}
		refused(t, "more than the desk can call", w.Desk.AskCode(ctx, "r-5", "0173 700000", "004021"), fault.Conflict)
		if n := w.number(`SELECT count(*) FROM audit_line WHERE detail LIKE '%505050%' OR object LIKE '%505050%'`); n != 0 {
			t.Error("the log holds the number")
		}
		w.now = w.now.Add(24 * time.Hour)
		if list, err = w.Desk.CodeCalls(ctx, atDesk); err != nil || len(list) != 0 {
			t.Errorf("after a day %v, %v", list, err)
		}
		must(t, w.Privacy.Round(ctx))
		if n := w.number(`SELECT count(*) FROM carpool_code_calls`); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}
