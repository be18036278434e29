package login

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strconv"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// LoginRequest is one try to sign in: name and password, or the ticket of a
// first step that asked for a code.
type LoginRequest struct {
	Name     string
	Password string
	Ticket   string     // LoginResult.Ticket; Name and Password are then not needed
	Code     string     // of the second factor, or a recovery code; "" where not asked yet
	Source   netip.Addr // where the request came from; the zero value for the local socket
	Device   string     // the cookie that an earlier LoginResult.Device asked to keep; "" for none
}

// LoginResult is a try that was not refused.
type LoginResult struct {
	Person    string // "" while NeedsCode
	NeedsCode bool   // the password is right, and a code of the second factor is wanted
	Ticket    string // for the second step, kept on the server or in the form; good for minutes
	Device    string // cookie to keep on this device for Config.Device; it lets nobody in
}

// errRefused is one text for an unknown name, a wrong password, a wrong code
// and a locked account: whoever guesses learns nothing.
var errRefused = fault.New(fault.Denied, "sign in: name, password or code is not right, or the account is locked; try again, or ask an admin for a new invitation")

var errTicket = fault.New(fault.Denied, "sign in: that took too long; begin again with name and password")

// Login lets somebody in or not. Refused: Denied, with the same words and after
// the same work whatever was wrong. Too many tries: Slow in the chain of a
// Denied; such a try was not looked at.
func (p *People) Login(ctx context.Context, r LoginRequest) (LoginResult, error) {
	if r.Ticket != "" {
		return p.secondStep(ctx, r)
	}
	name, rec, known, err := p.lookup(ctx, foldName(r.Name), r)
	if err != nil {
		return LoginResult{}, err
	}
	// Tries are counted by what was typed, in its one way of writing, and not by the
	// account that it is of: else two spellings of a number would share a limit
	// where the number is somebody's, and tell it.
	t := try{name: p.aliasMark(foldName(r.Name)), source: r.Source, known: known}
	if err := p.enter(ctx, t, rec); err != nil {
		return LoginResult{}, err
	}
	ok := CheckName(name) == nil && len(r.Password) <= maxPassword
	if !ok {
		r.Password = "" // the same work all the same
	}
	fits, err := p.hash.fits(ctx, r.Password, rec.password)
	if err != nil {
		return LoginResult{}, about("sign in", rec.name, err)
	}
	if !fits || !ok || rec.locked {
		return LoginResult{}, p.refuse(ctx, rec, r, "password")
	}
	if rec.totp == "" {
		return p.welcome(ctx, rec, r, t)
	}
	p.limits.give(t)
	if r.Code == "" {
		return LoginResult{NeedsCode: true, Ticket: p.ticket(rec)}, nil
	}
	return p.code(ctx, rec, r, known)
}

func (p *People) secondStep(ctx context.Context, r LoginRequest) (LoginResult, error) {
	name, stamp, ok := p.openTicket(r.Ticket)
	if !ok {
		return LoginResult{}, errTicket
	}
	_, rec, known, err := p.lookup(ctx, name, r)
	if err != nil {
		return LoginResult{}, err
	}
	if rec.locked || rec.totp == "" || stamp != p.stamp(rec) {
		return LoginResult{}, errTicket
	}
	return p.code(ctx, rec, r, known)
}

// code is the second step, for somebody whose password was right.
func (p *People) code(ctx context.Context, rec record, r LoginRequest, known string) (LoginResult, error) {
	t := try{name: rec.name, source: r.Source, known: known, code: true}
	if err := p.enter(ctx, t, rec); err != nil {
		return LoginResult{}, err
	}
	return p.welcome(ctx, rec, r, t)
}

// lookup reads the account of a name, or else of a confirmed alias, and says by which
// mark this place is known for it. It asks the database the same whether there
// is such an account or not. The name is that of the account, what was typed
// where there is none.
func (p *People) lookup(ctx context.Context, typed string, r LoginRequest) (name string, rec record, known string, err error) {
	alias := p.aliasMark(typed)
	err = p.db.View(ctx, func(tx *store.Tx) error {
		rec, known = record{}, ""
		err := tx.QueryRow(ctx, `SELECT coalesce((SELECT name FROM login_person WHERE name = $1), (SELECT person FROM login_alias WHERE hash = $2 AND confirmed = 1), '')`,
			sent(typed), alias).Scan(&name)
		if err != nil {
			return err
		}
		if name == "" {
			name = typed
		}
		if rec, err = p.row(ctx, tx, name); err != nil && fault.Of(err) != fault.NotFound {
			return err
		}
		for _, m := range []string{p.keys.mark("device", name, r.Device), p.keys.mark("source", name, network(r.Source))} {
			var n int
			if err := tx.QueryRow(ctx, `SELECT count(*) FROM login_known WHERE hash = $1 AND until > $2`, m, store.Millis(p.now())).Scan(&n); err != nil {
				return err
			}
			if n > 0 && known == "" {
				known = m
			}
		}
		return nil
	})
	return name, rec, known, about("sign in", rec.name, err) // never what was typed: it may be a password
}

// slowEvery is how often at most the log gets a line about tries that came too
// early: one tells of all since the last.
const slowEvery = time.Minute

