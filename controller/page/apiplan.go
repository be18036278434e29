package page

import (
	"net/http"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/web"
)

// Plan is what planning expects of a link, in /api/v1/plans. What is not known
// is null: a fibre has no level, nor has an end without terrain.
type Plan struct {
	Link         network.LinkID `json:"link"`
	Name         string         `json:"name"`
	Medium       network.Medium `json:"medium"`
	DistM        *float64       `json:"dist_m"`
	PromisedMbps float64        `json:"promised_mbps"`
	A            PlanEnd        `json:"a"`
	B            PlanEnd        `json:"b"`
}

// PlanEnd is one end of a Plan.
type PlanEnd struct {
	Device     network.DeviceID `json:"device"` // "" where the link leaves the network
	PlannedDBm *float64         `json:"planned_dbm"`
}

func (p *Pages) apiPlans(w http.ResponseWriter, r *http.Request) error {
	t := p.of(r)
	links, next, err := web.Page(w, r, t.net.Links, func(l network.Link) string { return string(l.ID) })
	if err != nil {
		return err
	}
	plans := []Plan{}
	for _, l := range links {
		level := p.deps.Links.Planned(l.ID)
		plan := Plan{
			Link: l.ID, Name: nameOf(l), Medium: l.Medium, PromisedMbps: float64(t.promise(l)),
			A: PlanEnd{l.A, level.A.Ptr()}, B: PlanEnd{l.B, level.B.Ptr()},
		}
		if a, b, ok := t.ends(l); ok {
			d := float64(a.Distance(b))
			plan.DistM = &d
		}
		plans = append(plans, plan)
	}
	return web.JSON(w, r, map[string]any{"plans": plans, "next": next})
}
