package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// partnerVerbs is the registry as pages and commands may use it. With an outer
// broker only that broker's keeper can change who may read.
type partnerVerbs struct {
	partners *controller.Partners
	embedded bool
}

func (v partnerVerbs) may() error {
	if v.embedded {
		return nil
	}
	return fault.New(fault.Refused, "partners are users of the outer broker named in mqtt.broker: change them there")
}

func (v partnerVerbs) List(ctx context.Context) ([]controller.PartnerAccess, error) {
	return v.partners.List(ctx)
}

func (v partnerVerbs) Add(ctx context.Context, id network.PartnerID) (controller.PartnerLogin, error) {
	if err := v.may(); err != nil {
		return controller.PartnerLogin{}, err
	}
	return v.partners.Add(ctx, id)
}

func (v partnerVerbs) Rotate(ctx context.Context, id network.PartnerID) (controller.PartnerLogin, error) {
	if err := v.may(); err != nil {
		return controller.PartnerLogin{}, err
	}
	return v.partners.Rotate(ctx, id)
}

func (v partnerVerbs) Revoke(ctx context.Context, id network.PartnerID) error {
	if err := v.may(); err != nil {
		return err
	}
	return v.partners.Revoke(ctx, id)
}

func partnerCommand() *cli.Command {
	flags := append(serverFlags(), jsonFlag())
	return &cli.Command{
		Name:  "partner",
		Usage: "who may read the MQTT feed",
		Description: "A change takes effect at once on the running server; nobody else is\n" +
			"disconnected. Passwords are shown once and kept nowhere.",
		Subcommands: []*cli.Command{
			{Name: "add", Usage: "let a partner in and print its password", ArgsUsage: "PARTNER", Flags: flags, Action: partnerAdd},
			{Name: "list", Usage: "list who may read", Flags: flags, Action: partnerList},
			{Name: "rotate", Usage: "give a partner a new password, the old one ends", ArgsUsage: "PARTNER", Flags: flags, Action: partnerRotate},
			{Name: "revoke", Usage: "take a partner's access away", ArgsUsage: "PARTNER", Flags: flags, Action: partnerRevoke},
		},
	}
}

func onePartner(c *cli.Context) (string, error) {
	if c.NArg() != 1 {
		return "", usage("crinale partner %s takes one partner, but %d words were given: a name is [a-z0-9-] without spaces", c.Command.Name, c.NArg())
	}
	return c.Args().First(), nil
}

func partnerAdd(c *cli.Context) error {
	id, err := onePartner(c)
	if err != nil {
		return err
	}
	return partnerLogin(c, "/api/v1/partners", map[string]string{"id": id})
}

func partnerRotate(c *cli.Context) error {
	id, err := onePartner(c)
	if err != nil {
		return err
	}
	return partnerLogin(c, "/api/v1/partners/"+url.PathEscape(id)+"/rotate", nil)
}

// partnerLogin asks for a new password and prints it.
func partnerLogin(c *cli.Context, path string, body any) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var l controller.PartnerLogin
	if err := cl.call(c.Context, http.MethodPost, path, body, &l); err != nil {
		return err
	}
	if l.Warning != "" {
		fmt.Fprintf(c.App.ErrWriter, "warning: %s\n", l.Warning)
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, l)
	}
	_, err = fmt.Fprintf(c.App.Writer, "user:     %s\npassword: %s\ntopics:   crinale/v1/partners/%s/#\n", l.User, l.Password, l.ID)
	fmt.Fprintln(c.App.ErrWriter, "This password is not shown again.")
	return err
}

func partnerRevoke(c *cli.Context) error {
	id, err := onePartner(c)
	if err != nil {
		return err
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	if err := cl.call(c.Context, http.MethodDelete, "/api/v1/partners/"+url.PathEscape(id), nil, nil); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, map[string]string{"revoked": id})
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s may no longer read the feed\n", id)
	return err
}

func partnerList(c *cli.Context) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	ps, err := every[controller.PartnerAccess](c.Context, cl, "/api/v1/partners", "partners")
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, ps)
	}
	rows := [][]string{{"PARTNER", "LINKS", "PASSWORD OF", "NAME"}}
	for _, p := range ps {
		rows = append(rows, []string{string(p.ID), strconv.Itoa(p.Links), p.Rotated.Format("2006-01-02"), clip(p.Name, 30)})
		if p.Warning != "" {
			fmt.Fprintf(c.App.ErrWriter, "warning: %s: %s\n", p.ID, p.Warning)
		}
	}
	return table(c.App.Writer, rows)
}
