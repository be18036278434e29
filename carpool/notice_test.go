package carpool_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// notice is the newest of a kind that a member was told.
func (w *town) notice(m carpool.MemberID, kind carpool.NoticeKind) carpool.Notice {
	w.t.Helper()
	list, err := w.Members.Notices(w.t.Context(), m, 50)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, n := range list {
		if n.Kind == kind {
			return n
		}
	}
	w.t.Fatalf("%s was never told %s", m, kind)
	return carpool.Notice{}
}

func (w *town) sight(n carpool.Notice) carpool.NoticeView {
	w.t.Helper()
	v, err := w.NoticeView(w.t.Context(), n.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// What a notice says is what its reader may see when it is sent.
func TestNoticeShowsWhatItsReaderMaySee(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		driver, car := w.driver("2027-12-31")
		rider := w.resident(func(m *carpool.Member) { m.Trusted = carpool.Contact{Name: "Vicina", Phone: "+393339999999"} })
		w.offer(driver, once(car, "2026-11-24", "07:00"))
		bk := w.book(rider, w.request(rider, need("2026-11-24", "06:30", "08:30"), nil))

		ask := w.notice(driver.Member, carpool.NoticeAsked)
		v := w.sight(ask)
		if v.Nobody || v.Stale || v.Trip == nil || !v.Trip.Driver || v.Trip.Other != "Residente2" || v.Trip.Phone != "" || v.Trip.From != "Piazza niella" || v.Trip.To != "Piazza alba" || v.Trip.Deadline.IsZero() {
			t.Fatalf("asked: %+v, trip %+v", v, v.Trip)
		}
		if _, err := w.Bookings.Accept(t.Context(), driver, bk.ID, ""); err != nil {
			t.Fatal(err)
		}
		if v := w.sight(ask); !v.Stale {
			t.Error("a question that was answered is asked again")
		}
		v = w.sight(w.notice(rider.Member, carpool.NoticeAccepted))
		if v.Stale || v.Trip.Driver || v.Trip.Other != "Residente1 Cognome" || !strings.HasPrefix(v.Trip.Phone, "+39333") || !strings.HasPrefix(v.Trip.Car, "Panda rossa, AB") || v.Trip.Cents == 0 {
			t.Errorf("to the rider: %+v", v.Trip)
		}
		toDriver := w.notice(driver.Member, carpool.NoticeAccepted)
		if v = w.sight(toDriver); !v.Trip.Driver || v.Trip.Other != "Residente2 Cognome" || v.Trip.Phone == "" || v.Trip.Car != "" {
			t.Errorf("to the driver: %+v", v.Trip)
		}

		if err := w.Members.Block(t.Context(), rider, driver.Member); err != nil {
			t.Fatal(err)
		}
		if v = w.sight(toDriver); v.Trip != nil && (v.Trip.Other != "" || v.Trip.Phone != "") {
			t.Errorf("to somebody who is blocked: %+v", v.Trip)
		}
		if err := w.Members.Unblock(t.Context(), rider, driver.Member); err != nil {
			t.Fatal(err)
		}

		w.exec(`UPDATE carpool_bookings SET state = 'cancelled' WHERE id = $1`, string(bk.ID))
		if v = w.sight(toDriver); !v.Stale || v.Trip.Phone != "" || v.Trip.Other != "Residente2" {
			t.Errorf("after the cancellation: %+v", v.Trip)
		}
		w.exec(`UPDATE carpool_bookings SET state = 'completed' WHERE id = $1`, string(bk.ID))
		w.at(bk.Drop.At.Add(w.cfg.AddressKept + time.Minute))
		if v = w.sight(toDriver); v.Trip.Phone != "" || v.Trip.Other != "Residente2" {
			t.Errorf("a day after the ride: %+v", v.Trip)
		}
	})
}

