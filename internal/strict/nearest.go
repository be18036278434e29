package strict

import (
	"fmt"
	"strings"
)

// Nearest is the candidate that a mistyped word most likely meant, "" when
// none is near enough. One that begins with the word, then one that holds it,
// is nearer than any that takes changing letters; of several the shortest.
func Nearest[S ~string](word S, candidates []S) S {
	if len(word) > 100 {
		return ""
	}
	if best := holding(word, candidates); best != "" {
		return best
	}
	var best S
	limit := 1 + len(word)/4 // one slip in a short word, more in a long one
	for _, c := range candidates {
		if len(c) > 100 || c == word {
			continue
		}
		if n := distance(string(word), string(c)); n <= limit {
			best, limit = c, n-1
		}
	}
	return best
}

// holding is the candidate that begins with a word, else one that holds it. A
// word of few letters is in too many to mean one.
func holding[S ~string](word S, candidates []S) S {
	var begins, holds S
	for _, c := range candidates {
		if c == word || len(word) < 3 {
			continue
		}
		switch at := strings.Index(string(c), string(word)); {
		case at == 0 && (begins == "" || len(c) < len(begins)):
			begins = c
		case at > 0 && len(word) > 3 && (holds == "" || len(c) < len(holds)):
			holds = c
		}
	}
	if begins != "" {
		return begins
	}
	return holds
}

// meant proposes a candidate, and ends the clause either way.
func meant(word string, candidates []string) string {
	if n := Nearest(word, candidates); n != "" {
		return fmt.Sprintf(", did you mean %s?", n)
	}
	return ";"
}

// distance is the number of single-letter insertions, deletions, changes and
// swaps of neighbours between two words (optimal string alignment).
func distance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
