package carpool_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

const wednesday carpool.Date = "2026-11-25"

// accepted is a lift from niella to alba that a driver has agreed to.
func (w *town) accepted(driver, rider carpool.By, r carpool.Request) carpool.Booking {
	w.t.Helper()
	bk := w.book(rider, r)
	bk, err := w.Bookings.Accept(w.t.Context(), driver, bk.ID, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return bk
}

// TestADriverCancels: another driver is asked at once; without another the
// search goes on, and in the end there are the list and the desk.
func TestADriverCancels(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		first, car1 := w.driver("2027-12-31")
		second, car2 := w.driver("2027-12-31")
		rider := w.resident(func(m *carpool.Member) { m.Trusted = carpool.Contact{Name: "Figlia", Phone: "+393330000999"} })
		w.offer(first, once(car1, wednesday, "07:10"))
		_, other := w.offer(second, once(car2, wednesday, "07:40"))
		r := w.request(rider, need(wednesday, "07:00", "08:30"), nil)
		bk := w.accepted(first, rider, r)
		if got := w.requestOf(rider, r.ID); got.State != carpool.RequestBooked || got.Way.Kind != carpool.WayRide {
			t.Fatalf("booked: %+v", got.Way)
		}
		bk, err := w.Bookings.Cancel(t.Context(), first, bk.ID, "gomma a terra")
		if err != nil || bk.State != carpool.Cancelled || bk.Reason != "gomma a terra" || bk.EndedBy != carpool.AsDriver {
			t.Fatalf("cancel: %+v, %v", bk, err)
		}
		got := w.requestOf(rider, r.ID)
		if got.Way.Kind != carpool.WayAsked {
			t.Fatalf("after the driver cancelled: %+v in %s", got.Way, got.State)
		}
		v, err := w.Bookings.Get(t.Context(), rider, got.Way.Booking)
		if err != nil || v.Ride != other.ID || v.Driver != second.Member {
			t.Fatalf("asked next: %+v, %v", v.Booking, err)
		}
		for kind, n := range map[carpool.NoticeKind]int{carpool.NoticeCancelled: 1, carpool.NoticeSearching: 2, carpool.NoticeGuardian: 1} {
			if w.told(rider.Member, kind) != n {
				t.Errorf("%s told %d times, want %d", kind, w.told(rider.Member, kind), n)
			}
		}
		if w.told(first.Member, carpool.NoticeCancelled) != 1 || w.told(second.Member, carpool.NoticeAsked) != 1 {
			t.Error("a driver was not told")
		}
		if _, err := w.Bookings.Decline(t.Context(), second, got.Way.Booking, ""); err != nil {
			t.Fatal(err)
		}
		got = w.requestOf(rider, r.ID)
		if got.State != carpool.RequestOpen || got.Way.Text != carpool.WayTextAgain || !got.Way.Until.Equal(local("2026-11-24", "07:00")) {
			t.Fatalf("nobody is left: %+v in %s", got.Way, got.State)
		}
		w.at(got.Way.Until)
		w.round()
		if got = w.requestOf(rider, r.ID); got.Way.Text != carpool.WayTextRoad || w.told(first.Member, carpool.NoticeRoadAsked) != 1 || w.told(second.Member, carpool.NoticeRoadAsked) != 1 {
			t.Fatalf("drivers who know the road: %+v", got.Way)
		}
		w.at(got.Way.Until)
		w.round()
		if got = w.requestOf(rider, r.ID); got.Way.Kind != carpool.WayDesk || w.told(rider.Member, carpool.NoticeDesk) != 1 || w.count(`SELECT count(*) FROM carpool_calls WHERE kind = $1`, carpool.WayTextDesk) != 1 {
			t.Fatalf("the desk: %+v", got.Way)
		}
		w.round()
		if n := w.count(`SELECT count(*) FROM carpool_calls`); n != 1 {
			t.Errorf("%d tasks after a second round", n)
		}
	})
}

// visit is a resident taken to the valley at seven whose way back is open, a taxi
// on the list, and a driver who goes home at half past eleven.
type visit struct {
	rider, driver carpool.By
	out           carpool.Request
	home          carpool.Offer // not made yet
}

func (w *town) visit() visit {
	w.t.Helper()
	if _, err := w.Places.PutListed(w.t.Context(), carpool.By{Account: "office"}, carpool.Listed{Name: "Taxi", Phone: "0173000000", Kind: "taxi", Hours: "sempre"}); err != nil {
		w.t.Fatal(err)
	}
	v := visit{}
	var car carpool.VehicleID
	v.driver, car = w.driver("2027-12-31")
	v.home = once(car, wednesday, "11:30")
	v.home.From, v.home.To = v.home.To, v.home.From
	v.rider = w.resident()
	out := need(wednesday, "07:00", "08:00")
	out.Return = carpool.ReturnOpen
	v.out = w.request(v.rider, out, nil)
	return v
}

