package carpool_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

// looks of a member, the oldest first: who, at what, at which thing.
func (w *trustWorld) looks(m carpool.MemberID) string {
	w.t.Helper()
	all, err := w.Trust.Looks(w.t.Context(), m)
	must(w.t, err)
	var out []string
	for _, l := range all {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", l.Who, l.What, l.Thing)))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// Whatever staff reads of somebody stands in their log of looks and in that of
// the portal, once an hour.
func TestStaffReadsNobodyUnseen(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		driver, driverBy := w.resident(1, carpool.ConsentCheck)
		rider := w.caller(2)
		silent, silentBy := w.resident(3)
		b := w.lift("x", rider.ID, driver.ID, w.checked(driverBy).ID, carpool.Accepted, 48*time.Hour)
		w.exec(`DELETE FROM carpool_looks`)
		desk := carpool.By{Account: "sportello", Desk: true, Member: rider.ID}
		lines := func() int {
			return w.number(`SELECT count(*) FROM audit_line WHERE action = 'carpool.look'`)
		}
		for _, by := range []carpool.By{silentBy, {}, {Account: "sportello", Member: rider.ID}} {
			_, err := w.Members.See(ctx, by, rider.ID, carpool.LookPerson, "", everywhere)
			refused(t, "a look by somebody else", err, fault.Denied)
		}
		_, err := w.Members.See(ctx, atDesk, rider.ID, carpool.LookPerson, "", func(string) bool { return false })
		refused(t, "somebody of another comune", err, fault.NotFound)
		_, err = w.Bookings.RequestsFor(ctx, carpool.By{Account: "sportello", Desk: true, Member: silent.ID}, silent.ID)
		refused(t, "requests of somebody who has not agreed", err, fault.Denied)
		if lines() != 0 || w.looks(rider.ID) != "" || w.looks(silent.ID) != "" {
			t.Error("what was refused is a look")
		}

		_, err = w.Bookings.Get(ctx, desk, b)
		must(t, err)
		want := "sportello desk.booking " + string(b)
		if w.looks(rider.ID) != want || w.looks(driver.ID) != want || lines() != 2 {
			t.Errorf("a lift: rider %q, driver %q, %d lines", w.looks(rider.ID), w.looks(driver.ID), lines())
		}
		if _, err = w.Bookings.Get(ctx, driverBy, b); err != nil || lines() != 2 {
			t.Errorf("one's own lift is a look: %v", err)
		}
		_, err = w.Bookings.RequestOf(ctx, desk, requestOf(b))
		must(t, err)
		for range 3 {
			_, err = w.Bookings.RequestsFor(ctx, desk, rider.ID)
			must(t, err)
			seen, err := w.Members.See(ctx, atDesk, rider.ID, carpool.LookPerson, "", everywhere)
			must(t, err)
			if seen.Phone != rider.Phone {
				t.Errorf("%+v", seen)
			}
		}
		if got := w.looks(rider.ID); got != want+", sportello desk.person, sportello desk.request "+string(requestOf(b)) || lines() != 4 {
			t.Errorf("the page of a person: %q, %d lines", got, lines())
		}
		w.now = w.now.Add(2 * time.Hour)
		for range 2 {
			_, err = w.Members.See(ctx, atDesk, rider.ID, carpool.LookPerson, "", everywhere)
			must(t, err)
			_, err = w.Bookings.RequestOf(ctx, desk, requestOf(b)) // part of the page
			must(t, err)
		}
		if got := w.looks(rider.ID); strings.Count(got, "desk.person") != 2 || strings.Count(got, "desk.request") != 1 {
			t.Errorf("hours later: %q", got)
		}
		slight, err := w.Members.See(ctx, atDesk, silent.ID, carpool.LookPerson, "", everywhere)
		must(t, err)
		if slight.Last == "" || slight.Phone != "" || slight.Email != "" || len(slight.Channels) != 0 {
			t.Errorf("without agreement the desk sees %+v", slight)
		}
		_, err = w.Members.See(ctx, office, silent.ID, carpool.LookSuspend, "z-1", everywhere)
		must(t, err)
		if got := w.looks(silent.ID); got != "sportello desk.person, ufficio office.suspension z-1" {
			t.Errorf("%q", got)
		}
		if comune, err := w.Members.ComuneOf(ctx, rider.ID); err != nil || comune != bergolo {
			t.Errorf("%s, %v", comune, err)
		}
	})
}
