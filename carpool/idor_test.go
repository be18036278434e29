package carpool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

// who may call a method about a member's things.
type mayCall int

const (
	memberOrDesk mayCall = iota // the member, and the desk with their consent
	oneself                     // the same, but it concerns only whoever calls: others do it for themselves
	selfAlone                   // the member alone
	deskAlone
	officeAlone
	comuneAndOffice
)

// things of one member, who is driver and rider at once, each with another.
type things struct {
	m       carpool.Member
	v       carpool.VehicleID
	check   string
	rides   carpool.BookingID // as rider
	drives  carpool.BookingID // as driver
	other   carpool.MemberID
	suspend string
}

type method struct {
	name string
	may  mayCall
	call func(ctx context.Context, w *trustWorld, by carpool.By, x things) error
}

// second result of a call.
func e2[T any](_ T, err error) error { return err }

var (
	spotA = carpool.Spot{Place: "bergolo-piazza", At: lonlat(8.1836, 44.5472)}
	spotB = carpool.Spot{Place: "alba-ospedale", At: lonlat(8.0345, 44.7005)}
)

func offerOf(b carpool.BookingID) carpool.OfferID {
	return carpool.OfferID("o-" + strings.TrimPrefix(string(b), "b-"))
}
func rideOf(b carpool.BookingID) carpool.RideID {
	return carpool.RideID("r-" + strings.TrimPrefix(string(b), "b-"))
}
func requestOf(b carpool.BookingID) carpool.RequestID {
	return carpool.RequestID("q-" + strings.TrimPrefix(string(b), "b-"))
}

