package notify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func TestNoticeGoesByTheFirstChannelThatWorks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		m := person("m-1", carpool.ByIO, carpool.ByMail, carpool.BySMS)
		w.tell(accepted("n-1", m))
		if len(w.io.all()) != 1 || len(w.mail.all())+len(w.sms.all())+len(w.desk.all()) != 0 {
			t.Fatalf("io %d, mail %d, sms %d, desk %d", len(w.io.all()), len(w.mail.all()), len(w.sms.all()), len(w.desk.all()))
		}
		w.io.breaks(fault.New(fault.Refused, "they do not use it"))
		w.mail.breaks(fault.New(fault.Invalid, "no address"))
		w.tell(accepted("n-2", m))
		if got := w.sms.all(); len(got) != 1 || !strings.Contains(got[0], "confermato") || len(w.desk.all()) != 0 {
			t.Fatalf("sms %q, desk %d", got, len(w.desk.all()))
		}
		w.sms.breaks(fault.New(fault.Refused, "not a mobile"))
		w.tell(accepted("n-3", m))
		calls := w.desk.all()
		if len(calls) != 1 || calls[0].Member != m.ID || calls[0].Kind != string(carpool.NoticeAccepted) || calls[0].Notice != "n-3" || calls[0].Key != "notice:n-3" {
			t.Fatalf("desk %+v", calls)
		}
		f := w.figures()
		if f.Sent[carpool.ByIO] != 1 || f.Sent[carpool.BySMS] != 1 || f.Sent[carpool.ByVoice] != 1 || f.Failed[carpool.ByIO] != 2 || f.Failed[carpool.ByMail] != 2 || f.Failed[carpool.BySMS] != 1 || f.GivenUp != 0 || f.Queued != 0 {
			t.Errorf("figures %+v", f)
		}
	})
}

// What may work later is tried again, and left when patience ends.
func TestSilentChannelIsLeftInTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		db.SetClock(func() time.Time { return now })
		w := newWorld(t, db)
		w.mail.breaks(fault.New(fault.Unreachable, "no answer"))
		w.tell(accepted("n-1", person("m-1", carpool.ByMail)))
		for range 11 {
			now = now.Add(10 * time.Minute)
			w.settle()
		}
		if len(w.desk.all()) != 0 || w.figures().Waiting[carpool.ByMail] != 1 {
			t.Fatalf("after 110 minutes: desk %d, %+v", len(w.desk.all()), w.figures())
		}
		now = now.Add(11 * time.Minute)
		w.settle()
		if len(w.desk.all()) != 1 {
			t.Fatalf("after two hours: desk %d, %+v", len(w.desk.all()), w.figures())
		}
		w.mail.breaks(nil)
		now = now.Add(time.Hour)
		w.settle()
		if len(w.mail.all()) != 0 {
			t.Error("it went by mail too")
		}
	})
}

func TestDeskThatCannotTakeIsTriedUntilItCan(t *testing.T) {
	db := storetest.SQLite(t)
	begun := time.Now()
	w := newWorld(t, db)
	w.desk.fail = fault.New(fault.Conflict, "busy")
	w.tell(accepted("n-1", person("m-1", carpool.ByVoice)))
	db.SetClock(func() time.Time { return time.Now().Add(24 * time.Hour) }) // long after patience ended
	w.settle()
	if f := w.figures(); f.GivenUp != 0 || f.Waiting[carpool.ByVoice] != 1 {
		t.Fatalf("after %v: figures %+v", time.Since(begun)+24*time.Hour, f)
	}
	w.desk.mu.Lock()
	w.desk.fail = nil
	w.desk.mu.Unlock()
	deadline := time.After(longest)
	for len(w.desk.all()) == 0 {
		w.settle()
		select {
		case <-deadline:
			t.Fatal("the desk never got it")
		default:
		}
	}
	if f := w.figures(); f.Sent[carpool.ByVoice] != 1 || f.GivenUp != 0 {
		t.Errorf("figures %+v", f)
	}
}

func TestNothingIsSentThatIsSettledOrToNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		gone, stale := accepted("n-1", person("m-1", carpool.ByMail)), accepted("n-2", person("m-1", carpool.ByMail))
		gone.Nobody, stale.Stale = true, true
		w.tell(gone)
		w.tell(stale)
		// settled while it waits in the queue of its channel
		w.mail.breaks(errors.New("not now"))
		late := accepted("n-3", person("m-1", carpool.ByMail))
		w.tell(late)
		late.Stale = true
		w.views.put(late)
		w.mail.breaks(nil)
		deadline := time.After(longest)
		for w.figures().Skipped < 3 {
			w.settle()
			select {
			case <-deadline:
				t.Fatalf("never skipped: %+v", w.figures())
			default:
			}
		}
		if len(w.mail.all())+len(w.desk.all()) != 0 {
			t.Errorf("mail %d, desk %d", len(w.mail.all()), len(w.desk.all()))
		}
	})
}