// TestAnOpenReturn: the visit ends, a driver agrees and does not come, the
// round sees it; then the list, then the desk.
func TestAnOpenReturn(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		v := w.visit()
		rider, driver := v.rider, v.driver
		back := w.back(rider, v.out.ID)
		if back.State != carpool.RequestWaiting || back.Way.Text != carpool.WayTextWaiting || !back.Way.Until.Equal(local(wednesday, "13:00")) {
			t.Fatalf("the way back: %+v in %s", back.Way, back.State)
		}
		w.offer(driver, v.home)
		w.at(local(wednesday, "11:00"))
		w.round()
		_, err := w.Bookings.Ready(t.Context(), driver, back.ID, w.clock())
		w.refused(err, fault.Denied, "somebody else says that the visit has ended")
		back, err = w.Bookings.Ready(t.Context(), rider, back.ID, w.clock())
		if err != nil || back.Way.Kind != carpool.WayAsked || back.Way.Listed == "" {
			t.Fatalf("ready: %+v, %v", back.Way, err)
		}
		_, err = w.Bookings.Ready(t.Context(), rider, back.ID, w.clock())
		w.refused(err, fault.Conflict, "ready twice")
		bk, err := w.Bookings.Accept(t.Context(), driver, back.Way.Booking, "")
		if err != nil {
			t.Fatal(err)
		}
		w.at(bk.Pickup.At.Add(14 * time.Minute))
		w.round()
		if got := w.requestOf(rider, back.ID); got.Way.Kind != carpool.WayRide {
			t.Fatalf("a little late: %+v", got.Way)
		}
		w.at(bk.Pickup.At.Add(15 * time.Minute))
		w.round()
		got := w.requestOf(rider, back.ID)
		if got.Way.Kind != carpool.WayList || got.Way.Listed == "" || w.told(rider.Member, carpool.NoticeNoShow) != 1 || w.told(rider.Member, carpool.NoticeListed) != 1 {
			t.Fatalf("nobody came: %+v in %s", got.Way, got.State)
		}
		w.at(got.Way.Until)
		w.round()
		if got = w.requestOf(rider, back.ID); got.Way.Kind != carpool.WayDesk {
			t.Fatalf("after the list: %+v", got.Way)
		}
	})
}

// TestWhoIsAwayKnowsWhomToCall from the first word on, also when the driver who
// was asked says no: the desk may be closed by then. At home nobody is told so
// for days.
func TestWhoIsAwayKnowsWhomToCall(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		v := w.visit()
		rider, driver := v.rider, v.driver
		if v.out.Way.Kind != carpool.WaySearch || v.out.Way.Listed != "" {
			t.Errorf("at home: %+v", v.out.Way)
		}
		back := w.back(rider, v.out.ID)
		w.offer(driver, v.home)
		w.at(local(wednesday, "11:00"))
		w.round()
		back, err := w.Bookings.Ready(t.Context(), rider, back.ID, w.clock())
		if err != nil || back.Way.Kind != carpool.WayAsked {
			t.Fatalf("ready: %+v, %v", back.Way, err)
		}
		if _, err := w.Bookings.Decline(t.Context(), driver, back.Way.Booking, ""); err != nil {
			t.Fatal(err)
		}
		got := w.requestOf(rider, back.ID)
		if got.Way.Listed == "" || got.Way.Kind != carpool.WaySearch && got.Way.Kind != carpool.WayList {
			t.Errorf("declined: %+v", got.Way)
		}
		if n := w.count(`SELECT count(*) FROM carpool_notices WHERE member = $1 AND kind IN ('way.search', 'way.list') AND params LIKE '%' || $2 || '%'`, string(rider.Member), got.Way.Listed); n == 0 {
			t.Error("nothing that they were told has the number in it")
		}
	})
}

