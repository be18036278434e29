package main

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/internal/strict"
)

// arrange puts the command line in the order the library understands: flags
// before arguments. The library stops looking for flags at the first argument
// and drops what follows in silence; here every flag is either moved to where
// it is read or refused by name. It refuses an unknown verb, an unknown flag,
// a flag without its value, a flag given twice, and an argument too many.
func arrange(app *cli.App, args []string) ([]string, error) {
	if len(args) == 0 {
		return []string{app.Name}, nil
	}
	out := args[:1:1]
	level, flags, path := app.Commands, app.Flags, "crinale"
	argsUsage := ""
	rest := args[1:]
	for len(level) > 0 && len(rest) > 0 {
		word := rest[0]
		if strings.HasPrefix(word, "-") {
			if asksHelp(word) || path == "crinale" && (word == "--version" || word == "-v") {
				return append(out, word), nil
			}
			return nil, usage("%s knows no flag %s before its verb: write the verb first", path, word)
		}
		if path == "crinale" && (word == "help" || word == "version") {
			return append(out, "--"+word), nil
		}
		i := slices.IndexFunc(level, func(c *cli.Command) bool { return c.HasName(word) })
		if i < 0 {
			known := names(level)
			if path == "crinale" {
				known = append(known, "help", "version")
			}
			return nil, usage("%s has no verb %q%s", path, word, didYouMean(word, known))
		}
		c := level[i]
		out, rest = append(out, word), rest[1:]
		path += " " + c.Name
		level, flags, argsUsage = c.Subcommands, c.Flags, c.ArgsUsage
	}
	if len(level) > 0 {
		return out, nil // no verb named: the library prints help
	}
	set, pos, err := split(path, flags, rest)
	if err != nil {
		return nil, err
	}
	if err := missing(path, flags, set); err != nil {
		return nil, err
	}
	if argsUsage == "" && len(pos) > 0 {
		return nil, usage("%s takes no argument, but %q was given", path, pos[0])
	}
	out = append(out, set...)
	if len(pos) > 0 {
		out = append(append(out, "--"), pos...)
	}
	return out, nil
}

// split parts the words of a leaf verb into flags with their values and
// arguments. A word like -44.5,8.1 is a number, not a flag.
func split(path string, flags []cli.Flag, words []string) (set, pos []string, err error) {
	seen := map[string]bool{}
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w == "--" {
			return set, append(pos, words[i+1:]...), nil
		}
		if !strings.HasPrefix(w, "-") || w == "-" || numeric(w) {
			pos = append(pos, w)
			continue
		}
		name, value, given := strings.Cut(strings.TrimLeft(w, "-"), "=")
		if asksHelp(w) {
			return []string{"--help"}, nil, nil
		}
		f := flagNamed(flags, name)
		if f == nil {
			return nil, nil, usage("%s knows no flag --%s%s", path, name, didYouMean(name, flagNames(flags)))
		}
		canon := f.Names()[0]
		if _, many := f.(*cli.StringSliceFlag); seen[canon] && !many {
			return nil, nil, usage("%s: flag --%s is given twice", path, canon)
		}
		seen[canon] = true
		_, isBool := f.(*cli.BoolFlag)
		switch {
		case given:
			set = append(set, "--"+canon+"="+value)
		case isBool:
			set = append(set, "--"+canon)
			continue
		case i+1 < len(words) && (!strings.HasPrefix(words[i+1], "-") || numeric(words[i+1]) || words[i+1] == "-"):
			i++
			value = words[i]
			set = append(set, "--"+canon+"="+value)
		default:
			return nil, nil, usage("%s: flag --%s needs a value", path, canon)
		}
		if wrong := badValue(f, value); wrong != "" {
			return nil, nil, usage("%s: --%s %q: %s", path, canon, value, wrong)
		}
	}
	return set, pos, nil
}

// badValue says how the value of a flag is to be written, "" when it is well.
func badValue(f cli.Flag, value string) string {
	switch f.(type) {
	case *cli.BoolFlag:
		if _, err := strconv.ParseBool(value); err != nil {
			return "write true or false, or leave the value out"
		}
	case *cli.Float64Flag:
		if v, err := strconv.ParseFloat(value, 64); err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return "write a number, with a point as decimal mark"
		}
	case *cli.IntFlag, *cli.Uint64Flag:
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return "write a whole number"
		}
	case *cli.DurationFlag:
		if _, err := time.ParseDuration(value); err != nil {
			return "write a time such as 90s, 30m or 48h; a day is 24h"
		}
	}
	return ""
}

// missing names a flag that must be given and is not.
func missing(path string, flags []cli.Flag, set []string) error {
	for _, f := range flags {
		r, ok := f.(cli.RequiredFlag)
		if !ok || !r.IsRequired() || slices.Contains(set, "--help") {
			continue
		}
		name := f.Names()[0]
		if !slices.ContainsFunc(set, func(s string) bool { return strings.HasPrefix(s, "--"+name+"=") }) {
			return usage("%s needs the flag --%s", path, name)
		}
	}
	return nil
}

func asksHelp(w string) bool { return w == "--help" || w == "-h" }

func numeric(w string) bool {
	return len(w) > 1 && w[0] == '-' && (w[1] >= '0' && w[1] <= '9' || w[1] == '.')
}

func flagNamed(flags []cli.Flag, name string) cli.Flag {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func flagNames(flags []cli.Flag) []string {
	var ns []string
	for _, f := range flags {
		ns = append(ns, f.Names()...)
	}
	return ns
}

func names(cs []*cli.Command) []string {
	var ns []string
	for _, c := range cs {
		ns = append(ns, c.Names()...)
	}
	return ns
}

// didYouMean names the nearest known word, when one is near.
func didYouMean(word string, known []string) string {
	if best := strict.Nearest(word, known); best != "" {
		return ": did you mean " + best + "?"
	}
	return ""
}

// commandPath is the verb the words name as far as it exists: for the hint
// after a usage error.
func commandPath(app *cli.App, args []string) string {
	path, level := "crinale", app.Commands
	for _, w := range args[min(1, len(args)):] {
		i := slices.IndexFunc(level, func(c *cli.Command) bool { return c.HasName(w) })
		if i < 0 {
			break
		}
		path, level = path+" "+level[i].Name, level[i].Subcommands
	}
	return path
}