// Whoever takes a channel out while a notice waits for it gets the notice by
// the next.
func TestChannelTakenOutMeanwhile(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.sms.breaks(errors.New("not now"))
	v := accepted("n-1", person("m-1", carpool.BySMS, carpool.ByMail))
	w.tell(v)
	v.Reach.Channels = []carpool.Channel{carpool.ByMail}
	w.views.put(v)
	w.sms.breaks(nil)
	deadline := time.After(longest)
	for len(w.mail.all()) == 0 {
		w.settle()
		select {
		case <-deadline:
			t.Fatal("it never came")
		default:
		}
	}
	if len(w.sms.all()) != 0 {
		t.Errorf("sms %q", w.sms.all())
	}
}

// A notice that was sent is not sent again when only the mark of the outbox
// was lost.
func TestSentIsNotSentAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.tell(accepted("n-1", person("m-1", carpool.ByMail)))
		err := db.Do(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE outbox_messages SET done_ms = 0`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
		if n := len(w.mail.all()); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
}

func TestTrustedContactIsTold(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	v := accepted("n-1", person("m-1", carpool.ByMail))
	v.Notice.Kind, v.Notice.With = carpool.NoticeGuardian, map[string]string{carpool.WithTo: "trusted", carpool.WithReason: "alarm"}
	v.Trusted, v.For, v.To.Trusted = true, v.To.First, carpool.Contact{Name: "x", Phone: "+393338888888"}
	w.tell(v)
	got := w.sms.all()
	if len(got) != 1 || !strings.HasPrefix(got[0], "+393338888888 URGENTE: Residente chiede aiuto") || !strings.Contains(got[0], "112") || len(w.mail.all()) != 0 {
		t.Errorf("sms %q, mail %d", got, len(w.mail.all()))
	}
}

func TestSpokenForTheDesk(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	v := accepted("n-1", person("m-1", carpool.ByVoice))
	w.views.put(v)
	s, err := w.n.Spoken(t.Context(), "it", "n-1")
	if err != nil || !strings.Contains(s, "Il Suo passaggio è confermato") || !strings.Contains(s, "Partenza: Bergolo, piazza") || strings.Contains(s, "http") {
		t.Errorf("%q, %v", s, err)
	}
	title, text, err := w.n.Shown(t.Context(), "en", "n-1")
	if err != nil || title != "Your lift is confirmed" || !strings.Contains(text, "From: Bergolo, piazza") || strings.Contains(text, "Ask whether") || strings.Contains(text, "http") {
		t.Errorf("shown %q: %q, %v", title, text, err)
	}
	v.Nobody = true
	w.views.put(v)
	if s, err := w.n.Spoken(t.Context(), "it", "n-1"); err != nil || s != "" {
		t.Errorf("of somebody who left: %q, %v", s, err)
	}
	if _, err := w.n.Spoken(t.Context(), "it", "n-9"); fault.Of(err) != fault.NotFound {
		t.Errorf("of no notice: %v", err)
	}
}

func TestOldOutcomesAreForgotten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		db.SetClock(func() time.Time { return now })
		w := newWorld(t, db)
		driver := person("m-1", carpool.BySMS)
		w.tell(asks("n-1", driver, now.Add(time.Hour)))
		w.folk.put(driver)
		if _, err := w.n.NewCalendar(t.Context(), carpool.By{Account: driver.Account, Member: driver.ID}); err != nil {
			t.Fatal(err)
		}
		driver.State = carpool.Gone
		w.folk.put(driver)
		now = now.Add(w.n.cfg.Keep + 24*time.Hour)
		if err := w.n.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"notify_sent", "notify_questions", "notify_heard", "notify_daily", "notify_calendars"} {
			var n int
			err := db.View(t.Context(), func(tx *store.Tx) error {
				return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n)
			})
			if err != nil || n != 0 {
				t.Errorf("%s: %d rows, %v", table, n, err)
			}
		}
	})
}

func TestConfigsAndDepsThatAreRefused(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for _, base := range []string{"servizi.unione.example", "ftp://x.example", "https://u:p@x.example", "https://x.example/?a=b", "https://x.example/#a", "javascript:alert(1)", "https://"} {
		c := testConfig()
		c.Base = base
		if _, err := New(c, w.n.deps); fault.Of(err) != fault.Invalid || err == nil {
			t.Errorf("base %q: %v", base, err)
		}
	}
	for i, change := range []func(*Config){
		func(c *Config) { c.Patience = 0 }, func(c *Config) { c.Keep = 0 }, func(c *Config) { c.Ahead = 0 }, func(c *Config) { c.Margin = -1 },
		func(c *Config) { c.DeskPhone = "0173\r\n123" }, func(c *Config) { c.Office = strings.Repeat("a", 200) }, func(c *Config) { c.Replies = -1 },
	} {
		c := testConfig()
		change(&c)
		if _, err := New(c, w.n.deps); fault.Of(err) != fault.Invalid || err == nil {
			t.Errorf("config %d: %v", i, err)
		}
	}
	if _, err := New(testConfig(), Deps{}); err == nil {
		t.Error("nothing given was taken")
	}
	d := w.n.deps
	d.Channels = map[carpool.Channel]Channel{carpool.ByVoice: w.mail}
	if _, err := New(testConfig(), d); err == nil {
		t.Error("a voice was taken")
	}
	if !slices.Equal(Langs, []string{"it", "en"}) {
		t.Errorf("languages %v", Langs)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.n.Run(ctx) }()
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(longest):
		t.Fatal("it hangs")
	}
}
