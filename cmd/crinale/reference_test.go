package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// TestReference holds the generated pages of docs/reference against the code;
// make docs writes them anew.
func TestReference(t *testing.T) {
	for file, want := range map[string]string{
		"cli.md":     cliReference(),
		"config.md":  configReference(),
		"metrics.md": metricsReference(t),
		"api.md":     apiReference(t),
		"roles.md":   rolesReference(t),
	} {
		path := filepath.Join("../../docs/reference", file)
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, []byte(want)) {
			t.Errorf("%s is not what the code says: run make docs (%v)", path, err)
		}
	}
}

// TestHelpFitsTheTerminal: no help is wider than a terminal, and
// every flag and verb says what it is.
func TestHelpFitsTheTerminal(t *testing.T) {
	walk(newApp(io.Discard, io.Discard).Commands, "crinale", func(path string, c *cli.Command) {
		if c.Usage == "" {
			t.Errorf("%s does not say what it is for", path)
		}
		var help strings.Builder
		c.HelpName = path
		verbHelp(&help, c)
		for _, line := range strings.Split(help.String(), "\n") {
			if len([]rune(line)) > helpWidth {
				t.Errorf("%s: help wider than %d letters: %q", path, helpWidth, line)
			}
		}
		for _, f := range c.Flags {
			if d, ok := f.(cli.DocGenerationFlag); !ok || d.GetUsage() == "" {
				t.Errorf("%s: flag --%s does not say what it is for", path, f.Names()[0])
			}
		}
	})
}

// walk visits every verb that can be run.
func walk(cs []*cli.Command, path string, visit func(path string, c *cli.Command)) {
	for _, c := range cs {
		p := path + " " + c.Name
		if len(c.Subcommands) > 0 {
			walk(c.Subcommands, p, visit)
			continue
		}
		visit(p, c)
	}
}

func cliReference() string {
	var b strings.Builder
	b.WriteString("# Commands\n\nGenerated from the code by `make docs`.\n\n" +
		"Data goes to stdout, talk and progress to stderr. Exit codes: 0 done, 1 failed, 2 the command line cannot be\n" +
		"understood, 3 differences exist, 4 unreachable, 5 unconfirmed. Places are `LAT,LON[,HEIGHT_ABOVE_GROUND_M]`.\n")
	walk(newApp(io.Discard, io.Discard).Commands, "crinale", func(path string, c *cli.Command) {
		fmt.Fprintf(&b, "\n## %s\n\n", strings.TrimSpace(path+" "+c.ArgsUsage))
		fmt.Fprintf(&b, "%s.\n", upper(c.Usage))
		if c.Description != "" {
			fmt.Fprintf(&b, "%s\n", c.Description)
		}
		if len(c.Flags) == 0 {
			return
		}
		b.WriteString("\n| flag | meaning | default |\n|---|---|---|\n")
		for _, f := range c.Flags {
			d := f.(cli.DocGenerationFlag)
			def := d.GetDefaultText()
			if _, isBool := f.(*cli.BoolFlag); isBool {
				def = ""
			}
			env := ""
			if len(d.GetEnvVars()) > 0 {
				env = " (environment: " + strings.Join(d.GetEnvVars(), ", ") + ")"
			}
			fmt.Fprintf(&b, "| `--%s` | %s%s | %s |\n", strings.Join(f.Names(), "`, `--"), strings.ReplaceAll(d.GetUsage(), "|", "\\|"), env, def)
		}
	})
	return b.String()
}

func configReference() string {
	return "# Configuration\n\nGenerated from the code by `make docs`: what `crinale config` prints.\n\n```yaml\n" + defaultConfig + "```\n"
}
