package carpool_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

// rows are those of a table in what a member is given of their own data.
func dataRows(t *testing.T, p *carpool.Portal, by carpool.By, table string) []map[string]any {
	t.Helper()
	var b bytes.Buffer
	must(t, p.Privacy.Export(t.Context(), by, by.Member, &b))
	var out struct {
		Tables map[string][]map[string]any `json:"tables"`
	}
	must(t, json.Unmarshal(b.Bytes(), &out))
	return out.Tables[table]
}

// One's own data tell neither who drives what nobody agreed to, nor that one is
// kept away.
func TestOnesDataTellNoBlock(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		w.offer(d, once(car, wednesday, "07:10"))
		rider, kept := w.resident(), w.resident()
		must(t, w.Members.Block(t.Context(), d, kept.Member))
		got := map[carpool.MemberID]any{}
		for _, by := range []carpool.By{rider, kept} {
			bk := w.book(by, w.request(by, need(wednesday, "07:00", "08:30"), nil))
			must(t, w.Talk.Send(t.Context(), by, bk.ID, "Buongiorno"))
			for _, r := range dataRows(t, w.Portal, by, "carpool_bookings") {
				if r["driver"] == string(d.Member) {
					t.Errorf("who asked and was not taken in yet reads driver=%v in their data", r["driver"])
				}
			}
			for _, r := range dataRows(t, w.Portal, by, "carpool_messages") {
				got[by.Member] = r["receiver"]
			}
		}
		if (got[rider.Member] == "") != (got[kept.Member] == "") {
			t.Errorf("receiver of the message: not kept away %q, kept away %q", got[rider.Member], got[kept.Member])
		}
	})
}

// How often one cancelled says nothing of other rides of that driver.
func TestARefusalTellsNoDriver(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		rider := w.resident()
		w.offer(d, once(car, wednesday, "07:10"))
		for range 3 {
			r := w.request(rider, need(wednesday, "07:00", "08:30"), nil)
			bk := w.book(rider, r)
			_, err := w.Bookings.Cancel(t.Context(), rider, bk.ID, "")
			must(t, err)
			must(t, w.Bookings.WithdrawRequest(t.Context(), rider, r.ID, ""))
		}
		must(t, w.Members.Block(t.Context(), d, rider.Member))
		w.offer(d, once(car, "2026-11-26", "07:10"))
		r := w.request(rider, need("2026-11-26", "07:00", "08:30"), nil)
		_, err := w.Bookings.Book(t.Context(), rider, r.ID, w.matches(r)[0], "")
		if err != nil {
			t.Errorf("another, unnamed ride, after the block: %v", err)
		}
	})
}

// Two who have a seat in the car of a third already: who keeps the other away
// gives theirs up.
func TestBlockPartsTwoInTheCarOfAThird(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		a, b := w.resident(), w.resident()
		w.offer(d, once(car, wednesday, "07:10"))
		one := w.accepted(d, a, w.request(a, need(wednesday, "07:00", "08:30"), nil))
		two := w.accepted(d, b, w.request(b, need(wednesday, "07:00", "08:30"), nil))
		must(t, w.Members.Block(t.Context(), a, b.Member))
		w.round()
		if x, y := w.view(a, one.ID), w.view(b, two.ID); x.State != carpool.Cancelled || x.EndedBy != carpool.AsRider || y.State != carpool.Accepted {
			t.Errorf("a keeps b away: a %s by %s, b %s", x.State, x.EndedBy, y.State)
		}
		if mine := w.requestOf(a, one.Request); mine.State == carpool.RequestWithdrawn || mine.Way.Kind == "" {
			t.Errorf("the way of who keeps the other away: %+v", mine.Way)
		}
	})
}

