package carpool

import (
	"context"
	"fmt"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// SpecialDay is a day on which many need the same way at once, such as when
// the school bus does not run.
type SpecialDay struct {
	Mark   string // names the day, so that sending it again changes nothing: "sciopero-2026-12-04"
	From   Spot
	To     Spot
	When   Window
	Back   *Window // of the way home; nil: none
	Riders []SpecialRider
	Note   string
}

// SpecialRider is one of those who need it.
type SpecialRider struct {
	Member     MemberID
	From       *Spot // another start than the day's; nil: the same
	ChildSeats int   // for the rider, where small
	Companions int
}

// SpecialResult is what came of one rider.
type SpecialResult struct {
	Member  MemberID `json:"member"`
	Request Request  `json:"request"`
	Err     string   `json:"error,omitempty"` // why there is no request, in words for the desk
}

const mostSpecial = 200

// specialOnce is the mark of a day for one rider, whoever of the desk sends it.
func specialOnce(mark string, rider MemberID) once {
	return once(fmt.Sprintf("special:%s:%s:", mark, sentence(string(rider))))
}

// SpecialDay asks for a lift for many at once. Each rider, or the guardian of a
// minor, has agreed that the desk acts; the guardian of a minor has also
// agreed that the minor rides. A rider for whom that is not so gets no request,
// and the others do. To send it again, also by the next shift, adds only who was
// missing or whose request was withdrawn since.
func (d *Desk) SpecialDay(ctx context.Context, by By, day SpecialDay) ([]SpecialResult, error) {
	if err := mayDesk(by); err != nil {
		return nil, err
	}
	if !placeForm.MatchString(day.Mark) || len(day.Mark) > maxName {
		return nil, fault.New(fault.Invalid, "name of the day: a-z, 0-9 and - between them, as sciopero-2026-12-04")
	}
	if len(day.Riders) == 0 || len(day.Riders) > mostSpecial {
		return nil, fault.New(fault.Invalid, "riders: 1 to %d", mostSpecial)
	}
	bookings := &Bookings{d.base}
	out := make([]SpecialResult, 0, len(day.Riders))
	for _, s := range day.Riders {
		res := SpecialResult{Member: s.Member}
		r, err := d.special(ctx, by, day, s)
		if err == nil {
			who := By{Account: by.Account, Member: s.Member, Desk: true}
			res.Request, err = bookings.request(ctx, who, r, day.Back, specialOnce(day.Mark, s.Member), true)
		}
		switch fault.Of(err) {
		case fault.Invalid, fault.NotFound, fault.Conflict, fault.Denied:
			if err != nil {
				res.Err = err.Error()
			}
		default:
			if err != nil {
				return out, fmt.Errorf("special day %s: %w", day.Mark, err)
			}
		}
		out = append(out, res)
	}
	return out, nil
}

// special is the request of one rider, where it may be made.
func (d *Desk) special(ctx context.Context, by By, day SpecialDay, s SpecialRider) (Request, error) {
	var m Member
	err := d.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		if m, err = mayAct(ctx, tx, By{Account: by.Account, Member: s.Member, Desk: true}, s.Member); err != nil {
			return err
		}
		return mayRide(ctx, tx, m)
	})
	if err != nil {
		return Request{}, err
	}
	r := Request{Rider: m.ID, From: day.From, To: day.To, When: day.When, Companions: s.Companions, Needs: m.Needs, Note: day.Note}
	if s.From != nil {
		r.From = *s.From
	}
	r.DoorToDoor = r.From.Private() || r.To.Private()
	if s.ChildSeats < 0 || s.ChildSeats > 1+s.Companions {
		return Request{}, fault.New(fault.Invalid, "child seats: no more than there are riders")
	}
	r.Needs.ChildSeats = max(r.Needs.ChildSeats, s.ChildSeats)
	if day.Back != nil {
		r.Return = ReturnAt
	}
	return r, nil
}
