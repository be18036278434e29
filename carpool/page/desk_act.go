package page

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// StaffBookings are searches, requests and bookings as the desk makes them for
// somebody. What it reads of somebody says who reads, and is written down.
type StaffBookings interface {
	Search(ctx context.Context, a carpool.Ask) (carpool.Answer, error)
	requester
	RequestsFor(ctx context.Context, by carpool.By, rider carpool.MemberID) ([]carpool.Request, error)
	RequestOf(ctx context.Context, by carpool.By, id carpool.RequestID) (carpool.Request, error)
	Book(ctx context.Context, by carpool.By, request carpool.RequestID, m carpool.Match, once string) (carpool.Booking, error)
	Get(ctx context.Context, by carpool.By, id carpool.BookingID) (carpool.BookingView, error)
	Accept(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error)
	Decline(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error)
	Cancel(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error)
	Stopped(ctx context.Context, by carpool.By, id carpool.BookingID, reason string) (carpool.Booking, error)
	WithdrawRequest(ctx context.Context, by carpool.By, id carpool.RequestID, reason string) error
	WithdrawSeries(ctx context.Context, by carpool.By, id carpool.RequestID, reason string) error
	Ready(ctx context.Context, by carpool.By, request carpool.RequestID, from time.Time) (carpool.Request, error)
}

func (s *Staff) deskRoutes() staffRoutes {
	const person = deskPath + "/persona/{member}"
	return staffRoutes{
		"GET " + deskPath:                               s.deskPage,
		"POST " + deskPath:                              s.book,
		"GET " + person:                                 s.personPage,
		"POST " + person + "/consenso":                  s.takeConsent,
		"POST " + person + "/accesso":                   s.giveAccess,
		"GET " + person + "/dati":                       s.recordPage,
		"POST " + person + "/dati":                      s.correct,
		"POST " + person + "/dati/consenso":             s.takeBack,
		"POST " + person + "/dati/cancella":             s.remove,
		"GET " + person + "/richiesta/{id}":             s.requestPage,
		"POST " + person + "/richiesta/{id}/chiedi":     s.askDriver,
		"POST " + person + "/richiesta/{id}/ritira":     s.withdraw,
		"POST " + person + "/richiesta/{id}/pronto":     s.ready,
		"POST " + person + "/prenotazione/{id}/annulla": s.cancel,
		"GET " + deskPath + "/chiamate":                 s.callsPage,
		"POST " + deskPath + "/chiamate/{id}/prendi":    s.takeCall,
		"POST " + deskPath + "/chiamate/{id}/esito":     s.callOutcome,
		"POST " + codeCallsPath + "/{id}/prendi":        s.takeCode,
		"POST " + codeCallsPath + "/{id}/esito":         s.codeOutcome,
		"GET " + deskPath + "/foglio":                   s.sheetPage,
		"GET " + deskPath + "/foglio.csv":               s.sheetCSV,
		"GET " + deskPath + "/biglietto/{booking}":      s.slipPage,
		"GET " + deskPath + "/giornata":                 s.dayPage,
		"POST " + deskPath + "/giornata":                s.specialDay,
	}
}

// askDriver asks the driver of a lift that the request's search found.
func (s *Staff) askDriver(w http.ResponseWriter, r *http.Request) error {
	m, req, err := s.request(r)
	if err != nil {
		return err
	}
	f, err := s.form(r, "corsa", "once")
	if err != nil {
		return err
	}
	once, err := f.once()
	if err != nil {
		return err
	}
	ctx, ride := r.Context(), carpool.RideID(f.get("corsa"))
	if err := s.asked.take(ctx, s.shell.Now(), deskSearches); err != nil {
		return err
	}
	answer, err := s.deps.Bookings.Search(ctx, askOf(req))
	if err == nil {
		i := slices.IndexFunc(answer.Matches, func(x carpool.Match) bool { return x.Ride == ride })
		var match carpool.Match
		if i >= 0 {
			match = answer.Matches[i]
		} else {
			match.Ride = ride // sent twice, it is answered by its nonce; else it is gone
		}
		_, err = s.deps.Bookings.Book(ctx, deskFor(ctx, m.ID), req.ID, match, once)
	}
	if err != nil {
		if fault.Of(err) == fault.Conflict || gone(err) {
			f.refuse("desk.match.gone")
		} else if err = f.mendable(err); err != nil {
			return err
		}
		return s.showRequest(w, r, f, m, req)
	}
	return seeOther(w, r, requestPath(m.ID, req.ID)+"?fatto=chiesto")
}

