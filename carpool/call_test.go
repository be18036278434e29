package carpool_test

import (
	"bytes"
	"encoding/gob"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func encodeSession(t testing.TB, values map[string]any) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, gob.NewEncoder(&b).Encode(struct {
		Deadline time.Time
		Values   map[string]any
	}{Values: values}))
	return b.Bytes()
}

func TestCallListIsWorkedByOneAtATime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newTrustWorld(t, db), t.Context()
		old := w.caller(1)
		w.plant("carpool_notices", map[string]any{"id": "n-1", "key": "k", "member": string(old.ID), "kind": "booking.accepted", "params": "{}", "at_ms": store.Millis(w.now)})
		for range 2 {
			must(t, w.Desk.Add(ctx, carpool.Call{Key: "n-1", Member: old.ID, Kind: "booking.accepted", Notice: "n-1", With: map[string]string{"booking": "b-1"}, Due: w.now.Add(time.Hour)}))
		}
		must(t, w.Desk.Add(ctx, carpool.Call{Member: old.ID, Kind: "booking.reminder"}))
		list, err := w.Desk.Calls(ctx, atDesk)
		must(t, err)
		if len(list) != 2 || list[0].Kind != "booking.reminder" || list[1].Name != "Anziana Senza Rete 1" || list[1].Phone != "" || list[1].With["booking"] != "b-1" {
			t.Fatalf("%+v", list)
		}
		id := list[1].ID
		counted := func(want carpool.CallFigures) {
			t.Helper()
			got, err := w.Desk.CallFigures(ctx)
			must(t, err)
			if got.Due != want.Due || got.Later != want.Later || got.Taken != want.Taken || !got.Oldest.Equal(want.Oldest) {
				t.Errorf("counted %+v, want %+v", got, want)
			}
		}
		counted(carpool.CallFigures{Due: 2, Oldest: w.now})
		refused(t, "outcome before taking", w.Desk.Outcome(ctx, atDesk, id, carpool.CallReached, ""), fault.Conflict)
		// Ten operators reach for it at once.
		var wg sync.WaitGroup
		var mu sync.Mutex
		var got []string
		for i := range 10 {
			wg.Go(func() {
				by := carpool.By{Account: "operatore-" + string(rune('a'+i)), Desk: true}
				if c, err := w.Desk.Take(ctx, by, id); err == nil {
					mu.Lock()
					defer mu.Unlock()
					got = append(got, by.Account)
					if c.Phone != old.Phone || c.Trusted != (carpool.Contact{}) {
						t.Errorf("%+v", c)
					}
				} else if fault.Of(err) != fault.Conflict {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(got) != 1 {
			t.Fatalf("taken by %v", got)
		}
		counted(carpool.CallFigures{Due: 1, Taken: 1, Oldest: w.now})
		holder := carpool.By{Account: got[0], Desk: true}
		refused(t, "outcome by a colleague", w.Desk.Outcome(ctx, atDesk, id, carpool.CallReached, ""), fault.Conflict)
		must(t, w.Desk.Outcome(ctx, holder, id, carpool.CallPassed, "richiama dopo pranzo"))
		list, err = w.Desk.Calls(ctx, atDesk)
		must(t, err)
		if len(list) != 2 || list[1].Note != "richiama dopo pranzo" || list[1].State != carpool.CallOpen || list[1].Tries != 0 {
			t.Errorf("%+v", list)
		}
		_, err = w.Desk.Take(ctx, holder, id)
		must(t, err)
		w.now = w.now.Add(carpool.CallLease) // the lease has run out
		_, err = w.Desk.Take(ctx, atDesk, id)
		must(t, err)
		must(t, w.Desk.Outcome(ctx, atDesk, id, carpool.CallReached, "ha capito"))
		refused(t, "again", w.Desk.Outcome(ctx, atDesk, id, carpool.CallReached, ""), fault.Conflict)
		if n := w.number(`SELECT count(*) FROM carpool_notices WHERE id = 'n-1' AND shown_ms > 0`); n != 1 {
			t.Error("the notice was heard, and is not shown")
		}
		counted(carpool.CallFigures{Due: 1, Oldest: w.now.Add(-carpool.CallLease)})
		looks, err := w.Trust.Looks(ctx, old.ID)
		must(t, err)
		if len(looks) != 3 || looks[0].What != carpool.LookCall {
			t.Errorf("%+v", looks)
		}
	})
}

func TestCallWithoutAnAnswer(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		old := w.caller(1)
		old.Trusted = carpool.Contact{Name: "figlia", Phone: "3337654321"}
		by := atDesk
		by.Member = old.ID
		_, err := w.Members.Update(ctx, by, old)
		must(t, err)
		must(t, w.Desk.Add(ctx, carpool.Call{Key: "x", Member: old.ID, Kind: "way.desk"}))
		id := w.texts(`SELECT id FROM carpool_calls`)[0]
		tries := 0
		for tries = 1; tries < 20; tries++ {
			c, err := w.Desk.Take(ctx, atDesk, id)
			if err != nil {
				refused(t, "given up", err, fault.Conflict)
				break
			}
			if (c.Trusted.Phone != "") != (tries > 3) {
				t.Errorf("try %d: the trusted person's number is %q", tries, c.Trusted.Phone)
			}
			must(t, w.Desk.Outcome(ctx, atDesk, id, carpool.CallNoAnswer, ""))
			list, err := w.Desk.Calls(ctx, atDesk)
			must(t, err)
			if len(list) == 1 {
				if wait := list[0].Next.Sub(w.now); wait < 15*time.Minute || wait > 2*time.Hour {
					t.Errorf("try %d: next in %s", tries, wait)
				}
				w.now = list[0].Next
			}
		}
		if tries != 9 {
			t.Errorf("given up after %d tries", tries-1)
		}
		reports, err := w.Talk.Reports(ctx, office)
		must(t, err)
		if len(reports) != 1 || reports[0].Kind != carpool.ReportUnreached || reports[0].About != old.ID {
			t.Errorf("nobody hears that nobody answers: %+v", reports)
		}
		_, err = w.Desk.Take(ctx, atDesk, "k-none")
		refused(t, "no such call", err, fault.NotFound)
	})
}

