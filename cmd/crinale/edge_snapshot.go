package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/mirror"
	"github.com/crinale/crinale/internal/fault"
)

// snapshotCommands are the verbs about a comune's mirrored documents.
func snapshotCommands() []*cli.Command {
	repo := &cli.StringFlag{Name: "repo", Usage: "`FOLDER` of the mirror", Required: true}
	at := &cli.StringFlag{Name: "at", Usage: "the snapshot of this `TIME` (2026-11-22T10:00, here), not the newest"}
	return []*cli.Command{
		{
			Name:        "snapshot",
			Usage:       "copy what is new of a comune's documents, and keep how they are now",
			Description: placeHelp,
			Flags: append(placeFlags("from", "where the documents are"), repo,
				&cli.StringFlag{Name: "group", Usage: "`NAME` of the group that may read them offline; empty: nobody"}, jsonFlag()),
			Action: edgeSnapshot,
		},
		{
			Name:      "restore",
			Usage:     "write documents as they were at a time into a folder",
			ArgsUsage: "[PATH...]",
			Flags:     []cli.Flag{repo, at, &cli.StringFlag{Name: "into", Usage: "`FOLDER` to write into; nothing there is overwritten", Required: true}, jsonFlag()},
			Action:    edgeRestore,
		},
		{
			Name:   "verify",
			Usage:  "read all that is kept, and name each damaged byte's documents",
			Flags:  []cli.Flag{repo, jsonFlag()},
			Action: edgeVerify,
		},
		{
			Name:  "drill",
			Usage: "restore everything into a scratch folder, compare, measure, sign the report",
			Description: "Measures how long it takes to have all back (RTO) and how old the newest\n" +
				"snapshot is (RPO). The key is 64 hexadecimal digits, the seed of an ed25519\n" +
				"key (openssl rand -hex 32).",
			Flags: []cli.Flag{repo, at,
				&cli.StringFlag{Name: "comune", Usage: "`NAME` for the report"},
				&cli.StringFlag{Name: "scratch", Usage: "`FOLDER` to restore in; what is written is removed after", Value: os.TempDir()},
				&cli.StringFlag{Name: "key-file", Usage: "`FILE` with the key that signs the report"},
				&cli.StringFlag{Name: "report", Usage: "write the signed report to this `FILE`; .html: as a page"},
				jsonFlag()},
			Action: edgeDrill,
		},
	}
}

// whenFlag reads --at; zero where it is not given.
func whenFlag(c *cli.Context) (time.Time, error) {
	text := c.String("at")
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage("--at %q: write it as 2026-11-22T10:00", text)
}

func edgeSnapshot(c *cli.Context) error {
	from, err := documentPlace(c, "from", everyone(c.String("group")))
	if err != nil {
		return err
	}
	release, err := lockData(c.String("repo"))
	if err != nil {
		return err
	}
	defer release()
	cfg := mirror.Default()
	cfg.Dir = c.String("repo")
	m, err := mirror.New(cfg, mirror.Deps{Source: from})
	if err != nil {
		return err
	}
	if err := m.Open(); err != nil {
		return err
	}
	defer m.Close()
	step, end := progress(c.App.ErrWriter, "documents")
	r, err := m.Copy(edge.WithProgress(c.Context, step))
	end()
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, r)
	}
	w := c.App.Writer
	if r.Snapshot == "" {
		fmt.Fprintf(w, "Nothing has changed: %d documents.\n", r.Documents)
	} else {
		fmt.Fprintf(w, "%d documents kept, %d of them read now (%s).\n", r.Documents, r.Fetched, megabytes(r.Bytes))
	}
	for _, t := range r.Waiting {
		fmt.Fprintf(w, "  waits    %q: %s\n", t.Path, t.Why)
	}
	for _, t := range r.Refused {
		fmt.Fprintf(w, "  refused  %q: %s\n", t.Path, t.Why)
	}
	return nil
}

