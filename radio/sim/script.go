package sim

import (
	"fmt"
	"strings"
)

// The script language is the part of the devices' own that configures: menu
// commands, [find …], :do with on-error, :log, :delay and :error. Variables,
// loops and expressions are refused by name (manual: Scripting).

// Bounds of a script: a source that is longer, deeper or has more commands is
// refused.
const (
	maxSource   = 30000
	maxNesting  = 32
	maxCommands = 2000
)

// statement is one command of a script.
type statement struct {
	line    int
	args    []argumentWord
	do      []statement // of :do
	onError []statement
	isDo    bool
	caught  bool // it has on-error
}

// argumentWord is one word of a command: "set", name="x", [find …].
type argumentWord struct {
	line  int
	name  string // "" : a word without a name
	value string
	bare  bool // not in quotes
	find  *statement
}

// scriptError says where a script is wrong.
type scriptError struct {
	line int
	text string
}

func (e *scriptError) Error() string { return fmt.Sprintf("%s (line %d)", e.text, e.line) }

type scriptParser struct {
	src      string
	at, line int
	count    int
}

// parseScript reads a whole script. Bytes are bytes: no encoding is assumed.
func parseScript(src string) ([]statement, error) {
	if len(src) > maxSource {
		return nil, &scriptError{1, fmt.Sprintf("script of %d bytes is too long (at most %d)", len(src), maxSource)}
	}
	p := &scriptParser{src: src, line: 1}
	ss, err := p.block(0)
	if err != nil {
		return nil, err
	}
	if p.at < len(p.src) {
		return nil, p.fail("syntax error: } without {")
	}
	return ss, nil
}

func (p *scriptParser) fail(format string, args ...any) error {
	return &scriptError{p.line, fmt.Sprintf(format, args...)}
}

func (p *scriptParser) more() bool { return p.at < len(p.src) }

func (p *scriptParser) peek() byte {
	if p.more() {
		return p.src[p.at]
	}
	return 0
}

func (p *scriptParser) next() byte {
	c := p.src[p.at]
	p.at++
	if c == '\n' {
		p.line++
	}
	return c
}

// blanks skips spaces and continued lines; with ends, the ends of commands and
// comments too.
func (p *scriptParser) blanks(ends bool) {
	for p.more() {
		switch c := p.peek(); {
		case c == ' ', c == '\t', c == '\r':
			p.next()
		case c == '\\' && strings.HasPrefix(p.src[p.at+1:], "\n"), c == '\\' && strings.HasPrefix(p.src[p.at+1:], "\r\n"):
			for p.next() != '\n' {
			}
		case ends && (c == '\n' || c == ';'):
			p.next()
		case ends && c == '#':
			for p.more() && p.peek() != '\n' {
				p.next()
			}
		default:
			return
		}
	}
}

