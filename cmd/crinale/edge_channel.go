package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/channel"
	"github.com/crinale/crinale/edge/store"
)

// edgeHeard is what the controller said, in edge status --json.
type edgeHeard struct {
	Broker    string     `json:"broker"`
	Connected bool       `json:"connected"`
	Since     time.Time  `json:"since"` // of connected
	Problem   string     `json:"problem"`
	State     *string    `json:"state"` // up, narrow, down, unknown; null: nothing was said
	Mbps      *float64   `json:"mbps"`
	SaidAt    *time.Time `json:"said_at"`
	Order     int64      `json:"order"`  // number of the last order that was obeyed
	Obeyed    bool       `json:"obeyed"` // no order is known or may have come that was not
}

// newChannel makes the ear for the controller that edge.yaml names.
func (s *edgeServer) newChannel() error {
	p := s.policy.Controller
	if p == nil {
		return nil
	}
	password, err := secret("controller.password_file", p.PasswordFile)
	if err != nil {
		return err
	}
	roots, err := loadCA("controller.ca_file", p.CAFile)
	if err != nil {
		return err
	}
	c := channel.Default()
	c.Broker = func() string {
		if s.brokerAt != nil {
			return s.brokerAt()
		}
		return p.Broker
	}
	c.User, c.Name, c.Password, c.Roots = p.User, p.Enrolled(), password, roots
	c.File, c.Wait = filepath.Join(s.data, "orders.json"), time.Duration(p.WaitS*float64(time.Second))
	s.channel, err = channel.New(c, channel.Deps{Tell: s.watch.Tell, Forget: s.obey, Log: s.log})
	return err
}

// obey forgets what an order names. What is of no service of this edge is not here.
func (s *edgeServer) obey(o edge.Order) error {
	p := store.Purge{}
	switch o.Kind {
	case edge.OrderAll:
		p.All = true
	case edge.OrderTag:
		p.Tag = o.What
	case edge.OrderURL, edge.OrderPrefix:
		host, _, _ := strings.Cut(o.What, "/")
		if !slices.ContainsFunc(s.policy.Services, func(v edge.ServicePolicy) bool { return v.Host == host }) {
			return nil
		}
		p.Prefix = o.What
		if o.Kind == edge.OrderURL {
			p = store.Purge{Address: o.What}
			if _, err := s.store.Purge(p); err == nil {
				return nil
			}
			p = store.Purge{Prefix: o.What} // its key is not here: all of that comune goes
		}
	}
	_, err := s.store.Purge(p)
	return err
}

// heard is how the channel stands; nil where there is none.
func (s *edgeServer) heard() *edgeHeard {
	if s.channel == nil {
		return nil
	}
	st := s.channel.State()
	h := &edgeHeard{Broker: s.policy.Controller.Broker, Connected: st.Connected, Since: st.Since.UTC(), Problem: st.Err, Order: st.Obeyed, Obeyed: st.Heard}
	if !st.Said.At.IsZero() {
		word, at := string(st.Said.State), st.Said.At.UTC()
		h.State, h.SaidAt = &word, &at
		if st.Said.Mbps > 0 {
			h.Mbps = &st.Said.Mbps
		}
	}
	return h
}

// String is for people at a terminal.
func (h *edgeHeard) String() string {
	var b strings.Builder
	if h.State != nil {
		fmt.Fprintf(&b, "Controller: %s ago it said %s", ago(max(0, time.Since(*h.SaidAt))), *h.State)
		if h.Mbps != nil {
			fmt.Fprintf(&b, ", %.0f Mbps", *h.Mbps)
		}
		b.WriteString(". ")
	} else {
		b.WriteString("Controller: it has said nothing yet. ")
	}
	switch {
	case !h.Connected:
		fmt.Fprintf(&b, "Not heard for %s.\n", ago(time.Since(h.Since)))
	case h.Obeyed:
		fmt.Fprintf(&b, "Its orders are obeyed, up to number %d.\n", h.Order)
	default:
		fmt.Fprintf(&b, "Its orders beyond number %d are awaited.\n", h.Order)
	}
	if h.Problem != "" {
		fmt.Fprintf(&b, "  %s\n", h.Problem)
	}
	if !h.Obeyed {
		b.WriteString("  What is saved is given only after its service was asked, or with its date.\n")
	}
	return b.String()
}
