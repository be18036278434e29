package sim

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// streaming is a command that goes on until it is cancelled: a listen, a
// monitor without once, a print with an interval.
type streaming struct {
	dev    *device
	every  time.Duration
	ends   time.Duration // 0: never
	round  func() []item // continuous: one round of rows
	listen *menu         // listen: the table that is watched
	cmd    command
	base   []item // listen: the rows when the command came; what changes after it is news
	all    bool   // listen: begin with every row
}

// run reports until ctx ends (true) or the command's own duration is over.
func (s *streaming) run(ctx context.Context, r *replier) (interrupted bool) {
	if s.listen != nil {
		return s.watch(ctx, r)
	}
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	var over <-chan time.Time
	if s.ends > 0 {
		t := time.NewTimer(s.ends)
		defer t.Stop()
		over = t.C
	}
	for n := 0; ; n++ {
		rows := s.round()
		for _, it := range rows {
			// A section numbers the rounds: its change is the only end of one.
			if r.row(append(item{{".section", strconv.Itoa(n)}}, it...)) != nil {
				return true
			}
		}
		if len(rows) == 0 && s.dev.saysEmpty() {
			r.empty()
		}
		if r.out.flush() != nil {
			return true
		}
		select {
		case <-ctx.Done():
			return true
		case <-over:
			return false
		case <-tick.C:
		}
	}
}

// listenTo watches a table.
func (d *device) listenTo(m *menu, c command) *streaming {
	return &streaming{dev: d, listen: m, cmd: c, base: d.rowsOf(m), every: time.Second}
}

// watch sends the rows that changed in more than their counters, and the id of
// those that went, as ".dead".
func (s *streaming) watch(ctx context.Context, r *replier) bool {
	changed, stop := s.dev.subscribe()
	defer stop()
	known := map[string]item{}
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	rows := s.base
	for first := true; ; first = false {
		if !first {
			rows = s.dev.rowsOf(s.listen)
		}
		seen := map[string]bool{}
		sent := false
		for _, it := range rows {
			id, _ := it.get(".id")
			steady := s.listen.steady(it)
			if len(s.cmd.queries) > 0 && !matches(it, s.cmd.queries) {
				continue
			}
			seen[id] = true
			old, had := known[id]
			known[id] = steady
			if first && !s.all || had && slices.Equal(old, steady) {
				continue
			}
			if r.row(only([]item{it}, s.cmd)[0]) != nil {
				return true
			}
			sent = true
		}
		for id := range known {
			if !seen[id] {
				delete(known, id)
				if r.row(item{{".id", id}, {".dead", "yes"}}) != nil {
					return true
				}
				sent = true
			}
		}
		if sent && r.out.flush() != nil {
			return true
		}
		select {
		case <-ctx.Done():
			return true
		case <-changed:
		case <-tick.C:
		}
	}
}

// subscribe tells that something of the device changed; what, is to be looked
// up. The channel holds one notice.
func (d *device) subscribe() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	d.fleet.mu.Lock()
	d.watchers[ch] = true
	d.fleet.mu.Unlock()
	return ch, func() {
		d.fleet.mu.Lock()
		delete(d.watchers, ch)
		d.fleet.mu.Unlock()
	}
}

// notify needs the fleet's lock.
func (d *device) notify() {
	d.fleet.walked = time.Time{}
	for ch := range d.watchers {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// monitor reports the state of interfaces, once or until cancelled.
func (d *device) monitor(mon *monitor, c command, r *replier) (*streaming, *trap) {
	ref, ok := c.attr(mon.arg)
	if !ok {
		ref, ok = c.attr(".id")
	}
	for _, a := range c.attrs {
		switch a.k {
		case mon.arg, ".id", ".proplist", "once", "interval", "duration":
		default:
			return nil, argument("unknown parameter " + clip(a.k))
		}
	}
	if !ok || ref == "" {
		return nil, argument("missing value(s) of argument(s) " + mon.arg)
	}
	if _, t := d.sample(mon, ref); t != nil {
		return nil, t
	}
	if once, ok := c.attr("once"); ok && once != "no" && once != "false" {
		rows, _ := d.sample(mon, ref)
		for _, it := range only(rows, c) {
			if r.row(it) != nil {
				return nil, nil
			}
		}
		r.done(nil)
		return nil, nil
	}
	every, t := c.interval()
	if t != nil {
		return nil, t
	}
	st := &streaming{dev: d, every: every, round: func() []item {
		rows, _ := d.sample(mon, ref)
		return only(rows, c)
	}}
	if s, ok := c.attr("duration"); ok {
		if st.ends, ok = parseDuration(s); !ok || st.ends <= 0 {
			return nil, argument("invalid value for argument duration")
		}
	}
	return st, nil
}

// sample is one round of a monitor: a row for each interface named.
func (d *device) sample(mon *monitor, ref string) ([]item, *trap) {
	now := time.Now()
	d.fleet.mu.Lock()
	defer d.fleet.mu.Unlock()
	d.settle(now)
	var out []item
	for _, one := range splitList(ref) {
		e := d.config.table(interfaceTable).find(one)
		if e == nil || !mon.of(e) {
			if mon.arg == "interface" {
				return nil, argument("input does not match any value of interface")
			}
			return nil, trapItem
		}
		out = append(out, mon.row(d, e, now))
	}
	return out, nil
}