// withdraw ends a request that is not needed any more.
func (s *Staff) withdraw(w http.ResponseWriter, r *http.Request) error {
	return s.onRequest(w, r, "ritirata", func(ctx context.Context, by carpool.By, req carpool.Request, f *staffForm) error {
		why := s.html.Text(web.Italian, "desk.cancel.reason")
		if f.on("tutti") {
			return s.deps.Bookings.WithdrawSeries(ctx, by, req.ID, why)
		}
		return s.deps.Bookings.WithdrawRequest(ctx, by, req.ID, why)
	})
}

// ready opens the way home of somebody whose visit has ended.
func (s *Staff) ready(w http.ResponseWriter, r *http.Request) error {
	return s.onRequest(w, r, "pronto", func(ctx context.Context, by carpool.By, req carpool.Request, _ *staffForm) error {
		_, err := s.deps.Bookings.Ready(ctx, by, req.ID, s.shell.Now())
		return err
	})
}

// onRequest does something to the request of the path and shows it.
func (s *Staff) onRequest(w http.ResponseWriter, r *http.Request, done string, do func(ctx context.Context, by carpool.By, req carpool.Request, f *staffForm) error) error {
	m, req, err := s.request(r)
	if err != nil {
		return err
	}
	f, err := s.form(r, "once", "tutti")
	if err != nil {
		return err
	}
	if err := do(r.Context(), deskFor(r.Context(), m.ID), req, f); err != nil {
		if err = f.mendable(err); err != nil {
			return err
		}
		return s.showRequest(w, r, f, m, req)
	}
	return seeOther(w, r, requestPath(m.ID, req.ID)+"?fatto="+done)
}

// cancel ends a booking for its rider, or says that its car has stopped.
func (s *Staff) cancel(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	m, err := s.member(ctx, carpool.MemberID(r.PathValue("member")))
	if err != nil {
		return err
	}
	f, err := s.form(r, "once", "certo", "fa")
	if err != nil {
		return err
	}
	if !f.on("certo") {
		f.refuse("desk.cancel.tick")
		return s.showPerson(w, r, f, m)
	}
	do, done, reason := s.deps.Bookings.Cancel, "annullata", s.html.Text(web.Italian, "desk.cancel.reason")
	if f.get("fa") == string(carpool.EventStopped) {
		do, done, reason = s.deps.Bookings.Stopped, "fermata", ""
	}
	if _, err := do(ctx, deskFor(ctx, m.ID), carpool.BookingID(r.PathValue("id")), reason); err != nil {
		if gone(err) {
			return outside("booking", r.PathValue("id"))
		}
		if err = f.mendable(err); err != nil {
			return err
		}
		return s.showPerson(w, r, f, m)
	}
	return seeOther(w, r, personPath(m.ID)+"?fatto="+done)
}

// personView is what the desk sees of somebody: what they asked for.
type personView struct {
	For               forWhom
	Trouble           *staffTrouble
	Done              string
	Once              string
	Consent           bool // it must be asked
	ConsentWrong, How string
	BookURL           string
	Open, Past        []requestView
	Channels          []string
	Suspended         bool
	Reasons           []string // why, where the desk acts for them
	Access            []accessView
	Record            string // where what is kept of them can be put right and deleted
}

const pastShown = 10