// TestRefusals: who may not, and what cannot be.
func TestRefusals(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	driver, car := w.driver("2026-11-30")
	_, ride := w.offer(driver, once(car, wednesday, "07:10"))
	wish := need(wednesday, "07:00", "08:00")
	match := carpool.Match{Ride: ride.ID, Pickup: carpool.MatchStop{Place: "niella"}, Drop: carpool.MatchStop{Place: "alba"}}
	book := func(by carpool.By) error {
		r := w.request(by, wish, nil)
		_, err := w.Bookings.Book(t.Context(), by, r.ID, match, "")
		return err
	}
	w.refused(book(driver), fault.Denied, "a driver books his own ride")
	same := w.resident(func(m *carpool.Member) { m.Phone, m.Family = "+393330000001", true })
	if m := w.matches(w.request(same, wish, nil)); len(m) != 1 {
		t.Errorf("a search with the driver's number finds %v: it tells whose ride it is", m)
	}
	if err := book(same); err != nil {
		t.Errorf("the same phone on both sides: %v", err)
	}
	if n := w.count(`SELECT count(*) FROM carpool_reports WHERE kind = 'same-phone' AND about = $1 AND other = $2 AND ride = $3`, string(same.Member), string(driver.Member), string(ride.ID)); n != 1 {
		t.Errorf("the office reads of one phone on both sides %d times", n)
	}
	if n := w.count(`SELECT count(*) FROM audit_line WHERE action = 'carpool.booking.same-phone'`); n != 1 {
		t.Errorf("it stands in the log %d times", n)
	}
	blocked := w.resident()
	if err := w.Members.Block(t.Context(), driver, blocked.Member); err != nil {
		t.Fatal(err)
	}
	if err := book(blocked); err != nil {
		t.Errorf("a blocked rider asks: %v", err)
	}
	if n := w.count(`SELECT count(*) FROM carpool_bookings WHERE rider = $1 AND unseen = 1`, string(blocked.Member)); n != 1 {
		t.Errorf("the driver hears of a blocked rider: %d of 1 questions are kept from them", n)
	}
	guardian := w.resident()
	child, err := w.Members.Register(t.Context(), guardian, carpool.Registration{How: "page",
		Member:   carpool.Member{First: "Figlio", Last: "Cognome", Comune: "004000", Minor: true, Guardian: guardian.Member},
		Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentMinor}})
	if err != nil {
		t.Fatal(err)
	}
	young := wish
	young.Rider = child.ID
	r := w.request(guardian, young, nil)
	if r.Rider != child.ID {
		t.Errorf("the guardian asks for %s", r.Rider)
	}
	w.exec(`UPDATE carpool_consents SET withdrawn_ms = 1 WHERE member = $1 AND what = $2`, string(child.ID), string(carpool.ConsentMinor))
	_, err = w.Bookings.Book(t.Context(), guardian, r.ID, match, "")
	w.refused(err, fault.Denied, "a minor without consent")
	_, err = w.Bookings.Request(t.Context(), guardian, young, nil, "")
	w.refused(err, fault.Denied, "a minor without consent asks")
	_, err = w.Offers.Add(t.Context(), driver, once(car, "2026-12-01", "07:10"), "")
	w.refused(err, fault.Denied, "an offer after the papers run out")
	_, err = w.Bookings.Request(t.Context(), carpool.By{Account: "desk-1", Member: guardian.Member, Desk: true}, wish, nil, "")
	w.refused(err, fault.Denied, "the desk without consent")
	_, err = w.Bookings.Request(t.Context(), carpool.By{Account: driver.Account, Member: guardian.Member}, wish, nil, "")
	w.refused(err, fault.Denied, "in another's name")
	_, err = w.Bookings.Book(t.Context(), driver, r.ID, match, "")
	w.refused(err, fault.Denied, "another's request")
	_, err = w.Bookings.Book(t.Context(), guardian, "q-none", match, "")
	w.refused(err, fault.Denied, "a request that is not there")

	ok := w.resident()
	w.exec(`UPDATE carpool_checks SET state = 'void'`)
	if m := w.matches(w.request(ok, wish, nil)); len(m) != 0 {
		t.Errorf("a driver without papers is found: %v", m)
	}
	w.refused(book(ok), fault.Conflict, "a driver without papers")
}

