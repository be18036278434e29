package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/gtfs"
	"github.com/crinale/crinale/carpool/interop"
	"github.com/crinale/crinale/carpool/notify"
	"github.com/crinale/crinale/carpool/roads"
	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
)

var (
	_ carpool.Roads = (*roads.Switch)(nil)
	_ carpool.Roads = (*roads.Graph)(nil)
	_ carpool.Buses = (*gtfs.Buses)(nil)
)

func carpoolCommand() *cli.Command {
	return &cli.Command{
		Name:        "carpool",
		Usage:       "the shared lifts",
		Subcommands: append(carpoolOffice(), carpoolRoadsCommand()),
	}
}

// ways is what the portal knows of the land: roads and buses.
type ways struct {
	roads carpool.Roads
	buses carpool.Buses // nil: no timetable
}

// openWays reads the road graph and the timetable that the configuration names.
func openWays(cfg config) (ways, error) {
	var w ways
	switch {
	case cfg.Carpool.EngineURL != "":
		e, err := roads.NewEngine(roads.EngineConfig{URL: cfg.Carpool.EngineURL, Source: cfg.Carpool.EngineURL})
		if err != nil {
			return w, fmt.Errorf("carpool.engine_url: %w", err)
		}
		w.roads = e
	case cfg.Carpool.Roads != "":
		f, err := os.Open(cfg.Carpool.Roads)
		if err != nil {
			return w, fault.New(fault.NotFound, "carpool.roads: %w: make the file with crinale carpool roads import", err)
		}
		defer f.Close()
		g, err := roads.Read(f)
		if err != nil {
			return w, fmt.Errorf("carpool.roads: %s: %w", cfg.Carpool.Roads, err)
		}
		w.roads = g
	default:
		w.roads = roads.NewEstimate()
	}
	if cfg.Carpool.Buses == "" {
		return w, nil
	}
	t, err := gtfs.Open(cfg.Carpool.Buses, gtfs.DefaultLimits())
	if err != nil {
		return w, fmt.Errorf("carpool.buses: %w", err)
	}
	if w.buses, err = gtfs.NewBuses(t, w.roads.Walk); err != nil {
		return w, fmt.Errorf("carpool.buses: %w", err)
	}
	return w, nil
}

// demoWays are the schematic roads and the invented timetable of the demo.
func demoWays() (ways, error) {
	f, err := demo.FS.Open("carpool/roads.json")
	if err != nil {
		return ways{}, err
	}
	defer f.Close()
	g, err := roads.ReadSchematic(f)
	if err != nil {
		return ways{}, fmt.Errorf("demo roads: %w", err)
	}
	sub, err := fs.Sub(demo.FS, "carpool/bus")
	if err != nil {
		return ways{}, err
	}
	t, err := gtfs.Read(sub, gtfs.DefaultLimits())
	if err != nil {
		return ways{}, fmt.Errorf("demo timetable: %w", err)
	}
	b, err := gtfs.NewBuses(t, g.Walk)
	return ways{g, b}, err
}

// wireCarpool makes the portal over the database.
func (s *server) wireCarpool(w world, k *kept) error {
	var err error
	if s.outbox, err = outbox.New(outbox.Default(), outbox.Deps{Store: k.db, Log: s.log}); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	pc := carpool.Default()
	pc.Caps, pc.School = s.cfg.Carpool.Caps, s.cfg.Carpool.School
	pc.RidesKept = time.Duration(s.cfg.Carpool.RidesKeptDays) * 24 * time.Hour
	keepers := []carpool.Keeper{notify.Keeper}
	if s.cfg.Carpool.Interop.Operator != "" {
		keepers = append(keepers, interop.Keeper)
	}
	s.carpool, err = carpool.New(pc, carpool.Deps{
		Store: k.db, Audit: s.audit, Outbox: s.outbox, Roads: w.ways.roads, Buses: w.ways.buses, Log: s.log, Accounts: s.people,
		Keepers: keepers,
	})
	if err != nil {
		return fmt.Errorf("carpool: %w", err)
	}
	if err := s.wireOutside(w, k); err != nil {
		return err
	}
	return s.wireMessages(k)
}

// openCarpool brings its tables up to date.
func (s *server) openCarpool(ctx context.Context) error {
	if err := s.outbox.Open(ctx); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	if err := s.carpool.Open(ctx); err != nil {
		return fmt.Errorf("carpool: %w", err)
	}
	if err := s.notify.Open(ctx); err != nil {
		return fmt.Errorf("messages: %w", err)
	}
	if s.outside != nil {
		if err := s.outside.Open(ctx); err != nil {
			return fmt.Errorf("carpool.interop: %w", err)
		}
	}
	return nil
}
