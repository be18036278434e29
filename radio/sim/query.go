package sim

import (
	"strconv"
	"strings"
)

// stack is the one of the query language (manual: API, Queries). Below what
// was pushed lie infinitely many trues.
type stack []bool

func (s stack) at(i int) bool {
	if i >= len(s) {
		return true
	}
	return s[len(s)-1-i]
}

func (s *stack) push(v bool) { *s = append(*s, v) }

func (s *stack) pop() bool {
	if len(*s) == 0 {
		return true
	}
	v := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return v
}

// maxStack bounds the work one query may ask for.
const maxStack = 4096

// checkQueries refuses a query that no item could be held against.
func checkQueries(qs []string) *trap {
	for _, q := range qs {
		if ops, ok := strings.CutPrefix(q, "?#"); ok {
			for _, c := range ops {
				if !strings.ContainsRune("0123456789!&|.", c) {
					return argument("unknown operation in query " + q)
				}
			}
		} else if strings.Trim(q, "?=<>-") == "" {
			return argument("query " + q + " names no property")
		}
	}
	return nil
}

// matches says whether an item passes all the query words.
func matches(it item, qs []string) bool {
	var s stack
	for _, q := range qs {
		if len(s) > maxStack {
			return false
		}
		q = q[1:]
		switch {
		case strings.HasPrefix(q, "#"):
			s.operate(q[1:])
		case strings.HasPrefix(q, "-"):
			_, has := it.get(q[1:])
			s.push(!has)
		case strings.HasPrefix(q, "<"), strings.HasPrefix(q, ">"):
			name, want, _ := strings.Cut(q[1:], "=")
			v, has := it.get(name)
			c := compare(v, want)
			s.push(has && (q[0] == '<' && c < 0 || q[0] == '>' && c > 0))
		default:
			name, want, equal := strings.Cut(strings.TrimPrefix(q, "="), "=")
			v, has := it.get(name)
			s.push(has && (!equal || same(v, want)))
		}
	}
	for _, v := range s {
		if !v {
			return false
		}
	}
	return true
}

// operate applies the operations of one ?# word, left to right.
func (s *stack) operate(ops string) {
	for i := 0; i < len(ops); i++ {
		switch c := ops[i]; {
		case c >= '0' && c <= '9':
			j := i
			for j < len(ops) && ops[j] >= '0' && ops[j] <= '9' {
				j++
			}
			n, err := strconv.Atoi(ops[i:j])
			v := true
			if err == nil {
				v = s.at(n)
			}
			if j == len(ops) {
				// An index that ends the word replaces every value by that one.
				*s = stack{v}
				return
			}
			s.push(v)
			i = j - 1
			if ops[j] == '.' {
				i = j // a dot after an index does nothing
			}
		case c == '!':
			s.push(!s.pop())
		case c == '&':
			a, b := s.pop(), s.pop()
			s.push(a && b)
		case c == '|':
			a, b := s.pop(), s.pop()
			s.push(a || b)
		case c == '.':
			s.push(s.at(0))
		}
	}
}

// same holds a value against one that a client wrote: booleans in any spelling.
func same(v, want string) bool {
	if v == want {
		return true
	}
	if v == "true" || v == "false" {
		b, ok := parseBool(want)
		return ok && boolean(b) == v
	}
	return false
}

// compare orders two values: as numbers or durations where both are, else by
// bytes.
func compare(a, b string) int {
	if x, ok := number(a); ok {
		if y, ok := number(b); ok {
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		}
	}
	return strings.Compare(a, b)
}

// number reads "-76", "-62@6Mbps", "23.8" or a duration such as "4d15h19m".
func number(s string) (float64, bool) {
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		return v, true
	}
	if head, _, ok := strings.Cut(s, "@"); ok {
		v, err := strconv.ParseFloat(strings.TrimSuffix(head, "dBm"), 64)
		return v, err == nil
	}
	if d, ok := parseDuration(s); ok {
		return d.Seconds(), true
	}
	return 0, false
}
