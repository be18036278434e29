package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

// helpWidth is what help is wrapped at.
const helpWidth = 80

func init() {
	cli.HelpPrinter = func(w io.Writer, templ string, data any) {
		if c, ok := data.(*cli.Command); ok && runs(c) {
			verbHelp(w, c)
			return
		}
		cli.HelpPrinterCustom(w, templ, data, map[string]any{"wrapAt": func() int { return helpWidth }})
	}
}

// runs says whether a verb has none below it but the help that the library adds.
func runs(c *cli.Command) bool {
	for _, s := range c.Subcommands {
		if s.Name != "help" {
			return false
		}
	}
	return true
}

// verbHelp prints the help of a verb that can be run: flags in one column, what
// they mean in another.
func verbHelp(w io.Writer, c *cli.Command) {
	fmt.Fprintf(w, "%s\n\n", upper(c.Usage))
	line := c.HelpName
	if len(c.Flags) > 0 {
		line += " [flags]"
	}
	if c.ArgsUsage != "" {
		line += " " + c.ArgsUsage
	}
	fmt.Fprintf(w, "  %s\n", line)
	if c.Description != "" {
		fmt.Fprintf(w, "\n%s\n", c.Description)
	}
	var heads, texts []string
	width := 0
	for _, f := range c.Flags {
		d, ok := f.(cli.DocGenerationFlag)
		if !ok {
			continue
		}
		head, text := flagHelp(f, d)
		heads, texts = append(heads, head), append(texts, text)
		width = max(width, len(head))
	}
	if len(heads) > 0 {
		fmt.Fprintln(w)
	}
	for i := range heads {
		for k, part := range fold(texts[i], helpWidth-width-4) {
			if k > 0 {
				heads[i] = ""
			}
			fmt.Fprintf(w, "  %-*s  %s\n", width, heads[i], part)
		}
	}
}

// flagHelp is a flag with its value, and what it means with its default.
func flagHelp(f cli.Flag, d cli.DocGenerationFlag) (head, text string) {
	text = d.GetUsage()
	head = "--" + f.Names()[0]
	if before, rest, ok := strings.Cut(text, "`"); ok {
		value, after, _ := strings.Cut(rest, "`")
		head += " " + value
		text = before + value + after
	} else if d.TakesValue() {
		head += " VALUE"
	}
	if def := d.GetDefaultText(); def != "" && d.TakesValue() {
		text += " (default: " + strings.Trim(def, `"`) + ")"
	}
	return head, text
}

func upper(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
