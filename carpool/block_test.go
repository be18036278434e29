package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func eachTown(t *testing.T, test func(t *testing.T, w *town)) {
	storetest.Story(t, func(t *testing.T, db *store.DB) { test(t, newTown(t, db)) })
}

func (w *town) view(by carpool.By, id carpool.BookingID) carpool.BookingView {
	w.t.Helper()
	v, err := w.Bookings.Get(w.t.Context(), by, id)
	must(w.t, err)
	return v
}

func TestBlockEndsTheLiftsBetweenTwo(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		d2, car2 := w.driver("2027-12-31")
		o := once(car, wednesday, "07:10")
		o.DoorToDoor = true
		w.offer(d, o)
		a, b := w.resident(), w.resident()
		door := need(wednesday, "07:00", "08:30")
		door.From, door.DoorToDoor = carpool.Spot{Address: "Via Segreta 1", At: lonlat(8.1003, 44.5503)}, true
		got := w.request(a, door, nil)
		accepted := w.accepted(d, a, got)
		asked := w.book(b, w.request(b, need(wednesday, "07:00", "08:30"), nil))
		if v := w.view(d, accepted.ID); v.RiderIs.Phone == "" || v.Pickup.Spot.Address == "" {
			t.Fatalf("an accepted rider: %+v", v)
		}
		w.offer(d2, once(car2, wednesday, "07:20"))
		must(t, w.Members.Block(t.Context(), a, d.Member))
		must(t, w.Members.Block(t.Context(), d, b.Member))
		for _, id := range []carpool.BookingID{accepted.ID, asked.ID} {
			v := w.view(d, id)
			if v.State != carpool.Cancelled || v.EndedBy != carpool.AsProgram || v.Reason != carpool.ReasonOff || v.RiderIs.Phone != "" || v.RiderIs.Last != "" || v.Pickup.Spot.Address != "" {
				t.Errorf("after the block the driver sees %+v", v)
			}
			_, err := w.Bookings.Accept(t.Context(), d, id, "")
			w.refused(err, fault.Conflict, "accept after a block")
		}
		if n := w.told(a.Member, carpool.NoticeCancelled) + w.told(d.Member, carpool.NoticeCancelled) + w.told(b.Member, carpool.NoticeCancelled); n != 4 {
			t.Errorf("told %d times", n)
		}
		for _, by := range []carpool.By{a, b} {
			list, err := w.Bookings.Requests(t.Context(), by.Member)
			must(t, err)
			if len(list) != 1 || list[0].State == carpool.RequestWithdrawn || list[0].Way.Kind == "" {
				t.Errorf("the way after the block: %+v", list)
			}
		}
		if n := w.told(d2.Member, carpool.NoticeAsked); n == 0 {
			t.Error("no other driver was asked")
		}
		if n := w.count(`SELECT count(*) FROM carpool_stops s JOIN carpool_rides r ON r.id = s.ride WHERE r.driver = $1 AND s.booking <> ''`, string(d.Member)); n != 0 {
			t.Errorf("%d stops are left", n)
		}
	})
}

func TestBlockLeavesWhoIsAboard(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		w.offer(d, once(car, wednesday, "07:10"))
		a := w.resident()
		bk := w.accepted(d, a, w.request(a, need(wednesday, "07:00", "08:30"), nil))
		if s, err := w.Desk.Slip(t.Context(), d, bk.ID); err != nil || s.RiderPhone == "" || s.Rider == "Residente2" {
			t.Errorf("the slip of an accepted lift: %+v, %v", s, err)
		}
		w.at(bk.Pickup.At)
		_, err := w.Bookings.Board(t.Context(), a, bk.ID, "")
		must(t, err)
		must(t, w.Members.Block(t.Context(), a, d.Member))
		for _, by := range []carpool.By{a, d} {
			v := w.view(by, bk.ID)
			if v.State != carpool.Boarded || by == d && v.RiderIs.Phone != "" || by == a && (v.DriverIs.Phone != "" || v.Plate != "") {
				t.Errorf("%s sees %+v", v.As, v)
			}
			trips, err := w.Members.Trips(t.Context(), by.Member, bk.Pickup.At.Add(-time.Hour), bk.Drop.At)
			must(t, err)
			if len(trips) != 1 || trips[0].Phone != "" || trips[0].Car != "" || trips[0].Other != "" {
				t.Errorf("the calendar: %+v", trips)
			}
			s, err := w.Desk.Slip(t.Context(), by, bk.ID)
			must(t, err)
			if by == d && s.RiderPhone != "" || by == a && (s.DriverPhone != "" || s.Plate != "") {
				t.Errorf("the slip: %+v", s)
			}
		}
	})
}

