package carpool_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		"sono alle 8.30 in piazza":                  "sono alle 8.30 in piazza",
		"due valigie e un cane":                     "due valigie e un cane",
		"chiamami al 333 123 4567 grazie":           "chiamami al […] grazie",
		"+39.333.1234567":                           "[…]",
		"333-12 34 567":                             "[…]",
		"(0173) 505050":                             "[…]",
		"scrivi a maria@example.it!":                "scrivi a […]",
		"maria chiocciola example punto it":         "[…] punto it",
		"vedi https://pay.example/x?y=1 subito":     "vedi […] subito",
		"vedi pagamenti-sicuri.info/a ora":          "vedi […] ora",
		"www.example.it":                            "[…]",
		"wa.me/39333":                               "[…]",
		"tre tre tre uno due tre quattro":           "[…]",
		"٣٣٣١٢٣٤٥٦٧":                                "[…]",
		"３３３１２３４５６７":                                "[…]",
		"mi chiamo Rossi":                           "mi chiamo […]",
		"il 23 alle 7, torno alle 12":               "il 23 alle 7, torno alle 12",
		"three three three one two three four five": "[…]",
	} {
		if got := carpool.Mask(in, "rossi"); got != want {
			t.Errorf("%q: %q; want %q", in, got, want)
		}
	}
}

func FuzzMask(f *testing.F) {
	for _, s := range []string{"333 1234567", "a@b.it", "http://x", "\xff\xfe", "tre tre tre tre tre tre"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := carpool.Mask(s)
		run := 0
		for _, r := range got {
			if run++; r < '0' || r > '9' {
				run = 0
			}
			if run >= 6 {
				t.Fatalf("%q: a number is left in %q", s, got)
			}
		}
		if strings.Contains(got, "https://") {
			t.Errorf("%q: a link is left in %q", s, got)
		}
	})
}

func TestTwoTalkAboutTheirBooking(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		rider, asRider := w.resident(1)
		driver, asDriver := w.resident(2)
		_, strange := w.resident(3)
		b := w.lift("x", rider.ID, driver.ID, "v-x", carpool.Asked, 2*time.Hour)
		must(t, w.Talk.Send(ctx, asRider, b, "  Buongiorno, sono Numero 1, il mio numero è 333 1200001  "))
		refused(t, "a stranger", w.Talk.Send(ctx, strange, b, "ciao"), fault.Denied)
		forged := strange
		forged.Member = rider.ID
		refused(t, "a stranger as the rider", w.Talk.Send(ctx, forged, b, "ciao"), fault.Denied)
		refused(t, "no booking", w.Talk.Send(ctx, asRider, "b-none", "ciao"), fault.Denied)
		refused(t, "nothing", w.Talk.Send(ctx, asRider, b, " \n "), fault.Invalid)
		refused(t, "301 signs", w.Talk.Send(ctx, asRider, b, strings.Repeat("a", 301)), fault.Invalid)
		refused(t, "desk without consent", w.Talk.Send(ctx, carpool.By{Account: "sportello", Desk: true, Member: rider.ID}, b, "ciao"), fault.Denied)
		w.exec(`UPDATE carpool_bookings SET state = 'accepted'`)
		w.now = w.now.Add(time.Minute)
		must(t, w.Talk.Send(ctx, asDriver, b, "Va bene, il mio è 333 1200002"))
		got, err := w.Talk.Read(ctx, asDriver, b)
		must(t, err)
		if len(got) != 2 || got[0].Text != "Buongiorno, sono […], il mio numero è […]" || got[1].Text != "Va bene, il mio è 333 1200002" || got[0].From != rider.ID || got[1].To != rider.ID {
			t.Errorf("%+v", got)
		}
		_, err = w.Talk.Read(ctx, strange, b)
		refused(t, "read by a stranger", err, fault.Denied)
		if !strings.Contains(w.told(driver.ID), "message") || !strings.Contains(w.told(rider.ID), "message") {
			t.Errorf("told %q and %q", w.told(driver.ID), w.told(rider.ID))
		}
		w.exec(`UPDATE carpool_bookings SET state = 'boarded'`) // a lift to come would end with the block
		must(t, w.Members.Block(ctx, asRider, driver.ID))
		must(t, w.Talk.Send(ctx, asDriver, b, "ma")) // who is kept away is not told
		if got, err = w.Talk.Read(ctx, asRider, b); err != nil || len(got) != 2 {
			t.Errorf("who keeps them away reads %+v, %v", got, err)
		}
		refused(t, "who blocked", w.Talk.Send(ctx, asRider, b, "no"), fault.Denied)
		must(t, w.Members.Unblock(ctx, asRider, driver.ID))
		refused(t, "unblocked twice", w.Members.Unblock(ctx, asRider, driver.ID), fault.NotFound)
		refused(t, "oneself", w.Members.Block(ctx, asRider, rider.ID), fault.Invalid)
		n := 0
		for ; n < 50; n++ {
			if err = w.Talk.Send(ctx, asRider, b, "di nuovo"); err != nil {
				break
			}
		}
		refused(t, "a flood", err, fault.Denied)
		if n != 9 {
			t.Errorf("%d more messages in an hour", n)
		}
		w.now = w.now.Add(51 * time.Hour)
		refused(t, "two days after the ride", w.Talk.Send(ctx, asRider, b, "grazie"), fault.Conflict)
		w.exec(`UPDATE carpool_bookings SET state = 'declined', drop_ms = drop_ms + 999999999`)
		refused(t, "declined", w.Talk.Send(ctx, asRider, b, "perché"), fault.Conflict)
	})
}

