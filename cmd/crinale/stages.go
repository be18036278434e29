package main

import (
	"context"

	lifecycle "github.com/crinale/crinale/internal/run"
)

// stages are the long-lived parts in the order they start.
func (s *server) stages() []lifecycle.Stage {
	var st []lifecycle.Stage
	if s.spine != nil {
		st = append(st, lifecycle.Stage{Name: "mqtt", Run: s.spine.Run, Ready: s.spine.Ready()})
	}
	st = append(st, lifecycle.Stage{Name: "history", Run: s.history.Run, Ready: s.history.Ready()})
	if s.influx != nil {
		st = append(st, lifecycle.Stage{Name: "influx", Run: s.influx.Run})
	}
	feed := lifecycle.Stage{Name: "feed", Run: s.feed.Run}
	if s.spine != nil {
		feed.Ready = s.feed.Ready() // an outer broker may be away for long: nobody waits for it
	}
	st = append(st,
		lifecycle.Stage{Name: "radio", Run: s.driver.Run},
		lifecycle.Stage{Name: "controller", Run: s.control.Run, Ready: s.control.Ready()},
		lifecycle.Stage{Name: "audit", Run: s.audit.Run},
		lifecycle.Stage{Name: "changes", Run: s.changes.Run, Ready: s.changes.Ready()},
		lifecycle.Stage{Name: "outbox", Run: s.outbox.Run},
		lifecycle.Stage{Name: "messages", Run: s.notify.Run},
		lifecycle.Stage{Name: "carpool", Run: s.carpool.Run},
		feed,
		lifecycle.Stage{Name: "edges", Run: s.admitEdges},
		lifecycle.Stage{Name: "coverage", Run: s.coverage.run},
		lifecycle.Stage{Name: "web", Run: s.web.Run, Ready: s.web.Ready()},
		lifecycle.Stage{Name: "commands", Run: s.local.run, Ready: s.local.ready},
	)
	if s.copies != nil {
		st = append(st, lifecycle.Stage{Name: "copies", Run: s.copies.run})
	}
	if s.modem != nil {
		st = append(st, lifecycle.Stage{Name: "modem", Run: s.modem.driver.Run},
			lifecycle.Stage{Name: "short messages", Run: func(ctx context.Context) error { return s.notify.Hear(ctx, s.modem) }})
	}
	if s.outside != nil {
		st = append(st, lifecycle.Stage{Name: "operators", Run: s.outside.Run})
	}
	return st
}

// admitEdges lets edges in once the feed has published what there is to say to them.
func (s *server) admitEdges(ctx context.Context) error {
	if err := s.edges.Admit(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