// methods are all of the portal that say who acts.
var methods = []method{
	{"Members.Update", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		m := x.m
		m.Large = true
		return e2(w.Members.Update(ctx, by, m))
	}},
	{"Members.Consent", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		how := "page"
		if by.Desk {
			how = "voice"
		}
		return e2(w.Members.Consent(ctx, by, x.m.ID, carpool.ConsentCheck, how))
	}},
	{"Members.Withdraw", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Members.Withdraw(ctx, by, x.m.ID, carpool.ConsentIO)
	}},
	{"Members.PutVehicle", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Members.PutVehicle(ctx, by, carpool.Vehicle{ID: x.v, Driver: x.m.ID, Plate: "AB123CD", Label: "Panda", Class: "car", Seats: 3}))
	}},
	{"Members.DropVehicle", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Members.DropVehicle(ctx, by, x.v)
	}},
	{"Members.Block", oneself, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Members.Block(ctx, as(by, x), x.other)
	}},
	{"Members.Unblock", oneself, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Members.Unblock(ctx, as(by, x), x.other)
	}},
	{"Members.Find", deskAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Members.Find(ctx, by, "residente", everywhere))
	}},
	{"Members.See", deskAlone, nil},      // the desk and the office: TestStaffReadsNobodyUnseen
	{"Members.Register", selfAlone, nil}, // TestRegister…, TestMinors…
	{"Places.Put", comuneAndOffice, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Places.Put(ctx, by, carpool.Place{ID: "levice", Comune: bergolo, Name: "Levice", Kind: carpool.Square, At: lonlat(8.15, 44.53)}))
	}},
	{"Places.PutListed", officeAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Places.PutListed(ctx, by, carpool.Listed{Name: "Auser", Phone: "0173111222", Kind: "association", Hours: "8–12"}))
	}},
	{"Places.DropListed", officeAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Places.DropListed(ctx, by, "l-none")
	}},
	{"Offers.Add", oneself, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Offers.Add(ctx, by, carpool.Offer{Driver: x.m.ID, Vehicle: x.v, From: spotA, To: spotB, When: carpool.Schedule{Time: "07:00", Date: "2026-11-30"}, Seats: 1}, ""))
	}},
	{"Offers.Change", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Offers.Change(ctx, by, carpool.Offer{ID: offerOf(x.drives), Driver: x.m.ID, Vehicle: x.v, From: spotA, To: spotB, When: carpool.Schedule{Time: "07:00", Date: "2026-11-30"}, Seats: 1}))
	}},
	{"Offers.Pause", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Offers.Pause(ctx, by, offerOf(x.drives))
	}},
	{"Offers.Resume", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Offers.Resume(ctx, by, offerOf(x.drives))
	}},
	{"Offers.End", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Offers.End(ctx, by, offerOf(x.drives), "")
	}},
	{"Offers.CancelRide", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Offers.CancelRide(ctx, by, rideOf(x.drives), "")
	}},
	{"Bookings.Request", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		at := w.now.Add(96 * time.Hour)
		return e2(w.Bookings.Request(ctx, by, carpool.Request{Rider: x.m.ID, From: spotA, To: spotB, When: carpool.Window{From: at, To: at.Add(time.Hour)}}, nil, ""))
	}},
	{"Bookings.RequestAgain", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		at := w.now.Add(240 * time.Hour)
		return e2(w.Bookings.RequestAgain(ctx, by, carpool.Request{Rider: x.m.ID, From: spotA, To: spotB, When: carpool.Window{From: at, To: at.Add(time.Hour)}}, nil,
			carpool.Repeat{Days: []time.Weekday{at.Weekday()}, Until: carpool.DateOf(at, time.UTC).Plus(8)}, ""))
	}},
	{"Bookings.WithdrawSeries", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Bookings.WithdrawSeries(ctx, by, requestOf(x.rides), "")
	}},
	{"Bookings.Book", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Bookings.Book(ctx, by, requestOf(x.rides), carpool.Match{Ride: rideOf(x.rides)}, ""))
	}},
	{"Bookings.Accept", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Bookings.Accept(ctx, as(by, x), x.drives, ""))
	}},
	{"Bookings.Decline", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Bookings.Decline(ctx, as(by, x), x.drives, ""))
	}},
	{"Bookings.Cancel", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Bookings.Cancel(ctx, as(by, x), x.rides, ""))
	}},
	{"Bookings.Board", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Bookings.Board(ctx, as(by, x), x.rides, ""))
	}},
	{"Bookings.Complete", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Bookings.Complete(ctx, as(by, x), x.rides, ""))
	}},
	{"Bookings.Stopped", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Bookings.Stopped(ctx, as(by, x), x.rides, ""))
	}},
	{"Bookings.NoShow", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Bookings.NoShow(ctx, as(by, x), x.rides, ""))
	}},
	{"Members.Wards", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Members.Wards(ctx, by, x.m.ID))
	}},
	{"Bookings.Get", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Bookings.Get(ctx, as(by, x), x.rides))
	}},
	{"Bookings.RequestsFor", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Bookings.RequestsFor(ctx, by, x.m.ID))
	}},
	{"Bookings.RequestOf", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Bookings.RequestOf(ctx, by, requestOf(x.rides)))
	}},
	{"Bookings.Ready", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Bookings.Ready(ctx, by, requestOf(x.rides), w.now.Add(time.Hour)))
	}},
	{"Bookings.WithdrawRequest", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Bookings.WithdrawRequest(ctx, by, requestOf(x.rides), "")
	}},
	{"Bookings.Watch", oneself, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		at := w.now.Add(24 * time.Hour)
		return e2(w.Bookings.Watch(ctx, as(by, x), carpool.Ask{For: x.m.ID, From: spotA, To: spotB, When: carpool.Window{From: at, To: at.Add(time.Hour)}, Seats: 1}, "2026-12-20"))
	}},
	{"Bookings.Unwatch", oneself, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		id := "w-" + string(x.m.ID)
		if w.number(`SELECT count(*) FROM carpool_watches WHERE id = $1`, id) == 0 {
			w.plant("carpool_watches", map[string]any{"id": id, "member": string(x.m.ID), "needs": "{}", "last_day": "2026-12-20"})
		}
		return w.Bookings.Unwatch(ctx, as(by, x), id)
	}},
	{"Trust.Ask", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Trust.Ask(ctx, by, x.v, papersUntil, nil))
	}},
	{"Trust.MaySend", oneself, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Trust.MaySend(ctx, as(by, x))
	}},
	{"Trust.Appeal", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Trust.Appeal(ctx, by, x.suspend, "non è vero")
	}},
	{"Trust.Queue", officeAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Trust.Queue(ctx, by, everywhere))
	}},
	{"Trust.Look", officeAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Trust.Look(ctx, by, x.check))
	}},
	{"Trust.Picture", officeAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Trust.Picture(ctx, by, x.check, "i-none"))
	}},
	{"Trust.Decide", officeAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Trust.Decide(ctx, by, x.check, carpool.Decision{Pass: true}))
	}},
	{"Trust.Drivers", officeAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Trust.Drivers(ctx, by))
	}},
	{"Trust.Propose", officeAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Trust.Propose(ctx, by, x.other, "motivo"))
	}},
	{"Trust.Settle", officeAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Trust.Settle(ctx, by, x.suspend, true, ""))
	}},
	{"Trust.Uphold", officeAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Trust.Uphold(ctx, by, x.suspend, "motivo"))
	}},
	{"Trust.Lift", officeAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Trust.Lift(ctx, by, x.suspend, "motivo"))
	}},
	{"Desk.Calls", deskAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Desk.Calls(ctx, by))
	}},
	{"Desk.Take", deskAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Desk.Take(ctx, by, "k-none"))
	}},
	{"Desk.Outcome", deskAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Desk.Outcome(ctx, by, "k-none", carpool.CallReached, "")
	}},
	{"Desk.CodeCalls", deskAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Desk.CodeCalls(ctx, by))
	}},
	{"Desk.TakeCode", deskAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Desk.TakeCode(ctx, by, "w-none"))
	}},
	{"Desk.EndCode", deskAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Desk.EndCode(ctx, by, "w-none", carpool.CallReached)
	}},
	{"Desk.Vouch", deskAlone, nil}, // for who agreed to the desk: TestDeskVouchesForAWayIn
	{"Desk.Sheet", deskAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Desk.Sheet(ctx, by, "2026-11-23", ""))
	}},
	{"Desk.SpecialDay", deskAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Desk.SpecialDay(ctx, by, carpool.SpecialDay{Mark: "x", Riders: []carpool.SpecialRider{{Member: "m-none"}}}))
	}},
	{"Desk.Slip", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Desk.Slip(ctx, as(by, x), x.rides))
	}},
	{"Talk.Send", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Talk.Send(ctx, as(by, x), x.rides, "ciao")
	}},
	{"Talk.Read", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Talk.Read(ctx, as(by, x), x.rides))
	}},
	{"Talk.Alarm", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Talk.Alarm(ctx, as(by, x), x.rides)
	}},
	{"Talk.Report", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Talk.Report(ctx, as(by, x), carpool.Report{Booking: x.rides, Kind: carpool.ReportOther, Text: "x"}))
	}},
	{"Talk.Reports", officeAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Talk.Reports(ctx, by))
	}},
	{"Talk.Handle", officeAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Talk.Handle(ctx, by, "x-none", "nothing", "")
	}},
	{"Privacy.Export", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Privacy.Export(ctx, by, x.m.ID, &bytes.Buffer{})
	}},
	{"Privacy.Purge", officeAlone, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return e2(w.Privacy.Purge(ctx, by, true))
	}},
	{"Privacy.Forget", memberOrDesk, func(ctx context.Context, w *trustWorld, by carpool.By, x things) error {
		return w.Privacy.Forget(ctx, by, x.m.ID)
	}},
}

