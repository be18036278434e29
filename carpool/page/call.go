package page

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

const callsPath = deskPath + "/chiamate"

// soon is when a call that is due gets another colour.
const soon = 2 * time.Hour

// callView is one task of the call list, ready to be read out.
type callView struct {
	ID          string
	For         forWhom
	URL         string
	Sentence    string
	Due         string
	Late, Soon  bool
	Tries       int
	Note        string
	Mine, Taken bool
	By, Lease   string // who has it, until when
	Next        string // not before
	Trusted     carpool.Contact
	ToTrusted   bool // the sentence is for the trusted person
	Asked       bool // a driver is asked: the answer is taken down
	JourneyURL  string
}

type callsView struct {
	Trouble           *staffTrouble
	Done              string
	Mine, Open, Later []callView
	Others            []callView // taken by others
	Codes             []codeCallView
	Total             int
	Now               string
}

// callsPage is /passaggi/sportello/chiamate.
func (s *Staff) callsPage(w http.ResponseWriter, r *http.Request) error {
	return s.showCalls(w, r, s.blank(r))
}

func (s *Staff) showCalls(w http.ResponseWriter, r *http.Request, f *staffForm) error {
	ctx, p := r.Context(), s.of(r)
	calls, err := s.deps.Desk.Calls(ctx, deskFor(ctx, ""))
	if err != nil {
		return err
	}
	slices.SortStableFunc(calls, func(a, b carpool.Call) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) })
	now := s.shell.Now()
	v := callsView{Trouble: f.trouble(), Done: p.known("desk.done." + r.URL.Query().Get("fatto")), Now: p.clock(now)}
	codes, err := s.codeCalls(r)
	if err != nil {
		return err
	}
	for _, c := range codes {
		v.Codes = append(v.Codes, p.codeCallView(ctx, c))
	}
	v.Total = len(codes)
	for _, c := range calls {
		if c.State == carpool.CallDone || c.State == carpool.CallFailed {
			continue
		}
		m, err := s.memberIn(ctx, c.Member, carpool.LookCall, c.ID)
		if fault.Of(err) == fault.NotFound && err != nil {
			continue // of another comune, or gone
		}
		if err != nil {
			return err
		}
		row, err := p.callView(ctx, c, m, now)
		if err != nil {
			return err
		}
		v.Total++
		switch {
		case row.Mine:
			v.Mine = append(v.Mine, row)
		case row.Taken:
			v.Others = append(v.Others, row)
		case c.Next.After(now):
			v.Later = append(v.Later, row)
		default:
			v.Open = append(v.Open, row)
		}
	}
	return s.html.WriteStatus(w, r, f.status(), "calls.html", s.deskPageView(web.View{Title: "desk.calls.title", Self: callsPath, Data: v}))
}

func (p speech) callView(ctx context.Context, c carpool.Call, m carpool.Member, now time.Time) (callView, error) {
	me := web.Who(ctx).Person
	held := c.State == carpool.CallTaken && c.Lease.After(now)
	v := callView{ID: c.ID, For: p.forWhom(m), URL: callsPath + "/" + url.PathEscape(c.ID), Due: p.moment(c.Due), Late: c.Due.Before(now), Tries: c.Tries, Note: c.Note,
		Mine: held && c.By == me, Taken: held && c.By != me, By: c.By, ToTrusted: c.With[carpool.WithTo] == "trusted"}
	v.For.Phone = "" // told to whoever takes the task
	if v.Mine {
		if err := p.callPhone(ctx, &v, c, m); err != nil {
			return v, err
		}
	}
	v.Soon = !v.Late && c.Due.Before(now.Add(soon))
	if held {
		v.Lease = p.clock(c.Lease)
	}
	if c.Next.After(now) {
		v.Next = p.moment(c.Next)
	}
	facts, err := p.callFacts(ctx, c, m)
	if err != nil {
		return v, err
	}
	v.JourneyURL, v.Asked = facts.url, c.Kind == string(carpool.NoticeAsked) && facts.answers
	v.Sentence, err = p.sentence(ctx, c, facts)
	return v, err
}

// trustedAfter is how many tries without an answer it takes until the trusted
// person may be called.
const trustedAfter = 3