func TestBadInput(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	driver, car := w.driver("2027-12-31")
	rider := w.resident(func(m *carpool.Member) { m.First = "Zoë 🏔️" })
	long := strings.Repeat("è", 10<<10/2)
	for name, change := range map[string]func(*carpool.Request){
		"reversed": func(r *carpool.Request) { r.When.From, r.When.To = r.When.To, r.When.From },
		"past": func(r *carpool.Request) {
			r.When = carpool.Window{From: monday.Add(-2 * time.Hour), To: monday.Add(-time.Hour)}
		},
		"no window":       func(r *carpool.Request) { r.When = carpool.Window{} },
		"two days":        func(r *carpool.Request) { r.When.To = r.When.From.Add(48 * time.Hour) },
		"long note":       func(r *carpool.Request) { r.Note = long },
		"not text":        func(r *carpool.Request) { r.Note = "\xff\xfe" },
		"many companions": func(r *carpool.Request) { r.Companions = 4 },
		"fewer than none": func(r *carpool.Request) { r.Companions = -1 },
		"child seats":     func(r *carpool.Request) { r.Needs.ChildSeats = 2 },
		"nowhere":         func(r *carpool.Request) { r.To = carpool.Spot{} },
		"unknown place":   func(r *carpool.Request) { r.To.Place = "luna" },
		"to itself":       func(r *carpool.Request) { r.To = r.From },
		"a long walk":     func(r *carpool.Request) { r.MaxWalk = 3 * time.Hour },
		"door, no address": func(r *carpool.Request) {
			r.From, r.DoorToDoor = carpool.Spot{At: geo.LonLat{Lon: 8.1, Lat: 44.5}}, true
		},
		"return, no time": func(r *carpool.Request) { r.Return = carpool.ReturnAt },
		"some return":     func(r *carpool.Request) { r.Return = "perhaps" },
		"off the globe":   func(r *carpool.Request) { r.From = carpool.Spot{At: geo.LonLat{Lon: 800, Lat: 44}} },
	} {
		r := need(wednesday, "07:00", "08:00")
		change(&r)
		_, err := w.Bookings.Request(t.Context(), rider, r, nil, "")
		w.refused(err, fault.Invalid, "request: "+name)
	}
	for name, change := range map[string]func(*carpool.Offer){
		"past":          func(o *carpool.Offer) { o.When.Date = "2026-11-22" },
		"this morning":  func(o *carpool.Offer) { o.When.Date, o.When.Time = "2026-11-23", "07:59" },
		"no seats":      func(o *carpool.Offer) { o.Seats = 0 },
		"too many":      func(o *carpool.Offer) { o.Seats = 5 },
		"full already":  func(o *carpool.Offer) { o.Seats, o.Aboard = 3, 2 },
		"greedy":        func(o *carpool.Offer) { o.MilliEURKm = 149 },
		"long note":     func(o *carpool.Offer) { o.Note = long },
		"wheelchair":    func(o *carpool.Offer) { o.Carries.Wheelchair = true },
		"far round":     func(o *carpool.Offer) { o.MaxDetour = 3 * time.Hour },
		"no car":        func(o *carpool.Offer) { o.Vehicle = "v-none" },
		"no rule":       func(o *carpool.Offer) { o.When.Date, o.When.Rule = "", "FREQ=NEVER" },
		"back to start": func(o *carpool.Offer) { o.To = o.From },
	} {
		o := once(car, wednesday, "07:10")
		change(&o)
		_, err := w.Offers.Add(t.Context(), driver, o, "")
		w.refused(err, fault.Invalid, "offer: "+name)
	}
	if n := w.count(`SELECT count(*) FROM carpool_offers`) + w.count(`SELECT count(*) FROM carpool_requests`) + w.count(`SELECT count(*) FROM carpool_addresses`); n != 0 {
		t.Errorf("%d rows of refused things", n)
	}
	r := need(wednesday, "07:00", "08:00")
	r.Note = strings.Repeat("è", 300)
	w.request(rider, r, nil)
	_, err := w.Bookings.Request(t.Context(), rider, r, nil, strings.Repeat("x", 101))
	w.refused(err, fault.Invalid, "a long mark")
}

// TestTwice: a form that is sent twice does its work once, for whoever sent it.
func TestTwice(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		rider, other := w.resident(), w.resident()
		o1, err1 := w.Offers.Add(t.Context(), driver, once(car, wednesday, "07:10"), "form-1")
		o2, err2 := w.Offers.Add(t.Context(), driver, once(car, wednesday, "07:10"), "form-1")
		if err1 != nil || err2 != nil || o1.ID != o2.ID {
			t.Fatalf("%v %v, %v %v", o1.ID, o2.ID, err1, err2)
		}
		wish := need(wednesday, "07:00", "08:00")
		ask := func(by carpool.By) carpool.Request {
			r, err := w.Bookings.Request(t.Context(), by, wish, nil, "form-2")
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		r := ask(rider)
		if again := ask(rider); again.ID != r.ID {
			t.Error("two requests of one form")
		}
		if ask(other).ID == r.ID {
			t.Error("the mark of one works for another")
		}
		m := w.matches(r)[0]
		b1, err1 := w.Bookings.Book(t.Context(), rider, r.ID, m, "form-3")
		b2, err2 := w.Bookings.Book(t.Context(), rider, r.ID, m, "form-3")
		if err1 != nil || err2 != nil || b1.ID != b2.ID {
			t.Fatalf("%v %v, %v %v", b1.ID, b2.ID, err1, err2)
		}
		_, err := w.Bookings.Book(t.Context(), rider, r.ID, m, "form-4")
		w.refused(err, fault.Conflict, "a second driver while the first is asked")
		if w.told(driver.Member, carpool.NoticeAsked) != 1 {
			t.Error("the driver was asked twice")
		}
	})
}
