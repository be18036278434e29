package notify

import (
	"html"
	"strings"
)

// plainText is a message as mail without marks.
func plainText(c *catalog, m message, f facts, base string, third bool) string {
	var b strings.Builder
	para := func(lines ...string) {
		for _, l := range lines {
			if l != "" {
				b.WriteString(l + "\n")
			}
		}
		b.WriteString("\n")
	}
	hello := "hello"
	if third || f.First == "" {
		hello = "hello.trusted"
	}
	para(c.word(hello, f))
	about := ""
	if f.For != "" && !third {
		about = c.word("about", f)
	}
	para(m.intro, about)
	if len(m.details) > 0 {
		var lines []string
		for _, d := range m.details {
			lines = append(lines, d.label+": "+d.text)
		}
		para(lines...)
	}
	if m.do != "" {
		para(m.do)
	}
	if base != "" && !third {
		para(c.word("page", f), base+pagePath)
	}
	if f.Desk != "" {
		para(c.word("desk", f))
	}
	b.WriteString("-- \n" + c.word("foot", f) + "\n")
	if base != "" && !third {
		b.WriteString(c.word("foot.prefs", f) + "\n" + base + prefsPath + "\n")
	}
	return b.String()
}

// spoken is a message as an operator reads it out.
func spoken(c *catalog, m message, f facts) string {
	var lines []string
	if m.intro != "" {
		lines = append(lines, m.intro)
	}
	if f.For != "" {
		lines = append(lines, c.word("about", f))
	}
	for _, d := range m.details {
		lines = append(lines, d.label+": "+d.text)
	}
	if say := m.say; say != "" {
		lines = append(lines, say)
	} else if m.do != "" {
		lines = append(lines, m.do)
	}
	return strings.Join(lines, "\n")
}

// Where the links of messages lead, under the configured base.
const (
	pagePath  = "/passaggi/miei"
	prefsPath = "/passaggi/profilo"
)

// htmlText is a plain text with the few marks of a mail: paragraphs, large
// letters, and links where a line is an address under base. Everything else is
// text, whatever it looks like.
func htmlText(lang, title, text, base string, large bool) string {
	size := "18px"
	if large {
		size = "24px"
	}
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html lang="` + html.EscapeString(lang) + `"><head><meta charset="utf-8"><title>` + html.EscapeString(title) +
		`</title></head><body style="font-family:sans-serif;font-size:` + size + `;line-height:1.5;max-width:40em">` + "\n")
	for para := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		var lines []string
		for line := range strings.SplitSeq(para, "\n") {
			if line == "-- " {
				continue
			}
			e := html.EscapeString(line)
			if base != "" && strings.HasPrefix(line, base+"/") && !strings.ContainsAny(line, " \"<>") {
				e = `<a href="` + e + `">` + e + `</a>`
			}
			lines = append(lines, e)
		}
		b.WriteString("<p>" + strings.Join(lines, "<br>\n") + "</p>\n")
	}
	b.WriteString("</body></html>\n")
	return b.String()
}

// markdown is a text as Markdown shows it letter by letter: every sign that
// could mean something is escaped (CommonMark 2.4 lets each of them be), and
// what looks like a link is broken.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("\\`*_{}[]()<>#+-.!|~&$^=:@\"'/", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
