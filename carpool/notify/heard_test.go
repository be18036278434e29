package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// killed is what a process that is killed leaves behind in a test.
type killed struct{}

// lifts are bookings that an answer settles once, and a place where the process
// is killed, the gateway hangs up or the store fails.
type lifts struct {
	w       *world
	at      string // where it is cut; "" nowhere
	hangUp  context.CancelFunc
	settled []string
}

func (l *lifts) cut(at string) {
	if l.at == at {
		l.at = ""
		panic(killed{})
	}
}

func (l *lifts) NoticeView(ctx context.Context, id string) (carpool.NoticeView, error) {
	l.cut("while the question is chosen")
	return l.w.views.NoticeView(ctx, id)
}

func (l *lifts) Accept(ctx context.Context, _ carpool.By, id carpool.BookingID, _ string) (carpool.Booking, error) {
	return carpool.Booking{}, l.settle(ctx, id, carpool.Accepted)
}

func (l *lifts) Decline(ctx context.Context, _ carpool.By, id carpool.BookingID, _ string) (carpool.Booking, error) {
	return carpool.Booking{}, l.settle(ctx, id, carpool.Declined)
}

func (l *lifts) settle(ctx context.Context, id carpool.BookingID, to carpool.BookingState) error {
	l.cut("before the act")
	if l.at == "when the gateway hangs up" {
		l.hangUp()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.at == "when the act fails" {
		l.at = ""
		return fault.New(fault.Internal, "the disk is full")
	}
	v, err := l.w.views.NoticeView(ctx, strings.TrimPrefix(string(id), "b-"))
	if err != nil {
		return err
	}
	if v.Trip.State != carpool.Asked {
		return fault.New(fault.Conflict, "booking: it is settled")
	}
	trip := *v.Trip
	trip.State = to
	v.Trip = &trip
	l.w.views.put(v)
	l.settled = append(l.settled, string(to)+" "+string(id))
	l.cut("after the act")
	if l.at == "when the end cannot be written" {
		l.w.exec(`ALTER TABLE notify_heard RENAME TO notify_away`)
	}
	return nil
}

func (w *world) exec(query string) {
	w.t.Helper()
	if err := w.db.Do(w.t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(w.t.Context(), query); return err }); err != nil {
		w.t.Fatal(err)
	}
}

// bring brings a message as bring does, and says whether it was taken to its
// end. A process that is killed starts again.
func (l *lifts) bring(by func(ctx context.Context) error) (err error) {
	ctx, hangUp := context.WithCancel(l.w.t.Context())
	defer hangUp()
	l.hangUp = hangUp
	defer func() {
		if r := recover(); r != nil && r != any(killed{}) {
			panic(r)
		} else if r != nil {
			err = context.Canceled
			l.restart()
		}
		if l.at == "when the end cannot be written" {
			l.at = ""
			l.w.exec(`ALTER TABLE notify_away RENAME TO notify_heard`)
		}
	}()
	return by(ctx)
}

func (l *lifts) restart() {
	n, err := New(l.w.n.cfg, l.w.n.deps)
	if err != nil {
		l.w.t.Fatal(err)
	}
	l.w.n = n
}

// twoAsked is a driver with two open questions, the later one n-2.
func twoAsked(t *testing.T, db *store.DB, now *time.Time) (*lifts, carpool.Member) {
	t.Helper()
	db.SetClock(func() time.Time { return *now })
	w := newWorld(t, db)
	l := &lifts{w: w}
	w.n.deps.Answers, w.n.deps.Notices = l, l
	l.restart()
	driver := person("m-driver", carpool.BySMS)
	w.folk.put(driver)
	for _, id := range []string{"n-1", "n-2"} {
		w.tell(asks(id, driver, now.Add(time.Hour)))
		*now = now.Add(time.Minute)
	}
	return l, driver
}

// cuts are the steps after which a message may be cut off.
var cuts = []string{"while the question is chosen", "before the act", "when the act fails", "when the gateway hangs up", "after the act", "when the end cannot be written"}

// However a message is cut off, brought again it ends the one question that it
// was taken for, and its sender hears of it once.
func TestMessageCutOffAnswersOneQuestion(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		l, driver := twoAsked(t, db, &now)
		for i, at := range cuts {
			text, want := "SI", "accepted"
			if i%2 == 1 {
				text, want = "NO", "declined"
			}
			id := fmt.Sprintf("n-%d", i+3)
			l.w.tell(asks(id, driver, now.Add(time.Hour)))
			l.isCut(at, text, want+" b-"+id, &now, func(ctx context.Context) error { return l.w.n.Inbound(ctx, at, driver.Phone, text) })
		}
	})
}

