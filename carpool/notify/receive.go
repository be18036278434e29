package notify

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

//go:embed receive.json
var receiveFragment []byte

// ReceivePath is where a gateway brings the short messages that came in.
const ReceivePath = "/api/v1/carpool/sms"

// receiveHeader holds the gateway's key, as the API for other operators does:
// Authorization is for the accounts of this server.
const receiveHeader = "X-API-Key"

// Bounds of what a gateway brings.
const (
	maxReceived    = 8 << 10 // bytes of a body
	maxReceivedID  = 200     // bytes of a message's name
	shortestSecret = 20      // characters of a key
)

// Rates of the route. Wrong keys are counted all together: they cost the gateway
// nothing, whose key is looked at first.
var (
	receivedRate = login.Rate{Burst: 120, Every: 500 * time.Millisecond}
	wrongRate    = login.Rate{Burst: 20, Every: 3 * time.Second}
)

// ReceiveConfig is how a gateway brings a message: the names of its fields. A
// name with dots goes into objects: "payload.message".
type ReceiveConfig struct {
	ID, From, Text string
}

// Receiver takes short messages from a gateway over HTTP.
type Receiver struct {
	cfg         ReceiveConfig
	secret      [sha256.Size]byte
	open        bool // there is a key
	notify      *Notifier
	mu          sync.Mutex
	taken, from time.Time // until when what was asked is paid for: by the gateway, by others
}

// NewReceiver checks; it touches nothing. Without a key the route answers as
// one that is not there.
func NewReceiver(cfg ReceiveConfig, key string) (*Receiver, error) {
	if key != "" && len(key) < shortestSecret {
		return nil, fault.New(fault.Invalid, "the key of the gateway is shorter than %d characters: make one with openssl rand -hex 24", shortestSecret)
	}
	for _, f := range []string{cfg.ID, cfg.From, cfg.Text} {
		if f == "" || len(f) > 100 {
			return nil, fault.New(fault.Invalid, "name the fields id, from and text of what the gateway sends")
		}
	}
	return &Receiver{cfg: cfg, secret: sha256.Sum256([]byte(key)), open: key != ""}, nil
}

// Open says whether there is a gateway that may bring messages.
func (r *Receiver) Open() bool { return r.open }

// Mount puts the route on the shell; n takes what comes.
func (r *Receiver) Mount(shell *web.Shell, n *Notifier) error {
	r.notify = n
	return shell.API(receiveFragment, map[string]web.Route{
		"POST " + ReceivePath: {Access: web.Public, Handler: shell.Taking(r.receive)},
	})
}

func (r *Receiver) receive(w http.ResponseWriter, req *http.Request) error {
	if !r.open {
		return fault.New(fault.NotFound, "no gateway brings short messages here")
	}
	w.Header().Set("Cache-Control", "no-store")
	keys := req.Header.Values(receiveHeader)
	shown := sha256.Sum256([]byte(strings.Join(keys, "\n")))
	paid, rate, known := &r.from, wrongRate, len(keys) == 1 && subtle.ConstantTimeCompare(shown[:], r.secret[:]) == 1
	if known {
		paid, rate = &r.taken, receivedRate
	}
	if wait := r.take(paid, rate, time.Now()); wait > 0 {
		return fault.As(fault.Denied, login.Slow{After: wait})
	}
	if !known {
		r.notify.received.refused.Add(1)
		r.notify.deps.Log.Warn("notify: a short message came with a wrong key, and was not read")
		return fault.New(fault.Denied, "the key of the gateway is not right")
	}
	req.Body = http.MaxBytesReader(w, req.Body, maxReceived)
	m, err := r.read(req)
	if err != nil {
		return err
	}
	if err := r.notify.Inbound(req.Context(), "http\x00"+m.ID, m.From, m.Text); err != nil && fault.Of(err) != fault.Denied {
		return err // it brings it again
	}
	w.WriteHeader(http.StatusNoContent) // the same for whom nobody knows
	return nil
}

// take lets a request through, or says how long to wait.
func (r *Receiver) take(paid *time.Time, rate login.Rate, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	next, wait := rate.Next(*paid, now)
	if wait == 0 {
		*paid = next
	}
	return wait
}

// read reads a body, JSON or a form. Fields that are not asked for are the
// gateway's own affair.
func (r *Receiver) read(req *http.Request) (Received, error) {
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return Received{}, fault.New(fault.Invalid, "short message: read the body, of %d bytes at most: %w", maxReceived, err)
	}
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	return readReceived(r.cfg, kind, b)
}

// readReceived is the message in a body.
func readReceived(cfg ReceiveConfig, kind string, b []byte) (Received, error) {
	var field func(name string) string
	switch kind {
	case "application/json":
		var v any
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber() // names of messages have more digits than a float64
		if d.Decode(&v) != nil || d.Decode(new(any)) != io.EOF {
			return Received{}, fault.New(fault.Invalid, "short message: the body is not JSON")
		}
		field = func(name string) string { return jsonField(v, name) }
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(b))
		if err != nil {
			return Received{}, fault.New(fault.Invalid, "short message: the body is not a form")
		}
		field = form.Get
	default:
		return Received{}, fault.New(fault.Invalid, "short message: want Content-Type application/json or application/x-www-form-urlencoded")
	}
	m := Received{ID: field(cfg.ID), From: field(cfg.From), Text: field(cfg.Text)}
	for _, f := range []struct{ key, name, v string }{{"id", cfg.ID, m.ID}, {"from", cfg.From, m.From}} {
		if f.v == "" || len(f.v) > maxReceivedID {
			return Received{}, fault.New(fault.Invalid, "short message: field %q is missing or too long: see sms.answers_fields.%s", f.name, f.key)
		}
	}
	return m, nil
}

// jsonField is the text or whole number at a path in a JSON value; "" where
// there is none.
func jsonField(v any, path string) string {
	for name := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}
