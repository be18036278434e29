package carpool

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// checkRequest refuses what is wrong whoever asks, and fills in what was not
// said.
func (c Config) checkRequest(r Request, back *Window, now time.Time) (Request, error) {
	if r.Companions < 0 || r.Companions > c.Limits.Companions {
		return r, fault.New(fault.Invalid, "companions: between 0 and %d", c.Limits.Companions)
	}
	a, err := c.checkAsk(askOf(r), now)
	if err != nil {
		return r, err
	}
	r.MaxWalk = a.MaxWalk
	if err := c.short("note", &r.Note); err != nil {
		return r, err
	}
	switch r.Return {
	case NoReturn:
		if back != nil {
			return r, fault.New(fault.Invalid, "return: a time is given, but no return is asked for")
		}
		return r, nil
	case ReturnAt:
		if back == nil {
			return r, fault.New(fault.Invalid, "return: say from when and until when")
		}
	case ReturnOpen:
		if back == nil {
			return r, nil
		}
	default:
		return r, fault.New(fault.Invalid, "return: write %q, %q or nothing", ReturnAt, ReturnOpen)
	}
	if err := checkWindow("return", *back, now); err != nil {
		return r, err
	}
	if !back.To.After(r.When.From) {
		return r, fault.New(fault.Invalid, "return: it ends before the way out begins")
	}
	return r, nil
}

// Request notes somebody's need to get somewhere, and back if they wish. back
// is the window of a return at a time; of an open return it may say when the
// visit ends at the latest. What the answer says of the Way is what the rider
// is told.
//
// r.Rider is by.Member, or a minor whose guardian by.Member is.
func (p *Bookings) Request(ctx context.Context, by By, r Request, back *Window, mark string) (Request, error) {
	key, err := onceOf("request", by, mark)
	if err != nil {
		return Request{}, fmt.Errorf("request: %w", err)
	}
	return p.request(ctx, by, r, back, key, false)
}

// request is Request with its mark. The mark of a special day is anybody's of
// the desk: it holds until the day is over, and for as long as the request does.
func (p *Bookings) request(ctx context.Context, by By, r Request, back *Window, key once, special bool) (Request, error) {
	if r.Rider == "" {
		r.Rider = by.Member
	}
	var out Request
	err := p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		if id, done, err := key.done(ctx, tx); err != nil || done {
			if err == nil {
				out, err = requestExact(ctx, tx, RequestID(id))
			}
			if !special || !refused(err) && (err != nil || out.State != RequestWithdrawn) {
				return err
			}
			if _, err := tx.Exec(ctx, `DELETE FROM carpool_once WHERE key = $1`, string(key)); err != nil {
				return err
			}
		}
		id, err := p.putAsked(ctx, tx, by, r, back)
		if err != nil {
			return err
		}
		until := tx.Now
		if special {
			if until = r.When.To; back != nil {
				until = later(until, back.To)
			}
		}
		if err := key.noteAt(ctx, tx, string(id), until); err != nil {
			return err
		}
		out, err = requestExact(ctx, tx, id)
		return err
	})
	if err != nil {
		return Request{}, fmt.Errorf("request: %w", err)
	}
	return out, nil
}

// putAsked writes a request that somebody makes, and the way back where they
// wish one.
func (b base) putAsked(ctx context.Context, tx *store.Tx, by By, r Request, back *Window) (RequestID, error) {
	rider, err := mayAct(ctx, tx, by, r.Rider)
	if err != nil {
		return "", err
	}
	if err := mayRide(ctx, tx, rider); err != nil {
		return "", err
	}
	if r, err = b.cfg.checkRequest(r, back, tx.Now); err != nil {
		return "", err
	}
	r.By, r.Consent, r.Outward = by.Account, "", ""
	detail := acting(by, map[string]string{"rider": string(r.Rider)})
	if by.Desk {
		c, _, err := consentIn(ctx, tx, rider.ID, ConsentDesk)
		if err != nil {
			return "", err
		}
		r.Consent = c.ID
	}
	if r.Consent != "" {
		detail["consent"] = r.Consent
	}
	if err := b.mayRequest(ctx, tx, r); err != nil {
		return "", err
	}
	id, err := b.putNew(ctx, tx, r)
	if err != nil {
		return "", err
	}
	if r.Return != NoReturn {
		if _, err := b.putNew(ctx, tx, backOf(r, id, back)); err != nil {
			return "", err
		}
	}
	return id, b.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.request.add", Object: string(id), Detail: detail})
}

// backOf is the way back of a request.
func backOf(r Request, id RequestID, w *Window) Request {
	r.From, r.To, r.Outward = r.To, r.From, id
	open := r.Return == ReturnOpen
	r.Return = NoReturn
	switch {
	case open && w != nil:
		r.When, r.State = *w, RequestWaiting
	case open:
		r.When, r.State = Window{From: r.When.To, To: r.When.To.Add(openReturnTo)}, RequestWaiting
	default:
		r.When = *w
	}
	return r
}