func TestBlockHoldsInTheCarOfAThird(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		w.offer(d, once(car, wednesday, "07:10"))
		a, b, c := w.resident(), w.resident(), w.resident()
		late := w.book(c, w.request(c, need(wednesday, "07:00", "08:30"), nil))
		must(t, w.Members.Block(t.Context(), a, b.Member))
		must(t, w.Members.Block(t.Context(), a, c.Member))
		w.accepted(d, a, w.request(a, need(wednesday, "07:00", "08:30"), nil))
		if m := w.matches(w.request(b, need(wednesday, "07:00", "08:30"), nil)); len(m) != 0 {
			t.Errorf("who is kept away is offered the same car: %+v", m)
		}
		_, err := w.Bookings.Accept(t.Context(), d, late.ID, "")
		w.refused(err, fault.Conflict, "take in who is kept away from a rider")
		if v := w.view(c, late.ID); v.State != carpool.Declined || v.Reason != carpool.ReasonTaken {
			t.Errorf("what the rider learns: %+v", v)
		}
	})
}

func TestBlockOfAGuardianHoldsForTheMinor(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		w.offer(d, once(car, wednesday, "07:10"))
		g := w.resident()
		minor, err := w.Members.Register(t.Context(), g, carpool.Registration{Member: carpool.Member{First: "Minore", Last: "Prova", Minor: true, Guardian: g.Member, Comune: "004000"},
			Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentMinor}, How: "page"})
		must(t, err)
		q := need(wednesday, "07:00", "08:30")
		q.Rider = minor.ID
		bk := w.accepted(d, g, w.request(g, q, nil))
		must(t, w.Members.Block(t.Context(), g, d.Member))
		if v := w.view(g, bk.ID); v.State != carpool.Cancelled {
			t.Errorf("the minor's lift: %s", v.State)
		}
		q = need(wednesday, "07:05", "08:30")
		q.Rider = minor.ID
		if m := w.matches(w.request(g, q, nil)); len(m) != 0 {
			t.Errorf("the minor is offered the ride of whom the guardian blocked: %+v", m)
		}
		must(t, w.Members.Unblock(t.Context(), g, d.Member))
		must(t, w.Members.Block(t.Context(), d, g.Member))
		if m := w.matches(q); len(m) != 0 {
			t.Errorf("who blocked the guardian is offered the minor: %+v", m)
		}
	})
}

func TestBlockHoldsForASuspendedSearch(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		w.offer(d, once(car, wednesday, "07:10"))
		a := w.resident()
		q := need(wednesday, "07:00", "08:30")
		q.Rider = a.Member
		must(t, w.Members.Block(t.Context(), d, a.Member))
		w.exec(`UPDATE carpool_members SET state = 'suspended' WHERE id = $1`, string(a.Member))
		if m := w.matches(q); len(m) != 0 {
			t.Errorf("a suspended member finds who blocked them: %+v", m)
		}
	})
}

func TestTheSlipTellsNamesForADayOnly(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		o := once(car, wednesday, "07:10")
		o.DoorToDoor = true
		w.offer(d, o)
		a := w.resident()
		door := need(wednesday, "07:00", "08:30")
		door.From, door.DoorToDoor = carpool.Spot{Address: "Via Segreta 1", At: lonlat(8.1003, 44.5503)}, true
		bk := w.book(a, w.request(a, door, nil))
		if s, err := w.Desk.Slip(t.Context(), d, bk.ID); err != nil || s.From != "" || s.RiderPhone != "" || s.Rider != "Residente2" {
			t.Errorf("a slip before the acceptance: %+v, %v", s, err)
		}
		_, err := w.Bookings.Accept(t.Context(), d, bk.ID, "")
		must(t, err)
		if s, err := w.Desk.Slip(t.Context(), d, bk.ID); err != nil || s.From != "Via Segreta 1" || s.RiderPhone == "" {
			t.Errorf("a slip after the acceptance: %+v, %v", s, err)
		}
		w.at(bk.Drop.At.Add(time.Minute))
		_, err = w.Bookings.Complete(t.Context(), d, bk.ID, "")
		must(t, err)
		w.later(25 * time.Hour)
		for _, by := range []carpool.By{a, d} {
			s, err := w.Desk.Slip(t.Context(), by, bk.ID)
			must(t, err)
			if by == d && (s.From != "" || s.RiderPhone != "") || by == a && (s.DriverPhone != "" || s.Plate != "") {
				t.Errorf("a slip a day later: %+v", s)
			}
		}
	})
}