func edgeRestore(c *cli.Context) error {
	at, err := whenFlag(c)
	if err != nil {
		return err
	}
	step, end := progress(c.App.ErrWriter, "documents")
	r, err := mirror.NewRepo(c.String("repo")).Restore(edge.WithProgress(c.Context, step), at, c.Args().Slice(), c.String("into"))
	end()
	if err != nil {
		return err
	}
	if c.Bool("json") {
		err = printJSON(c.App.Writer, r)
	} else {
		fmt.Fprintf(c.App.Writer, "%d documents of %s written, %s.\n", r.Files, strings.TrimSuffix(r.Snapshot, ".json"), megabytes(r.Bytes))
		for _, t := range r.Failed {
			fmt.Fprintf(c.App.Writer, "  failed  %q: %s\n", t.Path, t.Why)
		}
	}
	if err == nil && len(r.Failed) > 0 {
		err = fault.New(fault.Refused, "%d documents could not be restored", len(r.Failed))
	}
	return err
}

func edgeVerify(c *cli.Context) error {
	step, end := progress(c.App.ErrWriter, "objects")
	v, err := mirror.NewRepo(c.String("repo")).Verify(edge.WithProgress(c.Context, step))
	end()
	if err != nil {
		return err
	}
	if c.Bool("json") {
		err = printJSON(c.App.Writer, v)
	} else {
		fmt.Fprintf(c.App.Writer, "%d snapshots, %d objects, %s read: %d damaged.\n", v.Snapshots, v.Objects, megabytes(v.Bytes), len(v.Damage))
		for _, d := range v.Damage {
			fmt.Fprintf(c.App.Writer, "  %s  %s%s\n", d.What, d.Object, d.Manifest)
			for i, u := range d.Used {
				if i == 5 {
					fmt.Fprintf(c.App.Writer, "      and %d more\n", len(d.Used)-i)
					break
				}
				fmt.Fprintf(c.App.Writer, "      %q of %s\n", u.Path, strings.TrimSuffix(u.Snapshot, ".json"))
			}
		}
	}
	if err == nil && len(v.Damage) > 0 {
		err = fault.New(fault.Refused, "%d objects are damaged: the next snapshot reads the documents again where the source still has them", len(v.Damage))
	}
	return err
}

func edgeDrill(c *cli.Context) error {
	at, err := whenFlag(c)
	if err != nil {
		return err
	}
	var key ed25519.PrivateKey
	if file := c.String("key-file"); file != "" {
		text, err := secret("--key-file", file)
		if err != nil {
			return err
		}
		seed, err := hex.DecodeString(text)
		if err != nil || len(seed) != ed25519.SeedSize {
			return usage("--key-file %s: write 64 hexadecimal digits (openssl rand -hex 32)", file)
		}
		key = ed25519.NewKeyFromSeed(seed)
	}
	if c.String("report") != "" && key == nil {
		return usage("--report needs --key-file: a report that nobody signed proves nothing")
	}
	step, end := progress(c.App.ErrWriter, "documents")
	rep, err := mirror.Drill(edge.WithProgress(c.Context, step), mirror.DrillConfig{Repo: mirror.NewRepo(c.String("repo")), Comune: c.String("comune"), At: at, Scratch: c.String("scratch"), Now: time.Now})
	end()
	if err != nil {
		return err
	}
	if file := c.String("report"); file != "" {
		data, err := rep.Sign(key)
		if strings.HasSuffix(file, ".html") {
			var page string
			page, err = rep.HTML()
			data = []byte(page)
		}
		if err == nil {
			err = writeFile(file, ownerOnly, func(w io.Writer) error { _, err := w.Write(data); return err })
		}
		if err != nil {
			return fault.New(fault.Refused, "report: %w", err)
		}
	}
	if c.Bool("json") {
		err = printJSON(c.App.Writer, rep)
	} else {
		_, err = fmt.Fprint(c.App.Writer, rep.Text())
	}
	if err == nil && !rep.Passed {
		err = fault.New(fault.Refused, "the drill did not pass: %d documents did not come back", len(rep.Failed))
	}
	return err
}
