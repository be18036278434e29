package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// errPowerCut and errLeft end a script in the middle.
var (
	errPowerCut = errors.New("the device lost its power")
	errLeft     = errors.New("interrupted")
)

// console runs a script on a device. Its commands change the configuration the
// way those of the API do.
type console struct {
	dev      *device
	by       string // whose, in the log and as owner
	readOnly bool
	dies     <-chan struct{} // closed when the device loses its power
	left     <-chan struct{} // closed when who typed it went away; nil: nobody waits
	path     string          // of the menu that words without "/" start from
	depth    int
}

// newConsole is one at the root menu. dies ends it.
func newConsole(d *device, by string, readOnly bool, dies <-chan struct{}) *console {
	return &console{dev: d, by: by, readOnly: readOnly, dies: dies}
}

// maxRuns bounds scripts that run scripts.
const maxRuns = 8

// source parses and runs a script. The error names the line.
func (c *console) source(src string) error {
	ss, err := parseScript(src)
	if err != nil {
		return err
	}
	return c.run(ss)
}

func (c *console) run(ss []statement) error {
	for _, s := range ss {
		select {
		case <-c.dies:
			return errPowerCut
		case <-c.left:
			return errLeft
		default:
		}
		if err := c.step(s); err != nil {
			return err
		}
	}
	return nil
}

func (c *console) step(s statement) error {
	if s.isDo {
		// A block has its own current menu.
		path := c.path
		err := c.run(s.do)
		c.path = path
		if err == nil || !s.caught || errors.Is(err, errPowerCut) || errors.Is(err, errLeft) {
			return err
		}
		err = c.run(s.onError)
		c.path = path
		return err
	}
	err := c.command(s)
	if t := (*trap)(nil); errors.As(err, &t) {
		return &ranError{s.line, t}
	}
	return err
}

// ranError is a command that a device refused.
type ranError struct {
	line int
	trap *trap
}

func (e *ranError) Error() string { return fmt.Sprintf("%s (line %d)", e.trap.message, e.line) }
func (e *ranError) Unwrap() error { return e.trap }

func (c *console) command(s statement) error {
	if len(s.args) == 0 {
		return nil
	}
	first := s.args[0]
	if first.bare && first.name == "" && strings.HasPrefix(first.value, ":") {
		return c.builtin(s, first.value[1:], s.args[1:])
	}
	m, path, verb, args, err := c.resolve(s)
	if err != nil {
		return err
	}
	if path == "/log" && verb != "" {
		return c.log(s, append([]argumentWord{{value: verb, bare: true}}, args...))
	}
	if verb == "" {
		c.path = path
		return nil
	}
	if m == nil {
		return &scriptError{s.line, "bad command name " + clip(verb)}
	}
	return c.write(s, m, verb, args)
}

// builtin are the commands that begin with a colon.
func (c *console) builtin(s statement, name string, args []argumentWord) error {
	switch name {
	case "log":
		return c.log(s, args)
	case "delay":
		if len(args) != 1 || args[0].find != nil || args[0].name != "" && args[0].name != "delay-time" {
			return &scriptError{s.line, "expected a time after :delay"}
		}
		wait, ok := parseDuration(args[0].value)
		if !ok {
			return &scriptError{s.line, "invalid time value " + clip(args[0].value)}
		}
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
			return nil
		case <-c.dies:
			return errPowerCut
		case <-c.left:
			return errLeft
		}
	case "error":
		text := "error"
		if len(args) > 0 {
			text = args[0].value
		}
		return &trap{"3", text}
	}
	return &scriptError{s.line, "bad command name " + clip(name)}
}

// log is ":log info text".
func (c *console) log(s statement, args []argumentWord) error {
	if len(args) != 2 || args[0].name != "" || args[1].find != nil || args[1].name != "" && args[1].name != "message" {
		return &scriptError{s.line, "expected a level and a text after log"}
	}
	switch level := args[0].value; level {
	case "info", "warning", "error", "debug":
		c.dev.scriptNote(level, args[1].value)
		return nil
	}
	return &scriptError{s.line, "bad command name " + clip(args[0].value)}
}