// as is by, for the member in question, where by acts for somebody at all: that
// is how somebody else would try.
func as(by carpool.By, x things) carpool.By {
	if by.Desk {
		by.Member = x.m.ID
	}
	return by
}

// Every method that says who acts stands in the table.
func TestEveryMethodIsInTheTable(t *testing.T) {
	listed := map[string]bool{}
	for _, m := range methods {
		listed[m.name] = true
	}
	by := reflect.TypeFor[carpool.By]()
	p := reflect.TypeFor[carpool.Portal]()
	for i := range p.NumField() {
		part := p.Field(i)
		if !part.IsExported() {
			continue
		}
		for j := range part.Type.NumMethod() {
			fn := part.Type.Method(j)
			for k := range fn.Type.NumIn() {
				if fn.Type.In(k) == by && !listed[part.Name+"."+fn.Name] {
					t.Errorf("%s.%s takes By and is not in the table of who may call what", part.Name, fn.Name)
				}
			}
		}
	}
}

// TestWhoMayCallWhat tries each method as everybody who must be refused, and
// then as those who may.
func TestWhoMayCallWhat(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		_, other := w.resident(900)
		for i, m := range methods {
			if m.call == nil {
				continue
			}
			x, own := w.things(i)
			forged := other
			forged.Member = x.m.ID
			desk := carpool.By{Account: "sportello", Desk: true, Member: x.m.ID}
			deskOpen := atDesk
			actors := []struct {
				name string
				by   carpool.By
				may  bool
			}{
				{"nobody", carpool.By{}, false},
				{"somebody else", other, m.may == oneself},
				{"somebody else as the member", forged, false},
				{"the member's name without an account", carpool.By{Member: x.m.ID}, false},
				{"the office", office, m.may == officeAlone || m.may == comuneAndOffice},
				{"the desk", deskOpen, m.may == deskAlone || m.may == comuneAndOffice},
				{"the desk without consent", desk, false},
			}
			for _, a := range actors {
				if a.name == "the desk without consent" && m.may == deskAlone {
					continue // it is the desk
				}
				check(t, m.name, a.name, m.call(t.Context(), w, a.by, x), a.may)
			}
			if m.may != memberOrDesk && m.may != oneself {
				check(t, m.name, "the member", m.call(t.Context(), w, own, x), false)
				continue
			}
			w.consent(x.m.ID)
			if m.name != "Privacy.Forget" && m.name != "Members.DropVehicle" && m.name != "Trust.Appeal" {
				check(t, m.name, "the desk with consent", m.call(t.Context(), w, desk, x), true)
			}
			check(t, m.name, "the member", m.call(t.Context(), w, own, x), true)
		}
	})
}

