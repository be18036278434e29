package interop

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
)

// Round notes how bookings of other operators went on in the portal, and puts
// what their operators must be told in the outbox, each with its note in one
// transaction. It may be repeated; what nobody needs any more is dropped.
func (s *Server) Round(ctx context.Context) error {
	if err := s.abandon(ctx); err != nil {
		return err
	}
	open, err := s.entries(ctx, `status IN ($1, $2, $3) AND ref <> ''`, string(Waiting), string(Confirmed), string(Completed))
	if err != nil {
		return fmt.Errorf("look at bookings of other operators: %w", err)
	}
	for _, e := range open {
		st, err := s.deps.Portal.Status(ctx, e.ref)
		if fault.Of(err) == fault.NotFound && err != nil {
			continue
		}
		if err != nil {
			return fmt.Errorf("look at booking %s: %w", e.ID, err)
		}
		if st = merge(st, e.Status); st != e.Status {
			if err := s.moved(ctx, e, st); err != nil {
				return err
			}
		}
	}
	return errors.Join(s.forget(ctx, s.deps.Now()), s.deps.Portal.Forget(ctx))
}

// unfinished is how long a booking may take to be made.
const unfinished = 10 * time.Minute

// abandon takes back bookings that did not come to their end: the program was
// killed in them, and nobody asked again.
func (s *Server) abandon(ctx context.Context) error {
	left, err := s.entries(ctx, `ref = '' AND created_ms < $1`, store.Millis(s.deps.Now().Add(-unfinished)))
	if err != nil {
		return fmt.Errorf("look at unfinished bookings: %w", err)
	}
	for _, e := range left {
		if err := s.deps.Portal.Abandon(ctx, e.operator, e.Booking); err != nil {
			return fmt.Errorf("take back booking %s: %w", e.ID, err)
		}
		if err := s.drop(ctx, e.ID); err != nil {
			return err
		}
	}
	return nil
}

// moved notes a status that the portal brought about, and has it told.
func (s *Server) moved(ctx context.Context, e entry, to Status) error {
	return s.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE interop_bookings SET status = $2, changed_ms = $3 WHERE id = $1 AND status = $4`,
			e.ID, string(to), store.Millis(tx.Now), string(e.Status))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if err := s.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.outside.status", Object: e.ID, Detail: map[string]string{"status": string(to)}}); err != nil {
			return err
		}
		return s.deps.Outbox.Add(ctx, tx, outbox.Message{Queue: Queue, Key: e.ID + " " + string(to), Body: []byte(e.ID)})
	})
}

// tell sends the operator of a booking how it stands now.
func (s *Server) tell(ctx context.Context, m outbox.Message) error {
	var e entry
	var op Operator
	var sign string
	err := s.deps.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		if e, err = scanEntry(tx.QueryRow(ctx, entryQuery+` WHERE id = $1`, string(m.Body)).Scan); err != nil {
			return err
		}
		if op, err = operatorIn(ctx, tx, e.operator); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT sign FROM interop_keys WHERE operator = $1 ORDER BY made_ms DESC, id LIMIT 1`, e.operator).Scan(&sign)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows), fault.Of(err) == fault.NotFound && err != nil, err == nil && op.Webhook == "":
		return nil // nobody is there to be told any more
	case err != nil:
		return err
	}
	return s.send(ctx, op, sign, s.event(e, sign))
}

// event of a booking, by a name that is the same when it is told again.
func (s *Server) event(e entry, sign string) Event {
	b := e.Booking
	sum := sha256.Sum256([]byte("crinale event " + b.ID + " " + string(b.Status)))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // RFC 9562, version 8
	h := hex.EncodeToString(sum[:16])
	return Event{
		ID:      h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:],
		IDToken: s.idToken(e, sign),
		Data: EventBooking{ID: b.ID, PickupDate: b.PickupDate, PickupLat: b.PickupLat, PickupLng: b.PickupLng, DropLat: b.DropLat, DropLng: b.DropLng,
			PickupAddress: b.PickupAddress, DropAddress: b.DropAddress, Status: b.Status, Distance: b.Distance, Duration: b.Duration,
			WebURL: s.cfg.Web, Driver: &b.Driver, Price: &b.Price},
	}
}

// idToken names the operator's own user in a JWS (HS256) under the
// operator's key, so that it knows whose booking it is.
func (s *Server) idToken(e entry, sign string) string {
	part := func(v map[string]any) string {
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	now := s.deps.Now().Unix()
	text := part(map[string]any{"alg": "HS256", "typ": "JWT"}) + "." +
		part(map[string]any{"iss": s.cfg.Operator, "aud": e.operator, "sub": e.Passenger.ID, "iat": now, "exp": now + 600})
	return text + "." + base64.RawURLEncoding.EncodeToString(mac(sign, text))
}

func mac(sign, text string) []byte {
	m := hmac.New(sha256.New, []byte(sign))
	m.Write([]byte(text))
	return m.Sum(nil)
}

// Signature is the header that says that an event is ours: "t=UNIX,v1=HEX",
// HMAC-SHA256 of "UNIX.BODY". Its key is HMAC-SHA256 in hex of the text
// "crinale interop webhook 1" by the secret part of the operator's API key.
const Signature = "X-Crinale-Signature"

// send posts an event to an operator.
func (s *Server) send(ctx context.Context, op Operator, sign string, ev Event) error {
	if err := s.Operators.checkWebhook(op.Webhook); err != nil {
		return fault.New(fault.Refused, "tell operator %s: %w", op.ID, err)
	}
	body, err := json.Marshal(ev)
	if err != nil {
		return fmt.Errorf("tell operator %s: %w", op.ID, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(op.Webhook, "/")+"/booking_events", bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Refused, "tell operator %s: %w", op.ID, err)
	}
	at := fmt.Sprint(s.deps.Now().Unix())
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "crinale")
	req.Header.Set(Signature, "t="+at+",v1="+hex.EncodeToString(mac(sign, at+"."+string(body))))
	res, err := s.client.Do(req)
	if err != nil {
		if errors.Is(err, errInside) {
			return fault.New(fault.Refused, "tell operator %s: %w", op.ID, err)
		}
		return fault.New(fault.Unreachable, "tell operator %s: %w", op.ID, err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxBody)) // so that the connection can be used again
	switch c := res.StatusCode; {
	case c >= 200 && c < 300:
		return nil
	case c == http.StatusRequestTimeout || c == http.StatusTooManyRequests || c >= 500:
		return fault.New(fault.Unreachable, "tell operator %s: it answered %d", op.ID, c)
	}
	return fault.New(fault.Refused, "tell operator %s: it answered %d", op.ID, res.StatusCode)
}

// errInside is a name that leads into a private network.
var errInside = errors.New("its host has an address that is not public")

// newClient calls public addresses only, whatever a name resolves to, follows
// nobody elsewhere and goes through no proxy.
func (s *Server) newClient() *http.Client {
	dialer := &net.Dialer{Timeout: s.cfg.Timeout, Control: func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil || !s.cfg.anywhere && !public(ap.Addr()) {
			return errInside
		}
		return nil
	}}
	return &http.Client{
		Timeout: s.cfg.Timeout,
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: s.cfg.roots, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: s.cfg.Timeout, MaxIdleConns: 10, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// special are blocks that the methods of netip.Addr do not know (RFC 6890 and
// its registries).
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("fec0::/10"),
}

// public says whether an address is one of the open internet.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Zone() != "" {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
