// Package strict reads the YAML that people write by hand: unknown and
// repeated keys are refused, a number is a plain number whose unit stands in
// its key, and every problem names the file, the line, the field and the mend.
// All problems of a file are told at once.
//
// A struct field is read from the key in its `yaml:"key"` tag; `yaml:"-"` and
// fields without a tag are left alone, `yaml:"key,required"` must be there. A
// field of type At learns where its struct stood, so that checks of meaning
// can name a line too.
package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds on what is read, so that no file makes the program hang.
const (
	maxBytes  = 16 << 20 // of one file
	maxDepth  = 64       // of nesting, aliases followed
	maxAlias  = 100_000  // nodes that aliases may add
	maxFaults = 1000     // problems, then reading stops
)

// Decode reads one YAML document into the struct or map that into points to.
// An empty file changes nothing. The error, if any, is a Problems with all
// that is wrong, in the order of the lines.
func Decode(file string, data []byte, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("read %s: strict.Decode wants a pointer, not %T", file, into)
	}
	d := &decoder{file: file, left: len(data) + maxAlias}
	if root := d.parse(data); root != nil {
		d.value(root, v.Elem(), "", 0)
	}
	return d.list.Err()
}

type decoder struct {
	file string
	list List
	left int  // nodes that may still be looked at; each real one takes a byte
	full bool // a bound was met: say it once and stop
}

func (d *decoder) fail(line int, field, format string, args ...any) {
	d.list.Add(Problem{File: d.file, Line: line, Field: field, Text: fmt.Sprintf(format, args...)})
	d.full = d.full || len(d.list.all) >= maxFaults
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

// parse gives the root node, nil when there is none or it cannot be read.
func (d *decoder) parse(data []byte) (root *yaml.Node) {
	if len(data) > maxBytes {
		d.fail(1, "", "the file has %d bytes, more than the %d that are read: split it", len(data), maxBytes)
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			d.fail(1, "", "this is not YAML that can be read: %v", r)
			root = nil
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if !errors.Is(err, io.EOF) {
			d.syntax(err)
		}
		return nil
	}
	var next yaml.Node
	if err := dec.Decode(&next); err == nil {
		d.fail(next.Line, "", "a second document begins here: keep one document a file, without ---")
		return nil
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err)
		return nil
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil
	}
	if isNull(doc.Content[0]) {
		return nil
	}
	return doc.Content[0]
}

// syntax reports an error of the YAML parser with its line.
func (d *decoder) syntax(err error) {
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
		text = text[len(m[0]):]
	}
	d.fail(line, "", "this is not YAML: %s (look at the indentation, the colons and the quotes here and one line above)", text)
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// enter counts a node against the bounds and follows aliases.
func (d *decoder) enter(n *yaml.Node, field string, depth int) (*yaml.Node, bool) {
	if d.full {
		return nil, false
	}
	if d.left--; d.left < 0 {
		d.full = true
		d.fail(n.Line, field, "aliases make this file too large: write the values out")
		return nil, false
	}
	if depth > maxDepth {
		d.full = true
		d.fail(n.Line, field, "nested more than %d deep, or an alias that holds itself: write the values out", maxDepth)
		return nil, false
	}
	if n.Kind == yaml.AliasNode {
		if n.Alias == nil {
			d.fail(n.Line, field, "alias to nothing")
			return nil, false
		}
		return d.enter(n.Alias, field, depth+1)
	}
	if n.Style&yaml.TaggedStyle != 0 {
		d.fail(n.Line, field, "the tag %s is not read: write the plain value", n.Tag)
		return nil, false
	}
	return n, true
}
