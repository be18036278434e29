package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/proxy"
	"github.com/crinale/crinale/edge/warm"
	"github.com/crinale/crinale/internal/zone"
)

// edgeLimit lets background reading have what the link can spare.
type edgeLimit struct{ s *edgeServer }

func (l edgeLimit) Allowance(context.Context) int64 { return l.s.watch.Stand().Background() }

// newWarm makes what goes through the warm lists of edge.yaml.
func (s *edgeServer) newWarm() error {
	c := warm.Default()
	c.Zone = zone.Rome()
	for _, v := range s.policy.Services {
		for _, p := range v.Warm {
			window, _ := edge.ParseWindow(p.Window) // checked with the file
			c.Lists = append(c.Lists, warm.List{Host: v.Host, URLs: p.URLs, Sitemap: p.Sitemap, Window: window, Budget: int64(p.BudgetMB * 1e6)})
		}
	}
	var err error
	s.warmer, err = warm.New(c, warm.Deps{Ask: unasked(s.proxy), Stand: s.watch.Stand, Log: s.log,
		Used: func(host string, since time.Time, most int) ([]string, error) {
			all, err := s.store.Used(host, since, most)
			for i := range all {
				all[i] = strings.TrimPrefix(all[i], host)
			}
			return all, err
		}})
	return err
}

// unasked answers requests for which nobody waits.
func unasked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(proxy.Unasked(r.Context())))
	})
}

// warmOrder says which service to warm; "" is all.
type warmOrder struct {
	Service string `json:"service"`
}

type warmed struct {
	Runs []warm.Report `json:"runs"`
}

// warmRoutes are what edge warm asks.
func (s *edgeServer) warmRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /edge/warm", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, warmed{s.warmer.Reports()}) })
	mux.HandleFunc("POST /edge/warm", func(w http.ResponseWriter, r *http.Request) {
		var o warmOrder
		if !readJSON(w, r, &o) {
			return
		}
		all, err := s.warmer.Now(r.Context(), o.Service)
		if err != nil {
			answerProblem(w, err)
			return
		}
		answerJSON(w, http.StatusOK, warmed{all})
	})
}

func edgeWarmCommand(data cli.Flag) *cli.Command {
	return &cli.Command{
		Name:  "warm",
		Usage: "fetch now what the warm lists of edge.yaml name",
		Description: "The edge does it by itself in the window of each list. What is stored is asked\n" +
			"for by its version, what was opened this week first, and no more than half of\n" +
			"the link is taken. It ends when the link is needed; interrupt it at any time.",
		Flags:  []cli.Flag{data, &cli.StringFlag{Name: "service", Usage: "`HOST` of one service; empty: all"}, jsonFlag()},
		Action: edgeWarm,
	}
}

func edgeWarm(c *cli.Context) error {
	cl, err := localClient(c.String("data"))
	if err != nil {
		return err
	}
	type answer struct {
		all warmed
		err error
	}
	done := make(chan answer, 1)
	go func() {
		var a answer
		a.err = cl.call(c.Context, "POST", "/edge/warm", warmOrder{c.String("service")}, &a.all)
		done <- a
	}()
	step, end := progress(c.App.ErrWriter, "warm")
	defer end()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case a := <-done:
			if a.err != nil {
				return a.err
			}
			end()
			return printWarmed(c, a.all)
		case <-tick.C:
			var now warmed
			if cl.call(c.Context, "GET", "/edge/warm", nil, &now) != nil {
				continue
			}
			for _, r := range now.Runs {
				if r.Ended.IsZero() {
					step(r.Asked, max(r.Planned, r.Asked))
				}
			}
		}
	}
}

func printWarmed(c *cli.Context, all warmed) error {
	if c.Bool("json") {
		return printJSON(c.App.Writer, all)
	}
	for _, r := range all.Runs {
		fmt.Fprintf(c.App.Writer, "%s: %d asked for of %d, %d were fresh, %d unchanged, %d stored, %d not kept; %s: %s.\n",
			r.Host, r.Asked, r.Planned, r.Fresh, r.Same, r.Stored, r.Refused, megabytes(r.Bytes), r.Why)
	}
	return nil
}
