package page

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// longestMessage and longestReport are what the portal takes.
const (
	longestMessage = 300
	longestReport  = 1000
)

// bookingView is the page of one booking.
type bookingView struct {
	F        *filled
	Done     string
	Trouble  *trouble
	Row      bookingRow
	Day      string
	Driver   bool // the visitor drives
	Reason   string
	Note     string // of the other side
	Until    string // how long the contact is shown
	Talk     []said
	CanTalk  bool
	CanBlock bool
	Trusted  string
	Alarm    bool
	Kinds    []option
	Desk     Contacts
}

type said struct {
	Mine       bool
	Text, When string
}

// booking is GET /passaggi/miei/{id}.
func (p *Pages) booking(v *visit) error { return p.showBooking(v, http.StatusOK, v.blank(), nil) }

// bookingID is the booking of the address.
func (v *visit) bookingID() carpool.BookingID { return carpool.BookingID(v.r.PathValue("id")) }

func (p *Pages) showBooking(v *visit, status int, f *filled, why *trouble) error {
	ctx := v.r.Context()
	b, err := p.deps.Bookings.Get(ctx, v.by, v.bookingID())
	if err != nil {
		return hidden404(err)
	}
	talk, err := p.deps.Talk.Read(ctx, v.by, b.ID)
	if err != nil {
		return err
	}
	view := bookingView{F: f, Done: v.said(), Trouble: why, Row: p.bookingRow(ctx, v.say, b), Day: v.say.day(b.Pickup.At), Driver: b.As == carpool.AsDriver,
		Reason: v.say.endReason(b.Reason), Note: b.OfferNote, Trusted: v.me.Trusted.Name, Alarm: b.State.Holds(), Desk: p.cfg.Union,
		CanBlock: mayBlock(b), CanTalk: b.State != carpool.Cancelled && b.State != carpool.Declined,
		Kinds: v.say.words("pool.report", "safety", "conduct", "money", "papers", "no-show", "other")}
	if view.Driver {
		view.Note = b.Note
	}
	if !b.ContactUntil.IsZero() {
		view.Until = v.say.day(b.ContactUntil)
	}
	for _, m := range talk {
		view.Talk = append(view.Talk, said{m.From == v.me.ID, m.Text, v.say.day(m.At) + ", " + v.say.clockOf(m.At)})
	}
	v.w.Header().Set("Cache-Control", "no-store")
	return p.show(v, status, "booking.html", web.View{Title: "pool.booking.title", Self: minePath + "/" + string(b.ID), Data: view})
}

// hidden404 answers alike for what is another's and what is not there.
func hidden404(err error) error {
	if fault.Of(err) == fault.Denied {
		return fault.New(fault.NotFound, "booking: there is none of yours at this address")
	}
	return err
}

// endReason is why a booking ended: a word of the portal's, or what somebody
// wrote.
func (t tongue) endReason(reason string) string {
	if key := "pool.reason." + reason; reason != "" && t.has(key) {
		return t.word(key)
	}
	return reason
}

// act is POST /passaggi/miei/{id}: one step of a booking.
func (p *Pages) act(v *visit) error {
	f, err := v.form("fa", "motivo")
	if err != nil {
		return err
	}
	b, id, ctx, reason := p.deps.Bookings, v.bookingID(), v.r.Context(), f.line("motivo", 200)
	if !f.ok() {
		return p.showBooking(v, http.StatusBadRequest, f, nil)
	}
	what, err := p.sendOnce(v, f, func() (what string, err error) {
		switch carpool.BookingEvent(f.raw("fa")) {
		case carpool.EventAccept:
			what = "accettato"
			_, err = b.Accept(ctx, v.by, id, reason)
		case carpool.EventDecline:
			what = "rifiutato"
			_, err = b.Decline(ctx, v.by, id, reason)
		case carpool.EventBoard:
			what = "salito"
			_, err = b.Board(ctx, v.by, id, reason)
		case carpool.EventComplete:
			what = "arrivato"
			_, err = b.Complete(ctx, v.by, id, reason)
		case carpool.EventNoShow:
			what = "non-venuto"
			_, err = b.NoShow(ctx, v.by, id, reason)
		case "alarm":
			what, err = "allarme", p.deps.Talk.Alarm(ctx, v.by, id)
		default:
			err = fault.New(fault.Invalid, "fa: %.20q is nothing that is done with a booking", f.raw("fa"))
		}
		return what, err
	})
	return p.after(v, f, what, err)
}

// after leads on after something was done with a booking, or says why it was
// not.
func (p *Pages) after(v *visit, f *filled, what string, err error) error {
	switch {
	case err == nil:
		return v.done(minePath+"/"+string(v.bookingID()), what)
	case mendable(err):
		return p.showBooking(v, web.Status(err), f, v.say.trouble(err))
	}
	return err
}

// cancelView is the page that asks before something is cancelled.
type cancelView struct {
	F      *filled
	Row    bookingRow
	Day    string
	Driver bool
	Aboard bool // what is asked is whether the car stopped
}

