package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/gtfs"
	"github.com/crinale/crinale/carpool/interop"
	"github.com/crinale/crinale/internal/web"
	"github.com/crinale/crinale/internal/zone"
)

// interopConfig is of the API for other carpooling operators.
type interopConfig struct {
	Operator string   `yaml:"operator"`
	Hosts    []string `yaml:"hosts"`
}

// openDataEvery is how old a file of open data may be.
const openDataEvery = 10 * time.Minute

// wireOutside is the API for other operators, where the union has a name for
// it.
func (s *server) wireOutside(w world, k *kept) error {
	if s.cfg.Carpool.Interop.Operator == "" {
		return nil
	}
	ic := interop.Default()
	ic.Operator, ic.Hosts, ic.Web = s.cfg.Carpool.Interop.Operator, s.cfg.Carpool.Interop.Hosts, s.publicURL()+"/passaggi"
	over, err := interop.Over(s.carpool, ic, interop.OverDeps{Roads: w.ways.roads})
	if err != nil {
		return fmt.Errorf("carpool.interop: %w", err)
	}
	if s.outside, err = interop.New(ic, interop.Deps{Store: k.db, Audit: s.audit, Outbox: s.outbox, Portal: over, Log: s.log}); err != nil {
		return fmt.Errorf("carpool.interop: %w", err)
	}
	return nil
}

// mountOutside puts the API for operators and the files of open data on the
// shell.
func (s *server) mountOutside(w world) error {
	base := s.publicURL() + "/passaggi"
	about := carpool.Publication{Title: "Passaggi, " + w.union.Name, Publisher: w.union.Name, Base: base, Email: s.cfg.Carpool.Contact}
	if u, err := url.Parse(base); err == nil {
		about.IPA = u.Hostname()
	}
	names := map[string]string{}
	for _, c := range w.union.Comuni {
		names[c.ISTAT] = c.Name
	}
	figures := func(write func(io.Writer, []carpool.Aggregates) error) func(context.Context, io.Writer) error {
		return func(ctx context.Context, out io.Writer) error {
			months, err := s.carpool.Figures(ctx)
			if err != nil {
				return err
			}
			return write(out, months)
		}
	}
	for name, f := range map[string]*interop.Open{
		"gtfs.zip": {Type: "application/zip", Make: func(ctx context.Context, out io.Writer) error { return s.writeGTFS(ctx, out, about) }},
		"passaggi.csv": {Type: "text/csv; charset=utf-8", Make: figures(func(out io.Writer, m []carpool.Aggregates) error {
			return carpool.WriteCSV(out, m, names)
		})},
		"passaggi.json": {Type: "application/json", Make: figures(func(out io.Writer, m []carpool.Aggregates) error {
			about := about
			about.Modified = s.carpool.Today(time.Now())
			return carpool.WriteJSON(out, m, about)
		})},
	} {
		f.Name, f.Every, f.Log = name, openDataEvery, s.log
		s.web.Handle("GET /passaggi/"+name, web.Public, f)
	}
	if s.outside == nil {
		return nil
	}
	return s.outside.Mount(s.web)
}

// writeGTFS writes the lifts of the next month.
func (s *server) writeGTFS(ctx context.Context, out io.Writer, about carpool.Publication) error {
	today := s.carpool.Today(time.Now())
	pub, err := s.carpool.Published(ctx, today, gtfs.Window+1)
	if err != nil {
		return err
	}
	return gtfs.Write(out, gtfs.Feed{
		Publisher: about.Publisher, URL: about.Base, Email: about.Email, Location: zone.Rome(), Today: today,
		Link:   func(carpool.OfferID) string { return about.Base },
		Places: pub.Places, Offers: pub.Offers, Rides: pub.Rides,
	})
}
