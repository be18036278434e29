package edge

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Variant is what a request says in the fields that chose an answer, as one
// string: equal for requests that RFC 9111 §4.1 lets a cache treat as equal.
// names are those of Selecting; of none it is "".
func Variant(names []string, h http.Header) string {
	if len(names) == 0 {
		return ""
	}
	var b strings.Builder
	for _, name := range names {
		b.WriteString(name)
		lines, there := h[name]
		if !there { // another thing than an empty value
			b.WriteString("\n")
			continue
		}
		b.WriteByte(':')
		b.WriteString(strconv.Quote(normal(name, lines)))
		b.WriteByte('\n')
	}
	return b.String()
}

// normal is the normal form of a field: its lines combined, spaces around
// commas gone, and of a field that states preferences the members by their
// weight.
func normal(name string, lines []string) string {
	switch name {
	case "Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language":
		return strings.Join(preferences(lines), ",")
	}
	return strings.Join(members(lines), ",")
}

// preference is a member with its weight in thousandths.
type preference struct {
	text   string
	weight int
}

// preferences are the members of a field with weights (RFC 9110 §12.4.2) in
// lower case, the weightiest first, those of one weight by name: their order in
// the field has no meaning.
func preferences(lines []string) []string {
	var all []preference
	for _, m := range members(lines) {
		all = append(all, weigh(strings.ToLower(m)))
	}
	slices.SortStableFunc(all, func(a, b preference) int {
		if a.weight != b.weight {
			return b.weight - a.weight
		}
		return strings.Compare(a.text, b.text)
	})
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = p.text
		if p.weight != 1000 {
			out[i] += ";q=" + strconv.Itoa(p.weight)
		}
	}
	return slices.Compact(out)
}

// weigh takes the weight out of a member. One that is none stays in the text.
func weigh(m string) preference {
	head, rest, more := strings.Cut(m, ";")
	p := preference{trim(head), 1000}
	for more {
		var param string
		param, rest, more = strings.Cut(rest, ";")
		param = trim(param)
		if q, ok := strings.CutPrefix(param, "q="); ok {
			if w, ok := qvalue(q); ok {
				p.weight = w
				continue
			}
		}
		p.text += ";" + param
	}
	return p
}

// qvalue reads a weight (RFC 9110 §12.4.2) in thousandths.
func qvalue(s string) (int, bool) {
	whole, part, dot := strings.Cut(s, ".")
	if whole != "0" && whole != "1" || len(part) > 3 || dot && whole == "1" && strings.Trim(part, "0") != "" {
		return 0, false
	}
	n := 0
	for i := range 3 {
		n *= 10
		if i < len(part) {
			if part[i] < '0' || part[i] > '9' {
				return 0, false
			}
			n += int(part[i] - '0')
		}
	}
	return n + 1000*int(whole[0]-'0'), true
}
