package edge

import (
	"net/http"
	"slices"
	"strings"
)

// fieldNames reads a list of field names, in canonical form; nil when one is no
// name, or there is none.
func fieldNames(list string) []string {
	var out []string
	for name := range strings.SplitSeq(list, ",") {
		switch name = trim(name); {
		case name == "":
		case !token(name), name == "*":
			return nil
		default:
			out = append(out, http.CanonicalHeaderKey(name))
		}
	}
	return out
}

// token says whether s is a token (RFC 9110 §5.6.2).
func token(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// connection are the fields that are of one connection, whether Connection lists
// them or not (RFC 9110 §7.6.1, RFC 9111 §3.1).
var connection = []string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization",
	"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// forAll are fields that Connection cannot take out, as they are for all
// recipients: without them an answer would look freer than it is.
var forAll = map[string]bool{
	"Age": true, "Cache-Control": true, "Content-Encoding": true, "Content-Length": true, "Content-Range": true, "Content-Type": true,
	"Date": true, "Etag": true, "Expires": true, "Host": true, "Last-Modified": true, "Pragma": true, "Set-Cookie": true, "Vary": true,
}

// WithoutConnection is a copy of a header without what was of the connection it
// came by, what Connection lists among it.
func WithoutConnection(h http.Header) http.Header {
	out := h.Clone()
	if out == nil {
		out = http.Header{}
	}
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = http.CanonicalHeaderKey(trim(name)); !forAll[name] {
				delete(out, name)
			}
		}
	}
	for _, name := range connection {
		delete(out, name)
	}
	return out
}

// members are those of a list in several lines (RFC 9110 §5.6.1), quotes apart,
// without empty ones.
func members(lines []string) []string {
	var out []string
	for _, line := range lines {
		for line != "" {
			end := memberEnd(line)
			if m := trim(line[:end]); m != "" {
				out = append(out, m)
			}
			line = line[min(end+1, len(line)):]
		}
	}
	return out
}

// memberEnd is where the first member of a list ends. A quote that does not end
// holds nothing together.
func memberEnd(line string) int {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case ',':
			return i
		case '"':
			if _, rest, ok := unquote(line[i:]); ok {
				i = len(line) - len(rest) - 1
			}
		}
	}
	return len(line)
}

// Selecting are the request fields by which an answer was chosen, in canonical
// form, sorted; star says that none can tell (RFC 9110 §12.5.5). What is no name
// counts as a star.
func Selecting(h http.Header) (names []string, star bool) {
	for _, m := range members(h["Vary"]) {
		if m == "*" || !token(m) {
			return nil, true
		}
		names = append(names, http.CanonicalHeaderKey(m))
	}
	slices.Sort(names)
	return slices.Compact(names), false
}
