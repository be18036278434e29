// Package notify brings the portal's notices to people: e-mail, App IO, SMS,
// the desk's voice, calendars, each in the language of who is told.
//
// A notice comes from the outbox with nothing but its name. What it says is
// read at the moment of sending, so that nobody reads what they may not see any
// more. Each channel has a queue of its own in the outbox: a mail server that
// hangs holds up no short message. What a channel refuses for good, or cannot
// bring in time, goes to the member's next channel, and in the end to the call
// list of the desk.
package notify

import (
	"context"
	"embed"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/zone"
)

//go:embed migrations
var migrations embed.FS

// Owner of the tables; their names begin with it.
const Owner = "notify"

// Config of the notifier. Default gives what can be given.
type Config struct {
	Base      string         // "https://servizi.unione.example": where links lead; "": no links
	DeskPhone string         // of the desk, as people read it: "0173 123456"; "": none is told
	Office    string         // who writes: "Unione Montana Alta Langa, servizio Passaggi"
	Location  *time.Location // of times; nil: Europe/Rome

	Patience time.Duration // a channel that cannot be reached is left after this
	Margin   time.Duration // before a notice is due, the next channel takes over
	Keep     time.Duration // what came of a notice is remembered
	Back     time.Duration // a calendar shows rides that long ago
	Ahead    time.Duration // and that far ahead
	Replies  int           // answers by SMS to one member on one day, at most
	Heard    bool          // short messages come in by Inbound: only then is an answer asked for
}

// Default leaves a silent channel after two hours.
func Default() Config {
	return Config{Office: "Unione Montana, servizio Passaggi", Patience: 2 * time.Hour, Margin: time.Hour, Keep: 90 * 24 * time.Hour,
		Back: 7 * 24 * time.Hour, Ahead: 60 * 24 * time.Hour, Replies: 6}
}

// To is who a message goes to, by what its channel needs.
type To struct {
	Member carpool.MemberID // who is told; "": nobody who takes part yet
	Email  string
	Phone  string // E.164
	Fiscal string
}

// Text is a message, dressed for every channel.
type Text struct {
	Key      string    // the same message has the same key, however often it is sent
	Title    string    // one line
	Plain    string    // with details
	HTML     string    // the same with marks
	Markdown string    // for App IO: nothing personal of anybody else
	Short    string    // one SMS
	At       time.Time // of the event
	Due      time.Time // should be heard by then; zero: no hurry
	Leave    time.Time // of the journey it is about, or that is wished for; zero: of none
}

// Channel brings a message to somebody. Kinds of its error: Refused and
// Invalid, it never will; outbox.Later, not before; others, it may later. No
// error holds an address, a number or a text.
type Channel interface {
	Send(ctx context.Context, to To, text Text) error
}

// Notices reads a notice with what its reader may see now; *carpool.Portal
// does.
type Notices interface {
	NoticeView(ctx context.Context, id string) (carpool.NoticeView, error)
}

// Desk has the call list; *carpool.Desk does.
type Desk interface {
	Add(ctx context.Context, c carpool.Call) error
}

// People are the members; *carpool.Members does.
type People interface {
	Get(ctx context.Context, id carpool.MemberID) (carpool.Member, error)
	ByPhone(ctx context.Context, phone string) ([]carpool.Member, error)
	StopSMS(ctx context.Context, id carpool.MemberID) (bool, error)
	Trips(ctx context.Context, id carpool.MemberID, from, to time.Time) ([]carpool.NoticeTrip, error)
}

// Answers are what a short message may answer; *carpool.Bookings does.
type Answers interface {
	Accept(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error)
	Decline(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error)
}

// Deps are what a notifier works with.
type Deps struct {
	Store    *store.DB
	Audit    *audit.Log
	Outbox   *outbox.Box
	Notices  Notices
	Desk     Desk
	People   People
	Answers  Answers                     // nil: SMS are not answered
	Channels map[carpool.Channel]Channel // mail, io, sms: those that there are; the voice is the desk's
	Log      *slog.Logger                // nil: slog.Default
}

