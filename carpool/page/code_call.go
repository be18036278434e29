package page

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

const codeCallsPath = deskPath + "/codici"

// CodeCalls has the desk call whoever joins by a telephone without texts;
// *carpool.Desk does.
type CodeCalls interface {
	AskCode(ctx context.Context, account, phone, comune string) error
}

// codeCallView is one call with a code. Phone and Code are there for the
// operator who has just taken it, on that page alone.
type codeCallView struct {
	URL, Comune, Asked string
	Tries              int
	By, Lease          string // a colleague who has it, until when
	Phone, Code        string
	Trouble            *staffTrouble
}

// codeCalls are those of the asker's comuni that wait.
func (s *Staff) codeCalls(r *http.Request) ([]carpool.CodeCall, error) {
	ctx := r.Context()
	all, err := s.deps.Desk.CodeCalls(ctx, staffDesk(ctx))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(c carpool.CodeCall) bool { return !within(ctx, login.DeskCarpool, c.Comune) }), nil
}

func staffDesk(ctx context.Context) carpool.By { return deskFor(ctx, "") }

func (p speech) codeCallView(ctx context.Context, c carpool.CodeCall) codeCallView {
	v := codeCallView{URL: codeCallsPath + "/" + url.PathEscape(c.ID), Comune: p.comuneName(c.Comune), Asked: p.moment(c.Asked), Tries: c.Tries}
	if c.By != "" && c.By != web.Who(ctx).Person {
		v.By, v.Lease = c.By, p.clock(c.Lease)
	}
	return v
}

// theCodeCall is the call of the path, of the asker's scope.
func (s *Staff) theCodeCall(r *http.Request) (carpool.CodeCall, error) {
	all, err := s.codeCalls(r)
	if err != nil {
		return carpool.CodeCall{}, err
	}
	id := r.PathValue("id")
	i := slices.IndexFunc(all, func(c carpool.CodeCall) bool { return c.ID == id })
	if i < 0 || s.deps.Accounts == nil {
		return carpool.CodeCall{}, outside("call", id)
	}
	return all[i], nil
}

// takeCode gives a call with a code to the operator, and makes the code that is
// read out: it stands on this page and nowhere else. Taken again, it is a new
// one.
func (s *Staff) takeCode(w http.ResponseWriter, r *http.Request) error {
	c, err := s.theCodeCall(r)
	if err != nil {
		return err
	}
	f, err := s.form(r)
	if err != nil {
		return err
	}
	ctx, p := r.Context(), s.of(r)
	if c, err = s.deps.Desk.TakeCode(ctx, staffDesk(ctx), c.ID); err == nil {
		v := p.codeCallView(ctx, c)
		v.Phone = c.Phone
		if v.Code, err = s.deps.Accounts.StartAlias(ctx, c.Account, c.Phone, sourceOf(r)); err == nil {
			v.Code = v.Code[:3] + " " + v.Code[3:]
			w.Header().Set("Cache-Control", "no-store")
			return s.html.WriteStatus(w, r, http.StatusOK, "code-call.html", s.deskPageView(web.View{Title: "desk.code.title", Self: callsPath, Data: v}))
		}
	}
	if fault.Of(err) == fault.NotFound { // the account ended meanwhile
		return outside("call", c.ID)
	}
	f.refuse("desk.code.not-now")
	if err = f.mendable(err); err != nil {
		return err
	}
	return s.showCalls(w, r, f)
}

// codeOutcome writes down what came of a call with a code.
func (s *Staff) codeOutcome(w http.ResponseWriter, r *http.Request) error {
	c, err := s.theCodeCall(r)
	if err != nil {
		return err
	}
	f, err := s.form(r, "esito")
	if err != nil {
		return err
	}
	outcome := map[string]carpool.CallOutcome{"letto": carpool.CallReached, "nessuno": carpool.CallNoAnswer, "sbagliato": carpool.CallWrong}[f.get("esito")]
	if outcome == "" {
		f.refuse("desk.code.choose")
		return s.showCalls(w, r, f)
	}
	if err := s.deps.Desk.EndCode(r.Context(), staffDesk(r.Context()), c.ID, outcome); err != nil {
		if err = f.mendable(err); err != nil {
			return err
		}
		return s.showCalls(w, r, f)
	}
	return seeOther(w, r, callsPath+"?fatto="+f.get("esito"))
}
