package interop

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// The table of steps, both for operators and for the standard's tester.
func TestStep(t *testing.T) {
	all := []Status{Waiting, Confirmed, Completed, Validated, Cancelled}
	for i, row := range []string{ // to: waiting, confirmed, completed, validated, cancelled
		"9 4 4 4 .", // from waiting
		"9 9 . 4 .", // confirmed
		"9 9 9 . 4", // completed
		"9 9 9 9 9", // validated
		"9 9 9 9 9", // cancelled
	} {
		for j, want := range strings.Fields(row) {
			err := step(all[i], all[j], false)
			got := map[bool]string{true: ".", false: "4"}[err == nil]
			if err == alreadySet {
				got = "9"
			}
			if got != want || got == "4" && fault.Of(err) != fault.Invalid {
				t.Errorf("%s to %s: %v, want %s", all[i], all[j], err, want)
			}
			if free := step(all[i], all[j], true); want == "9" && free != alreadySet || want != "9" && free != nil {
				t.Errorf("%s to %s for the tester: %v", all[i], all[j], free)
			}
		}
	}
	if err := step(Waiting, "DONE", true); fault.Of(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
}

// No series of steps reaches VALIDATED without CONFIRMED and COMPLETED, and
// from an end nothing goes on.
func TestStepSeries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now, seen := Waiting, map[Status]bool{Waiting: true}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			to := rapid.SampledFrom([]Status{Waiting, Confirmed, Completed, Validated, Cancelled}).Draw(t, "to")
			if now == Waiting && rapid.Bool().Draw(t, "the driver accepts") {
				now, seen[Confirmed] = Confirmed, true
				continue
			}
			if step(now, to, false) == nil {
				if now.final() || to == Validated && !(seen[Confirmed] && seen[Completed]) {
					t.Fatalf("%s to %s after %v", now, to, seen)
				}
				now, seen[to] = to, true
			}
		}
	})
}

func TestForgery(t *testing.T) {
	v := newVillage()
	w := newWorld(t, storetest.SQLite(t), v, nil)
	for name, spoil := range map[string]func(*Booking){
		"a passenger of another operator": func(b *Booking) { b.Passenger.Operator = others },
		"a passenger of ours":             func(b *Booking) { b.Passenger.Operator = ours },
		"a driver of theirs":              func(b *Booking) { b.Driver.Operator = friends },
		"confirmed from the start":        func(b *Booking) { b.Status = Confirmed },
		"validated from the start":        func(b *Booking) { b.Status = Validated },
		"no journey":                      func(b *Booking) { b.DriverJourney = "" },
		"a passenger without a name":      func(b *Booking) { b.Passenger.ID = "" },
		"a long alias":                    func(b *Booking) { b.Passenger.Alias = strings.Repeat("a", 300) },
		"a place nowhere":                 func(b *Booking) { b.PickupLat = 91 },
		"another kind of price":           func(b *Booking) { b.Price.Type = "GOLD" },
	} {
		b := posted(1)
		spoil(&b)
		w.ask(friends, "POST", "/bookings", b).want(t, 400, "error")
		if v.asked != 0 {
			t.Fatalf("%s: a driver was asked", name)
		}
	}
	for _, body := range []string{`{}`, `[]`, `null`, `"x"`, `{"id":null}`, strings.Repeat("[", 20_000), `{"id":"` + strings.Repeat("a", 70_000) + `"}`} {
		w.ask(friends, "POST", "/bookings", body).want(t, 400, "error")
	}
	got := w.ask(others, "POST", "/messages", Message{From: User{ID: "x", Operator: friends, Alias: "X"}, To: User{ID: "autista", Operator: ours, Alias: "A"}, Message: "m", Recipient: "DRIVER"})
	got.want(t, 400, "from")
	if len(v.messages) != 0 {
		t.Error("a forged message was delivered")
	}
}

