package carpool_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

// TestALateCarStops after the time of the drop: whoever is aboard has not
// arrived, and no other driver is sent to where they got in.
func TestALateCarStops(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		driver, car := w.driver("2027-12-31")
		other, car2 := w.driver("2027-12-31")
		w.offer(driver, once(car, wednesday, "07:10"))
		rider, second := w.resident(), w.resident()
		r := w.request(rider, need(wednesday, "07:00", "08:30"), nil)
		q := w.request(second, need(wednesday, "07:00", "08:30"), nil)
		bk, bk2 := w.accepted(driver, rider, r), w.accepted(driver, second, q)
		w.offer(other, once(car2, wednesday, "08:20"))
		w.at(bk.Pickup.At.Add(14 * time.Minute))
		for _, id := range []carpool.BookingID{bk.ID, bk2.ID} {
			_, err := w.Bookings.Board(t.Context(), driver, id, "")
			must(t, err)
		}
		w.at(bk.Drop.At.Add(20 * time.Minute))
		w.round()
		if n := w.count(`SELECT count(*) FROM carpool_bookings WHERE state = 'boarded'`); n != 2 {
			t.Fatalf("%d aboard", n)
		}
		_, err := w.Bookings.Cancel(t.Context(), driver, bk.ID, "")
		w.refused(err, fault.Conflict, "cancelled with the rider aboard")
		_, err = w.Bookings.Stopped(t.Context(), driver, bk.ID, "neve")
		must(t, err)
		w.round()
		for by, id := range map[carpool.By]carpool.RequestID{rider: r.ID, second: q.ID} {
			if got := w.requestOf(by, id); got.State != carpool.RequestDesk || got.Way.Text != carpool.WayTextRoadside {
				t.Errorf("aboard: %s %+v", got.State, got.Way)
			}
		}
		if n := w.told(other.Member, carpool.NoticeAsked); n != 0 {
			t.Errorf("another driver was asked %d times", n)
		}
	})
}

// TestItWasCalledOver: when the program took a lift for made, both may say that
// the car stopped; the rider may also say that they never got in.
func TestItWasCalledOver(t *testing.T) {
	for name, c := range map[string]struct {
		say  func(w *town, driver, rider carpool.By, id carpool.BookingID) error
		text string
	}{
		"rider": {func(w *town, _, rider carpool.By, id carpool.BookingID) error {
			_, err := w.Bookings.Stopped(w.t.Context(), rider, id, "")
			return err
		}, carpool.WayTextRoadside},
		"driver": {func(w *town, driver, _ carpool.By, id carpool.BookingID) error {
			_, err := w.Bookings.Stopped(w.t.Context(), driver, id, "")
			return err
		}, carpool.WayTextRoadside},
		"never in": {func(w *town, _, rider carpool.By, id carpool.BookingID) error {
			_, err := w.Bookings.NoShow(w.t.Context(), rider, id, "")
			return err
		}, carpool.WayTextDesk},
	} {
		t.Run(name, func(t *testing.T) {
			eachTown(t, func(t *testing.T, w *town) {
				driver, car := w.driver("2027-12-31")
				w.offer(driver, once(car, wednesday, "07:10"))
				rider := w.resident()
				r := w.request(rider, need(wednesday, "07:00", "08:30"), nil)
				bk := w.accepted(driver, rider, r)
				w.at(bk.Pickup.At)
				_, err := w.Bookings.Board(t.Context(), driver, bk.ID, "")
				must(t, err)
				w.at(bk.Drop.At.Add(carpool.ArrivedAfter))
				w.round()
				if got := w.requestOf(rider, r.ID); got.State != carpool.RequestDone {
					t.Fatalf("%s", got.State)
				}
				must(t, c.say(w, driver, rider, bk.ID))
				w.round()
				if got := w.requestOf(rider, r.ID); got.State != carpool.RequestDesk || got.Way.Text != c.text {
					t.Errorf("%s %+v", got.State, got.Way)
				}
			})
		})
	}
}

// TestSuspendedWhileAway: the way home of somebody who is suspended while away
// is the desk's; that of one who is at home ends.
func TestSuspendedWhileAway(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		driver, car := w.driver("2027-12-31")
		home := once(car, wednesday, "12:00")
		home.From, home.To = home.To, home.From
		w.offer(driver, home)
		awayNow, atHome := w.resident(), w.resident()
		ask := func(by carpool.By, day carpool.Date, from, to carpool.Clock) carpool.Request {
			out := need(day, from, to)
			out.Return = carpool.ReturnAt
			return w.request(by, out, &carpool.Window{From: local(wednesday, "11:45"), To: local(wednesday, "13:00")})
		}
		a, b := ask(awayNow, wednesday, "07:00", "08:30"), ask(atHome, wednesday, "10:30", "11:30")
		bk := w.accepted(driver, awayNow, w.back(awayNow, a.ID))
		w.accepted(driver, atHome, w.back(atHome, b.ID))
		w.at(local(wednesday, "09:30"))
		for _, m := range []carpool.By{awayNow, atHome} {
			s, err := w.Trust.Propose(t.Context(), carpool.By{Account: "x1"}, m.Member, "alcol")
			must(t, err)
			_, err = w.Trust.Settle(t.Context(), carpool.By{Account: "x2"}, s.ID, true, "")
			must(t, err)
		}
		w.round()
		got := w.back(awayNow, a.ID)
		calls := w.count(`SELECT count(*) FROM carpool_calls WHERE member = $1 AND kind = $2`, string(awayNow.Member), carpool.WayTextAway)
		if got.State != carpool.RequestDesk || got.Way.Text != carpool.WayTextAway || calls != 1 || w.told(awayNow.Member, carpool.NoticeDesk) != 1 || w.told(driver.Member, carpool.NoticeCancelled) != 2 {
			t.Errorf("away: %s %+v, %d calls", got.State, got.Way, calls)
		}
		if n := w.count(`SELECT count(*) FROM carpool_bookings WHERE id = $1 AND state = 'cancelled'`, string(bk.ID)); n != 1 {
			t.Error("the driver still waits for a suspended rider")
		}
		if got := w.back(atHome, b.ID); got.State != carpool.RequestWithdrawn {
			t.Errorf("at home: %s %+v", got.State, got.Way)
		}
	})
}

