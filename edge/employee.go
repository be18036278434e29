package edge

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// Employee is somebody who may read documents at an edge.
type Employee struct {
	ID     string
	Name   string
	Groups []string
}

// Entry is what somebody who was let in has: both are secrets of their browser.
type Entry struct {
	Session string // opens the pages of the reader, with the device
	Author  string // names the author of what is sent to services, and opens nothing
}

// Why somebody is not let in.
var (
	ErrCode   = errors.New("the code is not one that is good")
	ErrPIN    = errors.New("the PIN is wrong")
	ErrShut   = errors.New("too many wrong PINs: wait")
	ErrDevice = errors.New("this device is not known")
	ErrWeak   = errors.New("the PIN is too easy: 6 to 12 digits, not all the same and not in a row")
)

// AuthorCookie names the author of what is sent to a service of an edge. It never
// leaves the edge.
const AuthorCookie = "crinale_autore"

// TakeAuthor gives what stands in AuthorCookie, and takes it out of a request, so
// that no origin, key or store ever sees it.
func TakeAuthor(h http.Header) (author string) {
	lines := h["Cookie"]
	if len(lines) == 0 {
		return ""
	}
	kept, found := make([]string, 0, len(lines)), false
	for _, line := range lines {
		parts := strings.Split(line, ";")
		rest := slices.DeleteFunc(parts, func(part string) bool {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			if strings.TrimSpace(name) != AuthorCookie {
				return false
			}
			author, found = value, true
			return true
		})
		if len(rest) > 0 {
			kept = append(kept, strings.TrimSpace(strings.Join(rest, ";")))
		}
	}
	if !found {
		return ""
	}
	if h["Cookie"] = kept; len(kept) == 0 {
		delete(h, "Cookie")
	}
	return author
}