// cancelPage is GET /passaggi/miei/{id}/annulla.
func (p *Pages) cancelPage(v *visit) error { return p.showCancel(v, http.StatusOK, v.blank()) }

func (p *Pages) showCancel(v *visit, status int, f *filled) error {
	b, err := p.deps.Bookings.Get(v.r.Context(), v.by, v.bookingID())
	if err != nil {
		return hidden404(err)
	}
	title, may := "pool.cancel.title", slices.Contains(b.May, carpool.EventCancel)
	aboard := slices.Contains(b.May, carpool.EventStopped) && (!may || v.r.FormValue("fa") == string(carpool.EventStopped))
	switch {
	case aboard:
		title = "pool.stopped.title"
	case !may:
		return v.on(minePath + "/" + string(b.ID))
	}
	v.w.Header().Set("Cache-Control", "no-store")
	return p.show(v, status, "cancel.html", web.View{Title: title, Self: minePath + "/" + string(b.ID) + "/annulla",
		Data: cancelView{f, p.bookingRow(v.r.Context(), v.say, b), v.say.day(b.Pickup.At), b.As == carpool.AsDriver, aboard}})
}

// cancel is POST /passaggi/miei/{id}/annulla.
func (p *Pages) cancel(v *visit) error {
	f, err := v.form("motivo", "fa")
	if err != nil {
		return err
	}
	do, what, reason := p.deps.Bookings.Cancel, "annullato", ""
	if f.raw("fa") == string(carpool.EventStopped) {
		do, what, reason = p.deps.Bookings.Stopped, "fermata", f.line("motivo", 200)
	} else {
		reason = f.must("motivo", 200)
	}
	if !f.ok() {
		return p.showCancel(v, http.StatusBadRequest, f)
	}
	what, err = p.sendOnce(v, f, func() (string, error) {
		_, err := do(v.r.Context(), v.by, v.bookingID(), reason)
		return what, err
	})
	return p.after(v, f, what, err)
}

// sayTo is POST /passaggi/miei/{id}/messaggio.
func (p *Pages) sayTo(v *visit) error {
	f, err := v.form("testo")
	if err != nil {
		return err
	}
	text := f.text("testo", longestMessage)
	if strings.TrimSpace(text) == "" {
		f.bad("testo", "pool.wrong.message")
	}
	if !f.ok() {
		return p.showBooking(v, http.StatusBadRequest, f, nil)
	}
	what, err := p.sendOnce(v, f, func() (string, error) {
		return "messaggio", p.deps.Talk.Send(v.r.Context(), v.by, v.bookingID(), text)
	})
	return p.after(v, f, what, err)
}

// report is POST /passaggi/miei/{id}/segnala: to the office.
func (p *Pages) report(v *visit) error {
	f, err := v.form("tipo", "racconto")
	if err != nil {
		return err
	}
	kind := carpool.ReportKind(f.oneOf("tipo", "safety", "conduct", "money", "papers", "no-show", "other"))
	text := f.text("racconto", longestReport)
	if utf8.RuneCountInString(strings.TrimSpace(text)) < 3 {
		f.bad("racconto", "pool.wrong.empty")
	}
	if !f.ok() {
		return p.showBooking(v, http.StatusBadRequest, f, nil)
	}
	what, err := p.sendOnce(v, f, func() (string, error) {
		b, err := p.deps.Bookings.Get(v.r.Context(), v.by, v.bookingID())
		if err != nil {
			return "", err
		}
		_, err = p.deps.Talk.Report(v.r.Context(), v.by, carpool.Report{Reporter: v.me.ID, About: otherOf(b), Booking: b.ID, Ride: b.Ride, Kind: kind, Text: text})
		return "segnalato", err
	})
	return p.after(v, f, what, err)
}

// otherOf is the other side of a booking.
func otherOf(b carpool.BookingView) carpool.MemberID {
	if b.As == carpool.AsDriver {
		return b.Rider
	}
	return b.Driver
}

// mayBlock says whether the other of a booking is known by now: before, a list of
// blocks that grows or does not would tell whose ride it is.
func mayBlock(b carpool.BookingView) bool {
	return b.As == carpool.AsDriver || b.DriverIs.First != ""
}

// block is POST /passaggi/miei/{id}/blocca: I do not want to meet this person.
func (p *Pages) block(v *visit) error {
	f, err := v.form("certo")
	if err != nil {
		return err
	}
	if !f.on("certo") {
		f.bad("certo", "pool.wrong.sure")
		return p.showBooking(v, http.StatusBadRequest, f, nil)
	}
	what, err := p.sendOnce(v, f, func() (string, error) {
		b, err := p.deps.Bookings.Get(v.r.Context(), v.by, v.bookingID())
		if err != nil {
			return "", err
		}
		if !mayBlock(b) {
			return "", fault.New(fault.Denied, "block: whose ride it is you learn when they say yes; then you can keep them away")
		}
		return "bloccato", p.deps.Members.Block(v.r.Context(), v.by, otherOf(b))
	})
	return p.after(v, f, what, err)
}
