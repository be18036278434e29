package notify

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// Nobody is asked for an answer that no one would read.
func TestNoAnswerIsAskedForWhereNoneIsHeard(t *testing.T) {
	db := storetest.SQLite(t)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	db.SetClock(func() time.Time { return now })
	w := newWorld(t, db)
	w.n.cfg.Heard = false
	driver := person("m-driver", carpool.BySMS)
	w.folk.put(driver)
	w.tell(asks("n-1", driver, now.Add(12*time.Hour)))
	if got := w.sms.all(); len(got) != 1 || !strings.HasSuffix(got[0], "Risponda sul sito o telefoni allo sportello.") {
		t.Fatalf("asked by %q", got)
	}
}

func TestAnswersReachTheLastOpenQuestion(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		db.SetClock(func() time.Time { return now })
		w := newWorld(t, db)
		driver := person("m-driver", carpool.BySMS)
		w.folk.put(driver)
		for _, id := range []string{"n-1", "n-2"} {
			w.tell(asks(id, driver, now.Add(12*time.Hour)))
			now = now.Add(time.Minute)
		}
		if got := w.sms.all(); len(got) != 2 || !strings.HasSuffix(got[0], "Risponda SI o NO.") {
			t.Fatalf("asked by %q", got)
		}
		for i, text := range []string{"Sì, grazie!", "no"} {
			if err := w.in("0039 333 1234567", text); err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Minute)
			w.settle()
			if want := []string{"accept m-driver b-n-2", "decline m-driver b-n-1"}[:i+1]; !slices.Equal(w.said.all(), want) {
				t.Fatalf("said %q, want %q", w.said.all(), want)
			}
		}
		if a := w.said.who[0]; a.Who != driver.Account || a.Via != ViaSMS {
			t.Errorf("the log would name %+v", a)
		}
		if err := w.in(driver.Phone, "SI"); err != nil {
			t.Fatal(err)
		}
		w.settle()
		got := w.sms.all()[2:]
		want := []string{"+393331234567 Passaggi: grazie, ho segnato SI.", "+393331234567 Passaggi: va bene, ho segnato NO.", "+393331234567 Passaggi: al momento non ci sono domande per Lei."}
		if !slices.Equal(got, want) || len(w.said.all()) != 2 {
			t.Errorf("heard %q, said %q", got, w.said.all())
		}
	})
}

func TestWhoIsNobodyHearsNothing(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	driver := person("m-driver", carpool.BySMS)
	w.folk.put(driver)
	w.tell(asks("n-1", driver, time.Now().Add(time.Hour)))
	before := len(w.sms.all())
	for _, from := range []string{"+393339999999", "112", "", "\r\n", "3331234567\r\nX: y", strings.Repeat("3", 500), "CASHBACK", "+39333123456"} {
		if err := w.in(from, "SI"); fault.Of(err) != fault.Denied || err == nil {
			t.Errorf("%.20q: %v", from, err)
		} else if from != "" && strings.Contains(err.Error(), from) {
			t.Errorf("the error tells the number: %v", err)
		}
	}
	w.settle()
	if len(w.said.all()) != 0 || len(w.sms.all()) != before {
		t.Errorf("said %q, sent %q", w.said.all(), w.sms.all())
	}
}

func TestUnclearLateAndSettledAnswers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		db.SetClock(func() time.Time { return now })
		w := newWorld(t, db)
		driver := person("m-driver", carpool.BySMS)
		w.folk.put(driver)
		in := func(text string) string {
			t.Helper()
			n := len(w.sms.all())
			if err := w.in(driver.Phone, text); err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Second)
			w.settle()
			return strings.Join(w.sms.all()[n:], "|")
		}
		w.tell(asks("n-1", driver, now.Add(time.Hour)))
		if got := in("forse, ma alle 8"); !strings.Contains(got, "non ho capito") || len(w.said.all()) != 0 {
			t.Errorf("unclear: heard %q, said %q", got, w.said.all())
		}
		w.said.fail = fault.New(fault.Conflict, "it was answered")
		if got := in("SI"); !strings.Contains(got, "non vale") {
			t.Errorf("settled elsewhere: heard %q", got)
		}
		if got := in("SI"); !strings.Contains(got, "non ci sono domande") || len(w.said.all()) != 1 {
			t.Errorf("asked once more: heard %q, said %q", got, w.said.all())
		}
		w.said.fail = fault.New(fault.Internal, "the disk is full")
		w.tell(asks("n-2", driver, now.Add(time.Hour)))
		if err := w.in(driver.Phone, "SI"); err == nil {
			t.Error("a trouble of our own was swallowed")
		}
		w.said.fail = nil
		if got := in("SI"); !strings.Contains(got, "segnato SI") {
			t.Errorf("the gateway brings it again: heard %q", got)
		}
		w.tell(asks("n-3", driver, now.Add(time.Hour)))
		now = now.Add(2 * time.Hour)
		if got := in("SI"); !strings.Contains(got, "non ci sono domande") || len(w.said.all()) != 3 {
			t.Errorf("after the deadline: heard %q, said %q", got, w.said.all())
		}
	})
}

