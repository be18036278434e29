package sim

import "strings"

// plainEscapes are those of one letter. Hexadecimal ones have capital letters,
// so that \a and \AB are told apart.
var plainEscapes = map[byte]byte{'"': '"', '\\': '\\', '$': '$', '?': '?', '_': ' ', 'n': '\n', 'r': '\r', 't': '\t', 'a': 7, 'b': 8, 'f': 12, 'v': 11}

// quoted is a string: any bytes but a bare "$", which would be a variable.
func (p *scriptParser) quoted() (string, error) {
	opened := p.line
	p.next()
	var b strings.Builder
	for p.more() {
		c := p.next()
		switch c {
		case '"':
			return b.String(), nil
		case '$':
			return "", p.fail("variables are not simulated: write \\$")
		case '\\':
		default:
			b.WriteByte(c)
			continue
		}
		rest := p.src[p.at:]
		if strings.HasPrefix(rest, "\n") || strings.HasPrefix(rest, "\r\n") {
			for p.next() != '\n' {
			}
			for p.more() && (p.peek() == ' ' || p.peek() == '\t') {
				p.next()
			}
			continue
		}
		if rest == "" {
			break
		}
		if v, ok := plainEscapes[rest[0]]; ok {
			b.WriteByte(v)
			p.at++
			continue
		}
		hi, lo := -1, -1
		if len(rest) >= 2 {
			hi, lo = strings.IndexByte(capitals, rest[0]), strings.IndexByte(capitals, rest[1])
		}
		if hi < 0 || lo < 0 {
			return "", p.fail("unknown escape \\%c in a string", rest[0])
		}
		b.WriteByte(byte(hi<<4 | lo))
		p.at += 2
	}
	return "", &scriptError{opened, "expected closing quote of \""}
}

const capitals = "0123456789ABCDEF"
