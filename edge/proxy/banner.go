package proxy

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/edge"
)

// mostMarked is how long a page may be that is marked; a longer one says its age
// in its head alone.
const mostMarked = 4 << 20

// savedField says in the head of an answer when it was received, where it is
// given because the origin is not there.
const savedField = "Crinale-Saved"

// marked gives a page that is over its lifetime with a line on top that says
// from when it is; false when it is no such page, or cannot be marked: then
// nothing was answered yet.
func (v *visit) marked(o edge.Object, h http.Header, st edge.Status) bool {
	s := o.Head()
	if v.q.Method != http.MethodGet || s.Status != http.StatusOK || o.Length() < 0 || o.Length() > mostMarked || !isPage(s.Header) ||
		!edge.Holds(o.Held(), edge.Span{Length: o.Length()}) {
		return false
	}
	page, ok := plainBody(o, s.Header.Get("Content-Encoding"))
	if !ok {
		return false
	}
	at := afterBodyTag(page)
	line := fmt.Sprintf(`<div role="status" lang="it" style="background:#fff3cd;color:#332701;border-bottom:2px solid #997404;padding:.6em 1em;font:16px/1.4 sans-serif">`+
		`<strong>Copia salvata %s.</strong> Il servizio ora non &egrave; raggiungibile: questa pagina pu&ograve; essere cambiata. `+
		`<span lang="en">Saved copy, the service cannot be reached now.</span></div>`, html.EscapeString(edge.AtWords(s.Got.In(v.p.cfg.Zone), time.Now().In(v.p.cfg.Zone))))
	// What speaks of the bytes as they came, and what would have a browser keep
	// the marked ones.
	for _, name := range []string{"Etag", "Last-Modified", "Content-Encoding", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest", "Accept-Ranges", "Expires"} {
		delete(h, name)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(page)+len(line)))
	v.head(h, st)
	v.w.WriteHeader(http.StatusOK)
	for _, part := range [][]byte{page[:at], []byte(line), page[at:]} {
		if _, err := v.w.Write(part); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	return true
}

// isPage says that an answer is HTML in an alphabet that has ASCII in it.
func isPage(h http.Header) bool {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && kind == "text/html" && !strings.HasPrefix(strings.ToLower(params["charset"]), "utf-16") && !strings.HasPrefix(strings.ToLower(params["charset"]), "utf-32")
}

// plainBody is a whole body without its content coding.
func plainBody(o edge.Object, coding string) ([]byte, bool) {
	body, err := o.Open()
	if err != nil {
		return nil, false
	}
	defer body.Close()
	from := io.Reader(io.NewSectionReader(body, 0, o.Length()))
	switch strings.ToLower(strings.TrimSpace(coding)) {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(from)
		if err != nil {
			return nil, false
		}
		from = z
	default:
		return nil, false
	}
	page, err := io.ReadAll(io.LimitReader(from, mostMarked+1))
	if err != nil || len(page) > mostMarked {
		return nil, false
	}
	return page, true
}

// afterBodyTag is where what is seen of a page begins: after its body tag, else
// at its end, where a browser shows what follows too. Comments, and elements
// whose text is no HTML, are skipped (HTML §13.1.2).
func afterBodyTag(page []byte) int {
	low := bytes.Clone(page) // letter by letter: any other way of lowering may change its length
	for i, c := range low {
		if 'A' <= c && c <= 'Z' {
			low[i] = c + 'a' - 'A'
		}
	}
	for i := 0; i < len(low); {
		next := bytes.IndexByte(low[i:], '<')
		if next < 0 {
			break
		}
		i += next
		switch rest := low[i:]; {
		case bytes.HasPrefix(rest, []byte("<!--")):
			end := bytes.Index(rest[4:], []byte("-->"))
			if end < 0 {
				return len(page)
			}
			i += 4 + end + 3
		case tagged(rest, "body"):
			return i + tagEnd(rest)
		default:
			for _, raw := range []string{"script", "style", "title", "textarea", "noscript", "template", "iframe", "xmp", "noembed", "noframes"} {
				if tagged(rest, raw) {
					end := bytes.Index(rest, []byte("</"+raw))
					if end < 0 {
						return len(page)
					}
					i += end
					break
				}
			}
			i++
		}
	}
	return len(page)
}

// tagged says that a start tag of that name begins here.
func tagged(low []byte, name string) bool {
	if len(low) < len(name)+2 || string(low[1:1+len(name)]) != name {
		return false
	}
	switch low[1+len(name)] {
	case '>', '/', ' ', '\t', '\n', '\r', '\f':
		return true
	}
	return false
}

// tagEnd is the length of the tag that begins here; of one without end, all.
func tagEnd(low []byte) int {
	quote := byte(0)
	for i, c := range low {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return len(low)
}