// The same booking again is the same booking; the same name for another is
// refused; a name that came to nothing is free again.
func TestReplay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		v := newVillage()
		w := newWorld(t, db, v, nil)
		first := w.ask(friends, "POST", "/bookings", posted(1))
		first.want(t, 201, "")
		if again := w.ask(friends, "POST", "/bookings", posted(1)); again.status != 201 || again.body != first.body || v.asked != 1 {
			t.Errorf("again: %d %s, the driver was asked %d times", again.status, again.body, v.asked)
		}
		other := posted(1)
		other.PickupDate += 60
		w.ask(friends, "POST", "/bookings", other).want(t, 400, "exists")
		stolen := posted(1)
		stolen.Passenger.Operator = others
		w.ask(others, "POST", "/bookings", stolen).want(t, 400, "exists")
		v.refuse = fault.New(fault.Conflict, "missing_journey")
		w.ask(friends, "POST", "/bookings", posted(2)).want(t, 400, "missing_journey")
		w.ask(friends, "GET", "/bookings/"+posted(2).ID, nil).want(t, 404, "missing_booking")
		v.refuse = nil
		w.ask(friends, "POST", "/bookings", posted(2)).want(t, 201, "")
		// An end that came between claim and booking: the name is held, nothing is
		// told, and the same post ends it well.
		v.refuse = fault.New(fault.Internal, "the power went")
		w.ask(friends, "POST", "/bookings", posted(3)).want(t, 500, "")
		w.ask(friends, "PATCH", "/bookings/"+posted(3).ID+"?status=CANCELLED", nil).want(t, 404, "missing_booking")
		v.refuse = nil
		w.ask(friends, "POST", "/bookings", posted(3)).want(t, 201, "")
	})
}

// Names, pictures and the like of a passenger are not kept.
func TestBookingKeepsLittle(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), newVillage(), nil)
	b := posted(1)
	b.Passenger.FirstName, b.Passenger.LastName, b.Passenger.Picture, b.Passenger.Gender = "Nome", "Cognome", "https://x.example/p.jpg", "F"
	got := w.ask(friends, "POST", "/bookings", b)
	got.want(t, 201, "")
	kept := w.dump("SELECT id, body FROM interop_bookings")
	for _, word := range []string{"Nome", "Cognome", "p.jpg", "gender"} {
		if strings.Contains(kept, word) || strings.Contains(got.body, word) {
			t.Errorf("%s is kept: %s", word, kept)
		}
	}
}

// Many that change one booking at once get one change.
func TestPatchRace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, newVillage(), nil)
		for n := range 20 {
			b := posted(n + 1)
			w.ask(friends, "POST", "/bookings", b).want(t, 201, "")
			codes := make([]int, 8)
			var wg sync.WaitGroup
			for i := range codes {
				wg.Go(func() { codes[i] = w.ask(friends, "PATCH", "/bookings/"+b.ID+"?status=CANCELLED", nil).status })
			}
			wg.Wait()
			done := 0
			for _, c := range codes {
				if c == 200 {
					done++
				} else if c != 409 {
					t.Errorf("an answer %d", c)
				}
			}
			if done != 1 {
				t.Errorf("%d changes: %v", done, codes)
			}
		}
	})
}

// Events are taken once, of one's own bookings only.
func TestEvents(t *testing.T) {
	v := newVillage()
	w := newWorld(t, storetest.SQLite(t), v, nil)
	b := posted(1)
	w.ask(friends, "POST", "/bookings", b).want(t, 201, "")
	event := func(n int, booking string, st Status) Event {
		return Event{ID: fmt.Sprintf("00000000-0000-4000-8000-0000000000%02x", n), Data: EventBooking{ID: booking, PickupDate: b.PickupDate, Status: st, WebURL: "https://x.example", Passenger: &b.Passenger}}
	}
	w.ask(others, "POST", "/booking_events", event(1, b.ID, Cancelled)).want(t, 400, "may not keep")
	w.ask(friends, "POST", "/booking_events", event(2, posted(9).ID, Waiting)).want(t, 400, "may not keep")
	w.ask(friends, "POST", "/booking_events", event(3, b.ID, Validated)).want(t, 400, "does not follow")
	w.ask(friends, "POST", "/booking_events", event(4, b.ID, Waiting)).want(t, 400, "status_already_set")
	w.ask(friends, "POST", "/booking_events", event(5, b.ID, Cancelled)).want(t, 200, "")
	w.ask(friends, "POST", "/booking_events", event(5, b.ID, Cancelled)).want(t, 200, "")
	w.ask(friends, "POST", "/booking_events", event(5, b.ID, Confirmed)).want(t, 400, "another event")
	w.ask(friends, "POST", "/booking_events", event(6, b.ID, Cancelled)).want(t, 400, "status_already_set")
	if st := v.bookings["b-"+b.ID]; st != Cancelled {
		t.Errorf("the portal has %s", st)
	}
	both := event(7, b.ID, Cancelled)
	both.Data.Driver, both.Data.Price = &b.Driver, &b.Price
	w.ask(friends, "POST", "/booking_events", both).want(t, 400, "not both")
	none := event(8, b.ID, Cancelled)
	none.Data.Passenger = nil
	w.ask(friends, "POST", "/booking_events", none).want(t, 400, "driver")
	if n := w.lines("carpool.outside.event"); n != 1 {
		t.Errorf("%d events are in the log", n)
	}
}
