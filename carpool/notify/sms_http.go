package notify

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
)

// HTTPGatewayConfig is how a gateway wants to be asked. In the values of
// Fields {to} is the number, {text} the message and {key} its name; they are
// written as the format needs it, so that no text can become another field.
type HTTPGatewayConfig struct {
	URL     string
	Format  string            // "json" or "form"
	Fields  map[string]string // of the body
	Header  string            // that holds the key; "": none
	OK      []int             // statuses that mean sent; none given: 200, 201, 202, 204
	Timeout time.Duration     // 0: 20 seconds
}

// HTTPGateway sends short messages by a service on the net.
type HTTPGateway struct {
	cfg  HTTPGatewayConfig
	key  string
	host *outer
}

var _ Gateway = (*HTTPGateway)(nil)

// NewHTTPGateway checks; it touches nothing. key is the value of
// Config.Header, which the caller reads from its file; roots says who vouches
// for the server, nil for the system's.
func NewHTTPGateway(cfg HTTPGatewayConfig, key string, roots *x509.CertPool) (*HTTPGateway, error) {
	host, err := newOuter("sms", cfg.URL, roots)
	if err != nil {
		return nil, err
	}
	if cfg.Format != "json" && cfg.Format != "form" {
		return nil, fault.New(fault.Invalid, "notify.sms.format: json or form")
	}
	all := ""
	for name, v := range cfg.Fields {
		if name == "" {
			return nil, fault.New(fault.Invalid, "notify.sms.fields: a field has no name")
		}
		all += v + "\n"
	}
	if !strings.Contains(all, "{to}") || !strings.Contains(all, "{text}") {
		return nil, fault.New(fault.Invalid, "notify.sms.fields: one must hold {to} and one {text}")
	}
	if (cfg.Header == "") != (key == "") || strings.ContainsFunc(cfg.Header, notToken) || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, fault.New(fault.Invalid, "notify.sms.header: give the name of the header and the file with its value, or neither")
	}
	if len(cfg.OK) == 0 {
		cfg.OK = []int{200, 201, 202, 204}
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 20 * time.Second
	}
	return &HTTPGateway{cfg: cfg, key: key, host: host}, nil
}

// notToken says whether a sign cannot stand in the name of a header.
func notToken(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
}

// Send asks the gateway to send one message.
func (g *HTTPGateway) Send(ctx context.Context, phone, text, key string) error {
	fill := strings.NewReplacer("{to}", phone, "{text}", text, "{key}", key)
	var body []byte
	kind := "application/json"
	if g.cfg.Format == "form" {
		kind = "application/x-www-form-urlencoded"
		form := url.Values{}
		for name, v := range g.cfg.Fields {
			form.Set(name, fill.Replace(v))
		}
		body = []byte(form.Encode())
	} else {
		fields := make(map[string]string, len(g.cfg.Fields))
		for name, v := range g.cfg.Fields {
			fields[name] = fill.Replace(v)
		}
		var err error
		if body, err = json.Marshal(fields); err != nil {
			return fault.New(fault.Invalid, "sms: %w", err)
		}
	}
	req, err := http.NewRequest(http.MethodPost, g.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Invalid, "sms: the address of the gateway cannot be used")
	}
	req.Header.Set("Content-Type", kind)
	if g.key != "" {
		req.Header.Set(g.cfg.Header, g.key)
	}
	a, err := g.host.do(ctx, g.cfg.Timeout, req)
	switch {
	case err != nil:
		return err
	case slices.Contains(g.cfg.OK, a.code):
		return nil
	case a.code == http.StatusTooManyRequests && a.wait > 0:
		return outbox.Later(time.Now().Add(a.wait), g.host.wrong("send", a.code))
	}
	return g.host.wrong("send", a.code)
}
