package main

import (
	"errors"
	"fmt"

	"github.com/crinale/crinale/internal/fault"
)

// Exit codes, a contract with scripts.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitDifferences = 3
	exitUnreachable = 4
	exitUnconfirmed = 5
)

// usageError is a command line that cannot be understood.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usage(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// exitCode is the one table from errors to exit codes.
func exitCode(err error) int {
	var u *usageError
	var d differ
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &u):
		return exitUsage
	case errors.As(err, &d):
		return exitDifferences
	}
	switch fault.Of(err) {
	case fault.Unreachable:
		return exitUnreachable
	case fault.Unconfirmed:
		return exitUnconfirmed
	}
	return exitFailed
}