// The driver who accepted learns the address; a notice for others has none.
func TestNoticeOfADoor(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	driver, car := w.driver("2027-12-31")
	rider := w.resident()
	w.offer(driver, once(car, "2026-11-24", "07:00"))
	bk := w.book(rider, w.request(rider, need("2026-11-24", "06:30", "08:30"), nil))
	w.exec(`INSERT INTO carpool_addresses (id, owner, words, lon, lat, erase_ms) VALUES ('a-1', $1, 'Via Segreta 1', 8.1, 44.55, 0)`, string(rider.Member))
	w.exec(`UPDATE carpool_bookings SET pickup_place = '', pickup_address = 'a-1' WHERE id = $1`, string(bk.ID))
	ask := w.notice(driver.Member, carpool.NoticeAsked)
	if v := w.sight(ask); !v.Trip.FromDoor || v.Trip.FromAddress != "" || v.Trip.From != "" {
		t.Errorf("before: %+v", v.Trip)
	}
	w.exec(`UPDATE carpool_bookings SET state = 'accepted' WHERE id = $1`, string(bk.ID))
	if v := w.sight(ask); v.Trip.FromAddress != "Via Segreta 1" {
		t.Errorf("accepted: %+v", v.Trip)
	}
	w.exec(`UPDATE carpool_bookings SET state = 'cancelled' WHERE id = $1`, string(bk.ID))
	if v := w.sight(ask); v.Trip.FromAddress != "" {
		t.Errorf("cancelled: %+v", v.Trip)
	}
	trips, err := w.Members.Trips(t.Context(), rider.Member, monday, monday.AddDate(0, 1, 0))
	if err != nil || len(trips) != 0 {
		t.Errorf("cancelled journeys are listed: %+v, %v", trips, err)
	}
	w.exec(`UPDATE carpool_bookings SET state = 'accepted' WHERE id = $1`, string(bk.ID))
	for _, m := range []carpool.MemberID{rider.Member, driver.Member} {
		trips, err := w.Members.Trips(t.Context(), m, monday, monday.AddDate(0, 1, 0))
		if err != nil || len(trips) != 1 || trips[0].Booking != bk.ID || trips[0].Driver != (m == driver.Member) {
			t.Errorf("journeys of %s: %+v, %v", m, trips, err)
		}
	}
	if trips, err := w.Members.Trips(t.Context(), "m-nobody", monday, monday.AddDate(0, 1, 0)); err != nil || len(trips) != 0 {
		t.Errorf("journeys of nobody: %+v, %v", trips, err)
	}
}

// Whoever reads a booking's notice must be of the booking.
func TestNoticeOfSomebodyElsesBooking(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	driver, car := w.driver("2027-12-31")
	rider, stranger := w.resident(), w.resident()
	w.offer(driver, once(car, "2026-11-24", "07:00"))
	w.book(rider, w.request(rider, need("2026-11-24", "06:30", "08:30"), nil))
	n := w.notice(driver.Member, carpool.NoticeAsked)
	w.exec(`UPDATE carpool_notices SET member = $2, kind = 'booking.accepted' WHERE id = $1`, n.ID, string(stranger.Member))
	if v := w.sight(n); v.Trip != nil {
		t.Errorf("a stranger sees %+v", v.Trip)
	}
	if err := w.Members.SeenNotice(t.Context(), rider.Member, n.ID); fault.Of(err) != fault.NotFound {
		t.Errorf("somebody else's notice was read: %v", err)
	}
}

func TestNoticesAreReadOnce(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		m := w.resident()
		n := w.notice(m.Member, carpool.NoticeWelcome)
		if n.Shown != nil || w.sight(n).Stale {
			t.Errorf("fresh: %+v", n)
		}
		w.later(time.Minute)
		if err := w.Members.SeenNotice(t.Context(), m.Member, n.ID); err != nil {
			t.Fatal(err)
		}
		seen := w.notice(m.Member, carpool.NoticeWelcome).Shown
		w.later(time.Minute)
		if err := w.Members.SeenNotice(t.Context(), m.Member, n.ID); err != nil {
			t.Fatal(err)
		}
		again := w.notice(m.Member, carpool.NoticeWelcome).Shown
		if seen == nil || again == nil || !seen.Equal(*again) {
			t.Errorf("read at %v, then %v", seen, again)
		}
		if !w.sight(n).Stale {
			t.Error("what was read on the page is sent all the same")
		}
		for _, id := range []string{"", "n-none", "\x00\xff", strings.Repeat("n", 10000)} {
			if err := w.Members.SeenNotice(t.Context(), m.Member, id); fault.Of(err) != fault.NotFound {
				t.Errorf("%.20q: %v", id, err)
			}
			if _, err := w.NoticeView(t.Context(), id); fault.Of(err) != fault.NotFound {
				t.Errorf("view of %.20q: %v", id, err)
			}
		}
		if list, err := w.Members.Notices(t.Context(), m.Member, -1); err != nil || len(list) != 0 {
			t.Errorf("less than none: %v, %v", list, err)
		}
	})
}

func TestNobodyIsToldAfterLeaving(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	m := w.resident()
	n := w.notice(m.Member, carpool.NoticeWelcome)
	w.exec(`UPDATE carpool_members SET state = 'gone', first = '', last = '', phone = '', email = '' WHERE id = $1`, string(m.Member))
	if v := w.sight(n); !v.Nobody || v.Reach.Phone != "" || v.Trip != nil {
		t.Errorf("view %+v", v)
	}
	if found, err := w.Members.ByPhone(t.Context(), "+393330000001"); err != nil || len(found) != 0 {
		t.Errorf("found by phone: %v, %v", found, err)
	}
}

