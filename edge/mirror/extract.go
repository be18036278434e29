package mirror

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds on what is read out of one document, so that no document makes the
// mirror hang or fills its disk.
const (
	maxText    = 2 << 20  // bytes of text that are indexed
	maxStart   = 16 << 10 // bytes of it that are kept for snippets
	maxPart    = 32 << 20 // bytes of one part of a packed document, unpacked
	maxPacked  = 64 << 20 // bytes of all parts that are read
	maxParts   = 5000     // in one packed document
	maxNesting = 256      // elements of XML
)

// Notes on documents whose text is not searched.
const (
	noteKind   = "only the name is searched: no text is read from this kind of file"
	noteLarge  = "only the name is searched: the file is too large"
	notePDF    = "only the name is searched: the text of this PDF cannot be read"
	noteBroken = "only the name is searched: the file is damaged or packed too tightly"
)

// readText reads what can be searched of an object. It never fails: what cannot
// be read has a note.
func (r *Repo) readText(e Entry, most int64) text {
	if e.Size > most {
		return text{Note: noteLarge}
	}
	data, err := os.ReadFile(r.object(e.SHA256))
	if err != nil {
		return text{Note: noteBroken}
	}
	return extract(e.Path, data)
}

func extract(name string, data []byte) (t text) {
	var s string
	var err error
	switch path.Ext(fold(name)) {
	case ".txt", ".md", ".csv":
		s = plain(data)
	case ".html", ".htm":
		s, t.Title = markup(plain(data))
	case ".docx":
		s, err = packed(data, "word/document.xml", "word/header", "word/footer", "word/footnotes.xml")
	case ".xlsx":
		s, err = packed(data, "xl/sharedStrings.xml", "xl/worksheets/sheet")
	case ".odt", ".ods":
		s, err = packed(data, "content.xml")
	case ".pdf":
		var ok bool
		if s, ok = pdfText(data); !ok {
			return text{Note: notePDF}
		}
	default:
		return text{Note: noteKind}
	}
	if err != nil {
		return text{Note: noteBroken}
	}
	if len(s) > maxText {
		s = s[:maxText]
	}
	s = strings.ToValidUTF8(s, " ")
	t.Words = map[string]int{}
	for _, w := range words(s) {
		t.Words[w]++
	}
	t.Start = strings.ToValidUTF8(strings.Join(strings.Fields(s[:min(len(s), maxStart)]), " "), "")
	return t
}

// plain is text in UTF-8, or else in Latin-1 as old programs write it.
func plain(data []byte) string {
	data = bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	if utf8.Valid(data) {
		return string(data)
	}
	return latin(data)
}

func latin(data []byte) string {
	var b strings.Builder
	for _, c := range data {
		b.WriteRune(rune(c))
	}
	return b.String()
}

var (
	hidden = regexp.MustCompile(`(?is)<script\b.*?(</script\s*>|$)|<style\b.*?(</style\s*>|$)|<!--.*?(-->|$)`)
	title  = regexp.MustCompile(`(?is)<title[^>]*>([^<]{0,500})`)
	tag    = regexp.MustCompile(`<[^>]*>`)
)

// markup is the text of HTML and its title, nothing that is run or hidden.
func markup(s string) (text, name string) {
	s = hidden.ReplaceAllString(s, " ")
	if m := title.FindStringSubmatch(s); m != nil {
		name = strings.Join(strings.Fields(html.UnescapeString(m[1])), " ")
	}
	return html.UnescapeString(tag.ReplaceAllString(s, " ")), name
}

var errBomb = errors.New("more is packed than is read")

// packed is the text of the parts of a zip of XML that have or begin with these
// names.
func packed(data []byte, parts ...string) (string, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "", err
	}
	if len(z.File) > maxParts {
		return "", errBomb
	}
	var b strings.Builder
	left := int64(maxPacked)
	for _, f := range z.File {
		if !slices.ContainsFunc(parts, func(p string) bool {
			return f.Name == p || !strings.HasSuffix(p, ".xml") && strings.HasPrefix(f.Name, p)
		}) {
			continue
		}
		in, err := f.Open()
		if err != nil {
			return "", err
		}
		lr := &io.LimitedReader{R: in, N: min(maxPart, left) + 1}
		before := lr.N
		err = xmlText(lr, &b)
		in.Close()
		if left -= before - lr.N; lr.N <= 0 || left < 0 {
			return "", errBomb // what it says of its size is not believed
		}
		if err != nil {
			return "", err
		}
		if b.Len() > maxText {
			break
		}
	}
	return b.String(), nil
}

// xmlText writes the characters of XML. Entities of its own are not read.
func xmlText(r io.Reader, b *strings.Builder) error {
	dec := xml.NewDecoder(r)
	dec.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("not UTF-8") }
	depth := 0
	for b.Len() <= maxText {
		tok, err := dec.Token()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if depth++; depth > maxNesting {
				return errBomb
			}
		case xml.EndElement:
			depth--
			// A run of letters may be cut in the middle of a word; a paragraph or a
			// cell may not.
			switch tok.Name.Local {
			case "p", "h", "tab", "br", "si", "c", "v", "table-cell", "line-break", "s":
				b.WriteByte('\n')
			}
		case xml.CharData:
			b.Write(tok)
		}
	}
	return nil
}
