package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/crinale/crinale/internal/fault"
)

// Lists of the API come in pages. A request asks for at most limit items, and
// for those that follow after; the answer has "next", the after of the page
// that follows, null on the last one, and the same as a Link header (RFC 8288).
const (
	DefaultLimit = 200
	MaxLimit     = 1000
	maxAfter     = 200 // bytes
)

// Paged are the parameters of a list, for Taking.
func Paged(others ...string) []string { return append(others, "limit", "after") }

// Asked reads limit and after of a request. Limit is DefaultLimit when not
// given; after is "" for the first page.
func Asked(r *http.Request) (limit int, after string, err error) {
	q := r.URL.Query()
	limit = DefaultLimit
	if text := q.Get("limit"); q.Has("limit") {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > MaxLimit {
			return 0, "", fault.New(fault.Invalid, "limit=%q: want a whole number from 1 to %d", text, MaxLimit)
		}
	}
	if after = q.Get("after"); len(after) > maxAfter {
		return 0, "", fault.New(fault.Invalid, "after is %d bytes long: take it from \"next\" of the page before", len(after))
	}
	return limit, after, nil
}

// Next tells the page that follows in the Link header, and gives what the body
// says under "next": nil where after is "", the end of the list.
func Next(w http.ResponseWriter, r *http.Request, after string) *string {
	if after == "" {
		return nil
	}
	q := r.URL.Query()
	q.Set("after", after)
	w.Header().Set("Link", "<"+r.URL.EscapedPath()+"?"+q.Encode()+`>; rel="next"`)
	return &after
}

// Page cuts the page that a request asks for out of a whole list: items is
// never nil, next is for the body. Items are ordered by their key, which must
// differ and not be empty.
func Page[T any](w http.ResponseWriter, r *http.Request, all []T, key func(T) string) (items []T, next *string, err error) {
	limit, after, err := Asked(r)
	if err != nil {
		return nil, nil, err
	}
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	from := 0
	for from < len(sorted) && after != "" && key(sorted[from]) <= after {
		from++
	}
	items = append([]T{}, sorted[from:min(from+limit, len(sorted))]...)
	if from+limit < len(sorted) {
		next = Next(w, r, key(items[len(items)-1]))
	}
	return items, next, nil
}

// pageParameters is the OpenAPI of limit and after, to be named in fragments
// as {"$ref": "#/components/parameters/Limit"} and …/After.
const pageParameters = `{
  "Limit": {"name": "limit", "in": "query", "description": "how many items at most",
    "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 200}},
  "After": {"name": "after", "in": "query", "description": "\"next\" of the page before",
    "schema": {"type": "string", "maxLength": 200}}}`
