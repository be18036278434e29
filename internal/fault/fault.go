// Package fault names the few kinds of error the program tells apart. Each
// rim of the program (exit code, HTTP status, MQTT answer) has one table for
// them; everything else is text that says what was being done to what.
package fault

import (
	"errors"
	"fmt"
)

// Kind is what sort of trouble an error is.
type Kind uint8

const (
	Internal    Kind = iota // our own bug or an unforeseen failure
	Invalid                 // the input is wrong; the text says how to mend it
	NotFound                // the thing named does not exist
	Conflict                // it exists already, or someone else is changing it
	Denied                  // not allowed
	Unreachable             // a device or server does not answer
	Refused                 // it answered, and said no
	Stale                   // the answer is too old to act upon
	Unconfirmed             // done, but nobody confirmed it in time
)

var names = [...]string{"internal", "invalid", "not-found", "conflict", "denied", "unreachable", "refused", "stale", "unconfirmed"}

func (k Kind) String() string {
	if int(k) < len(names) {
		return names[k]
	}
	return "internal"
}

// Error is an error with a kind.
type Error struct {
	Kind Kind
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// New is fmt.Errorf with a kind; %w wraps.
func New(k Kind, format string, args ...any) error {
	return &Error{k, fmt.Errorf(format, args...)}
}

// As gives err a kind; nil stays nil.
func As(k Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Error{k, err}
}

// Of is the kind of the outermost Error in err's chain, Internal if none.
func Of(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Named is the kind with a name as String gives it; Internal for others.
func Named(s string) Kind {
	for i, n := range names {
		if n == s {
			return Kind(i)
		}
	}
	return Internal
}
