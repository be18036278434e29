package metrics_test

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// page is what a reader of the text form understands.
type page struct {
	values map[string]float64 // by the line's name and labels, as written
	types  map[string]string
	help   map[string]string
}

var line = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$`)

var le = regexp.MustCompile(`,?le="([^"]*)"`)

// read reads the text form as its definition says (exposition formats of
// Prometheus, version 0.0.4), knowing nothing of the writer: HELP and TYPE
// once and before the values, all values of a name together, no line twice,
// buckets that grow to +Inf and fit their count.
func read(text string) (page, error) {
	p := page{map[string]float64{}, map[string]string{}, map[string]string{}}
	if !strings.HasSuffix(text, "\n") {
		return p, fmt.Errorf("the last line does not end")
	}
	current, closed := "", map[string]bool{}
	last, lastLE := map[string]float64{}, map[string]float64{}
	for i, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		bad := func(why string) (page, error) { return p, fmt.Errorf("line %d %q: %s", i+1, l, why) }
		if rest, ok := strings.CutPrefix(l, "# HELP "); ok {
			name, help, _ := strings.Cut(rest, " ")
			if p.help[name] != "" || closed[name] || help == "" {
				return bad("HELP twice, late or empty")
			}
			closed[current], current, p.help[name] = true, name, help
			continue
		}
		if rest, ok := strings.CutPrefix(l, "# TYPE "); ok {
			name, kind, _ := strings.Cut(rest, " ")
			if p.types[name] != "" || name != current || !slices.Contains([]string{"counter", "gauge", "histogram", "summary"}, kind) {
				return bad("TYPE twice, late or unknown")
			}
			p.types[name] = kind
			continue
		}
		m := line.FindStringSubmatch(l)
		if m == nil {
			return bad("not a value")
		}
		v, err := strconv.ParseFloat(m[4], 64)
		if err != nil {
			return bad(err.Error())
		}
		base := m[1]
		if k := p.types[current]; k == "histogram" || k == "summary" {
			for _, s := range []string{"_bucket", "_sum", "_count"} {
				base = strings.TrimSuffix(base, s)
			}
		}
		if base != current || p.types[current] == "" {
			return bad("a value outside its figure")
		}
		key := m[1] + m[2]
		if _, twice := p.values[key]; twice {
			return bad("twice")
		}
		p.values[key] = v
		if strings.HasSuffix(m[1], "_bucket") {
			bound := le.FindStringSubmatch(m[2])
			if bound == nil {
				return bad("a bucket without le")
			}
			up, err := strconv.ParseFloat(bound[1], 64)
			series := base + strings.Trim(le.ReplaceAllString(m[3], ""), ",")
			before, seen := lastLE[series]
			if err != nil || v < last[series] || seen && up <= before {
				return bad("buckets do not grow")
			}
			last[series], lastLE[series] = v, up
		}
		if p.types[base] == "histogram" && strings.HasSuffix(m[1], "_count") {
			series := base + m[3]
			if !math.IsInf(lastLE[series], 1) || last[series] != v {
				return bad("the count is not that of the last bucket, or the last is not +Inf")
			}
		}
	}
	return p, nil
}

// The reader of these tests is strict itself.
func TestReaderSeesMistakes(t *testing.T) {
	for name, text := range map[string]string{
		"no end":          "# HELP a h\n# TYPE a gauge\na 1",
		"no type":         "# HELP a h\na 1\n",
		"twice":           "# HELP a h\n# TYPE a gauge\na 1\na 2\n",
		"bare quote":      "# HELP a h\n# TYPE a gauge\na{b=\"c\"d\"} 1\n",
		"no number":       "# HELP a h\n# TYPE a gauge\na x\n",
		"foreign":         "# HELP a h\n# TYPE a gauge\nb 1\n",
		"falling buckets": "# HELP a h\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
		"no +Inf":         "# HELP a h\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_sum 1\na_count 2\n",
	} {
		if _, err := read(text); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
