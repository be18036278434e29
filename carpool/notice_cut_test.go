package carpool_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/notify"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// cutOff answers bookings, and then is as if the process had ended there.
type cutOff struct{ *carpool.Bookings }

func (c cutOff) Accept(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error) {
	if bk, err := c.Bookings.Accept(ctx, by, id, reason); err != nil {
		return bk, err
	}
	return carpool.Booking{}, fault.New(fault.Internal, "cut off")
}

func (c cutOff) Decline(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error) {
	if bk, err := c.Bookings.Decline(ctx, by, id, reason); err != nil {
		return bk, err
	}
	return carpool.Booking{}, fault.New(fault.Internal, "cut off")
}

// Two riders ask one driver, whose answer by SMS is cut off after it was
// written. Brought again it answers the same rider, and the driver hears that it
// was taken.
func TestSMSCutOffAnswersOneRider(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		p := &phones{sent: map[string][]string{}}
		sms, err := notify.BySMS(notify.SMSConfig{Daily: 1000}, db, notify.GatewayFunc(p.send))
		if err != nil {
			t.Fatal(err)
		}
		notifier := func(answers notify.Answers) *notify.Notifier {
			t.Helper()
			cfg := notify.Default()
			cfg.Heard = true
			n, err := notify.New(cfg, notify.Deps{Store: db, Audit: w.audit, Outbox: w.box, Notices: w.Portal, Desk: w.Desk, People: w.Members, Answers: answers,
				Channels: map[carpool.Channel]notify.Channel{carpool.BySMS: sms}, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
			if err == nil {
				err = n.Open(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		whole, cut := notifier(w.Bookings), notifier(cutOff{w.Bookings})
		deliver := func() {
			t.Helper()
			for range 4 {
				if _, err := w.box.Deliver(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			w.later(time.Minute)
		}
		const driversPhone = "+393330000001"
		driver, car := w.driver("2027-12-31")
		w.offer(driver, once(car, "2026-11-24", "07:00"))
		for text, state := range map[string]string{"SI": "accepted", "NO": "declined"} {
			for range 2 {
				rider := w.resident()
				w.book(rider, w.request(rider, need("2026-11-24", "06:30", "08:30"), nil))
				deliver()
			}
			was, open := w.count(`SELECT count(*) FROM carpool_bookings WHERE state = $1`, state), w.count(`SELECT count(*) FROM carpool_bookings WHERE state = 'asked'`)
			if err := cut.Inbound(t.Context(), text, driversPhone, text); err == nil {
				t.Fatal("it was not cut off")
			}
			for range 3 {
				if err := whole.Inbound(t.Context(), text, driversPhone, text); err != nil {
					t.Fatal(err)
				}
				deliver()
			}
			now, left := w.count(`SELECT count(*) FROM carpool_bookings WHERE state = $1`, state), w.count(`SELECT count(*) FROM carpool_bookings WHERE state = 'asked'`)
			if now != was+1 || left != open-1 {
				t.Errorf("%s: %d are %s, %d wait; before %d and %d", text, now, state, left, was, open)
			}
			if got := p.heard(driversPhone, "ho segnato "+text); !strings.HasSuffix(got, text+".") {
				t.Errorf("the driver reads %q", got)
			}
		}
	})
}