// check holds what came of a call against who may.
func check(t *testing.T, method, who string, err error, may bool) {
	t.Helper()
	denied := err != nil && fault.Of(err) == fault.Denied
	if may && denied || may && err != nil && fault.Of(err) == fault.Internal {
		t.Errorf("%s by %s: %v; want it let through", method, who, err)
	}
	if !may && !denied {
		t.Errorf("%s by %s: %v; want it refused", method, who, err)
	}
	if err != nil && (strings.Contains(err.Error(), "Numero") || strings.Contains(err.Error(), "@example")) {
		t.Errorf("%s by %s: the refusal tells: %v", method, who, err)
	}
	var f *fault.Error
	if err != nil && !errors.As(err, &f) {
		t.Errorf("%s by %s: %v has no kind", method, who, err)
	}
}

// consent is that the desk acts for a member, as if written down long ago.
func (w *trustWorld) consent(m carpool.MemberID) {
	w.plant("carpool_consents", map[string]any{"id": "c-" + string(m), "member": string(m), "what": string(carpool.ConsentDesk), "how": "paper", "by_who": "sportello", "at_ms": 1})
}

// things of a new member.
func (w *trustWorld) things(n int) (things, carpool.By) {
	m, by := w.resident(100+n, carpool.ConsentCheck)
	friend, friendBy := w.resident(300 + n)
	x := things{m: m, other: friend.ID, v: w.checked(by).ID, suspend: fmt.Sprintf("z-%d", n)}
	c, err := w.Trust.Ask(w.t.Context(), by, x.v, papersUntil, nil)
	must(w.t, err)
	x.check = c.ID
	theirs := w.car(friendBy)
	x.rides = w.lift(fmt.Sprintf("as-rider-%d", n), m.ID, friend.ID, theirs.ID, carpool.Accepted, 30*time.Hour)
	x.drives = w.lift(fmt.Sprintf("as-driver-%d", n), friend.ID, m.ID, x.v, carpool.Asked, 50*time.Hour)
	w.exec(`UPDATE carpool_bookings SET deadline_ms = pickup_ms WHERE id = $1`, string(x.drives))
	w.plant("carpool_suspensions", map[string]any{"id": x.suspend, "member": string(m.ID), "state": "in-force", "reason": "r", "by_who": "altro"})
	return x, by
}
