package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/login"
	lifecycle "github.com/crinale/crinale/internal/run"
	"github.com/crinale/crinale/radio/sim"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "the whole of it on embedded defaults, with simulated radios",
		Description: "Plans the 38 comuni, simulates the radios, watches them, and serves pages and\n" +
			"MQTT on this machine only. When all is ready it prints the addresses and\n" +
			"writes them, with the passwords, to DIR/demo.json.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "data", Value: "crinale-demo", Usage: "`DIR` to keep state in; the same folder goes on where it ended"},
			&cli.StringFlag{Name: "http", Value: "127.0.0.1:8080", Usage: "`ADDR` of the pages, port 0 takes any free one"},
			&cli.StringFlag{Name: "mqtt", Value: "127.0.0.1:1883", Usage: "`ADDR` of MQTT, port 0 takes any free one"},
			&cli.StringFlag{Name: "edge", Value: "127.0.0.1:0", Usage: "`ADDR` of the first of two edges, port 0 takes any free one"},
			&cli.IntFlag{Name: "radios", Value: demo.Radios, Usage: "how many radios to simulate"},
			&cli.DurationFlag{Name: "for", DefaultText: "until interrupted", Usage: "end after this `DURATION`, such as 60s"},
			logFlag(),
		},
		Action: runDemo,
	}
}

// demoFile is DIR/demo.json, a contract.
type demoFile struct {
	HTTP     string        `json:"http"`
	MQTT     string        `json:"mqtt"`
	Edge     *string       `json:"edge"`
	Radios   int           `json:"radios"`
	Partners []demoLogin   `json:"partners"`
	Accounts []demoAccount `json:"accounts"`
	Edges    []demoEdge    `json:"edges"`
}