func TestReportsAndTheirInbox(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		rider, asRider := w.resident(1)
		driver, asDriver := w.resident(2)
		_, strange := w.resident(3)
		b := w.lift("x", rider.ID, driver.ID, "v-x", carpool.Completed, -time.Hour)
		_, err := w.Talk.Report(ctx, strange, carpool.Report{Booking: b, Kind: carpool.ReportMoney, Text: "x"})
		refused(t, "another's booking", err, fault.Denied)
		_, err = w.Talk.Report(ctx, asRider, carpool.Report{Booking: b, Kind: carpool.ReportPhone, Text: "x"})
		refused(t, "a kind of the portal's own", err, fault.Invalid)
		_, err = w.Talk.Report(ctx, asRider, carpool.Report{About: rider.ID, Kind: carpool.ReportOther, Text: "x"})
		refused(t, "oneself", err, fault.Invalid)
		r, err := w.Talk.Report(ctx, asRider, carpool.Report{Booking: b, Kind: carpool.ReportMoney, Text: "Ha chiesto <b>venti</b> euro"})
		must(t, err)
		if r.About != driver.ID || r.Ride != "r-x" || r.Reporter != rider.ID {
			t.Errorf("%+v", r)
		}
		_, err = w.Talk.Report(ctx, strange, carpool.Report{Ride: "r-x", Kind: carpool.ReportSafety, Text: "Correva"})
		must(t, err)
		_, err = w.Talk.Reports(ctx, asDriver)
		refused(t, "the inbox by a resident", err, fault.Denied)
		inbox, err := w.Talk.Reports(ctx, office)
		must(t, err)
		if len(inbox) != 2 {
			t.Errorf("%+v", inbox)
		}
		if looks, err := w.Trust.Looks(ctx, driver.ID); err != nil || len(looks) != 2 || looks[0].What != carpool.LookReport {
			t.Errorf("%+v, %v", looks, err)
		}
		refused(t, "no outcome", w.Talk.Handle(ctx, office, r.ID, "whatever", ""), fault.Invalid)
		refused(t, "by whom it is about", w.Talk.Handle(ctx, carpool.By{Account: asDriver.Account}, r.ID, "nothing", ""), fault.Denied)
		must(t, w.Talk.Handle(ctx, office, r.ID, "warned", "parlato con l'autista"))
		refused(t, "twice", w.Talk.Handle(ctx, office, r.ID, "nothing", ""), fault.Conflict)
		if !strings.Contains(w.told(rider.ID), "report") || strings.Contains(w.told(driver.ID), "report") {
			t.Errorf("told %q and %q", w.told(rider.ID), w.told(driver.ID))
		}
		for range 20 {
			if _, err = w.Talk.Report(ctx, asRider, carpool.Report{About: driver.ID, Kind: carpool.ReportOther, Text: "x"}); err != nil {
				break
			}
		}
		refused(t, "a flood", err, fault.Denied)
	})
}

func TestAlarmTellsTheTrustedPerson(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		rider, asRider := w.resident(1)
		driver, _ := w.resident(2)
		rider.Trusted = carpool.Contact{Name: "figlia", Phone: "3337654321"}
		_, err := w.Members.Update(ctx, asRider, rider)
		must(t, err)
		b := w.lift("x", rider.ID, driver.ID, "v-x", carpool.Boarded, -10*time.Minute)
		for range 2 {
			must(t, w.Talk.Alarm(ctx, asRider, b))
		}
		if got := w.told(rider.ID); strings.Count(got, "guardian") != 1 {
			t.Errorf("told %q", got)
		}
		if calls, err := w.Desk.Calls(ctx, atDesk); err != nil || len(calls) != 1 || calls[0].Kind != "alarm" {
			t.Errorf("%+v, %v", calls, err)
		}
		if inbox, err := w.Talk.Reports(ctx, office); err != nil || len(inbox) != 1 || inbox[0].Kind != carpool.ReportAlarm || inbox[0].About != driver.ID {
			t.Errorf("%+v, %v", inbox, err)
		}
		later := w.lift("y", rider.ID, driver.ID, "v-x", carpool.Asked, time.Hour)
		refused(t, "a ride that does not take place", w.Talk.Alarm(ctx, asRider, later), fault.Conflict)
	})
}