// personPage is what somebody on the phone asks about.
func (s *Staff) personPage(w http.ResponseWriter, r *http.Request) error {
	m, err := s.member(r.Context(), carpool.MemberID(r.PathValue("member")))
	if err != nil {
		return err
	}
	return s.showPerson(w, r, s.blank(r), m)
}

func (s *Staff) showPerson(w http.ResponseWriter, r *http.Request, f *staffForm, m carpool.Member) error {
	ctx, p := r.Context(), s.of(r)
	v := personView{For: p.forWhom(m), Trouble: f.trouble(), Done: p.known("desk.done." + r.URL.Query().Get("fatto")), Once: newOnce(),
		BookURL: deskPath + "?persona=" + string(m.ID), Suspended: m.State == carpool.Suspended, ConsentWrong: f.wrong["consenso"], How: f.values.Get("consenso")}
	missing, err := s.missing(ctx, m)
	if err != nil {
		return err
	}
	if !slices.Contains(missing, carpool.ConsentDesk) {
		v.Record = recordPath(m.ID)
	}
	if v.Consent = len(missing) > 0; v.Consent {
		v.For.Phone = "" // without their consent the desk knows the name alone
	} else {
		if err := p.journeys(ctx, &v, m); err != nil {
			return err
		}
		if v.Access, err = s.accesses(ctx, m); err != nil {
			return err
		}
		if v.Reasons, err = s.reasons(ctx, m.ID); err != nil {
			return err
		}
	}
	for _, c := range m.Channels {
		v.Channels = append(v.Channels, p.known("desk.channel."+string(c)))
	}
	return s.html.WriteStatus(w, r, f.status(), "desk-person.html", s.deskPageView(web.View{Heading: v.For.Name, Self: v.For.URL, Data: v}))
}

// reasons are those of a member's suspension in force, as the member reads them.
func (s *Staff) reasons(ctx context.Context, id carpool.MemberID) ([]string, error) {
	all, err := s.deps.Trust.SuspensionsOf(ctx, id)
	var out []string
	for _, x := range all {
		if x.State == carpool.SuspensionInForce {
			out = append(out, x.Reason)
			if x.Settled != "" {
				out = append(out, x.Settled)
			}
		}
	}
	return out, err
}

// journeys fills in what somebody asked for, the next first.
func (p speech) journeys(ctx context.Context, v *personView, m carpool.Member) error {
	all, err := p.deps.Bookings.RequestsFor(ctx, deskFor(ctx, m.ID), m.ID)
	if err != nil {
		return err
	}
	live := open(all)
	slices.SortFunc(live, func(a, b carpool.Request) int { return a.When.From.Compare(b.When.From) })
	for n, q := range live {
		if slices.ContainsFunc(live[:n], func(x carpool.Request) bool { return oneThing(x, q) }) {
			continue
		}
		row, err := p.requestView(ctx, m, q)
		if err != nil {
			return err
		}
		row.More = p.others(m, live, q)
		v.Open = append(v.Open, row)
	}
	slices.SortFunc(all, func(a, b carpool.Request) int { return b.When.From.Compare(a.When.From) })
	for _, q := range all {
		if len(v.Past) == pastShown || q.State != carpool.RequestDone && q.State != carpool.RequestWithdrawn {
			continue
		}
		row, err := p.requestView(ctx, m, q)
		if err != nil {
			return err
		}
		v.Past = append(v.Past, row)
	}
	return nil
}

// takeConsent writes down what somebody agreed to.
func (s *Staff) takeConsent(w http.ResponseWriter, r *http.Request) error {
	m, err := s.member(r.Context(), carpool.MemberID(r.PathValue("member")))
	if err != nil {
		return err
	}
	f, err := s.form(r, "consenso", "once")
	if err != nil {
		return err
	}
	ok, err := s.agreed(r.Context(), f, m)
	if err != nil {
		return err
	}
	if !ok {
		return s.showPerson(w, r, f, m)
	}
	return seeOther(w, r, strings.TrimSuffix(personPath(m.ID), "/")+"?fatto=consenso")
}