// Notifier brings notices to people. Its methods may be used by many
// goroutines.
type Notifier struct {
	cfg   Config
	deps  Deps
	words map[string]*catalog

	hearing  sync.Mutex // one message that came in after the other
	received receivedCounts
	brought  map[carpool.Channel]*broughtCounts
}

// New checks and wires; it touches nothing.
func New(cfg Config, deps Deps) (*Notifier, error) {
	if deps.Store == nil || deps.Audit == nil || deps.Outbox == nil || deps.Notices == nil || deps.Desk == nil || deps.People == nil {
		return nil, fault.New(fault.Internal, "notify: store, audit log, outbox, notices, desk and people must be given")
	}
	if cfg.Patience <= 0 || cfg.Margin < 0 || cfg.Keep <= 0 || cfg.Back < 0 || cfg.Ahead <= 0 || cfg.Replies < 0 {
		return nil, fault.New(fault.Invalid, "notify: patience, keep and ahead must be above 0, margin, back and replies not below")
	}
	if cfg.Base != "" {
		u, err := url.Parse(cfg.Base)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, fault.New(fault.Invalid, "notify.base: write the address of the pages, such as https://servizi.unione.example")
		}
		cfg.Base = strings.TrimSuffix(u.Scheme+"://"+u.Host+u.EscapedPath(), "/")
	}
	if plain(cfg.DeskPhone, 30) != cfg.DeskPhone || plain(cfg.Office, 100) != cfg.Office {
		return nil, fault.New(fault.Invalid, "notify: the desk's phone and the office are one line of at most 30 and 100 characters")
	}
	if cfg.Location == nil {
		cfg.Location = zone.Rome()
	}
	for c := range deps.Channels {
		if c == carpool.ByVoice {
			return nil, fault.New(fault.Internal, "notify: the voice is the desk's, not a channel to give")
		}
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	n := &Notifier{cfg: cfg, deps: deps, words: map[string]*catalog{}, brought: map[carpool.Channel]*broughtCounts{}}
	for _, c := range channels {
		n.brought[c] = &broughtCounts{}
	}
	for _, lang := range Langs {
		c, err := readCatalog(lang)
		if err != nil {
			return nil, err
		}
		n.words[lang] = c
	}
	return n, nil
}

// Open brings the tables up to date, and takes the notices from the outbox,
// which delivers them once it runs.
func (n *Notifier) Open(ctx context.Context) error {
	if err := n.deps.Store.Migrate(ctx, Owner, migrations); err != nil {
		return err
	}
	n.deps.Outbox.Handle(carpool.Queue, n.route)
	for _, c := range channels {
		n.deps.Outbox.Handle(queueOf(c), func(ctx context.Context, m outbox.Message) error { return n.deliver(ctx, c, m) })
	}
	n.deps.Outbox.Handle(replyQueue, n.reply)
	return nil
}

// Run forgets, once an hour, what need not be remembered, until ctx ends.
func (n *Notifier) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := n.Round(ctx); err != nil && ctx.Err() == nil {
			n.deps.Log.Error("notify: what is old stays", "err", err)
		}
	}
}

// Round forgets what came of notices Keep ago, questions, messages and counts of
// days past, and calendars of those who left.
func (n *Notifier) Round(ctx context.Context) error {
	if err := n.dropCalendars(ctx); err != nil {
		return err
	}
	return n.deps.Store.Do(ctx, func(tx *store.Tx) error {
		old := tx.Now.Add(-n.cfg.Keep)
		for _, q := range []struct {
			query string
			arg   any
		}{
			{`DELETE FROM notify_sent WHERE at_ms < $1`, store.Millis(old)},
			{`DELETE FROM notify_questions WHERE until_ms < $1`, store.Millis(tx.Now.Add(-7 * 24 * time.Hour))},
			{`DELETE FROM notify_daily WHERE day < $1`, string(n.today(tx).Plus(-7))},
			{`DELETE FROM notify_heard WHERE day < $1`, string(n.today(tx).Plus(-7))},
		} {
			if _, err := tx.Exec(ctx, q.query, q.arg); err != nil {
				return err
			}
		}
		return nil
	})
}