func runDemo(c *cli.Context) error {
	cfg, err := demoConfig(c)
	if err != nil {
		return err
	}
	ctx := c.Context
	k, release, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	defer release()
	cfg.Network = filepath.Join(cfg.Data, "network")
	n, err := demoNetwork(c, cfg.Network)
	if err != nil {
		return err
	}
	ready := filepath.Join(cfg.Data, "demo.json")
	old, err := forget(ready, &cfg)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	t, err := openTerrain(nil, "")
	if err != nil {
		return fmt.Errorf("demo heights: %w", err)
	}
	w, err := survey(n, t)
	if err != nil {
		return err
	}
	w.simulated, w.codes = true, c.App.Writer
	if w.ways, err = demoWays(); err != nil {
		return err
	}
	log := logger(c)
	sc := sim.Default()
	sc.StateDir, sc.Seed = filepath.Join(cfg.Data, "sim"), 1
	fleet, err := sim.New(sc, sim.Deps{Network: n, Level: w.level, Log: log})
	if err != nil {
		return err
	}
	s, err := wire(cfg, w, simBook(fleet.Devices), k, log)
	if err != nil {
		return err
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	logins, err := demoPartners(ctx, s, n, filepath.Join(cfg.Data, "demo-partners.json"))
	if err != nil {
		return err
	}
	accounts, err := demoAccounts(ctx, s, n, filepath.Join(cfg.Data, "demo-accounts.json"))
	if err != nil {
		return err
	}
	if err := demoPeople(ctx, s); err != nil {
		return fmt.Errorf("demo carpool: %w", err)
	}
	edges, err := newDemoEdges(ctx, s, c.String("edge"), old.Edges, log)
	if err != nil {
		return err
	}
	if d := c.Duration("for"); d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	stages := append([]lifecycle.Stage{{Name: "simulated fleet", Run: fleet.Run, Ready: fleet.Ready()}, weaken(fleet)}, append(s.stages(), edges.stages()...)...)
	var late error
	err = lifecycle.All(ctx, stages, func() {
		if late = edges.invite(); late != nil {
			return
		}
		f := demoFile{Edge: &edges.edges[0].Reader, Edges: edges.edges, HTTP: s.web.URL(), MQTT: s.mqttURL(), Radios: len(n.Radios()), Partners: append([]demoLogin{}, logins...), Accounts: accounts}
		late = writeFile(ready, ownerOnly, func(w io.Writer) error { return printJSON(w, f) })
		welcome(c.App.Writer, f, cfg.Data)
	})
	return errors.Join(err, late)
}

// forget removes the file of an earlier run, so that it tells nobody that this
// one is ready. Where any free port was asked for, the earlier one is taken
// again if it is still free: whoever was connected finds the demo again.
func forget(ready string, cfg *config) (old demoFile, err error) {
	if b, err := os.ReadFile(ready); err == nil && json.Unmarshal(b, &old) == nil {
		reuse(&cfg.HTTP.Listen, strings.TrimPrefix(old.HTTP, "http://"))
		reuse(&cfg.MQTT.Listen, strings.TrimPrefix(old.MQTT, "tcp://"))
	}
	if err := os.Remove(ready); err != nil && !errors.Is(err, os.ErrNotExist) {
		return old, err
	}
	return old, nil
}

func reuse(listen *string, old string) {
	host, port, err := net.SplitHostPort(*listen)
	oldHost, _, oldErr := net.SplitHostPort(old)
	if err != nil || oldErr != nil || port != "0" || host != oldHost {
		return
	}
	if l, err := net.Listen("tcp", old); err == nil && l.Close() == nil {
		*listen = old
	}
}

// demoConfig is the default configuration with the demo's flags.
func demoConfig(c *cli.Context) (config, error) {
	cfg, err := loadConfig("")
	if err != nil {
		return cfg, err
	}
	cfg.Data, cfg.HTTP.Listen, cfg.MQTT.Listen = c.String("data"), c.String("http"), c.String("mqtt")
	cfg.Poll.EveryS, cfg.Poll.TimeoutS = 3, 2.8
	if err := cfg.absolute(); err != nil {
		return cfg, err
	}
	if c.IsSet("for") && c.Duration("for") <= 0 {
		return cfg, usage("--for %s: write a time such as 60s", c.Duration("for"))
	}
	for name, addr := range map[string]string{"http": cfg.HTTP.Listen, "mqtt": cfg.MQTT.Listen, "edge": c.String("edge")} {
		host, err := listenHost(addr)
		if err != nil {
			return cfg, usage("--%s %v", name, err)
		}
		if !loopback(host) {
			return cfg, usage("--%s %s: the demo listens on this machine only, write 127.0.0.1:PORT", name, addr)
		}
	}
	return cfg, nil
}

// weaken takes level from one link of the first partner, so that an alert is
// always open.
func weaken(f *sim.Fleet) lifecycle.Stage {
	done := make(chan struct{})
	return lifecycle.Stage{Name: "weak link", Ready: done, Run: func(ctx context.Context) error {
		if _, err := f.Inject(sim.Fault{Link: demo.WeakLink, Kind: sim.Attenuate, DB: 14}); err != nil {
			return err
		}
		close(done)
		<-ctx.Done()
		return nil
	}}
}

func welcome(w io.Writer, f demoFile, data string) {
	fmt.Fprintf(w, "\nCrinale demo: %d simulated radios, invented network, real comuni and heights.\n\n", f.Radios)
	for _, p := range []struct{ path, what string }{
		{"/", "home"}, {"/rete", "map of the network, live"}, {"/rete/allarmi", "what is wrong and what to do"},
		{"/passaggi", "lifts: search, offer, the desk"},
		{"/copertura", "coverage of the 38 comuni"}, {"/stato", "what is down, for residents"},
	} {
		fmt.Fprintf(w, "  %-44s %s\n", f.HTTP+p.path, p.what)
	}
	for _, a := range f.Accounts {
		if a.Role == string(login.Technician) {
			fmt.Fprintf(w, "\nSign in as %s with the password %s; other accounts are in\n%s.\n", a.User, a.Password, filepath.Join(data, "demo.json"))
		}
	}
	if len(f.Partners) > 0 {
		p := f.Partners[0]
		host, port := hostPort(f.MQTT)
		fmt.Fprintf(w, "\nThe feed of the partner %s (password in %s):\n\n  mosquitto_sub -h %s -p %s -u %s -P PASSWORD \\\n    -v -t 'crinale/v1/partners/%s/#'\n",
			p.ID, filepath.Join(data, "demo.json"), host, port, p.User, p.ID)
	}
	if len(f.Edges) > 0 {
		e := f.Edges[0]
		fmt.Fprintf(w, "\nThe edge of %s, for employees:\n\n  %-44s documents, with the code %s\n  %-44s how it stands\n\nCut its link: crinale edge tell down --data %s\n",
			e.Name, e.Reader, e.Code, e.Status, e.Data)
	}
	fmt.Fprintf(w, "\nTry: crinale alerts --data %s      End it with Ctrl-C.\n\n", data)
}
