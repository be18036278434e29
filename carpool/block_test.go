package carpool_test

import (
	"fmt"
	"slices"
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
			if !slices.Contains([]carpool.BookingState{carpool.Cancelled, carpool.Declined}, v.State) || v.EndedBy == carpool.AsProgram || v.Reason != "" || v.RiderIs.Phone != "" || v.RiderIs.Last != "" || v.Pickup.Spot.Address != "" {
				t.Errorf("after the block the driver sees %+v", v)
			}
			_, err := w.Bookings.Accept(t.Context(), d, id, "")
			w.refused(err, fault.Conflict, "accept after a block")
		}
		if n := w.told(a.Member, carpool.NoticeCancelled) + w.told(d.Member, carpool.NoticeCancelled) + w.told(b.Member, carpool.NoticeDeclined); n != 3 {
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
		w.lapses(d, b, w.book(b, w.request(b, need(wednesday, "07:00", "08:30"), nil)))
		_, err := w.Bookings.Accept(t.Context(), d, late.ID, "")
		w.refused(err, fault.Conflict, "take in who is kept away from a rider")
		if v := w.view(c, late.ID); v.State != carpool.Asked {
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
		w.lapses(d, g, w.book(g, w.request(g, q, nil)))
		must(t, w.Members.Unblock(t.Context(), g, d.Member))
		must(t, w.Members.Block(t.Context(), d, g.Member))
		q = need(wednesday, "07:06", "08:30")
		q.Rider = minor.ID
		w.lapses(d, g, w.book(g, w.request(g, q, nil)))
	})
}

// lapses: a question to a driver who must not meet its rider is one that nobody
// answers: the driver cannot see it, nor find it in their own data.
func (w *town) lapses(driver, by carpool.By, bk carpool.Booking) {
	w.t.Helper()
	if v := w.view(by, bk.ID); v.State != carpool.Asked {
		w.t.Errorf("the rider sees %+v", v)
	}
	_, err := w.Bookings.Get(w.t.Context(), driver, bk.ID)
	w.refused(err, fault.Denied, "the driver looks at a question of who must not meet them")
	_, err = w.Bookings.Accept(w.t.Context(), driver, bk.ID, "")
	w.refused(err, fault.Denied, "the driver accepts it")
	list, err := w.Bookings.Mine(w.t.Context(), driver.Member, bk.Pickup.At.Add(-time.Hour), bk.Drop.At)
	must(w.t, err)
	for _, j := range list {
		for _, v := range j.Bookings {
			if v.ID == bk.ID {
				w.t.Errorf("the driver's day shows %+v", v)
			}
		}
	}
	trips, err := w.Members.Trips(w.t.Context(), driver.Member, bk.Pickup.At.Add(-time.Hour), bk.Drop.At)
	must(w.t, err)
	if slices.ContainsFunc(trips, func(x carpool.NoticeTrip) bool { return x.Booking == bk.ID }) {
		w.t.Error("the driver's calendar shows it")
	}
}

