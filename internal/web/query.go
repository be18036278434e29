package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/fault"
)

// Taking is Func for an endpoint that takes the parameters known, each at most
// once. Any other is refused: a misspelt one would be answered as if it had
// not been asked. Lists name "limit" and "after" by Paged.
func (s *Shell) Taking(f func(w http.ResponseWriter, r *http.Request) error, known ...string) http.Handler {
	return s.Func(func(w http.ResponseWriter, r *http.Request) error {
		if err := checkQuery(r.URL.RawQuery, known); err != nil {
			return err
		}
		return f(w, r)
	})
}

func checkQuery(raw string, known []string) error {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return fault.New(fault.Invalid, "parameters: %w", err)
	}
	return checkValues(q, "parameter", known)
}

// checkValues refuses a name that is not known, and one given twice unless it
// is known as "NAME…".
func checkValues(q url.Values, what string, known []string) error {
	takes := "this takes no " + what + "s"
	if len(known) > 0 {
		takes = "known are " + strings.Join(known, ", ")
	}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		switch {
		case slices.Contains(known, name+many):
		case !slices.Contains(known, name):
			return fault.New(fault.Invalid, "%s %q is not known: %s", what, name, takes)
		case len(q[name]) > 1:
			return fault.New(fault.Invalid, "%s %s is given %d times: give it once", what, name, len(q[name]))
		}
	}
	return nil
}

// many marks a name that may be given more than once.
const many = "…"
