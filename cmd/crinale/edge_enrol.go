package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/fault"
)

// edgeEnrolCommand and edgeOrderCommand are asked of the controller, not of the
// edge.
func edgeEnrolCommand() *cli.Command {
	flags := append(serverFlags(), jsonFlag())
	return &cli.Command{
		Name:  "enrol",
		Usage: "which edges the controller speaks to",
		Description: "At the controller. An edge that is enrolled hears over MQTT how its link is\n" +
			"and what it is to forget; edge.yaml names the broker under controller.",
		Subcommands: []*cli.Command{
			{
				Name:        "add",
				Usage:       "let an edge in and print its password",
				ArgsUsage:   "EDGE",
				Description: "The password is shown once and kept nowhere.",
				Flags: append([]cli.Flag{
					&cli.StringFlag{Name: "device", Required: true, Usage: "`DEVICE` of the network files behind which the edge stands"},
					&cli.StringFlag{Name: "out", Usage: "write the password into a new `FILE` that its owner alone can read, and do not print it"},
				}, flags...),
				Action: edgeEnrol,
			},
			{Name: "list", Usage: "list the edges that are enrolled", Flags: flags, Action: edgeEnrolled},
			{Name: "remove", Usage: "take an edge's access away", ArgsUsage: "EDGE", Flags: flags, Action: edgeUnenrol},
		},
	}
}

func edgeOrderCommand() *cli.Command {
	return &cli.Command{
		Name:  "order",
		Usage: "have edges forget what they saved",
		Description: "At the controller. An order waits for an edge that is away, and is carried out\n" +
			"before that edge gives anything it saved.",
		Subcommands: []*cli.Command{{
			Name:        "purge",
			Usage:       "forget saved answers by their address, its beginning, a tag, or all",
			Description: "Give exactly one of --url, --prefix, --tag and --all.",
			Flags: append([]cli.Flag{
				&cli.StringFlag{Name: "url", Usage: "`URL` as browsers ask for it, such as https://docs.example/albo/1"},
				&cli.StringFlag{Name: "prefix", Usage: "`URL` by which the addresses begin"},
				&cli.StringFlag{Name: "tag", Usage: "`TAG` of Surrogate-Key, Cache-Tag or Xkey, of all services"},
				&cli.BoolFlag{Name: "all", Usage: "everything that is saved"},
				&cli.StringFlag{Name: "edge", Usage: "`EDGE` that is to do it"},
				&cli.StringFlag{Name: "edges", Usage: "`all`: every edge that is enrolled, as when --edge is not given"},
				jsonFlag(),
			}, serverFlags()...),
			Action: edgeOrderPurge,
		}},
	}
}

func oneEdge(c *cli.Context) (string, error) {
	if c.NArg() != 1 {
		return "", usage("crinale edge enrol %s takes one edge, but %d words were given", c.Command.Name, c.NArg())
	}
	return c.Args().First(), nil
}

func edgeEnrol(c *cli.Context) error {
	id, err := oneEdge(c)
	if err != nil {
		return err
	}
	out := c.String("out")
	if out != "" {
		if _, err := os.Lstat(out); err == nil {
			return fault.New(fault.Conflict, "--out %s: it is there already; name a new file", out)
		}
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var l controller.EdgeLogin
	if err := cl.call(c.Context, http.MethodPost, "/api/v1/edges", map[string]string{"id": id, "device": c.String("device")}, &l); err != nil {
		return err
	}
	if l.Warning != "" {
		fmt.Fprintf(c.App.ErrWriter, "warning: %s\n", l.Warning)
	}
	if out != "" && l.Password != "" {
		err := writeFile(out, ownerOnly, func(w io.Writer) error { _, err := fmt.Fprintln(w, l.Password); return err })
		if err != nil {
			return fmt.Errorf("edge %s is enrolled, but its password is lost: remove it and enrol it again: %w", id, err)
		}
		l.Password = ""
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, l)
	}
	fmt.Fprintf(c.App.Writer, "user:     %s\n", l.User)
	switch {
	case out != "" && l.Warning == "":
		_, err = fmt.Fprintf(c.App.Writer, "password: in %s\n", out)
	case l.Password != "":
		_, err = fmt.Fprintf(c.App.Writer, "password: %s\n", l.Password)
		fmt.Fprintln(c.App.ErrWriter, "This password is not shown again.")
	}
	return err
}

func edgeUnenrol(c *cli.Context) error {
	id, err := oneEdge(c)
	if err != nil {
		return err
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	if err := cl.call(c.Context, http.MethodDelete, "/api/v1/edges/"+url.PathEscape(id), nil, nil); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, map[string]string{"removed": id})
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s hears nothing more\n", id)
	return err
}

func edgeEnrolled(c *cli.Context) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	all, err := every[controller.EdgeAccess](c.Context, cl, "/api/v1/edges", "edges")
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, all)
	}
	rows := [][]string{{"EDGE", "DEVICE", "SINCE", "ORDERS"}}
	for _, e := range all {
		rows = append(rows, []string{string(e.ID), string(e.Device), e.Added.Format("2006-01-02"), strconv.FormatInt(e.Orders, 10)})
		if e.Warning != "" {
			fmt.Fprintf(c.App.ErrWriter, "warning: %s: %s\n", e.ID, e.Warning)
		}
	}
	return table(c.App.Writer, rows)
}

func edgeOrderPurge(c *cli.Context) error {
	ask := map[string]string{"edge": c.String("edge")}
	if to := c.String("edges"); to != "" && (to != "all" || ask["edge"] != "") {
		return usage("write --edge NAME for one edge, or --edges all")
	}
	given := 0
	for _, kind := range []string{"url", "prefix", "tag"} {
		if what := c.String(kind); what != "" {
			ask["kind"], ask["what"] = kind, what
			given++
		}
	}
	if c.Bool("all") {
		ask["kind"] = "all"
		given++
	}
	if given != 1 {
		return usage("give one of --url, --prefix, --tag and --all")
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var out struct {
		Orders []controller.EdgeOrdered `json:"orders"`
	}
	if err := cl.call(c.Context, http.MethodPost, "/api/v1/edge-orders", ask, &out); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, out)
	}
	if len(out.Orders) == 0 {
		fmt.Fprintln(c.App.ErrWriter, "No edge is enrolled, so none was told.")
	}
	for _, o := range out.Orders {
		fmt.Fprintf(c.App.Writer, "%s: order %d\n", o.Edge, o.Seq)
	}
	return nil
}