func TestSlipAndSheet(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		old := w.caller(1)
		rider, self := w.resident(2)
		driver, by := w.resident(3, carpool.ConsentCheck)
		v := w.checked(by)
		asked := w.lift("asked", old.ID, driver.ID, v.ID, carpool.Asked, 2*time.Hour)
		taken := w.lift("taken", old.ID, driver.ID, v.ID, carpool.Accepted, 4*time.Hour)
		w.lift("private", rider.ID, driver.ID, v.ID, carpool.Accepted, 5*time.Hour)
		w.exec(`UPDATE carpool_requests SET state = 'desk', way = 'desk' WHERE id = 'q-asked'`)
		desk := atDesk
		desk.Member = old.ID
		s, err := w.Desk.Slip(ctx, desk, taken)
		must(t, err)
		if s.Rider != "Anziana Senza Rete 1" || s.Driver != "Residente Numero 3" || s.DriverPhone == "" || s.Plate != "AB123CD" || s.From == "" || s.To == "" {
			t.Errorf("%+v", s)
		}
		s, err = w.Desk.Slip(ctx, by, asked)
		must(t, err)
		if s.Rider != "Anziana" || s.RiderPhone != "" || s.Driver != "Residente Numero 3" {
			t.Errorf("the driver's before acceptance: %+v", s)
		}
		s, err = w.Desk.Slip(ctx, desk, asked)
		must(t, err)
		if s.Rider != "Anziana Senza Rete 1" || s.Driver != "" || s.DriverPhone != "" || s.Plate != "" {
			t.Errorf("the rider's before acceptance: %+v", s)
		}
		_, err = w.Desk.Slip(ctx, self, taken)
		refused(t, "somebody else's", err, fault.Denied)
		_, err = w.Desk.Slip(ctx, atDesk, "b-private")
		refused(t, "without consent", err, fault.Denied)
		sheet, err := w.Desk.Sheet(ctx, atDesk, "2026-11-23", bergolo)
		must(t, err)
		if len(sheet.Rides) != 1 || sheet.Rides[0].Booking != taken || len(sheet.Open) != 1 || sheet.Open[0].Rider != "Anziana Senza Rete 1" || sheet.Open[0].Way.Kind != carpool.WayDesk {
			t.Errorf("%+v", sheet)
		}
		if other, err := w.Desk.Sheet(ctx, atDesk, "2026-11-23", "004003"); err != nil || len(other.Rides)+len(other.Open) != 0 {
			t.Errorf("%+v, %v", other, err)
		}
		if next, err := w.Desk.Sheet(ctx, atDesk, "2026-11-24", ""); err != nil || len(next.Rides) != 0 {
			t.Errorf("%+v, %v", next, err)
		}
		_, err = w.Desk.Sheet(ctx, atDesk, "tomorrow", "")
		refused(t, "no day", err, fault.Invalid)
		if looks, err := w.Trust.Looks(ctx, rider.ID); err != nil || len(looks) != 0 {
			t.Errorf("looked at who did not agree: %+v, %v", looks, err)
		}
	})
}