// mayRequest refuses a request too many on its day.
func (b base) mayRequest(ctx context.Context, tx *store.Tx, r Request) error {
	from, to, err := b.dayOf(r.When.From)
	if err != nil {
		return err
	}
	var n, withdrawn int
	err = tx.QueryRow(ctx, `SELECT count(*), COALESCE(SUM(CASE state WHEN 'withdrawn' THEN 1 ELSE 0 END), 0) FROM carpool_requests WHERE rider = $1 AND from_ms >= $2 AND from_ms < $3`,
		string(r.Rider), store.Millis(from), store.Millis(to)).Scan(&n, &withdrawn)
	if err != nil {
		return fmt.Errorf("read the requests of a day: %w", err)
	}
	switch most := b.cfg.Limits.BookingsADay; {
	case n-withdrawn >= most:
		return fault.New(fault.Conflict, "request: %d journeys on this day already; withdraw one first", n-withdrawn)
	case n >= 2*most:
		return fault.New(fault.Conflict, "request: %d journeys were asked for and withdrawn on this day already; call the desk", withdrawn)
	}
	return nil
}

// putNew writes a new request with its first way.
func (b base) putNew(ctx context.Context, tx *store.Tx, r Request) (RequestID, error) {
	r.ID, r.Created, r.searched, r.Way = RequestID(newID("q")), tx.Now, tx.Now, Way{}
	r.State = cmp.Or(r.State, RequestOpen)
	if r.follows { // the rider knows that it is looked for, and has not seen the lifts there are
		if n := NextWay(r, WayFacts{}, tx.Now, b.cfg); n.Way.Kind == WaySearch {
			r.State, r.Way, r.searched = n.State, n.Way, time.Time{}
		}
	}
	var err error
	if r.From, err = keepSpot(ctx, tx, "from", r.Rider, r.From, r.DoorToDoor); err != nil {
		return "", err
	}
	if r.To, err = keepSpot(ctx, tx, "to", r.Rider, r.To, r.DoorToDoor); err != nil {
		return "", err
	}
	if r.From.At == r.To.At {
		return "", fault.New(fault.Invalid, "to: it is where the journey begins; choose another")
	}
	if err := putRequest(ctx, tx, r); err != nil {
		return "", err
	}
	if err := b.keepUntil(ctx, tx, r, time.Time{}); err != nil {
		return "", err
	}
	return r.ID, b.stepWay(ctx, tx, r, WayFacts{})
}

func requestExact(ctx context.Context, tx *store.Tx, id RequestID) (Request, error) {
	r, err := requestIn(ctx, tx, id)
	if err == nil {
		err = r.exact(ctx, tx)
	}
	return r, err
}

// myRequest reads a request for whoever acts for its rider.
func myRequest(ctx context.Context, tx *store.Tx, by By, id RequestID) (Request, error) {
	r, err := requestIn(ctx, tx, id)
	if err != nil && fault.Of(err) == fault.NotFound {
		return r, errNotYours
	}
	if err == nil {
		_, err = mayAct(ctx, tx, by, r.Rider)
	}
	return r, err
}

// Requests gives the requests of a rider, the earliest window first, with
// their own addresses. Who asks must be that rider, or the desk for them.
func (p *Bookings) Requests(ctx context.Context, rider MemberID) ([]Request, error) {
	var out []Request
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		out, err = requestsExact(ctx, tx, `rider = $1`, sentence(string(rider)))
		return err
	})
	return out, err
}

// requestsExact is requestsWhere with the exact points.
func requestsExact(ctx context.Context, tx *store.Tx, where string, args ...any) ([]Request, error) {
	out, err := requestsWhere(ctx, tx, where, args...)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if err := out[i].exact(ctx, tx); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// RequestOf gives one request to whoever acts for its rider. A driver who was
// asked whether they go that way sees where and when, coarse, and not whose it
// is.
func (p *Bookings) RequestOf(ctx context.Context, by By, id RequestID) (Request, error) {
	var out Request
	err := p.reading(ctx, by, func(tx *store.Tx) (_ shown, err error) {
		if out, err = myRequest(ctx, tx, by, id); err == nil {
			return by.sees(LookRequest, string(id), out.Rider), out.exact(ctx, tx)
		}
		if fault.Of(err) != fault.Denied || out.ID == "" {
			return shown{}, err
		}
		if asked, e := roadAsked(ctx, tx, by, id); e != nil || !asked {
			return shown{}, cmp.Or(e, err)
		}
		out = Request{ID: out.ID, From: out.From, To: out.To, When: out.When, Companions: out.Companions, Needs: out.Needs,
			DoorToDoor: out.DoorToDoor, MaxWalk: out.MaxWalk, State: out.State, Created: out.Created}
		return shown{}, nil
	})
	if err != nil {
		return Request{}, err
	}
	return out, nil
}

// roadAsked says whether a driver was asked about a request.
func roadAsked(ctx context.Context, tx *store.Tx, by By, id RequestID) (bool, error) {
	if _, err := mayAct(ctx, tx, by, by.Member); err != nil {
		return false, unless(err)
	}
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_notices WHERE key = $1`, roadKey(id, by.Member)).Scan(&n)
	return n > 0, err
}