// TestAWayHomeStays when the way out is given up after its time has begun
// without a lift: its rider may have gone by other means.
func TestAWayHomeStays(t *testing.T) {
	for clock, want := range map[carpool.Clock]carpool.RequestState{"06:59": carpool.RequestWithdrawn, "07:00": carpool.RequestBooked} {
		t.Run(string(clock), func(t *testing.T) {
			eachTown(t, func(t *testing.T, w *town) {
				driver, car := w.driver("2027-12-31")
				home := once(car, wednesday, "12:00")
				home.From, home.To = home.To, home.From
				w.offer(driver, home)
				rider := w.resident()
				out := need(wednesday, "07:00", "08:30")
				out.Return = carpool.ReturnAt
				r := w.request(rider, out, &carpool.Window{From: local(wednesday, "11:45"), To: local(wednesday, "13:00")})
				bk := w.accepted(driver, rider, w.back(rider, r.ID))
				w.at(local(wednesday, clock))
				must(t, w.Bookings.WithdrawRequest(t.Context(), rider, r.ID, ""))
				w.round()
				if got := w.back(rider, r.ID); got.State != want {
					t.Errorf("%s %+v (%s)", got.State, got.Way, bk.ID)
				}
			})
		})
	}
}

// TestOneOfWhomNobodySpoke: when a car stops, a rider past their pick-up whom
// nobody called aboard may be in it: the desk calls, and no driver is sent to
// where they should have got in. What another wrote is not theirs to read.
func TestOneOfWhomNobodySpoke(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		driver, car := w.driver("2027-12-31")
		other, car2 := w.driver("2027-12-31")
		_, ride := w.offer(driver, once(car, wednesday, "07:10"))
		one, silent := w.resident(), w.resident()
		near := need(wednesday, "07:00", "08:30")
		q1, q2 := w.request(one, near, nil), w.request(silent, near, nil)
		a, b := w.accepted(driver, one, q1), w.accepted(driver, silent, q2)
		w.offer(other, once(car2, wednesday, "07:40"))
		w.at(b.Pickup.At.Add(-20 * time.Minute))
		_, err := w.Bookings.Board(t.Context(), one, a.ID, "")
		must(t, err)
		_, err = w.Bookings.Stopped(t.Context(), one, a.ID, "")
		w.refused(err, fault.Invalid, "stopped before it began")
		w.at(b.Pickup.At.Add(5 * time.Minute))
		_, err = w.Bookings.Stopped(t.Context(), one, a.ID, "chiamate Rossi 3331234567")
		must(t, err)
		w.round()
		for by, id := range map[carpool.By]carpool.RequestID{one: q1.ID, silent: q2.ID} {
			if got := w.requestOf(by, id); got.State != carpool.RequestDesk || got.Way.Text != carpool.WayTextRoadside || got.Way.Booking == "" {
				t.Errorf("%s %+v", got.State, got.Way)
			}
		}
		if n := w.told(other.Member, carpool.NoticeAsked); n != 0 {
			t.Errorf("another driver was asked %d times", n)
		}
		if v := w.view(silent, b.ID); strings.Contains(v.Reason, "Rossi") || v.Reason != carpool.ReasonStopped {
			t.Errorf("the other rider reads %q", v.Reason)
		}
		if n := w.count(`SELECT count(*) FROM carpool_calls WHERE note LIKE '%Rossi%'`); n != 3 { // two riders, the driver
			t.Errorf("%d calls say where they are", n)
		}
		if n := w.count(`SELECT count(*) FROM carpool_rides WHERE id = $1 AND reason LIKE '%Rossi%'`, string(ride.ID)); n != 0 {
			t.Error("the ride tells it to all")
		}
		desk := carpool.By{Account: "d1", Desk: true} // a wrong number: once more, later, and the end comes a day after its time
		for range 2 {
			calls, err := w.Desk.Calls(t.Context(), desk)
			must(t, err)
			for _, c := range calls {
				if c.Member == silent.Member {
					_, err := w.Desk.Take(t.Context(), desk, c.ID)
					must(t, err)
					must(t, w.Desk.Outcome(t.Context(), desk, c.ID, carpool.CallWrong, ""))
				}
			}
			w.at(w.requestOf(silent, q2.ID).Way.Until)
			w.round()
		}
		if n := w.count(`SELECT count(*) FROM carpool_calls WHERE member = $1 AND state = 'open'`, string(silent.Member)); n != 1 {
			t.Errorf("%d calls after two wrong numbers", n)
		}
		w.heard(one.Member, carpool.WayTextRoadside)
		must(t, w.Bookings.WithdrawRequest(t.Context(), silent, q2.ID, "sono a casa"))
		if n := w.count(`SELECT count(*) FROM carpool_calls WHERE member = $1 AND state IN ('open', 'taken')`, string(silent.Member)); n != 0 {
			t.Errorf("%d calls about who is at home", n)
		}
	})
}
