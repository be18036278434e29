package notify

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func TestCalendarOfAMember(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		m := person("m-1")
		w.folk.put(m)
		leave := time.Date(2026, 11, 23, 6, 10, 0, 0, time.UTC)
		one := *accepted("n", m).Trip
		one.Changed = leave.Add(-time.Hour)
		door := one
		door.Booking, door.Driver, door.Other, door.Phone, door.From, door.FromDoor, door.FromAddress, door.Arrive = "b-2", true, "Residente Nove", "+393335555555", "", true, "Via Segreta 1", leave
		asked := one
		asked.Booking, asked.State, asked.Other, asked.To = "b-3", carpool.Asked, "Autista\r\nATTACH:x", "Alba; a, b\\n\r\nBEGIN:VALARM"
		w.folk.trips = []carpool.NoticeTrip{one, door, asked}
		by := carpool.By{Account: m.Account, Member: m.ID}
		secret, err := w.n.NewCalendar(t.Context(), by)
		if err != nil || len(secret) != secretLen {
			t.Fatalf("%q, %v", secret, err)
		}
		if want := "https://servizi.unione.example/passaggi/calendario/" + secret + ".ics"; w.n.CalendarURL(secret) != want {
			t.Errorf("address %s", w.n.CalendarURL(secret))
		}
		b, err := w.n.Calendar(t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"+39333", "AB123CD", "Segreta", "Nove", "Tre", "\nATTACH", "\nBEGIN:VALARM", "residente@"} {
			if strings.Contains(string(b), bad) {
				t.Errorf("the calendar tells %q:\n%s", bad, b)
			}
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(string(b), "\r\n"), "\r\n") {
			if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
				t.Errorf("line of %d: %q", len(line), line)
			}
		}
		cal, err := ics.ParseCalendar(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		events := cal.Events()
		if len(events) != 3 {
			t.Fatalf("%d events", len(events))
		}
		text := func(i int, p ics.ComponentProperty) string { return events[i].GetProperty(p).Value }
		if text(0, ics.ComponentPropertySummary) != "Passaggio per Alba, ospedale" || text(0, ics.ComponentPropertyLocation) != "Bergolo, piazza" || events[0].Id() != "b-1@servizi.unione.example" {
			t.Errorf("first: %q at %q, %s", text(0, ics.ComponentPropertySummary), text(0, ics.ComponentPropertyLocation), events[0].Id())
		}
		if at, err := events[0].GetStartAt(); err != nil || !at.Equal(leave) {
			t.Errorf("begins %v, %v", at, err)
		}
		if text(1, ics.ComponentPropertySummary) != "Porto Residente a Alba, ospedale" || text(1, ics.ComponentPropertyLocation) != "casa" {
			t.Errorf("second: %q at %q", text(1, ics.ComponentPropertySummary), text(1, ics.ComponentPropertyLocation))
		}
		if end, err := events[1].GetEndAt(); err != nil || !end.After(leave) {
			t.Errorf("ends %v, %v", end, err)
		}
		if text(2, ics.ComponentPropertyStatus) != "TENTATIVE" || !strings.HasSuffix(text(2, ics.ComponentPropertySummary), "(da confermare)") {
			t.Errorf("third: %q", text(2, ics.ComponentPropertySummary))
		}

		fresh, err := w.n.NewCalendar(t.Context(), by)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, w, "the one before", secret)
		if _, err := w.n.Calendar(t.Context(), fresh); err != nil {
			t.Error(err)
		}
		if has, since, err := w.n.HasCalendar(t.Context(), m.ID); err != nil || !has || since.IsZero() {
			t.Errorf("has one: %v since %v, %v", has, since, err)
		}
		var kept int
		err = db.View(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM notify_calendars WHERE hash = $1 OR hash LIKE '%' || $1 || '%'`, fresh).Scan(&kept)
		})
		if err != nil || kept != 0 {
			t.Errorf("the secret is kept as it is: %d, %v", kept, err)
		}
		if err := w.n.RevokeCalendar(t.Context(), by); err != nil {
			t.Fatal(err)
		}
		refused(t, w, "a revoked one", fresh)
		if has, _, err := w.n.HasCalendar(t.Context(), m.ID); err != nil || has {
			t.Errorf("still there: %v, %v", has, err)
		}
	})
}

func refused(t *testing.T, w *world, name, secret string) {
	t.Helper()
	if b, err := w.n.Calendar(t.Context(), secret); fault.Of(err) != fault.NotFound || b != nil {
		t.Errorf("%s: %d bytes, %v", name, len(b), err)
	}
}

func TestCalendarsOfOthers(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	m := person("m-1")
	w.folk.put(m)
	for name, by := range map[string]carpool.By{
		"nobody": {}, "another account": {Account: "r-other", Member: m.ID}, "no account": {Member: m.ID}, "the desk": {Account: m.Account, Member: m.ID, Desk: true},
		"no such member": {Account: m.Account, Member: "m-9"}, "no member": {Account: m.Account},
	} {
		if _, err := w.n.NewCalendar(t.Context(), by); fault.Of(err) != fault.Denied || err == nil {
			t.Errorf("%s made one: %v", name, err)
		}
		if err := w.n.RevokeCalendar(t.Context(), by); fault.Of(err) != fault.Denied || err == nil {
			t.Errorf("%s ended one: %v", name, err)
		}
	}
	secret, err := w.n.NewCalendar(t.Context(), carpool.By{Account: m.Account, Member: m.ID})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"", "x", strings.Repeat("A", secretLen), strings.ToLower(secret), secret + ".ics", strings.Repeat("A", 1<<20), "\x00\xff" + secret[2:], digest(secret)} {
		refused(t, w, s[:min(len(s), 30)], s)
	}
	m.State = carpool.Gone
	w.folk.put(m)
	refused(t, w, "of somebody who left", secret)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.n.Calendar(ctx, secret); err == nil || fault.Of(err) == fault.NotFound {
		t.Errorf("a trouble of the store: %v", err)
	}
}
