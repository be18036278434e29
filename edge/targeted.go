package edge

import "strings"

// ParseTargeted reads a field of RFC 9213: a dictionary of structured fields
// (RFC 9651 §3.2, §4.2). ok is false when it cannot be read whole: then the
// field counts for nothing. Of a key that stands twice the last counts. A value
// of another kind than its directive has makes a lifetime 0, and a prohibition
// stand.
func ParseTargeted(lines []string) (d Directives, ok bool) {
	p := sfParser{rest: strings.Trim(strings.Join(lines, ","), " ")}
	last := map[string]sfItem{}
	for p.rest != "" {
		key, item, ok := p.member()
		if !ok {
			return Directives{}, false
		}
		last[key] = item
		p.skip(" \t")
		if p.rest == "" {
			break
		}
		if !p.take(',') {
			return Directives{}, false
		}
		if p.skip(" \t"); p.rest == "" { // a comma at the end
			return Directives{}, false
		}
	}
	for key, item := range last {
		d.any = true
		if flag := d.flag(key); flag != nil {
			*flag = item.kind != sfFalse
		} else if delta := d.delta(key); delta != nil {
			*delta = Delta{There: true}
			if item.kind == sfInteger {
				*delta = seconds(item.text)
			}
		} else if whole, fields := d.partly(key); whole != nil && item.kind != sfFalse {
			if *fields = fieldNames(item.text); item.kind != sfString || *fields == nil {
				*whole, *fields = true, nil
			}
		}
	}
	return d, true
}

// sfItem is what is needed of a bare item.
type sfItem struct {
	kind sfKind
	text string // of integers the digits, of strings what stands between the quotes
}

type sfKind uint8

const (
	sfTrue sfKind = iota
	sfFalse
	sfInteger
	sfString
	sfOther // decimal, token, bytes, date, display string, inner list
)

// sfParser reads the structured fields of RFC 9651 §4.2.
type sfParser struct{ rest string }

func (p *sfParser) skip(chars string) { p.rest = strings.TrimLeft(p.rest, chars) }

func (p *sfParser) take(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// span cuts off the characters at the start that are allowed.
func (p *sfParser) span(allowed func(c byte) bool) string {
	i := 0
	for i < len(p.rest) && allowed(p.rest[i]) {
		i++
	}
	out := p.rest[:i]
	p.rest = p.rest[i:]
	return out
}

func lower(c byte) bool   { return c >= 'a' && c <= 'z' }
func digit(c byte) bool   { return c >= '0' && c <= '9' }
func letter(c byte) bool  { return lower(c|0x20) && c != '@' }
func keyChar(c byte) bool { return lower(c) || digit(c) || strings.IndexByte("_-.*", c) >= 0 }

// key is §4.2.3.3.
func (p *sfParser) key() (string, bool) {
	if p.rest == "" || !lower(p.rest[0]) && p.rest[0] != '*' {
		return "", false
	}
	return p.span(keyChar), true
}

// member is one of a dictionary, with its parameters passed over (§4.2.2).
func (p *sfParser) member() (key string, item sfItem, ok bool) {
	if key, ok = p.key(); !ok {
		return "", sfItem{}, false
	}
	if p.take('=') {
		if strings.HasPrefix(p.rest, "(") {
			item.kind, ok = sfOther, p.list()
		} else {
			item, ok = p.bare()
		}
	}
	return key, item, ok && p.parameters()
}

// list is an inner list without its parameters (§4.2.1.2).
func (p *sfParser) list() bool {
	p.take('(')
	for {
		p.skip(" ")
		if p.take(')') {
			return true
		}
		if _, ok := p.bare(); !ok || !p.parameters() {
			return false
		}
		if p.rest == "" || p.rest[0] != ' ' && p.rest[0] != ')' {
			return false
		}
	}
}

// parameters are passed over (§4.2.3.2).
func (p *sfParser) parameters() bool {
	for p.take(';') {
		p.skip(" ")
		if _, ok := p.key(); !ok {
			return false
		}
		if p.take('=') {
			if _, ok := p.bare(); !ok {
				return false
			}
		}
	}
	return true
}

// bare is a bare item (§4.2.3.1).
func (p *sfParser) bare() (sfItem, bool) {
	if p.rest == "" {
		return sfItem{}, false
	}
	switch c := p.rest[0]; {
	case c == '-' || digit(c):
		return p.number()
	case c == '"':
		text, ok := p.text()
		return sfItem{sfString, text}, ok
	case c == '?':
		yes := strings.HasPrefix(p.rest, "?1")
		if !yes && !strings.HasPrefix(p.rest, "?0") {
			return sfItem{}, false
		}
		p.rest = p.rest[2:]
		if yes {
			return sfItem{kind: sfTrue}, true
		}
		return sfItem{kind: sfFalse}, true
	case c == ':':
		p.take(':')
		p.span(func(c byte) bool { return letter(c) || digit(c) || strings.IndexByte("+/=", c) >= 0 })
		return sfItem{kind: sfOther}, p.take(':')
	case c == '@':
		p.take('@')
		item, ok := p.number()
		return sfItem{kind: sfOther}, ok && item.kind == sfInteger
	case c == '%':
		p.take('%')
		_, ok := p.text()
		return sfItem{kind: sfOther}, ok
	case letter(c) || c == '*':
		p.span(func(c byte) bool { return token(string(c)) || c == ':' || c == '/' })
		return sfItem{kind: sfOther}, true
	}
	return sfItem{}, false
}

// number is an integer of at most 15 digits, or a decimal of at most 12 and 3
// (§4.2.4).
func (p *sfParser) number() (sfItem, bool) {
	minus := p.take('-')
	whole := p.span(digit)
	if whole == "" {
		return sfItem{}, false
	}
	if p.take('.') {
		part := p.span(digit)
		return sfItem{kind: sfOther}, len(whole) <= 12 && len(part) >= 1 && len(part) <= 3
	}
	if minus {
		whole = "-" + whole
	}
	return sfItem{sfInteger, whole}, len(strings.TrimPrefix(whole, "-")) <= 15
}

// text is a string (§4.2.5).
func (p *sfParser) text() (string, bool) {
	if !p.take('"') {
		return "", false
	}
	var b strings.Builder
	for p.rest != "" {
		c := p.rest[0]
		p.rest = p.rest[1:]
		switch {
		case c == '"':
			return b.String(), true
		case c == '\\':
			if p.rest == "" || p.rest[0] != '"' && p.rest[0] != '\\' {
				return "", false
			}
			b.WriteByte(p.rest[0])
			p.rest = p.rest[1:]
		case c < ' ' || c > '~':
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}
