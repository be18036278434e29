package page

import (
	"net/http"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/web"
)

// sight is the part of the network that one asker may read. Handlers look
// things up in net and nowhere else, so what is another's is to them as if it
// were not there.
type sight struct {
	*Pages
	net   *network.Network
	whole bool // the union's: everything
}

// tongue is a sight that writes quantities and words in the language of one
// request.
type tongue struct {
	sight
	lang web.Lang
}

// of is what the asker of a request sees, in their language.
func (p *Pages) of(r *http.Request) tongue {
	return tongue{p.sightOf(web.Who(r.Context())), web.LangOf(r)}
}

func (p *Pages) sightOf(who login.Identity) sight {
	scopes := who.Scopes(login.ReadNetwork)
	for _, s := range scopes {
		if s == login.Union {
			return sight{p, p.deps.Network, true}
		}
	}
	return sight{p, part(p.deps.Network, scopes), false}
}

// part is the network within some scopes. A partner has its own links, a
// comune those with an end in it; with them come the devices at both ends and
// the places where these stand, and nothing else. A partner reads no other
// partner's name. Scopes of other kinds hold no part of the network.
func part(n *network.Network, scopes []login.Scope) *network.Network {
	partners, comuni := map[network.PartnerID]bool{}, map[string]bool{}
	for _, s := range scopes {
		switch {
		case s.ID == "":
		case s.Kind == login.OfPartner:
			partners[network.PartnerID(s.ID)] = true
		case s.Kind == login.OfComune:
			comuni[s.ID] = true
		}
	}
	named := map[network.PartnerID]bool{} // whose names are read
	links := map[network.LinkID]bool{}
	devices := map[network.DeviceID]bool{}
	for id := range partners {
		named[id] = true
	}
	for _, l := range n.Links {
		here := comuni[comuneOf(n, l.A)] || comuni[comuneOf(n, l.B)]
		mine := false
		for _, id := range l.Partner {
			mine = mine || partners[id]
			named[id] = named[id] || here
		}
		if here || mine {
			links[l.ID], devices[l.A], devices[l.B] = true, true, true
		}
	}

	out := &network.Network{Gear: n.Gear}
	sites, seats, sectors := map[network.SiteID]bool{}, map[network.SeatID]bool{}, map[network.SectorID]bool{}
	for _, d := range n.Devices {
		if devices[d.ID] {
			out.Devices = append(out.Devices, d)
			sites[d.Site], seats[d.Seat] = true, true
		}
	}
	for _, s := range n.Sites {
		if sites[s.ID] {
			s.Shared = among(s.Shared, named)
			out.Sites = append(out.Sites, s)
		}
	}
	for _, s := range n.Seats {
		if seats[s.ID] {
			out.Seats = append(out.Seats, s)
		}
	}
	for _, l := range n.Links {
		if links[l.ID] {
			l.Partner = among(l.Partner, named)
			out.Links = append(out.Links, l)
			sectors[l.Sector] = true
		}
	}
	for _, s := range n.Sectors {
		if sectors[s.ID] {
			out.Sectors = append(out.Sectors, s)
		}
	}
	for _, p := range n.Partners {
		if named[p.ID] {
			out.Partners = append(out.Partners, p)
		}
	}
	out.Index()
	return out
}

func among(ids []network.PartnerID, named map[network.PartnerID]bool) []network.PartnerID {
	var out []network.PartnerID
	for _, id := range ids {
		if named[id] {
			out = append(out, id)
		}
	}
	return out
}

// comuneOf is the ISTAT code of where a device stands; "" outside the union.
func comuneOf(n *network.Network, id network.DeviceID) string {
	d, ok := n.Device(id)
	if !ok {
		return ""
	}
	if s, ok := n.Site(d.Site); ok {
		return s.Comune
	}
	s, _ := n.Seat(d.Seat)
	return s.Comune
}

// linkStates are the last known states of the links in sight.
func (s sight) linkStates() []network.LinkState {
	return seen(s.deps.Links.Links(), func(l network.LinkState) bool {
		_, ok := s.net.Link(l.Link)
		return ok
	})
}

// deviceStates are the last known states of the devices in sight.
func (s sight) deviceStates() []controller.DeviceState {
	return seen(s.deps.Devices.Devices(), func(d controller.DeviceState) bool {
		_, ok := s.net.Device(d.Device)
		return ok
	})
}

// deviceState is the last known state of a device in sight. What it hears around
// it may be others', so its neighbours are for the union only.
func (s sight) deviceState(id network.DeviceID) (controller.DeviceState, bool) {
	if _, ok := s.net.Device(id); !ok {
		return controller.DeviceState{}, false
	}
	d, ok := s.deps.Devices.Device(id)
	if o := d.Observation; o != nil && !s.whole {
		own := *o
		own.Neighbours = nil
		d.Observation = &own
	}
	return d, ok
}

// alertList are those in sight, the newest first.
func (s sight) alertList(open bool) []controller.Alert {
	all := s.deps.Alerts.Alerts(open)
	if s.whole {
		return all
	}
	out := seen(all, s.concerns)
	for i := range out {
		var own []network.PartnerID
		for _, id := range out[i].Partners {
			if _, ok := s.net.Partner(id); ok {
				own = append(own, id)
			}
		}
		out[i].Partners = orEmpty(own)
	}
	return out
}

// concerns says whether an alert is about something in sight. What was taken
// out of the network files is nobody's but the union's.
func (s sight) concerns(a controller.Alert) bool {
	if s.whole {
		return true
	}
	if a.Link != "" {
		_, ok := s.net.Link(a.Link)
		return ok
	}
	_, ok := s.net.Device(a.Device)
	return ok
}

func seen[T any](all []T, in func(T) bool) []T {
	var out []T
	for _, v := range all {
		if in(v) {
			out = append(out, v)
		}
	}
	return out
}
