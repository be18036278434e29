package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/migrate"
	"github.com/crinale/crinale/internal/fault"
)

func edgeMigrateCommand() *cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag {
		all := append(placeFlags("from", "where the documents are"), placeFlags("to", "where they go")...)
		return append(append(all, more...), jsonFlag())
	}
	journal := &cli.StringFlag{Name: "journal", Usage: "`FOLDER` of the migration: what was carried, so that it can be stopped and gone on with", Value: "./crinale-migration"}
	return &cli.Command{
		Name:        "migrate",
		Usage:       "carry a comune's documents to the cloud, and prove that all arrived",
		Description: placeHelp,
		Subcommands: []*cli.Command{
			{
				Name:   "plan",
				Usage:  "what there is, what the target would refuse, and the names that it would get",
				Flags:  flags(),
				Action: migratePlan,
			},
			{
				Name:  "run",
				Usage: "carry what is new or changed; stop it and run it again as often as needed",
				Description: "Nothing is removed at either end, and what somebody else wrote at the target\n" +
					"is not overwritten. Run it once more on the day of the switch.",
				Flags:  flags(journal),
				Action: migrateRun,
			},
			{
				Name:   "verify",
				Usage:  "read every carried document back, and write the report that both sides sign",
				Flags:  flags(journal, &cli.StringFlag{Name: "report", Usage: "write the report to this `FILE`"}),
				Action: migrateVerify,
			},
		},
	}
}

// twoEnds are the two ends of a migration.
func twoEnds(c *cli.Context) (edge.Source, edge.Target, error) {
	if c.NArg() > 0 {
		return nil, nil, usage("%q is one word too many: name the places with --from and --to", c.Args().First())
	}
	from, err := documentPlace(c, "from", everyone("migration"))
	if err != nil {
		return nil, nil, err
	}
	there, err := documentPlace(c, "to", nil)
	if err != nil {
		return nil, nil, err
	}
	to, ok := there.(edge.Target)
	if !ok {
		return nil, nil, usage("--to %s is a folder: documents are carried to https:// (WebDAV) or s3://; a folder is copied with the tools of the system", c.String("to"))
	}
	return from, to, nil
}

// migrationPlan is the answer of edge migrate plan --json.
type migrationPlan struct {
	Documents int             `json:"documents"`
	Bytes     int64           `json:"bytes"`
	Renamed   []migrationName `json:"renamed"`
	Refused   []migrationName `json:"refused"`
	Twins     [][]string      `json:"twins"`
}

type migrationName struct {
	Path string `json:"path"`
	To   string `json:"to,omitempty"`
	Why  string `json:"why"`
}

func migratePlan(c *cli.Context) error {
	from, to, err := twoEnds(c)
	if err != nil {
		return err
	}
	inv, err := migrate.Plan(c.Context, from, to.Names())
	if err != nil {
		return err
	}
	p := migrationPlan{Documents: inv.Documents, Bytes: inv.Bytes, Renamed: []migrationName{}, Refused: []migrationName{}, Twins: inv.Twins}
	if p.Twins == nil {
		p.Twins = [][]string{}
	}
	for _, m := range inv.Moves {
		if m.Why != "" {
			p.Renamed = append(p.Renamed, migrationName{m.Document.Path, m.To, m.Why})
		}
	}
	for _, m := range inv.Refused {
		p.Refused = append(p.Refused, migrationName{Path: m.Document.Path, Why: m.Why})
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, p)
	}
	w := c.App.Writer
	fmt.Fprintf(w, "%d documents, %s; %d get another name, %d cannot be carried, %d groups of twins.\n", p.Documents, megabytes(p.Bytes), len(p.Renamed), len(p.Refused), len(p.Twins))
	for _, m := range p.Renamed {
		fmt.Fprintf(w, "  renamed   %q\n            %q: %s\n", m.Path, m.To, m.Why)
	}
	for _, m := range p.Refused {
		fmt.Fprintf(w, "  refused   %q: %s\n", m.Path, m.Why)
	}
	return nil
}

// migration is the one of --journal, held until release is called.
func migration(c *cli.Context) (m *migrate.Migration, release func(), err error) {
	from, to, err := twoEnds(c)
	if err != nil {
		return nil, nil, err
	}
	cfg := migrate.Default()
	cfg.Dir = c.String("journal")
	if m, err = migrate.New(cfg, migrate.Deps{Source: from, Target: to}); err != nil {
		return nil, nil, err
	}
	release, err = lockData(c.String("journal"))
	return m, release, err
}

// migrationRun is the answer of edge migrate run --json.
type migrationRun struct {
	Copied  int             `json:"copied"`
	Already int             `json:"already"`
	Bytes   int64           `json:"bytes"`
	Failed  []migrationName `json:"failed"`
	Gone    []string        `json:"gone"`
}

func migrateRun(c *cli.Context) error {
	m, release, err := migration(c)
	if err != nil {
		return err
	}
	defer release()
	step, end := progress(c.App.ErrWriter, "documents")
	out, err := m.Run(edge.WithProgress(c.Context, step))
	end()
	if err != nil {
		return err
	}
	r := migrationRun{Copied: out.Copied, Already: out.Already, Bytes: out.Bytes, Failed: []migrationName{}, Gone: out.Gone}
	if r.Gone == nil {
		r.Gone = []string{}
	}
	for _, f := range out.Failed {
		r.Failed = append(r.Failed, migrationName{f.Document.Path, f.To, f.Why})
	}
	if c.Bool("json") {
		err = printJSON(c.App.Writer, r)
	} else {
		w := c.App.Writer
		fmt.Fprintf(w, "%d documents carried (%s), %d were there already, %d could not be carried.\n", r.Copied, megabytes(r.Bytes), r.Already, len(r.Failed))
		for _, f := range r.Failed {
			fmt.Fprintf(w, "  failed  %q: %s\n", f.Path, f.Why)
		}
		for _, g := range r.Gone {
			fmt.Fprintf(w, "  gone    %q was carried, and is no longer at the source: decide whether it stays\n", g)
		}
	}
	if err == nil && len(r.Failed) > 0 {
		err = fault.New(fault.Refused, "%d documents could not be carried: see above, and run it again", len(r.Failed))
	}
	return err
}

func migrateVerify(c *cli.Context) error {
	m, release, err := migration(c)
	if err != nil {
		return err
	}
	defer release()
	step, end := progress(c.App.ErrWriter, "documents")
	rep, err := m.Verify(edge.WithProgress(c.Context, step))
	end()
	if err != nil {
		return err
	}
	if file := c.String("report"); file != "" {
		if err := writeFile(file, ownerOnly, func(w io.Writer) error { return printJSON(w, rep) }); err != nil {
			return fault.New(fault.Refused, "report: %w", err)
		}
	}
	wrong := 0
	for _, l := range rep.Documents {
		if l.Wrong != "" {
			wrong++
		}
	}
	if c.Bool("json") {
		err = printJSON(c.App.Writer, rep)
	} else {
		fmt.Fprintf(c.App.Writer, "%d documents read back, %s: %d are not as they were.\n", len(rep.Documents), megabytes(rep.Bytes), wrong)
		for _, l := range rep.Documents {
			if l.Wrong != "" {
				fmt.Fprintf(c.App.Writer, "  wrong  %q: %s\n", l.Path, l.Wrong)
			}
		}
	}
	if err == nil && !rep.Right {
		err = fault.New(fault.Refused, "the target does not give back what was carried: %d of %d documents", wrong, len(rep.Documents))
	}
	return err
}
