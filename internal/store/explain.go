package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/crinale/crinale/internal/fault"
)

// explain gives an error of the database its kind and its mend. The error
// stays in the chain; nil stays nil.
func explain(doing, name string, err error) error {
	if err == nil {
		return nil
	}
	kind, mend := fault.Internal, ""
	var (
		se  *sqlite.Error
		dns *net.DNSError
	)
	switch state := sqlState(err); {
	case state == "28P01" || state == "28000":
		kind, mend = fault.Denied, "wrong user or password; put the right ones in the URL, in PGPASSWORD or in the file that PGPASSFILE names"
	case state == "3D000":
		kind, mend = fault.NotFound, "there is no such database; make it with createdb, or correct the URL"
	case state == "42501":
		kind, mend = fault.Denied, "the user may not do this; make it the owner of the database"
	case state == "53300":
		kind, mend = fault.Unreachable, "PostgreSQL has no free connection; raise its max_connections or end other clients"
	case state == "57P03":
		kind, mend = fault.Unreachable, "PostgreSQL is starting or stopping; try again shortly"
	case state == "" && errors.As(err, &dns):
		kind, mend = fault.Unreachable, "the name of the host is not known; correct the URL"
	case errors.Is(err, syscall.ECONNREFUSED):
		kind, mend = fault.Unreachable, "nothing listens there; start PostgreSQL or correct host and port in the URL"
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		kind, mend = fault.Unreachable, "no answer in time; check that the database runs and can be reached"
	case errors.As(err, &se):
		kind, mend = sqliteMend(se.Code() & 0xff)
	}
	if mend == "" {
		return fault.As(kind, fmt.Errorf("%s %s: %w", doing, name, err))
	}
	return fault.As(kind, fmt.Errorf("%s %s: %s: %w", doing, name, mend, err))
}

func sqliteMend(code int) (fault.Kind, string) {
	switch code {
	case lib.SQLITE_NOTADB:
		return fault.Invalid, "the file is not an SQLite database; name another file, or move this one away"
	case lib.SQLITE_CORRUPT:
		return fault.Invalid, "the file is damaged; put a backup in its place"
	case lib.SQLITE_FULL:
		return fault.Internal, "the disk is full; free some space"
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		return fault.Invalid, "the file or its folder cannot be written; give the user that runs crinale the right to write there"
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fault.Conflict, "another program keeps the file locked; is a second crinale running on this folder?"
	}
	return fault.Internal, ""
}