// An answer goes to the last question that still waits, not to one that was
// settled on the page.
func TestSettledQuestionIsPassedOver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		db.SetClock(func() time.Time { return now })
		w := newWorld(t, db)
		driver := person("m-driver", carpool.BySMS)
		w.folk.put(driver)
		w.tell(asks("n-1", driver, now.Add(time.Hour)))
		now = now.Add(time.Minute)
		later := asks("n-2", driver, now.Add(time.Hour))
		w.tell(later)
		trip := *later.Trip
		trip.State = carpool.Accepted
		later.Trip = &trip
		w.views.put(later)
		if err := w.in(driver.Phone, "SI"); err != nil {
			t.Fatal(err)
		}
		if got := w.said.all(); !slices.Equal(got, []string{"accept m-driver b-n-1"}) {
			t.Errorf("said %q", got)
		}
	})
}

func TestAnswerBroughtTwiceAnswersOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, driver := askedTwice(t, db)
		for range 3 {
			if err := w.n.Inbound(t.Context(), "sms-77", driver.Phone, "SI"); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.said.all(); !slices.Equal(got, []string{"accept m-driver b-n-2"}) {
			t.Errorf("said %q", got)
		}
		if err := w.n.Inbound(t.Context(), "sms-78", "+393339999999", "SI"); fault.Of(err) != fault.Denied {
			t.Errorf("a stranger: %v", err)
		}
	})
}

// Two machines that answer each other must come to an end.
func TestAnswersOfADayAreFew(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	db := storetest.SQLite(t)
	db.SetClock(func() time.Time { return now })
	w := newWorld(t, db)
	w.folk.put(person("m-1", carpool.BySMS))
	for range 50 {
		if err := w.in("+393331234567", "Sono assente fino a lunedì"); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
		w.settle()
	}
	if n := len(w.sms.all()); n != w.n.cfg.Replies {
		t.Errorf("%d answers, want %d", n, w.n.cfg.Replies)
	}
}

func TestStopEndsShortMessages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		// a couple with one phone
		a, b := person("m-a", carpool.BySMS, carpool.ByMail), person("m-b", carpool.BySMS)
		w.folk.put(a)
		w.folk.put(b)
		if err := w.in(a.Phone, "Stop"); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if got := w.sms.all(); len(got) != 2 || !strings.Contains(got[0], "non Le mandiamo più SMS") {
			t.Errorf("heard %q", got)
		}
		for _, id := range []carpool.MemberID{"m-a", "m-b"} {
			m, err := w.folk.Get(t.Context(), id)
			if err != nil || slices.Contains(m.Channels, carpool.BySMS) {
				t.Errorf("%s is reached by %v, %v", id, m.Channels, err)
			}
		}
		if err := w.in(a.Phone, "stop"); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if n := len(w.sms.all()); n != 2 {
			t.Errorf("a second STOP was answered: %d", n)
		}
	})
}

// Of a phone that a family shares, the one who was asked answers.
func TestFamilyPhoneAnswersForWhomWasAsked(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	a, b := person("m-a", carpool.BySMS), person("m-b", carpool.BySMS)
	w.folk.put(a)
	w.folk.put(b)
	w.tell(asks("n-1", b, time.Now().Add(time.Hour)))
	if err := w.in(a.Phone, "SI"); err != nil {
		t.Fatal(err)
	}
	if got := w.said.all(); !slices.Equal(got, []string{"accept m-b b-n-1"}) {
		t.Errorf("said %q", got)
	}
}