// callPhone fills in the numbers for whoever has taken a task: that of the
// guardian where a minor has none.
func (p speech) callPhone(ctx context.Context, v *callView, c carpool.Call, m carpool.Member) error {
	if m.Phone == "" && m.Guardian != "" {
		guardian, err := p.deps.Members.See(ctx, deskFor(ctx, ""), m.Guardian, carpool.LookCall, c.ID, func(string) bool { return true })
		if err != nil {
			return err
		}
		v.For.Note = p.word("desk.call.guardian", p.forWhom(guardian).Name)
		if m.Trusted.Phone == "" {
			m.Trusted = guardian.Trusted
		}
		m.Phone = guardian.Phone
	}
	v.For.Phone = m.Phone
	if v.ToTrusted || c.Tries >= trustedAfter || c.Kind == carpool.WayTextRoadside || c.Kind == carpool.WayTextAway {
		v.Trusted = m.Trusted
	}
	return nil
}

// theCall is the task of the path, of somebody in the operator's scope.
func (s *Staff) theCall(r *http.Request) (carpool.Call, error) {
	ctx, id := r.Context(), r.PathValue("id")
	calls, err := s.deps.Desk.Calls(ctx, deskFor(ctx, ""))
	if err != nil {
		return carpool.Call{}, err
	}
	i := slices.IndexFunc(calls, func(c carpool.Call) bool { return c.ID == id })
	if i < 0 {
		return carpool.Call{}, outside("call", id)
	}
	in, err := s.inScope(ctx, login.DeskCarpool, calls[i].Member)
	if err == nil && !in {
		err = outside("call", id)
	}
	return calls[i], err
}

// takeCall gives a task to the operator for a while, so that two do not call
// the same person.
func (s *Staff) takeCall(w http.ResponseWriter, r *http.Request) error {
	c, err := s.theCall(r)
	if err != nil {
		return err
	}
	f, err := s.form(r, "once")
	if err != nil {
		return err
	}
	if _, err := s.deps.Desk.Take(r.Context(), deskFor(r.Context(), ""), c.ID); err != nil {
		if fault.Of(err) == fault.Conflict {
			f.refuse("desk.call.taken")
		} else if err = f.mendable(err); err != nil {
			return err
		}
		return s.showCalls(w, r, f)
	}
	return seeOther(w, r, callsPath+"?fatto=presa#mie")
}

// outcomes by the words of their buttons.
var outcomes = map[string]carpool.CallOutcome{
	"sentito": carpool.CallReached, "si": carpool.CallReached, "no": carpool.CallReached, "nessuno": carpool.CallNoAnswer,
	"sbagliato": carpool.CallWrong, "dopo": carpool.CallLater, "turno": carpool.CallPassed,
}

const mostNote = 300

// callOutcome writes down what came of a call; the answer of a driver who was
// asked goes where an answer on the page goes.
func (s *Staff) callOutcome(w http.ResponseWriter, r *http.Request) error {
	c, err := s.theCall(r)
	if err != nil {
		return err
	}
	f, err := s.form(r, "esito", "nota", "once")
	if err != nil {
		return err
	}
	ctx, said := r.Context(), f.get("esito")
	outcome, ok := outcomes[said]
	note := f.lines("nota", mostNote)
	if !ok || (said == "si" || said == "no") && c.Kind != string(carpool.NoticeAsked) {
		return fault.New(fault.Invalid, "outcome %.20q of a call is not known", said)
	}
	if f.wrong["nota"] != "" {
		f.refuse("desk.wrong.long", mostNote)
		return s.showCalls(w, r, f)
	}
	if said == "si" || said == "no" {
		booking, do := carpool.BookingID(c.With[carpool.WithBooking]), s.deps.Bookings.Decline
		if said == "si" {
			do = s.deps.Bookings.Accept
		}
		if _, err := do(ctx, deskFor(ctx, c.Member), booking, ""); err != nil {
			if err = f.mendable(err); err != nil {
				return err
			}
			return s.showCalls(w, r, f)
		}
	}
	if err := s.deps.Desk.Outcome(ctx, deskFor(ctx, ""), c.ID, outcome, note); err != nil {
		if err = f.mendable(err); err != nil {
			return err
		}
		return s.showCalls(w, r, f)
	}
	return seeOther(w, r, callsPath+"?fatto="+said)
}
