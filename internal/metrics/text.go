package metrics

import (
	"net/http"
	"strconv"
	"strings"
)

// ContentType is that of the text form.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Handler shows all figures in the text form. It asks for no rights: who may
// read is a matter of where it is mounted.
func (r *Registry) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		body := r.Text()
		w.Header().Set("Content-Type", ContentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body) // a reader that went away is told nothing
	})
}

// Text is what Handler shows: per figure its help, its type, and a line for
// each value.
func (r *Registry) Text() []byte {
	var b []byte
	for _, f := range r.sorted() {
		b = append(b, "# HELP "+f.Name+" "...)
		b = append(b, helpEscapes.Replace(strings.ToValidUTF8(f.Help, "\uFFFD"))...)
		b = append(b, "\n# TYPE "+f.Name+" "+f.Type+"\n"...)
		for _, s := range f.shots() {
			if f.Type == histogram {
				b = f.distribution(b, s)
				continue
			}
			b = f.line(b, "", s.labels, "", s.v)
		}
	}
	return b
}

// distribution writes the buckets, each with those below it, then sum and
// count.
func (f *family) distribution(b []byte, s shot) []byte {
	var n uint64
	for i, c := range s.buckets {
		n += c
		le := "+Inf"
		if i < len(f.bounds) {
			le = number(f.bounds[i])
		}
		b = f.line(b, "_bucket", s.labels, le, float64(n))
	}
	b = f.line(b, "_sum", s.labels, "", s.v)
	return f.line(b, "_count", s.labels, "", float64(n))
}

func (f *family) line(b []byte, suffix string, labels []string, le string, v float64) []byte {
	b = append(b, f.Name...)
	b = append(b, suffix...)
	open := byte('{')
	pair := func(name, value string) {
		b = append(b, open)
		b = append(b, name...)
		b = append(b, `="`...)
		b = append(b, valueEscapes.Replace(strings.ToValidUTF8(value, "\uFFFD"))...)
		b = append(b, '"')
		open = ','
	}
	for i, l := range labels {
		pair(f.Labels[i], l)
	}
	if le != "" {
		pair("le", le)
	}
	if open == ',' {
		b = append(b, '}')
	}
	b = append(b, ' ')
	b = append(b, number(v)...)
	return append(b, '\n')
}

var (
	helpEscapes  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	valueEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// number writes a value as Prometheus reads it: infinity is +Inf.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