// The same at a router, which brings a message until it is dropped.
func TestMessageOfAModemCutOffAnswersOneQuestion(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	l, driver := twoAsked(t, storetest.SQLite(t), &now)
	for i, at := range cuts {
		id := fmt.Sprintf("n-%d", i+3)
		l.w.tell(asks(id, driver, now.Add(time.Hour)))
		sim := &simCard{}
		l.isCut(at, "SI", "accepted b-"+id, &now, func(ctx context.Context) error {
			sim.inbox = []Received{{ID: "*1", From: driver.Phone, Text: "SI", At: at}} // the router could not drop it
			return l.w.n.hearOnce(ctx, sim)
		})
	}
}

// isCut brings a message that is cut off, and brings it again: nothing but want
// is settled, and the sender hears of it.
func (l *lifts) isCut(at, text, want string, now *time.Time, by func(ctx context.Context) error) {
	t := l.w.t
	t.Helper()
	before, read := len(l.settled), len(l.w.sms.all())
	l.at = at
	if err := l.bring(by); (err == nil) != (at == "when the gateway hangs up") {
		t.Fatalf("%s: %v", at, err)
	}
	l.at = ""
	for range 3 {
		*now = now.Add(time.Minute)
		if err := l.bring(by); err != nil {
			t.Fatalf("%s: brought again: %v", at, err)
		}
	}
	l.w.settle()
	heard := l.w.sms.all()[read:]
	if got := l.settled[before:]; !slices.Equal(got, []string{want}) || len(heard) != 1 || !strings.HasSuffix(heard[0], "ho segnato "+text+".") {
		t.Errorf("%s: settled %q, heard %q", at, got, heard)
	}
}

// A second message is a second answer. One that comes while the first was cut
// off is taken for the same question: whoever heard nothing says it again.
func TestSecondMessageIsASecondAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		l, driver := twoAsked(t, db, &now)
		for i, at := range append([]string{""}, cuts...) {
			older, newer := fmt.Sprintf("n-%d", 2*i+3), fmt.Sprintf("n-%d", 2*i+4)
			for _, id := range []string{older, newer} {
				l.w.tell(asks(id, driver, now.Add(time.Hour)))
				now = now.Add(time.Second)
			}
			yes := func(id string) func(ctx context.Context) error {
				return func(ctx context.Context) error { return l.w.n.Inbound(ctx, at+id, driver.Phone, "SI") }
			}
			before := len(l.settled)
			l.at = at
			err := l.bring(yes("1"))
			l.at = ""
			want := []string{"accepted b-" + newer, "accepted b-" + older}
			if err != nil && at != "while the question is chosen" { // there nothing was begun, and both count
				want = want[:1]
			}
			for _, id := range []string{"2", "1", "2", "1"} {
				if err := l.bring(yes(id)); err != nil {
					t.Fatal(err)
				}
			}
			if got := l.settled[before:]; !slices.Equal(got, want) {
				t.Errorf("%s: settled %q, want %q", at, got, want)
			}
		}
	})
}

// A message that a router cannot drop is brought for ever: it is not forgotten,
// and answers nothing that is asked later.
func TestMessageThatStaysIsNotForgotten(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	l, driver := twoAsked(t, storetest.SQLite(t), &now)
	stranger := person("m-later", carpool.BySMS)
	stranger.Phone = "+393339999999"
	both := []Received{{ID: "*1", From: driver.Phone, Text: "SI", At: "a"}, {ID: "*2", From: stranger.Phone, Text: "SI", At: "b"}}
	for day := range 10 {
		sim := &simCard{inbox: slices.Clone(both)}
		if err := l.w.n.hearOnce(t.Context(), sim); err != nil {
			t.Fatal(err)
		}
		if day == 1 {
			l.w.folk.put(stranger)
		}
		for i, m := range []carpool.Member{driver, stranger} {
			l.w.tell(asks(fmt.Sprintf("n-day-%d-%d", day, i), m, now.Add(time.Hour)))
		}
		now = now.Add(24 * time.Hour)
		if err := l.w.n.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(l.settled, []string{"accepted b-n-2"}) {
		t.Errorf("settled %q", l.settled)
	}
}