// enter asks the limits.
func (p *People) enter(ctx context.Context, t try, rec record) error {
	now := p.clock()
	wait := p.limits.take(t, now)
	if wait <= 0 {
		return nil
	}
	p.figures.slowed.Add(1)
	n := p.unseen.Add(1)
	if last := p.slowLine.Load(); now.UnixMilli()-last >= slowEvery.Milliseconds() && p.slowLine.CompareAndSwap(last, now.UnixMilli()) {
		p.unseen.Add(-n)
		ctx = context.WithoutCancel(ctx) // who hangs up is noted all the same
		detail := map[string]string{"tries": strconv.FormatInt(n, 10)}
		if err := p.do(from(ctx, stranger, address(t.source)), "login.slowed", rec.name, detail, func(*store.Tx) error { return nil }); err != nil {
			return about("sign in", rec.name, err)
		}
	}
	return slow(wait)
}

func address(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().String()
}

// refuse notes a wrong try. What was typed as the name of no account is not
// noted: it may be a password in the wrong field.
func (p *People) refuse(ctx context.Context, rec record, r LoginRequest, what string) error {
	p.figures.refused.Add(1)
	ctx = context.WithoutCancel(ctx) // who hangs up is noted all the same
	err := p.do(from(ctx, stranger, address(r.Source)), "login.refused", rec.name, map[string]string{"wrong": what}, func(*store.Tx) error { return nil })
	if err != nil {
		return about("sign in", "", err)
	}
	return errRefused
}

// welcome spends the code where there is a second factor, and notes the
// sign-in and the place it came from.
func (p *People) welcome(ctx context.Context, rec record, r LoginRequest, t try) (LoginResult, error) {
	out := LoginResult{Person: rec.name, Device: r.Device}
	fresh := ""
	if p.hash.old(rec.password) && r.Password != "" {
		h, err := p.hash.make(ctx, r.Password)
		if err != nil {
			return LoginResult{}, about("sign in", rec.name, err)
		}
		fresh = h.String()
	}
	device := p.keys.mark("device", rec.name, r.Device)
	if t.known != device {
		out.Device = base.EncodeToString(random(20))
		device = p.keys.mark("device", rec.name, out.Device)
	}
	detail := map[string]string{}
	err := p.do(from(ctx, rec.name, address(r.Source)), "login.ok", rec.name, detail, func(tx *store.Tx) error {
		now, err := p.row(ctx, tx, rec.name)
		if err != nil && fault.Of(err) != fault.NotFound {
			return err
		}
		if err != nil || now.locked || now.password != rec.password || now.totp != rec.totp {
			return errRefused // changed since it was read
		}
		if now.totp != "" {
			if detail["second_factor"], err = p.second(ctx, tx, now, r.Code); err != nil {
				return err
			}
			if detail["second_factor"] == "" {
				return errCode
			}
		}
		if fresh != "" {
			if _, err := tx.Exec(ctx, `UPDATE login_person SET password = $2 WHERE name = $1`, rec.name, fresh); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE login_person SET signed_in = $2 WHERE name = $1`, rec.name, store.Millis(p.now())); err != nil {
			return err
		}
		if err := p.remember(ctx, tx, rec.name, "device", device, p.cfg.Device); err != nil {
			return err
		}
		if !r.Source.IsValid() {
			return nil
		}
		return p.remember(ctx, tx, rec.name, "source", p.keys.mark("source", rec.name, network(r.Source)), p.cfg.Source)
	})
	switch {
	case errors.Is(err, errCode):
		return LoginResult{}, p.refuse(ctx, rec, r, "code")
	case errors.Is(err, errRefused):
		return LoginResult{}, p.refuse(ctx, rec, r, "account")
	case err != nil:
		return LoginResult{}, about("sign in", rec.name, err)
	}
	p.figures.ok.Add(1)
	p.limits.give(t)
	return out, nil
}

var errCode = errors.New("the code is not right")

// mostKnown is how many devices, and how many networks, are known of one
// account; the oldest give way.
const mostKnown = 10

// remember marks a place as known for the account.
func (p *People) remember(ctx context.Context, tx *store.Tx, person, kind, mark string, lasts time.Duration) error {
	if _, err := tx.Exec(ctx, `INSERT INTO login_known (hash, person, kind, until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (hash) DO UPDATE SET until = excluded.until`, mark, person, kind, store.Millis(p.now().Add(lasts))); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM login_known WHERE person = $1 AND kind = $2 AND hash NOT IN
		(SELECT hash FROM login_known WHERE person = $1 AND kind = $2 ORDER BY until DESC, hash LIMIT $3)`, person, kind, mostKnown)
	return err
}

// ticketBody is the sealed content of a ticket.
type ticketBody struct {
	Person string `json:"p"`
	Stamp  string `json:"s"`
	Until  int64  `json:"u"` // ms
}

// ticket says that the password was right.
func (p *People) ticket(rec record) string {
	b, err := json.Marshal(ticketBody{rec.name, p.stamp(rec), store.Millis(p.now().Add(p.cfg.TicketFor))})
	if err != nil {
		panic(err) // texts and a number
	}
	return p.keys.seal(b, "ticket")
}

func (p *People) openTicket(s string) (person, stamp string, ok bool) {
	if len(s) > 1024 {
		return "", "", false
	}
	b, ok := p.keys.open(s, "ticket")
	var t ticketBody
	if !ok || json.Unmarshal(b, &t) != nil || t.Until <= store.Millis(p.now()) {
		return "", "", false
	}
	return t.Person, t.Stamp, true
}

// stamp changes with the password and the second factor.
func (p *People) stamp(rec record) string { return p.keys.mark("stamp", rec.password, rec.totp) }
