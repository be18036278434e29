package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/store"
)

// rejoin lets somebody join by an address that they have shown to be theirs and a
// number that they typed.
func (w *trustWorld) rejoin(mail, phone string) carpool.Member {
	w.t.Helper()
	acc, err := w.people.Register(w.t.Context(), login.Registration{Alias: mail, Password: goodWords, Role: login.Resident})
	must(w.t, err)
	must(w.t, w.db.Do(w.t.Context(), func(tx *store.Tx) error { return w.people.SetAlias(w.t.Context(), tx, acc.Name, mail) }))
	m, err := w.Members.Register(w.t.Context(), carpool.By{Account: acc.Name}, carpool.Registration{How: "page", Consents: []carpool.ConsentTo{carpool.ConsentTerms},
		Member: carpool.Member{First: "Altro", Last: "Nome", Phone: phone, Comune: bergolo}})
	must(w.t, err)
	got, err := w.Members.Get(w.t.Context(), m.ID)
	must(w.t, err)
	if got.State != m.State {
		w.t.Errorf("told %s, kept %s", m.State, got.State)
	}
	return got
}

// Who leaves while suspended and comes back by the same address is suspended
// still, reads why and may appeal. Of a number that was only typed the office
// hears, and nobody else. After a year nothing is left.
func TestWhoLeavesSuspendedComesBackSuspended(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		m, by := w.resident(1)
		s, err := w.Trust.Propose(ctx, carpool.By{Account: "a-uno"}, m.ID, "pericoloso")
		must(t, err)
		_, err = w.Trust.Settle(ctx, carpool.By{Account: "a-due"}, s.ID, true, "")
		must(t, err)
		other, byOther := w.resident(2)
		must(t, w.Privacy.Forget(ctx, by, m.ID))
		must(t, w.Privacy.Forget(ctx, byOther, other.ID))
		if n := w.number(`SELECT count(*) FROM carpool_left`); n != 3 {
			t.Errorf("%d marks of one who left suspended, by address and number; and of one who did not none", n)
		}

		back := w.rejoin("residente.1@example.it", "333 9900000")
		if back.State != carpool.Suspended {
			t.Errorf("by the same address: %s", back.State)
		}
		mine, err := w.Trust.SuspensionsOf(ctx, back.ID)
		must(t, err)
		if len(mine) != 1 || mine[0].State != carpool.SuspensionInForce || mine[0].Reason == "" {
			t.Errorf("what they read: %+v", mine)
		}
		must(t, w.Trust.Appeal(ctx, carpool.By{Account: back.Account, Member: back.ID}, mine[0].ID, "Non sono io"))
		_, err = w.Trust.Lift(ctx, carpool.By{Account: "a-uno"}, mine[0].ID, "vero")
		must(t, err)

		typed := w.rejoin("un.altro@example.it", "+39 333 1200001")
		if typed.State != carpool.Active {
			t.Errorf("whoever types the number: %s", typed.State)
		}
		if n := w.number(`SELECT count(*) FROM carpool_reports WHERE kind = 'back' AND about = $1 AND reporter = ''`, string(typed.ID)); n != 1 {
			t.Errorf("the office reads of it %d times", n)
		}
		free := w.rejoin("residente.2@example.it", "+39 333 1200002")
		if free.State != carpool.Active {
			t.Errorf("who was not suspended: %s", free.State)
		}

		w.now = w.now.Add(366 * 24 * time.Hour)
		must(t, w.Privacy.Round(ctx))
		if n := w.number(`SELECT count(*) FROM carpool_left`); n != 0 {
			t.Errorf("%d marks after a year", n)
		}
	})
}

// The desk deletes who asks for it by telephone, and a minor; a guardian deletes
// the minor first. Nobody is deleted while their way home is ahead.
func TestTheDeskDeletes(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		m := w.caller(1)
		desk := carpool.By{Account: atDesk.Account, Desk: true, Member: m.ID}
		kid, err := w.Members.Register(ctx, atDesk, carpool.Registration{How: "voice", Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentDesk, carpool.ConsentMinor},
			Member: carpool.Member{First: "Nino", Last: "Piccolo", Comune: bergolo, Minor: true, Guardian: m.ID}})
		must(t, err)
		refused(t, "a guardian with a minor", w.Privacy.Forget(ctx, desk, m.ID), fault.Conflict)
		wards, err := w.Members.Wards(ctx, desk, m.ID)
		must(t, err)
		if len(wards) != 1 || wards[0].ID != kid.ID || wards[0].First != "Nino" {
			t.Errorf("the minors of the guardian: %+v", wards)
		}
		_, err = w.Members.Wards(ctx, carpool.By{Account: "r-altri", Member: "m-altri"}, m.ID)
		refused(t, "the minors of somebody else", err, fault.Denied)
		refused(t, "by the wrong name", w.Privacy.Forget(ctx, desk, kid.ID), fault.Denied)
		must(t, w.Privacy.Forget(ctx, carpool.By{Account: atDesk.Account, Desk: true, Member: kid.ID}, kid.ID))
		must(t, w.Privacy.Forget(ctx, desk, m.ID))
		for _, id := range []carpool.MemberID{m.ID, kid.ID} {
			if got, err := w.Members.Get(ctx, id); err == nil && (got.State != carpool.Gone || got.First+got.Last+got.Phone != "") {
				t.Errorf("what is left: %+v", got)
			}
		}
	})
}

