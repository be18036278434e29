package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// secretForm is how a secret looks: rand.Text, 26 signs of base32, at least
// 128 bits.
const secretLen = 26

// CalendarPath is where calendars stand under the base, before the secret and
// ".ics".
const CalendarPath = "/passaggi/calendario/"

// digest of a secret, as it is kept.
func digest(secret string) string {
	h := sha256.Sum256([]byte("crinale calendar " + secret))
	return hex.EncodeToString(h[:])
}

// NewCalendar makes a member's calendar, in place of the one there was, and
// gives the secret of its address. It is shown this once and kept only hashed.
// Only the member makes it, by their own account.
func (n *Notifier) NewCalendar(ctx context.Context, by carpool.By) (secret string, err error) {
	if err := n.mine(ctx, by); err != nil {
		return "", err
	}
	secret = rand.Text()
	err = n.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.calendar.make", Object: string(by.Member)}, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO notify_calendars (member, hash, made_ms) VALUES ($1, $2, $3)
			ON CONFLICT (member) DO UPDATE SET hash = excluded.hash, made_ms = excluded.made_ms`, string(by.Member), digest(secret), store.Millis(tx.Now))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("make a calendar: %w", err)
	}
	return secret, nil
}

// CalendarURL is the address of a calendar; "" without a configured base.
func (n *Notifier) CalendarURL(secret string) string {
	if n.cfg.Base == "" {
		return ""
	}
	return n.cfg.Base + CalendarPath + secret + ".ics"
}

// RevokeCalendar ends a member's calendar: its address is nobody's from now
// on. There need not be one.
func (n *Notifier) RevokeCalendar(ctx context.Context, by carpool.By) error {
	if err := n.mine(ctx, by); err != nil {
		return err
	}
	err := n.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.calendar.revoke", Object: string(by.Member)}, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM notify_calendars WHERE member = $1`, string(by.Member))
		return err
	})
	if err != nil {
		return fmt.Errorf("end a calendar: %w", err)
	}
	return nil
}

// HasCalendar says whether a member has one, and since when.
func (n *Notifier) HasCalendar(ctx context.Context, member carpool.MemberID) (bool, time.Time, error) {
	var made int64
	err := n.deps.Store.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT made_ms FROM notify_calendars WHERE member = $1`, clean(string(member))).Scan(&made)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return false, time.Time{}, nil
	}
	if err != nil {
		return false, time.Time{}, fmt.Errorf("look for a calendar: %w", err)
	}
	return true, store.Time(made), nil
}

// clean is a text that every database takes.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

// mine says whether somebody acts for themselves.
func (n *Notifier) mine(ctx context.Context, by carpool.By) error {
	denied := fault.New(fault.Denied, "calendar: only the member may do that")
	if by.Desk || by.Account == "" || by.Member == "" {
		return denied
	}
	m, err := n.deps.People.Get(ctx, by.Member)
	if err != nil && fault.Of(err) != fault.NotFound {
		return err
	}
	if err != nil || m.Account != by.Account || m.State == carpool.Gone {
		return denied
	}
	return nil
}

// Calendar gives the rides of whoever has the secret, as iCalendar (RFC 5545).
// NotFound for a secret that is nobody's. It holds what its owner may see, and
// less, since calendars are copied to other machines: the other's first name,
// no number, no plate, no home.
func (n *Notifier) Calendar(ctx context.Context, secret string) ([]byte, error) {
	none := fault.New(fault.NotFound, "there is no such calendar")
	if len(secret) != secretLen {
		return nil, none
	}
	var member carpool.MemberID
	var now time.Time
	err := n.deps.Store.View(ctx, func(tx *store.Tx) error {
		now = tx.Now
		return tx.QueryRow(ctx, `SELECT member FROM notify_calendars WHERE hash = $1`, digest(secret)).Scan(&member)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, none
	}
	if err != nil {
		return nil, fmt.Errorf("read a calendar: %w", err)
	}
	m, err := n.deps.People.Get(ctx, member)
	if fault.Of(err) == fault.NotFound && err != nil || err == nil && m.State == carpool.Gone {
		return nil, none
	}
	if err != nil {
		return nil, err
	}
	trips, err := n.deps.People.Trips(ctx, member, now.Add(-n.cfg.Back), now.Add(n.cfg.Ahead))
	if err != nil {
		return nil, err
	}
	return n.ics(m.Lang, trips)
}

// dropCalendars takes away the calendars of members who left. Their addresses
// are nobody's already.
func (n *Notifier) dropCalendars(ctx context.Context) error {
	var members []string
	err := n.deps.Store.View(ctx, func(tx *store.Tx) error {
		members = nil
		rows, err := tx.Query(ctx, `SELECT member FROM notify_calendars`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var m string
			if err := rows.Scan(&m); err != nil {
				return err
			}
			members = append(members, m)
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("look through the calendars: %w", err)
	}
	for _, id := range members {
		m, err := n.deps.People.Get(ctx, carpool.MemberID(id))
		if err != nil && fault.Of(err) != fault.NotFound {
			return err
		}
		if err == nil && m.State != carpool.Gone {
			continue
		}
		if err := n.deps.Store.Do(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `DELETE FROM notify_calendars WHERE member = $1`, id)
			return err
		}); err != nil {
			return fmt.Errorf("take away a calendar: %w", err)
		}
	}
	return nil
}

// ics writes journeys as a calendar.
func (n *Notifier) ics(lang string, trips []carpool.NoticeTrip) ([]byte, error) {
	c := n.words[lang]
	if c == nil {
		lang, c = Langs[0], n.words[Langs[0]]
	}
	host := "crinale.invalid"
	if u, err := url.Parse(n.cfg.Base); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	cal := ics.NewCalendarFor("crinale")
	cal.SetProductId("-//crinale//passaggi//" + strings.ToUpper(lang))
	cal.SetMethod(ics.MethodPublish)
	cal.SetXWRCalName(c.word("calendar.name", nil))
	cal.SetXPublishedTTL("PT1H")
	for _, t := range trips {
		f := struct{ Who, To string }{c.word("who", nil), placeOr(c, t.To)}
		if first, _, _ := strings.Cut(plain(t.Other, 60), " "); first != "" {
			f.Who = first
		}
		key := "calendar.rider"
		if t.Driver {
			key = "calendar.driver"
		}
		title := c.word(key, f)
		e := cal.AddEvent(string(t.Booking) + "@" + host)
		e.SetDtStampTime(t.Changed)
		e.SetStartAt(t.Leave)
		end := t.Arrive
		if !end.After(t.Leave) {
			end = t.Leave.Add(time.Minute)
		}
		e.SetEndAt(end)
		e.SetStatus(ics.ObjectStatusConfirmed)
		if t.State == carpool.Asked {
			title += " " + c.word("calendar.asked", nil)
			e.SetStatus(ics.ObjectStatusTentative)
		}
		e.SetSummary(title)
		e.SetLocation(placeOr(c, t.From))
		if n.cfg.Base != "" {
			e.SetURL(n.cfg.Base + pagePath)
		}
	}
	var b bytes.Buffer
	if err := cal.SerializeTo(&b, ics.WithNewLine("\r\n")); err != nil {
		return nil, fault.New(fault.Internal, "write a calendar: %w", err)
	}
	return b.Bytes(), nil
}

// placeOr is a meeting point; for a door no more than that it is one.
func placeOr(c *catalog, place string) string {
	if p := plain(place, 120); p != "" {
		return p
	}
	return c.word("calendar.home", nil)
}
