package page

import (
	"net/http"

	"github.com/crinale/crinale/carpool"
)

// mostNews is how many unread notices "my rides" shows at once, of how many it
// looks at.
const (
	mostNews = 10
	lookNews = 50
)

// newsRow is a notice that its reader has not read yet.
type newsRow struct{ Title, Text, When string }

// news are what the member was told and has not read, the newest first. What
// is shown counts as read from then on.
func (p *Pages) news(v *visit) ([]newsRow, error) {
	if p.deps.Shown == nil || v.r.Method == http.MethodHead {
		return nil, nil
	}
	ctx := v.r.Context()
	all, err := p.deps.Members.Notices(ctx, v.me.ID, lookNews)
	if err != nil {
		return nil, err
	}
	var out []newsRow
	for _, n := range all {
		if n.Shown != nil || n.With[carpool.WithTo] == "trusted" || len(out) == mostNews {
			continue
		}
		title, text, err := p.deps.Shown(ctx, string(v.say.lang), n.ID)
		if err != nil {
			p.log.Warn("carpool pages: show a notice", "kind", n.Kind, "error", err)
			continue
		}
		if title != "" || text != "" {
			out = append(out, newsRow{title, text, v.say.day(n.At) + ", " + v.say.clockOf(n.At)})
		}
		if err := p.deps.Members.SeenNotice(ctx, v.me.ID, n.ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}
