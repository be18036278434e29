package page

import (
	"net/http"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/web"
)

const (
	appealPath  = "/passaggi/sospensioni/"
	liftedShown = 30 * 24 * time.Hour // that a suspension stands on the page after its end
)

// suspended is a suspension as its member reads it.
type suspended struct {
	ID, Path, Since, Reason string
	Settled                 string // words of whoever settled it
	Appeal, Appealed        string
	Answer, Answered        string
	Lifted, Ended           string
	CanAppeal               bool
}

// suspended are the visitor's suspensions: in force, or ended lately.
func (p *Pages) suspended(v *visit) ([]suspended, error) {
	all, err := p.deps.Trust.SuspensionsOf(v.r.Context(), v.me.ID)
	if err != nil {
		return nil, err
	}
	var out []suspended
	for _, s := range all {
		if s.State == carpool.SuspensionLifted && v.now.Sub(s.LiftedAt) > liftedShown {
			continue
		}
		one := suspended{ID: s.ID, Path: appealPath + s.ID, Since: v.say.day(s.SettledAt), Reason: s.Reason, Settled: s.Settled, Appeal: s.Appeal, Answer: s.Answer, CanAppeal: s.CanAppeal()}
		if s.Appeal != "" {
			one.Appealed = v.say.day(s.AppealAt)
		}
		if s.Answer != "" {
			one.Answered = v.say.day(s.AnsweredAt)
		}
		if s.State == carpool.SuspensionLifted {
			one.Ended, one.Lifted = v.say.day(s.LiftedAt), s.Lifted
		}
		out = append(out, one)
	}
	return out, nil
}

// appeal is POST /passaggi/sospensioni/{id}: why a suspended member does not
// agree.
func (p *Pages) appeal(v *visit) error {
	f, err := v.form("risposta")
	if err != nil {
		return err
	}
	text := strings.TrimSpace(f.text("risposta", p.cfg.Limits.Appeal()))
	if text == "" {
		f.bad("risposta", "pool.wrong.empty")
	}
	if !f.ok() {
		return p.showMine(v, http.StatusBadRequest, f, nil)
	}
	_, err = p.sendOnce(v, f, func() (string, error) {
		return "", p.deps.Trust.Appeal(v.r.Context(), v.by, v.r.PathValue("id"), text)
	})
	switch {
	case err == nil:
		return v.done(minePath, "risposta")
	case mendable(err):
		return p.showMine(v, web.Status(err), f, v.say.trouble(err))
	}
	return err
}
