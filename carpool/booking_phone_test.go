package carpool_test

import (
	"fmt"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// Whoever writes somebody's number as their own learns nothing of whose ride it
// is: search, question, wait and end are those of any rider whose driver does
// not answer. The lift itself never comes to be.
func TestNumberTellsNothing(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		var seen [2]string
		for i, number := range []string{"+393339999999", "+393330000001"} {
			if i > 0 {
				db = storetest.SQLite(t)
			}
			w := newTown(t, db)
			driver, car := w.driver("2027-12-31")
			w.offer(driver, once(car, "2026-11-24", "07:00"))
			rider := w.resident(func(m *carpool.Member) { m.Phone = number })
			r := w.request(rider, need("2026-11-24", "06:30", "08:30"), nil)
			look := func(id carpool.BookingID) {
				v, mine := w.view(rider, id), w.requestOf(rider, r.ID)
				seen[i] += fmt.Sprintf("%s %s %q %v %v %+v, %s %s %s %s\n", v.State, v.EndedBy, v.Reason, v.Deadline, v.May, v.DriverIs, mine.State, mine.Way.Kind, mine.Way.Text, mine.Way.Until)
			}
			seen[i] += fmt.Sprintf("%d found\n", len(w.matches(r)))
			bk := w.book(rider, r)
			look(bk.ID)
			if n := w.told(driver.Member, carpool.NoticeAsked); n != 1 {
				t.Errorf("the driver is asked %d times", n)
			}
			if i > 0 {
				_, err := w.Bookings.Accept(t.Context(), driver, bk.ID, "")
				w.refused(err, fault.Conflict, "a lift with one phone on both sides")
				if n := w.count(`SELECT count(*) FROM carpool_reports WHERE kind = 'same-phone' AND about = $1 AND other = $2`, string(rider.Member), string(driver.Member)); n != 1 {
					t.Errorf("the office reads of it %d times", n)
				}
			}
			look(bk.ID)
			w.at(bk.Deadline)
			w.round()
			look(bk.ID)
		}
		if seen[0] != seen[1] {
			t.Errorf("another number:\n%sthe driver's:\n%s", seen[0], seen[1])
		}
	})
}
