package feed

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// watcher decides what is news to whom, and writes it on the board. It has no
// clock and no connection of its own.
type watcher struct {
	cfg   Config
	net   *network.Network
	board *board
	links map[network.LinkID]*track
	sites []*siteTrack
}

// track is what was last published of a link.
type track struct {
	link     network.Link
	a, b     bool // the end is watched: it has a device with an address
	state    network.LinkState
	sites    []*siteTrack
	sent     time.Time // zero: never
	status   network.LinkStatus
	alerts   []string
	quality  Quality
	levels   [2]unit.Opt[unit.DBm]
	capacity unit.Opt[unit.Mbps]
}

// siteTrack is one site as one partner sees it.
type siteTrack struct {
	partner network.PartnerID
	site    network.Site
	shared  []network.PartnerID
	links   []*track
	sent    time.Time
	due     bool
}

func newWatcher(cfg Config, n *network.Network, b *board) *watcher {
	w := &watcher{cfg: cfg, net: n, board: b, links: map[network.LinkID]*track{}}
	for _, l := range n.Links {
		l.Partner = slices.DeleteFunc(slices.Clone(l.Partner), func(p network.PartnerID) bool { return !safe(string(p), string(l.ID)) })
		slices.Sort(l.Partner)
		l.Partner = slices.Compact(l.Partner)
		if len(l.Partner) == 0 {
			continue
		}
		w.links[l.ID] = &track{
			link: l, a: w.watched(l.A), b: w.watched(l.B),
			state: network.LinkState{Link: l.ID, Status: network.StatusUnknown},
		}
	}
	w.addSites()
	return w
}

func (w *watcher) watched(d network.DeviceID) bool {
	dev, ok := w.net.Device(d)
	return ok && dev.Address != ""
}

// addSites finds for each partner the sites it shares, or has a link at.
func (w *watcher) addSites() {
	for _, s := range w.net.Sites {
		at := map[network.PartnerID][]*track{}
		for _, p := range s.Shared {
			at[p] = nil
		}
		for _, l := range w.net.Links {
			t := w.links[l.ID]
			if t == nil || !w.stands(l, s.ID) {
				continue
			}
			for _, p := range t.link.Partner {
				at[p] = append(at[p], t)
			}
		}
		var all []network.PartnerID
		for p := range at {
			all = append(all, p)
		}
		slices.Sort(all)
		for _, p := range all {
			if !safe(string(p), string(s.ID)) {
				continue
			}
			st := &siteTrack{partner: p, site: s, shared: all, links: at[p]}
			for _, t := range st.links {
				t.sites = append(t.sites, st)
			}
			w.sites = append(w.sites, st)
		}
	}
}

// stands says whether an end of the link is at the site.
func (w *watcher) stands(l network.Link, s network.SiteID) bool {
	for _, id := range []network.DeviceID{l.A, l.B} {
		if d, ok := w.net.Device(id); ok && d.Site == s {
			return true
		}
	}
	return false
}

// begin publishes everything as it is now.
func (w *watcher) begin(now time.Time, states []network.LinkState, open []controller.Alert) {
	for _, s := range states {
		if t := w.links[s.Link]; t != nil {
			t.state = s
		}
	}
	for _, t := range w.links {
		w.publish(now, t)
	}
	for _, s := range w.sites {
		w.publishSite(now, s)
	}
	w.audit(open)
}

// state takes the news of a link. A new status, quality or set of alerts is
// published at once; a level that moved by 1 dB or more when the gap is over.
func (w *watcher) state(now time.Time, s network.LinkState) {
	t := w.links[s.Link]
	if t == nil {
		return
	}
	if t.state.Capacity != s.Capacity {
		for _, site := range t.sites {
			site.due = true
		}
	}
	t.state = s
	w.consider(now, t)
}

// tick looks at what time alone changes.
func (w *watcher) tick(now time.Time) {
	for _, t := range w.links {
		w.consider(now, t)
	}
	for _, s := range w.sites {
		if s.due && now.Sub(s.sent) >= w.cfg.SiteGap {
			w.publishSite(now, s)
		}
	}
	w.board.repeat(now, w.cfg.Repeat, isAlert)
}

func (w *watcher) consider(now time.Time, t *track) {
	since := now.Sub(t.sent)
	switch {
	case t.status != t.state.Status, !slices.Equal(t.alerts, t.state.Alerts), t.quality != w.quality(now, t):
	case since >= w.cfg.Repeat:
	case since >= w.cfg.Gap && t.moved():
	default:
		return
	}
	w.publish(now, t)
}