// A guardian gives the minor over to another and leaves: nothing of what they did
// for the minor names them.
func TestAGuardianLeavesNoName(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		ctx := t.Context()
		one, two := w.resident(), w.resident()
		kid, err := w.Members.Register(ctx, one, carpool.Registration{How: "page", Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentMinor, carpool.ConsentDesk},
			Member: carpool.Member{First: "Nino", Last: "Piccolo", Comune: "004000", Minor: true, Guardian: one.Member}})
		must(t, err)
		r := need(wednesday, "07:00", "08:30")
		r.Rider = kid.ID
		w.request(one, r, nil)
		kid.Guardian = two.Member
		_, err = w.Members.Update(ctx, carpool.By{Account: "sportello", Desk: true, Member: kid.ID}, kid)
		must(t, err)
		must(t, w.Privacy.Forget(ctx, one, one.Member))
		for _, table := range []string{"carpool_requests", "carpool_consents"} {
			if n := w.count(`SELECT count(*) FROM `+table+` WHERE by_who = $1`, one.Account); n > 0 {
				t.Errorf("%s: %d rows name the account of who left", table, n)
			}
		}
	})
}

// Nobody is deleted in the valley, with the way home still ahead.
func TestNobodyIsDeletedAwayFromHome(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		ctx := t.Context()
		d, car := w.driver("2027-12-31")
		w.offer(d, once(car, wednesday, "07:10"))
		a := w.resident()
		out := need(wednesday, "07:00", "08:30")
		out.Return = carpool.ReturnOpen
		r := w.request(a, out, nil)
		bk := w.accepted(d, a, r)
		w.at(bk.Pickup.At)
		_, err := w.Bookings.Board(ctx, a, bk.ID, "")
		must(t, err)
		w.at(bk.Drop.At.Add(time.Minute))
		_, err = w.Bookings.Complete(ctx, a, bk.ID, "")
		must(t, err)
		w.refused(w.Privacy.Forget(ctx, a, a.Member), fault.Conflict, "delete who is away from home")
	})
}

// suspend puts a member out, by two accounts.
func (w *trustWorld) suspend(m carpool.Member) carpool.Suspension {
	w.t.Helper()
	s, err := w.Trust.Propose(w.t.Context(), carpool.By{Account: "a-uno"}, m.ID, "pericoloso")
	must(w.t, err)
	s, err = w.Trust.Settle(w.t.Context(), carpool.By{Account: "a-due"}, s.ID, true, "")
	must(w.t, err)
	return s
}

// A number that the one who left had not shown to be theirs.
func TestANumberThatWasTypedSuspendsNobody(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		m, by := w.resident(1, carpool.ConsentDesk)
		w.suspend(m)
		m, err := w.Members.Get(ctx, m.ID)
		must(t, err)
		m.Phone = "+39 333 5550001" // of somebody else, who has not joined yet
		_, err = w.Members.Update(ctx, by, m)
		refused(t, "another number while suspended", err, fault.Denied)
		_, err = w.Members.Update(ctx, carpool.By{Account: atDesk.Account, Desk: true, Member: m.ID}, m)
		must(t, err)
		must(t, w.Privacy.Forget(ctx, by, m.ID))
		acc, err := w.people.Register(ctx, login.Registration{Alias: "+393335550001", Password: goodWords, Role: login.Resident})
		must(t, err)
		must(t, w.db.Do(ctx, func(tx *store.Tx) error { return w.people.SetAlias(ctx, tx, acc.Name, "+393335550001") }))
		v, err := w.Members.Register(ctx, carpool.By{Account: acc.Name}, carpool.Registration{How: "page", Consents: []carpool.ConsentTo{carpool.ConsentTerms},
			Member: carpool.Member{First: "Vittima", Last: "Ignara", Phone: "+39 333 5550001", Comune: bergolo}})
		must(t, err)
		if v.State != carpool.Active {
			t.Errorf("who never was here, by a number proved to be theirs: %s", v.State)
		}
	})
}

// A suspension that was lifted is over.
func TestALiftedSuspensionDoesNotComeBack(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		m, by := w.resident(1)
		w.suspend(m)
		must(t, w.Privacy.Forget(ctx, by, m.ID))
		back := w.rejoin("residente.1@example.it", "333 9900000")
		mine, err := w.Trust.SuspensionsOf(ctx, back.ID)
		must(t, err)
		_, err = w.Trust.Lift(ctx, carpool.By{Account: "a-uno"}, mine[0].ID, "errore nostro")
		must(t, err)
		must(t, w.Privacy.Forget(ctx, carpool.By{Account: back.Account, Member: back.ID}, back.ID))
		again := w.rejoin("residente.1@example.it", "333 9900000")
		if again.State != carpool.Active {
			t.Errorf("lifted as an error, left in good standing, joined again: %s", again.State)
		}
	})
}

