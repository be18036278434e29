package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/notify"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/radio/sim"
)

// lteRouter is a simulated router with a SIM, of the demo's name.
const lteRouter = "murazzano-lte"

func simulatedRouter(t *testing.T) *sim.Fleet {
	t.Helper()
	n := &network.Network{
		Gear:    map[network.GearID]network.Gear{"rtr": {ID: "rtr", Class: "router"}},
		Sites:   []network.Site{{ID: "here"}},
		Devices: []network.Device{{ID: lteRouter, Site: "here", Gear: "rtr"}},
		Links:   []network.Link{{ID: "mobile", Medium: network.LTE, A: lteRouter}},
	}
	n.Index()
	c := sim.Default()
	c.StateDir = t.TempDir()
	f, err := sim.New(c, sim.Deps{Network: n, Level: func(network.LinkID, network.DeviceID) (unit.DBm, bool) { return 0, false }})
	if err != nil {
		t.Fatal(err)
	}
	running(t, f.Run)
	<-f.Ready()
	if err := f.Console(t.Context(), lteRouter, "/tool sms set receive-enabled=yes port=lte1"); err != nil {
		t.Fatal(err)
	}
	return f
}

// running is a part of the server until the test ends.
func running(t *testing.T, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// asksFor has a rider ask a driver for a lift.
func (v *village) asksFor(rider member, driver member, hour int) carpool.BookingID {
	v.t.Helper()
	ctx, s := v.t.Context(), v.s.carpool
	q, err := s.Bookings.Request(ctx, rider.by, carpool.Request{Rider: rider.by.Member, From: v.spot("bergolo-municipio"), To: v.spot("cortemilia-municipio"),
		When: carpool.Window{From: v.morning(hour - 1), To: v.morning(hour + 2)}, MaxWalk: 20 * time.Minute}, nil, fmt.Sprintf("request-of-an-answer-%d", hour))
	v.must(err)
	a, err := s.Bookings.Search(ctx, carpool.Ask{For: rider.by.Member, From: q.From, To: q.To, When: q.When, Seats: 1, MaxWalk: q.MaxWalk})
	v.must(err)
	for _, x := range a.Matches {
		if x.Why == nil {
			continue
		}
		b, err := s.Bookings.Book(ctx, rider.by, q.ID, x, fmt.Sprintf("booking-of-an-answer-%d", hour))
		v.must(err)
		if b.Driver == driver.by.Member {
			return b.ID
		}
		_, err = s.Bookings.Cancel(ctx, rider.by, b.ID, "")
		v.must(err)
	}
	v.t.Fatal("no lift was found")
	return ""
}

// heardByVoice takes somebody's texts away, so that they take none of the
// router's time.
func (v *village) heardByVoice(m member) member {
	v.t.Helper()
	who, err := v.s.carpool.Members.Get(v.t.Context(), m.by.Member)
	v.must(err)
	who.Channels = []carpool.Channel{carpool.ByVoice}
	_, err = v.s.carpool.Members.Update(v.t.Context(), m.by, who)
	v.must(err)
	return m
}

func (v *village) stateOf(m member, id carpool.BookingID) carpool.BookingState {
	v.t.Helper()
	b, err := v.s.carpool.Bookings.Get(v.t.Context(), m.by, id)
	v.must(err)
	return b.Booking.State
}

// TestAnswersBySMS: a driver with a mobile is asked by a text of the union's LTE
// router, and what they answer, by that router or by a gateway, is what they
// would have pressed on the page.
func TestAnswersBySMS(t *testing.T) {
	f := simulatedRouter(t)
	logs := &journal{}
	v := &village{host: &host{guests: map[string]*guest{}}, t: t, logs: logs, day: carpool.DateOf(time.Now().AddDate(0, 0, 3), time.UTC)}
	key := filepath.Join(t.TempDir(), "gateway.key")
	v.must(os.WriteFile(key, []byte("0123456789abcdef0123456789\n"), 0o600))
	v.s = wiredTo(t, slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})), func(c *config) {
		c.SMS.Router, c.SMS.AnswersKeyFile = lteRouter, key
	})
	v.s.modem.book = simBook(f.Devices)
	v.must(v.s.open(t.Context()))
	v.must(demoPlaces(t.Context(), v.s, carpool.By{Account: "admin"}))
	srv := httptest.NewServer(v.s.web.Handler())
	t.Cleanup(srv.Close)
	v.url = srv.URL

	driver, asked := v.joins("driver", "004073", 11), []carpool.BookingID{}
	for i, hour := range []int{8, 14} {
		v.drives(&driver, 11+i, v.spot("bergolo-municipio"), v.spot("cortemilia-municipio"), carpool.Clock(fmt.Sprintf("%02d:10", hour)))
		asked = append(asked, v.asksFor(v.heardByVoice(v.joins(fmt.Sprint("rider ", i), "004073", 21+i)), driver, hour))
	}
	running(t, v.s.outbox.Run)
	const phone = "+393337700011"
	questions := func() (n int) {
		for _, m := range f.SentSMS(lteRouter) {
			if m.Phone == phone && strings.HasSuffix(m.Text, "Risponda SI o NO.") {
				n++
			}
		}
		return n
	}
	until(t, "both questions", func() bool { return questions() == 2 })

	v.must(f.ReceiveSMS(lteRouter, sim.SMS{Phone: "CASHBACK", Text: "SI"}))
	v.must(f.ReceiveSMS(lteRouter, sim.SMS{Phone: phone, Text: "S\xec, volentieri"}))
	running(t, func(ctx context.Context) error { return v.s.notify.Hear(ctx, v.s.modem) })
	in := func(state carpool.BookingState) (n int) {
		for _, id := range asked {
			if v.stateOf(driver, id) == state {
				n++
			}
		}
		return n
	}
	until(t, "the answer is taken out of the inbox", func() bool { return len(f.InboxSMS(lteRouter)) == 0 })
	if in(carpool.Accepted) != 1 || in(carpool.Asked) != 1 {
		t.Fatalf("after SI %d lifts are accepted, %d are asked for", in(carpool.Accepted), in(carpool.Asked))
	}

	bring := func(key, body string) int {
		req, err := http.NewRequestWithContext(t.Context(), "POST", v.url+notify.ReceivePath, strings.NewReader(body))
		v.must(err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-API-Key", key)
		res, err := http.DefaultClient.Do(req)
		v.must(err)
		v.must(res.Body.Close())
		return res.StatusCode
	}
	no := fmt.Sprintf(`{"id":"77","from":%q,"text":"No, mi dispiace"}`, phone)
	if code := bring("wrong", no); code != http.StatusForbidden || in(carpool.Asked) != 1 {
		t.Errorf("a wrong key: %d, %d lifts are asked for", code, in(carpool.Asked))
	}
	for range 2 {
		if code := bring("0123456789abcdef0123456789", no); code != http.StatusNoContent {
			t.Errorf("the gateway: %d", code)
		}
	}
	if in(carpool.Accepted) != 1 || in(carpool.Declined) != 1 {
		t.Errorf("after NO %d lifts are accepted, %d declined", in(carpool.Accepted), in(carpool.Declined))
	}
	figures := string(v.s.metrics.Text())
	for _, want := range []string{`crinale_messages_total{channel="sms",result="sent"} `, `crinale_sms_received_total{result="taken"} 2`, `crinale_sms_received_total{result="nobody"} 1`,
		`crinale_sms_received_total{result="refused"} 1`, `crinale_outbox_messages{queue="carpool.sms",state="waiting"} `, `crinale_outbox_oldest_seconds{queue="carpool.voce"} 0`, `crinale_calls{state="due"} `} {
		if !strings.Contains(figures, want) {
			t.Errorf("the figures lack %s", want)
		}
	}
	if strings.Contains(figures, phone[3:]) || strings.Contains(figures, string(driver.by.Member)) || strings.Contains(figures, "qz") {
		t.Error("the figures name somebody")
	}
	if s := logs.text(); strings.Contains(s, phone[3:]) || strings.Contains(s, "volentieri") {
		t.Error("the log holds a number or the words of an answer")
	}
}