// Whom somebody keeps away learns nothing of it: search, question, message, wait
// and end are those of any rider whose driver does not answer, and the same as
// what a stranger is shown. So it is for who keeps away, who may be the worse of
// the two; and on the ride of a third.
func TestBlockTellsNothing(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		var seen []string
		for i, block := range []string{"none", "by the driver", "by the rider", "by one who sits there", "of one who sits there"} {
			if i > 0 {
				db = storetest.SQLite(t)
			}
			w := newTown(t, db)
			driver, car := w.driver("2027-12-31")
			rider, third := w.resident(), w.resident()
			w.offer(driver, once(car, "2026-11-24", "07:00"))
			w.accepted(driver, third, w.request(third, need("2026-11-24", "06:30", "08:30"), nil))
			before := w.told(driver.Member, carpool.NoticeAsked)
			switch block {
			case "by the driver":
				must(t, w.Members.Block(t.Context(), driver, rider.Member))
			case "by the rider":
				must(t, w.Members.Block(t.Context(), rider, driver.Member))
			case "by one who sits there":
				must(t, w.Members.Block(t.Context(), third, rider.Member))
			case "of one who sits there":
				must(t, w.Members.Block(t.Context(), rider, third.Member))
			}
			q := need("2026-11-24", "06:30", "08:30")
			open, err := w.Bookings.Search(t.Context(), carpool.Ask{From: q.From, To: q.To, When: q.When})
			must(t, err)
			mine, err := w.Bookings.Search(t.Context(), carpool.Ask{For: rider.Member, From: q.From, To: q.To, When: q.When})
			must(t, err)
			if len(open.Matches) != 1 || len(mine.Matches) != 1 || open.Matches[0].Ride != mine.Matches[0].Ride {
				t.Errorf("%s: a stranger finds %d lifts, the member %d", block, len(open.Matches), len(mine.Matches))
			}
			r := w.request(rider, q, nil)
			said := ""
			look := func(id carpool.BookingID) {
				v, mine := w.view(rider, id), w.requestOf(rider, r.ID)
				said += fmt.Sprintf("%s %s %q %v %v %+v, %s %s %s %s\n", v.State, v.EndedBy, v.Reason, v.Deadline, v.May, v.DriverIs, mine.State, mine.Way.Kind, mine.Way.Text, mine.Way.Until)
			}
			bk := w.book(rider, r)
			look(bk.ID)
			must(t, w.Talk.Send(t.Context(), rider, bk.ID, "Buongiorno, aspetto alla fermata"))
			if i > 0 {
				w.lapses(driver, rider, bk)
				if n := w.told(driver.Member, carpool.NoticeAsked) - before + w.told(driver.Member, carpool.NoticeMessage); n != 0 {
					t.Errorf("%s: the driver is told %d times", block, n)
				}
			}
			look(bk.ID)
			w.at(bk.Deadline)
			w.round()
			look(bk.ID)
			seen = append(seen, said)
		}
		for _, s := range seen[1:] {
			if s != seen[0] {
				t.Errorf("without a block:\n%swith one:\n%s", seen[0], s)
			}
		}
	})
}

// What the program does by itself keeps two apart: whose driver fell away is not
// brought to who keeps them away.
func TestBlockHoldsInTheSearchOfTheProgram(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		other, car2 := w.driver("2027-12-31")
		w.offer(d, once(car, wednesday, "07:10"))
		a := w.resident()
		bk := w.accepted(d, a, w.request(a, need(wednesday, "07:00", "08:30"), nil))
		must(t, w.Members.Block(t.Context(), other, a.Member))
		w.offer(other, once(car2, wednesday, "07:10"))
		_, err := w.Bookings.Cancel(t.Context(), d, bk.ID, "")
		must(t, err)
		w.round()
		if n := w.count(`SELECT count(*) FROM carpool_bookings WHERE rider = $1 AND driver = $2`, string(a.Member), string(other.Member)); n != 0 {
			t.Errorf("the program asks who keeps the rider away %d times", n)
		}
	})
}

// Nobody learns whose ride it is by looking or by asking: the driver is named when
// they have taken the rider in, and not when they have not.
func TestTheDriverIsNamedOnceAccepted(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		d, car := w.driver("2027-12-31")
		w.offer(d, once(car, wednesday, "07:10"))
		a, b := w.resident(), w.resident()
		one, two := w.book(a, w.request(a, need(wednesday, "07:00", "08:30"), nil)), w.book(b, w.request(b, need(wednesday, "07:00", "08:30"), nil))
		if v := w.view(a, one.ID); v.DriverIs != (carpool.Person{}) {
			t.Errorf("who asks sees %+v", v.DriverIs)
		}
		_, err := w.Bookings.Accept(t.Context(), d, one.ID, "")
		must(t, err)
		_, err = w.Bookings.Decline(t.Context(), d, two.ID, "")
		must(t, err)
		if v := w.view(a, one.ID); v.DriverIs.First == "" || v.DriverIs.Phone == "" {
			t.Errorf("who was accepted sees %+v", v.DriverIs)
		}
		if v := w.view(b, two.ID); v.DriverIs != (carpool.Person{}) {
			t.Errorf("who was declined sees %+v", v.DriverIs)
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
