package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/radio"
)

// wirePeople makes the log of who did what, and the accounts.
func (s *server) wirePeople(k *kept) error {
	var err error
	if s.audit, err = audit.New(audit.Config{Head: filepath.Join(s.cfg.Data, "audit.head")}, audit.Deps{Store: k.db}); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	lc := login.Default()
	lc.Key = k.key
	if s.people, err = login.New(lc, login.Deps{Store: k.db, Audit: s.audit}); err != nil {
		return fmt.Errorf("people: %w", err)
	}
	return nil
}

// open brings the tables of accounts, log, partners and edges up to date; it comes
// before the stages.
func (s *server) open(ctx context.Context) error {
	if err := s.audit.Open(ctx); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if err := s.people.Open(ctx); err != nil {
		return fmt.Errorf("people: %w", err)
	}
	if err := s.partners.Open(ctx); err != nil {
		return fmt.Errorf("partners: %w", err)
	}
	if err := s.edges.Open(ctx); err != nil {
		return fmt.Errorf("edges: %w", err)
	}
	return s.openCarpool(ctx)
}

// wireChanges makes the engine that changes devices.
func (s *server) wireChanges(w world, fleet *radio.Fleet, k *kept) error {
	cc := controller.DefaultChanges()
	cc.Hold = time.Duration(s.cfg.Change.HoldS * float64(time.Second))
	cc.DriftEvery = time.Duration(s.cfg.Change.DriftEveryMin * float64(time.Minute))
	var err error
	s.changes, err = controller.NewChanges(cc, controller.ChangesDeps{
		Store: k.db, Audit: s.audit, Fleet: fleet, Log: s.log,
		Observe: func(ctx context.Context, d network.DeviceID) (network.Observation, error) {
			fleet.Retry(ctx, d) // somebody waits: no pause after an earlier silence
			return fleet.Observe(ctx, d)
		},
		Desired: func(context.Context) (*network.Network, error) {
			if s.cfg.Network == "" {
				return w.network, nil
			}
			return loadNetwork(s.cfg.Network)
		},
		Planned: func(n *network.Network, id network.LinkID) controller.Planned { return plannedOf(n, id, w) },
	})
	if err != nil {
		return fmt.Errorf("changes: %w", err)
	}
	return nil
}

// plannedOf is the level that planning expects of a link as a network's files
// set its devices.
func plannedOf(n *network.Network, id network.LinkID, w world) controller.Planned {
	l, ok := n.Link(id)
	if !ok || l.Medium != network.Radio {
		return controller.Planned{}
	}
	q, err := planning.QueryOf(n, l)
	if err != nil {
		return controller.Planned{}
	}
	p, err := planning.PlanLink(w.terrain, q)
	if err != nil {
		return controller.Planned{}
	}
	return controller.Planned{A: unit.Some(unit.DBm(p.Budget.BackRSSI)), B: unit.Some(unit.DBm(p.Budget.RSSI))}
}
