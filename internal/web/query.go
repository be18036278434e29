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
	takes := "this takes no parameters"
	if len(known) > 0 {
		takes = "known are " + strings.Join(known, ", ")
	}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		switch {
		case !slices.Contains(known, name):
			return fault.New(fault.Invalid, "parameter %q is not known: %s", name, takes)
		case len(q[name]) > 1:
			return fault.New(fault.Invalid, "parameter %s is given %d times: give it once", name, len(q[name]))
		}
	}
	return nil
}