// verbs that a script can say.
var verbs = []string{"set", "add", "remove", "unset", "enable", "disable", "comment", "run", "reboot", "info", "warning", "error", "debug", "find"}

// resolve finds the menu and the verb at the head of a command. A command that
// only names a menu goes there.
func (c *console) resolve(s statement) (m *menu, path, verb string, args []argumentWord, err error) {
	path = c.path
	args = s.args
	for i := 0; len(args) > 0 && args[0].bare && args[0].name == ""; i++ {
		word := args[0].value
		if strings.HasPrefix(word, "/") {
			if i > 0 {
				return nil, "", "", nil, &scriptError{s.line, "expected end of command"}
			}
			path, word = "", word[1:]
		}
		args = args[1:]
		for part := range strings.SplitSeq(word, "/") {
			switch {
			case part == "":
			case verb != "":
				return nil, "", "", nil, &scriptError{s.line, "expected end of command"}
			case c.dev.hasMenu(path + "/" + part):
				path += "/" + part
			case slices.Contains(verbs, part):
				verb = part
			default:
				return nil, "", "", nil, &scriptError{s.line, "bad command name " + clip(part)}
			}
		}
		if verb != "" {
			break
		}
	}
	if verb == "" && len(args) > 0 {
		return nil, "", "", nil, &scriptError{s.line, "expected command name"}
	}
	return c.dev.menus[path], path, verb, args, nil
}

// hasMenu says whether a path is a menu or leads to one.
func (d *device) hasMenu(path string) bool {
	if d.menus[path] != nil {
		return true
	}
	for p := range d.menus {
		if strings.HasPrefix(p, path+"/") {
			return true
		}
	}
	return false
}

// unnamed are the words a verb takes without their names, in order.
var unnamed = map[string][]string{
	"set": {"numbers"}, "unset": {"numbers", "value-name"}, "comment": {"numbers", "comment"},
	"remove": {"numbers"}, "enable": {"numbers"}, "disable": {"numbers"}, "run": {"numbers"},
}

// write runs one writing command.
func (c *console) write(s statement, m *menu, verb string, args []argumentWord) error {
	cmd := command{path: m.path + "/" + verb, by: c.by}
	nothing := false
	rest := unnamed[verb]
	if m.singleton {
		rest = nil
	}
	for _, a := range args {
		name := a.name
		if name == "" {
			if len(rest) == 0 {
				return &scriptError{s.line, "expected end of command"}
			}
			name, rest = rest[0], rest[1:]
		}
		switch {
		case name == "numbers" || name == ".id" || name == "number":
			ids, err := c.items(s, m, a)
			if err != nil {
				return err
			}
			nothing = nothing || len(ids) == 0
			cmd.attrs = append(cmd.attrs, pair{".id", strings.Join(ids, ",")})
		case a.find != nil:
			return &scriptError{s.line, "find gives items, not a value of " + clip(name)}
		default:
			cmd.attrs = append(cmd.attrs, pair{name, a.value})
		}
	}
	if nothing {
		return m.checkNames(verb, cmd.attrs)
	}
	if verb == "run" {
		if m.run == nil {
			return &scriptError{s.line, "bad command name run"}
		}
		return nilTrap(m.run(c, cmd))
	}
	_, t := c.dev.write(m, verb, cmd, c.readOnly)
	return nilTrap(t)
}

// nilTrap keeps a nil trap a nil error.
func nilTrap(t *trap) error {
	if t == nil {
		return nil
	}
	return t
}

// checkNames refuses what a command would refuse of any item, where there is
// none.
func (m *menu) checkNames(verb string, attrs []pair) error {
	if writing(verb) == nil && verb != "run" {
		return trapCommand
	}
	for _, a := range attrs {
		if a.k == ".id" || a.k == "value-name" {
			continue
		}
		if _, ok := m.props[a.k]; !ok && verb != "run" {
			return argument("unknown parameter " + clip(a.k))
		}
	}
	return nil
}
