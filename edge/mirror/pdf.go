package mirror

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// maxStreams is how many streams of a PDF are looked at.
const maxStreams = 5000

var (
	// streamHead is the end of a stream's dictionary (ISO 32000-1 §7.3.8).
	streamHead = regexp.MustCompile(`stream\r?\n`)
	oddFont    = regexp.MustCompile(`/Identity-H|/Identity-V|/Encrypt\b`)
)

// pdfText is the text of a simple PDF: streams that are not packed or packed by
// Flate alone, and fonts whose codes are letters. ok is false for all others; a
// wrong text would be worse than none.
func pdfText(data []byte) (s string, ok bool) {
	if !bytes.HasPrefix(data, []byte("%PDF-")) || oddFont.Match(data) {
		return "", false
	}
	var b strings.Builder
	left := int64(maxPacked)
	for n := 0; n < maxStreams && b.Len() <= maxText; n++ {
		at := streamHead.FindIndex(data)
		if at == nil {
			break
		}
		head := data[:at[0]]
		head = head[max(len(head)-2000, 0):]
		if i := bytes.LastIndex(head, []byte(" obj")); i >= 0 {
			head = head[i:]
		}
		data = data[at[1]:]
		end := bytes.Index(data, []byte("endstream"))
		if end < 0 {
			break
		}
		body := data[:end]
		data = data[end+len("endstream"):]
		switch {
		case bytes.Contains(head, []byte("/Image")) || bytes.Contains(head, []byte("/FontFile")) || bytes.Contains(head, []byte("/Length1")):
			continue
		case bytes.Contains(head, []byte("/FlateDecode")) && bytes.Count(head, []byte("Decode")) == 1:
			z, err := zlib.NewReader(bytes.NewReader(body))
			if err != nil {
				continue
			}
			body, err = io.ReadAll(io.LimitReader(z, min(maxPart, left)+1))
			if left -= int64(len(body)); left <= 0 || len(body) > maxPart {
				return "", false
			}
			if err != nil && len(body) == 0 {
				continue
			}
			if oddFont.Match(body) { // fonts stand in packed objects, too
				return "", false
			}
		case bytes.Contains(head, []byte("/Filter")):
			continue
		}
		pdfShow(body, &b)
	}
	s = b.String()
	return s, letters(s)
}

// letters says whether most of a text is what people write.
func letters(s string) bool {
	good, all := 0, 0
	for _, r := range s {
		if all++; unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSpace(r) || strings.ContainsRune(".,;:'()-", r) {
			good++
		}
	}
	return good > 2 && good*10 >= all*8
}

// pdfShow writes what the text operators of a content stream show (ISO 32000-1
// §9.4.3). Strings outside of BT and ET are passed over.
func pdfShow(p []byte, b *strings.Builder) {
	inside := false
	var held []string // strings before their operator
	for i := 0; i < len(p) && b.Len() <= maxText; {
		switch c := p[i]; {
		case c == '(':
			var s string
			s, i = pdfString(p, i+1)
			held = append(held, s)
		case c == '<' && i+1 < len(p) && p[i+1] == '<':
			i += 2
		case c == '<':
			end := bytes.IndexByte(p[i:], '>')
			if end < 0 {
				return
			}
			h := bytes.Join(bytes.Fields(p[i+1:i+end]), nil)
			if len(h)%2 == 1 {
				h = append(h, '0')
			}
			if raw, err := hex.DecodeString(string(h)); err == nil {
				held = append(held, latin(raw))
			}
			i += end + 1
		case c == '%':
			for i < len(p) && p[i] != '\n' && p[i] != '\r' {
				i++
			}
		case c == '-' || c == '+' || c == '.' || c >= '0' && c <= '9':
			j := i + 1
			for j < len(p) && (p[j] == '.' || p[j] >= '0' && p[j] <= '9') {
				j++
			}
			// In TJ a wide step to the left parts words.
			if n, err := strconv.ParseFloat(string(p[i:j]), 64); err == nil && n < -180 && len(held) > 0 {
				held = append(held, " ")
			}
			i = j
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '\'' || c == '"' || c == '*':
			j := i + 1
			for j < len(p) && (p[j] >= 'a' && p[j] <= 'z' || p[j] >= 'A' && p[j] <= 'Z' || p[j] == '*') {
				j++
			}
			switch string(p[i:j]) {
			case "BT":
				inside = true
			case "ET":
				inside = false
				b.WriteByte('\n')
			case "Tj", "TJ", "'", "\"":
				if inside {
					b.WriteString(strings.Join(held, ""))
				}
				if p[i] != 'T' {
					b.WriteByte('\n')
				}
			case "Td", "TD", "T*", "Tm":
				b.WriteByte('\n')
			}
			held = held[:0]
			i = j
		default:
			i++
		}
	}
}

// pdfString reads a literal string after its opening bracket (§7.3.4.2).
func pdfString(p []byte, i int) (string, int) {
	var raw []byte
	for depth := 1; i < len(p); i++ {
		switch c := p[i]; c {
		case '(':
			depth++
			raw = append(raw, c)
		case ')':
			if depth--; depth == 0 {
				return latin(raw), i + 1
			}
			raw = append(raw, c)
		case '\\':
			if i++; i >= len(p) {
				return latin(raw), i
			}
			switch e := p[i]; {
			case e >= '0' && e <= '7':
				n, j := 0, i
				for ; j < len(p) && j < i+3 && p[j] >= '0' && p[j] <= '7'; j++ {
					n = n*8 + int(p[j]-'0')
				}
				raw, i = append(raw, byte(n)), j-1
			case e == 'n' || e == 'r' || e == 't':
				raw = append(raw, ' ')
			case e == '\n' || e == '\r':
			default:
				raw = append(raw, e)
			}
		default:
			raw = append(raw, c)
		}
	}
	return latin(raw), i
}