// The driver moves an offer on which only an unseen question waits.
func TestAnUnseenQuestionHoldsNoRide(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		rider := w.resident()
		o, _ := w.offer(d, once(car, wednesday, "07:10"))
		must(t, w.Members.Block(t.Context(), rider, d.Member))
		w.book(rider, w.request(rider, need(wednesday, "07:00", "08:30"), nil))
		o.When.Time = "09:10"
		_, err := w.Offers.Change(t.Context(), d, o)
		must(t, err)
		list, err := w.Bookings.Mine(t.Context(), d.Member, w.clock(), w.clock().AddDate(0, 0, 7))
		must(t, err)
		if len(list) != 1 || list[0].Ride.Depart.UTC().Hour() != 8 {
			t.Error("the ride that the driver moved stays where it was, with nobody on it: somebody unseen waits")
		}
	})
}

// After a lift the kept-away writes as before, and nobody reads it.
func TestWhoIsKeptAwayWritesIntoTheVoid(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		rider := w.resident()
		w.offer(d, once(car, wednesday, "07:10"))
		bk := w.accepted(d, rider, w.request(rider, need(wednesday, "07:00", "08:30"), nil))
		w.at(bk.Pickup.At)
		_, err := w.Bookings.Board(t.Context(), rider, bk.ID, "")
		must(t, err)
		w.at(bk.Drop.At)
		_, err = w.Bookings.Complete(t.Context(), rider, bk.ID, "")
		must(t, err)
		must(t, w.Talk.Send(t.Context(), rider, bk.ID, "Ho lasciato il berretto"))
		must(t, w.Members.Block(t.Context(), d, rider.Member))
		if err := w.Talk.Send(t.Context(), rider, bk.ID, "Ho lasciato il berretto"); err != nil {
			t.Errorf("the kept-away reads: %v", err)
		}
		list, err := w.Talk.Read(t.Context(), d, bk.ID)
		must(t, err)
		mine, err := w.Talk.Read(t.Context(), rider, bk.ID)
		must(t, err)
		if len(list) != 1 || len(mine) != 2 || w.told(d.Member, carpool.NoticeMessage) != 1 {
			t.Errorf("the driver reads %d of 2 and is told %d times, the writer sees %d", len(list), w.told(d.Member, carpool.NoticeMessage), len(mine))
		}
		w.refused(w.Talk.Send(t.Context(), d, bk.ID, "Ciao"), fault.Denied, "who keeps somebody away writes to them")
	})
}

// With the questions of the day used up every ride answers the same.
func TestQuestionsOfTheDayComeFirst(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		d2, car2 := w.driver("2027-12-31")
		rider := w.resident()
		w.offer(d, once(car, wednesday, "07:10"))
		ask := func(n int, day carpool.Date) {
			for range n {
				r := w.request(rider, need(day, "07:00", "08:30"), nil)
				bk := w.book(rider, r)
				_, err := w.Bookings.Cancel(t.Context(), rider, bk.ID, "")
				must(t, err)
				must(t, w.Bookings.WithdrawRequest(t.Context(), rider, r.ID, ""))
			}
		}
		ask(3, wednesday)
		for i := range 12 { // the rest of the day's questions, to others
			o, c := w.driver("2027-12-31")
			day := carpool.Date("2026-12-01").Plus(i)
			w.offer(o, once(c, day, "07:10"))
			ask(1, day)
		}
		w.offer(d, once(car, "2026-11-26", "07:10"))
		w.offer(d2, once(car2, "2026-11-27", "07:10"))
		said := map[string]string{}
		for _, day := range []carpool.Date{"2026-11-26", "2026-11-27"} {
			r := w.request(rider, need(day, "07:00", "08:30"), nil)
			n := w.count(`SELECT count(*) FROM carpool_bookings`)
			for range 3 {
				_, err := w.Bookings.Book(t.Context(), rider, r.ID, w.matches(r)[0], "")
				said[string(day)] = err.Error()
			}
			if w.count(`SELECT count(*) FROM carpool_bookings`) != n {
				t.Error("something was written")
			}
		}
		if said["2026-11-26"] != said["2026-11-27"] {
			t.Errorf("of D's ride: %s; of another's: %s", said["2026-11-26"], said["2026-11-27"])
		}
	})
}