// moved says whether a level or the capacity is another than was published.
func (t *track) moved() bool {
	for i, l := range levels(t.state) {
		old, had := t.levels[i].Get()
		v, has := l.Get()
		if had != has || has && math.Abs(float64(v-old)) >= 1 {
			return true
		}
	}
	return t.capacity != t.state.Capacity
}

func levels(s network.LinkState) (out [2]unit.Opt[unit.DBm]) {
	for i, r := range []*network.Reading{s.A, s.B} {
		if r != nil {
			out[i] = r.Signal
		}
	}
	return out
}

func (w *watcher) quality(now time.Time, t *track) Quality {
	if t.state.At.IsZero() {
		return None
	}
	fresh := func(r *network.Reading) bool { return r != nil && now.Sub(r.At) <= w.cfg.StaleAfter }
	a, b := fresh(t.state.A), fresh(t.state.B)
	switch {
	case !a && !b:
		return Stale
	case t.a && !a, t.b && !b:
		return Partial
	}
	return Good
}

func (w *watcher) publish(now time.Time, t *track) {
	t.sent, t.status, t.alerts = now, t.state.Status, t.state.Alerts
	t.quality, t.levels, t.capacity = w.quality(now, t), levels(t.state), t.state.Capacity
	state, link, copied := t.state, t.link, *t
	body := func(now time.Time) []byte { return marshal(stateOf(now, link, state, w.quality(now, &copied))) }
	for _, p := range t.link.Partner {
		w.board.put(StateTopic(p, t.link.ID), body)
	}
}

func (w *watcher) publishSite(now time.Time, s *siteTrack) {
	s.sent, s.due = now, false
	m := Site{
		Site: s.site.ID, Name: s.site.Name, Lat: s.site.At.Lat, Lon: s.site.At.Lon,
		Comune: text(s.site.Comune), Structure: text(s.site.Structure), HeightM: known(s.site.HeightM),
		Power:    SitePower{Source: text(s.site.Power.Source), BatteryH: known(s.site.Power.BatteryHours)},
		SharedBy: s.shared, Links: []SiteLink{},
	}
	var sum unit.Opt[unit.Mbps]
	for _, t := range s.links {
		m.Links = append(m.Links, SiteLink{t.link.ID, opt(t.state.Capacity)})
		if c, ok := t.state.Capacity.Get(); ok {
			sum = unit.Some(sum.Or(0) + c)
		}
	}
	m.CapacityMbps = opt(sum)
	w.board.put(SiteTopic(s.partner, s.site.ID), func(now time.Time) []byte {
		m.PublishedAt = utc(now)
		return marshal(m)
	})
}

// reading goes out at once to all partners of the link.
func (w *watcher) reading(r network.Reading) {
	t := w.links[r.Link]
	if t == nil {
		return
	}
	body := marshal(sampleOf(r))
	for _, p := range t.link.Partner {
		w.board.sample(SampleTopic(p, r.Link), body)
	}
}

// alert opens or closes an alert for each partner concerned.
func (w *watcher) alert(e controller.AlertEvent) {
	for _, p := range w.concerned(e.Alert) {
		topic := AlertTopic(p, e.Alert.ID)
		switch open := e.Change == controller.Opened && e.Alert.IsOpen(); {
		case open && !w.board.holds(topic):
			body := marshal(alertOf(e.Alert))
			w.board.push(topic, func(time.Time) []byte { return body })
		case !open && w.board.holds(topic):
			w.board.push(topic, nil)
		}
	}
}

// audit makes the alerts on the board those that are open.
func (w *watcher) audit(open []controller.Alert) {
	want := map[string]bool{}
	for _, a := range open {
		for _, p := range w.concerned(a) {
			want[AlertTopic(p, a.ID)] = true
		}
		w.alert(controller.AlertEvent{Change: controller.Opened, Alert: a})
	}
	for _, topic := range w.board.retainedTopics(isAlert) {
		if !want[topic] {
			w.board.push(topic, nil)
		}
	}
}

func isAlert(topic string) bool { return strings.Contains(topic, "/alerts/") }

// concerned are the partners that may see an alert: those of its link, or of
// the links of its device, as the network files are now, whatever they were
// when it opened.
func (w *watcher) concerned(a controller.Alert) []network.PartnerID {
	if !safe(a.ID) {
		return nil
	}
	var links []*track
	if a.Link != "" {
		if t := w.links[a.Link]; t != nil {
			links = append(links, t)
		}
	} else {
		for _, l := range w.net.LinksAt(a.Device) {
			if t := w.links[l.ID]; t != nil && a.Device != "" {
				links = append(links, t)
			}
		}
	}
	var out []network.PartnerID
	for _, t := range links {
		for _, p := range t.link.Partner {
			if !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}
