package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/edge/people"
	"github.com/crinale/crinale/internal/fault"
)

// invitation is what is told of somebody who was invited.
type invitation struct {
	Person people.Person `json:"person"`
	Code   string        `json:"code"`
	Where  string        `json:"where"` // host of the reader
}

// edgeGroups are the groups that somebody gets.
type edgeGroups struct {
	Name   string   `json:"name,omitempty"`
	Groups []string `json:"groups"`
}

// peopleRoutes are what the verbs of edge people ask.
func (s *edgeServer) peopleRoutes(mux *http.ServeMux) {
	handle := func(pattern string, do func(*http.Request, *edgeGroups) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if s.people == nil {
				answerProblem(w, fault.New(fault.NotFound, "this edge has no reader, or its list of people cannot be read: see edge.yaml and the log"))
				return
			}
			var in edgeGroups
			if r.Method == http.MethodPost && r.ContentLength != 0 && !readJSON(w, r, &in) {
				return
			}
			out, err := do(r, &in)
			switch {
			case err != nil:
				answerProblem(w, err)
			case out == nil:
				w.WriteHeader(http.StatusNoContent)
			default:
				answerJSON(w, http.StatusOK, out)
			}
		})
	}
	by := ownerName()
	handle("GET /edge/people", func(*http.Request, *edgeGroups) (any, error) {
		return map[string]any{"people": s.people.People(), "events": s.people.Events()}, nil
	})
	handle("POST /edge/people", func(_ *http.Request, in *edgeGroups) (any, error) {
		p, code, err := s.people.Invite(in.Name, in.Groups, by)
		return invitation{p, code, s.policy.Reader.Host}, err
	})
	handle("POST /edge/people/{id}/code", func(r *http.Request, _ *edgeGroups) (any, error) {
		code, err := s.people.Again(r.PathValue("id"), by)
		p, _ := s.people.Person(r.PathValue("id"))
		return invitation{p, code, s.policy.Reader.Host}, err
	})
	handle("POST /edge/people/{id}/groups", func(r *http.Request, in *edgeGroups) (any, error) {
		return nil, s.people.SetGroups(r.PathValue("id"), in.Groups, by)
	})
	handle("POST /edge/people/{id}/forget", func(r *http.Request, _ *edgeGroups) (any, error) {
		return nil, s.people.Forget(r.PathValue("id"), by)
	})
	handle("POST /edge/people/{id}/remove", func(r *http.Request, _ *edgeGroups) (any, error) {
		return nil, s.people.Remove(r.PathValue("id"), by)
	})
}

func edgePeopleCommand(data cli.Flag) *cli.Command {
	groups := &cli.StringFlag{Name: "groups", Usage: "`NAMES` of their groups, with commas between, as edge.yaml has them"}
	one := func(name, usage string, action cli.ActionFunc, more ...cli.Flag) *cli.Command {
		return &cli.Command{Name: name, Usage: usage, ArgsUsage: "ID", Flags: append([]cli.Flag{data}, more...), Action: action}
	}
	return &cli.Command{
		Name:  "people",
		Usage: "employees who may read documents at this edge, also without a link",
		Subcommands: []*cli.Command{
			{
				Name:  "invite",
				Usage: "add somebody, and print the code that they type once",
				Description: "The code is good once, for a week, on the computer where they type it. There\n" +
					"they choose a PIN; from then on that computer and the PIN open the documents.",
				Flags:  []cli.Flag{data, &cli.StringFlag{Name: "name", Usage: "`NAME` and surname", Required: true}, groups, jsonFlag()},
				Action: employeeInvite,
			},
			{Name: "list", Usage: "who is invited, with groups and devices", Flags: []cli.Flag{data, jsonFlag()}, Action: employeeList},
			one("code", "another code, for a new computer or a forgotten PIN", employeeCode, jsonFlag()),
			one("groups", "set the groups of somebody; they hold at once", func(c *cli.Context) error {
				return employeeCall(c, "groups", edgeGroups{Groups: commas(c.String("groups"))}, nil)
			}, groups),
			one("forget", "forget all devices of somebody, such as a stolen computer's", func(c *cli.Context) error { return employeeCall(c, "forget", nil, nil) }),
			one("remove", "take somebody out, at once", func(c *cli.Context) error { return employeeCall(c, "remove", nil, nil) }),
		},
	}
}

func commas(text string) []string {
	out := []string{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// employeeCall asks about the person that the first argument names.
func employeeCall(c *cli.Context, verb string, in, into any) error {
	if c.NArg() != 1 {
		return usage("give the id of one person (crinale edge people list)")
	}
	return edgeCall(c, "POST", "/edge/people/"+url.PathEscape(c.Args().First())+"/"+verb, in, into)
}

// edgeCall asks the edge that runs on this machine.
func edgeCall(c *cli.Context, method, path string, in, into any) error {
	cl, err := localClient(c.String("data"))
	if err != nil {
		return err
	}
	return cl.call(context.WithoutCancel(c.Context), method, path, in, into)
}

func employeeInvite(c *cli.Context) error {
	var i invitation
	if err := edgeCall(c, "POST", "/edge/people", edgeGroups{c.String("name"), commas(c.String("groups"))}, &i); err != nil {
		return err
	}
	return printCode(c, i)
}

func employeeCode(c *cli.Context) error {
	var i invitation
	if err := employeeCall(c, "code", nil, &i); err != nil {
		return err
	}
	return printCode(c, i)
}

func printCode(c *cli.Context, i invitation) error {
	if c.Bool("json") {
		return printJSON(c.App.Writer, i)
	}
	w := c.App.Writer
	fmt.Fprintf(w, "%s (%s), groups: %s\n", i.Person.Name, i.Person.ID, strings.Join(i.Person.Groups, ", "))
	fmt.Fprintf(w, "  code   %s   good once, until %s\n", i.Code, i.Person.CodeUntil.Local().Format(dayAndHour))
	fmt.Fprintf(w, "  where  %s, on their own computer\n", i.Where)
	return nil
}

func employeeList(c *cli.Context) error {
	var all struct {
		People []people.Person `json:"people"`
		Events []people.Event  `json:"events"`
	}
	if err := edgeCall(c, "GET", "/edge/people", nil, &all); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, all)
	}
	if len(all.People) == 0 {
		fmt.Fprintln(c.App.Writer, "Nobody is invited yet: crinale edge people invite --name NAME --groups GROUPS")
		return nil
	}
	rows := [][]string{{"ID", "NAME", "GROUPS", "DEVICES", "LAST"}}
	for _, p := range all.People {
		last := time.Time{}
		for _, d := range p.Devices {
			if d.Last.After(last) {
				last = d.Last
			}
		}
		seen := "never"
		if !last.IsZero() {
			seen = last.Local().Format(dayAndHour)
		}
		rows = append(rows, []string{p.ID, clip(p.Name, 24), clip(strings.Join(p.Groups, ","), 20), fmt.Sprint(len(p.Devices)), seen})
	}
	return table(c.App.Writer, rows)
}
