package carpool_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/notify"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// phones is every mobile of the town: what was sent to each.
type phones struct {
	mu   sync.Mutex
	sent map[string][]string
}

func (p *phones) send(_ context.Context, phone, text string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[phone] = append(p.sent[phone], text)
	return nil
}

// heard is the message to a phone that holds some words; messages come in any
// order. "" when there is none.
func (p *phones) heard(phone, words string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, text := range p.sent[phone] {
		if strings.Contains(text, words) {
			return text
		}
	}
	return ""
}

// A lift is asked for, accepted and refused by SMS alone, by a driver with an
// account and by one whom the desk wrote down; a landline is called.
func TestLiftIsAgreedBySMS(t *testing.T) {
	storetest.Story(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		p := &phones{sent: map[string][]string{}}
		sms, err := notify.BySMS(notify.SMSConfig{Daily: 1000}, db, notify.GatewayFunc(p.send))
		if err != nil {
			t.Fatal(err)
		}
		cfg := notify.Default()
		cfg.Heard = true
		n, err := notify.New(cfg, notify.Deps{Store: db, Audit: w.audit, Outbox: w.box, Notices: w.Portal, Desk: w.Desk, People: w.Members, Answers: w.Bookings,
			Channels: map[carpool.Channel]notify.Channel{carpool.BySMS: sms}, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		deliver := func() {
			t.Helper()
			for range 4 {
				if _, err := w.box.Deliver(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		said := func(phone, text string) {
			t.Helper()
			if err := n.Inbound(t.Context(), phone+text, phone, text); err != nil {
				t.Fatal(err)
			}
			deliver()
		}

		driver, car := w.driver("2027-12-31")
		rider := w.resident()
		w.offer(driver, once(car, "2026-11-24", "07:00"))
		bk := w.book(rider, w.request(rider, need("2026-11-24", "06:30", "08:30"), nil))
		deliver()
		if got := p.heard("+393330000001", "chiede"); !strings.HasPrefix(got, "Passaggi: Residente2 chiede un posto mar 24/11 ore 7:") || !strings.HasSuffix(got, "Risponda SI o NO.") {
			t.Fatalf("the driver reads %q", got)
		}
		w.later(time.Minute)
		said("+393330000001", "Sì, volentieri")
		if got := w.count(`SELECT count(*) FROM carpool_bookings WHERE id = $1 AND state = 'accepted'`, string(bk.ID)); got != 1 {
			t.Error("SÌ did not accept")
		}
		if got := p.heard("+393330000002", "confermato"); !strings.HasPrefix(got, "Passaggi: confermato mar 24/11") || !strings.Contains(got, "+393330000001") {
			t.Errorf("the rider reads %q", got)
		}
		if got := w.count(`SELECT count(*) FROM audit_line WHERE via = 'sms' AND who = 'r-1'`); got == 0 {
			t.Error("the log does not say that it was by SMS")
		}

		// one whom the desk wrote down, without an account
		desk := carpool.By{Account: "d-1", Desk: true}
		m, err := w.Members.Register(t.Context(), desk, carpool.Registration{How: "paper", Consents: []carpool.ConsentTo{carpool.ConsentTerms, carpool.ConsentDesk, carpool.ConsentCheck},
			Member: carpool.Member{First: "Autista", Last: "Cognome", Phone: "+393337777777", Comune: "004000"}})
		if err != nil {
			t.Fatal(err)
		}
		for2 := carpool.By{Account: "d-1", Desk: true, Member: m.ID}
		v, err := w.Members.PutVehicle(t.Context(), for2, carpool.Vehicle{Driver: m.ID, Plate: "ZZ999ZZ", Label: "Punto blu", Class: "car", Seats: 3})
		if err != nil {
			t.Fatal(err)
		}
		w.exec(`INSERT INTO carpool_checks (id, driver, vehicle, state, licence, insurance, roadworthy, reason, officer, asked_ms, decided_ms)
			VALUES ('c-z', $1, $2, 'passed', '2027-12-31', '2027-12-31', '2027-12-31', '', 'p-1', 1, 1)`, string(m.ID), string(v.ID))
		o := once(v.ID, "2026-11-25", "07:00")
		o.Driver = m.ID
		w.offer(for2, o)
		home := w.resident(func(m *carpool.Member) { m.Phone = "+390173000111" })
		second := w.book(home, w.request(home, need("2026-11-25", "06:30", "08:30"), nil))
		deliver()
		w.later(time.Minute)
		said("333 7777777", "NO")
		if got := w.count(`SELECT count(*) FROM carpool_bookings WHERE id = $1 AND state = 'declined'`, string(second.ID)); got != 1 {
			t.Errorf("NO did not decline; the driver read %q", p.heard("+393337777777", "chiede"))
		}
		deliver()
		if got := w.count(`SELECT count(*) FROM carpool_calls WHERE member = $1 AND kind = 'booking.declined'`, string(home.Member)); got != 1 {
			t.Errorf("%d calls to the landline", got)
		}
		f, err := n.Figures(t.Context())
		if err != nil || f.GivenUp != 0 || f.Queued != 0 {
			t.Errorf("figures %+v, %v", f, err)
		}
	})
}
