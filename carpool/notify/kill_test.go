package notify

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/mail"
	"github.com/crinale/crinale/internal/mail/mailtest"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

const (
	childEnv = "CRINALE_TEST_NOTIFY_CHILD" // URL of the database
	smtpEnv  = "CRINALE_TEST_NOTIFY_SMTP"  // host:port of the mail server
)

// TestMain delivers without end when a test has started this binary again, so
// that it can be killed.
func TestMain(m *testing.M) {
	if url := os.Getenv(childEnv); url != "" {
		fmt.Fprintln(os.Stderr, child(context.Background(), url, os.Getenv(smtpEnv)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// roadless are no roads at all, for a portal that only tells.
type roadless struct{ carpool.Roads }

func (roadless) Index() carpool.StopIndex { return nil }

// house is a real portal with its notifier over one store.
type house struct {
	portal *carpool.Portal
	box    *outbox.Box
	n      *Notifier
}

func newHouse(ctx context.Context, db *store.DB, smtp string) (*house, error) {
	log, err := audit.New(audit.Config{}, audit.Deps{Store: db})
	if err != nil {
		return nil, err
	}
	cfg := outbox.Default()
	cfg.Every, cfg.First, cfg.Longest, cfg.Tries = 5*time.Millisecond, time.Millisecond, 5*time.Millisecond, 1000
	box, err := outbox.New(cfg, outbox.Deps{Store: db, Log: quiet})
	if err != nil {
		return nil, err
	}
	portal, err := carpool.New(carpool.Default(), carpool.Deps{Store: db, Audit: log, Outbox: box, Roads: roadless{}, Log: quiet})
	if err != nil {
		return nil, err
	}
	mailer, err := mail.New(mail.Config{Server: smtp, TLS: mail.NoTLS, From: "Passaggi <passaggi@unione.example>", Timeout: 10 * time.Second}, mail.Deps{})
	if err != nil {
		return nil, err
	}
	n, err := New(testConfig(), Deps{Store: db, Audit: log, Outbox: box, Notices: portal, Desk: portal.Desk, People: portal.Members, Answers: portal.Bookings, Log: quiet,
		Channels: map[carpool.Channel]Channel{carpool.ByMail: ByMail(mailer)}})
	if err != nil {
		return nil, err
	}
	for _, open := range []func(context.Context) error{log.Open, box.Open, portal.Open, n.Open} {
		if err := open(ctx); err != nil {
			return nil, err
		}
	}
	return &house{portal, box, n}, nil
}

// What the notifier needs, the portal has.
var (
	_ Notices = (*carpool.Portal)(nil)
	_ Desk    = (*carpool.Desk)(nil)
	_ People  = (*carpool.Members)(nil)
	_ Answers = (*carpool.Bookings)(nil)
)

func child(ctx context.Context, url, smtp string) error {
	db, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	h, err := newHouse(ctx, db, smtp)
	if err != nil {
		return err
	}
	return h.box.Run(ctx)
}

// killer ends the child in the middle of every so many deliveries: when the
// server has the message and has not said so.
type killer struct {
	mu    sync.Mutex
	cmd   *exec.Cmd
	seen  int
	every int
	kills int
}

func (k *killer) taken(at, _ string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if at != "taken" || k.cmd == nil {
		return nil
	}
	if k.seen++; k.seen%k.every == 0 {
		k.cmd.Process.Kill()
		k.cmd.Wait()
		k.cmd, k.kills = nil, k.kills+1
		return mailtest.Code(451, "")
	}
	return nil
}

// start starts another child where there is none.
func (k *killer) start(t *testing.T, url, smtp string) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cmd != nil {
		return
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+url, smtpEnv+"="+smtp)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	k.cmd = cmd
}

func (k *killer) stop() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cmd != nil {
		k.cmd.Process.Kill()
		k.cmd.Wait()
		k.cmd = nil
	}
	return k.kills
}

func TestEveryMailArrivesUnderOneNameAcrossKills(t *testing.T) {
	const people = 24
	test := func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		smtp := mailtest.Start(t, mailtest.Options{})
		h, err := newHouse(t.Context(), db, smtp.Addr)
		if err != nil {
			t.Fatal(err)
		}
		for i := range people {
			_, err := h.portal.Members.Register(t.Context(), carpool.By{Account: fmt.Sprintf("r-%d", i)}, carpool.Registration{How: "page", Consents: []carpool.ConsentTo{carpool.ConsentTerms},
				Member: carpool.Member{First: "Residente", Last: fmt.Sprint(i), Email: fmt.Sprintf("residente%d@example.org", i), Comune: "004000"}})
			if err != nil {
				t.Fatal(err)
			}
		}
		k := &killer{every: 3}
		smtp.Fail(k.taken)
		defer k.stop()
		deadline := time.After(4 * longest) // it starts many times
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			k.start(t, url, smtp.Addr)
			f, err := h.n.Figures(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if f.Sent[carpool.ByMail] == people {
				break
			}
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("after all kills: %+v, %d messages", f, len(smtp.Received()))
			}
		}
		kills := k.stop()
		f, err := h.n.Figures(t.Context())
		if err != nil || f.GivenUp != 0 || f.Failed[carpool.ByMail] != 0 {
			t.Errorf("figures %+v, %v", f, err)
		}
		byTo, byID := map[string][]mailtest.Received{}, map[string]string{}
		for _, r := range smtp.Received() {
			byTo[r.To] = append(byTo[r.To], r)
		}
		twice := 0
		for to, got := range byTo {
			id := got[0].Header("Message-Id")
			if other, ok := byID[id]; ok || id == "" {
				t.Errorf("%s and %s got the same name %s", to, other, id)
			}
			byID[id] = to
			for _, r := range got[1:] {
				twice++
				if r.Header("Message-Id") != id || string(r.Data) != string(got[0].Data) {
					t.Errorf("%s got it twice, and not the same:\n%s\n%s", to, got[0].Data, r.Data)
				}
			}
			if !strings.Contains(id, "@unione.example") {
				t.Errorf("name %s", id)
			}
		}
		if len(byTo) != people || kills < 5 || twice < 5 {
			t.Errorf("%d of %d people, %d kills, %d second deliveries", len(byTo), people, kills, twice)
		}
		t.Logf("%d people, %d kills, %d second deliveries, each the same to the byte", len(byTo), kills, twice)
	}
	t.Run("sqlite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "test.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, storetest.PostgresURL(t)) })
}
