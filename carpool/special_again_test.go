package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
)

// TestASpecialDayIsOneForAllShifts: whoever of the desk sends it again, and
// when, nobody gets a second request; who withdrew gets a new one.
func TestASpecialDayIsOneForAllShifts(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		a := w.resident()
		_, err := w.Members.Consent(t.Context(), carpool.By{Account: "op1", Member: a.Member, Desk: true}, a.Member, carpool.ConsentDesk, "voice")
		must(t, err)
		at := local(wednesday, "07:30").AddDate(0, 0, 14)
		day := carpool.SpecialDay{Mark: "sciopero", From: carpool.Spot{Place: "niella"}, To: carpool.Spot{Place: "alba"}, When: carpool.Window{From: at, To: at.Add(time.Hour)},
			Riders: []carpool.SpecialRider{{Member: a.Member}}}
		send := func(operator string) carpool.RequestID {
			t.Helper()
			res, err := w.Desk.SpecialDay(t.Context(), carpool.By{Account: operator, Desk: true}, day)
			must(t, err)
			if len(res) != 1 || res[0].Err != "" || res[0].Request.ID == "" {
				t.Fatalf("%+v", res)
			}
			return res[0].Request.ID
		}
		first := send("op1")
		if got := send("op2"); got != first {
			t.Errorf("the next shift made %s beside %s", got, first)
		}
		w.later(8 * 24 * time.Hour)
		w.round()
		must(t, w.Privacy.Round(t.Context()))
		if got := send("op1"); got != first {
			t.Errorf("a week later %s was made beside %s", got, first)
		}
		must(t, w.Bookings.WithdrawRequest(t.Context(), a, first, ""))
		fresh := send("op2")
		if fresh == first || send("op1") != fresh {
			t.Errorf("after the withdrawal: %s, before %s", fresh, first)
		}
		if n := w.count(`SELECT count(*) FROM carpool_requests`); n != 2 {
			t.Errorf("%d requests", n)
		}
		w.at(at.AddDate(0, 0, 9))
		w.round()
		if n := w.count(`SELECT count(*) FROM carpool_once`); n != 0 {
			t.Errorf("%d marks are kept after the day", n)
		}
	})
}
