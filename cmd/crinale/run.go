package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	lifecycle "github.com/crinale/crinale/internal/run"
	"github.com/crinale/crinale/radio"
	"github.com/crinale/crinale/radio/sim"
)

// logger writes to stderr: warnings and errors, or everything with
// CRINALE_LOG=debug.
func logger(c *cli.Context) *slog.Logger { return logTo(c.App.ErrWriter, c.String("log")) }

func logTo(w io.Writer, level string) *slog.Logger {
	l := slog.LevelWarn
	_ = l.UnmarshalText([]byte(level))
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}

func logFlag() cli.Flag {
	return &cli.StringFlag{Name: "log", Value: "warn", EnvVars: []string{"CRINALE_LOG"}, Usage: "what to log: debug, info, warn or error"}
}

// networkFor is the network in a folder, or the demo network of --radios.
func networkFor(c *cli.Context, dir string) (*network.Network, error) {
	if !c.IsSet("radios") {
		return loadNetwork(dir)
	}
	if dir != "" {
		return nil, usage("--radios is for the demo network, and another network is named: %s", dir)
	}
	n := c.Int("radios")
	if n < demo.MinRadios || n > demo.MaxRadios {
		return nil, usage("--radios %d is out of range, write %d to %d", n, demo.MinRadios, demo.MaxRadios)
	}
	return demo.NetworkOf(n)
}

func radiosFlag() cli.Flag {
	return &cli.IntFlag{Name: "radios", DefaultText: "the network files", Usage: "the demo network with `N` radios instead"}
}

func runCommand() *cli.Command {
	return &cli.Command{
		Name:  "run",
		Usage: "watch the network until interrupted",
		Flags: []cli.Flag{
			configFlag(),
			&cli.StringFlag{Name: "sim", Usage: "read the simulated fleet of this sim.json `FILE` instead of real devices"},
			radiosFlag(),
			logFlag(),
		},
		Action: runServer,
	}
}

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "wire everything, start nothing",
		Description: "Reads the configuration, the network files and the heights, and plugs the\n" +
			"parts together as run would, without listening or writing anything.",
		Flags:  []cli.Flag{configFlag(), &cli.StringFlag{Name: "sim", Usage: "sim.json `FILE` as for run"}},
		Action: checkServer,
	}
}

// prepare reads what a server runs on.
func prepare(c *cli.Context) (config, world, radio.Book, error) {
	cfg, err := loadConfig(c.String("config"))
	if err != nil {
		return cfg, world{}, nil, err
	}
	if f := c.String("sim"); f != "" {
		cfg.Radio.SimFile = f
	}
	if cfg.Network == "" && cfg.Radio.SimFile == "" {
		return cfg, world{}, nil, fault.New(fault.Invalid, "no network is named: write network: FOLDER into the configuration and name that with --config, or try crinale demo")
	}
	n, err := networkFor(c, cfg.Network)
	if err != nil {
		return cfg, world{}, nil, err
	}
	t, err := openTerrain(cfg.Terrain, cfg.TerrainSurface)
	if err != nil {
		return cfg, world{}, nil, err
	}
	w, err := survey(n, t)
	if err != nil {
		return cfg, world{}, nil, err
	}
	if w.ways, err = openWays(cfg); err != nil {
		return cfg, world{}, nil, err
	}
	book, err := bookFor(cfg, n)
	return cfg, w, book, err
}

func bookFor(cfg config, n *network.Network) (radio.Book, error) {
	if cfg.Radio.SimFile != "" {
		f, err := readSimFile(cfg.Radio.SimFile)
		if err != nil {
			return nil, err
		}
		return simBook(func() []sim.Endpoint { return f.Devices }), nil
	}
	cred, err := loadCredentials(cfg.Radio.CredentialsFile, n)
	if err != nil {
		return nil, err
	}
	if err := cred.cover(n); err != nil {
		return nil, err
	}
	return networkBook(n, cred, cfg.Radio.CAFile != ""), nil
}

func checkServer(c *cli.Context) error {
	cfg, w, book, err := prepare(c)
	if err != nil {
		return err
	}
	s, err := wire(cfg, w, book, nil, logTo(c.App.ErrWriter, "warn"))
	if err != nil {
		return err
	}
	for _, l := range w.network.Links {
		if p := w.planned[l.ID]; p.Err != nil {
			fmt.Fprintf(c.App.ErrWriter, "warning: link %s has no planned level: %v\n", l.ID, p.Err)
		}
	}
	_, err = fmt.Fprintf(c.App.Writer, "would start: %d devices, %d links, pages on %s, MQTT on %s, data in %s\nmessages: %s\n",
		len(w.network.Devices), len(w.network.Links), cfg.HTTP.Listen, cfg.MQTT.Listen, cfg.Data, s.senders())
	return err
}

func runServer(c *cli.Context) error {
	cfg, w, book, err := prepare(c)
	if err != nil {
		return err
	}
	w.simulated = cfg.Radio.SimFile != ""
	k, release, err := open(c.Context, cfg)
	if err != nil {
		return err
	}
	defer release()
	s, err := wire(cfg, w, book, k, logger(c))
	if err != nil {
		return err
	}
	if err := s.open(c.Context); err != nil {
		return err
	}
	return lifecycle.All(c.Context, s.stages(), func() {
		fmt.Fprintf(c.App.ErrWriter, "pages    %s\nMQTT     %s\ndata     %s\n", s.web.URL(), s.mqttURL(), cfg.Data)
		if ps, err := s.people.List(c.Context); err == nil && len(ps) == 0 {
			fmt.Fprintf(c.App.ErrWriter, "Nobody can sign in yet. Make the first account on this machine:\n  crinale people invite NAME --role admin --data %s\n", cfg.Data)
		}
	})
}