// What nobody settled is no more than a report of who comes back.
func TestAProposalIsNoSuspension(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		m, by := w.resident(1)
		_, err := w.Trust.Propose(ctx, carpool.By{Account: "a-uno"}, m.ID, "si dice")
		must(t, err)
		must(t, w.Privacy.Forget(ctx, by, m.ID))
		back := w.rejoin("residente.1@example.it", "333 9900000")
		mine, err := w.Trust.SuspensionsOf(ctx, back.ID)
		must(t, err)
		if back.State != carpool.Active {
			t.Errorf("nobody settled it: %s, and reads %+v", back.State, mine)
		}
		if n := w.number(`SELECT count(*) FROM carpool_reports WHERE kind = 'back' AND about = $1`, string(back.ID)); n != 1 {
			t.Errorf("the office reads of it %d times", n)
		}
	})
}

// A suspended guardian deletes the minor, then themselves.
func TestASuspendedGuardianMayGo(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		m, by := w.resident(1)
		kid, err := w.Members.Register(ctx, by, carpool.Registration{How: "page", Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentMinor},
			Member: carpool.Member{First: "Nino", Last: "Piccolo", Comune: bergolo, Minor: true, Guardian: m.ID}})
		must(t, err)
		w.suspend(m)
		e1, e2 := w.Privacy.Forget(ctx, by, kid.ID), w.Privacy.Forget(ctx, by, m.ID)
		if e1 != nil || e2 != nil {
			t.Errorf("minor: %v; oneself: %v", e1, e2)
		}
	})
}

// Who typed a number does not learn from their own data that its holder left.
func TestWhoTypesANumberLearnsNothing(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		m, by := w.resident(1)
		w.suspend(m)
		must(t, w.Privacy.Forget(ctx, by, m.ID))
		typed := w.rejoin("un.altro@example.it", "+39 333 1200001")
		for _, r := range dataRows(t, w.Portal, carpool.By{Account: typed.Account, Member: typed.ID}, "carpool_reports") {
			t.Errorf("in the data of whoever typed the number: %v", r)
		}
	})
}

// The number is given one minute after joining.
func TestANumberGivenLaterIsSeen(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		m, by := w.resident(1)
		w.suspend(m)
		must(t, w.Privacy.Forget(ctx, by, m.ID))
		back := w.rejoin("nuovo@example.it", "+39 333 7777777")
		back.Phone = "+39 333 1200001"
		_, err := w.Members.Update(ctx, carpool.By{Account: back.Account, Member: back.ID}, back)
		must(t, err)
		if n := w.number(`SELECT count(*) FROM carpool_reports WHERE kind = 'back'`); n == 0 {
			t.Error("joined with another number, set the old one a minute later: the office hears nothing")
		}
	})
}

// The desk puts a wrong number right: it signs in no more.
func TestAWrongNumberSignsInNoMore(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		m, _ := w.resident(1, carpool.ConsentDesk)
		desk := carpool.By{Account: atDesk.Account, Desk: true, Member: m.ID}
		must(t, w.Desk.Vouch(ctx, desk, carpool.AccessPhone))
		old, err := w.Members.Get(ctx, m.ID)
		must(t, err)
		now := old
		now.Phone = "+39 333 8880001"
		_, err = w.Members.Update(ctx, desk, now)
		must(t, err)
		mark := w.people.Mark(old.Phone)
		if n := w.number(`SELECT count(*) FROM login_alias WHERE hash = $1 AND person = $2 AND confirmed = 1`, mark, m.Account); n != 0 {
			t.Errorf("the wrong number %s still signs in to the account of the person", old.Phone)
		}
	})
}

// The desk learns the name of a minor by the guardian, no more, and the minor sees it.
func TestMinorsSeeWhoLookedThemUp(t *testing.T) {
	eachTrust(t, func(t *testing.T, w *trustWorld) {
		ctx := t.Context()
		m, by := w.resident(1, carpool.ConsentDesk)
		kid, err := w.Members.Register(ctx, by, carpool.Registration{How: "page", Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentMinor},
			Member: carpool.Member{First: "Nino", Last: "Piccolo", Phone: "+39 333 4440001", Comune: "004003", Minor: true, Guardian: m.ID}})
		must(t, err)
		list, err := w.Members.Wards(ctx, carpool.By{Account: atDesk.Account, Desk: true, Member: m.ID}, m.ID)
		must(t, err)
		if n := w.number(`SELECT count(*) FROM carpool_looks WHERE member = $1`, string(kid.ID)); len(list) != 1 || list[0].First != "Nino" || list[0].Phone != "" || n != 1 {
			t.Errorf("given to the desk: %+v; looks noted: %d", list, n)
		}
	})
}
