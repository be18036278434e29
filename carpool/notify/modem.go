package notify

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// Modem is a router of the union with a SIM. What it sends is ASCII; what came
// in stays until it is dropped.
type Modem interface {
	Send(ctx context.Context, phone, text string) error
	Received(ctx context.Context) ([]Received, error)
	Drop(ctx context.Context, id string) error
}

// Received is a short message at a modem. The ID is good for Drop; a message
// is the same one again when sender, time and text are.
type Received struct {
	ID, From, Text, At string
}

// modemEvery is how often a modem is asked for what came in.
const modemEvery = 15 * time.Second

// modemGateway sends by a modem.
type modemGateway struct{ modem Modem }

// ByModem is a gateway that sends by a modem: without the accents that it
// cannot write.
func ByModem(m Modem) Gateway { return modemGateway{m} }

func (g modemGateway) Send(ctx context.Context, phone, text, _ string) error {
	return g.modem.Send(ctx, phone, asciiSMS(text))
}

// accents of the GSM alphabet that ASCII does not have: as Italians type them
// on a keyboard without, and alone where the message would get too long.
var (
	apostrophes = strings.NewReplacer("à", "a'", "è", "e'", "é", "e'", "ì", "i'", "ò", "o'", "ù", "u'")
	bare7       = strings.NewReplacer("à", "a", "è", "e", "é", "e", "ì", "i", "ò", "o", "ù", "u", "É", "E", "Å", "A", "å", "a", "Ä", "A", "ä", "a",
		"Ö", "O", "ö", "o", "Ø", "O", "ø", "o", "Ü", "U", "ü", "u", "Ñ", "N", "ñ", "n", "Ç", "C", "ß", "ss", "Æ", "AE", "æ", "ae", "€", "EUR", "£", "GBP", "¿", "", "¡", "")
)

// asciiSMS is a short message in ASCII, one message long.
func asciiSMS(s string) string {
	s = gsmNear.Replace(plainLine(s))
	if with := apostrophes.Replace(s); len([]rune(with)) <= mostGSM {
		s = with
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, bare7.Replace(s))
	for n := mostGSM; ; n-- {
		if c := cut(s, n); FitsSMS(c) {
			return c
		}
	}
}

// Hear asks a modem for what came in and takes it, until ctx ends. A message
// that was taken, or is nobody's, is dropped, since a SIM has little room; one
// that met a trouble of our own stays for the next look.
func (n *Notifier) Hear(ctx context.Context, m Modem) error {
	tick := time.NewTicker(modemEvery)
	defer tick.Stop()
	trouble := false
	for {
		err := n.hearOnce(ctx, m)
		if ctx.Err() != nil {
			return nil
		}
		if (err != nil) != trouble {
			trouble = err != nil
			if trouble {
				n.deps.Log.Error("notify: short messages that come in are not read", "err", err)
			} else {
				n.deps.Log.Info("notify: short messages that come in are read again")
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// hearOnce takes what is in the inbox of a modem, the oldest first. One that
// cannot be taken or dropped holds up no other.
func (n *Notifier) hearOnce(ctx context.Context, m Modem) error {
	all, err := m.Received(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range all {
		id := strings.Join([]string{"modem", r.From, r.At, r.Text}, "\x00")
		if err := n.Inbound(ctx, id, r.From, r.Text); err != nil && fault.Of(err) != fault.Denied {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, m.Drop(ctx, r.ID))
	}
	return errors.Join(errs...)
}