func TestTrustedContactAndGuardian(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	driver, car := w.driver("2027-12-31")
	guardian := w.resident()
	minor, err := w.Members.Register(t.Context(), guardian, carpool.Registration{How: "page", Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentMinor},
		Member: carpool.Member{First: "Allievo", Last: "Cognome", Minor: true, Guardian: guardian.Member, Comune: "004000"}})
	if err != nil {
		t.Fatal(err)
	}
	w.offer(driver, once(car, "2026-11-24", "07:00"))
	bk := w.book(guardian, w.request(guardian, func() carpool.Request { r := need("2026-11-24", "06:30", "08:30"); r.Rider = minor.ID; return r }(), nil))
	if _, err := w.Bookings.Accept(t.Context(), driver, bk.ID, ""); err != nil {
		t.Fatal(err)
	}
	if v := w.sight(w.notice(minor.ID, carpool.NoticeAccepted)); !v.Nobody {
		t.Errorf("the minor is written to: %+v", v)
	}
	v := w.sight(w.notice(guardian.Member, carpool.NoticeGuardian))
	if v.Nobody || v.For != "Allievo" || v.Reach.ID != guardian.Member || v.Trip == nil || v.Trip.Driver || v.Trip.Other != "Residente1 Cognome" {
		t.Errorf("the guardian reads %+v, trip %+v", v, v.Trip)
	}
	w.exec(`UPDATE carpool_members SET trusted_name = 'Vicina', trusted_phone = '+393339999999' WHERE id = $1`, string(guardian.Member))
	n := w.notice(guardian.Member, carpool.NoticeWelcome)
	w.exec(`UPDATE carpool_notices SET kind = 'guardian', params = '{"to":"trusted","reason":"alarm"}' WHERE id = $1`, n.ID)
	if v := w.sight(n); !v.Trusted || v.Nobody || v.For != "Residente2" {
		t.Errorf("the trusted contact: %+v", v)
	}
	w.exec(`UPDATE carpool_members SET trusted_phone = '' WHERE id = $1`, string(guardian.Member))
	if v := w.sight(n); !v.Nobody {
		t.Errorf("nobody to tell: %+v", v)
	}
}

// A request's notice for a driver who knows the road names meeting points and
// nobody.
func TestNoticeOfARequest(t *testing.T) {
	w := newTown(t, storetest.SQLite(t))
	rider, driver := w.resident(), w.resident()
	r := w.request(rider, need("2026-11-26", "06:30", "08:30"), nil)
	n := w.notice(driver.Member, carpool.NoticeWelcome)
	w.exec(`UPDATE carpool_notices SET kind = 'drivers.asked', params = $2 WHERE id = $1`, n.ID, `{"request":"`+string(r.ID)+`"}`)
	v := w.sight(n)
	if v.Trip == nil || !v.Trip.Driver || v.Trip.Other != "" || v.Trip.Phone != "" || v.Trip.From != "Piazza niella" || !v.Trip.Window || v.Stale {
		t.Errorf("the driver reads %+v", v.Trip)
	}
	w.exec(`UPDATE carpool_notices SET member = $2, kind = 'way.list', params = $3 WHERE id = $1`, n.ID, string(rider.Member),
		`{"request":"`+string(r.ID)+`","bus":"23","stop":"Niella, piazza","depart":"2026-11-26T06:40:00Z"}`)
	if v = w.sight(n); !v.Stale {
		t.Error("a list is told to somebody who is still looked for")
	}
	w.exec(`UPDATE carpool_requests SET state = 'listed', way = 'bus' WHERE id = $1`, string(r.ID))
	if v = w.sight(n); v.Stale || v.Bus == nil || v.Bus.Line != "23" || v.Bus.From != "Niella, piazza" || v.Bus.Depart.IsZero() || v.Trip.Driver {
		t.Errorf("the rider reads %+v, bus %+v", v, v.Bus)
	}
	w.exec(`UPDATE carpool_requests SET state = 'withdrawn' WHERE id = $1`, string(r.ID))
	if v = w.sight(n); !v.Stale {
		t.Error("told after it was withdrawn")
	}
}

func TestStopTakesTheShortMessageOut(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		m := w.resident(func(m *carpool.Member) { m.Channels = []carpool.Channel{carpool.BySMS} })
		found, err := w.Members.ByPhone(t.Context(), "333 0000001")
		if err != nil || len(found) != 1 || found[0].ID != m.Member {
			t.Fatalf("found %v, %v", found, err)
		}
		for _, want := range []bool{true, false} {
			stopped, err := w.Members.StopSMS(t.Context(), m.Member)
			if err != nil || stopped != want {
				t.Fatalf("stopped %v, want %v, %v", stopped, want, err)
			}
		}
		got, err := w.Members.Get(t.Context(), m.Member)
		if err != nil || len(got.Channels) != 1 || got.Channels[0] != carpool.ByVoice {
			t.Errorf("reached by %v, %v", got.Channels, err)
		}
		if n := w.count(`SELECT count(*) FROM audit_line WHERE action = 'carpool.member.stop-sms' AND object = $1`, string(m.Member)); n != 1 {
			t.Errorf("%d lines in the log", n)
		}
		for _, phone := range []string{"", "112", "+393339999999x", "\x00"} {
			if found, err := w.Members.ByPhone(t.Context(), phone); len(found) != 0 || err == nil {
				t.Errorf("%q found %v, %v", phone, found, err)
			}
		}
	})
}
