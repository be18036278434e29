package carpool_test

import (
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// Somebody has not agreed that the desk acts for them: the desk is told name and
// comune alone. It reads the number all the same, digit by digit, within the bound.
func TestTheDeskReadsNoNumberOutOfItsSearch(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		m, _ := w.resident(4711) // no ConsentDesk
		others := 0
		for n := range 3 {
			w.resident(n + 1)
			others++
		}
		has := func(words string) bool {
			got, err := w.Members.Find(t.Context(), atDesk, words, everywhere)
			must(t, err)
			for _, x := range got {
				if x.ID == m.ID {
					if x.Phone != "" {
						t.Fatal("told outright")
					}
					return true
				}
			}
			return false
		}
		asked, known := 0, "+393"
		for len(known) < len(m.Phone) {
			before := known
			for d := '0'; d <= '9'; d++ {
				if asked++; has(known + string(d)) {
					known += string(d)
					break
				}
			}
			if known == before {
				break
			}
		}
		if known == m.Phone {
			t.Errorf("the number of somebody who has not agreed: %s, after %d searches", known, asked)
		}
	})
}

// The sheet of the day shows the desk a driver's surname, number and plate. The
// driver has not agreed to the desk, and must at least see that somebody looked.
func TestDriversSeeTheDesksLookAtTheSheet(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		ctx := t.Context()
		driver, car := w.driver("2027-12-31")
		w.offer(driver, once(car, wednesday, "07:10"))
		rider, err := w.Members.Register(ctx, atDesk, carpool.Registration{Member: carpool.Member{First: "Anna", Last: "Senza", Phone: "0173 112233", Comune: "004000"},
			Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentDesk}, How: "voice"})
		if err != nil {
			t.Fatal(err)
		}
		by := carpool.By{Account: atDesk.Account, Desk: true, Member: rider.ID}
		r := w.request(by, need(wednesday, "07:00", "08:30"), nil)
		bk := w.book(by, r)
		if _, err := w.Bookings.Accept(ctx, driver, bk.ID, ""); err != nil {
			t.Fatal(err)
		}
		s, err := w.Desk.Sheet(ctx, carpool.By{Account: "altro-sportello", Desk: true}, wednesday, "004000")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Desk.Slip(ctx, carpool.By{Account: "altro-sportello", Desk: true, Member: rider.ID}, bk.ID); err != nil {
			t.Fatal(err)
		}
		looks, err := w.Trust.Looks(ctx, driver.Member)
		if err != nil {
			t.Fatal(err)
		}
		mine, _ := w.Trust.Looks(ctx, rider.ID)
		if len(s.Rides) == 1 && s.Rides[0].DriverPhone != "" && len(looks) == 0 {
			t.Errorf("the desk read %q %s %s of a driver who has not agreed; looks that the driver sees: %d; the rider: %d", s.Rides[0].Driver, s.Rides[0].DriverPhone, s.Rides[0].Plate, len(looks), len(mine))
		}
	})
}
