package notify

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
)

// IOConfig is how App IO is reached.
type IOConfig struct {
	URL     string        // "https://api.io.pagopa.it/api/v1"
	Timeout time.Duration // of one request
	Live    time.Duration // App IO tries to deliver for so long: 1 hour to 7 days
}

// DefaultIO is the published address.
func DefaultIO() IOConfig {
	return IOConfig{URL: "https://api.io.pagopa.it/api/v1", Timeout: 20 * time.Second, Live: 24 * time.Hour}
}

// IO is the channel of App IO, by its API for services of public bodies
// (pagopa/io-functions-services, openapi/index.yaml, 0062d1c): POST /profiles
// asks whether somebody takes messages, POST /messages sends one. The fiscal
// code goes in the body, never in an address.
type IO struct {
	cfg  IOConfig
	key  string
	host *outer

	mu    sync.Mutex
	until time.Time // asked to wait; zero: no
}

var _ Channel = (*IO)(nil)

// ByIO is the channel of App IO; it touches nothing. key is the service's
// subscription key, which the caller reads from its file; roots says who
// vouches for the server, nil for the system's.
func ByIO(cfg IOConfig, key string, roots *x509.CertPool) (*IO, error) {
	host, err := newOuter("io", cfg.URL, roots)
	if err != nil {
		return nil, err
	}
	if host.base.RawQuery != "" {
		return nil, fault.New(fault.Invalid, "notify.io.url: without a query")
	}
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fault.New(fault.Invalid, "notify.io.key_file: it must hold the subscription key on one line")
	}
	if cfg.Timeout <= 0 || cfg.Live < time.Hour || cfg.Live > 7*24*time.Hour {
		return nil, fault.New(fault.Invalid, "notify.io: timeout must be above 0, and live from 1h to 168h")
	}
	cfg.URL = strings.TrimSuffix(cfg.URL, "/")
	return &IO{cfg: cfg, key: key, host: host}, nil
}

// Bounds of a message, in UTF-16 units as the API counts them.
const (
	ioSubjectLeast, ioSubjectMost = 10, 120
	ioTextLeast, ioTextMost       = 80, 10000
)

// profile is the answer about somebody.
type profile struct {
	SenderAllowed *bool `json:"sender_allowed"`
}

// newMessage is NewMessage of the API.
type newMessage struct {
	TimeToLive int       `json:"time_to_live"`
	FiscalCode string    `json:"fiscal_code"`
	Content    ioContent `json:"content"`
}

type ioContent struct {
	Subject  string `json:"subject"`
	Markdown string `json:"markdown"`
	DueDate  string `json:"due_date,omitempty"`
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }

// Send sends the text for App IO to a fiscal code. Somebody who does not use
// App IO, or does not want our messages there, is Refused.
func (c *IO) Send(ctx context.Context, to To, t Text) error {
	subject, text := t.Title, t.Markdown
	if n := units(subject); n < ioSubjectLeast || n > ioSubjectMost {
		return fault.New(fault.Invalid, "io: the subject has %d characters, not %d to %d", n, ioSubjectLeast, ioSubjectMost)
	}
	if n := units(text); n < ioTextLeast || n > ioTextMost {
		return fault.New(fault.Invalid, "io: the text has %d characters, not %d to %d", n, ioTextLeast, ioTextMost)
	}
	if to.Fiscal == "" {
		return fault.New(fault.Invalid, "io: there is no fiscal code")
	}
	var p profile
	code, err := c.post(ctx, "profiles", map[string]string{"fiscal_code": to.Fiscal}, &p)
	switch {
	case err != nil:
		return err
	case code == http.StatusNotFound:
		return fault.New(fault.Refused, "io: the person does not use App IO")
	case code != http.StatusOK:
		return c.host.wrong("ask for the profile", code)
	case p.SenderAllowed == nil:
		return fault.New(fault.Unreachable, "io: the profile does not say whether we may write")
	case !*p.SenderAllowed:
		return fault.New(fault.Refused, "io: the person does not take our messages")
	}
	m := newMessage{TimeToLive: int(c.cfg.Live / time.Second), FiscalCode: to.Fiscal, Content: ioContent{Subject: subject, Markdown: text}}
	if !t.Due.IsZero() {
		m.Content.DueDate = t.Due.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	code, err = c.post(ctx, "messages", m, nil)
	if err == nil && code != http.StatusCreated {
		err = c.host.wrong("send", code)
	}
	return err
}

// post asks one thing. 429 is Later, for whatever is asked next too.
func (c *IO) post(ctx context.Context, path string, ask, into any) (int, error) {
	c.mu.Lock()
	until := c.until
	c.mu.Unlock()
	if time.Now().Before(until) {
		return 0, outbox.Later(until, fault.New(fault.Unreachable, "io: asked to wait"))
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return 0, fault.New(fault.Invalid, "io: %w", err)
	}
	req, err := http.NewRequest(http.MethodPost, c.cfg.URL+"/"+path, bytes.NewReader(body))
	if err != nil {
		return 0, fault.New(fault.Invalid, "io: the address cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Ocp-Apim-Subscription-Key", c.key)
	a, err := c.host.do(ctx, c.cfg.Timeout, req)
	if err != nil {
		return 0, err
	}
	if a.code == http.StatusTooManyRequests {
		until := time.Now().Add(max(a.wait, time.Second))
		c.mu.Lock()
		c.until = until
		c.mu.Unlock()
		return a.code, outbox.Later(until, c.host.wrong(path, a.code))
	}
	if into != nil && a.code == http.StatusOK {
		if err := json.Unmarshal(a.body, into); err != nil {
			return a.code, fault.New(fault.Unreachable, "io: the answer is not what its specification says")
		}
	}
	return a.code, nil
}