// block is the statements up to the end or an unmatched "}".
func (p *scriptParser) block(depth int) ([]statement, error) {
	if depth > maxNesting {
		return nil, p.fail("too many nested blocks (at most %d)", maxNesting)
	}
	var out []statement
	for {
		p.blanks(true)
		if !p.more() || p.peek() == '}' {
			return out, nil
		}
		if p.count++; p.count > maxCommands {
			return nil, p.fail("too many commands (at most %d)", maxCommands)
		}
		s, err := p.statement(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
}

// braces is "{ … }".
func (p *scriptParser) braces(depth int) ([]statement, error) {
	p.blanks(false)
	if p.peek() != '{' || !p.more() {
		return nil, p.fail("expected {")
	}
	opened := p.line
	p.next()
	ss, err := p.block(depth + 1)
	if err != nil {
		return nil, err
	}
	if !p.more() {
		return nil, &scriptError{opened, "expected closing brace of {"}
	}
	p.next()
	return ss, nil
}

// statement is one command, up to the end of its line, ";" or "}".
func (p *scriptParser) statement(depth int) (statement, error) {
	s := statement{line: p.line}
	if word, ok := strings.CutPrefix(p.src[p.at:], ":do"); ok && (word == "" || !inWord(word[0]) || word[0] == '{') {
		s.isDo = true
		p.at += len(":do")
		var err error
		if s.do, err = p.braces(depth); err != nil {
			return s, err
		}
		p.blanks(false)
		if strings.HasPrefix(p.src[p.at:], "on-error=") {
			p.at += len("on-error=")
			s.caught = true
			if s.onError, err = p.braces(depth); err != nil {
				return s, err
			}
		}
		return s, p.end()
	}
	for {
		p.blanks(false)
		if p.atEnd() {
			return s, p.end()
		}
		a, err := p.argument(depth)
		if err != nil {
			return s, err
		}
		s.args = append(s.args, a)
	}
}

func (p *scriptParser) atEnd() bool {
	return !p.more() || strings.IndexByte("\n;}]", p.peek()) >= 0
}

// end checks that nothing follows a command.
func (p *scriptParser) end() error {
	p.blanks(false)
	switch {
	case !p.atEnd():
		return p.fail("expected end of command")
	case p.more() && p.peek() == ']':
		return p.fail("syntax error: ] without [")
	}
	return nil
}

// inWord says whether a byte can be in a word without quotes.
func inWord(c byte) bool {
	return c > ' ' && c != 0x7f && strings.IndexByte("\"\\;[](){}$=", c) < 0
}

func (p *scriptParser) bare() string {
	from := p.at
	for p.more() && inWord(p.peek()) {
		p.at++
	}
	return p.src[from:p.at]
}

// argument is a word, "text", [find …], or name=one of these.
func (p *scriptParser) argument(depth int) (argumentWord, error) {
	a := argumentWord{line: p.line}
	if c := p.peek(); c == '"' || c == '[' {
		return a, p.value(&a, depth)
	}
	word := p.bare()
	if word == "" {
		return a, p.unsupported()
	}
	if p.peek() != '=' || !p.more() {
		a.value, a.bare = word, true
		return a, nil
	}
	p.next()
	a.name = word
	if !p.more() || p.atEnd() || strings.IndexByte(" \t\r", p.peek()) >= 0 {
		return a, nil // name= is the empty value
	}
	return a, p.value(&a, depth)
}

func (p *scriptParser) value(a *argumentWord, depth int) error {
	var err error
	switch p.peek() {
	case '"':
		a.value, err = p.quoted()
		return err
	case '[':
		return p.brackets(a, depth)
	}
	// A value may hold "=": frequency lists, base64.
	from := p.at
	for p.more() && (inWord(p.peek()) || p.peek() == '=') {
		p.at++
	}
	a.value, a.bare = p.src[from:p.at], true
	if a.value == "" || p.more() && !p.atEnd() && strings.IndexByte(" \t\r\\", p.peek()) < 0 {
		return p.unsupported()
	}
	return nil
}

func (p *scriptParser) unsupported() error {
	switch p.peek() {
	case '$':
		return p.fail("variables are not simulated")
	case '(':
		return p.fail("expressions are not simulated")
	}
	return p.fail("syntax error at %q", clip(string(p.peek())))
}

// brackets is "[find …]" or "[/menu find …]".
func (p *scriptParser) brackets(a *argumentWord, depth int) error {
	if depth > maxNesting {
		return p.fail("too many nested blocks (at most %d)", maxNesting)
	}
	p.next()
	s := statement{line: p.line}
	for {
		p.blanks(false)
		if !p.more() || p.peek() == '\n' {
			return p.fail("expected closing bracket of [")
		}
		if p.peek() == ']' {
			p.next()
			a.find = &s
			return nil
		}
		w, err := p.argument(depth + 1)
		if err != nil {
			return err
		}
		if w.find != nil {
			return p.fail("only find is simulated in [ ]")
		}
		s.args = append(s.args, w)
	}
}