func TestSpecialDay(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		guardian, by := w.resident(1, carpool.ConsentDesk)
		child := func(n string, consents ...carpool.ConsentTo) carpool.Member {
			m, err := w.Members.Register(ctx, by, carpool.Registration{Member: carpool.Member{First: "Scolara", Last: n, Minor: true, Guardian: guardian.ID, Comune: bergolo},
				Consents: append(consents, carpool.ConsentTerms, carpool.ConsentMinor), How: "page"})
			must(t, err)
			return m
		}
		a, b, c := child("Uno", carpool.ConsentDesk), child("Due"), child("Tre", carpool.ConsentDesk)
		must(t, w.Members.Withdraw(ctx, by, c.ID, carpool.ConsentMinor))
		for id, at := range map[string][2]float64{"bergolo-piazza": {8.1836, 44.5472}, "cortemilia-scuola": {8.1925, 44.5775}} {
			_, err := w.Places.Put(ctx, office, carpool.Place{ID: carpool.PlaceID(id), Comune: bergolo, Name: id, Kind: carpool.SchoolGate, At: lonlat(at[0], at[1])})
			must(t, err)
		}
		school, err := w.Places.Get(ctx, "cortemilia-scuola")
		must(t, err)
		square, err := w.Places.Get(ctx, "bergolo-piazza")
		must(t, err)
		at := w.now.Add(72 * time.Hour)
		day := carpool.SpecialDay{Mark: "sciopero-2026-11-26", From: carpool.Spot{Place: square.ID, At: square.At}, To: carpool.Spot{Place: school.ID, At: school.At},
			When: carpool.Window{From: at, To: at.Add(time.Hour), Arrive: true}, Back: &carpool.Window{From: at.Add(5 * time.Hour), To: at.Add(6 * time.Hour)},
			Riders: []carpool.SpecialRider{{Member: a.ID, ChildSeats: 1}, {Member: b.ID}, {Member: c.ID}, {Member: "m-none"}, {Member: a.ID}}}
		_, err = w.Desk.SpecialDay(ctx, by, day)
		refused(t, "by a resident", err, fault.Denied)
		for range 2 { // sent twice
			res, err := w.Desk.SpecialDay(ctx, atDesk, day)
			must(t, err)
			if len(res) != 5 || res[0].Err != "" || res[0].Request.Needs.ChildSeats != 1 || res[0].Request.ID == "" || res[4].Request.ID != res[0].Request.ID {
				t.Fatalf("%+v", res)
			}
			for i := 1; i < 4; i++ {
				if res[i].Err == "" || res[i].Request.ID != "" {
					t.Errorf("%d: %+v", i, res[i])
				}
			}
			if !strings.Contains(res[2].Err, "guardian") {
				t.Errorf("%s", res[2].Err)
			}
		}
		if n := w.number(`SELECT count(*) FROM carpool_requests`); n != 2 {
			t.Errorf("%d requests; want the way and the way back of one child", n)
		}
	})
}