// TestCheckSaysWhichMessagesLeave: crinale check names the ways, and what is
// wrong with them.
func TestCheckSaysWhichMessagesLeave(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte("0123456789abcdef0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key+".short", []byte("0123"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ yaml, want, wrong string }{
		{"", "messages: the desk's call list\n", ""},
		{"sms: {url: https://sms.example/send, key_file: " + key + "}", "messages: SMS by a gateway, 200 a day, answers by SMS are not read (sms.answers_key_file), the desk's call list\n", ""},
		{"sms: {url: https://sms.example/send, key_file: " + key + ", answers_key_file: " + key + "}", "SMS by a gateway, 200 a day, answers by SMS are read", ""},
		{"sms: {router: murazzano-lte}", "SMS by the router murazzano-lte, 200 a day, answers by SMS are read", ""},
		{"sms: {router: nowhere}", "", "sms.router: the network files have no device nowhere"},
		{"sms: {router: murazzano-lte, port: ''}", "", "sms.port: name the port"},
		{"sms: {router: murazzano-lte, url: https://sms.example/send}", "", "url and router are both given"},
		{"sms: {answers_key_file: " + key + ".short}", "", "sms.answers_key_file: the key"},
		{"sms: {answers_key_file: " + key + ".none}", "", "sms.answers_key_file: "},
		{"sms: {answers_fields: {id: '', from: a, text: b}}", "", "sms.answers_fields"},
	} {
		file := filepath.Join(dir, "crinale.yaml")
		simFile := filepath.Join(dir, "sim.json")
		if err := os.WriteFile(simFile, []byte(`{"devices":[]}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("data: state\nradio: {sim_file: sim.json}\n"+c.yaml+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs strings.Builder
		code := run([]string{"crinale", "check", "--config", file}, &out, &errs)
		if (code == 0) != (c.wrong == "") || !strings.Contains(out.String(), c.want) || !strings.Contains(errs.String(), c.wrong) {
			t.Errorf("%q: %d, said %q and %q", c.yaml, code, out.String(), errs.String())
		}
	}
}
