package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

func peopleCommand() *cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag { return append(append(more, jsonFlag()), serverFlags()...) }
	act := func(name, usage, method, path string, done string) *cli.Command {
		return &cli.Command{Name: name, Usage: usage, ArgsUsage: "ACCOUNT", Flags: flags(), Action: personAct(method, path, done)}
	}
	return &cli.Command{
		Name:  "people",
		Usage: "accounts: who may sign in, and what they may do",
		Description: "A role is written ROLE, or ROLE@SCOPE where it does not hold for the whole\n" +
			"union: technician, viewer@comune:004132, partner@partner:langanet. What each role\n" +
			"may do stands in docs/reference/roles.md.",
		Subcommands: []*cli.Command{
			{
				Name:      "invite",
				Usage:     "make an account, and a code to choose its password with",
				ArgsUsage: "ACCOUNT",
				Description: "The code is shown once and is good for seven days. For an account that exists,\n" +
					"without --role: a new code, for somebody who forgot the password.",
				Flags:  flags(&cli.StringSliceFlag{Name: "role", Usage: "`ROLE` or ROLE@SCOPE, more than once: " + roleNames()}),
				Action: peopleInvite,
			},
			{Name: "list", Usage: "all accounts", Flags: flags(), Action: peopleList},
			{
				Name: "grant", Usage: "give an account a further role", ArgsUsage: "ACCOUNT ROLE[@SCOPE]",
				Flags: flags(), Action: peopleGrant,
			},
			{
				Name: "withdraw", Usage: "take a role from an account", ArgsUsage: "ACCOUNT ROLE[@SCOPE]",
				Flags: flags(), Action: peopleWithdraw,
			},
			act("lock", "shut an account out at once: sign-in, sessions and tokens", http.MethodPost, "/lock", "is locked"),
			act("unlock", "let a locked account in again", http.MethodPost, "/unlock", "may sign in again"),
			act("sign-out", "end all sessions of an account", http.MethodDelete, "/sessions", "is signed out everywhere"),
			act("drop-second-factor", "for somebody whose phone is lost", http.MethodDelete, "/second-factor", "signs in with the password alone"),
			act("remove", "take an account away with all that belongs to it", http.MethodDelete, "", "is gone"),
			tokenCommand(flags),
		},
	}
}

func roleNames() string {
	var ns []string
	for _, r := range login.Roles() {
		ns = append(ns, string(r))
	}
	return strings.Join(ns, ", ")
}

// words are the arguments of a verb, as many as it takes.
func words(c *cli.Context, n int) ([]string, error) {
	if c.NArg() != n {
		return nil, usage("crinale people %s takes %s, but %d words were given", c.Command.Name, c.Command.ArgsUsage, c.NArg())
	}
	return c.Args().Slice(), nil
}

func personPath(name string) string { return "/api/v1/people/" + url.PathEscape(name) }

func peopleInvite(c *cli.Context) error {
	w, err := words(c, 1)
	if err != nil {
		return err
	}
	var grants []login.Grant
	for _, s := range c.StringSlice("role") {
		g, err := login.ParseGrant(s)
		if err != nil {
			return usage("--role %s: %v", s, err)
		}
		grants = append(grants, g)
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var inv login.Invitation
	if len(grants) > 0 {
		err = cl.call(c.Context, http.MethodPost, "/api/v1/people", web.InviteAsked{Name: w[0], Grants: grants}, &inv)
	} else {
		err = cl.call(c.Context, http.MethodPost, personPath(w[0])+"/invite", nil, &inv)
		if fault.Of(err) == fault.NotFound {
			return fault.New(fault.NotFound, "there is no account %s: for a new one say what it is to be, with --role", w[0])
		}
	}
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, inv)
	}
	_, err = fmt.Fprintf(c.App.Writer, "account: %s\ncode:    %s\npage:    %s\nuntil:   %s\n", inv.Person, inv.Code, web.InvitePath, inv.Until.Local().Format("2006-01-02 15:04"))
	fmt.Fprintln(c.App.ErrWriter, "Give the code to that person and nobody else: whoever types it into the page\nchooses the password. It is not shown again.")
	return err
}

func peopleList(c *cli.Context) error {
	return listing(c, "/api/v1/people", "people", "No account yet. The first: crinale people invite NAME --role admin", sayPeople)
}

func sayPeople(w io.Writer, ps []login.Person) error {
	rows := [][]string{{"ACCOUNT", "STATE", "2ND FACTOR", "SIGNED IN", "ROLES"}}
	for _, p := range ps {
		state := "active"
		switch {
		case p.Locked:
			state = "LOCKED"
		case p.InvitedUntil != nil && p.InvitedUntil.After(time.Now()):
			state = "invited"
		case !p.Active:
			state = "no password"
		}
		second, seen := "no", "never"
		if p.SecondFactor {
			second = "yes"
		}
		if p.SignedIn != nil {
			seen = p.SignedIn.Local().Format("2006-01-02 15:04")
		}
		var roles []string
		for _, g := range p.Grants {
			roles = append(roles, strings.TrimSuffix(g.String(), "@union"))
		}
		rows = append(rows, []string{p.Name, state, second, seen, strings.Join(roles, ", ")})
	}
	return table(w, rows)
}

func oneGrant(c *cli.Context) (name string, g login.Grant, err error) {
	w, err := words(c, 2)
	if err != nil {
		return "", g, err
	}
	if g, err = login.ParseGrant(w[1]); err != nil {
		return "", g, usage("%s: %v", w[1], err)
	}
	return w[0], g, nil
}

func peopleGrant(c *cli.Context) error {
	name, g, err := oneGrant(c)
	if err != nil {
		return err
	}
	return personCall(c, http.MethodPost, personPath(name)+"/grants", g, name, "is now "+g.String()+" too")
}

func peopleWithdraw(c *cli.Context) error {
	name, g, err := oneGrant(c)
	if err != nil {
		return err
	}
	return personCall(c, http.MethodDelete, personPath(name)+"/grants?"+url.Values{"grant": {g.String()}}.Encode(), nil, name, "is no longer "+g.String())
}

func personAct(method, path, done string) cli.ActionFunc {
	return func(c *cli.Context) error {
		w, err := words(c, 1)
		if err != nil {
			return err
		}
		return personCall(c, method, personPath(w[0])+path, nil, w[0], done)
	}
}

// personCall does one thing to an account and says so.
func personCall(c *cli.Context, method, path string, body any, name, done string) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	if err := cl.call(c.Context, method, path, body, nil); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, map[string]string{"account": name, "done": done})
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s %s\n", name, done)
	return err
}
