package feed

import (
	"math"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// Edges are those that are spoken to.
type Edges interface {
	Now() []controller.EdgeNews
	Changed() <-chan struct{} // size one
}

var _ Edges = (*controller.Edges)(nil)

// EdgeWay is the message of EdgeWayTopic.
type EdgeWay struct {
	State   controller.WayState `json:"state"`   // up, narrow, down, unknown
	Since   time.Time           `json:"since"`   // of this state
	Mbps    *float64            `json:"mbps"`    // the least that a radio link on the best way carries
	Unknown []network.LinkID    `json:"unknown"` // links on the best way of which nothing is known
	At      time.Time           `json:"at"`      // when published
}

// EdgeOrders is the message of EdgeOrdersTopic: the newest orders, in order and
// without gaps up to the head.
type EdgeOrders struct {
	Head   int64                  `json:"head"` // number of the last order; 0: there was none
	Orders []controller.EdgeOrder `json:"orders"`
	At     time.Time              `json:"at"` // when published
}

const (
	ordersRoom = 16 << 10               // bytes of all orders in one message
	lookEvery  = 200 * time.Millisecond // between two looks at all ways, at least
)

// halls decides what is news to which edge, and writes it on the board. It has no
// clock and no connection of its own.
type halls struct {
	cfg    Config
	rules  controller.Rules
	net    *network.Network
	board  *board
	links  map[network.LinkID]network.LinkState
	edges  map[controller.EdgeID]*hall
	dirty  bool // the ways may be others
	looked time.Time
}

// hall is what was last published to one edge.
type hall struct {
	news   controller.EdgeNews
	way    controller.Way
	since  time.Time
	sent   time.Time // the way; zero: never
	told   unit.Opt[unit.Mbps]
	orders time.Time // when they were sent
}

func newHalls(cfg Config, r controller.Rules, n *network.Network, b *board) *halls {
	return &halls{cfg: cfg, rules: r, net: n, board: b, links: map[network.LinkID]network.LinkState{}, edges: map[controller.EdgeID]*hall{}}
}

// state takes the news of a link.
func (h *halls) state(now time.Time, s network.LinkState) {
	old, known := h.links[s.Link]
	h.links[s.Link] = s
	if !known || old.Status != s.Status || old.Capacity != s.Capacity {
		h.dirty = true
		h.look(now)
	}
}

// enrolled makes the edges those that are enrolled now, and publishes new orders.
func (h *halls) enrolled(now time.Time, all []controller.EdgeNews) {
	gone := map[controller.EdgeID]bool{}
	for id := range h.edges {
		gone[id] = true
	}
	for _, n := range all {
		delete(gone, n.ID)
		e := h.edges[n.ID]
		if e == nil {
			e = &hall{}
			h.edges[n.ID] = e
		}
		fresh := e.orders.IsZero() || e.news.Head != n.Head
		h.dirty = h.dirty || e.news.Device != n.Device || e.sent.IsZero()
		if e.news = n; fresh {
			h.order(now, e)
		}
	}
	for id := range gone {
		delete(h.edges, id)
		h.board.push(EdgeWayTopic(id), nil)
		h.board.push(EdgeOrdersTopic(id), nil)
	}
	h.looked = time.Time{}
	h.look(now)
}

// tick looks at what time alone changes.
func (h *halls) tick(now time.Time) {
	h.look(now)
	for _, e := range h.edges {
		if now.Sub(e.sent) >= h.cfg.Repeat/2 {
			h.say(now, e)
		}
		if now.Sub(e.orders) >= h.cfg.Repeat {
			h.order(now, e)
		}
	}
}

// look finds the ways anew where they may be others, and says what is news: a
// state at once, what a way carries when it moved by a tenth.
func (h *halls) look(now time.Time) {
	if !h.dirty || len(h.edges) == 0 || now.Sub(h.looked) < lookEvery {
		return
	}
	h.dirty, h.looked = false, now
	var states []network.LinkState
	for _, s := range h.links {
		states = append(states, s)
	}
	ways := controller.NewWays(h.rules, h.net, states)
	for _, e := range h.edges {
		old := e.way
		e.way = ways.Of(e.news.Device, old.State)
		if old.State != e.way.State {
			e.since = now
		}
		if e.sent.IsZero() || !old.Same(e.way) || now.Sub(e.sent) >= h.cfg.Gap && moved(e.told, e.way.Mbps) {
			h.say(now, e)
		}
	}
}

func moved(told, now unit.Opt[unit.Mbps]) bool {
	a, had := told.Get()
	b, has := now.Get()
	return had != has || math.Abs(float64(b-a)) > 0.1*float64(a)
}

func (h *halls) say(now time.Time, e *hall) {
	e.sent, e.told = now, e.way.Mbps
	m := EdgeWay{State: e.way.State, Since: utc(e.since), Mbps: opt(e.way.Mbps), Unknown: append([]network.LinkID{}, e.way.Unknown...)}
	h.board.put(EdgeWayTopic(e.news.ID), func(now time.Time) []byte {
		m.At = utc(now)
		return marshal(m)
	})
}

func (h *halls) order(now time.Time, e *hall) {
	e.orders = now
	m := EdgeOrders{Head: e.news.Head, Orders: newest(e.news.Orders)}
	h.board.put(EdgeOrdersTopic(e.news.ID), func(now time.Time) []byte {
		m.At = utc(now)
		return marshal(m)
	})
}

// newest are the last orders that have room in a message.
func newest(all []controller.EdgeOrder) []controller.EdgeOrder {
	room, from := ordersRoom, len(all)
	for from > 0 {
		if room -= len(marshal(all[from-1])) + 1; room < 0 {
			break
		}
		from--
	}
	return append([]controller.EdgeOrder{}, all[from:]...)
}
