package notify

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// simCard is a modem with an inbox.
type simCard struct {
	inbox   []Received
	dropped []string
	fail    error
	stuck   string // the message that cannot be dropped
}

func (s *simCard) Send(context.Context, string, string) error { return s.fail }

func (s *simCard) Received(context.Context) ([]Received, error) {
	return slices.Clone(s.inbox), s.fail
}

func (s *simCard) Drop(_ context.Context, id string) error {
	if s.fail != nil {
		return s.fail
	}
	if id == s.stuck {
		return fault.New(fault.Refused, "no such item")
	}
	s.dropped = append(s.dropped, id)
	s.inbox = slices.DeleteFunc(s.inbox, func(r Received) bool { return r.ID == id })
	return nil
}

// askedTwice is a driver who was asked for two lifts by short message.
func askedTwice(t *testing.T, db *store.DB) (*world, carpool.Member) {
	t.Helper()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	db.SetClock(func() time.Time { return now })
	w := newWorld(t, db)
	driver := person("m-driver", carpool.BySMS)
	w.folk.put(driver)
	for _, id := range []string{"n-1", "n-2"} {
		w.tell(asks(id, driver, now.Add(time.Hour)))
		now = now.Add(time.Minute)
	}
	return w, driver
}

func TestInboxOfAModemIsTakenAndEmptied(t *testing.T) {
	w, driver := askedTwice(t, storetest.SQLite(t))
	yes := Received{ID: "*1", From: driver.Phone, Text: "SI", At: "2026-11-22 12:03:00"}
	m := &simCard{inbox: []Received{yes, {ID: "*2", From: "CASHBACK", Text: "vinca", At: "x"}}}
	if err := w.n.hearOnce(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if len(m.inbox) != 0 || !slices.Equal(m.dropped, []string{"*1", "*2"}) {
		t.Errorf("left %v, dropped %v", m.inbox, m.dropped)
	}
	m.inbox = []Received{yes} // as after a crash between the answer and its dropping
	if err := w.n.hearOnce(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := w.said.all(); !slices.Equal(got, []string{"accept m-driver b-n-2"}) {
		t.Errorf("said %q", got)
	}
	w.said.fail = fault.New(fault.Internal, "the disk is full")
	m.inbox = []Received{{ID: "*3", From: driver.Phone, Text: "no", At: "later"}}
	if err := w.n.hearOnce(t.Context(), m); err == nil || len(m.inbox) != 1 {
		t.Errorf("a trouble of our own: %v, left %v", err, m.inbox)
	}
	if got, want := w.heard(), (Heard{Taken: 1, Nobody: 1, Failed: 1}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

// TestOneMessageHoldsUpNoOther: the answer behind one that cannot be dropped is
// heard.
func TestOneMessageHoldsUpNoOther(t *testing.T) {
	db := storetest.SQLite(t)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	db.SetClock(func() time.Time { return now })
	w := newWorld(t, db)
	driver := person("m-driver", carpool.BySMS)
	w.folk.put(driver)
	w.tell(asks("n-1", driver, now.Add(time.Hour)))
	m := &simCard{stuck: "*1", inbox: []Received{{ID: "*1", From: "CASHBACK", Text: "vinca", At: "x"}, {ID: "*2", From: driver.Phone, Text: "SI", At: "y"}}}
	if err := w.n.hearOnce(t.Context(), m); err == nil {
		t.Error("nothing is told of the message that stays")
	}
	if got := w.said.all(); !slices.Equal(got, []string{"accept m-driver b-n-1"}) || !slices.Equal(m.dropped, []string{"*2"}) {
		t.Errorf("said %q, dropped %q", got, m.dropped)
	}
}

func TestModemWritesASCII(t *testing.T) {
	for in, want := range map[string]string{
		"Passaggi: lunedì c'è posto, 2,40 €.":   "Passaggi: lunedi' c'e' posto, 2,40 EUR.",
		"“Più là”… d’accordo":                   "\"Piu' la'\"... d'accordo",
		"Straße, Øre":                           "Strasse, Ore",
		strings.Repeat("è", 100):                strings.Repeat("e", 100),
		strings.Repeat("{", 80) + "è":           strings.Repeat("{", 79) + ".",
		"Ciao Ирина":                            "Ciao ",
		strings.Repeat("a", 158) + "è" + "\r\n": strings.Repeat("a", 158) + "e'",
	} {
		if got := asciiSMS(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func FuzzModemText(f *testing.F) {
	for _, s := range []string{"è", strings.Repeat("{è", 90), "€€", "\x00\n", "Ирина"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := asciiSMS(s)
		if n, ok := gsmLength(got); !ok || n > mostGSM || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q became %q, of %d", s, got, n)
		}
	})
}
