package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

func tokenCommand(flags func(...cli.Flag) []cli.Flag) *cli.Command {
	return &cli.Command{
		Name:  "token",
		Usage: "keys for programs and for --server",
		Subcommands: []*cli.Command{
			{
				Name:        "add",
				Usage:       "make a token and print it, once",
				ArgsUsage:   "ACCOUNT",
				Description: "It can do what the account may, of the rights that are named, until it ends.",
				Flags: flags(
					&cli.StringFlag{Name: "name", Required: true, Usage: "what it is for, in some `WORDS`"},
					&cli.StringSliceFlag{Name: "right", Required: true, Usage: "`RIGHT` it has, more than once: " + rightNames()},
					&cli.IntFlag{Name: "days", Value: 90, Usage: "how many days it is good, 365 at most"},
				),
				Action: tokenAdd,
			},
			{Name: "list", Usage: "tokens of an account", ArgsUsage: "ACCOUNT", Flags: flags(), Action: tokenList},
			{Name: "revoke", Usage: "end a token at once", ArgsUsage: "ACCOUNT TOKEN", Flags: flags(), Action: tokenRevoke},
		},
	}
}

func rightNames() string {
	var ns []string
	for _, r := range login.AllRights() {
		ns = append(ns, string(r))
	}
	return strings.Join(ns, ", ")
}

func tokenAdd(c *cli.Context) error {
	w, err := words(c, 1)
	if err != nil {
		return err
	}
	ask := web.TokenAsked{Person: w[0], Name: c.String("name"), Days: c.Int("days")}
	for _, r := range c.StringSlice("right") {
		if !slices.Contains(login.AllRights(), login.Right(r)) {
			return usage("--right %s: there is no such right%s; there are %s", r, didYouMean(r, strings.Split(rightNames(), ", ")), rightNames())
		}
		ask.Rights = append(ask.Rights, login.Right(r))
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var t login.NewToken
	if err := cl.call(c.Context, http.MethodPost, "/api/v1/tokens", ask, &t); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, t)
	}
	_, err = fmt.Fprintln(c.App.Writer, t.Secret)
	fmt.Fprintf(c.App.ErrWriter, "This token is not shown again. It is good until %s.\n", t.Until.Local().Format("2006-01-02"))
	return err
}

func tokenList(c *cli.Context) error {
	w, err := words(c, 1)
	if err != nil {
		return err
	}
	return listing(c, "/api/v1/tokens?person="+url.QueryEscape(w[0]), "tokens", "", sayTokens)
}

func sayTokens(w io.Writer, ts []login.Token) error {
	rows := [][]string{{"TOKEN", "FOR", "UNTIL", "USED", "RIGHTS"}}
	for _, t := range ts {
		used := "never"
		if t.Used != nil {
			used = t.Used.Local().Format("2006-01-02")
		}
		var rights []string
		for _, r := range t.Rights {
			rights = append(rights, string(r))
		}
		rows = append(rows, []string{t.ID, clip(t.Name, 20), t.Until.Local().Format("2006-01-02"), used, strings.Join(rights, ", ")})
	}
	return table(w, rows)
}

func tokenRevoke(c *cli.Context) error {
	w, err := words(c, 2)
	if err != nil {
		return err
	}
	return personCall(c, http.MethodDelete, "/api/v1/tokens/"+url.PathEscape(w[1])+"?person="+url.QueryEscape(w[0]), nil, w[0], "has no token "+w[1]+" any more")
}
